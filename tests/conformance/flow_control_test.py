"""RFC 9113, sections 5.2 and 6.9: flow control.

That the server never sends more than its windows allow is checked on every DATA frame of every test.

Left out, as it cannot be seen from outside, or is the client's part:
 * 5.2.2 "read promptly": there is no bound to test; an endpoint that does not read at all fails every test.
 * 6.9.3 for receivers: a server that never reduces its window after its preface has no such case.
"""

import threading
import unittest

from lib.backend import Backend, response

from wire2 import frames, hpack_writer
from wire2.case import BIG_SIZE, ConformanceCase, only_strict

FLOOD_LIMIT = 64 << 20
NO_ROOM = "the window that was left"


class SendingTest(ConformanceCase):
    """The server as the sender of DATA."""

    def big(self, connection):
        """A response that is larger than every window; only its head can be relied on."""
        stream = connection.request(path="/big")
        if connection.expect_head(stream).status != 200:
            self.skipTest("the server has no /big")
        return stream

    def test_5_2_1_initial_windows_of_65535_octets(self):
        connection = self.connect()
        stream = self.big(connection)
        connection.expect_body(stream, frames.DEFAULT_WINDOW)

    @only_strict
    def test_5_2_1_heads_pass_empty_windows(self):
        connection = self.connect()
        connection.expect_body(self.big(connection), frames.DEFAULT_WINDOW)
        connection.expect_head(connection.request())

    def test_5_2_1_only_data_is_flow_controlled(self):
        # PING and SETTINGS are answered although the windows are used up.
        connection = self.connect()
        stream = self.big(connection)
        connection.expect_body(stream, frames.DEFAULT_WINDOW)
        other = connection.request()
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 100_000))
        connection.expect_acks(2)
        self.assertEqual(len(connection.exchanges[other].body), 0)

    def test_5_2_1_the_connections_window_holds_for_all_streams(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 40_000)])
        first, second = self.big(connection), self.big(connection)

        def total():
            return sum(len(connection.exchanges[stream].body) for stream in (first, second))
        connection.wait_for(lambda: total() == frames.DEFAULT_WINDOW, "the whole window")
        connection.expect_connection_open()
        self.assertEqual(total(), frames.DEFAULT_WINDOW)
        connection.grant(0, 1000)
        connection.wait_for(lambda: total() == frames.DEFAULT_WINDOW + 1000, "1000 octets more")

    def test_6_9_window_update_on_the_connection_alone_and_on_the_stream_alone(self):
        connection = self.connect()
        stream = self.big(connection)
        connection.expect_body(stream, frames.DEFAULT_WINDOW)
        connection.grant(0, 5000)
        connection.expect_connection_open()
        connection.expect_body(stream, frames.DEFAULT_WINDOW)
        connection.grant(stream, 3000)
        connection.expect_body(stream, frames.DEFAULT_WINDOW + 3000)
        connection.grant(stream, 10_000)
        connection.expect_body(stream, frames.DEFAULT_WINDOW + 5000)

    def test_6_9_window_update_before_the_response(self):
        connection = self.connect()
        stream = connection.new_stream("POST")
        connection.send(frames.headers(stream, connection.block(method="POST"), False))
        connection.grant(stream, 10)
        connection.grant(0, 10)
        connection.send(frames.data(stream, b"", True))
        connection.expect_response(stream)

    def test_6_9_one_octet_at_a_time(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        for size in range(1, 16):
            connection.grant(stream, 1)
            connection.expect_body(stream, size)
        connection.grant(stream, 100_000)
        connection.expect_response(stream)

    def test_6_9_1_window_of_one_octet(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 1)])
        stream = connection.request()
        connection.expect_body(stream, 1)

    def test_6_9_1_largest_windows(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, frames.WINDOW_LIMIT)])
        connection.grant(0, frames.WINDOW_LIMIT - frames.DEFAULT_WINDOW)
        stream = self.big(connection)
        exchange = connection.expect_response(stream)
        self.assertGreaterEqual(len(exchange.body), BIG_SIZE)

    def test_6_9_1_a_large_response_in_small_windows(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 7000)])
        stream = self.big(connection)
        exchange = connection.exchanges[stream]
        taken = 0
        while not exchange.ended:
            connection.wait_for(lambda seen=taken: len(exchange.body) > seen or exchange.ended, "more of the response")
            more = len(exchange.body) - taken
            taken += more
            if more and not exchange.ended:
                connection.grant(0, more)
                connection.grant(stream, more)
        self.assertGreaterEqual(taken, BIG_SIZE)

    def test_6_9_1_a_blocked_stream_does_not_block_others(self):
        connection = self.connect_held()
        blocked = self.held_request(connection)
        other = self.held_request(connection)
        connection.grant(other, 100_000)
        connection.expect_response(other)
        self.assertFalse(connection.exchanges[blocked].closed)

    @only_strict
    def test_6_9_1_an_empty_end_passes_empty_windows(self):
        self.need_backend()
        self.answers["/empty"] = response()
        self.answers["/chunked"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        connection = self.connect_held()
        for path in ("/empty", "/chunked"):
            connection.expect_response(connection.request(path=path))

    def test_6_9_1_trailers_pass_empty_windows(self):
        self.need_backend()
        self.answers["/"] = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                             b"3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n")
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.grant(stream, 3)
        exchange = connection.expect_response(stream)
        self.assertEqual(exchange.trailers, [(b"x-sum", b"7")])


