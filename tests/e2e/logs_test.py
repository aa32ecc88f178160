"""The access log in JSON and by a pattern, request ids, syslog, and a disk that is full."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from lib import client, files
from lib.admin import AdminCase
from lib.backend import response
from lib.proxy import Proxy

LOGS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "LOGS.md"
FIELDS = LOGS.read_text("utf-8").split("## The access log")[1].split("##")[0]


class LogsTest(AdminCase):
    def serve(self, *flags, before=None):
        backend = self.start_backend(lambda request: response(b"hello"), name="ecs01")
        return backend, self.start_proxy(backend, flags=[f"--access_log={self.folder / 'access'}", *flags],
                                         before=before)

    def lines(self, count):
        path = self.folder / "access"
        files.wait_until(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, f"{count} lines")
        return path.read_text("ascii").splitlines()

    def test_a_pipe_without_a_reader(self):
        """A start waits for one, says so and can be ended; with one it serves, and goes on when that has gone."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        backend = self.start_backend(lambda request: response(b"hello"))
        waiting = Proxy(self.folder, [*self.listener_flags(), f"--access_log={pipe}", backend.flag], ready=False)
        self.addCleanup(waiting.kill)
        files.wait_until(lambda: f"postern: {pipe}: a pipe; waiting for its other end\n" in waiting.errors(), "its word")
        waiting.signal(signal.SIGTERM)
        self.assertEqual(waiting.wait(), -signal.SIGTERM)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        proxy = self.start_proxy(backend, flags=[f"--access_log={pipe}"])
        self.assertEqual(client.fetch(proxy.port).status, 200)
        files.wait_until(lambda: self.has_bytes(reader), "the line")
        os.close(reader)
        self.assertEqual(client.fetch(proxy.port).status, 200)

    @staticmethod
    def has_bytes(reader):
        try:
            return bool(os.read(reader, 65536))
        except BlockingIOError:
            return False

    def test_json(self):
        backend, proxy = self.serve("--access_log_format=json")
        tls = client.context()
        with client.connect(proxy.port, tls) as stream:
            client.get(stream, target="/a?b=c", fields='User-Agent: "quoted\\"\t\r\ntraceparent: 00-1-2-01\r\n'
                                                       "X-Request-Id: mine\r\n")
            session = stream.sock.session
        raw = client.connect_plain(proxy.port)
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            again.sendall(b"POST /\xc3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while again.recv(4096):
                pass
        first, second = [json.loads(line) for line in self.lines(2)]
        documented = [name for line in re.findall(r"^\| (`.*?) \|", FIELDS, re.MULTILINE)
                      for name in re.findall(r"`([a-z_]+)`", line)]
        self.assertEqual(list(first), documented)
        self.assertRegex(first.pop("time"), r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        self.assertGreater(first.pop("handshake_us"), 0)
        self.assertGreater(first.pop("request_time"), 0)
        self.assertGreater(first.pop("client_port"), 0)
        self.assertRegex(first.pop("client_cert_fingerprint"), r"\A[0-9a-f]{64}\Z")
        self.assertRegex(first.pop("client_cert_serial"), r"\A[0-9A-F]+\Z")
        self.assertRegex(first.pop("client_cert_subject"), r"\ACN=device 7,OU=Devices \\\+ Things")
        self.assertRegex(first.pop("client_cert_issuer"), r"\ACN=")
        self.assertRegex(first.pop("ssl_cipher"), r"\A[A-Z0-9_-]+\Z")
        self.assertEqual(first, {
            "listener": "default", "port": proxy.port, "scheme": "https", "client_ip": "127.0.0.1",
            "request_method": "GET", "request_uri": "/a?b=c", "server_protocol": "HTTP/1.1", "host": "localhost",
            "status": 200, "body_bytes_sent": 5, "request_length": 0, "upstream_group": "default",
            "upstream_server": "ecs01", "upstream_addr": f"127.0.0.1:{backend.port}", "ssl_protocol": "TLSv1.3",
            "ssl_server_name": "localhost", "tls_resumed": 0, "http_user_agent": '"quoted\\"',
            "http_referer": "", "http_x_forwarded_for": "", "request_id": "mine", "traceparent": "00-1-2-01",
            "end": ""})
        # What a head that cannot be read had before its mistake.
        self.assertEqual((second["status"], second["request_uri"], second["tls_resumed"]), (400, "/", 1))
        # Handed on as they came.
        forwarded = backend.requests[0]
        self.assertEqual(forwarded.all("traceparent"), ["00-1-2-01"])
        self.assertEqual(forwarded.all("X-Request-Id"), ["mine"])

    def test_pattern(self):
        _, proxy = self.serve("--access_log_format=$client_ip [$time] \"$http_user_agent\" ${status}s $http_referer $$")
        client.fetch(proxy.port, fields='User-Agent: a"b\\\xe9\r\n')
        line, = self.lines(1)
        self.assertRegex(line, r'\A127\.0\.0\.1 \[[^]]+Z\] "a\\x22b\\x5c\\xe9" 200s - \$\Z')

    def test_a_reload_changes_the_format(self):
        backend = self.start_backend(name="a")
        text = f"""
            listeners {{
              name: "l" address: "127.0.0.1:0"
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
              default_server_group: "g"
            }}
            server_groups {{ name: "g" servers {{ name: "a" host: "127.0.0.1" port: {backend.port} }}
              health_check {{ enabled: false }} }}
            access_log: "{self.folder / 'access'}"
            """
        proxy = self.start_config(text + 'access_log_format: "one $status"')
        client.fetch(proxy.port)
        (self.folder / "postern.textproto").write_text(text + 'access_log_format: "two $status"', "ascii")
        proxy.signal(signal.SIGHUP)
        files.wait_until(lambda: "generation 2" in proxy.errors() or "reload" in proxy.errors(), "the reload")
        client.fetch(proxy.port)
        self.assertEqual(self.lines(2), ["one 200", "two 200"])

    def test_a_pattern_with_a_mistake(self):
        arguments = self.listener_flags() + ["--backend=127.0.0.1:1", "--access_log_format=$client_up"]
        result = subprocess.run([files.postern(), *arguments], capture_output=True, text=True, check=False,
                                timeout=files.PATIENCE_S)
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"access_log_format.*\$client_up: there is no such field; docs/LOGS\.md")

    def test_request_ids_are_made(self):
        backend, proxy = self.serve("--access_log_format=$request_id", "--request_id")
        # On one connection, and so in this order in the log.
        with client.connect(proxy.port) as stream:
            for fields in ("", "X-Request-Id:\r\n", "X-Request-Id: kept\r\n"):
                client.get(stream, fields=fields)
        logged = self.lines(3)
        self.assertEqual([request.all("X-Request-Id") for request in backend.requests], [[name] for name in logged])
        self.assertRegex(logged[0], r"\A[0-9a-f]{32}\Z")
        self.assertRegex(logged[1], r"\A[0-9a-f]{32}\Z")
        self.assertNotEqual(logged[0], logged[1])
        self.assertEqual(logged[2], "kept")

    def test_syslog(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="log_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(daemon.close)
        daemon.bind(str(place / "log"))
        daemon.settimeout(files.PATIENCE_S)
        _, proxy = self.serve(f"--access_log=syslog:{place / 'log'}", f"--error_log=syslog:{place / 'log'}",
                              "--access_log_format=$status $request_uri", "--connections_max=100")
        for number in range(3):
            client.fetch(proxy.port, f"/{number}")
        with self.assertRaises(OSError):
            client.fetch(proxy.port, tls=client.context(None))
        heard = [daemon.recv(65536).decode("ascii") for _ in range(4)]
        self.assertEqual(sorted(line for line in heard if " refused " not in line),
                         [f"<30>postern[{proxy.pid}]: 200 /{number}" for number in range(3)])
        refused, = [line for line in heard if " refused " in line]
        self.assertRegex(refused, rf"\A<30>postern\[{proxy.pid}\]: .*Z info refused address=.* reason=no_certificate .*[^\n]\Z")

    def test_syslog_that_starts_anew(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="log_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)

        def daemon():
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(sock.close)
            sock.bind(str(place / "log"))
            sock.settimeout(files.PATIENCE_S)
            return sock

        first = daemon()
        _, proxy = self.serve(f"--access_log=syslog:{place / 'log'}", "--access_log_format=$request_uri")
        client.fetch(proxy.port, "/1")
        self.assertTrue(first.recv(4096).endswith(b"/1"))
        first.close()
        (place / "log").unlink()
        second = daemon()
        client.fetch(proxy.port, "/2")
        self.assertTrue(second.recv(4096).endswith(b"/2"))

    def lost(self, proxy):
        """Lines that were lost, as told to people and to Prometheus."""
        told = self.ask(proxy, "/metrics")[1].decode("utf-8")
        return int(re.search(r"^postern_log_lines_dropped_total (\d+)$", told, re.MULTILINE).group(1))

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_a_full_disk(self):
        _, proxy = self.serve("--access_log=/dev/full", "--admin=127.0.0.1:0")
        for _ in range(5):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        files.wait_until(lambda: "Z error access_log /dev/full: No space left on device; lines are lost" in proxy.errors(),
                         "it is told")
        files.wait_until(lambda: self.lost(proxy) == 5, "each line that is lost is counted")
        self.assertEqual(client.fetch(proxy.port).status, 200)

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_a_full_disk_for_errors(self):
        # As many as any limit of descriptors has room for: a warning of it would be a line of its own.
        _, proxy = self.serve("--error_log=/dev/full", "--admin=127.0.0.1:0", "--connections_max=100")
        for _ in range(3):
            self.assertIsNotNone(client.refusal(proxy.port, client.context(None)))
        files.wait_until(lambda: "error error_log /dev/full: No space left on device; lines are lost" in proxy.errors(),
                         "standard error hears of it")
        files.wait_until(lambda: self.lost(proxy) == 3, "each line that is lost is counted")

    def test_a_new_file_that_cannot_be_made(self):
        place = self.folder / "logs"
        place.mkdir()
        _, proxy = self.serve(f"--access_log={place / 'access'}", "--access_log_format=$request_uri")
        client.fetch(proxy.port, "/1")
        files.wait_until(lambda: (place / "access").exists(), "the log")
        place.rename(self.folder / "old")
        proxy.signal(signal.SIGUSR1)
        files.wait_until(lambda: re.search(r"Z error access_log \S+/logs/access: .*No such file or directory; the old file "
                                           "goes on", proxy.errors()), "it is told")
        client.fetch(proxy.port, "/2")
        files.wait_until(lambda: (self.folder / "old" / "access").read_text("ascii") == "/1\n/2\n", "the old file")

    def test_nobody_reads_standard_output(self):
        """A full pipe: lines are lost and counted, and the process reloads, drains and ends as ever."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        _, proxy = self.serve("--access_log=-", "--admin=127.0.0.1:0", "--access_log_format=" + "$request_uri" * 30,
                              before=lambda: os.dup2(writer, 1))
        os.close(writer)
        with client.connect(proxy.port, client.context()) as stream:
            for _ in range(40):
                self.assertEqual(client.get(stream, "/" + "x" * 1000).status, 200)
        # Some went into the pipe: whole lines.
        files.wait_until(lambda: self.lost(proxy) > 30, "lines that are lost are counted")
        self.assertIn("access_log -: nobody reads it; lines are lost", proxy.errors())
        proxy.signal(signal.SIGHUP)
        files.wait_until(lambda: "reload: nothing has changed" in proxy.errors(), "the reload")
        # Read again: the line that was torn is ended, and the next one is whole.
        os.set_blocking(reader, False)
        lost = self.lost(proxy)
        first = os.read(reader, 1 << 20)
        client.fetch(proxy.port, "/again")
        heard = bytearray()

        def line_is_there():
            try:
                heard.extend(os.read(reader, 1 << 20))
            except BlockingIOError:
                pass
            return heard.endswith(b"/again\n")
        files.wait_until(line_is_there, "a line")
        self.assertEqual(bytes(heard).splitlines()[-1], b"/again" * 30)
        self.assertEqual(self.lost(proxy), lost)
        self.assertEqual(first.count(b"\n") + lost, 40)
        for _ in range(40):
            client.fetch(proxy.port, "/" + "x" * 1000)
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)

    def test_closed_standard_streams(self):
        """What is opened next would have their numbers, and messages would be written over it: the health table, perhaps."""
        def close():
            os.close(0)
            os.close(1)

        _, proxy = self.serve("--access_log=-", before=close)
        for descriptor in (0, 1):
            self.assertEqual(os.readlink(f"/proc/{proxy.pid}/fd/{descriptor}"), "/dev/null")
        for _ in range(20):
            self.assertEqual(client.fetch(proxy.port).status, 200)

    # TSan maps files of its own beyond it.
    @unittest.skipIf("TSAN_OPTIONS" in os.environ, "the sanitizer does not start under such a limit")
    def test_a_limit_of_the_size_of_files(self):
        place = self.folder / "access"
        limit = 65536
        _, proxy = self.serve(f"--access_log={place}", "--admin=127.0.0.1:0",
                              before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        with client.connect(proxy.port, client.context()) as stream:
            for _ in range(100):
                self.assertEqual(client.get(stream, "/" + "x" * 1000).status, 200)
        files.wait_until(lambda: self.lost(proxy) > 0, "lines that are lost are counted")
        self.assertIn("File too large; lines are lost", proxy.errors())
        self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_nobody_reads_a_named_pipe(self):
        place = self.folder / "pipe"
        os.mkfifo(place)
        reader = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        _, proxy = self.serve(f"--access_log={place}", "--admin=127.0.0.1:0", "--access_log_format=" + "$request_uri" * 30)
        with client.connect(proxy.port, client.context()) as stream:
            for _ in range(40):
                self.assertEqual(client.get(stream, "/" + "x" * 1000).status, 200)
        files.wait_until(lambda: self.lost(proxy) > 30, "lines that are lost are counted")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)


if __name__ == "__main__":
    unittest.main()
