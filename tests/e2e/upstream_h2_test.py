"""Servers of HTTP/2: nghttpd behind the gate, in plain text and in TLS;."""

import os
import random
import shutil
import socket
import subprocess
import unittest

from lib import client, files
from lib.case import Case

NGHTTPD = shutil.which("nghttpd", path="/usr/sbin:" + os.environ["PATH"])
MB = 1 << 20


@unittest.skipIf(NGHTTPD is None, "nghttpd is not installed")
class NghttpdTest(Case):
    TLS = False

    def setUp(self):
        super().setUp()
        self.www = self.folder / "www"
        self.www.mkdir()
        self.large = random.Random(5).randbytes(5 * MB)
        (self.www / "large.bin").write_bytes(self.large)
        (self.www / "small.txt").write_bytes(b"small file\n")
        (self.www / "empty").write_bytes(b"")
        self.start_server()
        flags = ["--upstream_protocol=http2", "--admin=127.0.0.1:0"]
        if self.TLS:
            flags += ["--upstream_tls", f"--upstream_ca={self.pki.certificate('root')}",
                      "--upstream_server_name=localhost"]
        self.proxy = self.start_proxy(f"--backend=nghttpd@127.0.0.1:{self.port}", flags=flags)

    def start_server(self):
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            command = [NGHTTPD, "--address=127.0.0.1", f"--htdocs={self.www}", "--echo-upload"]
            command += [str(self.port), *((self.pki.key("server"), self.pki.chain("server")) if self.TLS else ())]
            command += [] if self.TLS else ["--no-tls"]
            self.server = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(self.server.wait, files.PATIENCE_S)
            self.addCleanup(self.server.kill)
            files.wait_until(lambda: self.listens() or self.server.poll() is not None, "nghttpd")
            if self.server.poll() is None:
                return
        raise AssertionError("nghttpd does not start")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def total(self, name):
        return sum(shard[name] for shard in client.status(self.proxy.admin_port)["shards"])

    def curl(self, path, *arguments, data=b""):
        result = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", self.pki.certificate("root"),
             "--cert", self.pki.chain("client"), "--key", self.pki.key("client"), "--max-time",
             str(int(files.PATIENCE_S)), "--write-out", "%{stderr}%{http_code}", "--connect-to",
             f"::127.0.0.1:{self.proxy.port}", *arguments, f"https://localhost{path}"],
            capture_output=True, check=False, timeout=2 * files.PATIENCE_S, env={"PATH": os.environ["PATH"]}, input=data)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr.decode()[-3:], result.stdout

    def test_both_versions_of_clients(self):
        for version in ("--http1.1", "--http2"):
            with self.subTest(version):
                self.assertEqual(self.curl("/small.txt", version), ("200", b"small file\n"))
                self.assertEqual(self.curl("/empty", version), ("200", b""))
                self.assertEqual(self.curl("/large.bin", version), ("200", self.large))
                self.assertEqual(self.curl("/small.txt", version, "--head")[0], "200")
                self.assertEqual(self.curl("/none", version)[0], "404")
                self.assertEqual(self.curl("/small.txt", version, "--data-binary", "@-", data=self.large),
                                 ("200", self.large))
                self.assertEqual(self.curl("/small.txt", version, "--data-binary", "@-", "--header",
                                           "Transfer-Encoding: chunked" if version == "--http1.1" else "X: y",
                                           data=self.large), ("200", self.large))

    def test_clients_share_connections(self):
        streams = [client.connect(self.proxy.port) for _ in range(20)]
        for stream in streams:
            self.addCleanup(stream.close)
            self.assertEqual(client.get(stream, "/small.txt").body, b"small file\n")
        # One a shard.
        self.assertLessEqual(self.total("upstream_open"), 2)
        self.assertGreaterEqual(self.total("upstream_reuses"), 18)
        if self.TLS:
            self.assertLessEqual(self.total("upstream_handshakes"), 2)

    def test_a_client_that_reads_nothing_stalls_nobody(self):
        stalled = client.connect(self.proxy.port)
        self.addCleanup(stalled.close)
        stalled.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stalled.peek()
        for _ in range(3):
            self.assertEqual(client.fetch(self.proxy.port, "/large.bin").body, self.large)

    def test_a_server_that_is_killed(self):
        with client.connect(self.proxy.port) as stream:
            stream.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream.peek()
            self.server.kill()
            with self.assertRaises(Exception):
                stream.read_response()
        self.assertEqual(client.fetch(self.proxy.port, "/small.txt").status, 502)


class NghttpdTlsTest(NghttpdTest):
    TLS = True


if __name__ == "__main__":
    unittest.main()
