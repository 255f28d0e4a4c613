#!/usr/bin/python3
"""Kill the real program at its fault points, lose its answers, run it again, and compare.

    torture.py memory [--part kills|twice|faults]  over the memory server: every point of `taskferry --fault-points` that it has
    torture.py messages [--part ...]           the same over the memory server of messages
    torture.py radicale                        over a real Radicale: at least twenty points
    torture.py dovecot                         over a real Dovecot: likewise
    torture.py cyrus-imap, courier             over others with messages: each point at one place
    torture.py --random SECONDS [--seed S]     kills, faults and edits at random, over the memory server

TORTURE=full kills at a point of the memory servers in each step that passes it, else at four places at most (some_places); of
Radicale and Dovecot at two, else at one (first_or_busiest). What was left out is told in the end.

A case is a script of steps: import, publish, sync, edits by clients directly on the server, `task set`, a changed plan,
sync. It begins where it differs from an undisturbed run, of which everything was kept (class Slot). One step is killed, run again as an administrator would (`twice`: and killed again while it
recovers), and the script goes on; or an answer is lost, or says no to what was done, once or again and again. At the end everything that the project and the server hold is compared with an undisturbed run:

    N1  values, revisions, bookings, history: the same, none lost, none twice
    N2  each assignment has exactly one item, in the right account
    N3  the last sync sends no write and changes nothing
    N4  properties and alarms of others stand in the items, to the letter
    N11 what the database believes that the server holds is what the server holds; no job, no link is left over

Kills cannot stand in for a person who writes between our reading and our writing; the random mode edits while a sync runs.

Environment: TASKFERRY (the program), TF_SRCDIR (the source tree), TORTURE_KEEP (keep the directory of a failed case).
Output: TAP; then `points named N, points fired M`.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import difflib
import imaplib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

from servers import (SRCDIR, ZONE, CourierServer, CyrusServer, DovecotServer, Failed, MailError, MemoryServer, MessageServer,
                     NotInstalled, RadicaleServer, WholeServer, copy_tree, edit_text, lines_of, part_text, property_of, remove_tree, unfold)

PROGRAM = os.environ.get("TASKFERRY", "taskferry")
KILL_CASES_AT_ONCE = 2
FAULT_CASES_AT_ONCE = 8         # these sleep most of the time: back-off
REAL_POINTS_MIN = 20            # over a real server
BUSY_STEP = 14                  # of script(): the sync after edits on both sides
COMMAND_TIMEOUT_S = 300         # a command that takes longer hangs
RECOVERY_SYNCS = 4              # as often as an administrator may have to repeat a sync after a fault
SETTLE_S = 0.15
OTHER_CLIENT_FAULTS = (MailError, imaplib.IMAP4.error, OSError)
NS = "http://schemas.microsoft.com/project"

FOREIGN = ("X-OTHER-CLIENT;X-PARAM=\"a;b:c\":kept\\, to the letter\r\n"
           "ATTACH;FMTTYPE=text/plain:https://files.example.com/a%20b.txt\r\n"
           "ATTACH;ENCODING=BASE64;FILENAME=enclosed.txt;VALUE=BINARY:RW5jbG9zZWQK\r\n")
ALARM = ("BEGIN:VALARM\r\nUID:0f0f0f0f-1111-2222-3333-444444444444\r\nACTION:DISPLAY\r\nDESCRIPTION:Get up\r\n"
         "TRIGGER:-PT15M\r\nX-ALARM-OF-MINE:yes\r\nEND:VALARM\r\n")


# ---- a site ----

class Site:
    """A directory with a configuration, a database and a server; the program is run in it."""

    def __init__(self, directory, server, settle=f"{SETTLE_S * 1000:.0f}ms", on_delete="decline"):
        self.directory, self.server = directory, server
        os.makedirs(directory, exist_ok=True)
        self.started = time.time()
        self.config = os.path.join(directory, "taskferry.ini")
        self.database = os.path.join(directory, "taskferry.db")
        self.log = os.path.join(directory, "points")
        self.told = []          # commands, their exit codes and what they said
        self.process = None     # that of the command that is under way
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"[site]\nurl = https://pm.example.com/web\nname = Example\ntimezone = Europe/Berlin\n"
                       f"[store]\ndsn = sqlite:{self.database}\n"
                       f"[server srv]\n{server.config()}resources = *@example.com\nsettle = {settle}\n"
                       f"[rights]\non_delete = {on_delete}\ngrace = 300ms\n"
                       # its remark depends on whose account is read first, which no two runs agree on
                       "[rule predecessors-first]\nenabled = no\n")
        os.chmod(self.config, 0o600)

    def run(self, *words, kill=None):
        """Runs a command; returns its exit code, or -9 when it was killed at the point."""
        env = dict(os.environ, TASKFERRY_POINT_LOG=self.log)
        env.pop("TASKFERRY_KILL_AT", None)
        if kill:
            env["TASKFERRY_KILL_AT"] = kill
        with subprocess.Popen([PROGRAM, "-c", self.config, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace") as process:
            self.process = process
            try:
                out, err = process.communicate(timeout=COMMAND_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise Failed(f"{' '.join(words)}: still running after {COMMAND_TIMEOUT_S} s") from None
        code = process.returncode
        self.told.append(f"$ taskferry {' '.join(words)}{'  # killed at ' + kill if kill else ''}\n{out}{err}exit {code}")
        refusal = (65,) if words[0] == "revision" else ()       # a rule stands against it
        if code not in (0, 1, 69, 75, -signal.SIGKILL, *refusal):
            raise Failed(f"{' '.join(words)}: exit {code}: {err.strip()[-600:]}")
        return code

    def take_log(self):
        """How often each point was passed since the last call."""
        counts = collections.Counter()
        if os.path.exists(self.log):
            with open(self.log, encoding="utf-8") as file:
                counts.update(file.read().split())
            os.unlink(self.log)
        return counts

    def query(self, sql, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as db:
            return db.execute(sql, values).fetchall()

    def attachment(self):
        """A file to be attached."""
        path = os.path.join(self.directory, "attached.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("What the crane can lift.\n" * 10)
        return path

    def assignment(self, task, person):
        """(id, UID) of the assignment of a person to the task of that key in the plan."""
        rows = self.query("SELECT a.id, a.uid FROM assignment a JOIN task t ON t.id = a.task_id JOIN resource r "
                          "ON r.id = a.resource_id JOIN project p ON p.id = a.project_id "
                          "WHERE t.source_key = ? AND r.key LIKE ? AND p.code LIKE 'new-web-site%'", task, person + "@%")
        if len(rows) != 1:
            raise Failed(f"{len(rows)} assignments of {person} to task {task}")
        return str(rows[0][0]), rows[0][1]

    def revision(self, task, person, origin):
        """The id of the first revision of an assignment that was made so."""
        rows = self.query("SELECT MIN(id) FROM revision WHERE assignment_id = ? AND origin = ?",
                          self.assignment(task, person)[0], origin)
        if rows[0][0] is None:
            raise Failed(f"no {origin} revision of {person} for task {task}")
        return str(rows[0][0])

    def unrest(self):
        """What is not as it is after a sync that could do everything."""
        rest = [f"job {kind}: {state} ({error})" for kind, state, error in
                self.query("SELECT kind, state, error FROM job WHERE state <> 'done'")]
        rest += [f"link of '{subject}': {state}{' dirty' if dirty else ''} ({error})" for subject, state, dirty, error in
                 self.query("SELECT (SELECT v.text FROM field_value v WHERE v.owner = a.task_id AND v.field = 'subject'), "
                            "l.state, l.dirty, l.error FROM link l JOIN assignment a ON a.id = l.assignment_id "
                            "WHERE l.dirty OR l.state NOT IN ('ok', 'declined', 'removed', 'ignored')")]
        rest += [f"pending {reason}: {address}" for reason, address in self.query("SELECT reason, address FROM pending")]
        rest += [f"account {state}: {error}" for state, error in
                 self.query("SELECT state, error FROM account WHERE state <> 'ok'")]
        rest += [f"folder {state}: {error}" for state, error in
                 self.query("SELECT state, error FROM folder WHERE state <> 'ok'")]
        return rest

    def recover(self):
        """What an administrator does after a sync that had trouble. Returns what was held meanwhile."""
        held = []
        for _ in range(RECOVERY_SYNCS):
            rest = self.unrest()
            if not rest:
                break
            waits_for_a_person = [line for line in rest if "held" in line or "dead" in line]
            if waits_for_a_person:
                self.run("queue", "retry", "--all")
            held += waits_for_a_person
            self.run("sync")
        return held


# ---- what is compared ----

class Snapshot:
    """Everything that counts in the end, as sorted lines, without ids and times."""

    def __init__(self, site):
        self.site = site
        self.sections = {
            "assignments": self.assignments(), "values": self.values(), "history": self.history(),
            "bookings": self.bookings(), "revisions": self.revisions(), "links": self.links(), "items": self.items(),
        }

    def timeless(self, text):
        """Instants of this run, and local times in cards, become NOW; others stay. Revisions lose their numbers."""
        def replace(match):
            digits = re.sub(r"\D", "", match[0])[:14].ljust(14, "0")
            when = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(
                tzinfo=datetime.timezone.utc if match[0].endswith("Z") else ZONE).timestamp()
            return "NOW" if self.site.started - 60 <= when <= time.time() + 5 else match[0]
        text = re.sub(r"\b(revision[ :])\d+", r"\1N", text) if text else text
        return re.sub(r"\d{4}-?\d\d-?\d\d(?:T\d\d:?\d\d:?\d\d(?:\.\d+)?Z| \d\d:\d\d(?::\d\d)?)", replace, text) \
            if text else str(text)

    def lines(self, sql):
        return sorted(self.timeless(" | ".join(str(column) for column in row)) for row in self.site.query(sql))

    def assignments(self):
        return self.lines("SELECT a.uid, t.source_key, r.key, a.state FROM assignment a JOIN task t ON t.id = a.task_id "
                          "JOIN resource r ON r.id = a.resource_id")

    OWNERS = ("(SELECT id, 'task ' || project_id || ' ' || source_key AS name FROM task UNION ALL "
              "SELECT id, 'assignment ' || uid FROM assignment) o")

    def values(self):
        return self.lines(f"SELECT o.name, v.field, v.text, v.author FROM field_value v JOIN {self.OWNERS} ON o.id = v.owner")

    def history(self):
        return self.lines(f"SELECT o.name, c.field, c.old_text, c.new_text, c.author, c.cause FROM change c JOIN {self.OWNERS} "
                          "ON o.id = CASE c.assignment_id WHEN 0 THEN c.task_id ELSE c.assignment_id END")

    def bookings(self):
        return self.lines("SELECT a.uid, b.minutes, b.text, b.author FROM booking b JOIN assignment a ON a.id = b.assignment_id")

    def revisions(self):
        return self.lines("SELECT a.uid, r.state, r.rule, r.message, REPLACE(r.fields, char(10), ' / '), r.author, r.origin, "
                          "r.writer, r.against, r.comment, r.decided_by, r.decided_at IS NOT NULL "
                          "FROM revision r JOIN assignment a ON a.id = r.assignment_id")

    def links(self):
        return self.lines("SELECT a.uid, s.key, l.state, l.dirty, l.address IS NOT NULL, l.error FROM link l "
                          "JOIN assignment a ON a.id = l.assignment_id JOIN resource s ON s.id = a.resource_id")

    def items(self):
        """The lines of each item but for stamps and the edition; their order is the server's affair."""
        out = []
        for user, address, version, text in self.site.server.items():
            name, lines = self.site.server.name(address, text), lines_of(self.site.server.task(text))
            if self.site.server.appends:        # the message around it, its card and its marks
                lines += ["marks: " + " ".join(version.split()[1:])]
                head = text.replace("\r\n", "\n").partition("\n\n")[0].split("\n")
                lines += ["header: " + line for line in head
                          if not re.match(r"(Message-ID|Date|X-Taskferry-Edition): | boundary=", line)]
                lines += ["card: " + line for line in part_text(text.encode("utf-8", "surrogateescape"), "text/plain").split("\n")]
            lines = [re.sub(r"(MANAGED-ID=|/attachments/)\d+", r"\1N", self.timeless(line)) for line in lines
                     if not re.match(r"(DTSTAMP|CREATED|LAST-MODIFIED|X-TASKFERRY-EDITION|PRODID|X-MEMORY-REWRITTEN)[:;]", line)]
            out += [f"{user} {name} {line}" for line in sorted(lines)]
        return sorted(out)

    def differences(self, other):
        out = []
        for name, lines in self.sections.items():
            out += [f"{name}: {line}" for line in difflib.unified_diff(lines, other.sections[name], lineterm="", n=0)
                    if not re.match(r"(---|\+\+\+|@@)", line)]
        return out


