#!/usr/bin/python3
"""What Python's email package reads in messages, for tests: an opinion that is not ours.

    message_reader.py FILE...

Prints for each file a line per thing: its name, then its texts in hex ("-" for an empty one);
then what the package found wrong, and lines that are too long or not ASCII in the header.
"""
import email
import email.policy
import email.utils
import sys
from email.header import decode_header, make_header


ENCODED = ("quoted-printable", "base64")


def shown(data):
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return data.hex() or "-"


def report(path):
    with open(path, "rb") as file:
        raw = file.read()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    print("subject", shown(message["subject"]))
    # not by addresses: in a name, that puts a blank between two encoded words
    fields = email.message_from_bytes(raw, policy=email.policy.compat32)
    for name in ("from", "to"):
        values = ["".join(value.splitlines()) for value in fields.get_all(name, [])]
        for display, address in email.utils.getaddresses(values):
            print(name, shown(str(make_header(decode_header(display)))), shown(address))
    for name in ("date", "message-id", "x-taskferry-uid", "x-taskferry-edition"):
        if name in message:
            print(name, shown(str(message[name].datetime) if name == "date" else str(message[name])))
    for part in message.walk():
        for defect in part.defects:
            print("defect", repr(defect).replace("\n", " "))
        for field, value in part.items():
            for defect in getattr(value, "defects", ()):
                print("defect", field, repr(defect).replace("\n", " "))
        if not part.is_multipart():
            print("part", part.get_content_type(), part.get_content_charset(), part.get_content_disposition(),
                  part.get_filename(), shown(part.get_payload(decode=True)))
        for line in part.get_payload().split("\n") if part["content-transfer-encoding"] in ENCODED else ():
            if len(line.rstrip("\r")) > 76:
                print("encoded line", shown(line))
    for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if len(line) > 76 and b" " in line.strip():
            print("long", shown(line))
        if any(c < 32 or c > 126 for c in line):
            print("control", shown(line))
    for line in raw.split(b"\r\n"):
        if len(line) > 998 or b"\n" in line or b"\r" in line:
            print("line", shown(line[:40]))


for name in sys.argv[1:]:
    report(name)
    print("end")
