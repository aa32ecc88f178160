"""HTTP/1.1 messages through the proxy: methods, bodies in every framing, old clients, pipelining."""

import hashlib
import random
import unittest

from lib import client
from lib.backend import Backend, response
from lib.case import Case
from lib.wire import Ended


def pattern(size, seed=1):
    return random.Random(seed).randbytes(size)


def in_chunks(body, sizes, extension=b""):
    """A body in chunks of these sizes in turn, without the last chunk."""
    result = bytearray()
    at = 0
    turn = 0
    while at < len(body):
        part = body[at:at + sizes[turn % len(sizes)]]
        result += f"{len(part):x}".encode() + extension + b"\r\n" + part + b"\r\n"
        at += len(part)
        turn += 1
    return bytes(result)


SIZES = [0, 1, 2, 1000, 16383, 16384, 16385, 65536, 1_000_000]


class RequestTest(Case):
    def setUp(self):
        super().setUp()

        def digest(request):
            return response(hashlib.sha256(request.body).hexdigest())

        self.backend = self.start_backend(digest)
        self.proxy = self.start_proxy(self.backend)

    def test_methods(self):
        with client.connect(self.proxy.port) as stream:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "M-SEARCH", "get"):
                with self.subTest(method):
                    answer = client.get(stream, f"/{method}?a=b&c=%20", method=method)
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(self.backend.last.start, f"{method} /{method}?a=b&c=%20 HTTP/1.1")
            self.assertEqual(client.get(stream, "*", method="OPTIONS").status, 200)
            self.assertEqual(self.backend.last.target, "*")

    def test_head_tells_the_length(self):
        with client.connect(self.proxy.port) as stream:
            for _ in range(3):
                self.assertEqual(client.get(stream, method="HEAD").get("Content-Length"), "64")
                self.assertEqual(len(client.get(stream).body), 64)

    def test_bodies_with_length(self):
        with client.connect(self.proxy.port) as stream:
            for size in SIZES:
                with self.subTest(size=size):
                    body = pattern(size)
                    stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode() + body)
                    self.assertEqual(stream.read_response().body, hashlib.sha256(body).hexdigest().encode())
                    self.assertEqual(self.backend.last.all("Content-Length"), [str(size)])
                    self.assertEqual(self.backend.last.all("Transfer-Encoding"), [])

    def test_bodies_in_chunks(self):
        with client.connect(self.proxy.port) as stream:
            for size in SIZES:
                for sizes in ([1, 7, 100], [16384], [70000]) if size <= 16385 else ([5000], [70000]):
                    with self.subTest(size=size, chunks=sizes):
                        body = pattern(size)
                        stream.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                    in_chunks(body, sizes, b";name=value") + b"0\r\n\r\n")
                        self.assertEqual(stream.read_response().body, hashlib.sha256(body).hexdigest().encode())
                        self.assertEqual(self.backend.last.all("Transfer-Encoding"), ["chunked"])
                        self.assertEqual(self.backend.last.all("Content-Length"), [])

    def test_request_trailers(self):
        with client.connect(self.proxy.port) as stream:
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                        "3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Other: 8\r\n\r\n")
            self.assertEqual(stream.read_response().status, 200)
        self.assertEqual(self.backend.last.trailers, [("X-Sum", "7"), ("X-Other", "8")])
        self.assertEqual(self.backend.last.get("Trailer"), "X-Sum")

    def test_body_byte_by_byte(self):
        with client.connect(self.proxy.port) as stream:
            data = (b"POST /slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n"
                    b"0\r\nX-T: u\r\n\r\n")
            for byte in data:
                stream.send(bytes([byte]))
            self.assertEqual(stream.read_response().body, hashlib.sha256(b"hello").hexdigest().encode())

    def test_empty_lines_before_a_request(self):
        with client.connect(self.proxy.port) as stream:
            stream.send("\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(stream.read_response().status, 200)

    def test_absolute_target(self):
        with client.connect(self.proxy.port) as stream:
            for target in ("https://a.test/x?y", "http://a.test:81/x?y"):
                authority = target.split("/")[2]
                self.assertEqual(client.get(stream, target, host=authority).status, 200)
                self.assertEqual(self.backend.last.get("Host"), authority)
                self.assertEqual(self.backend.last.target, "/x?y")

    def test_fields_are_kept(self):
        fields = "X-A: 1\r\nx-a: 2\r\nCookie: a=b; c=d\r\nCookie: e=f\r\nX-Empty:\r\nX-Spaces: \t a  b \t\r\nX-\xc4: \xe4\r\n"
        fields = fields.replace("X-\xc4", "X-Latin")
        with client.connect(self.proxy.port) as stream:
            client.get(stream, fields=fields)
        kept = [field for field in self.backend.last.fields if field[0].lower() in ("x-a", "cookie", "x-empty", "x-spaces",
                                                                                    "x-latin")]
        self.assertEqual(kept, [("X-A", "1"), ("x-a", "2"), ("Cookie", "a=b; c=d"), ("Cookie", "e=f"), ("X-Empty", ""),
                                ("X-Spaces", "a  b"), ("X-Latin", "\xe4")])

    def test_large_head(self):
        value = "v" * 30000
        with client.connect(self.proxy.port) as stream:
            self.assertEqual(client.get(stream, "/" + "p" * 20000, fields=f"X-A: {value}\r\n").status, 200)
        self.assertEqual(self.backend.last.get("X-A"), value)
        self.assertEqual(len(self.backend.last.target), 20001)

    def test_pipelining(self):
        count = 200
        with client.connect(self.proxy.port) as stream:
            stream.send(b"".join(f"POST /{i} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(str(i))}\r\n\r\n{i}".encode()
                                 for i in range(count)))
            for i in range(count):
                self.assertEqual(stream.read_response().body, hashlib.sha256(str(i).encode()).hexdigest().encode())
        self.assertEqual([request.target for request in self.backend.requests], [f"/{i}" for i in range(count)])

    def test_keep_alive_uses_kept_connections(self):
        with client.connect(self.proxy.port) as stream:
            for _ in range(100):
                self.assertEqual(client.get(stream).status, 200)
        self.assertLess(self.backend.connections, 10)

    def test_connection_close(self):
        with client.connect(self.proxy.port) as stream:
            answer = client.get(stream, fields="Connection: close\r\n")
            self.assertTrue(answer.closes)
            self.assertTrue(stream.ended())

    def test_half_closed_client(self):
        # A client that ends its side after the request (close_notify or FIN) has gone, as far as HTTP is concerned; but
        # nothing breaks.
        with client.connect(self.proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream.sock.shutdown(1)
            try:
                stream.read_to_end()
            except Ended:
                pass
        self.assertEqual(client.fetch(self.proxy.port).status, 200)


class OldClientTest(Case):
    def setUp(self):
        super().setUp()

        def respond(request):
            if request.target == "/chunked":
                return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n"
            if request.target == "/unframed":
                return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
            return response("abc")

        self.backend = self.start_backend(respond)
        self.proxy = self.start_proxy(self.backend)

    def test_without_keep_alive(self):
        for target in ("/", "/chunked", "/unframed"):
            with self.subTest(target), client.connect(self.proxy.port) as stream:
                stream.send(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = stream.read_response()
                self.assertEqual((answer.body, answer.get("Transfer-Encoding")), (b"abc", None))
                self.assertTrue(stream.ended())
                self.assertEqual(self.backend.last.start, f"GET {target} HTTP/1.1")

    def test_without_host(self):
        with client.connect(self.proxy.port) as stream:
            stream.send("GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(stream.read_response().status, 200)
        self.assertEqual(len(self.backend.last.all("Host")), 1)

    def test_with_keep_alive(self):
        with client.connect(self.proxy.port) as stream:
            for _ in range(3):
                stream.send("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
                answer = stream.read_response()
                self.assertEqual((answer.body, answer.get("Connection")), (b"abc", "keep-alive"))
            stream.send("GET /chunked HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
            answer = stream.read_response()
            self.assertEqual((answer.body, answer.closes), (b"abc", True))

    def test_no_interim_response(self):
        def respond(_):
            return b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response("abc")

        proxy = self.start_proxy(self.start_backend(respond))
        with client.connect(proxy.port) as stream:
            stream.send("POST / HTTP/1.0\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na")
            answer = stream.read_response()
            self.assertEqual((answer.interim, answer.body), ([], b"abc"))


class ResponseTest(Case):
    def serve(self, respond):
        self.backend = self.start_backend(respond)
        self.proxy = self.start_proxy(self.backend)
        stream = client.connect(self.proxy.port)
        self.addCleanup(stream.close)
        return stream

    def test_bodies(self):
        def respond(request):
            kind, size = request.target[1:].split("/")
            body = pattern(int(size))
            if kind == "length":
                return response(body)
            if kind == "chunked":
                return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(body, [1, 3000, 70000]) + b"0\r\n\r\n"
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body

        stream = self.serve(respond)
        for size in SIZES:
            for kind in ("length", "chunked", "close"):
                with self.subTest(kind=kind, size=size):
                    answer = client.get(stream, f"/{kind}/{size}")
                    self.assertEqual(hashlib.sha256(answer.body).digest(), hashlib.sha256(pattern(size)).digest())
                    # The end of the server's connection is no end of the client's.
                    self.assertFalse(answer.closes)

    def test_response_trailers(self):
        stream = self.serve(lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                                      b"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
        for _ in range(3):
            answer = client.get(stream)
            self.assertEqual((answer.body, answer.trailers), (b"abc", [("X-Sum", "7")]))

    def test_without_body(self):
        def respond(request):
            return {"/204": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
                    "/304": b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 1234\r\n\r\n",
                    "/205": b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
                    "/empty": response(b"")}[request.target]

        stream = self.serve(respond)
        for _ in range(3):
            answer = client.get(stream, "/204")
            self.assertEqual((answer.status, answer.get("Content-Length"), answer.get("X-A")), (204, None, "b"))
            answer = client.get(stream, "/304")
            self.assertEqual((answer.status, answer.get("Content-Length"), answer.get("ETag")), (304, "1234", '"a"'))
            self.assertEqual(client.get(stream, "/205").status, 205)
            self.assertEqual(client.get(stream, "/empty").get("Content-Length"), "0")

    def test_interim_responses(self):
        def respond(_):
            return (b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
                    b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + response("abc"))

        stream = self.serve(respond)
        for _ in range(2):
            answer = client.get(stream)
            self.assertEqual([(i.status, i.get("Link")) for i in answer.interim],
                             [(103, "</a>; rel=preload"), (103, "</b>")])
            self.assertEqual(answer.body, b"abc")

    def test_expect_continue(self):
        """The server decides: the body is asked for only after it said so."""
        def serve(stream):
            while True:
                if not stream.peek():
                    return
                request = stream.read_head()
                self.assertEqual(request.get("Expect"), "100-continue")
                self.assertEqual(bytes(stream.buffer), b"")
                if request.target == "/no":
                    stream.send(response("no", "403 Forbidden", "Connection: close\r\n"))
                    return
                stream.send("HTTP/1.1 100 Continue\r\n\r\n")
                stream.read_request_body(request)
                stream.send(response(request.body))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        with client.connect(proxy.port) as stream:
            for _ in range(2):
                stream.send("POST /yes HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                self.assertEqual(stream.read_head().status, 100)
                stream.send("hello")
                self.assertEqual(stream.read_response().body, b"hello")
            stream.send("POST /no HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            answer = stream.read_response()
            self.assertEqual((answer.status, answer.interim, answer.closes), (403, [], True))

    def test_early_answer(self):
        """A server that answers before it has read the request, and then reads no more."""
        def serve(stream):
            stream.read_head()
            stream.send(response("enough", "413 Content Too Large", "Connection: close\r\n"))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        with client.connect(proxy.port) as stream:
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\nabc")
            answer = stream.read_response()
            self.assertEqual((answer.status, answer.closes, answer.body), (413, True, b"enough"))

    def test_old_server(self):
        stream = self.serve(lambda _: b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nold")
        for _ in range(3):
            answer = client.get(stream)
            self.assertEqual((answer.start.split()[0], answer.body), ("HTTP/1.1", b"old"))

    def test_server_that_closes(self):
        stream = self.serve(lambda _: response("bye", fields="Connection: close\r\n"))
        for _ in range(5):
            answer = client.get(stream)
            self.assertEqual((answer.body, answer.closes), (b"bye", False))
        self.assertEqual(self.backend.connections, 5)


if __name__ == "__main__":
    unittest.main()
