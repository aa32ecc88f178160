"""RFC 9113, sections 8.1, 8.5, 8.6 and 8.7: messages, their framing, and what else a stream carries.

Left out, as it cannot be seen from outside, or is the client's part:
 * 8.1 and 8.3.2 for senders: checked on every response of every test.
 * 8.4 server push: a server need not push; a promise would be checked as every frame is.
 * 8.5 tunnels: for a server that supports CONNECT; only that its requests have to be well-formed.
"""

import unittest

from lib.backend import Backend, response

from wire2 import frames, hpack_writer
from wire2.case import BIG_SIZE, PAGE, ConformanceCase

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


class ExchangeTest(ConformanceCase):
    def test_8_1_get(self):
        connection = self.connect()
        exchange = connection.expect_response(connection.request())
        self.assertGreater(len(exchange.body), 15)
        if self.backend:
            self.assertEqual(bytes(exchange.body), PAGE)

    def test_8_1_head(self):
        connection = self.connect()
        exchange = connection.expect_response(connection.request(method="HEAD"))
        self.assertEqual(bytes(exchange.body), b"")
        if self.backend:
            self.assertEqual(exchange.get("content-length"), str(len(PAGE)).encode())

    def test_8_1_a_head_of_64_kilobytes(self):
        self.need_backend()
        values = [f"{number:03}" + "v" * 670 for number in range(92)]
        self.answers["/"] = response(PAGE, fields="".join(f"X-Large: {value}\r\n" for value in values))
        for method in ("GET", "HEAD"):
            with self.subTest(method):
                connection = self.connect()
                connection.decoder.max_header_list_size = 1 << 20
                exchange = connection.expect_response(connection.request(method=method))
                self.assertEqual([value.decode() for value in exchange.all("x-large")], values)
                self.assertEqual(bytes(exchange.body), b"" if method == "HEAD" else PAGE)

    def test_8_1_post(self):
        connection = self.connect()
        for body in (b"", b"a", b"abc" * 1000):
            connection.expect_response(connection.request(method="POST", body=body))
            connection.expect_response(connection.request(("content-length", str(len(body))), method="POST", body=body))
            if self.backend:
                self.assertEqual(self.backend.last.body, body)

    def test_8_1_request_with_trailers(self):
        connection = self.connect()
        trailers = [("x-sum", "7"), ("x-other", "a b")]
        connection.expect_response(connection.request(method="POST", body=b"abc", trailers=trailers))
        if self.backend:
            self.assertEqual(self.backend.last.body, b"abc")
            self.assertEqual(self.forwarded_trailers(), trailers)

    def test_8_1_trailers_without_a_body(self):
        connection = self.connect()
        connection.expect_response(connection.request(method="POST", trailers=[("x-sum", "7")]))

    def test_8_1_requests_in_turn_and_at_once(self):
        connection = self.connect()
        for _ in range(10):
            connection.expect_response(connection.request())
        connection.grant(0, 1 << 20)
        streams = [connection.request(method="POST" if index % 2 else "GET", body=b"abc" if index % 2 else None)
                   for index in range(20)]
        for stream in reversed(streams):
            connection.expect_response(stream)

    def test_8_1_bodies_in_turns(self):
        self.answers["/"] = lambda request: response(request.body)
        connection = self.connect()
        streams = [connection.open_request() for _ in range(5)]
        for part in range(10):
            connection.send(*[frames.data(stream, b"%d:%d," % (stream, part)) for stream in streams])
        for stream in streams:
            connection.send(frames.data(stream, b"", True))
        for stream in streams:
            exchange = connection.expect_response(stream)
            if self.backend:
                self.assertEqual(bytes(exchange.body), b"".join(b"%d:%d," % (stream, part) for part in range(10)))

    def test_8_1_a_large_response(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 1 << 20)])
        connection.grant(0, 1 << 20)
        exchange = connection.expect_response(connection.request(path="/big"), None)
        if exchange.status == 200:
            self.assertGreaterEqual(len(exchange.body), BIG_SIZE)