def check_items(site, large=()):
    """N2, N4, N11: one item per active assignment, in its account, and the database knows what it is. LARGE: the UIDs of
    those whose text it has with stand-ins."""
    faults = []
    items = collections.defaultdict(list)
    for user, address, version, text in site.server.items():
        items[property_of(site.server.task(text), "UID")].append((user, address, version, text))
    rows = site.query("SELECT a.uid, a.state, r.email, l.state, l.address, l.seen_text, l.seen_version FROM assignment a "
                      "JOIN resource r ON r.id = a.resource_id JOIN project p ON p.id = a.project_id "
                      "LEFT JOIN link l ON l.assignment_id = a.id WHERE p.state = 'published' AND r.email IS NOT NULL")
    for uid, state, email, link_state, address, seen, version in rows:
        found = items.pop(uid, [])
        if state != "active":
            faults += [f"{state} assignment {uid} of {email} has an item" for _ in found]
            continue
        if link_state == "ignored" and not found:
            continue
        if [user for user, *_ in found] != [email.split("@")[0]]:
            faults.append(f"N2: assignment {uid} of {email} ({link_state}) has items {[row[:2] for row in found]}")
            continue
        if found[0][1] != address:
            faults.append(f"N11: the link of {uid} says {address}, the item stands at {found[0][1]}")
        if found[0][2].strip('"').split() != str(version).strip('"').split() or (found[0][3] != seen and uid not in large):
            faults += [f"N11: seen of {uid} is not what the server holds ({version}, {found[0][2]}):",
                       *difflib.unified_diff(lines_of(seen or ""), lines_of(found[0][3]), lineterm="", n=0)]
        task = site.server.task(found[0][3])
        if task.count("BEGIN:VTODO") != 1:
            faults.append(f"{uid}: more than one VTODO")
        if unfold(task).count("--- taskferry ---") > 1:
            faults.append(f"{uid}: the trailer stands twice")
    faults += [f"N2: an item without an assignment: {uid}: {found[0][:2]}" for uid, found in items.items()]
    return faults


