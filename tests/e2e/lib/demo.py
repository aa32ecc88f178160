"""The demonstration servers of the quick start, as processes with logs of their own."""

import os
import pathlib
import re
import subprocess
import sys

from lib import files


def program():
    root = os.environ.get("TEST_SRCDIR")
    top = pathlib.Path(__file__).parents[3] if root is None else pathlib.Path(root) / os.environ["TEST_WORKSPACE"]
    return top / "tools" / "backend.py"


class DemoServer:
    """Runs until kill(); start() brings it back on the same port."""

    def __init__(self, folder, name):
        self.name = name
        self.log = folder / f"{name}.log"
        self._port_file = folder / f"{name}.port"
        self._process = None
        self.port = 0
        self.start()

    def start(self):
        self._port_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-B", str(program()), f"--name={self.name}", f"--port={self.port}",
             f"--port_file={self._port_file}", f"--log={self.log}"], stdin=subprocess.DEVNULL)
        files.wait_until(self._port_file.exists, f"{self.name} to listen")
        self.port = int(self._port_file.read_text("ascii"))

    def kill(self):
        self._process.kill()
        self._process.wait()

    @property
    def flag(self):
        return f"--backend={self.name}@127.0.0.1:{self.port}"

    def requests(self):
        """The request lines in its log, without those of health checks."""
        lines = self.log.read_text("utf-8").splitlines()
        return [re.search('"([^"]*)"', line).group(1) for line in lines
                if '"' in line and not line.endswith("(health check)")]