class SettingTest(ConformanceCase):
    """SETTINGS_INITIAL_WINDOW_SIZE, which moves the windows of streams that exist."""

    def test_6_9_2_change_after_headers(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 1))
        connection.wait_for(lambda: len(connection.exchanges[stream].body) == 1, "one octet")
        connection.expect_connection_open()
        self.assertEqual(len(connection.exchanges[stream].body), 1)

    def test_6_9_2_negative_window(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 3)])
        stream = connection.request()
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: len(exchange.body) == 3, "three octets")
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 2))
        connection.expect_acks(2)
        # -1, 0: still nothing.
        connection.grant(stream, 1)
        connection.expect_connection_open()
        self.assertEqual(len(exchange.body), 3)
        connection.grant(stream, 1)
        connection.wait_for(lambda: len(exchange.body) == 4, "the fourth octet")
        connection.expect_connection_open()
        self.assertEqual(len(exchange.body), 4)

    def test_6_9_2_far_below_zero_and_back(self):
        connection = self.connect()
        stream = connection.request(path="/big")
        exchange = connection.exchanges[stream]
        if connection.expect_head(stream).status != 200:
            self.skipTest("the server has no /big")
        connection.wait_for(lambda: len(exchange.body) == frames.DEFAULT_WINDOW, "the whole window")
        connection.grant(0, 1_000_000)
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 0))
        connection.expect_acks(2)
        connection.grant(stream, frames.DEFAULT_WINDOW)
        connection.expect_connection_open()
        self.assertEqual(len(exchange.body), frames.DEFAULT_WINDOW)
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 10))
        connection.wait_for(lambda: len(exchange.body) == frames.DEFAULT_WINDOW + 10, "ten octets")
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 1_000_000))
        connection.expect_response(stream)

    def test_6_9_2_the_connections_window_stays(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 1_000_000)])
        stream = connection.request(path="/big")
        if connection.expect_head(stream).status != 200:
            self.skipTest("the server has no /big")
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: len(exchange.body) == frames.DEFAULT_WINDOW, "the whole window")
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 2_000_000))
        connection.expect_connection_open()
        self.assertEqual(len(exchange.body), frames.DEFAULT_WINDOW)

    def test_6_9_2_a_setting_that_overflows_a_window(self):
        connection = self.connect()
        stream = connection.open_request()
        connection.send(frames.window_update(stream, 1))
        connection.expect_connection_open()
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, frames.WINDOW_LIMIT))
        connection.expect_goaway(frames.FLOW_CONTROL_ERROR)


