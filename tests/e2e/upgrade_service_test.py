"""--upgrade under a service manager: whose child the successor is, and what a stop does to the two processes."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from lib import client, files
from lib.backend import response
from lib.upgrade import UpgradeCase, alive


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


class UpgradeServiceTest(UpgradeCase):
    def test_the_successor_is_no_child_of_the_command(self):
        """systemd waits only for the end of its own children, which are those whose parent has gone."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(files.PATIENCE_S)
            door.bind(str(self.door))
            door.listen()
            with subprocess.Popen([files.postern(), *self.arguments(), "--upgrade"], cwd=self.folder,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:
                asking, _ = door.accept()
                pid, _, _ = struct.unpack("iII", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                self.assertNotEqual(pid, command.pid)
                self.assertNotIn(parent_of(pid), (command.pid, pid))
                asking.close()
                # Its status is the command's all the same.
                self.assertEqual(command.wait(files.PATIENCE_S), 1)

    def slow_request(self, proxy):
        """A connection with a request under way; with the event that lets it be answered."""
        asked, answer = threading.Event(), threading.Event()
        self.addCleanup(answer.set)

        def respond(_):
            asked.set()
            answer.wait(files.PATIENCE_S)
            return response("slow")

        for backend in self.backends:
            backend.respond = respond
        stream = client.connect(proxy.port, client.context())
        self.addCleanup(stream.close)
        stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(asked.wait(files.PATIENCE_S))
        return stream, answer

    def test_a_stop_lets_the_replaced_one_drain(self):
        """A service manager signals all processes of the service, and those that outlive the main one again."""
        proxy = self.start()
        stream, answer = self.slow_request(proxy)
        pid = self.upgrade()
        proxy.signal(signal.SIGTERM)
        time.sleep(0.3)
        self.end(pid)
        proxy.signal(signal.SIGTERM)
        time.sleep(0.3)
        answer.set()
        self.assertEqual(stream.read_response().status, 200)
        self.taken_over(proxy)

    def test_a_third_stop_cuts(self):
        proxy = self.start()
        self.slow_request(proxy)
        self.upgrade()
        for _ in range(3):
            proxy.signal(signal.SIGTERM)
            time.sleep(0.3)
        self.assertEqual(proxy.wait(), 0)
        self.assertIn("stopping now", self.log_text())

    def test_a_stop_when_the_successor_has_died(self):
        """Nobody serves before the replaced one has ended, too: one signal is enough."""
        proxy = self.start()
        self.slow_request(proxy)
        pid = self.upgrade()
        os.kill(pid, signal.SIGKILL)
        files.wait_until(lambda: not alive(pid), "the end of the successor")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        self.assertIn("stopping now", self.log_text())

    def test_right_after_a_change_of_a_file(self):
        """The running process has noticed, and is about to reload: that is waited for."""
        authority = self.folder / "authority.crt"
        shutil.copy(self.pki.certificate("root"), authority)
        flags = [f"--client_ca={authority}"]
        proxy = self.start(*flags)
        with open(authority, "a", encoding="ascii") as file:
            file.write("\n")
        time.sleep(0.05)
        self.upgrade(*flags)
        self.taken_over(proxy)


if __name__ == "__main__":
    unittest.main()
