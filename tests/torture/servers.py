"""What the torture runner talks to: the kinds of server, each edited as another client of it would, and item texts."""
import base64
import collections
import contextlib
import datetime
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
import zoneinfo

SRCDIR = os.environ.get("TF_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRCDIR, "tests", "servers"))
from mailclient import Mailbox, MailError, part_text, with_calendar, with_card     # noqa: E402

PASSWORD = "secret"
DAV = "{DAV:}"
REQUEST_TIMEOUT_S = 300     # what takes longer hangs
STARTED = {}                # directory -> name of a server that was started here


class Failed(Exception):
    """A case that did not end as it must; its text says why."""


class NotInstalled(Exception):
    """A server that this machine does not have."""


# ---- items ----

def unfold(text):
    return re.sub(r"\r?\n[ \t]", "", text)


def lines_of(text):
    return [line for line in unfold(text).replace("\r\n", "\n").split("\n") if line]


def property_of(text, name):
    """The value of a property of the VTODO itself, or None."""
    depth = 0
    for line in lines_of(text):
        head, _, value = line.partition(":")
        if head == "BEGIN":
            depth += 1
        elif head == "END":
            depth -= 1
        elif depth == 2 and head.split(";")[0] == name:
            return value
    return None


def edit_text(text, changes, block=""):
    """What a client does: properties of the VTODO replaced, added or (None) removed, a block added; all else stays."""
    left = dict(changes)
    out, depth = [], 0
    for line in re.findall(r"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n", text):
        name = re.split(r"[:;]", line, maxsplit=1)[0]
        depth += name == "BEGIN"
        if depth == 2 and name == "END" and line.startswith("END:VTODO"):
            out += [f"{key}:{value}\r\n" for key, value in left.items() if value is not None]
            out.append(block)
            left = {}
        depth -= name == "END"
        if depth == 2 and name in changes:
            value = left.pop(name, None)
            if value is not None:
                out.append(f"{name}:{value}\r\n")
            continue
        out.append(line)
    for key in [key for key in changes if ";" in key]:
        base = key.split(";")[0]
        out = [line for line in out if not line.startswith(base) or line.startswith(f"{key}:{changes[key]}")]
    return "".join(out)


# ---- messages ----

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")       # of the sites of these tests: a card has local dates
CARD_STATUS = {"NEEDS-ACTION": "not started", "IN-PROCESS": "in process", "COMPLETED": "completed"}


def card_time(stamp):
    when = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    return when.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


CARD = {
    "PERCENT-COMPLETE": ("Percent", str),
    "STATUS": ("Status", CARD_STATUS.get),
    "COMPLETED": ("Completed", card_time),
    "SUMMARY": ("Task", lambda text: re.sub(r"\\(.)", r"\1", text)),
    "DUE": ("Due", lambda day: f"{day[:4]}-{day[4:6]}-{day[6:]}"),
}


def in_card(before, after):
    """What differs between two VTODOs as key lines of a card; None when a card cannot say it."""
    lines, both = {}, [collections.Counter(lines_of(text)) for text in (before, after)]
    for line in (both[0] - both[1]) + (both[1] - both[0]):
        name = re.split("[;:]", line)[0]
        if name not in CARD:
            return None
        key, words = CARD[name]
        value = property_of(after, name)
        lines[key] = words(value) if value is not None else "-"
    return lines


def edit_message(raw, edit):
    """What another client makes of a message: what a card can say is edited there, all else in the VTODO. None: removed."""
    before = part_text(raw, "text/calendar")
    after = edit(before)
    if after is None:
        return None
    lines = in_card(before, after)
    return with_card(raw, lines) if lines else with_calendar(raw, after)


NO_MARKS = ("\\seen", "\\answered", "\\draft", "\\deleted", "\\recent")   # of the flags: set by software
DONE_FOLDER = "/Done"           # as a mark


def marks_of(flags, done=False):
    """What stands behind a version: what a person set on purpose."""
    return sorted([flag for flag in flags if flag.lower() not in NO_MARKS] + [DONE_FOLDER] * done)


# ---- servers ----
#
# Each has: kind; tells_times, whether it says when an item was written; config(), its lines of the configuration; items(),
# (account, address, version, text) of all that is there; task(text), the VTODO in such a text; name(address, text), an
# address that is the same in every run; change(uid, edit), which replaces the item of UID by edit(its VTODO), None removes
# it, False when there is none; writes(), how many writes it has seen; pause(), between edits whose order decides; clear(),
# which empties it; folders(), all that it keeps of its accounts, None where that is more than folders; before_copy(), before
# these are copied; stop(). One with messages (`appends`) also has: mark(uid, *flags), which sets flags, and file(uid, done),
# which moves a message to the sub-folder for what is done, or back.

def run_script(name, command, directory, *words, env=None):
    """A script of tests/servers; what it said on standard error."""
    script = os.path.join(SRCDIR, "tests", "servers", name + ".sh")
    done = subprocess.run(["sh", script, command, directory, *words], capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
    if done.returncode == 77:
        raise NotInstalled(f"{name.capitalize()} is not installed")
    if done.returncode:
        raise Failed(f"{name} does not {command}: {done.stderr}")
    if command.startswith("start"):
        STARTED[directory] = name
    return done.stderr


def server_logs():
    """What is wrong by the logs of the servers that were started here: their last few lines that say so."""
    told = []
    for directory, name in STARTED.items():
        with contextlib.suppress(OSError), open(os.path.join(directory, "log"), encoding="utf-8", errors="replace") as file:
            told += [f"log of {name}: {line.strip()[:300]}" for line in file
                     if re.search(r"warning|error|fatal|panic|traceback", line, re.I)][-8:]
    return "\n".join(told)


def remove_tree(path):
    shutil.rmtree(path, ignore_errors=True)


def copy_tree(source, target):
    """TARGET becomes what SOURCE is, with owners and times; or is not there either."""
    remove_tree(target)
    if os.path.isdir(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        subprocess.run(["cp", "-a", source, target], check=True, stdin=subprocess.DEVNULL)


def first_line(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.readline().strip()


class Plain:
    """A server whose items are VTODOs and keep their address."""
    appends, tells_times = False, True

    @staticmethod
    def task(text):
        return text

    @staticmethod
    def name(address, _text):
        return address


class MemoryServer(Plain):
    """The file of gateway/memory: read, edited and written as another client of the same server would."""
    kind = "memory"

    def __init__(self, directory):
        self.path = os.path.join(directory, "server")

    def config(self):
        return f"type = memory\nurl = memory:{self.path}?managed\nlogin = %{{local}}\n"

    def clear(self):
        pass    # its file stands beside the site's

    def folders(self):
        return []

    def before_copy(self):
        pass

    def counted(self):
        return self.load()["counts"]

    def script(self, lines):
        with open(self.path + ".faults", "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @contextlib.contextmanager
    def locked(self):
        with open(self.path + ".lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.load()

    def load(self):
        """items: [word, address, version, modified, text, touched, flags]; word is item, late or gone."""
        state = {"seq": 0, "counts": {}, "folders": [], "items": []}
        if not os.path.exists(self.path):
            return state
        with open(self.path, "rb") as file:
            data = file.read()
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            word, rest = data[at:end].decode().split(" ", 1)
            at = end + 1
            if word == "seq":
                state["seq"] = int(rest)
            elif word == "validity":
                state["validity"] = int(rest)
            elif word == "count":
                name, number = rest.split()
                state["counts"][name] = int(number)
            elif word == "folder":
                state["folders"].append(rest)
            elif word == "gone":
                address, version = rest.split("\t")
                state["items"].append([word, address, int(version), 0, None, 0, ""])
            else:
                address, version, modified, length, *more = rest.split("\t")
                state["items"].append([word, address, int(version), int(modified), data[at:at + int(length)].decode(),
                                       int(more[0]) if more else 0, more[1] if more else ""])
                at += int(length) + 1
        return state

    def save(self, state):
        out = [f"seq {state['seq']}\n"] + [f"validity {state[name]}\n" for name in ("validity",) if name in state]
        out += [f"count {name} {n}\n" for name, n in state["counts"].items()]
        out += [f"folder {folder}\n" for folder in state["folders"]]
        for word, address, version, modified, text, touched, flags in state["items"]:
            if text is None:
                out.append(f"gone {address}\t{version}\n")
            else:
                more = f"\t{touched}\t{flags}" if touched or flags else ""
                out.append(f"{word} {address}\t{version}\t{modified}\t{len(text.encode())}{more}\n{text}\n")
        with open(self.path + ".new", "wb") as file:
            file.write("".join(out).encode())
        os.rename(self.path + ".new", self.path)

    def items(self):
        with self.locked() as state:
            return [(address.split("/")[1], address, self.version(address, version, flags), text)
                    for word, address, version, _, text, _, flags in state["items"]
                    if word == "item" and not address.startswith("/attachments/")]

    @staticmethod
    def version(_address, version, _flags):
        return str(version)

    @contextlib.contextmanager
    def changing(self, uid):
        """(state, the newest item of that UID or None); the state is saved if there is one."""
        with self.locked() as state:
            found = [item for item in state["items"]
                     if item[0] == "item" and property_of(self.task(item[4]), "UID") == uid]
            if found:
                state["seq"] += 1
            yield state, found[-1] if found else None
            if found:
                self.save(state)

    def change(self, uid, edit):
        with self.changing(uid) as (state, item):
            if item:
                self.write(state, item, edit)
            return item is not None

    @staticmethod
    def write(state, item, edit):
        text = edit(item[4])
        item[0] = "gone" if text is None else "item"
        item[2:5] = [state["seq"], time.time_ns() // 1000, text]

    def writes(self):
        with self.locked() as state:
            return state["counts"].get("writes", 0)

    def pause(self):
        time.sleep(0.01)

    def stop(self):
        pass


class WholeServer(MemoryServer):
    """The same, and it makes a folder with all its items by one request."""
    kind = "whole"

    def config(self):
        return f"type = memory\nurl = memory:{self.path}?whole\nlogin = %{{local}}\n"


class MessageServer(MemoryServer):
    """The same with messages: an edit is a new item behind the others, and the old one goes."""
    kind = "messages"
    appends = True

    def config(self):
        return f"type = memory\nurl = memory:{self.path}?append\nlogin = %{{local}}\n"

    @staticmethod
    def task(text):
        return part_text(text.encode("utf-8", "surrogateescape"), "text/calendar")

    def name(self, _address, text):
        return f"{property_of(self.task(text), 'UID')}.ics"

    @staticmethod
    def version(address, version, flags):
        return " ".join([str(version), *marks_of(flags.split(), address.endswith(DONE_FOLDER))])

    def write(self, state, item, edit):
        raw = edit_message(item[4].encode("utf-8", "surrogateescape"), edit)
        self.replace(state, item, raw and raw.decode("utf-8", "surrogateescape"), item[1].endswith(DONE_FOLDER))

    @staticmethod
    def replace(state, item, text, done):
        """A new message with that text and the same flags; None: without a new one."""
        folder, flags = item[1].removesuffix(DONE_FOLDER).rpartition("/")[0], item[6]
        item[0], item[2:] = "gone", [state["seq"], 0, None, 0, ""]
        if text is not None:
            state["seq"] += 1
            address = f"{folder}/{1:010d}.{state['seq']:010d}{DONE_FOLDER if done else ''}"
            state["items"].append(["item", address, state["seq"], time.time_ns() // 1000, text, 0, flags])

    def mark(self, uid, *flags):
        with self.changing(uid) as (state, item):
            item[5:] = [state["seq"], " ".join([*item[6].split(), *flags])]

    def file(self, uid, done):
        with self.changing(uid) as (state, item):
            self.replace(state, item, item[4], done)


class RadicaleServer(Plain):
    """A Radicale of its own, and another client of it."""
    kind = "radicale"

    def __init__(self, directory, users=("ana", "joerg", "mei")):
        self.directory, self.users = os.path.join(directory, "radicale"), users
        run_script("radicale", "start", self.directory, *users)
        self.url = first_line(self.directory, "url")

    def config(self):
        return f"type = caldav\nurl = {self.url}\nlogin = %{{local}}\npassword = {PASSWORD}\n"

    def clear(self):
        shutil.rmtree(os.path.join(self.directory, "storage", "collection-root"), ignore_errors=True)

    def folders(self):
        return [os.path.join(self.directory, "storage")]

    def before_copy(self):
        pass

    def request(self, method, path, user, body=None, headers=None):
        request = urllib.request.Request(self.url.rstrip("/") + path, method=method,
                                         data=body.encode() if body is not None else None, headers=headers or {})
        login = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", "Basic " + login)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:
                return answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Failed(f"another client's {method} {path}: {error}") from None

    def members(self, path, user):
        _, body = self.request("PROPFIND", path, user, headers={"Depth": "1"})
        addresses = [row.findtext(DAV + "href") for row in ET.fromstring(body).findall(DAV + "response")]
        return [address for address in addresses if address != path]

    def items(self):
        found = []
        for user in self.users:
            for folder in self.members(f"/{user}/", user):
                if "/taskferry-probe-" in folder:   # what a killed probe leaves, for an hour at most
                    continue
                for address in self.members(folder, user):
                    headers, text = self.request("GET", address, user)
                    found.append((user, address, headers["ETag"], text))
        return found

    def find(self, uid):
        """(account, address, ETag, text) of the item of that UID, or None: first of the one whose name says so."""
        for user in self.users:
            for folder in self.members(f"/{user}/", user):
                for address in self.members(folder, user):
                    if address.endswith(f"/{uid}.ics"):
                        headers, text = self.request("GET", address, user)
                        if property_of(text, "UID") == uid:
                            return user, address, headers["ETag"], text
        return next((item for item in self.items() if property_of(item[3], "UID") == uid), None)

    def change(self, uid, edit):
        found = self.find(uid)
        if found:
            user, address, etag, text = found
            new = edit(text)
            condition = {"If-Match": etag}
            if new is None:
                self.request("DELETE", address, user, headers=condition)
            else:
                condition["Content-Type"] = "text/calendar; charset=utf-8"
                self.request("PUT", address, user, new, condition)
        return found is not None

    def writes(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as file:
            return len(re.findall(r"\b(?:PUT|DELETE|MOVE|MKCALENDAR|MKCOL|PROPPATCH) request for", file.read()))

    def pause(self):
        time.sleep(1.02 - time.time() % 1)      # its Last-Modified has whole seconds

    def stop(self):
        run_script("radicale", "stop", self.directory)


def is_done_folder(name):
    return re.search(r"[./]Done$", name) is not None


class DovecotServer:
    """A Dovecot of its own, and another client of it."""
    kind = "dovecot"
    appends, tells_times = True, True

    def __init__(self, directory, users=("ana", "joerg", "mei"), env=None):
        self.directory, self.users, self.env = os.path.join(directory, self.kind), users, env
        self.start()

    def start(self):
        users = () if os.path.exists(os.path.join(self.directory, "users")) else self.users
        self.said = run_script("dovecot", "start", self.directory, *users, env=dict({"DOVECOT_LOG_WRITES": "yes"}, **(self.env or {})))
        self.url = first_line(self.directory, "url")

    def config(self):
        return f"type = imap\nurl = {self.url}\nlogin = %{{local}}\npassword = {PASSWORD}\n"

    def mailbox(self, user, url=None):
        return Mailbox(url or self.url, user, PASSWORD)

    def clear(self):
        for user in os.listdir(os.path.join(self.directory, "mail")):
            shutil.rmtree(os.path.join(self.directory, "mail", user, "Maildir"), ignore_errors=True)

    def folders(self):
        return [os.path.join(os.path.realpath(os.path.join(self.directory, "mail")), user, "Maildir") for user in self.users]

    def before_copy(self):
        for user in self.users:
            with self.mailbox(user) as box:
                box.save_dates()

    def messages(self, user):
        """Our messages in an account; others are not what is looked for."""
        with self.mailbox(user) as box:
            return [message for message in box.messages() if message.header("X-Taskferry-UID")]

    def items(self):
        found = []
        for user in self.users:
            for message in self.messages(user):
                address, done = message.address, is_done_folder(message.folder)
                if done:
                    address = "d" + address
                version = " ".join([address, *marks_of(message.flags, done)])
                found.append((user, address, version, message.raw.decode("utf-8", "surrogateescape")))
        return found

    task, name = staticmethod(MessageServer.task), MessageServer.name

    def do(self, uid, what, *args):
        """WHAT(mailbox, message of that UID, ...); False: there is none."""
        for user in self.users:
            with self.mailbox(user) as box:
                found = [message for message in box.messages() if message.header("X-Taskferry-UID") == uid]
                if found:
                    what(box, found[-1], *args)
                    return True
        return False

    def change(self, uid, edit):
        return self.do(uid, self.edit, edit)

    def mark(self, uid, *flags):
        return self.do(uid, lambda box, message: box.flag(message, *flags))

    def file(self, uid, done):
        def move(box, message):
            folder = re.sub(r"[./]Done$", "", message.folder)
            below = [name for name in box.folders() if re.fullmatch(re.escape(folder) + "[./]Done", name)]
            if not below:
                raise Failed(f"{box.user} has no mailbox for what is done: {box.folders()}")
            box.move(message, below[0] if done else folder)
        return self.do(uid, move)

    @staticmethod
    def edit(box, message, edit):
        raw = edit_message(message.raw, edit)
        if raw is None:
            box.delete(message)
        else:
            box.edit(message, raw)

    def writes(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as file:
            return len(re.findall(r"> *: Info: (?:(?:save|copy|delete|undelete|expunge|flag_change): "
                                  r"|Mailbox (?:created|deleted|renamed))", file.read()))

    def pause(self):
        time.sleep(1.02 - time.time() % 1)      # its times have whole seconds

    def stop(self):
        run_script("dovecot", "stop", self.directory)


class OtherMailServer(DovecotServer):
    """A server of messages that has no log of what is written: it is looked at instead."""
    start_command = "start"

    def __init__(self, directory, users=("ana", "joerg", "mei")):
        super().__init__(directory, users)
        self.seen, self.changes = None, 0

    def start(self):
        run_script(self.script, self.start_command, self.directory, *self.users)
        self.url = first_line(self.directory, "url")

    def clear(self):
        for user in self.users:
            with self.mailbox(user) as box:
                for name in sorted(box.folders(), key=len, reverse=True):
                    if name != "INBOX":
                        box.drop(name)

    def folders(self):
        return None     # what it keeps of a mailbox stands in several places

    def writes(self):
        """How often anything was found to be different from the last time."""
        now = []
        for user in self.users:
            with self.mailbox(user) as box:
                now += [(user, name, *box.state(name)) for name in box.folders()]
        self.changes += now != self.seen
        self.seen = now
        return self.changes

    def stop(self):
        run_script(self.script, "stop", self.directory)


class CyrusServer(OtherMailServer):
    """A Cyrus of its own, by IMAP."""
    kind, script, start_command = "cyrus-imap", "cyrus", "start-imap"


class CourierServer(OtherMailServer):
    """A Courier of its own. It has no SAVEDATE."""
    kind = script = "courier"
    tells_times = False

    def before_copy(self):
        pass

    def folders(self):
        run = os.path.realpath(os.path.join(self.directory, "run"))
        return [os.path.join(run, "mail", user, "Maildir") for user in self.users]
