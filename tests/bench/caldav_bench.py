#!/usr/bin/python3
"""Publish N assignments to real CalDAV servers, sync with nothing and with one item changed, and adopt what stands there:
seconds, CPU, resident memory, requests; beside the raw limit (raw_put: the same texts over 8 kept connections) and
vdirsyncer doing the same work in the same run, all in turn. Prints a table per server and size; asserts nothing.

usage: TASKFERRY=path/to/taskferry RAW_PUT=path/to/raw_put caldav_bench.py [-n 1000,10000] [-r RUNS] SERVER...

SERVER is the name of a script in tests/servers: cyrus, davical, xandikos, radicale. Loopback only; needs vdirsyncer and time.
"""
import base64
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TASKFERRY = os.environ.get("TASKFERRY", os.path.join(os.getcwd(), "taskferry"))
RAW_PUT = os.environ.get("RAW_PUT", os.path.join(os.getcwd(), "tests/bench/raw_put"))
FERRY, VDIR, RAW = "ferry", "vdir", "raw"
IDLE_TIMES = 5  # how often "nothing changed" is measured in one run
PACKAGES = {"cyrus": "cyrus-caldav", "davical": "davical", "xandikos": "xandikos", "radicale": "python3-radicale"}


def timed(command, env=None):
    """Wall seconds, CPU seconds, peak resident MiB of the whole process, requests as `taskferry -v` tells them."""
    with tempfile.NamedTemporaryFile() as peak:
        start = time.monotonic()
        process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command], env=env,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{command}: {said}")
        requests = re.search(r"requests: (\d+)", said)
        return (wall, usage.ru_utime + usage.ru_stime, int(peak.read()) / 1024,
                int(requests.group(1)) if requests else None, said)


def version_of(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True).stdout


class Server:
    def __init__(self, name, folder):
        self.folder = folder
        self.script = os.path.join(ROOT, f"tests/servers/{name}.sh")
        subprocess.run(["sh", self.script, "start", folder, FERRY, VDIR, RAW], check=True)
        self.url = open(os.path.join(folder, "url")).read().strip()

    def ask(self, method, path, user, body=None, headers=()):
        origin = re.match(r"http://[^/]*", self.url).group(0)
        request = urllib.request.Request(origin + path, None if body is None else body.encode(), dict(headers), method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:secret".encode()).decode())
        if method == "PUT":
            request.add_header("Content-Type", "text/calendar; charset=utf-8")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read()[:500]}")

    def stop(self):
        subprocess.run(["sh", self.script, "stop", self.folder], check=True)


