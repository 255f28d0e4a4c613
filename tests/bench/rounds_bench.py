#!/usr/bin/python3 -B
"""Ten thousand rounds in one service process: no growth of descriptors, threads or memory. Prints figures; asserts nothing.

Two kinds of server, one after the other: the memory server, each of whose accounts is polled once a second, and a real
Dovecot, where people edit their messages in place.

usage: TASKFERRY=path/to/taskferry rounds_bench.py [--rounds N] [--accounts N] [memory|dovecot]...
"""
import argparse
import os
import re
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TF_SRCDIR", ROOT)
os.environ.setdefault("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
from lab import PASSWORD, DovecotServer, Mailbox, Service, Site, login_of, wait_for, with_card     # noqa: E402

LINES = 10      # of figures while it goes
TASKS = 3


class Memory:
    name = "memory server"

    def __init__(self, directory, people):
        self.path = os.path.join(directory, "server")
        self.lines = f"type = memory\nurl = memory:{self.path}\nlogin = %{{local}}\npoll = 1s\npoll_max = 1s\nsettle = 0s\n"

    def rounds(self):
        with open(self.path, "rb") as file:
            found = re.search(rb"^count notice (\d+)$", file.read(), re.M)
        return int(found[1]) if found else 0

    def step(self):
        time.sleep(0.5)

    def stop(self):
        pass


class Dovecot:
    name = "Dovecot"

    def __init__(self, directory, people):
        self.log = os.path.join(directory, "site", "service.log")
        self.server = DovecotServer(directory, people, {"DOVECOT_LOG_WRITES": "no"})
        self.people, self.percent, self.boxes = people, 0, {}
        self.lines = self.server.config() + "poll = 1h\nsettle = 0s\n"

    def rounds(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return sum(" transfer " in line and " result=done" in line for line in file)

    def step(self):
        """Everybody edits a message in place."""
        self.percent = self.percent % 97 + 2
        for login in self.people:
            box = self.boxes.get(login)
            if not box:
                box = self.boxes[login] = Mailbox(self.server.url, login, PASSWORD)
            message = [found for found in box.messages() if found.header("X-Taskferry-UID")][-1]
            box.edit(message, with_card(message.raw, {"Percent": self.percent}))

    def stop(self):
        self.server.stop()


def figures(service):
    return service.rss_kib(), service.threads(), service.descriptors(), service.cpu_s()


def run(kind, rounds, accounts):
    directory = tempfile.mkdtemp(prefix="tf-bench-")
    people = [login_of(number) for number in range(1, accounts + 1)]
    server = kind(directory, people)
    site = Site(os.path.join(directory, "site"), {"srv": server.lines})
    try:
        site.prepare(people, TASKS)
        with Service(site) as service:
            wait_for("the items", 120, lambda: site.items_delivered() == TASKS * accounts, 0.5)
            print(f"{server.name}, {accounts} accounts with {TASKS} items:\n{'rounds':>10}{'RSS KiB':>10}{'threads':>9}"
                  f"{'descriptors':>13}{'CPU s':>8}{'s':>8}")
            start, first, told = time.monotonic(), server.rounds(), -1
            while True:
                done = server.rounds() - first
                if done * LINES // rounds > told:
                    told = done * LINES // rounds
                    rss, threads, descriptors, cpu = figures(service)
                    print(f"{done:10}{rss:10}{threads:9}{descriptors:13}{cpu:8.2f}{time.monotonic() - start:8.1f}", flush=True)
                if done >= rounds:
                    break
                service.must_live()
                server.step()
    finally:
        server.stop()
        site.remove()
        shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=10000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("kinds", nargs="*")
    options = parser.parse_args()
    for kind in options.kinds or ["memory", "dovecot"]:
        run({"memory": Memory, "dovecot": Dovecot}[kind], options.rounds, options.accounts)


if __name__ == "__main__":
    main()
