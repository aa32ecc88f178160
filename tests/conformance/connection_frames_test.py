"""RFC 9113, sections 6.6 to 6.8, 6.10 and 7: PUSH_PROMISE, PING, GOAWAY, CONTINUATION, and error codes.

Left out, as it cannot be seen from outside, or is the client's part:
 * 6.6 rules for receivers of PUSH_PROMISE, 8.4: those are clients.
 * 6.8 for senders: checked on every GOAWAY of every test.
 * 6.8 safeguards for debug data in logs.
"""

import unittest

from wire2 import frames, hpack_writer
from wire2.case import ConformanceCase


class PushPromiseTest(ConformanceCase):
    def test_6_6_and_8_4_clients_cannot_push(self):
        for open_stream in (False, True):
            for promised in (2, 3):
                with self.subTest(open_stream=open_stream, promised=promised):
                    connection = self.connect()
                    stream = connection.open_request() if open_stream else 1
                    connection.send(frames.push_promise(stream, promised, connection.block()))
                    connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_6_stream_0(self):
        connection = self.connect()
        connection.send(frames.push_promise(0, 2, connection.block()))
        connection.expect_goaway(frames.PROTOCOL_ERROR)


class PingTest(ConformanceCase):
    def test_6_7_the_same_octets_come_back_in_order(self):
        connection = self.connect()
        sent = [bytes([value]) * 8 for value in (0, 1, 0x7f, 0xff)]
        connection.send(*map(frames.ping, sent))
        connection.wait_for(lambda: len(connection.pongs) == len(sent), "the answers")
        self.assertEqual(connection.pongs, sent)

    def test_6_7_no_answer_to_an_answer(self):
        connection = self.connect()
        connection.send(frames.ping(b"unasked!", frames.ACK))
        connection.expect_served()
        self.assertNotIn(b"unasked!", connection.pongs)

    def test_6_7_ping_while_the_windows_are_used_up(self):
        connection = self.connect_held()
        self.held_request(connection)
        connection.expect_connection_open()

    def test_6_7_ping_belongs_to_the_connection(self):
        connection = self.connect()
        stream = connection.open_request()
        connection.send(frames.ping(stream=stream))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_7_length(self):
        for size in (0, 6, 7, 9, 16):
            for flags in (0, frames.ACK):
                with self.subTest(size=size, flags=flags):
                    connection = self.connect()
                    connection.send(frames.ping(bytes(size), flags))
                    connection.expect_goaway(frames.FRAME_SIZE_ERROR)


class GoawayTest(ConformanceCase):
    def test_6_8_streams_that_exist_are_finished(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.goaway(0, frames.NO_ERROR, b"good night"))
        connection.send(frames.window_update(stream, 1000))
        connection.exchanges[stream].window += 1000
        connection.expect_response(stream)

    def test_6_8_goaway_belongs_to_the_connection(self):
        for stream in (1, 2):
            with self.subTest(stream=stream):
                connection = self.connect()
                connection.send(frames.goaway(stream=stream))
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_8_an_idle_connection_may_be_left(self):
        # After GOAWAY of the client, PING is still answered or the connection ends without an error.
        connection = self.connect()
        connection.send(frames.goaway(0), frames.ping(b"stillon?"))
        connection.wait_for(lambda: b"stillon?" in connection.pongs or connection.closed, "an answer or an end")
        self.assertTrue(all(code == frames.NO_ERROR for _, code in connection.goaways), connection.goaways)


class ContinuationTest(ConformanceCase):
    def test_6_10_several(self):
        connection = self.connect()
        stream = connection.new_stream()
        block = connection.block()
        connection.send(frames.headers(stream, block[:5], end_headers=False),
                        frames.continuation(stream, block[5:7], False), frames.continuation(stream, b"", False),
                        frames.continuation(stream, block[7:], True))
        connection.expect_response(stream)

    def test_6_10_in_trailers(self):
        connection = self.connect()
        stream = connection.open_request()
        block = hpack_writer.block([("x-sum", "7")])
        connection.send(frames.data(stream, b"abc"), frames.headers(stream, block[:4], end_headers=False),
                        frames.continuation(stream, block[4:]))
        connection.expect_response(stream)
        if self.backend:
            self.assertEqual(self.forwarded_trailers(), [("x-sum", "7")])

    def test_6_10_a_block_of_many_small_fields(self):
        connection = self.connect()
        stream = connection.new_stream()
        more = hpack_writer.block([(f"x-field-{index}", "v" * 20) for index in range(60)])
        connection.send(frames.headers(stream, connection.block(), end_headers=False))
        connection.send(frames.continuation(stream, more[:700], False), frames.continuation(stream, more[700:]))
        connection.expect_response(stream)

    def test_6_10_followed_by_another_frame(self):
        for name, frame in {"SETTINGS": frames.settings(), "DATA": frames.data(1),
                            "HEADERS": frames.headers(1, b"")}.items():
            with self.subTest(name):
                connection = self.connect()
                stream = connection.new_stream()
                connection.send(frames.headers(stream, connection.block(), end_headers=False),
                                frames.continuation(stream, b"", False), frame)
                connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_10_continuation_belongs_to_a_stream(self):
        connection = self.connect()
        stream = connection.new_stream()
        connection.send(frames.headers(stream, connection.block(), end_headers=False), frames.continuation(0, b""))
        connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_6_10_without_a_block_to_continue(self):
        def after(connection, stream):
            more = frames.continuation(stream, hpack_writer.block([("x-more", "1")]))
            return {
                "HEADERS that ended": [frames.headers(stream, connection.block(), False), more],
                "CONTINUATION that ended": [frames.headers(stream, connection.block(), False, False),
                                            frames.continuation(stream, b""), more],
                "DATA": [frames.headers(stream, connection.block(), False), frames.data(stream, b"abc"), more],
                "nothing": [more],
            }

        for name in after(self.connect(), 1):
            with self.subTest(name):
                connection = self.connect()
                connection.send(*after(connection, connection.new_stream())[name])
                connection.expect_goaway(frames.PROTOCOL_ERROR)


class ErrorCodesTest(ConformanceCase):
    def test_7_unknown_codes_of_rst_stream(self):
        connection = self.connect()
        for code in (0xe, 0xff, 0xffff_ffff, frames.HTTP_1_1_REQUIRED, frames.NO_ERROR):
            stream = connection.open_request()
            connection.send(frames.rst_stream(stream, code))
            connection.expect_served()

    def test_7_unknown_codes_of_goaway(self):
        connection = self.connect_held()
        stream = self.held_request(connection)
        connection.send(frames.goaway(0, 0xff))
        connection.grant(stream, 1000)
        # As INTERNAL_ERROR it is no reason to answer with an error; but the client has said that it leaves.
        exchange = connection.exchanges[stream]
        connection.wait_for(lambda: exchange.ended or connection.closed, "the response, or the end")
        self.assertTrue(all(code == frames.NO_ERROR for _, code in connection.goaways), connection.goaways)


if __name__ == "__main__":
    unittest.main()
