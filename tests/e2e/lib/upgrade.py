"""A proxy that is replaced by a successor."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from lib import files
from lib.backend import response
from lib.case import Case


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def successors(door):
    """The processes that have been started to take over at `door`; the command that waits for one looks the same."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--upgrade" in words and f"--upgrade_socket={door}".encode() in words:
            found.append(int(entry.parent.name))
    return found


class UpgradeCase(Case):
    def setUp(self):
        super().setUp()
        # Names of sockets are short: not in the folder, which may lie deep.
        place = pathlib.Path(tempfile.mkdtemp(prefix="up_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        self.door = place / "upgrade.sock"
        self.addCleanup(self.sweep)
        self.upgrades = 0
        self.log = self.folder / "error.log"
        self.backends = [self.start_backend(lambda request, name=name: response(name), name=name) for name in ("a", "b")]

    def arguments(self, *more):
        """A flag of `more` wins."""
        return [*self.listener_flags(), *[backend.flag for backend in self.backends], "--health_check=false",
                "--admin=127.0.0.1:0", f"--upgrade_socket={self.door}", f"--error_log={self.log}", "--access_log=",
                "--shards=2", "--pin_shards=false", "--drain_timeout=10s",
                f"--io={os.environ.get('POSTERN_IO', 'auto')}", *more]

    def start(self, *more):
        return self.run_proxy(self.arguments(*more))

    def upgrade(self, *more, code=0):
        """The pid of the successor; it is ended with the test. Its standard error goes with the command's."""
        # Into a file: the successor keeps it open, and a pipe would not end with the command.
        with open(self.folder / "said", "wb") as said:
            result = subprocess.run([files.postern(), *self.arguments(*more), "--upgrade"], cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                                    timeout=files.PATIENCE_S, check=False)
        self.said = (self.folder / "said").read_text("utf-8")
        self.assertEqual(result.returncode, code, self.said)
        if code != 0:
            return None
        return self.adopt()

    def begin(self, *more):
        """Like upgrade, for a successor that does not get ready yet: the command that waits for it."""
        command = subprocess.Popen(  # pylint: disable=consider-using-with
            [files.postern(), *self.arguments(*more), "--upgrade"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.kill, command)
        return command

    def kill(self, command):
        """The successor that it waits for. Whether there was one."""
        killed = False
        for pid in successors(self.door):
            if pid != command.pid and command.poll() is None:
                os.kill(pid, signal.SIGKILL)
                killed = True
        command.wait(files.PATIENCE_S)
        return killed

    def hold_reading(self, *more):
        """A successor that waits for its key: it has asked, and has all sockets, but listens not yet."""
        path = self.folder / "held.key"
        os.mkfifo(path)

        def opened():
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads
                return None
        command = self.begin(f"--key={path}", *more)
        # Open, and never written, it has no end.
        self.addCleanup(os.close, files.wait_until(opened, "the successor reads its key"))
        return command

    def hold_logging(self, *more):
        """A successor that waits for a reader of its error log: it has adopted the sockets, and made its drivers."""
        access, self.held_log = self.folder / "held_access.log", self.folder / "held_error.log"
        for path in (access, self.held_log):
            os.mkfifo(path)
        reader = os.open(access, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)

        def opened():
            try:
                return os.read(reader, 1) != b""  # the end, as long as nobody writes
            except BlockingIOError:
                return True
        command = self.begin(f"--access_log={access}", f"--error_log={self.held_log}", *more)
        files.wait_until(opened, "the successor opens its logs: this one first")
        return command

    def release(self):
        """Lets the successor of hold_logging go on."""
        self.addCleanup(os.close, os.open(self.held_log, os.O_RDONLY | os.O_NONBLOCK))

    def finish(self, command):
        """The pid of a successor that goes on; it is ended with the test."""
        self.assertEqual(command.wait(files.PATIENCE_S), 0)
        return self.adopt()

    def adopt(self):
        """The pid of the one that has taken over last. The line may come after the command has ended."""
        self.upgrades += 1

        def told():
            return re.findall(r"process (\d+) has taken over", self.log_text())[self.upgrades - 1:]
        pid = int(files.wait_until(told, "the line of the upgrade")[0])
        self.addCleanup(self.end, pid)
        return pid

    def served(self):
        """How many requests have come to the servers."""
        return sum(len(backend.requests) for backend in self.backends)

    def await_served(self, more):
        count = self.served() + more
        files.wait_until(lambda: self.served() >= count, f"{more} more requests")

    def sweep(self):
        """Whoever has been left behind by a test that failed."""
        for pid in successors(self.door):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def await_let_go(self, proxy):
        """Until none of its shards accepts any more: for a moment after the successor is ready, both processes do."""
        def listens():
            lines = pathlib.Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
            listening = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[3] == "0A"}
            mine = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{proxy.pid}/fd").iterdir()}
            return bool(listening & mine)

        def let_go():
            try:
                return not listens()
            except OSError:  # a descriptor, or the process, has gone meanwhile
                return proxy.process.poll() is not None
        files.wait_until(let_go, "the replaced process has let go")

    def end(self, pid):
        if alive(pid):
            os.kill(pid, signal.SIGTERM)
            files.wait_until(lambda: not alive(pid), f"process {pid} ends")

    def log_text(self):
        return self.log.read_text("utf-8") if self.log.exists() else ""

    def taken_over(self, proxy):
        """The process that was replaced has ended, and well."""
        self.assertEqual(proxy.wait(), 0)
        proxy.check_logs()