def check_rest(site):
    """N3: a sync without an edit writes nothing anywhere; nothing is left over."""
    rows = "SELECT (SELECT COUNT(*) FROM change), (SELECT COUNT(*) FROM revision), (SELECT COUNT(*) FROM booking), " \
           "(SELECT SUM(edition) FROM link)"
    writes, before = site.server.writes(), site.query(rows)
    code = site.run("sync")
    faults = [f"at rest: {line}" for line in site.unrest()]
    if site.server.writes() != writes:
        faults.append(f"N3: the last sync sent {site.server.writes() - writes} writes")
    if site.query(rows) != before:
        faults.append(f"N3: the last sync changed the database: {before} -> {site.query(rows)}")
    if code:
        faults.append(f"the last sync ended with {code}")
    return faults


def check_foreign(site, uid):
    """N4: what another client put on an item stands there to the letter (on Radicale: line for line, it sorts)."""
    texts = [task for task in map(site.server.task, (text for *_, text in site.server.items()))
             if property_of(task, "UID") == uid]
    if len(texts) != 1:
        return [f"N4: {len(texts)} items of {uid}"]
    if site.server.kind != "radicale":
        return [f"N4: not in {uid} any more: {block!r}" for block in (FOREIGN, ALARM) if block not in texts[0]]
    have = lines_of(texts[0])
    return [f"N4: not in {uid} any more: {line}" for line in lines_of(FOREIGN + ALARM) if line not in have]


# ---- the script of a case ----

def make_plans(directory):
    """Plan A is a sample; plan B has one assignment less, one more, a renamed task, another date, and more work done."""
    ET.register_namespace("", NS)
    source = os.path.join(SRCDIR, "contrib", "samples", "website.xml")
    a, b = os.path.join(directory, "plan-a.xml"), os.path.join(directory, "plan-b.xml")
    shutil.copyfile(source, a)
    tree = ET.parse(source)
    tag = "{%s}" % NS
    by_uid = {row.findtext(tag + "UID"): row for row in tree.iter(tag + "Assignment")}
    parent = tree.find(tag + "Assignments")
    parent.remove(by_uid["101"])
    by_uid["108"].find(tag + "Finish").text = "2027-02-03T17:00:00"
    by_uid["102"].find(tag + "ActualWork").text = "PT8H0M0S"
    fresh = ET.fromstring(ET.tostring(by_uid["107"]))
    fresh.find(tag + "UID").text = "111"
    fresh.find(tag + "ResourceUID").text = "1"
    parent.append(fresh)
    for task in tree.iter(tag + "Task"):
        if task.findtext(tag + "UID") == "8":
            task.find(tag + "Name").text = "Front page, third draft"
    tree.write(b, xml_declaration=True, encoding="UTF-8")
    return a, b


def clients_first(site):
    """What people do in their own clients, before the project manager changes the same things."""
    def edit(task, person, changes, block=""):
        uid = site.assignment(task, person)[1]
        if not site.server.change(uid, lambda text: edit_text(text, changes, block)):
            raise Failed(f"no item of {person} for task {task} to edit: {uid}")

    edit("8", "ana", {"STATUS": "COMPLETED", "PERCENT-COMPLETE": "100", "COMPLETED": "20261120T100000Z"})
    edit("3", "joerg", {"PERCENT-COMPLETE": "60"})
    edit("7", "mei", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "140"})
    uid = site.assignment("10", "ana")[1]
    site.server.change(uid, lambda text: edit_text(
        text, {"DESCRIPTION": "Half of them are duplicates\\, see list.\\n+2h sorting\\n" + property_of(text, "DESCRIPTION")}))
    edit("11", "mei", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "25"}, FOREIGN + ALARM)
    edit("9", "joerg", {"DUE;VALUE=DATE": "20270310"})
    edit("2", "mei", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "90", "COMPLETED": None})    # plan B withdraws it
    edit("8", "mei", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "30"})                       # the project is newer
    edit("12", "joerg", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "70"})                    # the project was older
    site.server.change(site.assignment("4", "ana")[1], lambda text: None)
    if site.server.appends:
        site.server.mark(site.assignment("3", "joerg")[1], "work")      # the sync puts others in the place of these
        site.server.mark(site.assignment("8", "mei")[1], "\\Flagged")


def clients_later(site):
    for task, person, changes in (("10", "ana", {"PERCENT-COMPLETE": "55"}),
                                  ("9", "ana", {"STATUS": "IN-PROCESS", "PERCENT-COMPLETE": "10", "X-TASKS-ELAPSED-SECONDS": "5400"}),
                                  ("11", "mei", {"SUMMARY": "My own title"}),
                                  ("3", "joerg", {"PERCENT-COMPLETE": "65"})):       # the project is newer
        uid = site.assignment(task, person)[1]
        if not site.server.change(uid, lambda text, c=changes: edit_text(text, c)):
            raise Failed(f"no item of {person} for task {task} to edit: {uid}")
    site.server.change(site.assignment("10", "ana")[1], lambda text: edit_text(
        text, {"SUMMARY": property_of(text, "SUMMARY") + " +30m"}))


def gestures(site):
    """Flags and moves: what people do to a message without opening it."""
    def uid(task, person):
        return site.assignment(task, person)[1]

    if site.server.appends:
        site.server.mark(uid("9", "joerg"), "\\Flagged", "p20")
        site.server.mark(uid("12", "joerg"), "\\Flagged", "later")
        site.server.mark(uid("10", "ana"), "Done", "\\Seen")
        site.server.file(uid("11", "mei"), True)
        site.server.file(uid("8", "mei"), True)
        site.server.file(uid("8", "mei"), False)


