"""Servers of HTTP/2 that ask for far more than they were asked: their connection ends at the limit, is counted and logged,
and nobody else's."""

import unittest

from lib import client, files
from lib.case import Case
from lib import http2_server as h2

# 62 MB in 16 KB, to whoever unfolds it.
BOMB = h2.LARGE_FIELD_AGAIN * 16000


def headers(stream, block, flags=h2.END_HEADERS):
    return h2.frame(h2.HEADERS, flags, stream, block)


class HostileServerTest(Case):
    def start(self, attack):
        """`attack`: gets the connection and the stream of a request."""
        def serve(connection):
            connection.send(h2.settings())
            attack(connection, connection.read_head())
            while connection.read():
                pass  # until the proxy has had enough

        backend = self.start_backend(serve, name="bad", kind=h2.Http2Backend)
        return self.start_proxy(backend, flags=["--upstream_protocol=http2", "--shards=1", "--admin=127.0.0.1:0",
                                                "--response_timeout=20s"])

    def flood(self, kind, attack):
        proxy = self.start(attack)
        self.assertEqual(client.fetch(proxy.port).status, 502)
        shard = client.status(proxy.admin_port)["shards"][0]
        self.assertEqual(shard["upstream_h2_abuses"], {kind: 1})
        files.wait_until(lambda: f"server_failed group=default server=bad failure={kind}\n" in proxy.errors(),
                         "the abuse in the error log")
        self.assertIn("server_failed group=default server=bad failure=protocol\n", proxy.errors())
        server = client.status(proxy.admin_port)["groups"][0]["servers"][0]
        self.assertEqual(server["response_failures"], 1)
        # It is asked again, on a connection of its own.
        self.assertEqual(client.fetch(proxy.port).status, 502)

    def test_a_bomb_in_continuations(self):
        def attack(connection, stream):
            connection.send(headers(stream, h2.OK + h2.LARGE_FIELD, flags=0))
            for _ in range(115):
                connection.send(h2.frame(h2.CONTINUATION, 0, stream, BOMB))
        self.flood("header_list", attack)

    def test_a_bomb_in_trailers(self):
        def attack(connection, stream):
            connection.send(headers(stream, h2.OK + h2.LARGE_FIELD), headers(stream, BOMB, h2.END_HEADERS | h2.END_STREAM))
        proxy = self.start(attack)
        with self.assertRaises(Exception):
            client.fetch(proxy.port)
        self.assertEqual(client.status(proxy.admin_port)["shards"][0]["upstream_h2_abuses"], {"header_list": 1})

    def test_a_bomb_on_a_stream_that_was_reset(self):
        def attack(connection, stream):
            # An upper-case name: malformed.
            connection.send(headers(stream, h2.OK + h2.LARGE_FIELD + b"\0\1X\1y"))
            for _ in range(100):
                connection.send(headers(stream, BOMB))
        proxy = self.start(attack)
        self.assertEqual(client.fetch(proxy.port).status, 502)
        files.wait_until(lambda: client.status(proxy.admin_port)["shards"][0]["upstream_h2_abuses"] ==
                         {"closed_stream_flood": 1}, "the count")

    def test_header_sections_on_a_finished_stream(self):
        def attack(connection, stream):
            connection.send(h2.answer(stream))
            while True:
                connection.send(headers(stream, h2.OK))
        proxy = self.start(attack)
        self.assertEqual(client.fetch(proxy.port).body, b"served")
        files.wait_until(lambda: client.status(proxy.admin_port)["shards"][0]["upstream_open"] == 0, "its end")

    def test_floods(self):
        for kind, frame in (("ping_flood", h2.frame(h2.PING, 0, 0, bytes(8))),
                            ("ping_flood", h2.frame(h2.PING, h2.ACK, 0, bytes(8))),
                            ("settings_flood", h2.settings()),
                            ("window_update_flood", h2.window_update(0, 1)),
                            ("priority_flood", h2.frame(h2.PRIORITY, 0, 1, bytes(5))),
                            ("unknown_frame_flood", h2.frame(0x99)),
                            ("goaway_flood", h2.frame(h2.GOAWAY, 0, 0, b"\x7f\xff\xff\xff" + bytes(4)))):
            with self.subTest(kind):
                self.flood(kind, lambda connection, _, frame=frame: connection.send(frame * 3000))

    def test_empty_data(self):
        for flags, payload in ((0, b""), (8, b"\1\0")):
            with self.subTest(payload):
                def attack(connection, stream, frame=(h2.DATA, flags), payload=payload):
                    connection.send(headers(stream, h2.OK), h2.frame(*frame, stream, payload) * 1000)
                proxy = self.start(attack)
                with self.assertRaises(Exception):
                    client.fetch(proxy.port)
                self.assertEqual(client.status(proxy.admin_port)["shards"][0]["upstream_h2_abuses"],
                                 {"empty_data_flood": 1})

    def test_promises(self):
        def attack(connection, stream):
            connection.send(h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, stream, b"\0\0\0\2\x82\x87\x84"))
        self.assertEqual(client.fetch(self.start(attack).port).status, 502)

    def test_interim_responses_without_end(self):
        def attack(connection, stream):
            connection.send(headers(stream, b"\x08\x03103") * 40)
        proxy = self.start(attack)
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            proxy.await_access(r'" 502 ')


if __name__ == "__main__":
    unittest.main()
