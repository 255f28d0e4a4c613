"""Programs that want a terminal: keys are sent, and the screen is looked at."""
import os
import re
import shlex
import subprocess
import time

from lab import must

SCREEN_S = 60       # until the screen shows what it must


def tell(screen):
    for line in screen.splitlines():
        if line.strip():
            print(f"#  | {line}")


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:       # it has ended
        return []


class Screen:
    """A program in a tmux of its own."""

    def __init__(self, directory, runtime, name):
        self.directory, self.name = directory, name
        home = os.path.join(directory, "home")
        os.makedirs(home, exist_ok=True)
        self.env = dict(os.environ, HOME=home, TMUX_TMPDIR=runtime, LC_ALL="C.UTF-8", TERM="xterm-256color", TMPDIR=directory)
        self.env.pop("TMUX", None)

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-L", self.name, "-f", "/dev/null", *words], env=self.env, capture_output=True, text=True,
                              timeout=60, check=False)
        must(done.returncode == 0, f"tmux {words}: {done.stderr}")
        return done.stdout

    def start(self, *words):
        """When the program has ended, what it said last can still be seen for a while."""
        errors = shlex.quote(os.path.join(self.directory, self.name + ".err"))
        self.tmux("new-session", "-d", "-x", "110", "-y", "60", f"{shlex.join(words)} 2>{errors}; sleep 30")

    def text(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def shows(self, *texts, seconds=SCREEN_S):
        """Waits until all are there; fails with the whole screen. A text may be several lines' patterns."""
        end = time.monotonic() + seconds
        while True:
            screen = self.text()
            missing = [text for text in texts if not re.search(text, screen, re.M)]
            if not missing:
                return screen
            must(time.monotonic() < end, f"not on the screen: {missing}\n{screen}")
            time.sleep(0.2)

    def end(self):
        """Programs are hung up on, and gone when this returns: some take a while."""
        command = ["tmux", "-L", self.name]
        panes = subprocess.run([*command, "list-panes", "-a", "-F", "#{pane_pid}"], env=self.env, capture_output=True, text=True,
                               timeout=60, check=False)
        running = [pid for pane in panes.stdout.split() for pid in (pane, *children(pane))]
        subprocess.run([*command, "kill-server"], env=self.env, capture_output=True, timeout=60, check=False)
        end = time.monotonic() + SCREEN_S
        while any(os.path.exists(f"/proc/{pid}") for pid in running) and time.monotonic() < end:
            time.sleep(0.05)
