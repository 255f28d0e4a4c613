#!/usr/bin/python3
"""Many new items at once, over a real server of messages: they are stored into a mailbox that is not selected meanwhile. The
program is killed at each step, resumed, and then each item must be there once, as the database has it.

    many.py dovecot|cyrus-imap

kill    at every point from the first APPEND to the last record (over Cyrus only around the commands that write; the other
        points are torture.py's); a person sets a keyword on one of those that are there while nothing runs
half    while half of what begins with APPEND is at the server
lost    the messages are stored, and the answer to APPEND does not come

Each case publishes a project of its own. Output: TAP.

Environment: TASKFERRY (the program), TF_SRCDIR (the source tree), TORTURE_KEEP (keep the directory).
"""
import argparse
import os
import signal
import sys

from replaced import Gate, at_least_of, play
from servers import CyrusServer, DovecotServer, Failed, NotInstalled, remove_tree
from torture import Site, Tap, check_items, check_rest
from lab import write_plan                                      # its folder is put on the path by `replaced`

SERVERS = {kind.kind: kind for kind in (DovecotServer, CyrusServer)}
PERSON, TASKS = "joerg", 110        # three lots, of which each goes out while the one before is on its way
POINTS = {"dovecot": ("PUSH_", "RECORD_", "IMAP_"), "cyrus-imap": ("IMAP_",)}
POINTS_MIN = {"dovecot": 17, "cyrus-imap": 6}
FIRST_APPEND = "IMAP_SENDING:6"     # behind what makes the folder
KEYWORD = "looked-at"


class World:
    def __init__(self, directory, make_server):
        self.directory = os.path.join(directory, "site")
        self.server = make_server(directory, (PERSON,))
        direct, port = self.server.config(), self.server.url.rpartition(":")[2]
        self.gate = Gate(int(port))
        self.server.config = lambda: direct.replace(f":{port}", f":{self.gate.port}")
        self.site = Site(self.directory, self.server)
        self.site.run("init")
        self.projects = 0

    def end(self):
        self.gate.close()
        self.server.stop()
        if not os.environ.get("TORTURE_KEEP"):
            remove_tree(self.directory)

    def publish(self):
        """The next project; those of earlier cases go, so that the mailboxes stay small."""
        if self.projects:
            self.site.run("project", "archive", f"p{self.projects}")
            with self.server.mailbox(PERSON) as box:
                for folder in sorted(box.folders(), key=len, reverse=True):
                    if folder.upper() != "INBOX":
                        box.drop(folder)
        self.projects += 1
        plan = write_plan(os.path.join(self.directory, "plan.xml"), [PERSON], TASKS, f"Plan {self.projects}")
        self.site.run("import", plan, "--project", f"p{self.projects}")
        self.site.run("publish", f"p{self.projects}")

    def sync(self, kill=None):
        """Returns the points that it passed, numbered, in order."""
        self.site.take_log()
        code = self.site.run("sync", kill=kill)
        if (code == -signal.SIGKILL) != (kill is not None):
            raise Failed(f"exit {code}: {'not ' if kill else ''}killed")
        with open(self.site.log, encoding="utf-8") as file:
            points = file.read().split()
        return [f"{name}:{points[:at + 1].count(name)}" for at, name in enumerate(points)
                if name.startswith(POINTS[self.server.kind])]

    def flag_one(self):
        """The UID of the task whose message was flagged; None: there is none yet."""
        messages = self.server.messages(PERSON)
        if not messages:
            return None
        message = messages[len(messages) // 2]
        with self.server.mailbox(PERSON) as box:
            box.flag(message, KEYWORD)
        return message.header("X-Taskferry-UID")

    def must_rest(self, flagged=None):
        self.site.run("sync")
        wrong = check_rest(self.site) + check_items(self.site)
        messages = self.server.messages(PERSON)
        if len(messages) != TASKS:
            wrong.append(f"N2: {len(messages)} messages, not {TASKS}")
        for message in messages:
            if message.header("X-Taskferry-UID") == flagged and KEYWORD not in {flag.lower() for flag in message.flags}:
                wrong.append(f"M7: {KEYWORD} is not on {message.uid} any more")
        if wrong:
            raise Failed("\n".join([*wrong[:40], *self.site.told[-9:]]))


def killed(world, kill):
    world.publish()
    world.sync(kill)
    flagged = world.flag_one()
    world.sync()
    world.must_rest(flagged)


def killed_while(world, upward, pattern, passes):
    """Killed when that passes the gate, which lets pass what PASSES makes of it."""
    def act(data):
        world.site.process.kill()
        return passes(data)
    world.publish()
    world.gate.when(upward, pattern, act)
    world.sync("no point")
    world.gate.must_have_opened()
    world.sync()
    world.must_rest()


def cases(tap, world):
    world.publish()
    passed = world.sync()
    kills = passed[passed.index(FIRST_APPEND):]
    world.must_rest()
    at_least_of(tap, POINTS_MIN[world.server.kind], "kill", kills)
    for kill in kills:
        yield f"killed at {kill}", lambda kill=kill: killed(world, kill)
    yield "killed in the middle of APPEND", lambda: killed_while(world, True, rb"\bAPPEND ", lambda data: data[:len(data) // 2])
    yield "the answer to APPEND is lost", lambda: killed_while(world, False, rb"OK \[APPENDUID", lambda _: b"\r\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("server", choices=tuple(SERVERS))
    args = parser.parse_args()
    tap = Tap()
    try:
        world = World(os.getcwd(), SERVERS[args.server])
    except NotInstalled as fault:
        print(f"1..0 # SKIP {fault}")
        return 0
    try:
        play(tap, cases(tap, world))
    finally:
        world.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
