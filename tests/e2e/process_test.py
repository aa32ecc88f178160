"""The life of the process: signals, logs, and what it leaves when it dies."""

import os
import pathlib
import re
import resource
import signal
import ssl
import subprocess
import threading
import time
import unittest

from lib import client, files
from lib.backend import Backend, response
from lib.case import Case
from lib.wire import Ended, Stream


class Gate:
    """A server whose answers to /held wait until the gate is opened."""

    def __init__(self, case):
        self.asked = threading.Semaphore(0)
        self.open = threading.Event()
        self.backend = case.start_backend(self._serve, kind=Backend)
        case.addCleanup(self.open.set)

    def _serve(self, stream):
        while stream.peek():
            request = stream.read_request()
            if request.target == "/held":
                self.asked.release()
                self.open.wait(files.PATIENCE_S)
            stream.send(response("served"))


class CrashTest(Case):
    @unittest.skipIf(files.SANITIZED, "the sanitizer has the signals")
    def test_says_where_it_was(self):
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT):
            proxy = self.start_proxy(self.start_backend())
            proxy.signal(number)
            self.assertEqual(proxy.wait(), -number, "it dies of the signal all the same")
            report = proxy.errors()
            self.assertIn(f"postern: fatal signal {number:d}, sent by process {os.getpid()}\n", report)
            for thread in ("control", "helper", r"shard 0, turn \d+", r"shard 1, turn \d+"):
                self.assertRegex(report, rf"(?m)^postern: thread \d+, {thread}\npostern: at ")
            offsets = re.findall(r"^postern: at program\+(0x[0-9a-f]+)$", report, re.MULTILINE)
            self.assertTrue(offsets, report)
            names = subprocess.run(["nm", "-C", "--defined-only", files.postern()], capture_output=True, text=True, check=True)
            starts = [int(line.split()[0], 16) for line in names.stdout.splitlines() if line.endswith(" main")]
            self.assertTrue(any(0 <= int(offset, 16) - starts[0] < 0x4000 for offset in offsets), report)


class StopTest(Case):
    def test_a_signal_that_asks_for_nothing(self):
        """What wakes our own threads means nothing from others: those that ask are heard after it."""
        proxy = self.start_proxy(self.start_backend())
        for _ in range(3):
            proxy.signal(signal.SIGUSR2)
        time.sleep(0.1)
        self.assertEqual(client.fetch(proxy.port).status, 200)
        proxy.stop()

    def hold(self, proxy, gate):
        """A connection with a request in flight."""
        stream = client.connect(proxy.port)
        self.addCleanup(stream.close)
        stream.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(gate.asked.acquire(timeout=files.PATIENCE_S))
        return stream

    def start(self, *flags):
        gate = Gate(self)
        proxy = self.start_proxy(gate.backend, flags=flags)
        self.addCleanup(gate.open.set)
        return gate, proxy

    def await_closed_port(self, proxy):
        def refused():
            try:
                client.connect_plain(proxy.port).close()
                return False
            except ConnectionResetError:
                return False  # it came while the socket was being closed
            except ConnectionRefusedError:
                return True
        files.wait_until(refused, "a closed port")

    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            proxy = self.start_proxy("--backend=127.0.0.1:1")
            proxy.signal(number)
            self.assertEqual(proxy.wait(), 0)

    def test_drain(self):
        gate, proxy = self.start("--drain_timeout=60s")
        held = [self.hold(proxy, gate) for _ in range(4)]
        idle = [client.connect(proxy.port) for _ in range(4)]
        for stream in idle:
            self.assertEqual(client.get(stream).body, b"served")
        proxy.signal(signal.SIGTERM)
        for stream in idle:
            self.assertTrue(stream.ended())
            stream.close()
        self.await_closed_port(proxy)
        self.assertIsNone(proxy.process.poll())
        gate.open.set()
        for stream in held:
            answer = stream.read_response()
            self.assertEqual((answer.body, answer.closes), (b"served", True))
            self.assertTrue(stream.ended())
            stream.close()
        self.assertEqual(proxy.wait(), 0)
        self.assertEqual(len(re.findall('"GET /held HTTP/1.1" 200 ', proxy.accesses())), 4)

    def test_second_signal(self):
        gate, proxy = self.start("--drain_timeout=3600s")
        stream = self.hold(proxy, gate)
        proxy.signal(signal.SIGTERM)
        self.await_closed_port(proxy)
        self.assertIsNone(proxy.process.poll())
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        with self.assertRaises(Ended):
            stream.read_response()

    def test_drain_timeout(self):
        for timeout in ("0s", "1s"):
            gate, proxy = self.start(f"--drain_timeout={timeout}")
            stream = self.hold(proxy, gate)
            proxy.signal(signal.SIGTERM)
            self.assertEqual(proxy.wait(), 0)
            with self.assertRaises(Ended):
                stream.read_response()

    def test_drain_with_unfinished_handshakes(self):
        _, proxy = self.start("--drain_timeout=1s")
        streams = [Stream(client.connect_plain(proxy.port)) for _ in range(3)]
        streams[1].send(b"\x16\x03\x01")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        for stream in streams:
            stream.close()


