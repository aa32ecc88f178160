"""WebSockets from HTTP/2 clients (RFC 8441): extended CONNECT, carried on to a server of HTTP/1.1."""

import signal
import unittest

from lib import files
from lib.websocket import CLOSE, GOING_AWAY, TEXT, EchoBackend, close_code, frame, read_frame
from wire2 import frames
from wire2.case import ConformanceCase

ENABLE_CONNECT_PROTOCOL = 0x8


class WebSocketTest(ConformanceCase):
    def setUp(self):
        super().setUp()
        if self.backend is None:
            self.skipTest("needs a server of its own")
        self.echo_backend = self.start_backend(kind=EchoBackend)
        self.start()

    def start(self, *flags):
        self.proxy = self.start_proxy(self.echo_backend, client_auth="off", flags=flags)

    def ask(self, connection, *more, drop=(), end_stream=False, protocol="websocket", method="CONNECT"):
        fields = [(":method", method), (":protocol", protocol), (":scheme", "https"), (":path", "/chat"),
                  (":authority", "localhost"), ("sec-websocket-version", "13"), *more]
        return connection.send_fields([field for field in fields if field[0] not in drop], end_stream, method)

    def open_tunnel(self, connection):
        stream = self.ask(connection)
        connection.expect_head(stream)
        self.assertEqual(self.exchange(connection, stream).status, 200)
        return stream

    def exchange(self, connection, stream):
        return connection.exchanges[stream]

    def reader(self, connection, stream):
        taken = 0

        def read(size):
            nonlocal taken
            body = self.exchange(connection, stream).body
            taken += size
            connection.wait_for(lambda: len(body) >= taken, f"{taken} octets")
            return bytes(body[taken - size:taken])
        return read

    def test_3_setting(self):
        connection = self.connect()
        connection.expect_connection_open()
        self.assertEqual(connection.server_settings.get(ENABLE_CONNECT_PROTOCOL), 1)

    def test_5_messages_go_both_ways(self):
        connection = self.connect()
        streams = [self.open_tunnel(connection) for _ in range(3)]
        for stream in streams:
            self.assertIsNone(self.exchange(connection, stream).get("sec-websocket-accept"))
            self.assertEqual(self.exchange(connection, stream).get("sec-websocket-protocol"), b"chat")
            read = self.reader(connection, stream)
            for size in (0, 1, 200, 20_000):
                connection.send(*connection.data_frames(stream, frame(b"y" * size, masked=True), end_stream=False))
                self.assertEqual(read_frame(read), (TEXT, b"y" * size))
        request = self.echo_backend.requests[0]
        self.assertEqual((request.method, request.target), ("GET", "/chat"))
        self.assertEqual((request.get("upgrade"), request.get("connection")), ("websocket", "Upgrade"))
        self.assertEqual(len(request.get("sec-websocket-key")), 24)
        self.assertEqual(len({request.get("sec-websocket-key") for request in self.echo_backend.requests}), 3)
        # 5.3: the end of the stream is the end of the connection, on both sides.
        connection.send(*connection.data_frames(streams[0], frame(b"\x03\xe8", CLOSE, masked=True)))
        connection.wait_for(lambda: self.exchange(connection, streams[0]).closed, "the end of the stream")
        connection.expect_connection_open()

    def test_5_a_reset_ends_the_servers_connection(self):
        connection = self.connect()
        stream = self.open_tunnel(connection)
        connection.send(frames.rst_stream(stream))
        connection.expect_connection_open()
        files.wait_until(lambda: self.echo_backend.ended == 1, "the server to see the end")

    def test_5_the_servers_key_is_ours(self):
        # 5: the client sends none. One that does all the same has no say in what is checked against the answer.
        connection = self.connect()
        stream = self.ask(connection, ("sec-websocket-key", "AQIDBAUGBwgJCgsMDQ4PEA=="))
        connection.expect_head(stream)
        self.assertEqual(self.exchange(connection, stream).status, 200)
        keys = self.echo_backend.requests[0].all("sec-websocket-key")
        self.assertEqual(len(keys), 1)
        self.assertNotEqual(keys, ["AQIDBAUGBwgJCgsMDQ4PEA=="])

    def test_4_malformed(self):
        for name, arguments in {
                "another method": {"method": "GET"}, "no scheme": {"drop": [":scheme"]}, "no path": {"drop": [":path"]},
                "no authority": {"drop": [":authority"]}, "ended": {"end_stream": True}}.items():
            with self.subTest(name):
                connection = self.connect()
                connection.expect_malformed(self.ask(connection, **arguments))

    def test_4_another_protocol(self):
        connection = self.connect()
        stream = self.ask(connection, protocol="connect-udp")
        connection.wait_for(lambda: self.exchange(connection, stream).closed, "an answer")
        self.assertNotEqual(self.exchange(connection, stream).status, 200)
        self.assertEqual(self.echo_backend.requests, [])

    def test_a_server_that_does_not_know_the_key(self):
        self.echo_backend.answer = lambda request: EchoBackend.agree(request).replace(b"Accept: ", b"Accept: x")
        connection = self.connect()
        stream = self.ask(connection)
        connection.expect_response(stream, 502)

    def test_drain_says_goodbye(self):
        connection = self.connect()
        stream = self.open_tunnel(connection)
        read = self.reader(connection, stream)
        self.proxy.signal(signal.SIGTERM)
        opcode, payload = read_frame(read)
        self.assertEqual((opcode, close_code(payload)), (CLOSE, GOING_AWAY))
        connection.send(*connection.data_frames(stream, frame(payload, CLOSE, masked=True)))
        connection.wait_for(lambda: connection.closed, "the end of the connection")
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(self.echo_backend.closes, [GOING_AWAY])


if __name__ == "__main__":
    unittest.main()
