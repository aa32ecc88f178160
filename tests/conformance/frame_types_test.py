"""RFC 9113, sections 6.1 to 6.5: DATA, HEADERS, PRIORITY, RST_STREAM and SETTINGS.

Left out, as it cannot be seen from outside, or is left to the server:
 * 6.1, 6.2 padding of zeros, 6.5.2 for senders: checked on every frame of every test.
 * 6.1, 6.2 padding that is not zero: a receiver may take it or not.
 * 6.5.3 SETTINGS_TIMEOUT: a MAY, and a matter of time.
"""

import unittest

from lib.backend import response

from wire2 import frames
from wire2.case import ConformanceCase


class DataTest(ConformanceCase):
    def test_6_1_data_in_every_form(self):
        self.answers["/"] = lambda request: response(request.body or b"nothing at all")
        forms = {
            "one": lambda s: [frames.data(s, b"abcdef", True)],
            "several": lambda s: [frames.data(s, b"ab"), frames.data(s, b"cd"), frames.data(s, b"ef", True)],
            "empty ones": lambda s: [frames.data(s), frames.data(s, b"abcdef"), frames.data(s, b"", True)],
            "padded": lambda s: [frames.data(s, b"abc", pad=1), frames.data(s, b"def", True, pad=255)],
            "padded by nothing": lambda s: [frames.data(s, b"abcdef", pad=0), frames.data(s, b"", True, pad=0)],
            "nothing but padding": lambda s: [frames.data(s, b"", pad=200), frames.data(s, b"abcdef", True)],
        }
        for name, make in forms.items():
            with self.subTest(name):
                connection = self.connect()
                stream = connection.open_request()
                connection.send(*make(stream))
                exchange = connection.expect_response(stream)
                if self.backend:
                    self.assertEqual(exchange.body, b"abcdef")

    def test_6_1_data_belongs_to_a_stream(self):
        connection = self.connect()
        connection.send(frames.data(0, b"abc", True))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_1_data_on_a_stream_that_is_not_open(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.data(stream, b"abc"))
        connection.expect_rst(stream, frames.STREAM_CLOSED)

    def test_6_1_padding_as_long_as_the_frame(self):
        for pad_length, content in ((1, b""), (4, b"abc"), (255, b"abc"), (255, bytes(254))):
            with self.subTest(pad_length=pad_length, size=len(content) + 1):
                connection = self.connect()
                stream = connection.open_request()
                connection.send(frames.data(stream, content, True, pad=0, pad_length=pad_length))
                connection.expect_goaway(frames.PROTOCOL_ERROR)


class HeadersTest(ConformanceCase):
    def test_6_2_headers_in_every_form(self):
        connection = self.connect()
        priority = frames.priority_fields(0, 256, True)
        for arguments in ({}, {"pad": 0}, {"pad": 255}, {"priority": priority}, {"pad": 17, "priority": priority}):
            with self.subTest(**arguments):
                stream = connection.new_stream()
                connection.send(frames.headers(stream, connection.block(), **arguments))
                connection.expect_response(stream)

    def test_6_2_end_stream_before_continuation(self):
        connection = self.connect()
        stream = connection.new_stream()
        block = connection.block()
        connection.send(frames.headers(stream, block[:10], end_stream=True, end_headers=False))
        connection.send(frames.continuation(stream, block[10:]))
        connection.expect_response(stream)

    def test_6_2_headers_belong_to_a_stream(self):
        connection = self.connect()
        connection.send(frames.headers(0, connection.block()))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_2_padding_as_long_as_the_frame(self):
        for more in (1, 0):
            with self.subTest(more=more):
                connection = self.connect()
                block = connection.block()
                connection.send(frames.headers(connection.new_stream(), block, pad=0, pad_length=len(block) + more))
                if more:
                    connection.expect_goaway(frames.PROTOCOL_ERROR)
                else:
                    # The last length that fits leaves an empty block.
                    connection.expect_malformed(1)

    def test_6_2_padding_that_leaves_no_room_for_the_priority(self):
        connection = self.connect()
        flags = frames.PADDED | frames.PRIORITIZED | frames.END_HEADERS | frames.END_STREAM
        connection.send(frames.frame(frames.HEADERS, flags, connection.new_stream(), b"\x08" + bytes(10)))
        connection.expect_goaway(frames.PROTOCOL_ERROR, frames.FRAME_SIZE_ERROR)

    def test_6_2_unfinished_block_takes_continuation_only(self):
        for name, frame in {"PRIORITY": frames.priority(1), "DATA": frames.data(1, b"abc", True),
                            "CONTINUATION of another stream": frames.continuation(3, b"")}.items():
            with self.subTest(name):
                connection = self.connect()
                connection.send(frames.headers(connection.new_stream(), connection.block(), end_headers=False), frame)
                connection.expect_goaway(frames.PROTOCOL_ERROR)


