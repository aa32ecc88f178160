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


class UpgradeCase(Case):
    def setUp(self):
        super().setUp()
        # Names of sockets are short: not in the folder, which may lie deep.
        place = pathlib.Path(tempfile.mkdtemp(prefix="up_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        self.door = place / "upgrade.sock"
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
        pid = int(re.findall(r"process (\d+) has taken over", self.log_text())[-1])
        self.addCleanup(self.end, pid)
        return pid

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