class FramingTest(ConformanceCase):
    def test_8_1_a_second_head_without_end_stream(self):
        for body in (b"", b"abc"):
            with self.subTest(body):
                connection = self.connect()
                stream = connection.open_request(path="/twice")
                if body:
                    connection.send(frames.data(stream, body))
                connection.send(frames.headers(stream, hpack_writer.block([("x-more", "1")]), end_stream=False))
                connection.send(frames.data(stream, b"", True))
                connection.expect_malformed(stream)
                self.assertNotIn("/twice", self.forwarded())

    def test_8_1_a_second_request_on_the_stream(self):
        connection = self.connect()
        stream = connection.open_request(path="/twice")
        connection.send(frames.headers(stream, connection.block(path="/twice")))
        connection.expect_malformed(stream)
        self.assertNotIn("/twice", self.forwarded())

    def test_8_1_nothing_after_trailers(self):
        connection = self.connect_held()
        stream = connection.request(method="POST", trailers=[("x-sum", "7")])
        connection.expect_connection_open()
        connection.send(frames.data(stream, b"late", True))
        connection.expect_rst(stream, frames.STREAM_CLOSED)

    def check_length(self, length, *parts):
        connection = self.connect()
        before = self.forwarded()
        stream = connection.new_stream("POST")
        block = connection.block(("content-length", length), method="POST", path="/length")
        connection.send(frames.headers(stream, block, False),
                        *[frames.data(stream, part, index == len(parts) - 1) for index, part in enumerate(parts)])
        connection.expect_malformed(stream)
        # 8.1.1: before it is known that there is more than was told, that much may have been forwarded.
        if not length.isdecimal() or sum(map(len, parts)) < int(length):
            self.assertEqual(self.forwarded(), before)

    def test_8_1_1_content_length_that_is_not_the_bodys(self):
        for length, parts in (("1", [b"ab"]), ("3", [b"ab"]), ("3", [b"ab", b"cd"]), ("5", [b"ab", b"cd"]),
                              ("0", [b"a"]), ("1", [b""]), ("2", [b"ab", b"c", b""])):
            with self.subTest(length, parts=parts):
                self.check_length(length, *parts)

    def test_8_1_1_content_length_counts_no_padding(self):
        connection = self.connect()
        stream = connection.open_request(("content-length", "3"))
        connection.send(frames.data(stream, b"abc", True, pad=9))
        connection.expect_response(stream)
        stream = connection.open_request(("content-length", "13"))
        connection.send(frames.data(stream, b"abc", True, pad=9))
        connection.expect_malformed(stream)

    def test_8_1_1_content_length_without_a_body(self):
        for method in ("GET", "POST"):
            with self.subTest(method):
                connection = self.connect()
                stream = connection.request(("content-length", "3"), method=method, path="/length")
                connection.expect_malformed(stream)
                self.assertNotIn("/length", self.forwarded())

    def test_8_1_1_content_length_before_trailers(self):
        connection = self.connect()
        stream = connection.request(("content-length", "4"), method="POST", path="/length", body=b"abc",
                                    trailers=[("x-sum", "7")])
        connection.expect_malformed(stream)
        self.assertNotIn("/length", self.forwarded())

    def test_8_1_1_content_length_that_is_no_number(self):
        for length in ("-1", "+3", "3,3,4", "0x3", "3.0", "three", "", "99999999999999999999999999", "3 3"):
            with self.subTest(length):
                self.check_length(length, b"abc")

    def test_8_1_1_two_content_lengths(self):
        connection = self.connect()
        stream = connection.open_request(("content-length", "3"), ("content-length", "4"), path="/length")
        connection.send(frames.data(stream, b"abc", True))
        connection.expect_malformed(stream)
        self.assertNotIn("/length", self.forwarded())


class ConnectTest(ConformanceCase):
    def test_8_5_connect_without_support_is_refused_alone(self):
        connection = self.connect()
        stream = connection.send_fields([(":method", "CONNECT"), (":authority", "localhost:443")], method="CONNECT")
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: exchange.status is not None or exchange.closed or connection.failed, "an answer")
        if exchange.status is not None and exchange.status < 300:
            self.skipTest("the server supports CONNECT")
        connection.expect_outcome(stream)
        connection.expect_served()

    def test_8_5_malformed_connect(self):
        head = [(":method", "CONNECT"), (":authority", "localhost:443")]
        for name, fields in {"with :scheme": [*head, (":scheme", "https")], "with :path": [*head, (":path", "/")],
                             "with both": [*head, (":scheme", "https"), (":path", "/")], "without :authority": head[:1],
                             }.items():
            with self.subTest(name):
                connection = self.connect()
                stream = connection.send_fields(fields, method="CONNECT")
                # A server without CONNECT may say so before it looks any further.
                if connection.expect_outcome(stream).status != 501:
                    connection.expect_malformed(stream)
                self.assertEqual(self.forwarded(), [])


