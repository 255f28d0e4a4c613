"""Another client of an IMAP account: reads messages, flags them, and edits them in place as neomutt does (the changed text
is appended with the same header and flags, then the old message is deleted and expunged)."""
import base64
import email
import email.parser
import email.policy
import functools
import imaplib
import re
import time
import typing
import urllib.parse

TIMEOUT_S = 90
SEPARATOR = b"--- taskferry ---"
HEADER = email.parser.BytesParser(policy=email.policy.default)    # reads the parts too unless told otherwise, which takes long


class MailError(Exception):
    """The server said no, or a message is not what it must be."""


# ---- messages ----

class Message(typing.NamedTuple):
    folder: str             # as on the wire
    validity: int           # UIDVALIDITY
    uid: int
    flags: tuple
    raw: bytes

    @property
    def address(self):
        return f"{self.validity:010d}.{self.uid:010d}"

    @property
    def calendar(self):
        """The text of the calendar part, or ""."""
        return part_text(self.raw, "text/calendar")

    @property
    def card(self):
        """The text for people, or ""; with LF."""
        return part_text(self.raw, "text/plain").replace("\r\n", "\n")

    def header(self, name):
        return HEADER.parsebytes(self.raw, headersonly=True).get(name)


@functools.lru_cache(maxsize=256)     # the same messages are asked again and again
def part_text(raw, kind):
    for part in email.message_from_bytes(raw).walk():
        if part.get_content_type() == kind:
            return part.get_payload(decode=True).decode(part.get_content_charset() or "utf-8", "replace")
    return ""


