"""What the tests with real servers and the running service share: sites, plans, the service, people who edit, bad networks.

A test is a script of its own that prints TAP; it finds the program in TASKFERRY and the source tree in TF_SRCDIR.
"""
import base64
import contextlib
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "torture"))
from servers import (PASSWORD, SRCDIR, DovecotServer, Failed, Mailbox, NotInstalled, RadicaleServer,     # noqa: E402,F401
                     edit_text, first_line, property_of, run_script, server_logs, with_card)
from torture import Tap                                                                                  # noqa: E402,F401

PROGRAM = os.environ.get("TASKFERRY", "taskferry")
DOMAIN = "example.com"
COMMAND_TIMEOUT_S = 300
READY_TIMEOUT_S = 180
STOP_TIMEOUT_S = 60
THREADS_MAX = 26        # of the service, with any number of mailboxes


def wait_for(what, seconds, condition, pause=0.1):
    """Waits until condition() is true and returns its value; Failed when it takes longer than that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(pause)


def sanitized():
    """True when the program is built with sanitizers: slower, larger, and it cannot be preloaded."""
    return b"__asan_init" in open(PROGRAM, "rb").read()


# ---- plans ----

def login_of(number):
    return f"p{number:04d}"


def write_plan(path, people, tasks, title="Lab"):
    """A Project XML file: each of the logins has that many tasks, "Task 1 of p0001" and so on."""
    rows = {"Tasks": [], "Resources": [], "Assignments": []}
    uid = 0
    for number, login in enumerate(people, 1):
        rows["Resources"].append(f"<Resource><UID>{number}</UID><ID>{number}</ID><Name>Person {login}</Name><Type>1</Type>"
                                 f"<EmailAddress>{login}@{DOMAIN}</EmailAddress></Resource>")
        for task in range(1, tasks + 1):
            uid += 1
            when = "<Start>2027-01-11T08:00:00</Start><Finish>2027-01-22T17:00:00</Finish>"
            rows["Tasks"].append(f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>Task {task} of {login}</Name><Type>0</Type>"
                                 f"<IsNull>0</IsNull><OutlineLevel>1</OutlineLevel><Priority>500</Priority>{when}</Task>")
            rows["Assignments"].append(f"<Assignment><UID>{uid}</UID><TaskUID>{uid}</TaskUID><ResourceUID>{number}</ResourceUID>"
                                       f"<PercentWorkComplete>0</PercentWorkComplete>{when}<Work>PT40H0M0S</Work></Assignment>")
    body = "\n".join(f"<{name}>\n" + "\n".join(lines) + f"\n</{name}>" for name, lines in rows.items())
    with open(path, "w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<Project xmlns="http://schemas.microsoft.com/project">\n'
                   f"<Name>{title}.xml</Name><Title>{title}</Title><MinutesPerDay>480</MinutesPerDay>\n{body}\n</Project>\n")
    return path


# ---- sites ----

class Site:
    """A directory with a configuration and a database; commands are run in it."""

    def __init__(self, directory, servers, site=""):
        """SERVERS: name -> lines of its section. SITE: further lines of [site]."""
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.config = os.path.join(directory, "taskferry.ini")
        self.database = os.path.join(directory, "taskferry.db")
        self.runtime = tempfile.mkdtemp(prefix="tf", dir="/tmp" if len(directory) > 80 else directory)  # for sockets
        self.control = os.path.join(self.runtime, "control")
        self.env = dict(os.environ, TASKFERRY_CONFIG=self.config)
        self.env.pop("NOTIFY_SOCKET", None)
        self.write_config(servers, site)

    def write_config(self, servers, site=""):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"[site]\nurl = https://pm.example.com/web\nname = Lab\ntimezone = Europe/Berlin\n{site}"
                       f"[store]\ndsn = sqlite:{self.database}\n[control]\nsocket = {self.control}\n"
                       + "".join(f"[server {name}]\n{lines}" for name, lines in servers.items()))
        os.chmod(self.config, 0o600)

    def run(self, *words, codes=(0,)):
        """Runs a command and returns (standard output, standard error); Failed when it ends with none of the codes."""
        try:
            done = subprocess.run([PROGRAM, *words], env=self.env, capture_output=True, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, timeout=COMMAND_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"taskferry {' '.join(words)}: still running after {COMMAND_TIMEOUT_S} s") from None
        if done.returncode not in codes:
            raise Failed(f"taskferry {' '.join(words)}: exit {done.returncode}: {(done.stdout + done.stderr).strip()[-1500:]}")
        return done.stdout, done.stderr

    def json(self, *words):
        return json.loads(self.run(*words, "--json", codes=(0, 1))[0])

    def tasks(self):
        """(login, subject) -> object of `task list --json`."""
        return {(task["email"].split("@")[0], task["subject"]): task for task in self.json("task", "list")}

    def task(self, login, number=1):
        return self.tasks()[login, f"Task {number} of {login}"]

    def query(self, sql, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as db:
            return db.execute(sql, values).fetchall()

    def prepare(self, people, tasks):
        """A database with a published project."""
        self.run("init")
        self.run("import", write_plan(os.path.join(self.directory, "plan.xml"), people, tasks))
        self.run("publish", "--all")

    def items_delivered(self):
        return sum(any(item["state"] == "ok" for item in task["items"]) for task in self.json("task", "list"))

    def remove(self):
        if os.environ.get("TORTURE_KEEP"):
            return
        shutil.rmtree(self.runtime, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- the service ----

class Service:
    """`taskferry run` of a site. Its standard error is in the site's service.log, over all its runs."""

    def __init__(self, site, env=None):
        self.site = site
        self.env = dict(site.env, **(env or {}))
        self.log = os.path.join(site.directory, "service.log")
        self.process = None

    def start(self, wait=True):
        """Returns when the service has said that it is ready (sd_notify)."""
        path = os.path.join(self.site.runtime, "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.log, "ab") as log:
            notify.bind(path)
            self.process = subprocess.Popen([PROGRAM, "run"], env=dict(self.env, NOTIFY_SOCKET=path), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
            if wait:
                self.wait_ready(notify)
        return self

    def wait_ready(self, notify):
        end = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"the service has ended with {self.process.returncode}:\n{self.tail()}")
            if select.select([notify], [], [], 0.1)[0] and b"READY=1" in notify.recv(4096).split(b"\n"):
                return
        raise Failed(f"the service does not say that it is ready:\n{self.tail()}")

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            if kind:
                self.kill()
            else:
                self.stop()

    def lines(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def tail(self, count=30):
        return "\n".join(self.lines()[-count:])

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def must_live(self):
        if not self.alive():
            raise Failed(f"the service has ended with {self.process.poll() if self.process else None}:\n{self.tail()}")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """As a service manager does; returns the exit code."""
        self.must_live()
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the service does not end within {STOP_TIMEOUT_S} s after SIGTERM:\n{self.tail()}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    # figures

    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="utf-8") as file:
            return file.read()

    def number_in_status(self, key):
        return int(re.search(rf"^{key}:\s+(\d+)", self.proc("status"), re.M)[1])

    def threads(self):
        return self.number_in_status("Threads")

    def rss_kib(self):
        return self.number_in_status("VmRSS")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_s(self):
        fields = self.proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connections(self, port):
        """Established TCP connections of the service to that port."""
        inodes = set()
        for path in glob.glob(f"/proc/{self.process.pid}/fd/*"):
            with contextlib.suppress(OSError):
                found = re.match(r"socket:\[(\d+)\]", os.readlink(path))
                if found:
                    inodes.add(found[1])
        rows = [line.split() for line in self.proc("net/tcp").splitlines()[1:]]
        return sum(row[3] == "01" and int(row[2].split(":")[1], 16) == port and row[9] in inodes for row in rows)


# ---- people ----

def edit_message(box, subject, lines=None, note="", retries=50):
    """Edits our newest message of that task in place; returns when the old one is gone."""
    for _ in range(retries):
        found = [message for message in box.messages() if message.header("Subject") == subject
                 and message.header("X-Taskferry-UID")]
        if found:
            box.edit(found[-1], with_card(found[-1].raw, lines or {}, note))
            return found[-1]
        time.sleep(0.2)     # between the two steps of another's replacement
    raise Failed(f"{box.user}: no message '{subject}'")


def dav(url, user, method, path, body=None, headers=None):
    """(status, headers, text); errors are answers too."""
    request = urllib.request.Request(url.rstrip("/") + path, method=method, headers=headers or {},
                                     data=body.encode() if body is not None else None)
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=COMMAND_TIMEOUT_S) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, ""


