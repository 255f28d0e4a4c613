#!/usr/bin/python3
"""Messages as other programs keep and hand them on, nobody having edited them, for tests.

    message_carrier.py FOLDER

For each file NAME of the folder and each way of WAYS, writes the message into NAME.WAY.
"""
import email
import email.policy
import os
import sys

SMTP = email.policy.default.clone(linesep="\r\n", max_line_length=78)
EIGHT = SMTP.clone(cte_type="8bit")


def parsed(raw):
    return email.message_from_bytes(raw, policy=SMTP)


def rewritten(raw, cte, policy=SMTP):
    """As Python's email package writes the texts that it has read."""
    message = parsed(raw)
    for part in list(message.walk()):
        if part.get_content_maintype() != "text":
            continue
        file = {"disposition": "attachment", "filename": part.get_filename()} if part.get_filename() else {}
        part.set_content(part.get_content(), subtype=part.get_content_subtype(), cte=cte, **file)
    return message.as_bytes(policy=policy)


def without_calendar(raw):
    message = parsed(raw)
    message.set_payload([part for part in message.get_payload() if part.get_content_type() != "text/calendar"])
    return message.as_bytes()


def plain_only(raw):
    message = parsed(raw)
    text = message.get_body(("plain",)).get_content()
    message.clear_content()
    message.set_content(text, cte="quoted-printable")
    return message.as_bytes()


def flowed_lines(text):
    """RFC 3676, as programs write it: at most 72 columns, no blank behind what is not broken."""
    for line in text.split("\n"):
        line, pieces = line.rstrip(" "), []
        while len(line) > 72 and (cut := line.rfind(" ", 1, 72) + 1):
            pieces.append(line[:cut])
            line = line[cut:]
        for piece in (*pieces, line):
            yield " " + piece if piece.startswith((" ", ">", "From ")) else piece


def flowed(raw):
    message = parsed(raw)
    part = message.get_body(("plain",))
    text = "\n".join(flowed_lines(part.get_content()))
    part.set_content(text, cte="quoted-printable", params={"format": "flowed"})
    return message.as_bytes()


def calendar_only(raw):
    message = parsed(raw)
    message.set_payload([part for part in message.get_payload() if part.get_content_type() == "text/calendar"])
    return message.as_bytes()


WAYS = {
    "kept": lambda raw: parsed(raw).as_bytes(),
    "quoted": lambda raw: rewritten(raw, "quoted-printable"),
    "base64": lambda raw: rewritten(raw, "base64"),
    "8bit": lambda raw: rewritten(raw, "8bit", EIGHT),
    "flowed": flowed,
    "lf": lambda raw: raw.replace(b"\r\n", b"\n"),
    "no-calendar": without_calendar,
    "plain-only": plain_only,
    "calendar-only": calendar_only,
}

folder = sys.argv[1]
for name in os.listdir(folder):
    with open(os.path.join(folder, name), "rb") as file:
        raw = file.read()
    for way, carry in WAYS.items():
        with open(os.path.join(folder, name + "." + way), "wb") as file:
            file.write(carry(raw))