class PriorityTest(ConformanceCase):
    def test_6_3_priority_in_every_form(self):
        connection = self.connect()
        stream = connection.open_request()
        for arguments in ({"weight": 1}, {"weight": 256}, {"depends_on": 101}, {"depends_on": 101, "exclusive": True}):
            connection.send(frames.priority(stream, **arguments), frames.priority(stream + 2, **arguments))
        connection.send(frames.data(stream, b"", True))
        connection.expect_response(stream)
        connection.expect_served()

    def test_6_3_priority_belongs_to_a_stream(self):
        connection = self.connect()
        connection.send(frames.priority(0))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_3_length(self):
        for size in (0, 4, 6):
            with self.subTest(size=size):
                connection = self.connect()
                stream = connection.open_request()
                connection.send(frames.frame(frames.PRIORITY, 0, stream, bytes(size)))
                connection.expect_rst(stream, frames.FRAME_SIZE_ERROR)

    def test_6_3_dependency_on_itself(self):
        # An error in RFC 7540 (5.3.1), of which RFC 9113 says nothing any more: both are right.
        connection = self.connect()
        stream = connection.new_stream()
        connection.send(frames.headers(stream, connection.block(), priority=frames.priority_fields(stream)))
        if not connection.expect_outcome(stream).ended:
            connection.expect_rst(stream, frames.PROTOCOL_ERROR)
        connection = self.connect()
        connection.send(frames.priority(1, 1))
        connection.expect_ignored_or_goaway(frames.PROTOCOL_ERROR)


class RstStreamTest(ConformanceCase):
    def test_6_4_nothing_follows_on_the_stream(self):
        connection = self.connect([(frames.INITIAL_WINDOW_SIZE, 5)])
        stream = connection.request()
        connection.wait_for(lambda: len(connection.exchanges[stream].body) == 5, "five octets")
        connection.send(frames.rst_stream(stream))
        connection.expect_connection_open()
        connection.exchanges[stream].must_be_silent = True
        connection.send(frames.window_update(stream, 1000))
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 100_000))
        connection.expect_served()

    def test_6_4_before_the_end_of_the_request(self):
        connection = self.connect()
        stream = connection.open_request()
        connection.send(frames.data(stream, b"part"), frames.rst_stream(stream))
        connection.expect_connection_open()
        connection.exchanges[stream].must_be_silent = True
        connection.expect_served()

    def test_6_4_rst_stream_belongs_to_a_stream(self):
        connection = self.connect()
        connection.send(frames.rst_stream(0))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_4_idle_stream(self):
        connection = self.connect()
        connection.send(frames.rst_stream(1))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_4_length(self):
        for size in (0, 3, 5):
            with self.subTest(size=size):
                connection = self.connect()
                stream = connection.open_request()
                connection.send(frames.frame(frames.RST_STREAM, 0, stream, bytes(size)))
                connection.expect_goaway(frames.FRAME_SIZE_ERROR)


