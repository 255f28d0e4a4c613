#!/usr/bin/python3 -B
"""taskferry and mbsync on one throwaway Dovecot, in the same run, the two in turn. Prints tables; asserts nothing.

    publish   N assignments of one person; mbsync pushes the same messages from a Maildir
    raw       publishing alone, on Dovecot and Cyrus, by a new process and by the running service (from the commit of `publish`):
              beside mbsync and the limit, which is the same messages by MULTIAPPEND of a client that does nothing else, 100
              in a command, connection and login counted
    sync      with nothing changed, with one star set, and with one message edited, beside mbsync
    service   with nothing changed: the running service, asked for a round over its control socket, beside mbsync's process and
              a new process of ours, on Dovecot and Cyrus
    latency   with the service: from the APPEND of an edited message to the committed row (Dovecot's own delay before it tells
              an idling client is 0.5 s)
    scale     the service with 0, 200 and 1,000 mailboxes: resident memory, threads, descriptors, CPU while idle

usage: TASKFERRY=path/to/taskferry imap_bench.py [--items N] [--runs N] [--edits N] [--mailboxes N,N...] [PART...]
(needs dovecot-imapd, isync and time, for raw and service also an unpacked cyrus-imapd; loopback only; as root each mailbox has inotify,
else Dovecot polls beyond 128; TMPDIR on a tmpfs leaves the disk out of it)
"""
import argparse
import contextlib
import ctypes
import json
import mmap
import os
import re
import select
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TF_SRCDIR", ROOT)
os.environ.setdefault("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
from lab import (PASSWORD, PROGRAM, DovecotServer, Mailbox, NotInstalled, Proxy, Service, Site,      # noqa: E402
                 end_by_signals, first_line, login_of, run_script, wait_for, with_card, write_plan)

OURS, SERVED, PEER, RAW = "p0001", "p0002", "mbsync", "raw"     # logins: our process, our service, the peer, the limit
COMMITS_PAUSE_S = 0.0001
RAW_BATCH = 100         # messages in one MULTIAPPEND
PEOPLE_OF_LATENCY = 20
WARM_ROUNDS = 20        # until each worker has worked
SERVED_REST_S = 2
REST_S = 0.1            # until the service listens again
IDLE_S = 10
MBSYNC_REST_S = 1.1     # it sleeps until the second of a change in the Maildir is over: not to be measured


def timed(command, env=None):
    """(wall seconds, CPU seconds, peak resident MiB) of the whole process, and what it said. The peak is GNU time's: a child
    of ours would count what this Python had resident before it became that program."""
    with tempfile.NamedTemporaryFile() as peak:
        start = time.monotonic()
        process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command], env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{command}: exit {process.returncode}\n{said}")
        return (wall, usage.ru_utime + usage.ru_stime, int(peak.read()) / 1024), said


def counts(proxy, command, env=None):
    """The same through the proxy: commands, bytes sent, bytes received. Its time does not count."""
    before = proxy.commands, proxy.sent, proxy.received
    _, said = timed(command, env)
    time.sleep(0.2)
    return tuple(after - was for after, was in zip((proxy.commands, proxy.sent, proxy.received), before)), said


class Ferry:
    def __init__(self, directory, url, count, login=OURS):
        self.site = Site(directory, {
            "mail": f"type = imap\nurl = {url}\nlogin = %{{local}}\npassword = {PASSWORD}\nsettle = 0s\n"})
        self.site.prepare([login], count)
        self.command, self.env = [PROGRAM, "-v", "sync"], self.site.env

    def through(self, port):
        with open(self.site.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.site.config, "w", encoding="utf-8") as file:
            file.write(re.sub(r"(url = imap://127.0.0.1:)\d+", rf"\g<1>{port}", text))


