"""The real binary as a process."""

import os
import pathlib
import re
import resource
import signal
import subprocess

from lib import files

# What must never be in what it prints.
_DISASTERS = re.compile(r"CHECK failed|Sanitizer|runtime error:|Assertion|terminate called|core dumped")


def limit_descriptors(count):
    """For `before`: the process will have this many descriptors at most."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


class Proxy:
    """Starts at once and returns when it is ready. `before`: runs in the new process before the binary."""

    def __init__(self, folder, arguments, before=None, ready=True):
        self.folder = pathlib.Path(folder)
        self.out_path = self.folder / "access.log"
        self.err_path = self.folder / "error.log"
        self.ports = []
        self.admin_port = None
        self.stopped = False
        if os.geteuid() != 0:
            # Tests look into the process, and only root may do that by default.
            arguments = ["--core_dumps", *arguments]
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            # preexec_fn is harmless here: what it runs takes no lock.
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
                [files.postern(), *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder,
                preexec_fn=before)
        if ready:
            try:
                self._await_ready()
            except BaseException:
                self.kill()
                raise

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return self.ports[0]

    def errors(self):
        return self.err_path.read_text("utf-8", "replace")

    def accesses(self):
        return self.out_path.read_text("utf-8", "replace")

    def _await_ready(self):
        def ready_line():
            line = re.search(r"^postern: ready,.*\n", self.errors(), re.MULTILINE)
            if line is None and self.process.poll() is not None:
                raise AssertionError(f"the proxy ended with {self.process.returncode}: {self.errors()}")
            return line

        line = files.wait_until(ready_line, "the ready line").group(0)
        self.ports = [int(port) for port in re.findall(r", https? \S+:(\d+)", line)]
        admin = re.search(r"admin http://\S+:(\d+)/", line)
        self.admin_port = int(admin.group(1)) if admin else None

    def refusals(self):
        return [line for line in self.errors().splitlines() if " refused address=" in line]

    def await_refusals(self, count):
        """Waits for so many refusals in all, and returns them."""
        files.wait_until(lambda: len(self.refusals()) >= count, f"{count} refusals in the error log")
        return self.refusals()

    def await_access(self, pattern):
        """Waits for an access log line, and returns it."""
        def found():
            return re.search(f"^.*{pattern}.*$", self.accesses(), re.MULTILINE)
        return files.wait_until(found, f"an access log line with {pattern!r}").group(0)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience_s=files.PATIENCE_S):
        """The exit code."""
        code = self.process.wait(patience_s)
        self.stopped = True
        return code

    def check_logs(self):
        disaster = _DISASTERS.search(self.errors())
        if disaster:
            raise AssertionError(f"the proxy said {disaster.group(0)!r}:\n{self.errors()[-20000:]}")

    def stop(self):
        """SIGTERM; must end with 0 and without complaints."""
        if self.stopped:
            self.check_logs()
            return
        early = self.process.poll()
        if early is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)
            self.kill()
            raise AssertionError(f"the proxy did not end after SIGTERM:\n{self.errors()[-20000:]}") from None
        self.check_logs()
        if code != 0 or early is not None:
            when = "after SIGTERM" if early is None else "by itself"
            raise AssertionError(f"the proxy ended {when} with {code}:\n{self.errors()[-20000:]}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.stopped = True


def run_to_end(folder, arguments):
    """Runs the binary until it ends by itself: (exit code, lines of its standard error)."""
    result = subprocess.run([files.postern(), *arguments], cwd=folder, capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=files.PATIENCE_S, check=False)
    return result.returncode, result.stderr.splitlines()