def script(site, plans):
    """Steps: a list of words is a command, anything else is called."""
    def task_set(task, person, *words):
        return lambda: ["task", "set", site.assignment(task, person)[0], *words]

    def decide(word, task, person, origin):
        return lambda: ["revision", word, site.revision(task, person, origin), "--comment", f"I {word} it"]

    return [
        ["init"],
        ["import", plans[0]],
        ["publish", "--all"],
        ["sync"],
        task_set("12", "joerg", "percent=20"),
        site.server.pause,
        lambda: clients_first(site),
        site.server.pause,
        task_set("3", "joerg", "notes=Please show me on Friday"),
        task_set("11", "mei", "priority=2"),
        task_set("8", "mei", "percent=80"),
        task_set("7", "mei", "actual_work=3h"),
        lambda: time.sleep(2 * SETTLE_S),
        ["import", plans[1], "--withdraw"],
        ["sync"],
        site.server.pause,
        lambda: clients_later(site),
        site.server.pause,
        task_set("3", "joerg", "percent=75"),       # while the quiet time lasts: decided before the item is read
        decide("accept", "9", "joerg", "proposed"),
        decide("restore", "8", "mei", "losing"),
        lambda: ["task", "attach", site.assignment("3", "joerg")[0], site.attachment()],
        ["publish", "--all"],
        ["sync"],
        ["sync"],
    ] + ([lambda: gestures(site), ["sync"]] if site.server.appends else [])


def run_script(site, plans, kill=None, recover=False, first=0, before=lambda number: None):
    """Runs all steps from the first on; BEFORE each of them is told. KILL is (step, "POINT:N", ...): that step is killed there
    and run again, which is killed at the next one. Returns (what was passed per step, how many of the kills happened, what
    was held meanwhile)."""
    passed, killed, held = [], 0, []
    for number, step in enumerate(script(site, plans)):
        if number < first:
            continue
        before(number)
        words = step if isinstance(step, list) else step()
        if words:
            kills = list(kill[1:]) if kill and kill[0] == number else []
            code = site.run(*words, kill=kills[0] if kills else None)
            while code == -signal.SIGKILL:
                killed += 1
                kills.pop(0)
                code = site.run(*words, kill=kills[0] if kills else None)
            if code not in (0, 1) and not recover:
                raise Failed(f"{' '.join(words)}: exit {code}: server trouble where there was none")
            if recover and words[0] == "sync":
                held += site.recover()
        passed.append(site.take_log())
    return passed, killed, held


def run_case(site, plans, first=0, before=lambda number: None, kill=None, faults=()):
    """One case, from that step on; returns (snapshot, passed, killed, held). Raises Failed."""
    try:
        if faults:
            site.server.script(faults)
        passed, killed, held = run_script(site, plans, kill, bool(faults), first, before)
        wrong = check_rest(site) + check_items(site) + check_foreign(site, site.assignment("11", "mei")[1])
        if wrong:
            raise Failed("\n".join(wrong))
        return Snapshot(site), passed, killed, held
    except Failed as fault:
        raise Failed(f"{fault}\n" + "\n".join(site.told[-7:])) from None


EXPECTED = {
    "values": ("5548ee31-4fdd-5de2-898b-31f1399646f6 | completed_at | 2026-11-20T10:00:00Z | mailbox:srv/ana@example.com",
               "0960146d-50c1-5503-863b-2d94d9fd6cb7 | percent | 75 | project:",
               "0960146d-50c1-5503-863b-2d94d9fd6cb7 | notes | Please show me on Friday | project:",
               "712a5b43-584b-514b-8a80-175be2b8bf6d | percent | 100 | rule:percent-range",
               "712a5b43-584b-514b-8a80-175be2b8bf6d | status | completed | rule:done-agrees",
               "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 30 | project:",
               "41a5a7d2-bde1-51bb-bb5e-d7468dc80ab0 | percent | 70 | mailbox:srv/joerg@example.com",
               "885822f0-da1a-5ac9-8514-dd0877235e96 | due | 2027-03-10 | project:",
               "3e516dee-27ce-52ca-9d9c-2fe982da00db | percent | 10 | mailbox:srv/ana@example.com",
               "| subject | Front page, third draft | import:plan-b"),
    "history": ("0960146d-50c1-5503-863b-2d94d9fd6cb7 | percent | 50 | 60 | mailbox:srv/joerg@example.com",
                "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 80 | 30 | project:",
                "efb9945d-3cb3-5067-aaa5-520effbbe519 | revision:N | losing | accepted | project:",
                "885822f0-da1a-5ac9-8514-dd0877235e96 | revision:N | proposed | accepted | project:",
                "| assignment | active | declined | mailbox:srv/ana@example.com | the assignee deleted the item",
                "| assignment | active | withdrawn | import:plan-b"),
    "revisions": ("712a5b43-584b-514b-8a80-175be2b8bf6d | corrected | percent-range",
                  "885822f0-da1a-5ac9-8514-dd0877235e96 | accepted |", "d4f44f1b-1941-550d-a878-12d23b4cb9dc | proposed |",
                  "efb9945d-3cb3-5067-aaa5-520effbbe519 | accepted |", "41a5a7d2-bde1-51bb-bb5e-d7468dc80ab0 | losing |",
                  "0960146d-50c1-5503-863b-2d94d9fd6cb7 | losing |"),
    "assignments": ("| ana@example.com | declined", "| mei@example.com | withdrawn"),
    "items": ("712a5b43-584b-514b-8a80-175be2b8bf6d.ics PERCENT-COMPLETE:100",
              "712a5b43-584b-514b-8a80-175be2b8bf6d.ics STATUS:COMPLETED",
              "885822f0-da1a-5ac9-8514-dd0877235e96.ics DUE;VALUE=DATE:20270310",
              "5548ee31-4fdd-5de2-898b-31f1399646f6.ics SUMMARY:Front page\\, third draft",
              "efb9945d-3cb3-5067-aaa5-520effbbe519.ics PERCENT-COMPLETE:30",
              "712a5b43-584b-514b-8a80-175be2b8bf6d.ics X-TASKFERRY-ACTUAL-WORK:PT3H",
              "the nearest possible value was recorded"),
    "bookings": ("| 120 | from the project file | import:plan-b", "| 180 | set to a number | project:",
                 "| 120 | sorting | mailbox:srv/ana@example.com", "| 90 |", "| 30 |"),
}

