"""Requests that are refused: nothing of them may reach a server, and the connection must end."""

import time
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case

HOST = "Host: localhost\r\n"

# (what, bytes, status). Each is refused on sight: 400 unless it says otherwise.
BAD = [
    ("length and encoding", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("encoding and length", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    ("two equal lengths", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
    ("a list of lengths", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5, 5\r\n\r\nabcde", 400),
    ("a length with a sign", f"POST / HTTP/1.1\r\n{HOST}Content-Length: +5\r\n\r\nabcde", 400),
    ("a negative length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: -5\r\n\r\nabcde", 400),
    ("a hexadecimal length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 0x5\r\n\r\nabcde", 400),
    ("an empty length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: \r\n\r\n", 400),
    ("a length beyond 64 bits", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 99999999999999999999\r\n\r\n", 400),
    ("two encodings", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("encoding gzip, chunked", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    ("encoding chunked, identity", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    ("encoding identity", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 400),
    ("encoding xchunked", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    ("encoding with vertical tab", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    ("encoding in HTTP/1.0", f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("space before the colon", f"POST / HTTP/1.1\r\n{HOST}Content-Length : 3\r\n\r\nabc", 400),
    ("tab before the colon", f"GET / HTTP/1.1\r\n{HOST}Transfer-Encoding\t: chunked\r\n\r\n", 400),
    ("folded line", f"GET / HTTP/1.1\r\n{HOST}X-A: b\r\n c\r\n\r\n", 400),
    ("folded first line", f"GET / HTTP/1.1\r\n X: y\r\n{HOST}\r\n", 400),
    ("bare line feed after a field", f"GET / HTTP/1.1\r\n{HOST}X-A: b\nX-C: d\r\n\r\n", 400),
    ("bare line feeds", "GET / HTTP/1.1\nHost: localhost\n\n", 400),
    ("bare carriage return in a value", f"GET / HTTP/1.1\r\n{HOST}X-A: b\rX-C: d\r\n\r\n", 400),
    ("NUL in a value", f"GET / HTTP/1.1\r\n{HOST}X-A: b\0c\r\n\r\n", 400),
    ("NUL in a name", f"GET / HTTP/1.1\r\n{HOST}X\0A: b\r\n\r\n", 400),
    ("control character in a value", f"GET / HTTP/1.1\r\n{HOST}X-A: b\x01c\r\n\r\n", 400),
    ("no colon", f"GET / HTTP/1.1\r\n{HOST}nonsense\r\n\r\n", 400),
    ("empty name", f"GET / HTTP/1.1\r\n{HOST}: value\r\n\r\n", 400),
    ("name with a space", f"GET / HTTP/1.1\r\n{HOST}X A: b\r\n\r\n", 400),
    ("name with a bracket", f"GET / HTTP/1.1\r\n{HOST}X(A: b\r\n\r\n", 400),
    ("no host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n", 400),
    ("two hosts", f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    ("host with a user", "GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n", 400),
    ("host with a path", "GET / HTTP/1.1\r\nHost: localhost/a\r\n\r\n", 400),
    ("host is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("host differs from the target", "GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n", 400),
    ("two spaces in the request line", f"GET  / HTTP/1.1\r\n{HOST}\r\n", 400),
    ("tab in the request line", f"GET\t/ HTTP/1.1\r\n{HOST}\r\n", 400),
    ("space at the end of the request line", f"GET / HTTP/1.1 \r\n{HOST}\r\n", 400),
    ("space in the target", f"GET /a b HTTP/1.1\r\n{HOST}\r\n", 400),
    ("fragment in the target", f"GET /a#b HTTP/1.1\r\n{HOST}\r\n", 400),
    ("target without a slash", f"GET a HTTP/1.1\r\n{HOST}\r\n", 400),
    ("control character in the target", f"GET /\x7f HTTP/1.1\r\n{HOST}\r\n", 400),
    ("bytes above 127 in the target", f"GET /\xe4 HTTP/1.1\r\n{HOST}\r\n", 400),
    ("asterisk with GET", f"GET * HTTP/1.1\r\n{HOST}\r\n", 400),
    ("HTTP/0.9", "GET /\r\n\r\n", 400),
    ("lower-case protocol", f"GET / http/1.1\r\n{HOST}\r\n", 400),
    ("version with two digits", f"GET / HTTP/1.10\r\n{HOST}\r\n", 400),
    ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/3", f"GET / HTTP/3.0\r\n{HOST}\r\n", 505),
    ("many empty lines first", "\r\n" * 20 + f"GET / HTTP/1.1\r\n{HOST}\r\n", 400),
    ("TLS in TLS", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", 400),
    ("unknown expectation", f"GET / HTTP/1.1\r\n{HOST}Expect: miracles\r\n\r\n", 417),
    ("target too long", f"GET /{'a' * 33000} HTTP/1.1\r\n{HOST}\r\n", 414),
    ("field too long", f"GET / HTTP/1.1\r\n{HOST}X-A: {'a' * 33000}\r\n\r\n", 431),
    ("head too long", f"GET / HTTP/1.1\r\n{HOST}" + "".join(f"X-{i}: {'a' * 8000}\r\n" for i in range(9)) + "\r\n", 431),
    ("too many fields", f"GET / HTTP/1.1\r\n{HOST}" + "".join(f"X-{i}: a\r\n" for i in range(500)) + "\r\n", 431),
    ("endless field", f"GET / HTTP/1.1\r\n{HOST}X-A: {'a' * 200000}", 431),
    ("endless target", f"GET /{'a' * 200000}", 414),
]

# Bodies that break after a good head: (what, bytes of the body, already refused when the head was).
BAD_CHUNKS = [
    ("no number", b"x\r\nabc\r\n0\r\n\r\n"),
    ("negative", b"-1\r\nabc\r\n0\r\n\r\n"),
    ("too large", b"fffffffffffffffff\r\nabc"),
    ("prefix 0x", b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("bare line feed", b"3\nabc\r\n0\r\n\r\n"),
    ("longer than said", b"3\r\nabcd\r\n0\r\n\r\n"),
    ("space before the number", b" 3\r\nabc\r\n0\r\n\r\n"),
    ("bad trailer", b"3\r\nabc\r\n0\r\nX A: b\r\n\r\n"),
    ("endless extension", b"3;" + b"a" * 200000),
]


class BadRequestTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()
        self.proxy = self.start_proxy(self.backend)

    def exchange(self, data, method="GET"):
        """What comes back for these bytes, which must be followed by the end."""
        with client.connect(self.proxy.port) as stream:
            stream.send(data)
            answer = stream.read_response(method)
            self.assertTrue(answer.closes, answer.fields)
            self.assertTrue(stream.ended())
            return answer

    def test_smuggling(self):
        for what, data, status in BAD:
            with self.subTest(what):
                # A second request right behind it must not be taken for anything.
                answer = self.exchange(data + f"GET /second HTTP/1.1\r\n{HOST}\r\n")
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.body[:3], str(status).encode())
        self.assertEqual([request.target for request in self.backend.requests], [])
        self.assertEqual(client.fetch(self.proxy.port).status, 200)
        self.proxy.await_access(r'" 414 ')

    def test_after_a_good_request(self):
        with client.connect(self.proxy.port) as stream:
            stream.send(f"GET /first HTTP/1.1\r\n{HOST}\r\nGET /bad HTTP/1.1\r\n{HOST} folded\r\n\r\n"
                        f"GET /third HTTP/1.1\r\n{HOST}\r\n")
            self.assertEqual(stream.read_response().status, 200)
            self.assertEqual(stream.read_response().status, 400)
            self.assertTrue(stream.ended())
        self.assertEqual([request.target for request in self.backend.requests], ["/first"])

    def test_bad_chunks(self):
        head = f"POST /bad HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n".encode()
        for what, body in BAD_CHUNKS:
            with self.subTest(what):
                self.assertEqual(self.exchange(head + body + f"GET /second HTTP/1.1\r\n{HOST}\r\n".encode()).status, 400)
        # A request that was begun there may never look complete to a server, nor be followed by another.
        self.assertEqual(self.backend.requests, [])

    def test_refused_methods(self):
        for method, target in [("TRACE", "/"), ("CONNECT", "localhost:443")]:
            with client.connect(self.proxy.port) as stream:
                stream.send(f"{method} {target} HTTP/1.1\r\nHost: localhost:443\r\n\r\n")
                answer = stream.read_response()
                self.assertEqual(answer.status, 405)
                self.assertIn("GET", answer.get("Allow"))
        self.assertEqual(self.backend.requests, [])

    def test_body_too_large(self):
        size = 50 * 1024**3 + 1
        answer = self.exchange(f"POST / HTTP/1.1\r\n{HOST}Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual((answer.status, answer.interim), (413, []))
        self.assertEqual(self.backend.requests, [])


class UnknownHostTest(Case):
    def test_unknown_host(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--host=a.example.test,*.b.example.test"])
        with client.connect(proxy.port) as stream:
            for host, status in [("a.example.test", 200), ("A.EXAMPLE.test:1234", 200), ("c.b.example.test", 200),
                                 ("b.example.test", 404), ("d.c.b.example.test", 404), ("localhost", 404)]:
                with self.subTest(host):
                    self.assertEqual(client.get(stream, host=host).status, status)
            # A refused request with a body: what follows on the connection cannot be trusted.
            stream.send(b"POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 100000\r\n\r\nabc")
            answer = stream.read_response()
            self.assertEqual((answer.status, answer.closes), (404, True))
        self.assertEqual(len(backend.requests), 3)


class TimeoutTest(Case):
    def test_slow_head(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--header_timeout=1s"])
        for data in (b"G", f"GET / HTTP/1.1\r\n{HOST}X-A: ".encode()):
            with client.connect(proxy.port) as stream:
                stream.send(data)
                answer = stream.read_response()
                self.assertEqual((answer.status, answer.closes), (408, True))
                self.assertTrue(stream.ended())
        self.assertEqual(backend.requests, [])
        proxy.await_access(r'" 408 ')

    def test_slow_body(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--body_timeout=1s"])
        for head in ("Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
            with client.connect(proxy.port) as stream:
                stream.send(f"POST / HTTP/1.1\r\n{HOST}{head}")
                answer = stream.read_response()
                self.assertEqual((answer.status, answer.closes), (408, True))
                self.assertTrue(stream.ended())
        self.assertEqual(backend.requests, [])
        proxy.await_access(r'" 408 ')

    def test_idle(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--idle_timeout=3s"])
        with client.connect(proxy.port) as unused, client.connect(proxy.port) as used:
            self.assertEqual(client.get(used).status, 200)
            self.assertTrue(unused.ended())
            self.assertTrue(used.ended())

    def test_requests_per_connection(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--max_requests_per_connection=3"])
        with client.connect(proxy.port) as stream:
            self.assertEqual([client.get(stream).closes for _ in range(3)], [False, False, True])
            self.assertTrue(stream.ended())

    def test_age(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--max_connection_age=1s", "--idle_timeout=60s",
                                                              "--admin=127.0.0.1:0"])
        with client.connect(proxy.port) as stream:
            self.assertFalse(client.get(stream).closes)
            self.assertTrue(stream.ended())

        def closes():
            return sum(shard["closes"].get("max_age", 0) for shard in client.status(proxy.admin_port)["shards"])

        # It is counted when the connection is freed.
        files.wait_until(lambda: closes() == 1, "the reason of the end")

    def test_age_of_a_busy_connection(self):
        """It is told with a response: no request meets a connection that has just been ended."""
        proxy = self.start_proxy(self.start_backend(), flags=["--max_connection_age=500ms", "--idle_timeout=60s"])
        for _ in range(3):
            with client.connect(proxy.port) as stream:
                deadline_s = time.monotonic() + files.PATIENCE_S
                while not client.get(stream).closes and time.monotonic() < deadline_s:
                    time.sleep(0.001)
                self.assertTrue(stream.ended())

    def test_slow_server(self):
        def respond(request):
            if request.target == "/slow":
                files.wait_until(lambda: done, "the end of the test")
            return response("late")

        done = []
        self.addCleanup(done.append, True)
        backend = self.start_backend(respond)
        self.addCleanup(done.append, True)
        proxy = self.start_proxy(backend, flags=["--response_timeout=1s"])
        with client.connect(proxy.port) as stream:
            self.assertEqual(client.get(stream, "/slow").status, 504)
            # The connection is in order, and so is the server for others.
            files.wait_until(lambda: client.get(stream, "/fast").status == 200, "a good answer")
        self.assertEqual([request.target for request in backend.requests].count("/slow"), 1)
        proxy.await_access(r'"GET /slow HTTP/1.1" 504 ')


if __name__ == "__main__":
    unittest.main()
