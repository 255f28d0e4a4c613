#!/usr/bin/python3
"""What stands on a message at the moment in which another one takes its place, over a real server of messages: the program
is killed at each step, resumed, and then one message must be left, with all that was on it.

    replaced.py dovecot|cyrus-imap [--part late|large]

late    a person sets a keyword on the old message between our reading and its removal (M7):
          answer   while the answer to APPEND is on its way, so that the removal's first look sees it
          mark     right before the command that marks the old message as deleted: a second look sees it
          dead     while nothing runs, after a kill; both messages stand there
        `answer` and `mark` are killed at every point behind that moment, `dead` at every point between the answer to APPEND
        and the command that removes. Points of the queue and of reading are killed at by torture.py;
        over Cyrus only those around the commands that write, since between others no server is asked.
large   a message with two files over 64 KiB, one of the project, one that a person put there, is replaced:
          catenate  the server copies them (CATENATE); killed at every point from the APPEND to the end
          bytes     without CATENATE they are read and sent; killed before and behind the APPEND, the rest is the same
        and both while half of the first piece of the APPEND is at the server. The files are compared byte by byte.

A case goes on where the last one ended, so the first that fails is the last one that is played. Output: TAP.

Environment: TASKFERRY (the program), TF_SRCDIR (the source tree), TORTURE_KEEP (keep the directory).
"""
import argparse
import email
import email.encoders
import email.message
import os
import random
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients"))
from lab import Proxy, write_plan                                                                        # noqa: E402
from servers import CyrusServer, DovecotServer, Failed, NotInstalled, remove_tree                        # noqa: E402
from torture import OTHER_CLIENT_FAULTS, Site, Tap, check_items, check_rest                              # noqa: E402

SERVERS = {kind.kind: kind for kind in (DovecotServer, CyrusServer)}
PERSON, TASKS = "joerg", 3
POINTS = {"dovecot": ("COMMIT_", "PUSH_", "RECORD_", "REMOVE_", "SWEEP_", "IMAP_"), "cyrus-imap": ("IMAP_",)}
FROM_PROJECT, FROM_PERSON = ("plan.bin", 90_000), ("photo.bin", 150_000)    # name, bytes
BEFORE_REST = 2         # syncs: one that finishes, one that hears of what came late
POINTS_MIN = {"dovecot": {"answer": 13, "mark": 9, "dead": 8, "catenate": 12, "bytes": 2},
              "cyrus-imap": {"answer": 7, "mark": 7, "dead": 4, "catenate": 6, "bytes": 2}}


class Gate(Proxy):
    """Once, when bytes that match are about to pass, something is done; it may say what passes in their place."""

    def __init__(self, port):
        super().__init__(port)
        self.awaited, self.fault = None, None

    def when(self, upward, pattern, what):
        self.awaited, self.fault = (upward, pattern, what), None

    def passing(self, data, upward):
        if self.awaited and self.awaited[0] == upward and re.search(self.awaited[1], data):
            what, self.awaited = self.awaited[2], None
            try:
                return what(data) or data
            except (Failed, *OTHER_CLIENT_FAULTS) as fault:     # told by the main thread
                self.fault = fault
        return data

    def must_have_opened(self):
        if self.fault:
            raise self.fault
        if self.awaited:
            raise Failed(f"nothing matched {self.awaited[1]!r}")