class Mbsync:
    def __init__(self, directory, port):
        os.makedirs(os.path.join(directory, "mail", "tasks", "new"))
        os.makedirs(os.path.join(directory, "mail", "tasks", "cur"))
        os.makedirs(os.path.join(directory, "mail", "tasks", "tmp"))
        os.makedirs(os.path.join(directory, "mail", "INBOX"))
        self.directory, self.config = directory, os.path.join(directory, "mbsyncrc")
        self.through(port)
        self.command, self.env = ["mbsync", "-q", "-c", self.config, "tasks"], dict(os.environ, HOME=directory)

    def through(self, port):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"IMAPStore far\nHost 127.0.0.1\nPort {port}\nUser {PEER}\nPass {PASSWORD}\nSSLType None\n"
                       f"AuthMechs LOGIN\n\nMaildirStore near\nPath {self.directory}/mail/\nInbox {self.directory}/mail/INBOX\n"
                       f"SubFolders Verbatim\n\nChannel tasks\nFar :far:\nNear :near:\nPatterns tasks\nCreate Both\n"
                       f"Expunge Both\nSync All\nSyncState *\n")

    def fill(self, messages):
        for number, raw in enumerate(messages):
            with open(os.path.join(self.directory, "mail", "tasks", "new", f"1.{number}.bench"), "wb") as file:
                file.write(raw.replace(b"\r\n", b"\n"))
        time.sleep(MBSYNC_REST_S)


class Commits:
    """The counter of transactions in the index of SQLite's log (iChange of the WAL-index header): memory that is shared. Asking
    the database itself all the time would take one of two cores from those who are measured."""

    def __init__(self, path):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as db:
            db.execute("SELECT count(*) FROM project")
            with open(path + "-shm", "rb") as file:
                self.index = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)

    def number(self):
        return self.index[8:12]

    def wait_for_more(self, than, until):
        """(the number, when it came); (None, None): nothing came until then."""
        while (number := self.number()) == than:
            if time.monotonic() > until:
                return None, None
            time.sleep(COMMITS_PAUSE_S)
        return number, time.monotonic()


