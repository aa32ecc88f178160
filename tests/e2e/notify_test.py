"""What a service manager hears: a real datagram socket in the place of systemd's."""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import time
import unittest

from lib import files
from lib.case import Case

# From <sys/ptrace.h> and <sys/wait.h>.
PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000


class Manager:
    """Collects datagrams; `name` is what NOTIFY_SOCKET says."""

    def __init__(self, name):
        self.name = name
        self.messages = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.setblocking(False)

    def environment(self, watchdog_us=None):
        """For `before` of a proxy: sets the variables in the new process."""
        def set_variables():
            os.environ["NOTIFY_SOCKET"] = self.name
            if watchdog_us is not None:
                os.environ["WATCHDOG_USEC"] = str(watchdog_us)
                os.environ["WATCHDOG_PID"] = str(os.getpid())
        return set_variables

    def read(self):
        try:
            while True:
                self.messages.append(self.socket.recv(4096).decode("utf-8"))
        except BlockingIOError:
            return self.messages

    def count(self, beginning):
        return sum(message.startswith(beginning) for message in self.read())

    def expect(self, beginning, count=1):
        """Waits for the so-many-th message that begins like this, and returns it."""
        files.wait_until(lambda: self.count(beginning) >= count, f"{count} times {beginning!r}")
        return [message for message in self.messages if message.startswith(beginning)][count - 1]


class StoppedThread:
    """One thread of another process stands still, as one that hangs would."""

    def __init__(self, pid, name):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.thread, = [int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                        if (task / "comm").read_text("ascii").strip() == name]
        if self.libc.ptrace(PTRACE_ATTACH, self.thread, None, None) != 0:
            raise unittest.SkipTest(f"ptrace: {os.strerror(ctypes.get_errno())}")
        os.waitpid(self.thread, WALL)

    def go_on(self):
        if self.thread is not None:
            self.libc.ptrace(PTRACE_DETACH, self.thread, None, None)
            self.thread = None


class NotifyTest(Case):
    def manager(self, abstract=False):
        # A socket's path has 107 bytes at most: the folders of a test may be deeper.
        folder = tempfile.mkdtemp(prefix="notify_", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        manager = Manager(f"@{folder}" if abstract else f"{folder}/socket")
        self.addCleanup(manager.socket.close)
        return manager

    def config(self, port=0):
        return f"""
listeners {{
  name: "a"
  address: "127.0.0.1:{port}"
  certificates {{ certificate_file: "{self.pki.chain('server')}" key_file: "{self.pki.key('server')}" }}
  default_server_group: "g"
}}
server_groups {{ name: "g" servers {{ name: "s" host: "127.0.0.1" port: 1 }} health_check {{ enabled: false }} }}
"""

    def test_ready_and_stopping(self):
        for abstract in (False, True):
            manager = self.manager(abstract)
            proxy = self.start_proxy("--backend=127.0.0.1:1", before=manager.environment())
            self.assertEqual(manager.expect("READY=1"), "READY=1\nSTATUS=serving generation 1 with 2 shards\n")
            proxy.signal(signal.SIGTERM)
            self.assertEqual(proxy.wait(), 0)
            self.assertEqual(manager.read()[1:], ["STOPPING=1\nSTATUS=draining for at most 10000 ms\n"
                                                  "EXTEND_TIMEOUT_USEC=20000000\n"])

    def start_from_file(self, manager):
        path = self.folder / "postern.textproto"
        path.write_text(self.config(), "utf-8")
        proxy = self.run_proxy([f"--config={path}", "--shards=2", "--pin_shards=false", "--watch_files=false"],
                               before=manager.environment())
        manager.expect("READY=1")
        return path, proxy

    def reload(self, manager, proxy, number):
        """SIGHUP; the message that ends this reload, the so-many-th one."""
        asked_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        proxy.signal(signal.SIGHUP)
        begun = re.match(r"RELOADING=1\nMONOTONIC_USEC=(\d+)\n", manager.expect("RELOADING=1", number))
        ready = manager.expect("READY=1", number + 1)
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        # By this systemd tells the reload that it has asked for from one that had begun before.
        self.assertTrue(asked_us <= int(begun.group(1)) <= now_us, (asked_us, begun, now_us))
        return ready

    def test_reload(self):
        manager = self.manager()
        path, proxy = self.start_from_file(manager)
        good = path.read_text("utf-8")
        path.write_text(good + "revocation_grace_ms: 1000\n", "utf-8")
        self.assertIn("STATUS=serving generation 2 with 2 shards\n", self.reload(manager, proxy, 1))
        path.write_text(good + "nonsense: 1\n", "utf-8")
        self.assertRegex(self.reload(manager, proxy, 2), r"\nSTATUS=reload failed, generation 2 goes on: .*nonsense")
        path.write_text(good, "utf-8")
        self.assertIn("STATUS=serving generation 3 with 2 shards\n", self.reload(manager, proxy, 3))

    def test_files_that_change_by_themselves(self):
        manager = self.manager()
        path = self.folder / "postern.textproto"
        good = self.config()
        path.write_text(good, "utf-8")
        proxy = self.run_proxy([f"--config={path}", "--shards=2", "--pin_shards=false"], before=manager.environment())
        manager.expect("READY=1")
        # Nothing is different, and nothing is said.
        path.write_text(good, "utf-8")
        path.write_text("nonsense: 1\n", "utf-8")
        manager.expect("STATUS=reload failed, generation 1 goes on: ")
        path.write_text(good, "utf-8")
        manager.expect("STATUS=serving generation 1 ")
        self.assertEqual(manager.count("RELOADING=1"), 0)
        path.write_text(good + "revocation_grace_ms: 1000\n", "utf-8")
        self.assertIn("generation 2", manager.expect("READY=1", 2))
        self.assertEqual(manager.count("RELOADING=1"), 1)
        proxy.stop()

    def test_a_shard_that_hangs_stops_the_watchdog(self):
        manager = self.manager()
        proxy = self.start_proxy("--backend=127.0.0.1:1", before=manager.environment(watchdog_us=400_000))
        manager.expect("WATCHDOG=1", 3)
        hung = StoppedThread(proxy.pid, "shard-1")
        self.addCleanup(hung.go_on)
        # What was on its way when the thread was stopped may still come.
        time.sleep(0.4)
        before = manager.count("WATCHDOG=1")
        time.sleep(1.2)
        self.assertEqual(manager.count("WATCHDOG=1"), before, "the process was said to be alive")
        hung.go_on()
        manager.expect("WATCHDOG=1", before + 2)

    def test_a_manager_that_is_gone(self):
        proxy = self.start_proxy("--backend=127.0.0.1:1",
                                 before=lambda: os.environ.update(NOTIFY_SOCKET=str(self.folder / "nobody")))
        files.wait_until(lambda: "NOTIFY_SOCKET: " in proxy.errors(), "a complaint")
        proxy.stop()
        self.assertEqual(proxy.errors().count("NOTIFY_SOCKET"), 1)


if __name__ == "__main__":
    unittest.main()
