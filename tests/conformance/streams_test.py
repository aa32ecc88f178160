"""RFC 9113, section 5 without flow control: states, identifiers, concurrency, errors, extensions.

Left out, as it cannot be seen from outside:
 * 5.1 "reserved" states and 5.1.1 for server-initiated streams: a server that never pushes has none. A pushed stream
   would be checked as every other frame of the server is.
 * 5.1 frames on idle, closed or foreign streams for senders: checked on every frame of every test.
 * 5.1.1 exhaustion of identifiers: only that the last one can be used.
 * 5.3 priorities: nothing is demanded of a server that receives them.
"""

import unittest

from lib.backend import response

from wire2 import frames, hpack_writer
from wire2.case import ConformanceCase

CLOSED_CODES = (frames.STREAM_CLOSED, frames.PROTOCOL_ERROR)


class StatesTest(ConformanceCase):
    def test_5_1_idle_takes_nothing_but_headers_and_priority(self):
        for name, frame in {"DATA": frames.data(1, b"abc", True), "RST_STREAM": frames.rst_stream(1),
                            "WINDOW_UPDATE": frames.window_update(1, 100), "CONTINUATION": frames.continuation(1, b""),
                            }.items():
            with self.subTest(name):
                connection = self.connect()
                connection.send(frame)
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_5_1_idle_above_those_that_were_used(self):
        for name, frame in {"DATA": frames.data(5, b"abc"), "RST_STREAM": frames.rst_stream(5),
                            "WINDOW_UPDATE": frames.window_update(5, 100)}.items():
            with self.subTest(name):
                connection = self.connect()
                connection.expect_served()
                connection.send(frame)
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_5_1_idle_streams_of_the_server(self):
        for name, frame in {"DATA": frames.data(2, b"abc"), "HEADERS": None, "RST_STREAM": frames.rst_stream(2),
                            "WINDOW_UPDATE": frames.window_update(2, 1)}.items():
            with self.subTest(name):
                connection = self.connect()
                connection.send(frame or frames.headers(2, connection.block()))
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_5_1_idle_takes_priority(self):
        connection = self.connect()
        connection.send(frames.priority(1), frames.priority(3, 1), frames.priority(101), frames.priority(2))
        connection.expect_served()

    def test_5_1_half_closed_remote_takes_control_frames(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.priority(stream), frames.priority(stream, 101))
        connection.expect_connection_open()
        connection.grant(stream, 1)
        connection.wait_for(lambda: len(connection.exchanges[stream].body) == 1, "one octet")
        connection.grant(stream, 100_000)
        connection.expect_response(stream)

    def test_5_1_half_closed_remote_takes_rst_stream(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.rst_stream(stream))
        connection.expect_connection_open()
        connection.exchanges[stream].must_be_silent = True
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 100_000))
        connection.expect_served()

    def test_5_1_half_closed_remote_data(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.data(stream, b"abc", True))
        connection.expect_rst(stream, frames.STREAM_CLOSED)

    def test_5_1_half_closed_remote_headers(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.headers(stream, connection.block()))
        connection.expect_rst(stream, frames.STREAM_CLOSED)

    def test_5_1_half_closed_remote_trailers(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.headers(stream, hpack_writer.block([("x-late", "1")])))
        connection.expect_rst(stream, frames.STREAM_CLOSED)

    def test_5_1_half_closed_remote_continuation(self):
        # Both are right: the stream takes no such frame, and 6.10 forbids it after a block that has ended.
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.continuation(stream, connection.block()))
        connection.expect_goaway(frames.PROTOCOL_ERROR, frames.STREAM_CLOSED)

    def test_5_1_half_closed_local_goes_on(self):
        # The server answers before the end of the request, and the rest of it may still come.
        self.need_backend()
        connection = self.connect()
        stream = connection.open_request(("content-length", "-1"))
        if connection.expect_outcome(stream).closed:
            connection.send(frames.data(stream, b"late"), frames.window_update(stream, 10),
                            frames.data(stream, b"", True))
            connection.expect_rst_or_ignored(stream, *CLOSED_CODES, frames.NO_ERROR)


