"""What may hold a thread for long, each in turn (docs/RELIABILITY.md): meanwhile requests are answered, a revocation is
taken within two seconds, and the process ends within its drain_timeout and two seconds more."""

import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from lib import alone, client, files
from lib.load import Load, counts
from lib.proxy import Proxy
from lib.trust import TrustCase, Visitor
from lib.wire import Ended

TLS13 = ssl.TLSVersion.TLSv1_3
# Everything is slower under the sanitizers; the limits of the product are not.
WITHIN_S = 2 if not files.SANITIZED else 8
DRAIN_S = 1
# So that it may have a name server.
ALONE = alone.enter()


class HeldTest(TrustCase):
    def setUp(self):
        super().setUp()
        self.list = self.crl("root")
        self.auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{self.list}"'

    def text(self, process=""):
        return self.config(client_auth=self.auth, process=process + f"drain_timeout_ms: {DRAIN_S * 1000}\n")

    def run_text(self, text, before=None):
        path = self.folder / "postern.textproto"
        path.write_text(text, "utf-8")
        proxy = Proxy(self.folder, [f"--config={path}"], before)
        self.addCleanup(proxy.kill)
        return proxy

    def check_held(self, proxy, within_s=WITHIN_S):
        """While something is held."""
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        self.crl("root", "client")
        until = time.monotonic() + within_s

        def is_refused():
            try:
                return "certificate revoked" in (visitor.visit(proxy.port).alert or "")
            except Ended:
                return False  # it had come in before, and was ended when it was judged again

        files.wait_until(is_refused, "the revocation", until - time.monotonic())
        self.assertTrue(Visitor("client_rsa", TLS13).visit(proxy.port).served)
        # Somebody stays until the drain cuts it.
        with client.connect(proxy.port, client.context("client_rsa")) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
            proxy.signal(signal.SIGTERM)
            files.wait_until(lambda: proxy.process.poll() is not None, "the end", DRAIN_S + WITHIN_S)
        return proxy.process.returncode

    @unittest.skipUnless(ALONE, "no network of its own, and so no name server's port")
    def test_a_name_server_that_does_not_answer(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 53))
        resolv = self.folder / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.1\n", "ascii")
        proxy = self.run_text(self.text(), lambda: alone.mount_over(resolv, "/etc/resolv.conf"))
        names = "".join(f'servers {{ name: "n{i}" host: "n{i}.example.test" port: 1 }}' for i in range(20))
        self.replace(self.folder / "postern.textproto", self.text().replace("servers {", names + " servers {"))
        proxy.signal(signal.SIGHUP)
        silent.settimeout(files.PATIENCE_S)
        self.assertTrue(silent.recv(512))  # it asks
        self.assertEqual(self.check_held(proxy), 0)

    def test_a_pipe_in_a_files_place(self):
        """A key, and a CA in a directory, that nobody ever writes."""
        directory = self.folder / "cas"
        directory.mkdir()
        os.mkfifo(directory / "ca.pem")
        os.mkfifo(self.folder / "key")
        proxy = self.run_text(self.text())
        for text in (self.text().replace(self.pki.key("server"), str(self.folder / "key")),
                     self.text().replace("ca_files", f'ca_directories: "{directory}" ca_files', 1)):
            self.replace(self.folder / "postern.textproto", text)
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda: "not a regular file" in proxy.errors() or "a pipe" in proxy.errors(), "its word")
        self.assertEqual(self.check_held(proxy), 0)

    @unittest.skipUnless(ALONE, "no limit of its own")
    def test_the_watch_of_files_is_missing(self):
        """It is said, at the start and in /status, and somebody looks at the files instead."""
        limit = pathlib.Path("/proc/sys/user/max_inotify_instances")
        before = limit.read_text("ascii")
        limit.write_text("0", "ascii")
        self.addCleanup(limit.write_text, before, "ascii")
        proxy = self.run_text(self.text())
        self.assertIn("postern: not all changes of files are noticed at once", proxy.errors())
        files.wait_until(lambda: " warning not all changes of files" in proxy.errors(), "the warning")
        self.assertIn("inotify", client.status(proxy.admin_port)["watch_problem"])
        # A look a second, and a moment to settle.
        self.check_held(proxy, WITHIN_S + 2)

    def test_a_reader_that_stands_still(self):
        """Of the access log, as of a disk that does not answer: the pipe is full, and whoever should empty it is stopped."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        with open(self.folder / "read", "wb") as out:
            reader = subprocess.Popen(["cat", pipe], stdin=subprocess.DEVNULL, stdout=out)  # pylint: disable=consider-using-with
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        text = self.text(process=f'access_log: "{pipe}" access_log_format: "{"$request_uri" * 30}"\n')
        proxy = self.run_text(text)
        reader.send_signal(signal.SIGSTOP)
        with client.connect(proxy.port, client.context("client_rsa")) as stream:
            for _ in range(100):
                self.assertEqual(client.get(stream, "/" + "x" * 1000).status, 200)
        files.wait_until(lambda: "lines are lost" in proxy.errors(), "the loss")
        self.assertIn(self.check_held(proxy), (0, 1))

    def test_a_standard_error_that_nobody_reads(self):
        """The error log, of which every refusal is a line."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        ports = re.compile(rb"https 127.0.0.1:(\d+)")
        path = self.folder / "postern.textproto"
        path.write_text(self.text(), "utf-8")
        proxy = Proxy(self.folder, [f"--config={path}"], lambda: os.dup2(writer, 2), ready=False)
        self.addCleanup(proxy.kill)
        os.close(writer)
        said = b""
        while ports.search(said) is None:
            said += os.read(reader, 65536)
        proxy.ports = [int(ports.search(said).group(1))]
        for _ in range(400):
            self.assertIn("unknown ca", Visitor("client_other", TLS13).visit(proxy.port).alert)
        self.assertIn(self.check_held(proxy), (0, 1))

    def test_reloads_at_full_load_lose_no_line(self):
        """Certificates that are renewed while clients ask as fast as they can."""
        own = {kind: self.folder / f"own.{kind}" for kind in ("crt", "key")}

        def renew(number):
            self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / f'new{number}'}", "--dns=localhost")
            for kind, path in own.items():
                os.rename(self.folder / f"new{number}.{kind}", path)

        renew(0)
        # In memory: what others do with the disk is not the reloads' fault.
        place = tempfile.TemporaryDirectory(prefix="postern_", dir="/dev/shm")  # pylint: disable=consider-using-with
        self.addCleanup(place.cleanup)
        log = pathlib.Path(place.name) / "access"
        text = self.text(process=f'access_log: "{log}"\n').replace(self.pki.chain("server"), str(own["crt"]))
        # Nobody is asked, so that no server is what is slow.
        text = text.replace('default_server_group: "app"', 'hosts { host: "other.example" server_group: "app" }')
        proxy = self.run_text(text.replace(self.pki.key("server"), str(own["key"])))
        load = Load(self, proxy.port, rate=None)
        for number in range(1, 5):
            files.wait_until(lambda number=number: log.stat().st_size > number * 500_000, "lines")
            renew(number)
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda number=number: client.status(proxy.admin_port)["reload"]["generation"] > number,
                             "the reload")
        seen = load.stop()
        print(f"four reloads at full load: {counts(seen)}", file=sys.stderr)
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        # Each connection may have had one under way when the clients ended.
        lines = log.read_bytes().count(b"\n")
        self.assertGreaterEqual(lines, seen["operations"]["responses"])
        self.assertLessEqual(lines, seen["operations"]["responses"] + 16)


if __name__ == "__main__":
    unittest.main()
