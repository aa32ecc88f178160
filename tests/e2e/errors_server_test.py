"""Servers that fail: what clients see, what is tried again, and what must not be."""

import threading
import unittest

from lib import client, files
from lib.backend import Backend, HttpBackend, closed_port, response
from lib.case import Case
from lib.wire import Ended

# Responses that no client may get: (what, bytes).
BAD_RESPONSES = [
    ("garbage", b"\x00\x01\x02 nonsense\r\n\r\n"),
    ("length and encoding", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
    ("a list of lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef"),
    ("a length that is no number", b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n"),
    ("unknown encoding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"),
    ("folded line", b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    ("space before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
    ("bare line feed", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("bare carriage return", b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c\r\nContent-Length: 0\r\n\r\n"),
    ("NUL in a value", b"HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 0\r\n\r\n"),
    ("no status", b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
    ("status 99", b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
    ("HTTP/2", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("switches protocols unasked", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n"),
    ("head without end", b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200000),
    ("nothing", b""),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-"),
]


class BadResponseTest(Case):
    def test_bad_responses(self):
        current = []

        def serve(stream):
            if stream.read_request() is not None:
                stream.send(current[0])

        backend = self.start_backend(serve, kind=Backend)
        proxy = self.start_proxy(backend)
        with client.connect(proxy.port) as stream:
            for what, data in BAD_RESPONSES:
                with self.subTest(what):
                    current[:] = [data]
                    answer = client.get(stream, "/bad")
                    self.assertEqual(answer.status, 502)
                    self.assertEqual(answer.body, b"502 Bad Gateway\n")
            current[:] = [response("good")]
            self.assertEqual(client.get(stream).body, b"good")
        proxy.await_access(r'"GET /bad HTTP/1.1" 502 ')

    def test_bytes_behind_a_response(self):
        # A second response that nobody asked for must not become the answer to the next request.
        def serve(stream):
            while stream.read_request() is not None:
                stream.send(response("mine") + response("stolen"))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        for _ in range(20):
            with client.connect(proxy.port) as stream:
                for _ in range(3):
                    self.assertEqual(client.get(stream).body, b"mine")

    def test_body_behind_a_response_without_one(self):
        def serve(stream):
            while True:
                request = stream.read_request()
                if request is None:
                    return
                if request.target == "/204":
                    stream.send(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")
                else:
                    stream.send(response("mine"))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        with client.connect(proxy.port) as stream:
            for _ in range(10):
                self.assertEqual(client.get(stream, "/204").status, 204)
                self.assertEqual(client.get(stream).body, b"mine")


class TruncatedTest(Case):
    def check_cut(self, proxy, target):
        """The body must be visibly incomplete."""
        with client.connect(proxy.port) as stream:
            stream.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with self.assertRaises(Ended):
                stream.read_response()

    def test_cut_off(self):
        heads = {"/length": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"a" * 5000,
                 "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + b"a" * 5000 + b"\r\n",
                 "/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + b"a" * 500,
                 "/badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"}

        def serve(stream):
            request = stream.read_request()
            if request is not None:
                stream.send(heads[request.target])

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        for target in heads:
            with self.subTest(target):
                self.check_cut(proxy, target)

    def test_cut_off_old_client(self):
        # An HTTP/1.0 client sees the end of a chunked body only by the connection's end: no close_notify then.
        def serve(stream):
            if stream.read_request() is not None:
                stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with self.assertRaises(Ended) as caught:
                stream.read_response()
            self.assertFalse(caught.exception.clean)
            self.assertEqual(caught.exception.received, b"abc")

    def test_killed_server(self):
        """Many clients, each with its own pattern, while the server dies in the middle: nobody gets another's bytes."""
        size = 400_000

        def respond(request):
            return response(request.target[1:].encode() * (size // 4))

        backend = self.start_backend(respond)
        proxy = self.start_proxy(backend)
        wrong = []
        counts = {"whole": 0, "cut": 0}
        enough = threading.Event()

        def load(worker):
            for turn in range(40):
                pattern = f"{worker:02d}{turn:02d}".encode()
                try:
                    with client.connect(proxy.port) as stream:
                        stream.send(f"GET /{pattern.decode()} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        answer = stream.read_response()
                        if answer.status == 200 and answer.body != pattern * (size // 4):
                            wrong.append((pattern, answer.body[:40]))
                        counts["whole"] += 1
                except Ended as error:
                    if error.received.strip(pattern) not in (b"",) and not error.received.startswith(b"HTTP/1.1 "):
                        wrong.append((pattern, error.received[:40]))
                    counts["cut"] += 1
                if counts["whole"] > 20:
                    enough.set()

        threads = [threading.Thread(target=load, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        enough.wait(files.PATIENCE_S)
        for _ in range(10):
            backend.kill_connections()
        for thread in threads:
            thread.join(2 * files.PATIENCE_S)
            self.assertFalse(thread.is_alive())
        self.assertEqual(wrong, [])
        self.assertGreater(counts["whole"], 20)


class RetryTest(Case):
    """A server that ends kept connections: two requests each, the second one is not answered."""

    def unreliable(self):
        self.seen = []

        def serve(stream):
            request = stream.read_request()
            if request is None:
                return
            self.seen.append((request.method, request.target))
            stream.send(response("good"))
            request = stream.read_request()
            if request is not None:
                self.seen.append((request.method, "unanswered"))

        return self.start_backend(serve, kind=Backend)

    def pooled(self, proxy, method, fields="", body=""):
        """A request right after another one on the same shard, so that it goes to the kept connection."""
        with client.connect(proxy.port) as stream:
            self.assertEqual(client.get(stream, "/first").status, 200)
            stream.send(f"{method} /second HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}")
            return stream.read_response(method).status

    def test_idempotent_requests_are_sent_again(self):
        for method, fields, body in [("GET", "", ""), ("HEAD", "", ""), ("DELETE", "", ""),
                                     ("PUT", "Content-Length: 3\r\n", "abc")]:
            with self.subTest(method):
                proxy = self.start_proxy(self.unreliable())
                self.assertEqual(self.pooled(proxy, method, fields, body), 200)
                self.assertEqual(self.seen, [("GET", "/first"), (method, "unanswered"), (method, "/second")])

    def test_post_is_not_sent_again(self):
        for method in ("POST", "PATCH"):
            proxy = self.start_proxy(self.unreliable())
            self.assertEqual(self.pooled(proxy, method, "Content-Length: 3\r\n", "abc"), 502)
            self.assertEqual(self.seen, [("GET", "/first"), (method, "unanswered")])

    def test_server_that_closes_kept_connections(self):
        # The server ends after each response without saying so. Whatever the moment, a GET is served.
        def serve(stream):
            if stream.read_request() is not None:
                stream.send(response("good"))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        with client.connect(proxy.port) as stream:
            for _ in range(100):
                self.assertEqual(client.get(stream).body, b"good")

    def test_fresh_connection_is_not_tried_again(self):
        seen = []

        def serve(stream):
            seen.append(stream.read_request().target)

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        self.assertEqual(client.fetch(proxy.port, "/once").status, 502)
        self.assertEqual(seen, ["/once"])


class UnreachableTest(Case):
    def test_refused(self):
        held, port = closed_port()
        self.addCleanup(held.close)
        proxy = self.start_proxy(f"--backend=gone@127.0.0.1:{port}")
        with client.connect(proxy.port) as stream:
            for _ in range(5):
                self.assertEqual(client.get(stream).status, 502)
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            self.assertEqual(stream.read_response().status, 502)
        proxy.await_access(r'"GET / HTTP/1.1" 502 .* upstream=gone ')

    def test_other_server_steps_in(self):
        held, port = closed_port()
        self.addCleanup(held.close)
        backend = self.start_backend(name="here")
        proxy = self.start_proxy(f"--backend=gone@127.0.0.1:{port}", backend)
        body = "x" * 10000
        for _ in range(10):
            with client.connect(proxy.port) as stream:
                self.assertEqual(client.get(stream).body, b"here")
                # Nothing of it has been sent, so a POST may go elsewhere as well.
                stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}")
                self.assertEqual(stream.read_response().body, b"here")
                self.assertEqual(backend.last.body, body.encode())

    def test_connect_timeout(self):
        # A listener whose backlog is full: the kernel drops what comes next.
        listener = client.socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        for _ in range(3):
            sock = client.socket.socket()
            self.addCleanup(sock.close)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        proxy = self.start_proxy(f"--backend=full@127.0.0.1:{port}", flags=["--connect_timeout=500ms"])
        self.assertEqual(client.fetch(proxy.port).status, 504)
        backend = self.start_backend(name="here")
        proxy = self.start_proxy(f"--backend=full@127.0.0.1:{port}", backend, flags=["--connect_timeout=500ms"])
        for _ in range(3):
            self.assertEqual(client.fetch(proxy.port).body, b"here")


class GoneClientTest(Case):
    def test_client_leaves(self):
        asked = threading.Event()
        ended = threading.Event()

        def serve(stream):
            if stream.read_request() is None:
                return
            asked.set()
            # The proxy must end its request to us, too.
            try:
                stream.ended()
            finally:
                ended.set()

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        for leave in ("close", "reset"):
            with self.subTest(leave):
                asked.clear()
                ended.clear()
                stream = client.connect(proxy.port)
                stream.send(f"GET /{leave} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertTrue(asked.wait(files.PATIENCE_S))
                getattr(stream, leave)()
                self.assertTrue(ended.wait(files.PATIENCE_S))
                self.assertIn(" upstream=server ", proxy.await_access(f'"GET /{leave} HTTP/1.1" 499 '))

    def test_client_leaves_in_its_body(self):
        backend = self.start_backend(kind=HttpBackend)
        proxy = self.start_proxy(backend)
        with client.connect(proxy.port) as stream:
            stream.send("POST /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
        proxy.await_access('"POST /half HTTP/1.1" 499 ')
        self.assertEqual(backend.requests, [])

    def test_a_head_without_end(self):
        for piece in (b"H", b"HTTP/1.1 102 Processing\r\n\r\n"):
            with self.subTest(piece):
                over = threading.Event()

                def trickle(stream, piece=piece, over=over):
                    stream.read_request()
                    for _ in range(1000):
                        if over.wait(0.3):
                            return
                        stream.send(piece)

                backend = self.start_backend(trickle, kind=Backend)
                self.addCleanup(over.set)  # before the server is stopped
                proxy = self.start_proxy(backend, flags=["--response_timeout=1s"])
                self.assertEqual(client.fetch(proxy.port).status, 504)


if __name__ == "__main__":
    unittest.main()