class Writes:
    """Waits until a file is written to, by inotify(7): asking for its size all the time would take CPU from those who are
    measured."""
    IN_MODIFY = 2

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(path), self.IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), f"inotify: {path}")

    def wait(self, seconds):
        """True: it was written to until then."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        return bool(ready)

    def close(self):
        os.close(self.fd)


def edit_one(url, login, percent):
    """One message edited in place by another client."""
    with Mailbox(url, login, PASSWORD) as box:
        message = next(found for found in box.messages() if found.header("X-Taskferry-UID"))
        box.edit(message, with_card(message.raw, {"Percent": percent}))


def star_one(url, login, off):
    """The star of one message set, or taken off, by another client."""
    with Mailbox(url, login, PASSWORD) as box:
        message = next(found for found in box.messages() if found.header("X-Taskferry-UID"))
        box.flag(message, "\\Flagged", remove=off)


def publish_and_sync(count, number):
    """One run: rows of (step, program) -> figures."""
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    rows = {}
    dovecot = DovecotServer(directory, [OURS, PEER], {"DOVECOT_LOG_WRITES": "no"})
    port = int(dovecot.url.rpartition(":")[2])
    proxy = Proxy(port)
    try:
        ferry = Ferry(os.path.join(directory, "ferry"), dovecot.url, count)
        peer = Mbsync(os.path.join(directory, "peer"), port)
        rows["publish", "taskferry"], said = timed(ferry.command, ferry.env)
        rows["publish", "taskferry says"] = said
        messages = [message.raw for message in dovecot.messages(OURS)]
        rows["size"] = statistics.mean(len(raw) for raw in messages)
        rows["items"] = len(messages)
        peer.fill(messages)
        rows["publish", "mbsync"], _ = timed(peer.command, peer.env)
        timed(ferry.command, ferry.env)         # what follows from our own writes
        timed(peer.command, peer.env)
        for step, percent in (("nothing changed", None), ("one flag", 0), ("one changed", 35 + number)):
            for measure in ("time", "count"):
                if percent == 0:
                    for login in (OURS, PEER):
                        star_one(dovecot.url, login, measure == "count")
                if percent:
                    for login in (OURS, PEER):
                        edit_one(dovecot.url, login, percent + (measure == "count"))
                time.sleep(MBSYNC_REST_S)
                for name, program in (("taskferry", ferry), ("mbsync", peer)) if number % 2 == 0 else \
                        (("mbsync", peer), ("taskferry", ferry)):
                    if measure == "time":
                        rows[step, name], _ = timed(program.command, program.env)
                    else:
                        program.through(proxy.port)
                        rows[step, name + " counts"], said = counts(proxy, program.command, program.env)
                        rows[step, name + " says"] = said
                        program.through(port)
    finally:
        proxy.close()
        dovecot.stop()
        shutil.rmtree(directory)
    return rows


def print_publish_and_sync(count, runs):
    all_rows = [publish_and_sync(count, number) for number in range(runs)]
    version = subprocess.run(["mbsync", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    dovecot = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{all_rows[0]['items']} messages of {all_rows[0]['size']:.0f} bytes, {runs} runs, medians; {version}; "
          f"Dovecot {dovecot}, Maildir without fsync, loopback, no TLS")
    print(f"{'':18}{'program':12}{'wall s':>9}{'CPU s':>8}{'RSS MiB':>9}{'commands':>10}{'sent':>9}{'received':>10}")
    for step in ("publish", "nothing changed", "one flag", "one changed"):
        for program in ("taskferry", "mbsync"):
            figures = [statistics.median(row[step, program][i] for row in all_rows) for i in range(3)]
            line = f"{step:18}{program:12}{figures[0]:9.3f}{figures[1]:8.3f}{figures[2]:9.1f}"
            if (step, program + " counts") in all_rows[0]:
                more = [statistics.median(row[step, program + " counts"][i] for row in all_rows) for i in range(3)]
                line += f"{more[0]:10.0f}{more[1]:9.0f}{more[2]:10.0f}"
            print(line)
        for i, what in ((0, "wall"), (1, "CPU")):
            ratio = statistics.median(row[step, "mbsync"][i] / max(row[step, "taskferry"][i], 1e-4) for row in all_rows)
            print(f"{'':18}mbsync / taskferry, {what}, pair by pair: {ratio:.2f}")
        for line in all_rows[0].get((step, "taskferry says"), "").splitlines():
            print(f"{'':18}taskferry -v sync: {line}")


class CyrusServer(DovecotServer):
    """What is measured of it is asked for in the same way."""
    kind = "cyrus"

    def start(self):
        run_script("cyrus", "start-imap", self.directory, *self.users)
        self.url = first_line(self.directory, "url")

    def stop(self):
        run_script("cyrus", "stop", self.directory)


def raw_publish(port, messages):
    """Seconds that the server takes for them when its client does nothing else."""
    commands = []
    for first in range(0, len(messages), RAW_BATCH):
        batch = messages[first:first + RAW_BATCH]
        commands.append(b"a APPEND tasks" + b"".join(b" {%d+}\r\n%s" % (len(raw), raw) for raw in batch) + b"\r\n")
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        def say(line):
            connection.sendall(line)
            while not (answer := answers.readline()).startswith(b"a "):
                if not answer:
                    sys.exit("the server has closed the connection")
            if not answer.startswith(b"a OK"):
                sys.exit(answer)
        answers.readline()
        for line in [b"a LOGIN %s %s\r\n" % (RAW.encode(), PASSWORD.encode()), b"a CREATE tasks\r\n", *commands]:
            say(line)
        say(b"a LOGOUT\r\n")
    return time.monotonic() - start


def publish_raw(kind, count):
    """One run: our process, mbsync's, each with its CPU; our service; the limit."""
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    os.chmod(directory, 0o711)      # so that Dovecot's mail stays here, and not on another file system
    server = {"dovecot": DovecotServer, "cyrus": CyrusServer}[kind](directory, [OURS, SERVED, PEER, RAW],
                                                                     {"DOVECOT_LOG_WRITES": "no"})
    port = int(server.url.rpartition(":")[2])
    try:
        ferry = Ferry(os.path.join(directory, "ferry"), server.url, count)
        peer = Mbsync(os.path.join(directory, "peer"), port)
        ours, _ = timed(ferry.command, ferry.env)
        messages = [message.raw for message in server.messages(OURS)]
        if len(messages) != count:
            sys.exit(f"{len(messages)} of {count} messages")
        peer.fill(messages)
        theirs, _ = timed(peer.command, peer.env)
        served = publish_served(os.path.join(directory, "served"), server.url, count)
        return ours, theirs, raw_publish(port, messages), served
    finally:
        server.stop()
        shutil.rmtree(directory)