def edit_resource(server, user, subject, edit, retries=20):
    """Replaces a VTODO on a Radicale by edit(text), on condition that nobody changed it meanwhile."""
    for _ in range(retries):
        for folder in server.members(f"/{user}/", user):
            for address in server.members(folder, user):
                status, headers, text = dav(server.url, user, "GET", address)
                if status != 200 or property_of(text, "SUMMARY") != subject:
                    continue
                status, _, _ = dav(server.url, user, "PUT", address, edit(text), {
                    "If-Match": headers["ETag"], "Content-Type": "text/calendar; charset=utf-8"})
                if status in (200, 201, 204):
                    return
                if status != 412:
                    raise Failed(f"{user}: PUT {address}: {status}")
        time.sleep(0.05)
    raise Failed(f"{user}: '{subject}' cannot be edited")


# ---- bad networks ----

class Proxy:
    """A TCP proxy to a port of loopback that can be stalled (nothing passes, nobody is told), cut (every connection is
    reset) and closed (new ones are refused). Counts bytes and what look like commands."""

    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.pairs = {}             # socket -> the other one
        self.upward = set()         # sockets of clients
        self.sent = self.received = self.commands = self.accepted = 0
        self.stalled = threading.Event()
        self.wake_r, self.wake_w = os.pipe()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.running = True
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def wake(self):
        os.write(self.wake_w, b"x")

    def stall(self):
        self.stalled.set()
        self.wake()

    def resume(self):
        self.stalled.clear()
        self.wake()

    def cut(self):
        with self.lock:
            for end in list(self.pairs):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")    # a reset
                end.close()
            self.pairs.clear()
            self.upward.clear()
        self.wake()

    def close(self):
        self.running = False
        self.wake()
        self.thread.join(10)
        self.cut()
        self.listener.close()

    def work(self):
        poll = select.poll()
        while self.running:
            with self.lock:
                ends = [] if self.stalled.is_set() else [*self.pairs, self.listener]
                by_number = {end.fileno(): end for end in ends if end.fileno() >= 0}
            poll = select.poll()
            for number in [self.wake_r, *by_number]:
                poll.register(number, select.POLLIN)
            for number, _ in poll.poll(1000):
                if number == self.wake_r:
                    os.read(self.wake_r, 4096)
                elif by_number[number] is self.listener:
                    self.accept()
                else:
                    self.forward(by_number[number])

    def accept(self):
        try:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            return
        server.settimeout(10)
        client.settimeout(10)
        with self.lock:
            self.accepted += 1
            self.pairs.update({client: server, server: client})
            self.upward.add(client)

    def passing(self, data, _upward):
        """What is sent on of it; a test may do something meanwhile."""
        return data

    def forward(self, end):
        with self.lock:
            other = self.pairs.get(end)
        if other is None:
            return
        try:
            data = end.recv(65536)
            if data:
                other.sendall(self.passing(data, end in self.upward))
        except OSError:
            data = b""
        with self.lock:
            if not data:
                for one in (end, other):
                    self.pairs.pop(one, None)
                    self.upward.discard(one)
                    one.close()
            elif end in self.upward:
                self.sent += len(data)
                self.commands += len(re.findall(rb"(?m)^[A-Za-z]{0,3}\d+ (?:UID )?[A-Z]{3,}\b", data))
            else:
                self.received += len(data)


class Hole:
    """A server that accepts and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.held = []
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        with contextlib.suppress(OSError):
            while True:
                self.held.append(self.listener.accept()[0])

    def close(self):
        self.listener.close()


# ---- tests ----

class Story:
    """A test whose steps build on each other: once one fails, the rest is not tried but counted as failed."""

    def __init__(self, tap):
        self.tap = tap
        self.broken = None

    def step(self, name, function, *words, fatal=False):
        if self.broken:
            self.tap.result(False, name, f"not tried, because this failed: {self.broken}")
            return None
        begin = time.monotonic()
        try:
            value = function(*words)
        except Exception as fault:      # whatever it is, it is a failure of this step  # pylint: disable=broad-except
            text = str(fault) if isinstance(fault, Failed) else traceback.format_exc()
            self.tap.result(False, name, f"{text}\n{server_logs()}")
            self.broken = name if fatal else None
            return None
        self.tap.result(True, f"{name} ({time.monotonic() - begin:.1f} s)")
        return value


def must(condition, text):
    if not condition:
        raise Failed(text() if callable(text) else text)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def end_by_signals():
    """SIGTERM ends a test as an exception, so that everything that it started is stopped."""
    def end(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