class Ferry:
    """One database of taskferry, with COUNT assignments for one person."""

    def __init__(self, folder, server, plan):
        os.makedirs(folder)
        self.db, ini = os.path.join(folder, "tf.db"), os.path.join(folder, "tf.ini")
        with open(ini, "w") as out:
            out.write(f"[site]\nurl = https://pm.example.com/web\n[store]\ndsn = sqlite:{self.db}\n[server dav]\ntype = caldav\n"
                      f"url = {server.url}\nlogin = {FERRY}\npassword = secret\nsettle = 0s\n")
        os.chmod(ini, 0o600)
        self.env = dict(os.environ, TASKFERRY_CONFIG=ini)
        # doctor: what the server does is found out once a month, which is no part of publishing
        for words in (["init"], ["import", plan], ["doctor"], ["publish", "--all"]):
            subprocess.run([TASKFERRY, *words], env=self.env, check=words[0] != "doctor", stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def sync(self):
        return timed([TASKFERRY, "-v", "sync"], self.env)

    def items(self):
        with sqlite3.connect(self.db) as db:
            return db.execute("SELECT address, seen_text FROM link WHERE seen_text IS NOT NULL").fetchall()


def vdir_setup(folder, server, home):
    os.makedirs(os.path.join(folder, "local/bench"))
    config = os.path.join(folder, "vdir.conf")
    origin = re.match(r"http://[^/]*", server.url).group(0)
    with open(config, "w") as out:
        out.write(f'[general]\nstatus_path = "{folder}/status/"\n[pair p]\na = "l"\nb = "r"\ncollections = ["bench"]\n'
                  f'[storage l]\ntype = "filesystem"\npath = "{folder}/local/"\nfileext = ".ics"\n'
                  f'[storage r]\ntype = "caldav"\nurl = "{origin}{home}"\nusername = "{VDIR}"\npassword = "secret"\n')
    subprocess.run(["vdirsyncer", "-c", config, "discover"], input=b"y\ny\ny\n", check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["vdirsyncer", "-v", "ERROR", "-c", config, "sync"]


def edited(text, percent):
    """The item as another client would write it."""
    text = re.sub(r"PERCENT-COMPLETE:\d+\r?\n", "", text)
    return text.replace("END:VTODO", f"PERCENT-COMPLETE:{percent}\r\nEND:VTODO")


def publish(folder, server, ferry, rows):
    rows["publish", "taskferry"] = [ferry.sync()]
    items = ferry.items()
    texts = os.path.join(folder, "texts")
    home = os.path.dirname(items[0][0].rsplit("/", 1)[0]).replace(f"/{FERRY}", "/%s") + "/"
    os.makedirs(texts)
    for address, text in items:
        with open(os.path.join(texts, address.rsplit("/", 1)[1]), "w", newline="") as out:
            out.write(text)
    for user in (RAW, VDIR):
        server.ask("MKCALENDAR", home % user + "bench/", user)
    origin = re.match(r"http://[^/]*", server.url).group(0)
    raw = timed([RAW_PUT, f"{origin}{home % RAW}bench/", f"{RAW}:secret", texts])
    rows["publish", "raw"] = [(float(raw[4].split()[1]), *raw[1:])]
    vdir = vdir_setup(folder, server, home % VDIR)
    for name in os.listdir(texts):
        shutil.copy(os.path.join(texts, name), os.path.join(folder, "local/bench"))
    rows["publish", "vdirsyncer"] = [timed(vdir)]
    return vdir, home


def one_run(name, count):
    folder, rows = tempfile.mkdtemp(prefix="tf-bench-"), {}
    os.chmod(folder, 0o755)
    plan = os.path.join(folder, "plan.xml")
    generator = os.path.join(ROOT, "tests/bench/gen_mspdi.py")
    subprocess.run(["/usr/bin/python3", generator, str(count), "1", "1"], check=True, stdout=open(plan, "w"))
    server = Server(name, os.path.join(folder, "server"))
    try:
        ferry = Ferry(os.path.join(folder, "ferry"), server, plan)
        vdir, home = publish(folder, server, ferry, rows)
        ferry.sync()  # the delta of our own writes
        rows["items"] = len(ferry.items())
        for program in ("taskferry", "vdirsyncer"):
            rows["nothing changed", program] = []
        for _ in range(IDLE_TIMES):
            rows["nothing changed", "taskferry"].append(ferry.sync())
            rows["nothing changed", "vdirsyncer"].append(timed(vdir))
        address, text = ferry.items()[0]
        server.ask("PUT", address, FERRY, edited(text, 35))
        server.ask("PUT", home % VDIR + "bench/" + address.rsplit("/", 1)[1], VDIR, edited(text, 35))
        time.sleep(1.1)
        rows["one changed", "taskferry"] = [ferry.sync()]
        rows["one changed", "vdirsyncer"] = [timed(vdir)]
        rows["all adopted", "taskferry"] = [Ferry(os.path.join(folder, "lost"), server, plan).sync()]
    finally:
        server.stop()
        shutil.rmtree(folder)
    return rows


def show(runs):
    print(f"{'':18}{'program':12}{'wall s':>9}{'CPU s':>8}{'RSS MiB':>9}{'requests':>10}")
    for step in ("publish", "nothing changed", "one changed", "all adopted"):
        walls = {}
        for program in ("raw", "taskferry", "vdirsyncer"):
            rows = [row for run in runs for row in run.get((step, program), [])]
            if not rows:
                continue
            walls[program] = [row[0] for row in rows]
            wall, cpu, rss = (statistics.median(row[i] for row in rows) for i in range(3))
            requests = "" if rows[0][3] is None else f"{statistics.median(row[3] for row in rows):.0f}"
            print(f"{step:18}{program:12}{wall:9.3f}{cpu:8.3f}{rss:9.1f}{requests:>10}")
        for over, under in (("taskferry", "raw"), ("vdirsyncer", "taskferry")):
            if over in walls and under in walls:
                ratio = statistics.median(a / b for a, b in zip(walls[over], walls[under]))
                print(f"{'':18}{over} / {under}, wall, pair by pair: {ratio:.2f}")


def main():
    words, sizes, runs = sys.argv[1:], [1000], 3
    while len(words) > 1 and words[0] in ("-n", "-r"):
        if words[0] == "-n":
            sizes = [int(size) for size in words[1].split(",")]
        else:
            runs = int(words[1])
        words = words[2:]
    if not words:
        sys.exit(__doc__)
    peer = subprocess.run(["vdirsyncer", "--version"], capture_output=True, text=True).stdout.strip()
    for name in words:
        for size in sizes:
            rows = [one_run(name, size) for _ in range(runs)]
            print(f"\n{name} {version_of(PACKAGES.get(name, name))}, {rows[0]['items']} items, {runs} runs, medians; {peer}")
            show(rows)


main()
