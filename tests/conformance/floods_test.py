"""RFC 9113, section 10.5: floods of cheap frames end their connection with ENHANCE_YOUR_CALM, counted by kind, and
nobody else's."""

import unittest

from lib import client, files
from wire2 import frames, hpack_writer
from wire2.case import ConformanceCase

# An entry of nearly the whole table, and a frame that names nothing else: 62 MB in 16 KB.
LARGE = hpack_writer.with_indexing("x", "y" * 3900)
BOMB = hpack_writer.indexed(hpack_writer.FIRST_DYNAMIC) * 16000


class FloodTest(ConformanceCase):
    def setUp(self):
        super().setUp()
        if self.backend is None:
            self.skipTest("reads the proxy's own counters")
        self.proxy = self.start_proxy(self.backend, client_auth="off", flags=["--admin=127.0.0.1:0"])

    def abuses(self):
        totals = {}
        for shard in client.status(self.proxy.admin_port)["shards"]:
            for kind, count in shard["h2_abuses"].items():
                totals[kind] = totals.get(kind, 0) + count
        return totals

    def flood(self, kind, send):
        """`send`: gets a connection, sends too much of something."""
        bystander = self.connect()
        before = self.abuses().get(kind, 0)
        connection = self.connect()
        try:
            send(connection)
        except OSError:
            pass  # it was cut while it was still sending
        connection.wait_for(lambda: connection.closed, "the end of the connection")
        self.assertEqual(connection.goaways[-1][1], frames.ENHANCE_YOUR_CALM)
        files.wait_until(lambda: self.abuses().get(kind, 0) == before + 1, f"the count of {kind}")
        bystander.expect_connection_open()

    def test_pings(self):
        self.flood("ping_flood", lambda c: c.send_quietly(b"".join([frames.ping(b"12345678")] * 1000)))

    def test_settings(self):
        self.flood("settings_flood", lambda c: c.send_quietly(b"".join([frames.settings()] * 200)))

    def test_empty_data(self):
        def send(connection):
            stream = connection.open_request()
            connection.send_quietly(frames.data(stream, b"") * 1000)
        self.flood("empty_data_flood", send)

    def test_unknown_frames(self):
        self.flood("unknown_frame_flood", lambda c: c.send_quietly(frames.frame(0x99) * 1000))

    def test_priorities(self):
        self.flood("priority_flood", lambda c: c.send_quietly(frames.priority(1) * 1000))

    def test_priority_updates(self):
        update = frames.frame(16, 0, 0, bytes(4) + b"u=1")  # RFC 9218, 7.1
        self.flood("priority_flood", lambda c: c.send_quietly(update * 1000))

    def test_window_updates(self):
        self.flood("window_update_flood", lambda c: c.send_quietly(frames.window_update(0, 1) * 5000))

    def test_continuations(self):
        def send(connection):
            stream = connection.new_stream()
            connection.send_quietly(frames.headers(stream, connection.block(), end_headers=False))
            connection.send_quietly(frames.continuation(stream, b"", False) * 1000)
        self.flood("continuation_flood", send)

    def test_answers_that_nobody_asked_for(self):
        self.flood("ping_flood", lambda c: c.send_quietly(frames.ping(flags=frames.ACK) * 1000))

    def test_rapid_reset(self):
        def send(connection):
            for _ in range(300):
                stream = connection.open_request()
                connection.send_quietly(frames.rst_stream(stream, frames.CANCEL))
        self.flood("rapid_reset", send)

    def test_bodies_on_a_stream_that_was_reset(self):
        def send(connection):
            stream = connection.send_fields(connection.fields(("connection", "close"), method="POST"), False, "POST")
            connection.expect_outcome(stream)
            connection.send_quietly(frames.data(stream, bytes(8000)) * 1000)
        self.flood("closed_stream_flood", send)

    def test_resets_of_finished_streams(self):
        def send(connection):
            stream = connection.request()
            connection.expect_response(stream)
            connection.send_quietly(frames.rst_stream(stream, frames.CANCEL) * 1000)
        self.flood("closed_stream_flood", send)

    def test_header_sections_on_a_stream_that_was_reset(self):
        def send(connection):
            stream = connection.send_fields(connection.fields(("connection", "close"), method="POST"), False, "POST")
            connection.expect_outcome(stream)
            connection.send_quietly(frames.headers(stream, LARGE, False))
            connection.send_quietly(frames.headers(stream, BOMB, False) * 100)
        self.flood("closed_stream_flood", send)

    def test_header_sections_behind_a_malformed_field(self):
        def send(connection):
            stream = connection.new_stream()
            malformed = connection.block() + LARGE + hpack_writer.literal("X", "y")
            connection.send_quietly(frames.headers(stream, malformed, end_headers=False))
            connection.send_quietly(frames.continuation(stream, BOMB, False) * 100)
        self.flood("closed_stream_flood", send)

    def test_goaways(self):
        self.flood("goaway_flood", lambda c: c.send_quietly(frames.goaway() * 100))

    def test_padding(self):
        def send(connection):
            stream = connection.open_request()
            connection.send_quietly(frames.data(stream, b"", pad=1) * 1000)
        self.flood("empty_data_flood", send)

    def test_header_sections_on_a_finished_stream(self):
        connection = self.connect()
        stream = connection.request()
        connection.expect_response(stream)
        other = connection.send_block(connection.block() + LARGE)
        connection.expect_outcome(other)
        connection.send_quietly(frames.headers(stream, BOMB) * 100)
        connection.expect_goaway(frames.STREAM_CLOSED)

    def test_made_you_reset(self):
        def send(connection):
            for _ in range(150):
                stream = connection.open_request()
                connection.send_quietly(frames.window_update(stream, 0x7fffffff))
        self.flood("made_you_reset", send)


if __name__ == "__main__":
    unittest.main()