EXPECTED_GESTURES = {
    "values": ("885822f0-da1a-5ac9-8514-dd0877235e96 | percent | 20 | mailbox:srv/joerg@example.com",
               "885822f0-da1a-5ac9-8514-dd0877235e96 | status | in-process | mailbox:srv/joerg@example.com",
               "b7715e33-2482-5ca4-a2f8-d579f4546834 | status | completed | mailbox:srv/ana@example.com",
               "d4f44f1b-1941-550d-a878-12d23b4cb9dc | status | completed | mailbox:srv/mei@example.com"),
    "history": ("| 0 | 20 | mailbox:srv/joerg@example.com | tag p20", "| 55 | 100 | mailbox:srv/ana@example.com | tag Done",
                "| 25 | 100 | mailbox:srv/mei@example.com | moved to Done"),
    "items": ("0960146d-50c1-5503-863b-2d94d9fd6cb7.ics marks: work", "efb9945d-3cb3-5067-aaa5-520effbbe519.ics marks: \\Flagged",
              "885822f0-da1a-5ac9-8514-dd0877235e96.ics marks: \\Flagged", "b7715e33-2482-5ca4-a2f8-d579f4546834.ics marks: Done",
              "d4f44f1b-1941-550d-a878-12d23b4cb9dc.ics marks: /Done",
              "41a5a7d2-bde1-51bb-bb5e-d7468dc80ab0.ics marks: \\Flagged later",
              "885822f0-da1a-5ac9-8514-dd0877235e96.ics PERCENT-COMPLETE:20",
              "b7715e33-2482-5ca4-a2f8-d579f4546834.ics STATUS:COMPLETED"),
}
# A server that does not tell when something was written: what was found in an item counts as written when it was found.
EXPECTED_UNTIMED = {
    "0960146d-50c1-5503-863b-2d94d9fd6cb7 | percent | 75 | project:":
        "0960146d-50c1-5503-863b-2d94d9fd6cb7 | percent | 65 | mailbox:srv/joerg@example.com",
    "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 30 | project:":
        "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 80 | project:",
    "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 80 | 30 | project:":
        "efb9945d-3cb3-5067-aaa5-520effbbe519 | percent | 30 | 80 | project:",
    "efb9945d-3cb3-5067-aaa5-520effbbe519.ics PERCENT-COMPLETE:30":
        "efb9945d-3cb3-5067-aaa5-520effbbe519.ics PERCENT-COMPLETE:80",
}


def check_expected(snapshot):
    """What the undisturbed run must have come to, worked out by hand: the others are compared with it."""
    server = snapshot.site.server
    expected = [(name, text) for part in (EXPECTED, EXPECTED_GESTURES if server.appends else {})
                for name, texts in part.items() for text in texts]
    if not server.tells_times:
        expected = [(name, EXPECTED_UNTIMED.get(text, text)) for name, text in expected]
    return [f"expected in {name}: {text}" for name, text in expected
            if not any(text in line for line in snapshot.sections[name])]


# ---- running many ----

class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, ok, name, text=""):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}")
        for line in text.splitlines()[:60]:
            print(f"#   {line}")
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def point_names():
    done = subprocess.run([PROGRAM, "--fault-points"], capture_output=True, text=True, check=True, timeout=30)
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


def points_asked_for(words):
    """The names of --points; an unknown one is a mistake, not a point that is never passed."""
    known, asked = point_names(), words.split(",")
    unknown = [name for name in asked if name not in known]
    if unknown:
        sys.exit(f"torture.py: no such point: {', '.join(unknown)}; there are: {' '.join(known)}")
    return asked


def places(passed, name):
    """Where to kill at a point: in each step that passes it the first time; the second time there is; and the last."""
    found = []
    for step, counts in enumerate(passed):
        if counts[name]:
            found.append((step, f"{name}:1"))
            if counts[name] > 1 and not any(place[1].endswith(":2") for place in found):
                found.append((step, f"{name}:2"))
            if counts[name] > 2:
                found.append((step, f"{name}:{counts[name]}"))
    return found


class Slot:
    """A site and a server that cases use one after the other, and a copy of both before each step of an undisturbed run, from
    which a case goes on. Nothing but the place and the time differs from a case of its own."""

    def __init__(self, directory, make_server, plans):
        self.directory, self.plans = directory, plans
        self.place = os.path.join(directory, "site")
        os.makedirs(self.place)
        self.in_memory = issubclass(make_server, MemoryServer)
        self.server = make_server(self.place if self.in_memory else directory)
        self.begins = []        # by step: what the server had counted

    def keep(self, number):
        self.server.before_copy()
        copy_tree(self.place, self.kept(number, "site"))
        for index, folder in enumerate(self.server.folders()):
            copy_tree(folder, self.kept(number, str(index)))
        self.begins.append(self.server.counted() if self.in_memory else {})

    def kept(self, number, name):
        return os.path.join(self.directory, "kept", str(number), name)

    def course(self):
        """The undisturbed run: as run_case()."""
        self.server.clear()
        site = Site(self.place, self.server)
        self.started = site.started
        return run_case(site, self.plans, before=self.keep if self.server.folders() is not None else lambda number: None)

    def run(self, kill=None, faults=()):
        """A case: as run_case()."""
        first = self.first_step(kill, faults)
        remove_tree(self.place)
        if not self.begins:
            self.server.clear()
        site = Site(self.place, self.server)
        if self.begins:
            self.bring_back(first)
            site.started = self.started
            site.told.append(f"# step {first} and what follows")
        return run_case(site, self.plans, first, kill=kill, faults=faults)

    def first_step(self, kill, faults):
        """The last one before anything differs."""
        if not self.begins:
            return 0
        if kill:
            return kill[0]
        rows = [(operation, int(at.partition("-")[0])) for operation, at, *_ in map(str.split, faults)]
        return max(number for number, counts in enumerate(self.begins)
                   if all(counts.get(operation, 0) < at for operation, at in rows))

    def bring_back(self, number):
        copy_tree(self.kept(number, "site"), self.place)
        for index, folder in enumerate(self.server.folders()):
            copy_tree(self.kept(number, str(index)), folder)


class Runner:
    def __init__(self, make_server, at_once):
        self.root = os.getcwd()
        self.plans = make_plans(self.root)
        self.make_server = make_server
        self.at_once = at_once
        self.number = 0
        self.lock = threading.Lock()
        self.slots, self.idle = [], []
        self.undisturbed = None
        self.passed = []

    def take_slot(self):
        with self.lock:
            if self.idle:
                return self.idle.pop()
            self.number += 1
            directory = os.path.join(self.root, f"slot-{self.number}")
        slot = Slot(directory, self.make_server, self.plans)
        with self.lock:
            self.slots.append(slot)
        snapshot, passed, *_ = slot.course()
        with self.lock:
            wrong = self.undisturbed.differences(snapshot) if self.undisturbed else check_expected(snapshot)
            if not self.undisturbed:
                self.undisturbed, self.passed = snapshot, passed
        if wrong:
            raise Failed("\n".join(["the undisturbed run:", *wrong]))
        return slot

    def case(self, name, **how):
        """Runs a case; returns (text of what is wrong or "", killed, held)."""
        slot, wrong, killed, held = None, "", False, []
        try:
            slot = self.take_slot()
            snapshot, _, killed, held = slot.run(**how)
            wrong = "\n".join(self.undisturbed.differences(snapshot))
        except Failed as fault:
            wrong = str(fault)
        except OTHER_CLIENT_FAULTS as fault:
            wrong = f"the other client: {fault!r}"
        if slot:
            if wrong and os.environ.get("TORTURE_KEEP"):
                copy_tree(slot.place, os.path.join(self.root, re.sub(r"[^A-Za-z0-9]+", "-", name)))
            with self.lock:
                self.idle.append(slot)
        return wrong and f"{name}:\n{wrong}", killed, held

    def first(self):
        """The undisturbed run itself; returns the text of what is wrong with it, or ""."""
        try:
            self.idle.append(self.take_slot())
        except Failed as fault:
            return str(fault)
        except OTHER_CLIENT_FAULTS as fault:
            return f"the other client: {fault!r}"
        return ""

    def cases(self, named):
        """Runs {name: how}, some at once; yields (name, result) in order."""
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            futures = {name: pool.submit(self.case, name, **how) for name, how in named.items()}
            for name, future in futures.items():
                yield name, future.result()

    def stop(self):
        for slot in self.slots:
            slot.server.stop()
        if os.environ.get("TORTURE_KEEP"):
            return
        for slot in self.slots:
            remove_tree(slot.directory)
        for plan in self.plans:
            os.remove(plan)


