"""The plain listener: nothing but a redirect to where clients can prove who they are."""

import signal
import subprocess
import time
import unittest

from lib import client, files
from lib.case import Case
from lib.wire import Stream


class RedirectTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def start(self, *flags, redirect_port=443):
        self.proxy = self.start_proxy(self.backend, flags=["--http_listen=127.0.0.1:0", f"--redirect_port={redirect_port}",
                                                           "--admin=127.0.0.1:0", *flags])
        listeners = client.status(self.proxy.admin_port)["listeners"]
        self.port = next(listener["port"] for listener in listeners if listener["name"] == "http")

    def open(self):
        stream = Stream(client.connect_plain(self.port))
        self.addCleanup(stream.close)
        return stream

    def location(self, request):
        stream = self.open()
        stream.send(request)
        answer = stream.read_response()
        self.assertEqual(answer.status, 308)
        return answer.get("location")

    def test_everything_is_sent_to_https(self):
        self.start()
        for request, location in {
                "GET / HTTP/1.1\r\nHost: a.example.test\r\n\r\n": "https://a.example.test/",
                "GET /x/y?z=1&u=%20 HTTP/1.1\r\nHost: A.example.test:8080\r\n\r\n":
                    "https://A.example.test/x/y?z=1&u=%20",
                "POST /form HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 4\r\n\r\nbody": "https://[::1]/form",
                "GET http://b.example.test/p HTTP/1.1\r\nHost: b.example.test\r\n\r\n": "https://b.example.test/p",
                "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n": "https://a/",
                "GET /old HTTP/1.0\r\nHost: a\r\n\r\n": "https://a/old",
        }.items():
            with self.subTest(request):
                self.assertEqual(self.location(request), location)
        self.assertEqual(self.backend.requests, [])
        self.proxy.await_access(r'"GET / HTTP/1.1" 308 .* listener=http .* tls=- client=')

    def test_drain_ends_a_quiet_connection(self):
        self.start("--idle_timeout=60s")
        stream = self.open()
        stream.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(stream.read_response().status, 308)
        time.sleep(1.2)
        self.proxy.signal(signal.SIGTERM)
        self.assertTrue(stream.ended())
        stream.close()
        self.assertEqual(self.proxy.wait(), 0)
        self.assertNotIn("stopping now", self.proxy.errors())

    def test_port(self):
        self.start(redirect_port=8443)
        self.assertEqual(self.location("GET /a HTTP/1.1\r\nHost: x.test:80\r\n\r\n"), "https://x.test:8443/a")

    def test_keep_alive_and_pipelining(self):
        self.start()
        stream = self.open()
        stream.send("".join(f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n" for number in range(5)))
        for number in range(5):
            self.assertEqual(stream.read_response().get("location"), f"https://a/{number}")
        stream.send("HEAD /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(stream.read_response("HEAD").get("location"), "https://a/last")
        self.assertTrue(stream.ended())

    def test_bad_requests(self):
        self.start()
        for request, status in {
                "GET / HTTP/1.1\r\n\r\n": 400, "GET / HTTP/1.0\r\n\r\n": 400, "nonsense\r\n\r\n": 400,
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n": 405,
                "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n": 405,
                f"GET /{'x' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n": 414,
                f"GET /{'x' * 40000} HTTP/1.1\r\nHost: a\r\n\r\n": 414,
                "GET / HTTP/1.1\r\nHost: a\r\nX: " + "y" * 40000 + "\r\n\r\n": 431}.items():
            with self.subTest(request[:60]):
                stream = self.open()
                stream.send(request)
                self.assertEqual(stream.read_response().status, status)

    def test_timeouts_and_drain(self):
        self.start("--header_timeout=300ms", "--idle_timeout=500ms")
        slow = self.open()
        slow.send("GET / HTTP/1.1\r\n")
        self.assertEqual(slow.read_response().status, 408)
        self.assertTrue(self.open().ended())
        self.start()
        idle = self.open()
        self.proxy.signal(signal.SIGTERM)
        self.assertTrue(idle.ended())
        self.assertEqual(self.proxy.wait(), 0)

    def test_curl_follows(self):
        self.start()
        result = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--location", "--cacert",
             self.pki.certificate("root"), "--cert", self.pki.chain("client"), "--key", self.pki.key("client"),
             "--connect-to", f"localhost:80:127.0.0.1:{self.port}",
             "--connect-to", f"localhost:443:127.0.0.1:{self.proxy.port}", "http://localhost/x"],
            capture_output=True, check=False, timeout=files.PATIENCE_S)
        self.assertEqual((result.returncode, result.stdout), (0, b"server"), result.stderr)


if __name__ == "__main__":
    unittest.main()