class ReliabilityTest(ConformanceCase):
    def test_8_7_refused_stream_means_not_processed(self):
        self.need_backend()
        connection = self.connect_held()
        limit = connection.server_settings.get(frames.MAX_CONCURRENT_STREAMS)
        if limit is None or limit > 2000:
            self.skipTest("the server sets no limit that could be reached")
        for _ in range(limit):
            self.held_request(connection)
        stream = connection.request(path="/refused")
        connection.expect_rst(stream, frames.REFUSED_STREAM, frames.PROTOCOL_ERROR)
        self.assertNotIn("/refused", self.forwarded())


class ResponseTest(ConformanceCase):
    """How HTTP/1.1 of the server behind the proxy becomes HTTP/2; the rules for every response are checked as well."""

    def setUp(self):
        super().setUp()
        self.need_backend()

    def answer(self, octets, **arguments):
        self.answers["/"] = octets
        connection = self.connect()
        exchange = connection.expect_response(connection.request(**arguments), None)
        connection.expect_connection_open()
        return exchange

    def test_8_2_2_connection_specific_fields_are_removed(self):
        fields = ("Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n"
                  "Proxy-Connection: keep-alive\r\nX-Kept: 3\r\n")
        exchange = self.answer(response(b"abc", fields=fields))
        self.assertEqual(exchange.status, 200)
        self.assertEqual(exchange.all("x-mine"), [])
        self.assertEqual(exchange.get("x-kept"), b"3")

    def test_8_2_names_are_lowercase(self):
        exchange = self.answer(response(b"abc", fields="X-UPPER-Case: Value\r\nSet-Cookie: A=B\r\nset-cookie: C=D\r\n"))
        self.assertEqual(exchange.get("x-upper-case"), b"Value")
        self.assertEqual(exchange.all("set-cookie"), [b"A=B", b"C=D"])

    def test_8_1_chunks_become_data(self):
        exchange = self.answer(CHUNKED + b"\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n")
        self.assertEqual(bytes(exchange.body), b"abcdefg")

    def test_8_1_trailers(self):
        exchange = self.answer(CHUNKED + b"Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
        self.assertEqual(bytes(exchange.body), b"abc")
        self.assertEqual(exchange.trailers, [(b"x-sum", b"7")])

    def test_8_1_interim_responses(self):
        exchange = self.answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response(b"abc"))
        self.assertEqual((exchange.status, bytes(exchange.body)), (200, b"abc"))
        # They may be kept back; what comes has to be right.
        self.assertIn([status for status, _ in exchange.interim], ([], [103]))

    def test_8_1_100_continue(self):
        def serve(stream):
            request = stream.read_head()
            stream.send("HTTP/1.1 100 Continue\r\n\r\n")
            stream.read_request_body(request)
            stream.send(response(request.body))

        backend = Backend(serve, name="continuing")
        self.addCleanup(backend.stop)
        self.proxy = self.start_proxy(backend, client_auth="off")
        connection = self.connect()
        stream = connection.open_request(("expect", "100-continue"), ("content-length", "3"))
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: exchange.interim or exchange.closed, "100")
        self.assertEqual([status for status, _ in exchange.interim], [100])
        connection.send(frames.data(stream, b"abc", True))
        self.assertEqual(bytes(connection.expect_response(stream).body), b"abc")

    def test_8_6_never_101(self):
        exchange = self.answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        self.assertGreaterEqual(exchange.status, 500)

    def test_8_1_1_responses_without_content(self):
        for status, length in (("204 No Content", ""), ("304 Not Modified", "Content-Length: 20\r\n")):
            with self.subTest(status):
                exchange = self.answer(f"HTTP/1.1 {status}\r\n{length}\r\n".encode())
                self.assertEqual((exchange.status, bytes(exchange.body)), (int(status[:3]), b""))

    def test_8_1_1_a_response_that_is_cut_off_is_no_whole_one(self):
        for octets in (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc",
                       CHUNKED + b"Connection: close\r\n\r\n5\r\nabc"):
            with self.subTest(octets):
                self.answers["/"] = octets
                connection = self.connect()
                exchange = connection.expect_outcome(connection.request())
                self.assertFalse(exchange.ended and exchange.status == 200)
                connection.expect_connection_open()

    def test_8_1_a_response_before_the_end_of_the_request(self):
        # A malformed length is known from the head; the rest of the body may be waved off with NO_ERROR.
        connection = self.connect()
        stream = connection.open_request(("content-length", "1"), ("content-length", "2"))
        connection.expect_malformed(stream)
        if not connection.failed:
            connection.expect_served()


if __name__ == "__main__":
    unittest.main()