class WindowUpdateTest(ConformanceCase):
    def test_6_9_increment_of_zero_on_the_connection(self):
        connection = self.connect()
        connection.send(frames.window_update(0, 0))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_9_increment_of_zero_on_a_stream(self):
        for increment in (0, frames.RESERVED_BIT):
            with self.subTest(increment=increment):
                connection = self.connect_held()
                stream = self.held_request(connection)
                connection.send(frames.window_update(stream, increment))
                connection.expect_rst(stream, frames.PROTOCOL_ERROR)

    def test_6_9_length(self):
        for size in (0, 3, 5, 8):
            for on_stream in (False, True):
                with self.subTest(size=size, on_stream=on_stream):
                    connection = self.connect_held()
                    stream = self.held_request(connection) if on_stream else 0
                    connection.send(frames.frame(frames.WINDOW_UPDATE, 0, stream, b"\0\0\1\0\0\0\0\0"[:size]))
                    connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_6_9_1_overflow_on_the_connection(self):
        connection = self.connect()
        connection.send(frames.window_update(0, frames.WINDOW_LIMIT - frames.DEFAULT_WINDOW))
        connection.expect_connection_open()
        connection.send(frames.window_update(0, 1))
        connection.expect_goaway(frames.FLOW_CONTROL_ERROR)

    def test_6_9_1_overflow_on_a_stream(self):
        connection = self.connect()
        stream = connection.open_request()
        connection.send(frames.window_update(stream, frames.WINDOW_LIMIT - frames.DEFAULT_WINDOW))
        connection.expect_connection_open()
        connection.send(frames.window_update(stream, 1))
        connection.expect_rst(stream, frames.FLOW_CONTROL_ERROR)


class ReceivingTest(ConformanceCase):
    """The server as the receiver of DATA."""

    def test_6_9_windows_are_given_back(self):
        self.answers["/"] = lambda request: response(str(len(request.body)))
        connection = self.connect()
        stream = connection.open_request()
        connection.upload(stream, bytes(1_000_000))
        exchange = connection.expect_response(stream)
        if self.backend:
            self.assertEqual(exchange.body, b"1000000")

    def test_6_9_the_connections_window_is_given_back_over_many_streams(self):
        connection = self.connect()
        for _ in range(30):
            stream = connection.open_request()
            connection.upload(stream, bytes(10_000))
            connection.expect_response(stream)
            connection.grant(0, max(len(connection.exchanges[stream].body), 1))

    def test_6_1_padding_is_flow_controlled_and_given_back(self):
        connection = self.connect()
        stream = connection.open_request()
        exchange = connection.exchanges[stream]
        for _ in range(1500):
            connection.wait_for(lambda: min(connection.send_window, exchange.send_window) >= 256, "room for padding")
            connection.send(frames.data(stream, b"x", pad=254))  # nothing but padding is a flood, sooner or later
            connection.send_window -= 256
            exchange.send_window -= 256
        connection.send(frames.data(stream, b"", True))
        connection.expect_response(stream)

    def test_6_9_1_more_data_than_the_windows_allow(self):
        self.need_backend()
        # A server that reads nothing: sooner or later no window is given back.
        done = threading.Event()
        stuck = Backend(lambda stream: done.wait(), name="stuck")
        self.addCleanup(stuck.stop)
        self.addCleanup(done.set)
        self.proxy = self.start_proxy(stuck, client_auth="off")
        connection = self.connect()
        stream = connection.open_request()
        exchange = connection.exchanges[stream]
        frame = frames.data(stream, bytes(frames.DEFAULT_FRAME_SIZE))
        for _ in range(FLOOD_LIMIT // len(frame)):
            if connection.closed or exchange.closed or connection.goaways:
                break
            connection.send_quietly(frame)
            connection.poll()
        connection.expect_rst(stream, frames.FLOW_CONTROL_ERROR)

    def test_6_9_data_of_a_refused_request_is_given_back(self):
        # The same as for streams that were reset, but the whole body comes after the refusal was sent.
        connection = self.connect()
        if connection.send_window > 1 << 22:
            self.skipTest("the window of the connection is too large to be filled")
        for _ in range(connection.send_window // 16_000 + 2):
            stream = connection.new_stream("POST")
            block = connection.block(method="POST") + hpack_writer.literal("Upper", "1")
            connection.wait_for(lambda: connection.send_window >= 16_000, NO_ROOM)
            connection.send(frames.headers(stream, block, False))
            connection.expect_outcome(stream)
            if connection.failed:
                self.skipTest("the server makes it a connection error, which is allowed")
            connection.send(*connection.data_frames(stream, bytes(16_000)))
            connection.poll()
            if connection.failed:
                self.skipTest("the server makes it a connection error, which is allowed")
        connection.expect_served()


if __name__ == "__main__":
    unittest.main()
