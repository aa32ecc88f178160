"""Programs that other people wrote on both sides: curl and openssl as clients, nginx as the server."""

import os
import random
import subprocess
import unittest

from lib import client, files, nginx
from lib.case import Case

MB = 1 << 20


@unittest.skipIf(nginx.PROGRAM is None, "nginx is not installed")
class NginxTest(Case):
    def setUp(self):
        super().setUp()
        self.server = nginx.Nginx(self.folder)
        self.addCleanup(self.server.stop)
        self.small = b"small file\n"
        self.large = random.Random(7).randbytes(20 * MB)
        self.server.put("small.txt", self.small)
        self.server.put("large.bin", self.large)
        self.server.put("empty", b"")
        self.proxy = self.start_proxy(self.server)

    def curl(self, path, *arguments, certificate="client", host="localhost", code=0):
        """Runs curl; returns (status, body)."""
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", self.pki.certificate("root"),
                   "--max-time", str(int(files.PATIENCE_S)), "--write-out", "%{stderr}%{http_code}",
                   "--connect-to", f"::127.0.0.1:{self.proxy.port}"]
        if certificate is not None:
            command += ["--cert", self.pki.chain(certificate), "--key", self.pki.key(certificate)]
        result = subprocess.run([*command, *arguments, f"https://{host}{path}"], capture_output=True, check=False,
                                timeout=2 * files.PATIENCE_S, cwd=self.folder, env={"PATH": os.environ["PATH"]},
                                input=self.large if "-" in arguments else b"")
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr.decode()[-3:], result.stdout

    def test_curl_get(self):
        for version in (["--http2"], ["--http1.1"], ["--http1.0"], ["--tls-max", "1.2"], ["--tlsv1.3"], []):
            with self.subTest(version):
                self.assertEqual(self.curl("/small.txt", *version), ("200", self.small))
                self.assertEqual(self.curl("/large.bin", *version), ("200", self.large))
        self.assertEqual(self.curl("/empty"), ("200", b""))
        self.assertEqual(self.curl("/none")[0], "404")
        self.assertEqual(self.curl("/small.txt", "--head")[0], "200")
        self.assertEqual(self.curl("/old")[0], "301")

    def test_curl_identity(self):
        for version, via in (("--http1.1", "1.1"), ("--http2", "2.0")):
            status, body = self.curl("/who", version, host="example.test")
            who, address, hop, host = body.decode().rsplit("|", 3)
            self.assertEqual((status, who, address, host),
                             ("200", self.pki.subject("client"), "127.0.0.1", "example.test"))
            self.assertRegex(hop, f"^{via} postern-[0-9a-f]{{16}}$")
        # 56: receiving failed, which is where TLS 1.3 shows a refusal.
        self.curl("/who", "--tlsv1.3", certificate=None, code=56)
        self.curl("/who", "--tlsv1.3", certificate="client_other", code=56)
        self.assertEqual(len(self.proxy.await_refusals(2)), 2)

    def test_curl_put(self):
        (self.folder / "up.bin").write_bytes(self.large)
        for name, arguments in [("length", ["--http1.1", "--upload-file", "up.bin"]),
                                ("expect", ["--http1.1", "--upload-file", "up.bin", "--header", "Expect: 100-continue"]),
                                ("chunked", ["--http1.1", "--upload-file", "up.bin", "--header",
                                             "Transfer-Encoding: chunked"]),
                                ("length2", ["--http2", "--upload-file", "up.bin"]),
                                ("expect2", ["--http2", "--upload-file", "up.bin", "--header", "Expect: 100-continue"]),
                                ("stdin2", ["--http2", "--upload-file", "-"])]:
            with self.subTest(name):
                self.assertEqual(self.curl(f"/upload/{name}", *arguments)[0], "201")
                self.assertEqual((self.folder / "www/upload" / name).read_bytes(), self.large)
        # (In HTTP/2 this curl takes the reset of the unread rest, RFC 9113, 8.1, for a failure.)
        self.assertEqual(self.curl("/small.txt", "--http1.1", "--data-binary", "@up.bin")[0], "405")

    def test_curl_range_and_conditions(self):
        self.assertEqual(self.curl("/large.bin", "--range", "1000000-1999999"), ("206", self.large[1000000:2000000]))
        self.assertEqual(self.curl("/large.bin", "--range", "-100"), ("206", self.large[-100:]))
        status, body = self.curl("/large.bin", "--range", "0-9,100-109")
        self.assertEqual(status, "206")
        self.assertIn(self.large[100:110], body)
        self.assertEqual(self.curl("/small.txt", "--range", "100-200")[0], "416")
        known = client.fetch(self.proxy.port, "/small.txt")
        etag = known.get("ETag")
        since = f"If-Modified-Since: {known.get('Last-Modified')}"
        self.assertEqual(self.curl("/small.txt", "--header", since), ("304", b""))
        self.assertEqual(self.curl("/small.txt", "--header", f"If-None-Match: {etag}"), ("304", b""))
        self.assertEqual(self.curl("/small.txt", "--header", "If-Match: \"x\"")[0], "412")

    def test_curl_many_urls_on_one_connection(self):
        urls = [f"https://localhost/{'small.txt' if i % 2 else 'empty'}" for i in range(199)]
        status, body = self.curl("/small.txt", *urls)
        self.assertEqual((status, body), ("200", self.small * 100))

    def test_parallel_downloads(self):
        streams = [client.connect(self.proxy.port) for _ in range(6)]
        for stream in streams:
            stream.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        for stream in streams:
            for _ in range(2):
                self.assertEqual(stream.read_response().body, self.large)
            stream.close()

    def test_keep_alive_that_nginx_ends(self):
        # keepalive_requests is 50: the server ends connections all the time, and nobody notices.
        with client.connect(self.proxy.port) as stream:
            for _ in range(300):
                self.assertEqual(client.get(stream, "/small.txt").body, self.small)

    def test_openssl_client(self):
        for version in ("-tls1_2", "-tls1_3"):
            command = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{self.proxy.port}", version,
                       "-cert", self.pki.certificate("client"), "-key", self.pki.key("client"),
                       "-CAfile", self.pki.certificate("root"), "-verify_return_error", "-verify_hostname", "localhost"]
            request = b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            result = subprocess.run(command, input=request, capture_output=True, timeout=files.PATIENCE_S, check=False)
            self.assertTrue(result.stdout.startswith(b"HTTP/1.1 200 OK\r\n"), result.stdout + result.stderr)
            self.assertTrue(result.stdout.endswith(b"\r\n\r\n" + self.small), result.stdout)

    def test_openssl_early_data_and_tickets(self):
        # Whatever sessions are offered, a second connection works and tells the same identity.
        session = str(self.folder / "session")
        for flag in ("-sess_out", "-sess_in"):
            command = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{self.proxy.port}", flag, session,
                       "-cert", self.pki.certificate("client"), "-key", self.pki.key("client")]
            if flag == "-sess_in" and not os.path.exists(session):
                return  # no session was given: nothing to resume
            request = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            result = subprocess.run(command, input=request, capture_output=True, timeout=files.PATIENCE_S, check=False)
            self.assertIn(self.pki.subject("client").encode(), result.stdout)


if __name__ == "__main__":
    unittest.main()
