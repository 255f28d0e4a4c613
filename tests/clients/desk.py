"""Ordinary clients of a calendar account at work: one story, told with todoman and vdirsyncer, python-caldav, and Evolution's
data server, over a real Radicale and the real program.

A client here has tasks() (subject -> text of the VTODO, as the client holds it after it has looked), and gestures: done,
undone, percent, due, note, create, delete. A gesture that a client does not have is None; the story says so and goes on.
"""
import contextlib
import datetime
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

from lab import (PASSWORD, Failed, NotInstalled, RadicaleServer, Site, Story, Tap, end_by_signals, login_of,
                 must, property_of, skip_all, wait_for, write_plan)
from servers import lines_of

LOGIN = login_of(1)
TASKS = 6
SEEN_S = 90         # for a client to show what the server holds: Evolution's data server looks in the background
CLIENT_S = 180      # for one command of a client
FOREIGN = ("X-OTHER-CLIENT;X-P=\"a,b\":keep; me, please", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT15M",
           "DESCRIPTION:Soon due", "END:VALARM")
DAY = "2027-02-03"


def subject(number):
    return f"Task {number} of {LOGIN}"


def text_of(value):
    """The text of a property's value (RFC 5545 section 3.3.11)."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value or "")


# ---- the clients ----

class Todoman:
    """todoman on the files that vdirsyncer carries; what it has no option for is edited by `todoman edit --raw`."""
    undone = None

    def __init__(self, directory, url, _folder):
        if not shutil.which("todoman") or not shutil.which("vdirsyncer"):
            raise NotInstalled("todoman or vdirsyncer is not installed")
        self.directory = directory
        os.makedirs(os.path.join(directory, "tasks"))
        self.env = dict(os.environ, LC_ALL="C.UTF-8", TZ="Europe/Berlin",
                        **{name: directory for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")})
        self.write("vdirsyncer", f"""[general]
