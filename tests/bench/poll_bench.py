#!/usr/bin/python3 -B
"""A thousand accounts on one host, polled by one service: polls a second, CPU of each, connections (opened, and the most at
once), resident memory, and what was written to the database. Prints figures; asserts nothing.

The service reaches the server through a relay that counts connections and requests, whose own time is part of none of the
figures. First all accounts get their items; then nothing happens, so that each poll finds nothing; then the service is started
again, which looks at everybody.

usage: TASKFERRY=path/to/taskferry poll_bench.py [--accounts N] [--projects N] [--poll S] [--seconds S] [radicale|cyrus|...]
"""
import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TF_SRCDIR", ROOT)
os.environ.setdefault("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
from lab import Service, Site, login_of, wait_for, write_plan     # noqa: E402

REQUEST = re.compile(rb"(?:^|\n)([A-Z]+) \S+ HTTP/1\.1\r\n")


class Relay(threading.Thread):
    """Hands connections on to a port of loopback, and counts."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.target, self.port, self.ready = port, 0, threading.Event()
        self.opened = self.now = self.most = self.requests = 0
        self.begins = []        # of requests, monotonic
        self.start()
        self.ready.wait()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def accept(self, reader, writer):
        self.opened += 1
        self.now += 1
        asyncio.get_running_loop().call_later(0.005, self.look)     # when those that were just closed are known to be
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self.copy(reader, forth, True), self.copy(back, writer, False))
        except OSError:
            pass
        finally:
            self.now -= 1
            writer.close()

    def look(self):
        self.most = max(self.most, self.now)

    async def copy(self, source, sink, counts):
        while data := await source.read(1 << 16):
            if counts:
                found = len(REQUEST.findall(data))
                self.requests += found
                self.begins += [time.monotonic()] * found
            sink.write(data)
            await sink.drain()
        sink.close()

    def reset(self):
        self.opened = self.requests = 0
        self.most = self.now
        self.begins = []


class Server:
    def __init__(self, name, folder, people):
        self.script, self.folder = os.path.join(ROOT, "tests/servers", f"{name}.sh"), folder
        subprocess.run(["sh", self.script, "start", folder, *people], check=True)
        with open(os.path.join(folder, "url"), encoding="utf-8") as file:
            self.url = file.read().strip()
        self.relay = Relay(int(re.search(r":(\d+)", self.url[5:])[1]))
        self.url = re.sub(r":\d+", f":{self.relay.port}", self.url, count=1)

    def stop(self):
        subprocess.run(["sh", self.script, "stop", self.folder], check=False)


def writes(site):
    """How much the database has grown in its log, and its version of the data as another process sees it."""
    path = site.database + "-wal"
    return (os.path.getmtime(path), os.path.getsize(path)) if os.path.exists(path) else (0, 0)


def busiest(begins):
    """The most requests in a second."""
    best = first = 0
    for last, begin in enumerate(begins):
        while begins[first] < begin - 1:
            first += 1
        best = max(best, last - first + 1)
    return best


def measure(name, server, site, service, seconds):
    relay = server.relay
    relay.reset()
    cpu, start, changed = service.cpu_s(), time.monotonic(), 0
    before = writes(site)
    while time.monotonic() - start < seconds:
        time.sleep(0.5)
        now = writes(site)
        changed += now != before
        before = now
        service.must_live()
    took, cpu = time.monotonic() - start, service.cpu_s() - cpu
    count = relay.requests or 1
    print(f"{name:14}{relay.requests:9}{relay.requests / took:9.1f}{relay.opened:10}{relay.most:7}{busiest(relay.begins):9}"
          f"{cpu / count * 1000:10.2f}{cpu / took * 100:7.1f}{service.rss_kib() / 1024:9.1f}{changed / took * 60:10.1f}", flush=True)


def run(name, options):
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, options.accounts + 1)]
    server = Server(name, os.path.join(directory, "server"), people)
    site = Site(os.path.join(directory, "site"),
                {"srv": f"type = caldav\nurl = {server.url}\nlogin = %{{local}}\npassword = secret\npoll = {options.poll}s\n"
                        f"poll_max = {options.poll}s\nsettle = 0s\n"})
    try:
        start = time.monotonic()
        site.run("init")
        for number in range(options.projects):
            title = f"Lab {number}"
            site.run("import", write_plan(os.path.join(site.directory, "plan.xml"), people, 1, title), "--project", f"lab{number}")
        site.run("publish", "--all")
        with Service(site) as service:
            total = options.accounts * options.projects
            wait_for("the items", 1200, lambda: site.items_delivered() == total, 3)
            print(f"{name}, {options.accounts} accounts with {options.projects} folders, poll = {options.poll}s; "
                  f"made in {time.monotonic() - start:.0f} s\n{'':14}{'requests':>9}{'/s':>9}{'connect.':>10}{'most':>7}"
                  f"{'/s most':>9}{'CPU ms':>10}{'CPU %':>7}{'RSS MiB':>9}{'writes/min':>10}", flush=True)
            measure("warming up", server, site, service, 3 * options.poll)
            measure("at rest", server, site, service, options.seconds)
            status = site.json("status")
            lags = sorted(account["lag_s"] for account in status["accounts"])
            print(f"lag: median {lags[len(lags) // 2]} s, most {lags[-1]} s; states "
                  f"{sorted({account['state'] for account in status['accounts']})}")
        with Service(site) as service:
            measure("started again", server, site, service, options.seconds)
    finally:
        server.stop()
        site.remove()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--projects", type=int, default=1)
    parser.add_argument("--poll", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("servers", nargs="*")
    options = parser.parse_args()
    for name in options.servers or ["radicale"]:
        run(name, options)


if __name__ == "__main__":
    main()