def all_places(found, _):
    return found


def some_places(found, _):
    """The first, the first second one, the first in the busiest sync, and the last."""
    chosen = found[:1] + [place for place in found if place[1].endswith(":2")][:1]
    chosen += [place for place in found if place[0] == BUSY_STEP][:1] + found[-1:]
    return sorted(set(chosen))


def two_places(found, _):
    """The first, and in the busiest sync."""
    return found[:1] + ([place for place in found[1:] if place[0] == BUSY_STEP][:1] or found[1:2])


def first_or_busiest(found, number):
    """The first, or in the busiest sync, in turn."""
    chosen = two_places(found, number)
    return chosen and [chosen[number % len(chosen)]]


def one_place(found, number):
    """In the busiest sync and in the last one, after gestures, in turn; else the first."""
    steps = (BUSY_STEP, max((step for step, _ in found), default=0))
    return [place for place in found if place[0] == steps[number % 2]][:1] or found[:1]


def torture_kills(tap, runner, named, limit, by_full=""):
    """Kills at the points named, at LIMIT(all places, number of the point); BY_FULL says how many places TORTURE=full leaves
    out. Returns which fired."""
    wrong = runner.first()
    tap.result(not wrong, "undisturbed", wrong)
    if wrong:
        return set()
    fired, by_point = set(), {}
    cases, count = {}, 0
    for number, name in enumerate(named):
        found = places(runner.passed, name)
        by_point[name] = limit(found, number)
        count += len(found)
        cases.update({f"{place} in step {step}": {"kill": (step, place)} for step, place in by_point[name]})
    if len(cases) < count:
        print(f"# left out: {count - len(cases)} of {count} places, where points are passed again that are killed at other places"
              + (f" (TORTURE=full: {by_full})" if by_full else ""))
    results = collections.defaultdict(list)
    for name, result in runner.cases(cases):
        results[name.split(":")[0]].append((name, result))
        point = name.split(":")[0]
        if len(results[point]) < len(by_point[point]):
            continue
        bad = [text for _, (text, *_) in results[point] if text]
        died = sum(1 for _, (_, killed, *_) in results[point] if killed)
        if died:
            fired.add(point)
        tap.result(not bad, f"killed at {point}: {died} of {len(by_point[point])} places", "\n".join(bad))
    return fired


# What a resumed run passes again, and the recovery with it.
RECOVERING = ("COMMIT_STAGED", "COMMIT_DONE", "PUSH_STARTING", "HTTP_SENDING", "HTTP_ANSWERED", "PUSH_SENT", "RECORD_STAGED",
              "RECORD_DONE", "REMOVE_STARTING", "REMOVE_SENT", "SWEEP_STARTING", "SWEEP_SENT", "SWEEP_DONE", "TOKEN_STAGED")
TWICE_STRIDES = (0, 1, 4)       # the second kill is so many points behind the first: each is first and second thrice


def torture_twice(tap, runner, named):
    """Kills the busiest sync, and its recovery once more."""
    wrong = runner.undisturbed is None and runner.first()
    if wrong:
        tap.result(False, "undisturbed", wrong)
        return
    points = [name for name in RECOVERING if name in named]
    cases = {f"{first}, then {second}": {"kill": (BUSY_STEP, first, second)} for stride in TWICE_STRIDES
             for first, second in zip(points, points[stride:] + points[:stride])}
    seconds = set()
    for name, (wrong, killed, _) in runner.cases(cases):
        if killed == 2:
            seconds.add(name.split(", then ")[1])
        tap.result(not wrong, f"killed {killed} times: {name}", wrong)
    missing = [name for name in points if name not in seconds]
    tap.result(not missing, f"recoveries killed at {len(seconds)} of {len(points)} points", "never: " + " ".join(missing) if missing else "")


def stubborn_scripts():
    """The same fault on the write and on what recovers from it. The first sync puts 10 items, the second begins with the 11th."""
    return [[f"{words} denied-{fault}"] for words in ("put 1-4", "put 11-16", "remove 1-3") for fault in DENIED] + [
        ["ensure 1-5 denied-full"], ["ensure 1-5 denied-busy"], ["put 1-40 lost"], ["remove 1-20 lost"], ["ensure 1-4 lost"],
        ["put 11-14 lost", "fetch 10-12 busy"],
        ["put 11 lost", "put 12 denied-full", "put 13 denied-changed", "put 14 lost", "remove 1 denied-changed", "notice 8 token"],
    ]


DENIED = ("refused", "changed", "full")    # answers that say no; with "denied-" they do not tell the truth


def fault_scripts(kind):
    """What the memory server is told to do wrong."""
    other = "late" if kind == "messages" else "rewrite"
    words = [("put", at, fault) for fault in ("lost", "busy", "changed", "refused", "full", "locked", other, "protocol",
                                              "unreachable") for at in (1, 2, 11, 13)]
    words += [("fetch", at, fault) for fault in ("protocol", "busy", "unreachable") for at in (1, 2, 4)]
    words += [("notice", at, fault) for fault in ("token", "unreachable", "busy", "protocol") for at in (1, 5, 8)]
    words += [("ensure", 1, fault) for fault in ("lost", "busy", "full", "refused", "login")]
    words += [("remove", 1, fault) for fault in ("lost", "busy", "changed", "locked", "refused")]
    words += [("put", at, f"denied-{fault}") for fault in DENIED for at in (1, 11, 13)]
    words += [(operation, 1, f"denied-{fault}") for fault in DENIED for operation in ("remove", "ensure")]
    if kind == "memory":
        words += [("attach", 1, fault) for fault in ("lost", "busy", "changed", "unreachable")]
    return [[f"{operation} {at} {fault}"] for operation, at, fault in words] + stubborn_scripts() + [
        ["put 1 lost", "put 2 busy", "put 3 changed", "put 11 lost", "put 12 lost", "remove 1 lost"],
        ["notice 4 token", "notice 5 token", "notice 6 token", "fetch 1 protocol", f"put 12 {other}"],
    ]