class ClosedTest(ConformanceCase):
    """A closed stream may be forgotten, so that its frames are dropped, or remembered, so that they are errors."""

    def ended(self):
        connection = self.connect()
        stream = connection.request()
        connection.expect_response(stream)
        return connection, stream

    def cancelled(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.rst_stream(stream))
        connection.expect_connection_open()
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, frames.DEFAULT_WINDOW))
        return connection, stream

    def test_5_1_closed_takes_priority(self):
        for kind in (self.ended, self.cancelled):
            with self.subTest(kind.__name__):
                connection, stream = kind()
                connection.send(frames.priority(stream), frames.priority(stream, stream + 2, 256, True))
                connection.expect_served()

    def test_5_1_closed_after_end_stream_takes_window_update_and_rst_stream(self):
        connection, stream = self.ended()
        connection.send(frames.window_update(stream, 1000), frames.rst_stream(stream, frames.NO_ERROR))
        connection.expect_served()
        self.assertEqual(connection.exchanges[stream].resets, [])

    def test_5_1_closed_data(self):
        for kind in (self.ended, self.cancelled):
            with self.subTest(kind.__name__):
                connection, stream = kind()
                connection.send(frames.data(stream, b"late", True))
                connection.expect_rst_or_ignored(stream, *CLOSED_CODES)

    def test_5_1_closed_headers(self):
        for kind in (self.ended, self.cancelled):
            with self.subTest(kind.__name__):
                connection, stream = kind()
                before = len(self.forwarded())
                connection.send(frames.headers(stream, connection.block(path="/again")))
                connection.expect_rst_or_ignored(stream, *CLOSED_CODES)
                self.assertNotIn("/again", self.forwarded()[before:])

    def test_5_1_nothing_follows_end_stream_of_both_sides(self):
        self.need_backend()  # others may take it for a stream error, or for nothing
        for late in (lambda stream, block: frames.data(stream, b"late"), frames.headers):
            connection, stream = self.ended()
            connection.send(late(stream, connection.block()))
            connection.expect_goaway(frames.STREAM_CLOSED, may_be_silent=False)
            self.assertEqual(connection.goaways[-1][1], frames.STREAM_CLOSED)

    def test_5_1_closed_headers_are_decompressed(self):
        connection, stream = self.ended()
        connection.send(frames.headers(stream, connection.block() + hpack_writer.with_indexing("x-kept", "7")))
        if connection.expect_ignored_or_goaway(*CLOSED_CODES):
            number = connection.send_block(connection.block() + hpack_writer.indexed(hpack_writer.FIRST_DYNAMIC))
            connection.expect_response(number)
            if self.backend:
                self.assertEqual(self.backend.last.get("x-kept"), "7")

    def test_5_1_closed_continuation(self):
        for kind in (self.ended, self.cancelled):
            with self.subTest(kind.__name__):
                connection, stream = kind()
                connection.send(frames.continuation(stream, connection.block()))
                connection.expect_goaway(*CLOSED_CODES)

    def test_5_1_after_the_servers_own_rst_stream_frames_are_discarded(self):
        # They may have been on their way: the table and the window of the connection stay in step.
        connection = self.connect()
        limit = connection.send_window
        if limit > 1 << 22:
            self.skipTest("the window of the connection is too large to be filled")
        rounds = limit // 16000 + 2
        for _ in range(rounds):
            stream = connection.new_stream("POST")
            bad = connection.block(("connection", "close"), method="POST")
            connection.wait_for(lambda: connection.send_window >= 16000, "room in the connection's window")
            connection.send(frames.headers(stream, bad, False), *connection.data_frames(stream, bytes(16000), False))
            connection.expect_outcome(stream)
            if connection.failed:
                self.skipTest("the server makes it a connection error, which is allowed")
        stream = connection.open_request()
        connection.upload(stream, bytes(30000))
        connection.expect_response(stream)


class IdentifiersTest(ConformanceCase):
    def test_5_1_1_clients_use_odd_identifiers(self):
        connection = self.connect()
        connection.send(frames.headers(2, connection.block()))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_5_1_1_stream_identifier_must_increase(self):
        connection = self.connect()
        connection.expect_response(connection.send_block(connection.block()))
        for number in (9, 5):
            stream = connection.new_stream(number=number)
            connection.send(frames.headers(stream, connection.block()))
            if number == 9:
                connection.expect_response(stream)
        # 5.1: what was skipped is closed.
        connection.expect_goaway(*CLOSED_CODES)

    def test_5_1_1_identifiers_may_be_skipped(self):
        connection = self.connect()
        for number in (3, 5, 1001, 0x7fff_fffd):
            stream = connection.new_stream(number=number)
            connection.send(frames.headers(stream, connection.block()))
            connection.expect_response(stream)

    def test_5_1_1_the_last_identifier(self):
        connection = self.connect()
        stream = connection.new_stream(number=frames.WINDOW_LIMIT)
        connection.send(frames.headers(stream, connection.block()))
        connection.expect_response(stream)
        connection.expect_connection_open()

    def test_5_1_1_identifier_0_opens_nothing(self):
        connection = self.connect()
        connection.send(frames.headers(0, connection.block()))
        connection.expect_goaway(frames.PROTOCOL_ERROR)


