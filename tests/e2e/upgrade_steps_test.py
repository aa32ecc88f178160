"""A successor that hangs and dies on its way, and who does what until then."""

import os
import signal
import subprocess
import sys
import time
import unittest

from lib import client, files
from lib.admin import Checked
from lib.load import Load, counts
from lib.upgrade import UpgradeCase, alive, successors

SECONDS = 6 if not files.SANITIZED else 10


class StepsTest(UpgradeCase):
    def hang(self, *flags):
        """A successor that will not get further: the command that waits for it, and its pid."""
        # Neither end of its input is waited for by the test.
        command = subprocess.Popen(  # pylint: disable=consider-using-with
            [files.postern(), *self.arguments(*flags), "--upgrade"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(command.wait)
        self.addCleanup(command.kill)

        def held():
            # It has the listening sockets: it has asked, and was answered.
            for pid in successors(self.door):
                try:
                    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
                except OSError:
                    continue
                if sum(link.startswith("socket:") for link in links) >= 3:
                    return pid
            return None
        return command, files.wait_until(held, "a successor with the sockets")

    def test_killed_at_each_step(self):
        """With more shards than the running one, as it reads its key, and when it has done all but accept."""
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        proxy = self.start("--shards=1")
        load = Load(self, proxy.port, SECONDS)
        for hanging in (f"--key={fifo}", f"--error_log={fifo}"):
            command, pid = self.hang("--shards=2", hanging)
            # Long enough for what it does on the way to where it hangs.
            time.sleep(SECONDS / 6)
            os.kill(pid, signal.SIGKILL)
            self.assertNotEqual(command.wait(files.PATIENCE_S), 0)
            self.assertEqual(client.fetch(proxy.port).status, 200)
            self.assertNotIn("taken over", self.log_text())
        pid = self.upgrade("--shards=2")
        seen = load.result()
        print(f"two successors killed, a third one served: {counts(seen)}", file=sys.stderr)
        self.assertEqual(seen["operations"]["errors"], 0, seen)
        self.assertEqual(seen["operations"]["responses"], seen["operations"]["due"])
        self.taken_over(proxy)
        self.assertTrue(alive(pid))

    def test_one_process_checks_the_servers(self):
        """The running one until the successor is ready, and then the successor alone."""
        server = Checked(self, "checked")
        checks = ["--health_check=true", "--health_interval=1s", "--health_timeout=5s", server.backend.flag]
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        proxy = self.start(*checks)
        files.wait_until(lambda: server.checks > 0, "a check")
        command, pid = self.hang(*checks, f"--error_log={fifo}")
        before = server.checks
        files.wait_until(lambda: server.checks >= before + 2, "the running one goes on")
        os.kill(pid, signal.SIGKILL)
        command.wait(files.PATIENCE_S)

        # Something under way keeps the replaced process there.
        stream = client.connect(proxy.port)
        self.addCleanup(stream.close)
        stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n")
        self.upgrade(*checks)
        start = time.monotonic()
        before = server.checks
        files.wait_until(lambda: server.checks >= before + 3, "the successor checks")
        # Two checkers at an interval of a second need a second and a half for what takes one at least two.
        self.assertGreater(time.monotonic() - start, 1.7)
        self.assertIsNone(proxy.process.poll())
        stream.send("x")
        self.assertEqual(stream.read_response().status, 200)
        self.taken_over(proxy)


class RevokedTest(UpgradeCase):
    def test_who_was_revoked_stays_out(self):
        """The list is read again: neither the certificate nor the ticket of before opens the successor."""
        crl = self.folder / "root.crl"

        def publish(*revoked):
            database = f"--db={self.folder / 'revoked.txt'}"
            authority = f"--ca={self.pki.folder / 'root'}"
            for name in revoked:
                subprocess.run([files.authority(), "revoke", authority, f"--cert={self.pki.certificate(name)}", database],
                               check=True, capture_output=True, timeout=files.PATIENCE_S)
            subprocess.run([files.authority(), "crl", authority, f"--out={crl}", database], check=True,
                           capture_output=True, timeout=files.PATIENCE_S)
        publish()
        flags = [f"--client_crl={crl}", "--watch_files=false"]
        proxy = self.start(*flags)
        tls = client.context()
        with client.connect(proxy.port, tls) as stream:
            self.assertEqual(client.get(stream).status, 200)
            session = stream.sock.session
        publish("client")
        self.assertEqual(client.fetch(proxy.port).status, 200, "nobody has read the new list yet")
        self.upgrade(*flags)
        self.taken_over(proxy)
        self.assertRegex(client.refusal(proxy.port, client.context()), "revoked")
        raw = client.connect_plain(proxy.port)
        with self.assertRaisesRegex(OSError, "revoked"), \
                tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            again.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            again.recv(4096)


if __name__ == "__main__":
    unittest.main()