def with_card(raw, lines, note=""):
    """The message with key lines of its card set, and a note above the separator; everything else to the byte."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    for key, value in lines.items():
        line = f"{key}: {value}".encode()
        body, count = re.subn(rb"(?mi)^" + key.encode() + rb":[^\r\n]*", lambda _, line=line: line, body, count=1)
        if not count:   # a key that is left out while it has no value
            body, count = re.subn(rb"(?mi)^(Percent:[^\r\n]*\r\n)", lambda found, line=line: found[1] + line + b"\r\n",
                                  body, count=1)
        if not count:
            raise MailError(f"no line '{key}:' in the card, and no 'Percent:':\n{raw.decode(errors='replace')[:2000]}")
    if note:
        before, separator, after = body.partition(SEPARATOR)
        if not separator:
            raise MailError(f"no separator in the card:\n{raw.decode(errors='replace')[:2000]}")
        body = before + note.encode() + b"\r\n\r\n" + separator + after
    return head + gap + body


def with_calendar(raw, text):
    """The message with another text in its calendar part; everything else to the byte."""
    boundary = email.message_from_bytes(raw).get_boundary()
    if not boundary:
        raise MailError("the message has no parts")
    pieces = re.split(rb"(\r\n--" + re.escape(boundary.encode()) + rb"(?:--)?[ \t]*(?=\r\n|$))", raw)
    for at, piece in enumerate(pieces):
        head, gap, _ = piece.partition(b"\r\n\r\n")
        if at and re.search(rb"(?i)^\s*content-type:\s*text/calendar", head, re.M) and gap:
            encoding = re.search(rb"(?i)^content-transfer-encoding:\s*(\S+)", head, re.M)
            data = text.encode()
            if encoding and encoding[1].lower() == b"base64":
                data = base64.encodebytes(data).replace(b"\n", b"\r\n").rstrip()
            elif encoding and encoding[1].lower() == b"quoted-printable":
                raise MailError("a calendar part in quoted-printable")
            pieces[at] = head + gap + data
            return b"".join(pieces)
    raise MailError("the message has no calendar part")


# ---- the account ----

def quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Mailbox:
    """One connection; a context manager."""

    def __init__(self, url, user, password):
        parts = urllib.parse.urlsplit(url)
        self.user = user
        self.connection = imaplib.IMAP4(parts.hostname, parts.port, TIMEOUT_S)
        self.selected = None
        self.must(self.connection.login(user, password))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.connection.logout()
        except (imaplib.IMAP4.error, OSError):
            pass

    def must(self, answer):
        status, data = answer
        if status != "OK":
            raise MailError(f"{self.user}: {data}")
        return data

    def folders(self):
        """Names of the folders that can be opened."""
        names = []
        for line in self.must(self.connection.list()):
            if isinstance(line, tuple):     # the name as a literal
                attributes, name = line[0], line[1].decode()
            elif line is None:
                continue
            else:
                found = re.match(rb"\(([^)]*)\) (?:\"(?:\\.|[^\"])*\"|NIL) (.*)", line)
                attributes, name = found[1], found[2].decode()
                if name.startswith('"'):
                    name = re.sub(r"\\(.)", r"\1", name[1:-1])
            if b"noselect" not in attributes.lower() and b"nonexistent" not in attributes.lower():
                names.append(name)
        return sorted(names)

    def open(self, folder):
        """Selects it anew, so that everything that is there is seen; returns its UIDVALIDITY."""
        self.selected = folder
        self.must(self.connection.select(quoted(folder)))
        return int(self.connection.response("UIDVALIDITY")[1][0])

    def messages(self, folder=None):
        """All messages of a folder, or of all folders, in order of arrival."""
        if folder is None:
            return [message for name in self.folders() for message in self.messages(name)]
        validity = self.open(folder)
        data = self.must(self.connection.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])"))
        found = []
        for at, row in enumerate(data):
            if isinstance(row, tuple):
                words = row[0] + (data[at + 1] if at + 1 < len(data) and isinstance(data[at + 1], bytes) else b"")
                flags = re.search(rb"FLAGS \(([^)]*)\)", words)
                found.append(Message(folder, validity, int(re.search(rb"\bUID (\d+)", words)[1]),
                                     tuple(flags[1].decode().split()) if flags else (), row[1]))
        return sorted(found, key=lambda message: message.uid)

    def save_dates(self):
        """Asks for the SAVEDATE of all messages, after which Dovecot has it in its cache, not only in the file's ctime."""
        for folder in self.folders():
            self.open(folder)
            self.must(self.connection.uid("FETCH", "1:*", "(SAVEDATE)"))

    def append(self, folder, raw, flags=(), when=None):
        self.must(self.connection.append(quoted(folder), "(" + " ".join(flags) + ")" if flags else None,
                                         imaplib.Time2Internaldate(when or time.time()), raw))

    def flag(self, message, *flags, remove=False):
        if self.selected != message.folder:
            self.open(message.folder)
        self.must(self.connection.uid("STORE", str(message.uid), "-FLAGS" if remove else "+FLAGS", "(" + " ".join(flags) + ")"))

    def delete(self, message):
        """As a client does without UIDPLUS: everything that is marked goes."""
        self.flag(message, "\\Deleted")
        self.must(self.connection.expunge())

    def move(self, message, folder):
        if self.selected != message.folder:
            self.open(message.folder)
        if "MOVE" in self.connection.capabilities:
            self.must(self.connection.uid("MOVE", str(message.uid), quoted(folder)))
            return
        self.must(self.connection.uid("COPY", str(message.uid), quoted(folder)))
        self.delete(message)

    def drop(self, folder):
        """Removes a folder with all that is in it."""
        self.connection.unsubscribe(quoted(folder))
        self.must(self.connection.delete(quoted(folder)))

    def state(self, folder):
        """Which differs as soon as anything is written there: UIDVALIDITY, UIDNEXT and all messages with their flags; the
        counter of changes too where there is one."""
        counts = "UIDVALIDITY UIDNEXT" + (" HIGHESTMODSEQ" if "CONDSTORE" in self.connection.capabilities else "")
        status = self.must(self.connection.status(quoted(folder), f"({counts})"))[0]
        self.selected = folder
        self.must(self.connection.select(quoted(folder), readonly=True))
        rows = self.must(self.connection.uid("FETCH", "1:*", "(UID FLAGS)"))
        return status, tuple(sorted(re.sub(rb"\\Recent ?| ?\\Recent", b"", row) for row in rows if row))

    def edit(self, message, raw):
        """In place, as neomutt's <edit> and its next synchronisation do."""
        self.append(message.folder, raw, [flag for flag in message.flags if flag.lower() not in ("\\recent", "\\deleted")])
        self.delete(message)
