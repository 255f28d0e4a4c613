#!/usr/bin/python3
"""Say in words what clients answered; a helper of contrib/quickstart.

SERVER and LIST are what `todoman --porcelain list` printed, PROJECT is `taskferry task list --json`, MAILBOX is what
mail-json printed; ACCOUNT is three words: an IMAP server's URL, a login, a file with the password.

    quickstart_values.py server SERVER TASK             a task as the server has it
    quickstart_values.py reason SERVER TASK             the reason of the last correction, from the description
    quickstart_values.py project PROJECT TASK PERSON    a person's task as the project has it
    quickstart_values.py revisions REVISIONS PROJECT PERSON
    quickstart_values.py without-address PEOPLE         of `taskferry resource list --json`
    quickstart_values.py lists LIST                     how many tasks are where
    quickstart_values.py id TASK                        todoman's number of a task, of a list on standard input
    quickstart_values.py edit DIRECTORY TASK PERCENT    write a percentage into the item of that task
    quickstart_values.py delivered PROJECT              how many items stand where; fails while one is missing
    quickstart_values.py has PROJECT PERSON [TASK PERCENT]...    fails unless all these tasks have that percentage
    quickstart_values.py corrected SERVER TASK          fails unless the task bears the reason of a correction
    quickstart_values.py mail-folders ACCOUNT           the folders of a mailbox
    quickstart_values.py mail-json ACCOUNT              all messages of taskferry's
    quickstart_values.py mail-show MAILBOX TASK         a message as a mail program shows it
    quickstart_values.py mail-words MAILBOX TASK        its percentage and status
    quickstart_values.py mail-edit ACCOUNT TASK PERCENT    change the percentage in a message's text
    quickstart_values.py mail-has MAILBOX TASK PERCENT  fails unless one message of that task is there, with that percentage
    quickstart_values.py seconds MICROSECONDS
    quickstart_values.py compare DIRECTORY PERSON DONE SIXTY IMPOSSIBLE READER TASK
"""
import base64
import collections
import datetime
import json
import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "servers"))
from mailclient import Mailbox, MailError, with_card    # noqa: E402

REASON = re.compile(r"^\W*Corrected \(revision \d+\):\s*(.+)$", re.MULTILINE)
NOTHING = "nothing is there"


class Missing(Exception):
    """Something that must be there once is not."""


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def one(rows, what):
    """The only row; a task that is there twice, or not at all, is never shown as if all were well."""
    rows = list(rows)
    if len(rows) != 1:
        raise Missing(f"{what}: {len(rows)} of them instead of one")
    return rows[0]


def on_server(path, task):
    return one((t for t in load(path) if t["summary"] == task), f'"{task}" on the server')


def in_project(path, task, person):
    rows = (t for t in load(path) if t["subject"] == task and t["email"] == person)
    return one(rows, f'"{task}" of {person} in the project')


def server_words(item):
    return f'{item["percent"]} %, {"done" if item["completed"] else "open"}'


def project_words(item):
    done = f', completed {item["completed_at"]}' if item["completed_at"] else ""
    return f'{item["percent"] or 0} %, {item["status"]}{done}'


def reason(item):
    found = REASON.search(item["description"] or "")
    return found.group(1) if found else None


# ---- printing ----


def print_server(path, task):
    print(server_words(on_server(path, task)))


def print_project(path, task, person):
    print(project_words(in_project(path, task, person)))


def print_reason(path, task):
    print(reason(on_server(path, task)) or NOTHING)


def print_without_address(path):
    print(", ".join(p["name"] or p["key"] for p in load(path) if not p["email"]) or "nobody")


def print_lists(path):
    lists = collections.defaultdict(list)
    for task in load(path):
        lists[task["list"]].append(task)
    for name, tasks in sorted(lists.items()):
        print(f"{name}: {len(tasks)} tasks, {sum(not t['completed'] for t in tasks)} open")