class World:
    """A site at rest whose server is behind the gate, and one of its tasks, which is changed again and again."""

    def __init__(self, directory, make_server):
        self.directory = os.path.join(directory, "site")
        self.server = make_server(directory, (PERSON,))
        self.direct = self.server.config()
        self.gate = Gate(int(self.server.url.rpartition(":")[2]))
        self.configure("")
        plan = write_plan(os.path.join(self.directory, "plan.xml"), [PERSON], TASKS)
        for words in (["init"], ["import", plan], ["publish", "--all"], ["sync"]):
            self.site.run(*words)
        self.assignment, self.uid = map(str, self.site.query("SELECT id, uid FROM assignment ORDER BY id")[1])
        self.count, self.flags, self.files = 0, set(), {}

    def configure(self, lines):
        port = self.server.url.rpartition(":")[2]
        self.server.config = lambda: self.direct.replace(f":{port}", f":{self.gate.port}") + lines
        self.site = Site(self.directory, self.server)

    def end(self):
        self.gate.close()
        self.server.stop()
        if not os.environ.get("TORTURE_KEEP"):
            remove_tree(self.directory)

    # a case

    def change(self):
        """The project manager changes something, so that the message is replaced."""
        self.count += 1
        self.site.run("task", "set", self.assignment, f"notes=The change number {self.count}")

    def log(self):
        """The points passed since the last take_log(), in order."""
        try:
            with open(self.site.log, encoding="utf-8") as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    def numbered(self, points):
        """["IMAP_SENDING:1", "IMAP_SENDING:2"] of ["IMAP_SENDING", "TOKEN_DONE", "IMAP_SENDING"]."""
        return [f"{name}:{points[:at + 1].count(name)}" for at, name in enumerate(points)
                if name.startswith(POINTS[self.server.kind])]

    def sync(self, kill=None):
        """A sync that is killed there; returns the points that it passed."""
        self.site.take_log()
        code = self.site.run("sync", kill=kill)
        if (code == -signal.SIGKILL) != (kill is not None):
            raise Failed(f"exit {code}: {'not ' if kill else ''}killed")
        return self.log()

    def rests(self):
        """What is wrong after everything was resumed."""
        for _ in range(BEFORE_REST):
            self.site.run("sync")
        wrong = check_rest(self.site) + check_items(self.site, [self.uid] if self.files else [])
        found = [message for message in self.server.messages(PERSON) if message.header("X-Taskferry-UID") == self.uid]
        if len(found) != 1:
            return [*wrong, f"N2: {len(found)} messages: {[(message.uid, message.flags) for message in found]}"]
        flags = {flag.lower() for flag in found[0].flags}
        wrong += [f"M7: lost: {flag}" for flag in sorted(self.flags) if flag.lower() not in flags]
        wrong += ["it is marked as deleted"] if "\\deleted" in flags else []
        if self.count and f"The change number {self.count}\n" not in found[0].card:
            wrong.append(f"N1: the card is an older one:\n{found[0].card}")
        return wrong + self.wrong_files(found[0])

    def wrong_files(self, message):
        have = [(part.get_filename(), part.get_payload(decode=True))
                for part in email.message_from_bytes(message.raw).walk() if part.get_filename()]
        wrong = [f"a file twice: {name}" for name, _ in have if [other for other, _ in have].count(name) > 1]
        have = dict(have)
        wrong += [f"the file {name} is not what it was: {len(have.get(name, b''))} of {len(data)} bytes"
                  for name, data in self.files.items() if have.get(name) != data]
        return wrong + [f"a file of nobody: {name}" for name in have if self.files and name not in self.files | {"task.ics": b""}]

    def must_rest(self):
        wrong = self.rests()
        if wrong:
            raise Failed("\n".join([*wrong, *self.site.told[-9:]]))

    # the person

    def old_message(self):
        found = [message for message in self.server.messages(PERSON) if message.header("X-Taskferry-UID") == self.uid]
        return min(found, key=lambda message: message.uid)

    def flag_old(self, *flags):
        self.flags |= set(flags)
        with self.server.mailbox(PERSON) as box:
            box.flag(self.old_message(), *flags)

    def unflag(self):
        """So that the next ones are late again; keywords are not without number."""
        if self.flags:
            with self.server.mailbox(PERSON) as box:
                box.flag(self.old_message(), *self.flags, remove=True)
        self.flags = set()
        self.must_rest()

    def enclose(self, name, data):
        """A person puts a file into the message."""
        with self.server.mailbox(PERSON) as box:
            message = self.old_message()
            whole = email.message_from_bytes(message.raw)
            boundary = whole.get_boundary().encode()
            part = email.message.Message()
            part["Content-Type"] = f'application/octet-stream; name="{name}"'
            part["Content-Disposition"] = f'attachment; filename="{name}"'
            part.set_payload(data)
            email.encoders.encode_base64(part)
            text = part.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            head, end, tail = message.raw.rpartition(b"\r\n--" + boundary + b"--")
            box.edit(message, head + b"\r\n--" + boundary + b"\r\n" + text + end + tail)
        self.files[name] = data


def at_least(tap, world, what, kills):
    at_least_of(tap, POINTS_MIN[world.server.kind][what], what, kills)


def at_least_of(tap, least, what, kills):
    tap.result(len(kills) >= least, f"{what}: {len(kills)} points, at least {least}", " ".join(kills))


def late_name(what, number):
    return f"late-{what}-{number}"


# ---- flags that come late ----

MOMENTS = {"answer": (False, rb"OK \[APPENDUID"), "mark": (True, rb"UID STORE \S+ .*\+FLAGS\.SILENT \(\\Deleted\)")}