def publish_served(directory, url, count):
    """Seconds from the commit of `publish` until the running service, which knows the person, has put everything there."""
    site = Ferry(directory, url, 1, SERVED).site
    with Service(site) as service:
        wait_for("listening", 60, lambda: site.json("status")["service"]["listening"] == 1)
        site.run("import", write_plan(os.path.join(directory, "second.xml"), [SERVED], count, "Second"), "--project", "second")
        time.sleep(SERVED_REST_S)       # the service has looked what was imported
        commits, log = Commits(site.database), Writes(service.log)
        number, until = commits.number(), time.monotonic() + 60
        publisher = subprocess.Popen([PROGRAM, "publish", "second"], env=site.env, stdout=subprocess.DEVNULL)
        _, start = commits.wait_for_more(number, until)
        log.wait(60)
        taken = time.monotonic() - start
        log.close()
        if publisher.wait() or f"created={count} " not in service.tail(1):
            sys.exit(f"not published at once:\n{service.tail()}")
    return taken


def print_raw(count, runs):
    for kind in ("dovecot", "cyrus"):
        try:
            rows = [publish_raw(kind, count) for _ in range(runs)]
        except NotInstalled as reason:
            print(f"{kind}: {reason}")
            continue
        raw = [row[2] for row in rows]
        peer = [row[1][0] for row in rows]
        print(f"{kind}, {count} messages, {runs} runs, medians: mbsync {statistics.median(peer):.3f} s, "
              f"MULTIAPPEND alone {statistics.median(raw):.3f} s")
        cpu = f" (CPU {statistics.median(row[0][1] for row in rows):.3f})"
        for what, ours, more in (("a new process", [row[0][0] for row in rows], cpu), ("the service", [row[3] for row in rows], "")):
            print(f"  {what:14} {statistics.median(ours):.3f} s{more}, mbsync / it "
                  f"{statistics.median(p / o for p, o in zip(peer, ours)):.2f}, "
                  f"it / limit {statistics.median(o / r for o, r in zip(ours, raw)):.2f}")
        sys.stdout.flush()


def ask_service(path):
    """One round, by the control socket; seconds until the result."""
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control, control.makefile("rb") as answers:
        control.connect(path)
        control.sendall(json.dumps({"command": "sync", "instance": None, "account": None, "account_id": None, "project": None,
                                    "project_id": None, "full": False}).encode() + b"\n")
        for line in answers:
            answer = json.loads(line)
            if "result" in answer:
                return time.monotonic() - start
            if "error" in answer:
                sys.exit(f"the service says {answer}")
    sys.exit("the service has closed the control socket")


def through_proxy(proxy, times, action):
    """(commands, bytes sent, bytes received) of one action, on the average."""
    time.sleep(0.5)
    before = proxy.commands, proxy.sent, proxy.received
    for _ in range(times):
        action()
    time.sleep(0.5)
    return tuple((after - was) / times for after, was in zip((proxy.commands, proxy.sent, proxy.received), before))