class SettingsTest(ConformanceCase):
    def test_6_5_each_is_acknowledged_in_order(self):
        connection = self.connect()
        for value in range(1, 6):
            connection.send_settings((frames.MAX_HEADER_LIST_SIZE, 100_000 + value),
                                     (frames.MAX_CONCURRENT_STREAMS, value))
        connection.expect_acks(6)
        connection.expect_served()

    def test_6_5_empty_settings_are_acknowledged(self):
        connection = self.connect()
        connection.send_settings()
        connection.expect_acks(2)

    def test_6_5_acknowledgment_with_payload(self):
        connection = self.connect()
        connection.send(frames.settings((frames.ENABLE_PUSH, 0), flags=frames.ACK))
        connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_6_5_settings_belong_to_the_connection(self):
        for stream in (1, 2):
            with self.subTest(stream=stream):
                connection = self.connect()
                connection.send(frames.settings((frames.MAX_CONCURRENT_STREAMS, 100), stream=stream))
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_5_length(self):
        for size in (1, 5, 7, 11):
            with self.subTest(size=size):
                connection = self.connect()
                connection.send(frames.frame(frames.SETTINGS, payload=bytes(size)))
                connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_6_5_2_values_out_of_range(self):
        for identifier, value, code in [
                (frames.ENABLE_PUSH, 2, frames.PROTOCOL_ERROR),
                (frames.ENABLE_PUSH, 0xffff_ffff, frames.PROTOCOL_ERROR),
                (frames.INITIAL_WINDOW_SIZE, 1 << 31, frames.FLOW_CONTROL_ERROR),
                (frames.INITIAL_WINDOW_SIZE, 0xffff_ffff, frames.FLOW_CONTROL_ERROR),
                (frames.MAX_FRAME_SIZE, 0, frames.PROTOCOL_ERROR),
                (frames.MAX_FRAME_SIZE, 16383, frames.PROTOCOL_ERROR),
                (frames.MAX_FRAME_SIZE, 1 << 24, frames.PROTOCOL_ERROR)]:
            with self.subTest(identifier=identifier, value=value):
                connection = self.connect()
                connection.send(frames.settings((identifier, value)))
                connection.expect_goaway(code)

    def test_6_5_2_extreme_values_that_are_allowed(self):
        for identifier, values in {frames.HEADER_TABLE_SIZE: (0, 1, 4096, 0xffff_ffff), frames.ENABLE_PUSH: (0, 1),
                                   frames.MAX_CONCURRENT_STREAMS: (0, 1, 0xffff_ffff),
                                   frames.INITIAL_WINDOW_SIZE: (1000, frames.WINDOW_LIMIT),
                                   frames.MAX_FRAME_SIZE: (16384, 16385, frames.FRAME_SIZE_LIMIT),
                                   frames.MAX_HEADER_LIST_SIZE: (10_000, 0xffff_ffff)}.items():
            for value in values:
                with self.subTest(identifier=identifier, value=value):
                    connection = self.connect([(identifier, value)])
                    connection.expect_served()
                    connection.send_settings((identifier, value))
                    connection.expect_served()

    def test_6_5_2_max_frame_size_may_be_used(self):
        for size in (frames.DEFAULT_FRAME_SIZE, 20_000, frames.FRAME_SIZE_LIMIT):
            with self.subTest(size=size):
                connection = self.connect([(frames.MAX_FRAME_SIZE, size), (frames.INITIAL_WINDOW_SIZE, 1 << 20)])
                connection.grant(0, 1 << 20)
                # What is too large breaks 4.2, which is checked on every frame.
                connection.expect_response(connection.request(path="/big"), None)

    def test_6_5_2_no_push_without_leave(self):
        # Checked on every connection; with leave, a promise has to be right.
        connection = self.connect([(frames.ENABLE_PUSH, 1)])
        connection.expect_served()

    def test_6_5_3_values_are_processed_in_order(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send_settings((frames.INITIAL_WINDOW_SIZE, 0), (frames.INITIAL_WINDOW_SIZE, 1))
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: len(exchange.body) == 1, "one octet")
        connection.expect_connection_open()
        self.assertEqual(len(exchange.body), 1)

    def test_6_5_3_an_acknowledgment_too_many(self):
        # Nothing is said of it.
        connection = self.connect()
        connection.send(frames.settings_ack())
        connection.expect_ignored_or_goaway(frames.PROTOCOL_ERROR)


if __name__ == "__main__":
    unittest.main()