def flagged_at(world, what, flags, kill=None):
    """A message is replaced, and at that moment a person sets flags. Returns the points behind that."""
    before = []

    def act(_):
        before.extend(world.log())
        world.flag_old(*flags)
    world.change()
    world.gate.when(*MOMENTS[what], act)
    passed = world.sync(kill)
    world.gate.must_have_opened()
    world.must_rest()
    return world.numbered(passed)[len(world.numbered(before)):]


def torture_moment(tap, world, what):
    world.unflag()
    kills = flagged_at(world, what, (late_name(what, 0), "\\Answered"))
    at_least(tap, world, what, kills)
    for number, kill in enumerate(kills, 1):
        yield f"{what}: killed at {kill}", lambda kill=kill, number=number: flagged_at(
            world, what, (late_name(what, number),), kill)


def flagged_dead(world, number, kill):
    world.change()
    world.sync(kill)
    world.flag_old(late_name("dead", number), *["\\Answered"] * (number == 1))
    world.must_rest()


def torture_dead(tap, world):
    world.unflag()
    world.change()
    points = world.numbered(world.sync())
    world.must_rest()
    last = [kill for kill in points if kill.startswith("IMAP_SENDING")][-1]
    kills = points[points.index("IMAP_ANSWERED:1"):points.index(last) + 1]
    at_least(tap, world, "dead", kills)
    for number, kill in enumerate(kills, 1):
        yield f"dead: killed at {kill}", lambda kill=kill, number=number: flagged_dead(world, number, kill)


def late_cases(tap, world):
    yield from torture_moment(tap, world, "answer")
    yield from torture_moment(tap, world, "mark")
    yield from torture_dead(tap, world)


# ---- large parts ----

def give_files(world):
    dice = random.Random(1)
    name, size = FROM_PROJECT
    world.files[name] = dice.randbytes(size)
    path = os.path.join(world.directory, name)
    with open(path, "wb") as file:
        file.write(world.files[name])
    world.change()
    world.site.run("task", "attach", world.assignment, path)
    world.site.run("sync")
    world.server.pause()
    world.enclose(FROM_PERSON[0], dice.randbytes(FROM_PERSON[1]))
    world.must_rest()


APPENDS = {"catenate": rb"\bAPPEND .*CATENATE \(", "bytes": rb"\bAPPEND .*\{\d{6}\+?\}\r\n"}


def replaced(world, what, kill=None, act=lambda data: data):
    """Returns the points from the APPEND on. ACT: when it goes out."""
    world.change()
    if kill != "IMAP_SENDING:1":
        world.gate.when(True, APPENDS[what], act)
    passed = world.numbered(world.sync(kill))
    world.gate.must_have_opened()
    world.must_rest()
    return passed[passed.index("IMAP_SENDING:1"):]


def replaced_half(world, what):
    """Killed while half of what begins with APPEND is at the server."""
    def act(data):
        world.site.process.kill()
        return data[:len(data) // 2]
    replaced(world, what, "no point", act)


def torture_large(tap, world, what):
    kills = replaced(world, what)
    if what == "bytes":
        kills = kills[:2]
    at_least(tap, world, what, kills)
    for kill in kills:
        yield f"{what}: killed at {kill}", lambda kill=kill: replaced(world, what, kill)
    yield f"{what}: killed in the middle of APPEND", lambda: replaced_half(world, what)


def large_cases(tap, world):
    world.unflag()
    give_files(world)
    yield from torture_large(tap, world, "catenate")
    world.configure("without = CATENATE\n")
    yield from torture_large(tap, world, "bytes")


def play(tap, cases):
    """True: all of them went well."""
    name = "before the first case"
    try:
        for name, case in cases:
            case()
            tap.result(True, name)
            name = f"behind: {name}"
    except (Failed, *OTHER_CLIENT_FAULTS) as fault:
        tap.result(False, name, f"{fault}")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("server", choices=tuple(SERVERS))
    parser.add_argument("--part", choices=("late", "large"))
    args = parser.parse_args()
    tap = Tap()
    try:
        world = World(os.getcwd(), SERVERS[args.server])
    except NotInstalled as fault:
        print(f"1..0 # SKIP {fault}")
        return 0
    try:
        parts = {"late": late_cases, "large": large_cases}
        for part in [args.part] if args.part else parts:
            if not play(tap, parts[part](tap, world)):
                break
    finally:
        world.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
