#!/usr/bin/python3
"""Publish N assignments to a real Radicale, then `sync` with nothing and with one item changed: seconds, requests, resident
memory, beside vdirsyncer doing the same work in the same run, the two in turn. Prints a table; asserts nothing.

usage: TASKFERRY=path/to/taskferry radicale_bench.py [N] [RUNS]      (needs radicale, vdirsyncer and time; loopback only)
"""
import glob
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TASKFERRY = os.environ.get("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
USERS = ("person00001@example.com", "vdirsyncer@example.com")


def timed(command, env=None):
    """Wall seconds, CPU seconds, peak resident MiB of the whole process. The peak is GNU time's: a child of ours would count
    what this Python had resident before it became that program."""
    with tempfile.NamedTemporaryFile() as peak:
        start = time.monotonic()
        process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command], env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{command}: {error.decode()}")
        return wall, usage.ru_utime + usage.ru_stime, int(peak.read()) / 1024


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.script = os.path.join(ROOT, "tests/servers/radicale.sh")
        subprocess.run(["sh", self.script, "start", folder, *USERS], check=True)
        self.url = open(os.path.join(folder, "url")).read().strip()

    def requests(self):
        """Requests so far: all, and those that write."""
        kinds = re.findall(r"\] (\w+) request for", open(os.path.join(self.folder, "log")).read())
        writes = [k for k in kinds if k in ("PUT", "DELETE", "MOVE", "MKCALENDAR", "MKCOL", "PROPPATCH")]
        return len(kinds), len(writes)

    def items(self, user):
        return sorted(glob.glob(f"{self.folder}/storage/collection-root/{user}/*/*.ics"))

    def touch(self, user, percent):
        """One item edited as by another client."""
        import base64
        import urllib.request
        path = self.items(user)[0]
        text = re.sub(r"PERCENT-COMPLETE:\d+\r?\n", "", open(path, newline="").read())
        text = text.replace("END:VTODO", f"PERCENT-COMPLETE:{percent}\r\nEND:VTODO")
        url = self.url.rstrip("/") + path.split("collection-root")[1]
        request = urllib.request.Request(url, text.encode(), method="PUT")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:secret".encode()).decode())
        urllib.request.urlopen(request).close()

    def stop(self):
        subprocess.run(["sh", self.script, "stop", self.folder], check=True)


def ferry_setup(folder, server, count):
    plan, ini = os.path.join(folder, "plan.xml"), os.path.join(folder, "tf.ini")
    generator = os.path.join(ROOT, "tests/bench/gen_mspdi.py")
    subprocess.run(["/usr/bin/python3", generator, str(count), "1", "1"], check=True, stdout=open(plan, "w"))
    with open(ini, "w") as out:
        out.write(f"[site]\nurl = https://pm.example.com/web\n[store]\ndsn = sqlite:{folder}/tf.db\n[server dav]\ntype = "
                  f"caldav\nurl = {server.url}\npassword = secret\nsettle = 0s\n")
    os.chmod(ini, 0o600)
    env = dict(os.environ, TASKFERRY_CONFIG=ini)
    for words in (["init"], ["import", plan], ["publish", "--all"]):
        subprocess.run([TASKFERRY, *words], env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return env


def vdir_setup(folder, server):
    user = USERS[1]
    os.makedirs(os.path.join(folder, "local/tasks"))
    config = os.path.join(folder, "vdir.conf")
    with open(config, "w") as out:
        out.write(f'[general]\nstatus_path = "{folder}/status/"\n[pair p]\na = "l"\nb = "r"\ncollections = ["tasks"]\n'
                  f'[storage l]\ntype = "filesystem"\npath = "{folder}/local/"\nfileext = ".ics"\n'
                  f'[storage r]\ntype = "caldav"\nurl = "{server.url}"\nusername = "{user}"\npassword = "secret"\n')
    subprocess.run(["vdirsyncer", "-c", config, "discover"], input=b"y\ny\ny\n", check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["vdirsyncer", "-v", "ERROR", "-c", config, "sync"]


def measure(server, command, env=None):
    before = server.requests()
    wall, cpu, rss = timed(command, env)
    after = server.requests()
    return wall, cpu, rss, after[0] - before[0], after[1] - before[1]


def one_run(count):
    folder = tempfile.mkdtemp(prefix="tf-bench-")
    server = Server(os.path.join(folder, "radicale"))
    rows = {}
    try:
        env = ferry_setup(folder, server, count)
        ferry = [TASKFERRY, "sync"]
        rows["publish", "taskferry"] = measure(server, ferry, env)
        vdir = vdir_setup(folder, server)
        for path in server.items(USERS[0]): # the same items
            shutil.copy(path, os.path.join(folder, "local/tasks"))
        rows["publish", "vdirsyncer"] = measure(server, vdir)
        subprocess.run(ferry, env=env, check=True, stdout=subprocess.DEVNULL) # the delta of our own writes
        for step, percent in (("nothing changed", None), ("one changed", 35)):
            if percent:
                for user in USERS:
                    server.touch(user, percent)
                time.sleep(1.1)
            rows[step, "taskferry"] = measure(server, ferry, env)
            rows[step, "vdirsyncer"] = measure(server, vdir)
        rows["items"] = len(server.items(USERS[0]))
    finally:
        server.stop()
        shutil.rmtree(folder)
    return rows


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    all_rows = [one_run(count) for _ in range(runs)]
    version = subprocess.run(["vdirsyncer", "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{all_rows[0]['items']} items, {runs} runs, medians; {version}; Radicale on loopback")
    print(f"{'':18}{'program':12}{'wall s':>9}{'CPU s':>8}{'RSS MiB':>9}{'requests':>10}{'writes':>8}")
    for step in ("publish", "nothing changed", "one changed"):
        walls = {}
        for program in ("taskferry", "vdirsyncer"):
            figures = [statistics.median(row[step, program][i] for row in all_rows) for i in range(5)]
            walls[program] = [row[step, program][0] for row in all_rows]
            print(f"{step:18}{program:12}{figures[0]:9.3f}{figures[1]:8.3f}{figures[2]:9.1f}{figures[3]:10.0f}{figures[4]:8.0f}")
        ratio = statistics.median(v / t for v, t in zip(walls["vdirsyncer"], walls["taskferry"]))
        print(f"{'':18}vdirsyncer / taskferry, wall, pair by pair: {ratio:.2f}")


main()
