"""What the torture runner talks to: the two kinds of server, each edited as another client of it would, and item texts."""
import base64
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

SRCDIR = os.environ.get("TF_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "secret"
DAV = "{DAV:}"


class Failed(Exception):
    """A case that did not end as it must; its text says why."""


class NotInstalled(Exception):
    """A server that this machine does not have."""


# ---- items ----

def unfold(text):
    return re.sub(r"\r?\n[ \t]", "", text)


def lines_of(text):
    return [line for line in unfold(text).replace("\r\n", "\n").split("\n") if line]


def property_of(text, name):
    """The value of a property of the VTODO itself, or None."""
    depth = 0
    for line in lines_of(text):
        head, _, value = line.partition(":")
        if head == "BEGIN":
            depth += 1
        elif head == "END":
            depth -= 1
        elif depth == 2 and head.split(";")[0] == name:
            return value
    return None


def edit_text(text, changes, block=""):
    """What a client does: properties of the VTODO replaced, added or (None) removed, a block added; all else stays."""
    left = dict(changes)
    out, depth = [], 0
    for line in re.findall(r"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n", text):
        name = re.split(r"[:;]", line, maxsplit=1)[0]
        depth += name == "BEGIN"
        if depth == 2 and name == "END" and line.startswith("END:VTODO"):
            out += [f"{key}:{value}\r\n" for key, value in left.items() if value is not None]
            out.append(block)
            left = {}
        depth -= name == "END"
        if depth == 2 and name in changes:
            value = left.pop(name, None)
            if value is not None:
                out.append(f"{name}:{value}\r\n")
            continue
        out.append(line)
    for key in [key for key in changes if ";" in key]:
        base = key.split(";")[0]
        out = [line for line in out if not line.startswith(base) or line.startswith(f"{key}:{changes[key]}")]
    return "".join(out)


# ---- servers ----

class MemoryServer:
    """The file of gateway/memory: read, edited and written as another client of the same server would."""
    kind = "memory"

    def __init__(self, directory):
        self.path = os.path.join(directory, "server")

    def config(self):
        return f"type = memory\nurl = memory:{self.path}\nlogin = %{{local}}\n"

    def script(self, lines):
        with open(self.path + ".faults", "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @contextlib.contextmanager
    def locked(self):
        with open(self.path + ".lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.load()

    def load(self):
        state = {"seq": 0, "counts": {}, "folders": [], "items": []}
        if not os.path.exists(self.path):
            return state
        with open(self.path, "rb") as file:
            data = file.read()
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            word, rest = data[at:end].decode().split(" ", 1)
            at = end + 1
            if word == "seq":
                state["seq"] = int(rest)
            elif word == "count":
                name, number = rest.split()
                state["counts"][name] = int(number)
            elif word == "folder":
                state["folders"].append(rest)
            elif word == "gone":
                address, version = rest.split("\t")
                state["items"].append([address, int(version), 0, None])
            else:
                address, version, modified, length = rest.split("\t")
                state["items"].append([address, int(version), int(modified), data[at:at + int(length)].decode()])
                at += int(length) + 1
        return state

    def save(self, state):
        out = [f"seq {state['seq']}\n"] + [f"count {name} {n}\n" for name, n in state["counts"].items()]
        out += [f"folder {folder}\n" for folder in state["folders"]]
        for address, version, modified, text in state["items"]:
            if text is None:
                out.append(f"gone {address}\t{version}\n")
            else:
                out.append(f"item {address}\t{version}\t{modified}\t{len(text.encode())}\n{text}\n")
        with open(self.path + ".new", "wb") as file:
            file.write("".join(out).encode())
        os.rename(self.path + ".new", self.path)

    def items(self):
        """(account, address, version, text) of all that is there."""
        with self.locked() as state:
            return [(item[0].split("/")[1], item[0], str(item[1]), item[3])
                    for item in state["items"] if item[3] is not None]

    def change(self, uid, edit):
        """Replaces the item of UID by edit(text); None removes it. False when there is none."""
        with self.locked() as state:
            for item in state["items"]:
                if item[3] is None or property_of(item[3], "UID") != uid:
                    continue
                state["seq"] += 1
                item[1:] = [state["seq"], time.time_ns() // 1000, edit(item[3])]
                self.save(state)
                return True
        return False

    def writes(self):
        with self.locked() as state:
            return state["counts"].get("writes", 0)

    def pause(self):
        time.sleep(0.01)        # between edits whose order decides

    def stop(self):
        pass


class RadicaleServer:
    """A Radicale of its own, and another client of it."""
    kind = "radicale"
    users = ("ana", "joerg", "mei")

    def __init__(self, directory):
        self.directory = os.path.join(directory, "radicale")
        self.script_file = os.path.join(SRCDIR, "tests", "servers", "radicale.sh")
        done = subprocess.run(["sh", self.script_file, "start", self.directory, *self.users], capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode == 77:
            raise NotInstalled("Radicale is not installed")
        if done.returncode:
            raise Failed(f"Radicale does not start: {done.stderr}")
        with open(os.path.join(self.directory, "url"), encoding="utf-8") as file:
            self.url = file.read().strip()

    def config(self):
        return f"type = caldav\nurl = {self.url}\nlogin = %{{local}}\npassword = {PASSWORD}\n"

    def clear(self):
        shutil.rmtree(os.path.join(self.directory, "storage", "collection-root"), ignore_errors=True)

    def request(self, method, path, user, body=None, headers=None):
        request = urllib.request.Request(self.url.rstrip("/") + path, method=method,
                                         data=body.encode() if body is not None else None, headers=headers or {})
        login = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", "Basic " + login)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Failed(f"another client's {method} {path}: {error}") from None

    def members(self, path, user):
        _, body = self.request("PROPFIND", path, user, headers={"Depth": "1"})
        addresses = [row.findtext(DAV + "href") for row in ET.fromstring(body).findall(DAV + "response")]
        return [address for address in addresses if address != path]

    def items(self):
        found = []
        for user in self.users:
            for folder in self.members(f"/{user}/", user):
                for address in self.members(folder, user):
                    headers, text = self.request("GET", address, user)
                    found.append((user, address, headers["ETag"], text))
        return found

    def change(self, uid, edit):
        for user, address, etag, text in self.items():
            if property_of(text, "UID") != uid:
                continue
            new = edit(text)
            condition = {"If-Match": etag}
            if new is None:
                self.request("DELETE", address, user, headers=condition)
            else:
                condition["Content-Type"] = "text/calendar; charset=utf-8"
                self.request("PUT", address, user, new, condition)
            return True
        return False

    def writes(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as file:
            return len(re.findall(r"\b(?:PUT|DELETE|MOVE|MKCALENDAR|MKCOL|PROPPATCH) request for", file.read()))

    def pause(self):
        time.sleep(1.05)        # its Last-Modified has whole seconds

    def stop(self):
        subprocess.run(["sh", self.script_file, "stop", self.directory], check=False, timeout=60)