def revision_words(revision, subjects):
    for name, value in revision["fields"].items():
        yield (f'{revision["state"]}: {subjects.get(revision["assignment"], revision["assignment"])}: {name} '
               f'{value["theirs"]}, stands at {value["ours"]} (rule {revision["rule"]}: {revision["message"]})')


def print_revisions(path, project, person):
    subjects = {t["id"]: f'"{t["subject"]}" of {t["resource"]}' for t in load(project) if t["email"] == person}
    lines = [line for revision in load(path) for line in revision_words(revision, subjects)]
    print("\n".join(lines) or NOTHING)


def print_id(task):
    print(one((t for t in json.load(sys.stdin) if t["summary"] == task), f'"{task}"')["id"])


# ---- acting as a client ----


def item_text(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def find_item(directory, task):
    summary = re.compile(r"^SUMMARY(;[^:\r\n]*)?:" + re.escape(task) + r"\r?$", re.MULTILINE)
    found = (p for p in pathlib.Path(directory).glob("*/*.ics") if summary.search(re.sub(r"\r?\n[ \t]", "", item_text(p))))
    return one(found, f'"{task}" in {directory}')


def with_line(text, name, value):
    """TEXT with one content line of the task set, all others as they are."""
    line = f"{name}:{value}\r\n"
    old = re.compile(rf"^{name}[;:].*\r?\n", re.MULTILINE)
    if old.search(text):
        return old.sub(line, text, count=1)
    return re.sub(r"^END:VTODO\r?\n", lambda end: line + end.group(0), text, count=1, flags=re.MULTILINE)


def edit(directory, task, percent):
    path = find_item(directory, task)
    text = item_text(path)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    for name, value in (("PERCENT-COMPLETE", percent), ("STATUS", "IN-PROCESS"), ("LAST-MODIFIED", now)):
        text = with_line(text, name, value)
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(part, path)
    written = re.findall(r"^(?:PERCENT-COMPLETE|STATUS):.*?(?=\r?$)", item_text(path), re.MULTILINE)
    print(f"{path.name} now says {', '.join(sorted(written))}")


# ---- waiting: a negative answer is an exit code, not an error ----


def answer(yes):
    sys.exit(0 if yes else 1)


def delivered(path):
    accounts = collections.Counter()
    missing = 0
    for task in load(path):
        accounts.update(item["account"] for item in task["items"] if item["state"] == "ok")
        missing += bool(task["email"]) and not any(item["state"] == "ok" for item in task["items"])
    for account, count in sorted(accounts.items()):
        print(f"{account}: {count} items")
    answer(accounts and not missing)


def has(path, person, *wanted):
    answer(all((in_project(path, task, person)["percent"] or 0) == int(percent)
               for task, percent in zip(wanted[::2], wanted[1::2])))


def corrected(path, task):
    answer(reason(on_server(path, task)))


def print_seconds(microseconds):
    print(f"{int(microseconds) / 1e6:.1f}")


# ---- a mailbox ----


def open_mailbox(url, login, password_file):
    with open(password_file, encoding="utf-8") as file:
        return Mailbox(url, login, file.readline().strip())


def folder_words(name):
    """A folder's name as people see it (modified UTF-7)."""
    def part(found):
        text = found[1].replace(",", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"
    return re.sub(r"&([^-]*)-", part, name)


def mail_folders(*account):
    with open_mailbox(*account) as box:
        for name in box.folders():
            print(f"{folder_words(name)}: {len(box.messages(name))}")


def ours(box):
    return [message for message in box.messages() if message.header("X-Taskferry-UID")]


def mail_json(*account):
    with open_mailbox(*account) as box:
        rows = [{"folder": folder_words(message.folder), "card": message.card, "task": "BEGIN:VTODO" in message.calendar,
                 **{name.lower(): str(message.header(name)) for name in ("From", "To", "Subject", "Date")}}
                for message in ours(box)]
    json.dump(rows, sys.stdout)


def in_mailbox(path, task):
    return one((row for row in load(path) if row["subject"] == task), f'message "{task}" in the mailbox')


def mail_show(path, task):
    row = in_mailbox(path, task)
    print(f"[{row['folder']}]")
    for name in ("From", "To", "Subject", "Date"):
        print(f"{name}: {row[name.lower()]}")
    print("\n" + row["card"].rstrip())


def mail_edit(url, login, password_file, task, percent):
    with open_mailbox(url, login, password_file) as box:
        message = one((found for found in ours(box) if found.header("Subject") == task), f'message "{task}"')
        box.edit(message, with_card(message.raw, {"Percent": percent}))
        print(f"the message now says Percent: {percent}; it was stored anew, and the old one deleted")


def mail_percent(row):
    found = re.search(r"^Percent: (\d+)$", row["card"], re.MULTILINE)
    return int(found[1]) if found else None


def mail_words(path, task):
    card = in_mailbox(path, task)["card"]
    print(", ".join(re.findall(r"^(?:Percent|Status): .*", card, re.MULTILINE)))


def mail_has(path, task, percent):
    rows = [row for row in load(path) if row["subject"] == task]
    answer(len(rows) == 1 and mail_percent(rows[0]) == int(percent) and "Status: in process" in rows[0]["card"])


# ---- comparing ----

# What a task must be: percent and done on the server, percent and status in the project; before the report, after it, after
# the project followed. What the project holds at the second moment is not looked at: it may have followed already.
OPEN = ((0, False), (0, "needs-action"))
MUST = {
    "done": (OPEN, ((100, True), None), ((100, True), (100, "completed"))),
    "sixty": (((10, False), (10, "in-process")), ((60, False), None), ((60, False), (60, "in-process"))),
    "impossible": (OPEN, ((140, False), None), ((100, True), (100, "completed"))),
}
WHEN = ("before Ana's report", "after Ana's report", "when the project has followed")


class Comparison:
    def __init__(self):
        self.good = self.wrong = 0

    def value(self, what, must, found):
        if found == must:
            self.good += 1
            return
        self.wrong += 1
        print(f"   MISSING: {what}: must be {must}, is {found}")

    def part(self, function, *arguments):
        """One part of the comparison; what cannot even be looked at is missing."""
        try:
            function(self, *arguments)
        except Missing as missing:
            self.wrong += 1
            print(f"   MISSING: {missing}")


def compare_task(comparison, directory, person, task, kind):
    for number, (server_must, project_must) in enumerate(MUST[kind]):
        where = f'"{task}", {WHEN[number]}'
        server = on_server(directory / f"{number + 1}.server", task)
        comparison.value(f"{where}, on the server: (percent, done)", server_must, (server["percent"], server["completed"]))
        if project_must is None:
            continue
        project = in_project(directory / f"{number + 1}.project", task, person)
        comparison.value(f"{where}, in the project: (percent, status)", project_must,
                         (project["percent"] or 0, project["status"]))
        comparison.value(f"{where}, in the project: a completion date", project_must[1] == "completed",
                         project["completed_at"] is not None)
    comparison.value(f'"{task}", who changed it last in the project', True,
                     project["changed_by"].split(":")[0] in ("mailbox", "rule"))


def compare_correction(comparison, directory, person, task):
    item = in_project(directory / "3.project", task, person)
    where = f'"{task}", {WHEN[2]}'
    kept = [(r["fields"]["percent"]["theirs"], r["fields"]["percent"]["ours"]) for r in load(directory / "3.revisions")
            if r["assignment"] == item["id"] and r["state"] == "corrected" and "percent" in r["fields"]]
    comparison.value(f"{where}: corrected revisions of the percentage (theirs, ours)", [(140, 100)], kept)
    for name, reader in (("server", "the server"), ("desk", "Ana's device")):
        row = one((t for t in load(directory / f"3.{name}") if t["summary"] == task), f'"{task}" on {reader}')
        comparison.value(f"{where}: the reason of the correction, on {reader}", True, reason(row) is not None)
        comparison.value(f"{where}: (percent, done), on {reader}", (100, True), (row["percent"], row["completed"]))
    comparison.value(f"{where}: no reason before it was corrected", None, reason(on_server(directory / "1.server", task)))


def compare_mail(comparison, directory, reader, task):
    """Mei's report by editing a message: the project's, one message, nothing lost or left over."""
    before, after = (in_project(directory / f"{number}.project", task, reader) for number in (1, 4))
    comparison.value(f'"{task}" before: percent', 0, before["percent"] or 0)
    comparison.value(f'"{task}" after: (percent, status)', (70, "in-process"), (after["percent"], after["status"]))
    comparison.value(f'"{task}", who changed it last', "mailbox:mail/" + reader, after["changed_by"])
    first, last = (load(directory / f"{number}.mailbox") for number in (1, 4))
    mine = sorted(t["subject"] for t in load(directory / "1.project") if t["email"] == reader)
    for when, rows in (("before", first), ("after", last)):
        comparison.value(f"Mei's messages {when}", mine, sorted(row["subject"] for row in rows))
        comparison.value(f"messages {when} without a task for programs", [], [row["subject"] for row in rows if not row["task"]])
    comparison.value(f'the message "{task}": percent', 70, mail_percent(in_mailbox(directory / "4.mailbox", task)))
    comparison.value("revisions of Mei's", [], [r["fields"] for r in load(directory / "3.revisions")
                                                if r["assignment"] in (after["id"],)])


def compare_rest(comparison, directory, person, tasks):
    """All that was published is there, and nobody's other task moved."""
    first, last = load(directory / "1.project"), load(directory / "3.project")
    mine = sorted(t["subject"] for t in first if t["email"] == person)
    comparison.value("Ana's tasks on the server", mine, sorted(t["summary"] for t in load(directory / "1.server")))
    comparison.value("projects", 3, len({t["project"] for t in first}))
    comparison.value("people with items", 3, len({t["email"] for t in first if t["items"]}))
    comparison.value("tasks of people with an address that stand on no server", [],
                     [t["subject"] for t in last if t["email"] and not any(i["state"] == "ok" for i in t["items"])])
    others = {t["id"]: (t["percent"], t["status"], t["due"]) for t in first if t["email"] != person or t["subject"] not in tasks}
    after = {t["id"]: (t["percent"], t["status"], t["due"]) for t in last if t["id"] in others}
    comparison.value("tasks that nobody reported on, in the project", others, after)


def compare(directory, person, *words):
    comparison, directory = Comparison(), pathlib.Path(directory)
    *tasks, reader, mail_task = words
    for task, kind in zip(tasks, MUST):
        comparison.part(compare_task, directory, person, task, kind)
    comparison.part(compare_correction, directory, person, tasks[2])
    comparison.part(compare_mail, directory, reader, mail_task)
    comparison.part(compare_rest, directory, person, tasks)
    print(f"   {comparison.good} values are as they must be, {comparison.wrong} are not.")
    sys.exit(1 if comparison.wrong else 0)


COMMANDS = {
    "server": print_server,
    "project": print_project,
    "reason": print_reason,
    "revisions": print_revisions,
    "without-address": print_without_address,
    "lists": print_lists,
    "id": print_id,
    "edit": edit,
    "delivered": delivered,
    "has": has,
    "corrected": corrected,
    "seconds": print_seconds,
    "mail-folders": mail_folders,
    "mail-json": mail_json,
    "mail-show": mail_show,
    "mail-edit": mail_edit,
    "mail-has": mail_has,
    "mail-words": mail_words,
    "compare": compare,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except (Missing, MailError) as error:
        sys.exit(f"quickstart: {error}")
