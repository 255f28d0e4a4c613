#!/usr/bin/python3
"""Many new items at once, over a real server of messages: they are stored into a mailbox that is not selected meanwhile. The
program is killed at each step, resumed, and then each item must be there once, as the database has it.

    many.py dovecot|cyrus-imap [--part sync|service]

Nobody looks behind what was stored at once: the next look meets the messages as ours. So while nothing runs a person edits,
removes and flags messages, both some that the database knows by then and some that it does not. An edit must be carried over,
and so must a removal of what was known.

sync, `taskferry sync`:
kill    at every point from the first APPEND to the last record (over Cyrus only around the commands that write; the other
        points are torture.py's)
behind  no kill: that person is there before the next one
half    while half of what begins with APPEND is at the server
lost    the messages are stored, and the answer to APPEND does not come

service, `taskferry run`, which listens and so comes to that next look by itself:
new     what it finds at its start: killed from the first APPEND to the end of the next look; resumed by the service, which must
        hear of everything without a sync, or by a sync
more    what comes into a folder that it listens to: likewise
and in both that person is there right before the next look, without a kill.

Each case publishes a project of its own. Output: TAP.

Environment: TASKFERRY (the program), TF_SRCDIR (the source tree), TORTURE=full (the service is killed at each point, and resumed
both ways; else at some, and resumed by one after the other), TORTURE_KEEP (keep the directory).
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from replaced import Gate, at_least_of, play
from servers import CyrusServer, DovecotServer, Failed, NotInstalled, remove_tree, with_card
from torture import Site, Tap, check_items, check_rest
from lab import Service, wait_for, write_plan                   # its folder is put on the path by `replaced`

SERVERS = {kind.kind: kind for kind in (DovecotServer, CyrusServer)}
PERSON, TASKS = "joerg", 110        # three lots, of which each goes out while the one before is on its way
POINTS = {"dovecot": ("PUSH_", "RECORD_", "IMAP_"), "cyrus-imap": ("IMAP_",)}
POINTS_MIN = {"dovecot": 17, "cyrus-imap": 6}
FIRST_APPEND = "IMAP_SENDING:6"     # behind what makes the folder
KEYWORD = "looked-at"
# Where the service is killed: while a lot is stored and after it was recorded, when the token stays as it was, and in the next
# look. What it finds at its start is `new`; `more` comes into a folder that it has looked at, while it listens.
SERVED = {"dovecot": {"new": ("IMAP_SENDING:7", "PUSH_SENT:1", "RECORD_DONE:1", "PUSH_SENT:3", "TOKEN_STAGED:1", "TOKEN_DONE:1",
                              "JOB_FINISHED:1", "ROUND_NOTICED:2", "TOKEN_DONE:2"),
                      "more": ("PUSH_SENT:1", "RECORD_DONE:1", "TOKEN_DONE:2", "ROUND_NOTICED:3")},
          "cyrus-imap": {"new": ("PUSH_SENT:1", "TOKEN_DONE:1", "ROUND_NOTICED:2"), "more": ("PUSH_SENT:1", "TOKEN_DONE:2")}}
SERVED_MIN = {"new": 30, "more": 20}        # points behind the beginning
FEW = 30                # tasks that are there before there are more
JOBS = 3                # of the service: that at its start, that which stores (with another along), that of the next look
PATIENCE_S = 120        # for what takes a second or two


class Person:
    """What a person has done to the messages of a case, by the UIDs of their tasks."""

    def __init__(self):
        self.flagged, self.percent, self.removed, self.gone = set(), {}, set(), set()     # gone: of what the database knew


class World:
    def __init__(self, directory, make_server):
        self.directory = os.path.join(directory, "site")
        self.server = make_server(directory, (PERSON,))
        direct, port = self.server.config(), self.server.url.rpartition(":")[2]
        self.gate = Gate(int(port))
        self.server.config = lambda: direct.replace(f":{port}", f":{self.gate.port}")
        self.site = Site(self.directory, self.server)
        self.let_serve()
        self.site.run("init")
        self.projects, self.person, self.service = 0, Person(), None

    def let_serve(self):
        """What a Service asks of a site."""
        self.site.runtime = tempfile.mkdtemp(prefix="tf", dir="/tmp" if len(self.directory) > 80 else self.directory)
        self.site.env = dict(os.environ, TASKFERRY_CONFIG=self.site.config, TASKFERRY_POINT_LOG=self.site.log)
        with open(self.site.config, "a", encoding="utf-8") as file:
            file.write(f"[control]\nsocket = {self.site.runtime}/control\n")

    def end(self):
        if self.service and self.service.alive():
            self.service.kill()
        self.gate.close()
        self.server.stop()
        shutil.rmtree(self.site.runtime, ignore_errors=True)
        if not os.environ.get("TORTURE_KEEP"):
            remove_tree(self.directory)

    def publish(self, tasks=TASKS):
        """The next project; those of earlier cases go, so that the mailboxes stay small."""
        if self.projects:
            self.site.run("project", "archive", f"p{self.projects}")
            with self.server.mailbox(PERSON) as box:
                for folder in sorted(box.folders(), key=len, reverse=True):
                    if folder.upper() != "INBOX":
                        box.drop(folder)
        self.projects, self.person = self.projects + 1, Person()
        self.plan(tasks)
        self.site.run("publish", f"p{self.projects}")

    def plan(self, tasks):
        plan = write_plan(os.path.join(self.directory, "plan.xml"), [PERSON], tasks, f"Plan {self.projects}")
        self.site.run("import", plan, "--project", f"p{self.projects}")

    def sync(self, kill=None):
        """Returns the points that it passed, numbered, in order."""
        self.site.take_log()
        code = self.site.run("sync", kill=kill)
        if (code == -signal.SIGKILL) != (kill is not None):
            raise Failed(f"exit {code}: {'not ' if kill else ''}killed")
        return [point for point in self.passed() if point.startswith(POINTS[self.server.kind])]

    def passed(self):
        """The points passed since the last take_log(), numbered, in order."""
        with open(self.site.log, encoding="utf-8") as file:
            points = file.read().split()
        return [f"{name}:{points[:at + 1].count(name)}" for at, name in enumerate(points)]

    # the service

    def serve(self, kill=None):
        self.site.take_log()
        self.service = Service(self.site, {"TASKFERRY_KILL_AT": kill} if kill else None)
        self.service.start(wait=False)

    def must_be_killed(self):
        try:
            code = self.service.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"the service does not come to that point:\n{self.service.tail()}") from None
        if code != -signal.SIGKILL:
            raise Failed(f"exit {code}: not killed:\n{self.service.tail()}")

    def must_have_done(self, jobs):
        wait_for(f"job number {jobs}", PATIENCE_S, lambda: os.path.exists(self.site.log)
                 and f"JOB_FINISHED:{jobs}" in self.passed() or not self.service.alive())
        self.service.must_live()

    def must_see(self):
        """The service hears of all that the person did, and comes to rest."""
        try:
            wait_for("the person's edits in the project", PATIENCE_S, lambda: not self.not_heard() and not self.site.unrest())
        except Failed as fault:
            raise Failed("\n".join([str(fault), *self.not_heard(), *self.site.unrest()[:20], self.service.tail()])) from None
        self.service.stop()

    # the person

    def edit_some(self):
        """Of the messages that the database knows, and of the others, one is edited, one removed, one flagged: the first, the last,
        one between, in turn from case to case."""
        known = {uid for uid, in self.site.query("SELECT a.uid FROM link l JOIN assignment a ON a.id = l.assignment_id "
                                                 "WHERE l.address IS NOT NULL")}
        with self.server.mailbox(PERSON) as box:
            messages = {message.header("X-Taskferry-UID"): message for message in box.messages()}
            for some in ([uid for uid in messages if uid in known], [uid for uid in messages if uid not in known]):
                if len(some) < 3:
                    continue
                chosen = [some[0], some[len(some) // 2], some[-1]]
                edited, removed, flagged = (chosen[(self.projects + at) % 3] for at in range(3))
                box.edit(messages[edited], with_card(messages[edited].raw, {"Percent": 30 + self.projects % 60}))
                box.delete(messages[removed])
                box.flag(messages[flagged], KEYWORD)
                self.person.percent[edited] = 30 + self.projects % 60
                self.person.removed.add(removed)
                self.person.gone |= {removed} & known
                self.person.flagged.add(flagged)

    def assignments(self):
        """UID -> (state, percent) of this project."""
        rows = self.site.query("SELECT a.uid, a.state, v.text FROM assignment a JOIN project p ON p.id = a.project_id "
                               "LEFT JOIN field_value v ON v.owner = a.id AND v.field = 'percent' WHERE p.code = ?",
                               f"p{self.projects}")
        return {uid: (state, percent) for uid, state, percent in rows}

    def not_heard(self):
        """Where the project is not as the person wants it to be. What was removed before the database knew of it may come back."""
        wrong = []
        for uid, (state, percent) in self.assignments().items():
            if str(percent) != str(self.person.percent.get(uid, percent)):
                wrong.append(f"N1: {uid} has {percent} %, not {self.person.percent[uid]}")
            if state == "active" and uid in self.person.gone:
                wrong.append(f"N1: {uid} was removed, and is {state}")
            if state != "active" and uid not in self.person.removed:
                wrong.append(f"N5: {uid} was not removed, and is {state}")
        return wrong

    # in the end

    def must_rest(self):
        self.site.run("sync")
        wrong = check_rest(self.site) + check_items(self.site) + self.not_heard()
        messages = self.server.messages(PERSON)
        active = sum(state == "active" for state, _ in self.assignments().values())
        if len(messages) != active:
            wrong.append(f"N2: {len(messages)} messages, not {active}")
        for message in messages:
            if message.header("X-Taskferry-UID") in self.person.flagged and KEYWORD not in {flag.lower() for flag in message.flags}:
                wrong.append(f"M7: {KEYWORD} is not on {message.uid} any more")
        if wrong:
            raise Failed("\n".join([*wrong[:40], *self.site.told[-9:], self.service.tail() if self.service else ""]))


def killed(world, kill):
    world.publish()
    world.sync(kill)
    world.edit_some()
    world.sync()
    world.must_rest()


def edited_behind(world):
    world.publish()
    world.sync()
    world.edit_some()
    world.sync()
    world.must_rest()


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


def many_for_the_service(world, scene, kill=None):
    """It has many new items to store, and is on its way."""
    if scene == "new":
        world.publish()
        world.serve(kill)
        return
    world.publish(FEW)
    world.sync()
    world.serve(kill)
    world.must_have_done(1)
    world.plan(TASKS)


def served(world, scene, kill, again):
    many_for_the_service(world, scene, kill)
    world.must_be_killed()
    world.edit_some()
    if again == "service":
        world.serve()
        world.must_see()
    world.must_rest()


def edited_before_the_look(world, scene):
    """The look behind what was stored, all of which is recorded, is the first command behind leaving the mailbox that selects it
    again."""
    world.gate.when(True, rb"\bUNSELECT\b", lambda _: world.gate.when(True, rb"\bSELECT ", lambda _: world.edit_some()))
    many_for_the_service(world, scene)
    world.must_have_done(JOBS)
    world.gate.must_have_opened()
    if not world.person.gone:
        raise Failed("nothing was recorded before the look")
    world.must_see()
    world.must_rest()


def service_cases(tap, world, scene):
    many_for_the_service(world, scene)
    world.must_have_done(JOBS)
    world.service.stop()
    passed = world.passed()
    points = passed[passed.index(FIRST_APPEND if scene == "new" else "IMPORT_DONE:1") + 1:]
    world.must_rest()
    at_least_of(tap, SERVED_MIN[scene], scene, points)
    ways = ("service", "sync")
    kills = [(place, ways[at % 2]) for at, place in enumerate(SERVED[world.server.kind][scene])]
    if os.environ.get("TORTURE") == "full":
        kills = [(place, way) for place in points for way in ways]
    else:
        print(f"# left out: {2 * len(points) - len(kills)} of {2 * len(points)} places and ways, {scene} (TORTURE=full)")
    for place, way in kills:
        yield f"{scene}: the service is killed at {place}, resumed by {way}", \
            lambda place=place, way=way: served(world, scene, place, way)
    yield f"{scene}: edits right before the look behind", lambda: edited_before_the_look(world, scene)


def sync_cases(tap, world):
    world.publish()
    passed = world.sync()
    kills = passed[passed.index(FIRST_APPEND):]
    world.must_rest()
    at_least_of(tap, POINTS_MIN[world.server.kind], "kill", kills)
    for kill in kills:
        yield f"killed at {kill}", lambda kill=kill: killed(world, kill)
    yield "edits behind it", lambda: edited_behind(world)
    yield "killed in the middle of APPEND", lambda: killed_while(world, True, rb"\bAPPEND ", lambda data: data[:len(data) // 2])
    yield "the answer to APPEND is lost", lambda: killed_while(world, False, rb"OK \[APPENDUID", lambda _: b"\r\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("server", choices=tuple(SERVERS))
    parser.add_argument("--part", choices=("sync", "service"))
    args = parser.parse_args()
    tap = Tap()
    try:
        world = World(os.getcwd(), SERVERS[args.server])
    except NotInstalled as fault:
        print(f"1..0 # SKIP {fault}")
        return 0
    try:
        if args.part in (None, "sync"):
            play(tap, sync_cases(tap, world))
        if args.part in (None, "service"):
            for scene in SERVED[world.server.kind]:
                play(tap, service_cases(tap, world, scene))
    finally:
        world.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