status_path = "{directory}/status/"
[pair tasks]
a = "server"
b = "here"
collections = ["from a"]
[storage server]
type = "caldav"
url = "{url}"
username = "{LOGIN}"
password = "{PASSWORD}"
item_types = ["VTODO"]
[storage here]
type = "filesystem"
path = "{directory}/tasks/"
fileext = ".ics"
""")
        self.write("todoman.py", f'path = "{directory}/tasks/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\n'
                                 f'cache_path = "{directory}/cache.sqlite3"\ncolor = "never"\n')
        self.call("vdirsyncer", "-c", f"{directory}/vdirsyncer", "discover", words="y\n" * 20)
        self.carry()

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def call(self, *command, words="", env=None):
        done = subprocess.run(command, env=dict(self.env, **(env or {})), input=words, capture_output=True, text=True,
                              timeout=CLIENT_S, check=False)
        if done.returncode:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")
        return done.stdout

    def carry(self):
        self.call("vdirsyncer", "-v", "WARNING", "-c", f"{self.directory}/vdirsyncer", "sync")

    def todoman(self, *words, **more):
        return self.call("todoman", "--config", f"{self.directory}/todoman.py", *words, **more)

    def number(self, name):
        listed = json.loads(self.todoman("--porcelain", "list", "--status", "ANY"))
        found = [str(task["id"]) for task in listed if task["summary"] == name]
        must(len(found) == 1, f"todoman lists '{name}' {len(found)} times")
        return found[0]

    def tasks(self):
        self.carry()
        texts = []
        for path in glob.glob(f"{self.directory}/tasks/*/*.ics"):
            with open(path, encoding="utf-8", newline="") as file:
                texts.append(file.read())
        return {text_of(property_of(text, "SUMMARY")): text for text in texts}

    def raw(self, name, expression):
        """In an editor, which is sed."""
        editor = self.write("editor", f"#!/bin/sh\nexec sed -i -E '{expression}' \"$1\"\n")
        os.chmod(editor, stat.S_IRWXU)
        self.todoman("edit", "--raw", self.number(name), env={"EDITOR": editor, "VISUAL": editor})
        self.carry()

    def done(self, name):
        self.todoman("done", self.number(name))
        self.carry()

    def due(self, name, day):
        self.todoman("edit", "--due", day, self.number(name))
        self.carry()

    def percent(self, name, number):
        self.raw(name, f"/^PERCENT-COMPLETE:/d; s/^STATUS:.*/STATUS:IN-PROCESS/; s/^END:VTODO/PERCENT-COMPLETE:{number}\\n&/")

    def note(self, name, text):
        self.raw(name, f"s/^DESCRIPTION:/&{text}\\\\n/")

    def create(self, name):
        lists = os.listdir(f"{self.directory}/tasks")
        with open(f"{self.directory}/tasks/{lists[0]}/displayname", encoding="utf-8") if os.path.exists(
                f"{self.directory}/tasks/{lists[0]}/displayname") else contextlib.nullcontext() as file:
            self.todoman("new", "--list", file.read().strip() if file else lists[0], name)
        self.carry()

    def delete(self, name):
        self.todoman("delete", "--yes", self.number(name))
        self.carry()

    def end(self):
        pass


class PythonCaldav:
    """The library python-caldav, by its own methods where it has one."""

    def __init__(self, _directory, url, _folder):
        try:
            import caldav       # pylint: disable=import-outside-toplevel
        except ImportError:
            raise NotInstalled("python3-caldav is not installed") from None
        self.client = caldav.DAVClient(url, username=LOGIN, password=PASSWORD)
        self.principal = self.client.principal()

    def all(self):
        calendars = self.principal.calendars()
        must(len(calendars) == 1, f"{len(calendars)} calendars")
        found = calendars[0].todos(include_completed=True)
        for task in found:
            task.load()
        return found

    def of(self, name):
        found = [task for task in self.all() if str(task.vobject_instance.vtodo.summary.value) == name]
        must(len(found) == 1, f"'{name}' is there {len(found)} times")
        return found[0]

    def tasks(self):
        return {text_of(property_of(task.data, "SUMMARY")): task.data for task in self.all()}

    @staticmethod
    def put(task, name, value):
        vtodo = task.vobject_instance.vtodo
        if name not in vtodo.contents:
            vtodo.add(name)
        vtodo.contents[name][0].value = value

    def done(self, name):
        self.of(name).complete()

    def undone(self, name):
        self.of(name).uncomplete()

    def percent(self, name, number):
        task = self.of(name)
        self.put(task, "percent-complete", str(number))
        self.put(task, "status", "IN-PROCESS")
        task.save()

    def due(self, name, day):
        task = self.of(name)
        task.vobject_instance.vtodo.due.value = datetime.date.fromisoformat(day)
        task.save()

    def note(self, name, text):
        task = self.of(name)
        self.put(task, "description", f"{text}\n{task.vobject_instance.vtodo.description.value}")
        task.save()

    def create(self, name):
        self.principal.calendars()[0].save_todo(summary=name)

    def delete(self, name):
        self.of(name).delete()

    def end(self):
        pass


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir={directory}</listen><servicedir>{directory}/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
SERVICES = "/usr/share/dbus-1/services/org.gnome.evolution.dataserver."


class Evolution:
    """Evolution's data server on a session bus of its own, which knows no other services (no keyring that would ask)."""

    def __init__(self, _directory, url, folder):
        services = glob.glob(SERVICES + "Sources*.service") + glob.glob(SERVICES + "Calendar*.service")
        probe = subprocess.run(["/usr/bin/python3", "-c", "import gi; gi.require_version('ECal', '2.0')"], check=False,
                               capture_output=True)
        if len(services) != 2 or probe.returncode or not shutil.which("dbus-run-session"):
            raise NotInstalled("evolution-data-server, gir1.2-ecal-2.0, python3-gi or dbus-daemon is not installed")
        self.directory = tempfile.mkdtemp(prefix="tfe", dir="/tmp")     # sockets need a short name
        os.mkdir(f"{self.directory}/services")
        for path in services:
            shutil.copy(path, f"{self.directory}/services")
        with open(f"{self.directory}/bus.conf", "w", encoding="utf-8") as file:
            file.write(BUS.format(directory=self.directory))
        env = {"PATH": os.environ["PATH"], "HOME": self.directory, "XDG_RUNTIME_DIR": self.directory, "LC_ALL": "C.UTF-8",
               "TZ": "Europe/Berlin", "GIO_USE_VFS": "local", "GSETTINGS_BACKEND": "memory"}
        env.update({name: os.environ[name] for name in ("TF_RUN",) if name in os.environ})
        self.log = open(f"{self.directory}/log", "wb")
        self.process = subprocess.Popen(
            ["dbus-run-session", f"--config-file={self.directory}/bus.conf", "--", "/usr/bin/python3", "-B",
             os.path.join(os.path.dirname(os.path.abspath(__file__)), "evolution_peer.py"), url.rstrip("/") + folder, LOGIN,
             PASSWORD], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as file:
                raise Failed("Evolution's data server has gone: " + file.read()[-1000:])
        answer = json.loads(line)
        if "error" in answer:
            raise Failed("Evolution's data server: " + answer["error"])
        return answer["value"]

    def call(self, *order):
        self.process.stdin.write(json.dumps(order) + "\n")
        return self.answer()

    def tasks(self):
        self.call("refresh")
        return {text_of(property_of(f"BEGIN:VCALENDAR\n{text}", "SUMMARY")): text for text in self.call("texts")}

    def __getattr__(self, name):
        if name in ("done", "undone", "percent", "due", "note", "create", "delete"):
            return lambda *words: self.call(name, *words)
        raise AttributeError(name)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- the world around it ----

class World:
    def __init__(self, directory, make):
        self.directory, self.make, self.client = directory, make, None
        self.server = RadicaleServer(directory, [LOGIN])
        self.site = Site(os.path.join(directory, "site"), {
            "calendars": f"type = caldav\nurl = {self.server.url}\nlogin = %{{local}}\npassword = {PASSWORD}\n"
                         "settle = 0s\n"})
        with open(self.site.config, "a", encoding="utf-8") as file:
            file.write("[rights]\ngrace = 0s\n")

    def end(self):
        if self.client:
            self.client.end()
        self.server.stop()
        self.site.remove()

    # steps

    def begin(self):
        self.site.run("init")
        self.site.run("import", write_plan(os.path.join(self.site.directory, "plan.xml"), [LOGIN], TASKS))
        self.site.run("publish", "--all")
        self.sync()
        for user, _, _, text in self.server.items():
            if text_of(property_of(text, "SUMMARY")) == subject(1):
                self.server.change(property_of(text, "UID"), lambda raw: raw.replace(
                    "END:VTODO", "\r\n".join(FOREIGN) + "\r\nEND:VTODO"))
                must(user == LOGIN, user)
        self.sync()
        folders = self.server.members(f"/{LOGIN}/", LOGIN)
        must(len(folders) == 1, f"folders: {folders}")
        self.client = self.make(os.path.join(self.directory, "client"), self.server.url, folders[0])

    def sync(self):
        self.site.run("sync", codes=(0, 1))

    def quiet(self):
        """Nothing is left to say: neither of two more rounds writes."""
        before = self.server.writes()
        self.sync()
        self.sync()
        must(self.server.writes() == before, "a write although nothing had happened")

    def shown(self, what, condition):
        return wait_for(what, SEEN_S, lambda: condition(self.client.tasks()), pause=0.3)

    def task(self, number):
        return self.site.task(LOGIN, number)

    def report(self, gesture, number, *words):
        getattr(self.client, gesture)(subject(number), *words)
        self.server.pause()
        self.sync()
        self.quiet()

    def sees_all(self):
        tasks = self.shown("all tasks in the client", lambda tasks: len(tasks) == TASKS and tasks)
        for number in range(1, TASKS + 1):
            text = tasks[subject(number)]
            must(property_of(framed(text), "DUE") == "20270122", f"{subject(number)}: due {property_of(framed(text), 'DUE')}")
            must("--- taskferry ---" in text_of(property_of(framed(text), "DESCRIPTION")), "no trailer")

    def ticks_off(self):
        self.report("done", 1)
        task = self.task(1)
        must((task["status"], task["percent"]) == ("completed", 100), f"{task['status']}, {task['percent']} %")
        must(task["completed_at"], "completed, and nobody knows when")

    def keeps_foreign(self):
        """What another client put on the item is still there after this client's edit and ours."""
        self.site.run("task", "set", self.task(1)["id"], "subject=" + subject(1) + " again")
        self.sync()
        text = [text for _, _, _, text in self.server.items() if property_of(text, "SUMMARY") == subject(1) + " again"][0]
        lines = set(lines_of(text))
        lost = [line for line in FOREIGN if line.split(":")[0].split(";")[0] not in
                {found.split(":")[0].split(";")[0] for found in lines}]
        must(not lost and "keep" in property_of(text, "X-OTHER-CLIENT"), f"lost: {lost}")
        self.site.run("task", "set", self.task_again()["id"], "subject=" + subject(1))
        self.sync()
        self.shown("the old name", lambda tasks: subject(1) in tasks)

    def task_again(self):
        return self.site.tasks()[LOGIN, subject(1) + " again"]

    def unticks(self):
        self.report("undone", 1)
        task = self.task(1)
        must(task["status"] != "completed" and (task["percent"] or 0) < 100, f"{task['status']}, {task['percent']} %")

    def reports_percent(self):
        self.report("percent", 2, 40)
        task = self.task(2)
        must((task["status"], task["percent"]) == ("in-process", 40), f"{task['status']}, {task['percent']} %")

    def notes(self):
        self.report("note", 3, "Waiting for Oslo")
        must(self.task(3)["notes"] == "Waiting for Oslo", f"notes: {self.task(3)['notes']!r}")
        text = self.shown("the note", lambda tasks: "Oslo" in tasks[subject(3)] and tasks[subject(3)])
        must(text_of(property_of(framed(text), "DESCRIPTION")).count("--- taskferry ---") == 1, "two trailers")

    def postpones(self):
        """The plan is the project's: the person's wish becomes a proposal, and the item says so."""
        self.report("due", 4, DAY)
        must(self.task(4)["due"][:10] == "2027-01-22", f"due {self.task(4)['due']}")
        proposed = self.site.json("revisions", "--state", "proposed")
        must(len(proposed) == 1 and proposed[0]["fields"]["due"]["theirs"] == DAY, f"proposals: {proposed}")
        self.shown("the date of the project again", lambda tasks: property_of(framed(tasks[subject(4)]), "DUE") == "20270122")
        self.site.run("revision", "accept", proposed[0]["id"])
        self.sync()
        self.shown("the accepted date", lambda tasks: property_of(framed(tasks[subject(4)]), "DUE") == DAY.replace("-", ""))

    def manager_changes(self):
        self.site.run("task", "set", self.task(5)["id"], "subject=Renamed", "percent=30", "priority=1")
        self.sync()
        text = self.shown("the manager's change", lambda tasks: tasks.get("Renamed"))
        must(property_of(framed(text), "PERCENT-COMPLETE") == "30" and property_of(framed(text), "PRIORITY") == "1", text)
        self.site.run("task", "set", self.site.tasks()[LOGIN, "Renamed"]["id"], "subject=" + subject(5))
        self.sync()
        self.shown("the old name", lambda tasks: subject(5) in tasks)

    def both(self):
        """The manager and the person change different things before the next round."""
        self.site.run("task", "set", self.task(5)["id"], "priority=9")
        self.report("percent", 5, 70)
        must((self.task(5)["percent"], self.task(5)["priority"]) == (70, 9), "one of two changes was lost")
        self.shown("both changes", lambda tasks: property_of(framed(tasks[subject(5)]), "PRIORITY") == "9"
                   and property_of(framed(tasks[subject(5)]), "PERCENT-COMPLETE") == "70")

    def deletes(self):
        self.report("delete", 6)
        must(self.task(6)["items"][0]["state"] in ("declined", "removed"), f"{self.task(6)['items']}")
        must(subject(6) not in self.client.tasks(), "it came back")

    def own_task(self):
        self.client.create("Buy milk")
        self.sync()
        self.quiet()
        self.shown("the person's own task", lambda tasks: "Buy milk" in tasks)

    def nothing_lost(self):
        left = [revision for revision in self.site.json("revisions") if revision["state"] not in ("accepted",)]
        must(not left, f"revisions: {left}")
        items = [property_of(text, "UID") for _, _, _, text in self.server.items()]
        must(len(items) == len(set(items)) == TASKS, f"{len(items)} items, {len(set(items))} of different UIDs")


def framed(text):
    """A VTODO within a calendar, as property_of() wants it."""
    return text if "BEGIN:VCALENDAR" in text else f"BEGIN:VCALENDAR\n{text}"


STEPS = [
    ("the client shows all tasks, with dates and a trailer", "sees_all", None),
    ("ticked off in the client: done in the project", "ticks_off", "done"),
    ("what another client put on the item outlives both", "keeps_foreign", None),
    ("un-ticked: open again", "unticks", "undone"),
    ("a percentage", "reports_percent", "percent"),
    ("a note", "notes", "note"),
    ("another due date is a proposal; accepted, it comes to the client", "postpones", "due"),
    ("the manager's changes come to the client", "manager_changes", None),
    ("the manager and the person at once", "both", "percent"),
    ("deleted in the client: declined, and does not come back", "deletes", "delete"),
    ("the person's own task is left alone", "own_task", "create"),
    ("nothing was lost, nothing is there twice", "nothing_lost", None),
]


def main(make):
    """The whole story with one client; returns the exit status."""
    end_by_signals()
    tap, directory = Tap(), os.getcwd()
    try:
        world = World(directory, make)
    except NotInstalled as reason:
        skip_all(reason)
    story = Story(tap)
    try:
        try:
            world.begin()
        except NotInstalled as reason:
            skip_all(reason)
        for name, step, gesture in STEPS:
            if gesture and getattr(world.client, gesture) is None:
                print(f"# {name}: this client has no such gesture")
                continue
            story.step(name, getattr(world, step))
    finally:
        world.end()
    return tap.end()


if __name__ == "__main__":
    sys.exit("run todoman.test, python_caldav.test or evolution.test")