def service_rounds(kind, count, runs):
    """Rounds with nothing changed: name -> (seconds of each, (commands, sent, received))."""
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    os.chmod(directory, 0o711)
    server = {"dovecot": DovecotServer, "cyrus": CyrusServer}[kind](directory, [OURS, PEER], {"DOVECOT_LOG_WRITES": "no"})
    port = int(server.url.rpartition(":")[2])
    proxy = Proxy(port)
    taken = {"service": [], "process": [], "mbsync": []}
    told = {}
    try:
        ferry = Ferry(os.path.join(directory, "ferry"), server.url, count)
        peer = Mbsync(os.path.join(directory, "peer"), port)
        timed(ferry.command, ferry.env)
        peer.fill([message.raw for message in server.messages(OURS)])
        for program in (peer, peer, ferry, ferry):
            timed(program.command, program.env)
        time.sleep(MBSYNC_REST_S)
        for _ in range(runs):
            taken["process"].append(timed(ferry.command, ferry.env)[0][0])
            taken["mbsync"].append(timed(peer.command, peer.env)[0][0])
        for name, program in (("process", ferry), ("mbsync", peer)):
            program.through(proxy.port)
            told[name] = through_proxy(proxy, 1, lambda program=program: timed(program.command, program.env))
            program.through(port)
        for measure in ("time", "count"):
            if measure == "count":
                ferry.through(proxy.port)
            with Service(ferry.site):
                wait_for("listening", 60, lambda: ferry.site.json("status")["service"]["listening"] == 1)
                for _ in range(WARM_ROUNDS):
                    ask_service(ferry.site.control)
                    time.sleep(REST_S)
                if measure == "count":
                    told["service"] = through_proxy(proxy, runs, lambda: (ask_service(ferry.site.control), time.sleep(REST_S)))
                else:
                    for _ in range(runs):
                        taken["service"].append(ask_service(ferry.site.control))
                        time.sleep(REST_S)
        return taken, told
    finally:
        proxy.close()
        server.stop()
        shutil.rmtree(directory)


def print_service(count, runs):
    for kind in ("dovecot", "cyrus"):
        try:
            taken, told = service_rounds(kind, count, runs)
        except NotInstalled as reason:
            print(f"{kind}: {reason}")
            continue
        print(f"{kind}, {count} messages, nothing changed, {runs} rounds, medians")
        peer = statistics.median(taken["mbsync"])
        for name, what in (("service", "the running service"), ("process", "a new process"), ("mbsync", "mbsync")):
            wall = statistics.median(taken[name])
            print(f"  {what:22}wall ms {wall * 1000:8.2f}, mbsync / it {peer / wall:7.2f}, "
                  f"commands {told[name][0]:5.1f}, sent {told[name][1]:7.0f}, received {told[name][2]:9.0f}")


def percent_of(site):
    return {subject: number for subject, number in site.query(
        "SELECT (SELECT v.text FROM field_value v WHERE v.owner = a.task_id AND v.field = 'subject'), "
        "(SELECT CAST(v.text AS INTEGER) FROM field_value v WHERE v.owner = a.id AND v.field = 'percent') FROM assignment a")}


