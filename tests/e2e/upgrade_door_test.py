"""The door at which a successor asks: who could keep others out of it, and what is left when nobody goes through."""

import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from lib import client, files
from lib.upgrade import UpgradeCase


def listening(pid):
    """The listening sockets of a process, each as often as it has it open."""
    lines = pathlib.Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    known = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[3] == "0A"}
    found = []
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(entry))
        except FileNotFoundError:
            pass
    return sorted(name for name in found if name in known)


class DoorTest(UpgradeCase):
    @unittest.skipIf(os.geteuid() != 0, "needs another user")
    def test_a_stranger_locks_the_folder(self):
        """Whoever may read it can: nobody who starts, or has taken over, waits for him."""
        self.door.parent.chmod(0o755)
        stranger = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-c", "import fcntl, os, time\n"
             f"os.setgid(65534); os.setuid(65534)\nfolder = os.open('{self.door.parent}', os.O_RDONLY)\n"
             "fcntl.flock(folder, fcntl.LOCK_SH)\nprint('ready', flush=True)\ntime.sleep(600)\n"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        self.addCleanup(stranger.stdout.close)
        if stranger.stdout.readline() != "ready\n":
            self.skipTest("there is no other user here")
        proxy = self.start()
        self.upgrade()
        self.taken_over(proxy)
        self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertEqual([path.name for path in self.door.parent.iterdir()], [self.door.name])

    def test_a_lock_that_is_held(self):
        """By a process of the same user: a start says so and ends, one that has taken over serves."""
        proxy = self.start()
        lock = os.open(f"{self.door}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.upgrade()
        self.assertIn("no successor can take over", self.said)
        self.assertIn("upgrade.sock.lock", self.said)
        self.taken_over(proxy)
        self.assertEqual(client.fetch(proxy.port).status, 200)
        result = subprocess.run([files.postern(), *self.arguments()], cwd=self.folder, capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("upgrade.sock.lock", result.stderr)

    def test_who_says_nothing(self):
        proxy = self.start()
        for _ in range(20):
            silent = socket.socket(socket.AF_UNIX)
            self.addCleanup(silent.close)
            silent.connect(str(self.door))
        self.upgrade()
        self.taken_over(proxy)

    def test_another_one_is_starting(self):
        proxy = self.start()
        first = self.hold_logging()
        self.upgrade(code=1)
        self.assertRegex(self.said, r"process \d+ has asked before and is starting up")
        self.release()
        self.finish(first)
        self.taken_over(proxy)

    def test_too_late(self):
        """Whoever asks during a reload that takes long goes away, and what it would have been given is not kept."""
        key = self.folder / "own.key"
        shutil.copy(self.pki.key("server"), key)
        proxy = self.start(f"--key={key}")
        before = listening(proxy.pid)
        self.assertEqual(len(before), len(set(before)))
        # A reload that waits for its key: the kernel makes it wait until the lease is let go, for up to 45 s.
        self.addCleanup(signal.signal, signal.SIGIO, signal.signal(signal.SIGIO, signal.SIG_IGN))
        lease = os.open(key, os.O_RDWR)
        try:
            fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            os.close(lease)
            self.skipTest(f"this file system has no leases: {error}")
        proxy.signal(1)
        files.wait_until(lambda: fcntl.fcntl(lease, fcntl.F_GETLEASE) != fcntl.F_WRLCK, "the reload reads its key")
        self.upgrade(f"--key={self.pki.key('server')}", code=1)
        self.assertIn("reloading its configuration", self.said)
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(lease)
        files.wait_until(lambda: "reload: " in self.log_text(), "the end of the reload")
        # Behind it comes what the control thread does for a successor.
        self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertEqual(client.status(proxy.admin_port)["draining"], False)
        self.assertEqual(listening(proxy.pid), before)
        self.upgrade(f"--key={self.pki.key('server')}")
        self.taken_over(proxy)


if __name__ == "__main__":
    unittest.main()