class LogTest(Case):
    LINE = (r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 "%s" %d %d \d+\.\d{6} host="%s" listener=default '
            r'upstream=%s tls=%s client="%s"')

    def test_files_and_reopening(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--access_log=access.txt", "--error_log=error.txt"])
        access, error = proxy.folder / "access.txt", proxy.folder / "error.txt"
        client.fetch(proxy.port, "/first")
        client.refusal(proxy.port, client.context(None))
        files.wait_until(lambda: "/first" in access.read_text() and "refused" in error.read_text(), "both lines")
        access.rename(proxy.folder / "access.1")
        error.rename(proxy.folder / "error.1")
        client.fetch(proxy.port, "/second")
        files.wait_until(lambda: "/second" in (proxy.folder / "access.1").read_text(), "a line in the renamed file")
        proxy.signal(signal.SIGUSR1)
        files.wait_until(lambda: access.exists() and error.exists(), "new files")
        client.fetch(proxy.port, "/third")
        client.refusal(proxy.port, client.context(None))
        files.wait_until(lambda: "/third" in access.read_text() and "refused" in error.read_text(), "lines in both")
        self.assertNotIn("/third", (proxy.folder / "access.1").read_text())
        self.assertNotIn("/second", access.read_text())
        self.assertEqual((proxy.accesses(), proxy.refusals()), ("", []))

    def test_lines(self):
        proxy = self.start_proxy(self.start_backend(lambda _: response("12345")))
        subject = re.escape(self.pki.subject("client").replace("\\", "\\x5c"))
        client.fetch(proxy.port, "/a?b=c%20d")
        line = proxy.await_access("/a")
        self.assertRegex(line, rf"\A{self.LINE % ('GET /a.b=c%20d HTTP/1.1', 200, 5, 'localhost', 'server', 'TLSv1.3', subject)}\Z")
        tls = client.context("client_sub", maximum=client.ssl.TLSVersion.TLSv1_2)
        client.fetch(proxy.port, "/b", tls=tls, method="HEAD", host="h.example.test:1")
        line = proxy.await_access("/b")
        wanted = self.LINE % ("HEAD /b HTTP/1.1", 200, 0, "h.example.test:1", "server", "TLSv1.2", "CN=client of sub")
        self.assertRegex(line, rf"\A{wanted}\Z")
        self.assertEqual(len(proxy.accesses().splitlines()), 2)

    def test_every_request_has_a_line(self):
        proxy = self.start_proxy(self.start_backend())
        with client.connect(proxy.port) as stream:
            for at in range(0, 3000, 100):
                stream.send("".join(f"GET /{at + i} HTTP/1.1\r\nHost: localhost\r\n\r\n" for i in range(100)))
                for _ in range(100):
                    self.assertEqual(stream.read_response().status, 200)
        files.wait_until(lambda: len(proxy.accesses().splitlines()) == 3000, "3000 lines")
        self.assertEqual(re.findall(r'"GET /(\d+) ', proxy.accesses()), [str(i) for i in range(3000)])

    def test_off(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--access_log=", "--error_log="])
        client.fetch(proxy.port)
        client.refusal(proxy.port, client.context(None))
        proxy.stop()
        self.assertEqual((proxy.accesses(), proxy.refusals()), ("", []))


class CoreDumpTest(Case):
    def limits(self, flag, soft):
        """Of a core dump, in a process that was started with this one and the hard one."""
        proxy = self.start_proxy(self.start_backend(), flags=[flag],
                                 before=lambda: resource.setrlimit(resource.RLIMIT_CORE, (soft, self.hard)))
        text = pathlib.Path(f"/proc/{proxy.pid}/limits").read_text("ascii")
        return re.search(r"Max core file size +(\S+) +(\S+) ", text).groups()

    def test_none_unless_they_are_allowed(self):
        self.hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        if self.hard == 0:
            self.skipTest("nobody may leave a core dump here")
        self.assertEqual(self.limits("--core_dumps=false", self.hard), ("0", "0"))
        hard = "unlimited" if self.hard == resource.RLIM_INFINITY else str(self.hard)
        self.assertEqual(self.limits("--core_dumps", 0), (hard, hard))

    @unittest.skipUnless(os.geteuid() == 0, "of others, a flag has allowed it already")
    def test_no_reload_changes_it(self):
        config = f"""
listeners {{
  name: "a"
  address: "127.0.0.1:0"
  certificates {{ certificate_file: "{self.pki.chain('server')}" key_file: "{self.pki.key('server')}" }}
  default_server_group: "g"
}}
server_groups {{ name: "g" servers {{ name: "s" host: "127.0.0.1" port: 1 }} }}
"""
        proxy = self.start_config(config)
        (self.folder / "postern.textproto").write_text(config + "core_dumps: true\n", "utf-8")
        files.wait_until(lambda: "core_dumps: cannot change while the process runs" in proxy.errors(), "it says so")


if __name__ == "__main__":
    unittest.main()