class ConcurrencyTest(ConformanceCase):
    def test_5_1_2_a_hundred_streams_at_once(self):
        connection = self.connect_held()
        count = min(connection.server_settings.get(frames.MAX_CONCURRENT_STREAMS, 100), 100)
        streams = [self.held_request(connection) for _ in range(count)]
        self.assertFalse(any(connection.exchanges[stream].closed for stream in streams))
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 400))
        for stream in reversed(streams):
            connection.expect_response(stream)

    def test_5_1_2_one_stream_too_many(self):
        connection = self.connect_held()
        limit = connection.server_settings.get(frames.MAX_CONCURRENT_STREAMS)
        if limit is None or limit > 2000:
            self.skipTest("the server sets no limit that could be reached")
        streams = [self.held_request(connection) for _ in range(limit)]
        last = connection.request()
        connection.expect_rst(last, frames.PROTOCOL_ERROR, frames.REFUSED_STREAM)
        if not connection.failed:
            # Its field block counted for the table; the other streams live, and an end makes room for a new one.
            connection.send(frames.rst_stream(streams[0]))
            connection.expect_connection_open()
            self.held_request(connection)
            connection.grant(streams[1], 100_000)
            connection.expect_response(streams[1])

    def test_5_1_2_ended_streams_do_not_count(self):
        connection = self.connect()
        limit = min(connection.server_settings.get(frames.MAX_CONCURRENT_STREAMS, 100), 200)
        for _ in range(limit + 10):
            stream = connection.request()
            exchange = connection.expect_response(stream)
            connection.grant(0, max(len(exchange.body), 1))

    def test_5_1_2_idle_and_priority_do_not_count(self):
        connection = self.connect()
        count = min(connection.server_settings.get(frames.MAX_CONCURRENT_STREAMS, 100), 100) + 10
        connection.send(*[frames.priority(number) for number in range(1, 2 * count, 2)])
        # 10.5: so many at once may be taken for an attack, but never for streams.
        connection.expect_ignored_or_goaway(frames.ENHANCE_YOUR_CALM)


class ErrorsTest(ConformanceCase):
    def test_5_4_1_after_goaway_the_connection_is_closed(self):
        connection = self.connect()
        connection.send(frames.ping(b"short"))
        connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_5_4_1_goaway_names_the_last_stream(self):
        connection = self.connect()
        for _ in range(3):
            connection.expect_response(connection.request())
        connection.send(frames.data(0, b"abc"))
        connection.expect_goaway(frames.PROTOCOL_ERROR)
        # 8.7: never less than what was processed.
        for last, _ in connection.goaways:
            self.assertGreaterEqual(last, 5)

    def test_5_4_2_other_streams_go_on(self):
        connection = self.connect_held()
        good = self.held_request(connection)
        bad = connection.request(("connection", "close"))
        connection.expect_malformed(bad)
        if connection.failed:
            self.skipTest("the server makes it a connection error, which is allowed")
        connection.grant(good, 100_000)
        connection.expect_response(good)

    def test_5_4_2_no_rst_stream_in_response_to_rst_stream(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.rst_stream(stream), frames.rst_stream(stream))
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, frames.DEFAULT_WINDOW))
        connection.expect_ignored_or_goaway(*CLOSED_CODES)
        self.assertEqual(connection.exchanges[stream].resets, [])

    def test_5_4_2_cancelled_request_is_let_go(self):
        self.need_backend()
        self.answers["/late"] = lambda request: response(request.body)
        connection = self.connect()
        for _ in range(20):
            stream = connection.open_request(path="/late")
            connection.send(frames.data(stream, b"part"), frames.rst_stream(stream))
        connection.expect_served()
        self.assertNotIn("/late", self.forwarded())


class ExtensionsTest(ConformanceCase):
    def test_5_5_unknown_settings_and_frames_are_ignored(self):
        connection = self.connect([(0x0, 1), (0x7, 2), (0xff00, 3), (0xffff, 0xffff_ffff)])
        connection.send(frames.frame(0x99, 0x5, 1, b"abc"))
        connection.send_settings((0xabcd, 0), (frames.MAX_CONCURRENT_STREAMS, 1), (0x7, 0))
        connection.expect_served()

    def test_5_5_unknown_frames_on_closed_streams_are_ignored(self):
        connection = self.connect()
        stream = connection.request()
        connection.expect_response(stream)
        connection.send(frames.frame(0x99, 0, stream, b"abc"))
        connection.expect_served()

    def test_5_5_unknown_frame_inside_a_field_block(self):
        connection = self.connect()
        stream = connection.new_stream()
        connection.send(frames.headers(stream, connection.block(), end_headers=False), frames.frame(0x99, 0, stream))
        connection.expect_goaway(frames.PROTOCOL_ERROR)


if __name__ == "__main__":
    unittest.main()