def print_latency(edits):
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, PEOPLE_OF_LATENCY + 1)]
    dovecot = DovecotServer(directory, people, {"DOVECOT_LOG_WRITES": "no"})
    site = Site(os.path.join(directory, "site"), {"mail": dovecot.config() + "poll = 1h\nsettle = 0s\nconnections = 100000\n"})
    waits, visible = [], []
    try:
        site.prepare(people, 1)
        with Service(site) as service:
            wait_for("the items", 60, lambda: site.items_delivered() == len(people))
            time.sleep(2)
            boxes = {login: Mailbox(dovecot.url, login, PASSWORD) for login in people}
            port = int(dovecot.url.rpartition(":")[2])
            wait_for("idling", 30, lambda: service.connections(port) >= len(people))
            for number in range(edits):
                login, percent = people[number % len(people)], 11 + number // len(people) * 2
                box = boxes[login]
                message = [found for found in box.messages() if found.header("X-Taskferry-UID")][-1]
                start = time.monotonic()
                box.append(message.folder, with_card(message.raw, {"Percent": percent}), [])
                appended = time.monotonic()
                box.delete(message)
                wait_for(f"edit {number}", 30, lambda p=percent, s=f"Task 1 of {login}": percent_of(site)[s] == p, 0.004)
                waits.append(time.monotonic() - appended)
                visible.append(appended - start)
            for box in boxes.values():
                box.close()
    finally:
        dovecot.stop()
        site.remove()
        shutil.rmtree(directory)
    waits.sort()
    print(f"{edits} edits over {len(people)} mailboxes, poll = 1h, settle = 0s: from the answer to APPEND to the committed row, "
          f"ms: median {statistics.median(waits) * 1000:.0f}, p90 {waits[int(0.9 * len(waits))] * 1000:.0f}, "
          f"p99 {waits[min(len(waits) - 1, int(0.99 * len(waits)))] * 1000:.0f}, most {waits[-1] * 1000:.0f} "
          f"(of it 500 are Dovecot's; the APPEND itself {statistics.median(visible) * 1000:.1f})")


def scale_of(mailboxes):
    """(RSS KiB, threads, descriptors, CPU seconds in IDLE_S) of a service that watches that many mailboxes."""
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, mailboxes + 1)]
    dovecot = DovecotServer(directory, people or ["nobody"], {
        "DOVECOT_LOG_WRITES": "no", "DOVECOT_UIDS": str(mailboxes // 100 + 1), "DOVECOT_IDLE_CHECK": "30"})
    site = Site(os.path.join(directory, "site"), {"mail": dovecot.config() + "poll = 1h\nsettle = 0s\nconnections = 100000\n"})
    try:
        if people:
            site.prepare(people, 1)
        else:
            site.run("init")
        with Service(site) as service:
            start = time.monotonic()
            port = int(dovecot.url.rpartition(":")[2])
            wait_for("the items", 300, lambda: site.items_delivered() == mailboxes, 0.5)
            wait_for("watching", 120, lambda: service.connections(port) >= mailboxes)
            ready = time.monotonic() - start
            time.sleep(3)
            cpu = service.cpu_s()
            time.sleep(IDLE_S)
            return (service.rss_kib(), service.threads(), service.descriptors(), service.cpu_s() - cpu, ready,
                    service.number_in_status("VmHWM"))
    finally:
        dovecot.stop()
        site.remove()
        shutil.rmtree(directory)


def print_scale(numbers):
    print(f"{'mailboxes':>10}{'RSS MiB':>9}{'peak':>7}{'KiB each':>10}{'threads':>9}{'descriptors':>12}"
          f"{f'CPU s in {IDLE_S} s':>15}{'all published, s':>18}")
    base = None
    for mailboxes in numbers:
        rss, threads, descriptors, cpu, ready, peak = scale_of(mailboxes)
        base = base if base is not None else rss
        each = f"{(rss - base) / mailboxes:.1f}" if mailboxes else "-"
        print(f"{mailboxes:10}{rss / 1024:9.1f}{peak / 1024:7.1f}{each:>10}{threads:9}{descriptors:12}{cpu:15.2f}{ready:18.1f}")


def main():
    end_by_signals()
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--mailboxes", default="0,200,1000")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    parts = options.parts or ["publish", "latency", "scale"]
    if "publish" in parts or "sync" in parts:
        print_publish_and_sync(options.items, options.runs)
    if "raw" in parts:
        print_raw(options.items, options.runs)
    if "service" in parts:
        print_service(options.items, options.runs)
    if "latency" in parts:
        print_latency(options.edits)
    if "scale" in parts:
        print_scale([int(number) for number in options.mailboxes.split(",")])


if __name__ == "__main__":
    main()
