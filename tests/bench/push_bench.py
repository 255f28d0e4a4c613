#!/usr/bin/python3 -B
"""How fast a service hears of what people do in their mailboxes, and what it costs to watch many. Prints figures; asserts nothing.

    latency   from a client's APPEND or STORE to the committed row, and to the moment at which the server tells another client
              that idles on the same mailbox: the difference is ours; on Dovecot and Cyrus
    simulate  N accounts on memory servers that push: what the service itself costs, without sessions
    scale     N mailboxes on a Dovecot that hibernates: memory, threads and CPU of the service while nothing happens, the time
              until all are listened to, and what it takes when a hundred change at once

usage: TASKFERRY=path/to/taskferry push_bench.py [--changes N] [--mailboxes N,N...] [--tls] [--accounts N] [PART...]
(needs dovecot-imapd, for latency also an unpacked cyrus-imapd; loopback only; as root each mailbox has inotify, else Dovecot
polls beyond 128)
"""
import argparse
import fcntl
import hashlib
import os
import re
import shutil
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TF_SRCDIR", ROOT)
os.environ.setdefault("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
from imap_bench import Commits, CyrusServer                                                          # noqa: E402
from lab import PASSWORD, DovecotServer, Mailbox, Service, Site, end_by_signals, login_of, wait_for, with_card  # noqa: E402

PEOPLE_OF_LATENCY = 10
IDLE_S = 10
AT_ONCE = 100
SIMULATED = 100
SIMULATED_CHANGES = 50
SETTINGS = "poll = 1h\nsettle = 0s\nconnections = 100000\n"


class Idler(threading.Thread):
    """Another client that idles on a mailbox; `told` is when the server last said something of interest."""

    def __init__(self, url, login, folder):
        super().__init__(daemon=True)
        host, _, port = url.rpartition("//")[2].partition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.file = self.socket.makefile("rb")
        self.told = threading.Event()
        self.told_at = 0.0
        for tag, line in (("a", f"LOGIN {login} {PASSWORD}"), ("b", f"SELECT {folder}")):
            self.socket.sendall(f"{tag} {line}\r\n".encode())
            while not self.file.readline().startswith(tag.encode() + b" "):
                pass
        self.socket.sendall(b"c IDLE\r\n")
        self.start()

    def run(self):
        for line in self.file:
            if line.startswith(b"* ") and not line.startswith((b"* OK", b"* FLAGS")) and not self.told.is_set():
                self.told_at = time.monotonic()
                self.told.set()


class Rows:
    """The number of the last change in the database."""

    def __init__(self, path):
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        self.commits = Commits(path)

    def last(self):
        return self.db.execute("SELECT max(seq) FROM change").fetchone()[0] or 0

    def wait_for_more(self, than, seconds=30):
        """When it was committed; None: it was not."""
        number, now, until = None, time.monotonic(), time.monotonic() + seconds
        while self.last() <= than:
            number, now = self.commits.wait_for_more(number, until)
            if number is None:
                return None
        return now


def print_line(what, values, unit="ms"):
    values = sorted(values)
    print(f"  {what:46}{unit}: median {statistics.median(values):8.2f}, p90 {values[int(0.9 * len(values))]:8.2f}, "
          f"most {values[-1]:8.2f}")


def started(site, dovecot, people, tls=False):
    service = Service(site)
    service.__enter__()
    wait_for("the items", 600, lambda: site.items_delivered() == len(people), 0.5)
    wait_for("listening", 600, lambda: site.json("status")["service"]["listening"] == len(people), 0.5)
    return service


def ours(box):
    return [found for found in box.messages() if found.header("X-Taskferry-UID")][-1]


def measure(box, idler, rows, change):
    """(row less telling, telling less change), ms."""
    before = rows.last()
    idler.told.clear()
    start = time.monotonic()
    change(box)
    changed = time.monotonic()
    committed = rows.wait_for_more(before)
    idler.told.wait(5)
    if committed is None or not idler.told.is_set():
        return None
    return (committed - idler.told_at) * 1000, (idler.told_at - changed) * 1000, (changed - start) * 1000


def latency_of(kind, changes):
    """Every second change is a message put there, the others are numbers set as tags."""
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, PEOPLE_OF_LATENCY + 1)]
    server = {"dovecot": DovecotServer, "cyrus": CyrusServer}[kind](directory, people, {"DOVECOT_LOG_WRITES": "no",
                                                                                     "DOVECOT_UIDS": "4"})
    site = Site(os.path.join(directory, "site"), {"mail": server.config() + SETTINGS})
    taken, missed = {"APPEND": [], "STORE": []}, {"APPEND": 0, "STORE": 0}
    try:
        site.prepare(people, 1)
        with started(site, server, people):
            rows = Rows(site.database)
            boxes = {login: Mailbox(server.url, login, PASSWORD) for login in people}
            idlers = {login: Idler(server.url, login, f'"{ours(box).folder}"'.replace('""', '"')) for login, box in boxes.items()}
            time.sleep(3)
            for number in range(changes):
                login = people[number % len(people)]
                box, message, how = boxes[login], ours(boxes[login]), ("APPEND", "STORE")[number // len(people) % 2]
                percent = 11 + number // len(people)
                if how == "STORE":
                    def change(at, message=message, percent=percent):
                        at.flag(message, str(percent))
                else:
                    def change(at, message=message, percent=percent):
                        at.append(message.folder, with_card(message.raw, {"Percent": percent}), [])
                found = measure(box, idlers[login], rows, change)
                if how == "APPEND":
                    box.delete(message)
                if found:
                    taken[how].append(found)
                else:
                    missed[how] += 1
                time.sleep(1)
    finally:
        server.stop()
        site.remove()
        shutil.rmtree(directory, ignore_errors=True)
    for how, found in taken.items():
        print(f"{kind}: {len(found)} changes by {how}, {len(people)} mailboxes, settle = 0s, no TLS ({missed[how]} without a row)")
        if found:
            print_line("the server tells, after the change", [one[1] for one in found])
            print_line("the row is committed, after that", [one[0] for one in found])
        sys.stdout.flush()


def wake(site, dovecot, people):
    """Seconds until AT_ONCE changes that were made at once are in the project."""
    rows = Rows(site.database)
    boxes = [Mailbox(dovecot.url, login, PASSWORD) for login in people]
    messages = [ours(box) for box in boxes]
    before = rows.db.execute("SELECT count(*) FROM change").fetchone()[0]
    start = time.monotonic()
    for box, message in zip(boxes, messages):
        box.append(message.folder, with_card(message.raw, {"Percent": 35}), [])
    appended = time.monotonic()
    while rows.db.execute("SELECT count(*) FROM change").fetchone()[0] < before + len(people):
        if time.monotonic() > start + 60:
            return None, None
        time.sleep(0.01)
    end = time.monotonic()
    for box in boxes:
        box.close()
    return appended - start, end - appended


def scale_of(mailboxes, tls):
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, mailboxes + 1)]
    dovecot = DovecotServer(directory, people or ["nobody"], {
        "DOVECOT_LOG_WRITES": "no", "DOVECOT_UIDS": str(mailboxes // 100 + 1), "DOVECOT_IDLE_CHECK": "30",
        "DOVECOT_HIBERNATE": "2s"})
    config = dovecot.config()
    if tls:
        with open(os.path.join(dovecot.directory, "tls-url"), encoding="utf-8") as file:
            config = config.replace(dovecot.url, file.read().strip()) + f"tls_ca = {dovecot.directory}/ca.pem\n"
    site = Site(os.path.join(directory, "site"), {"mail": config + SETTINGS})
    try:
        if people:
            site.prepare(people, 1)
        else:
            site.run("init")
        with Service(site) as service:
            wait_for("the items", 600, lambda: site.items_delivered() == mailboxes, 0.5)
        with Service(site) as service:      # again: what is measured is watching, not publishing
            start = time.monotonic()
            wait_for("listening", 600, lambda: site.json("status")["service"]["listening"] == mailboxes, 0.2)
            ready = time.monotonic() - start
            time.sleep(5)
            cpu = service.cpu_s()
            time.sleep(IDLE_S)
            figures = (service.rss_kib(), service.number_in_status("VmHWM"), service.threads(), service.cpu_s() - cpu, ready)
            return figures + (wake(site, dovecot, people[:AT_ONCE]) if mailboxes >= AT_ONCE else (None, None))
    finally:
        dovecot.stop()
        site.remove()
        shutil.rmtree(directory, ignore_errors=True)


def print_scale(numbers, tls):
    print(f"Dovecot that hibernates after 2 s, {'TLS' if tls else 'no TLS'}; the service was started again with all items in place")
    print(f"{'mailboxes':>10}{'RSS MiB':>9}{'peak':>7}{'kB each':>9}{'threads':>9}{f'CPU s in {IDLE_S} s':>15}{'all listen, s':>15}"
          f"{f'{AT_ONCE} APPENDs, s':>16}{'rows after, s':>15}")
    base = None
    for mailboxes in numbers:
        rss, peak, threads, cpu, ready, appends, rows = scale_of(mailboxes, tls)
        base = base if base is not None else rss
        each = f"{(rss - base) * 1.024 / mailboxes:.1f}" if mailboxes else "-"
        print(f"{mailboxes:10}{rss / 1024:9.1f}{peak / 1024:7.1f}{each:>9}{threads:9}{cpu:15.2f}{ready:15.1f}"
              + (f"{appends:16.2f}{rows:15.2f}" if appends is not None else f"{'-':>16}{'-':>15}"), flush=True)


class MemoryServer:
    """A memory server's file, changed as another client would."""

    def __init__(self, path):
        self.path = path

    def change(self, login, percent):
        """Gives one item of that account another percentage; returns when it was announced."""
        with open(self.path + ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with open(self.path, "rb") as file:
                text = file.read()
            seq = int(re.search(rb"^seq (\d+)$", text, re.M)[1]) + 1
            head = re.search(rf"^item (/{login}@[^\t]+)\t\d+\t(\d+)\t(\d+)$".encode(), text, re.M)
            item = text[head.end() + 1:head.end() + 1 + int(head[3])]
            changed = re.sub(rb"(?m)^(PERCENT-COMPLETE:\d+|STATUS:[A-Z-]+)\r\n", b"", item).replace(
                b"END:VTODO", b"PERCENT-COMPLETE:%d\r\nSTATUS:IN-PROCESS\r\nEND:VTODO" % percent)
            text = (text[:head.start()] + b"item %s\t%d\t%s\t%d\n%s" % (head[1], seq, head[2], len(changed), changed)
                    + text[head.end() + 1 + len(item):])
            with open(self.path + ".new", "wb") as file:
                file.write(re.sub(rb"(?m)^seq \d+$", b"seq %d" % seq, text, count=1))
            os.rename(self.path + ".new", self.path)
        user = re.search(rb"/([^/]+)/", head[1])[1]
        with open(f"{self.path}.push-{hashlib.sha256(user).hexdigest()[:16]}", "wb", buffering=0) as fifo:
            fifo.write(b"x")
        return time.monotonic()


def settle(service):
    """Until it does nothing for two seconds."""
    before = -1
    while service.cpu_s() - before > 0.02:
        before = service.cpu_s()
        time.sleep(2)


def simulated_latency(site, servers):
    """Milliseconds from an announcement to the committed row, one after the other."""
    rows, found = Rows(site.database), []
    for number in range(SIMULATED_CHANGES):
        server, login = servers[number * len(servers) // SIMULATED_CHANGES]
        before = rows.last()
        announced = server.change(login, 11 + number)
        committed = rows.wait_for_more(before)
        if committed:
            found.append((committed - announced) * 1000)
        time.sleep(0.2)
    return found


def simulate(accounts):
    """The limits of one process; SIMULATED accounts on each server, because a memory server is one file. All of it is in
    memory, because thousands of files that are written anew all the time are a measure of the disk."""
    directory = tempfile.mkdtemp(prefix="tf-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    people = [login_of(number) for number in range(1, accounts + 1)]
    servers, homes = {}, []
    for first in range(0, accounts, SIMULATED):
        some = people[first:first + SIMULATED]
        path = f"{directory}/m{first // SIMULATED}"
        servers[f"m{first // SIMULATED}"] = (f"type = memory\nurl = memory:{path}?push\nresources = "
                                             + ", ".join(f"{login}@example.com" for login in some) + "\n" + SETTINGS)
        homes += [(MemoryServer(path), login) for login in some]
    site = Site(os.path.join(directory, "site"), servers)

    def started_s(service):
        start, cpu = time.monotonic(), service.cpu_s()
        wait_for("listening", 1200, lambda: site.json("status")["service"]["listening"] == accounts, 1)
        return time.monotonic() - start, service.cpu_s() - cpu

    try:
        site.prepare(people, 1)
        with Service(site) as service:
            published, cpu = started_s(service)
            print(f"{accounts} accounts on {len(servers)} memory servers: published and listened to after {published:.0f} s, "
                  f"{cpu:.1f} s of CPU, peak {service.number_in_status('VmHWM') / 1024:.1f} MiB", flush=True)
        with Service(site) as service:
            ready, start_cpu = started_s(service)
            time.sleep(5)
            cpu = service.cpu_s()
            time.sleep(IDLE_S)
            idle = service.cpu_s() - cpu
            fifos = [os.path.join(directory, name) for name in os.listdir(directory) if ".push-" in name][:1000]
            cpu = service.cpu_s()
            for name in fifos:
                with open(name, "wb", buffering=0) as fifo:
                    fifo.write(b"x")
            time.sleep(IDLE_S)
            print(f"begun again: RSS {service.rss_kib() / 1024:.1f} MiB, peak {service.number_in_status('VmHWM') / 1024:.1f}, "
                  f"{service.threads()} threads, {service.descriptors()} descriptors, all listening after {ready:.0f} s and "
                  f"{start_cpu:.1f} s of CPU, {idle:.2f} s of CPU in {IDLE_S} s without events, {service.cpu_s() - cpu:.2f} s "
                  f"for {len(fifos)} that woke at once for nothing")
            settle(service)
            found = simulated_latency(site, homes)
            print_line(f"a change to its row ({len(found)} of {SIMULATED_CHANGES})", found)
    finally:
        site.remove()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    end_by_signals()
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--mailboxes", default="0,1000")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--accounts", type=int, default=10000)
    options = parser.parse_args()
    parts = options.parts or ["latency", "scale"]
    if "latency" in parts:
        for kind in ("dovecot", "cyrus"):
            latency_of(kind, options.changes)
    if "simulate" in parts:
        simulate(options.accounts)
    if "scale" in parts:
        print_scale([int(number) for number in options.mailboxes.split(",")], options.tls)


if __name__ == "__main__":
    main()