WITHDRAWN = "1f1335a9-0b6d-5366-88ab-236fd6a6b780"  # the assignment that plan B has no more


def read_too_late(name, wrong):
    """An item that could not be read before its assignment was withdrawn: what its person wrote is a revision then, not the
    project's value (M9). Which item a scripted fetch hits depends on the order of the workers."""
    lines = wrong.splitlines()[1:]
    return ("fetch" in name and "changed while the assignment was withdrawn" in wrong
            and all(WITHDRAWN in line for line in lines))


NEEDS_A_PERSON = ("refused", "login")   # what no repetition mends is held, everything else comes right by itself


def needs_a_person(kind, name):
    """A message that another one stands in place of is removed later, when it could not be removed at once."""
    return any(word in name for word in NEEDS_A_PERSON) and not (kind == "messages" and name.startswith("remove"))


def is_gone_anyway(name):
    """A removal that was carried out and refused is held until the next look finds the item gone, perhaps in the same sync."""
    return name.startswith("remove") and "denied-refused" in name


def torture_faults(tap, runner):
    if not runner.undisturbed:
        wrong = runner.first()
        if wrong:
            tap.result(False, "undisturbed", wrong)
            return
    runner.at_once = FAULT_CASES_AT_ONCE
    cases = {", ".join(lines): {"faults": lines} for lines in fault_scripts(runner.make_server.kind)}
    for name, (wrong, _, held) in runner.cases(cases):
        if read_too_late(name, wrong):
            wrong = ""
        wrong += "".join(f"held without a reason: {line}\n" for line in held if line.endswith(("(None)", "()")))
        if not wrong and not is_gone_anyway(name) and bool(held) != needs_a_person(runner.make_server.kind, name):
            wrong = f"{'held' if held else 'not held'}: {held}"
        tap.result(not wrong, name, wrong)


# ---- at random ----

class Chaos:
    """Random kills, faults and edits; after each spell the site is brought to rest and looked at."""
    COMMANDS = (["sync"], ["sync"], ["sync"], ["sync", "--full"], ["publish", "--all"], ["import"], ["set"],
                ["revision"])
    FAULTS = {"put": "lost busy changed refused full locked rewrite protocol denied-refused denied-changed denied-full".split(),
              "fetch": "protocol busy unreachable".split(), "notice": "token unreachable busy".split(),
              "remove": "lost busy changed locked denied-refused denied-changed".split(), "ensure": "lost busy denied-full".split()}

    def __init__(self, directory, seed):
        self.random = random.Random(seed)
        self.server = MemoryServer(directory)
        self.site = Site(directory, self.server, self.random.choice(["0s", "100ms"]),
                         self.random.choice(["decline", "restore", "ignore"]))
        self.plans = make_plans(directory)
        self.points = point_names()
        self.written = {}       # (uid, field) -> what a person wrote and must be found
        self.passed = collections.Counter()
        self.marks = self.kills = self.edits = self.spells = 0

    def start(self):
        for words in (["init"], ["import", self.plans[0]], ["publish", "--all"], ["sync"]):
            self.site.run(*words)

    def someone(self):
        rows = self.site.query("SELECT id, uid FROM assignment WHERE state = 'active'")
        return self.random.choice(rows)

    def edit(self):
        """A person edits an item. Each value is written once only, so that it can be looked for."""
        _, uid = self.someone()
        self.marks += 1
        kind = self.random.choice(["note", "note", "due", "title", "foreign", "percent", "done", "delete"])
        if kind == "delete" and self.random.random() < 0.7:
            return
        mark, percent = f"mark-{self.marks}-end", self.random.choice([*range(11, 49), *range(101, 160)])
        day = datetime.date(2027, 3, 1) + datetime.timedelta(days=self.marks)
        changes = {"note": lambda text: {"DESCRIPTION": mark + "\\n" + (property_of(text, "DESCRIPTION") or "")},
                   "due": lambda text: {"DUE;VALUE=DATE": day.strftime("%Y%m%d")}, "title": lambda text: {"SUMMARY": mark},
                   "foreign": lambda text: {f"X-{mark.upper()}": "1"},
                   "percent": lambda text: {"STATUS": "IN-PROCESS", "COMPLETED": None, "PERCENT-COMPLETE": str(percent)},
                   "done": lambda text: {"STATUS": "COMPLETED", "PERCENT-COMPLETE": "100"}}
        if kind == "delete":
            done = self.server.change(uid, lambda text: None)
        else:
            done = self.server.change(uid, lambda text: edit_text(text, changes[kind](text)))
        if not done:
            return
        self.edits += 1
        look_for = {"note": mark, "title": mark, "due": day.isoformat(), "foreign": f"X-{mark.upper()}:1",
                    "percent": f"{uid} percent {percent}\n"}
        if kind == "delete":    # the person threw it away, with what was not carried over yet
            self.written = {key: value for key, value in self.written.items() if key[0] != uid}
        elif kind in look_for:
            key = (uid, kind if kind != "foreign" else mark)
            self.written[key] = look_for[kind]
        elif kind == "done":
            self.written.pop((uid, "percent"), None)

    def verdict(self):
        """The project manager decides on some revision; values of withdrawn assignments cannot be set any more."""
        rows = self.site.query("SELECT r.id, r.state FROM revision r JOIN assignment a ON a.id = r.assignment_id "
                               "WHERE a.state <> 'withdrawn' AND r.decided_at IS NULL AND r.state IN ('losing', 'proposed')")
        if not rows:
            return []
        number, state = self.random.choice(rows)
        verdict = self.random.choice(["accept", "reject", "dismiss"] if state == "proposed" else ["restore", "dismiss"])
        return ["revision", verdict, str(number), "--comment", "decided at random"]

    def command(self):
        words = list(self.random.choice(self.COMMANDS))
        if words == ["import"]:
            words += [self.random.choice(self.plans)] + self.random.choice([[], ["--withdraw"]])
        elif words == ["set"]:
            self.marks += 1
            words = ["task", "set", str(self.someone()[0]),
                     self.random.choice([f"notes=mark-{self.marks}-end", f"percent={self.random.randint(0, 100)}", "due="])]
        elif words == ["revision"]:
            words = self.verdict()
            if not words:
                return
        usual = [point for point, count in self.passed.items() for _ in range(count)]
        point = self.random.choice(self.random.choice([usual or self.points, self.points]))
        kill = f"{point}:{self.random.randint(1, 3)}" if self.random.random() < 0.7 else None
        self.kills += self.site.run(*words, kill=kill) == -signal.SIGKILL
        self.passed = self.site.take_log()

    def race(self):
        """People go on editing while a sync is at work."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sync = pool.submit(self.site.run, "sync")
            for _ in range(self.random.randint(1, 5)):
                time.sleep(self.random.random() / 25)
                self.edit()
            sync.result()

    def fault(self):
        operation = self.random.choice(list(self.FAULTS))
        with self.server.locked() as state:
            at = state["counts"].get(operation, 0) + self.random.randint(1, 3)
        self.server.script([f"{operation} {at} {self.random.choice(self.FAULTS[operation])}"])

    def rest(self):
        self.server.script([])
        self.site.run("sync")
        self.site.recover()
        self.site.run("sync")
        wrong = check_rest(self.site) + check_items(self.site) + self.lost()
        if wrong:
            raise Failed("\n".join(wrong))

    def lost(self):
        """N1: what a person wrote is the project's, or in the history, or a revision; N4: or still in the item."""
        known = "\n".join(str(row) for row in self.site.query(
            "SELECT text FROM field_value UNION ALL SELECT new_text FROM change UNION ALL SELECT old_text FROM change "
            "UNION ALL SELECT fields FROM revision"))
        known += "".join(f"{uid} percent {text}\n" for uid, text in self.site.query(
            "SELECT a.uid, c.new_text FROM change c JOIN assignment a ON a.id = c.assignment_id WHERE c.field = 'percent' "
            "UNION ALL SELECT a.uid, c.old_text FROM change c JOIN assignment a ON a.id = c.assignment_id "
            "WHERE c.field = 'percent'"))
        known += "".join(f"{uid} percent {number}\n" for uid, fields in self.site.query(
            "SELECT a.uid, r.fields FROM revision r JOIN assignment a ON a.id = r.assignment_id")
                         for number in re.findall(r"^[to]percent (-?\d+)$", fields, re.M))
        texts = {property_of(text, "UID"): unfold(text) for *_, text in self.server.items()}
        gone = {uid for uid, in self.site.query("SELECT uid FROM assignment WHERE state <> 'active'")}
        wrong = []
        for (uid, field), value in self.written.items():
            where = texts.get(uid, "") if field.startswith("mark") else known
            if value not in where and not (field.startswith("mark") and uid in gone):
                wrong.append(f"{'N4' if field.startswith('mark') else 'N1'}: lost: {field} of {uid}: {value}")
        self.written = {}
        return wrong

    def run(self, seconds):
        end = time.time() + seconds
        self.start()
        while time.time() < end:
            self.spells += 1
            for _ in range(self.random.randint(2, 6)):
                self.random.choice([self.edit, self.edit, self.command, self.command, self.fault, self.race])()
            self.rest()


def torture_random(tap, seconds, seed):
    directory = os.path.join(os.getcwd(), f"random-{seed}")
    os.mkdir(directory)
    chaos = Chaos(directory, seed)
    text = ""
    try:
        chaos.run(seconds)
    except Failed as fault:
        text = f"{fault}\n" + "\n".join(chaos.site.told[-8:])
    if not (text and os.environ.get("TORTURE_KEEP")):
        shutil.rmtree(directory)
    tap.result(not text, f"random, seed {seed}: {chaos.spells} spells, {chaos.edits} edits, {chaos.kills} kills", text)


def tell_points(tap, named, fired, must):
    """MUST fire, whatever their names; of a real server's the most."""
    least = max(len(must), min(len(named), REAL_POINTS_MIN))
    missing = [name for name in named if name not in fired]
    print(f"points named {len(named)}, points fired {len(fired)}")
    tap.result(len(fired) >= least and not any(name in must for name in missing),
               f"points fired: at least {least} of {len(named)}", "not fired: " + " ".join(missing) if missing else "")


SERVERS = {kind.kind: kind for kind in (MemoryServer, MessageServer, WholeServer, RadicaleServer, DovecotServer, CyrusServer,
                                       CourierServer)}
# Where a point is killed, where with TORTURE=full, and how much that leaves out; others: see SIMULATED.
LIMITS = {"radicale": (first_or_busiest, two_places, "fewer"), "dovecot": (first_or_busiest, two_places, "fewer"),
          "cyrus-imap": (one_place, one_place, ""), "courier": (one_place, one_place, "")}
SIMULATED = (some_places, all_places, "none")
# A point that is not reached fails the run. These cannot be: they are of another kind of server, whose run must reach them.
PROBED = ("PROBE_", "TRAITS_")  # of servers that have traits
REPLIES = ("REPLY_", "ANSWER_")  # of a mailbox with replies: the scenarios reply-*.scenario kill there
NOT_THERE = {"memory": ("SWEEP_", "IMAP_", *PROBED, *REPLIES),
             "whole": ("SWEEP_", "IMAP_", "FILE_", "ATTACH_", *PROBED, *REPLIES),
             "messages": ("IMAP_", "FILE_", "ATTACH_", *PROBED, *REPLIES),
             "radicale": ("SWEEP_", "IMAP_", "ATTACH_", *REPLIES),
             "dovecot": ("HTTP_", "FILE_", "ATTACH_", *PROBED, *REPLIES)}
# What knows no server is killed over the others.
NOT_THERE["cyrus-imap"] = NOT_THERE["courier"] = (*NOT_THERE["dovecot"], "INIT_", "IMPORT_", "PUBLISH_", "SET_", "VERDICT_")
ONLY_THERE = {"memory": (), "messages": (), "whole": (), "radicale": ("HTTP_", *PROBED), "dovecot": ("IMAP_", "SWEEP_"),
              "cyrus-imap": ("SWEEP_",), "courier": ("SWEEP_",)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("server", nargs="?", choices=tuple(SERVERS), default="memory")
    parser.add_argument("--part", choices=("kills", "twice", "faults"))
    parser.add_argument("--points", metavar="NAME,...", help="only these, for looking into one")
    parser.add_argument("--random", type=float, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    tap = Tap()
    if args.random:
        torture_random(tap, args.random, args.seed)
        return tap.end()
    asked = points_asked_for(args.points) if args.points else None
    runner = Runner(SERVERS[args.server], KILL_CASES_AT_ONCE)
    simulated = args.server in ("memory", "messages", "whole")
    try:
        named = asked or [name for name in point_names() if not name.startswith(NOT_THERE[args.server])]
        if args.part in (None, "kills"):
            usual, full, left_out = LIMITS.get(args.server, SIMULATED)
            if os.environ.get("TORTURE") == "full":
                usual, left_out = full, ""
            fired = torture_kills(tap, runner, named, usual, left_out)
            tell_points(tap, named, fired, [name for name in named if simulated or name.startswith(ONLY_THERE[args.server])])
        if simulated and args.part in (None, "twice"):
            torture_twice(tap, runner, named)
        if simulated and args.part in (None, "faults"):
            torture_faults(tap, runner)
    except NotInstalled as fault:
        print(f"1..0 # SKIP {fault}")
        return 0
    finally:
        runner.stop()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
