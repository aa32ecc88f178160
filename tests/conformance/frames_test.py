"""RFC 9113, section 4: the format and the size of frames, and field blocks as a whole.

Left out, as it cannot be seen from outside:
 * 4.1 and 4.2 for senders (unused flags, the reserved bit, SETTINGS_MAX_FRAME_SIZE): no tests of their own, because
   every frame of every test is checked.
 * 4.3 reassembly of PUSH_PROMISE: a server receives none.
"""

import unittest

from wire2 import frames, hpack_writer
from wire2.case import ConformanceCase


class FormatTest(ConformanceCase):
    def test_4_1_unknown_types_are_ignored(self):
        connection = self.connect()
        stream = connection.open_request()
        for kind in (0x0a, 0x10, 0x16, 0xff):
            for number in (0, stream, stream + 100):
                connection.send(frames.frame(kind, 0xff, number, b"anything"))
        connection.send(frames.frame(0xfe, 0, 0, bytes(frames.DEFAULT_FRAME_SIZE)), frames.frame(0xfe))
        connection.send(frames.data(stream, b"abc", True))
        connection.expect_response(stream)
        connection.expect_served()

    def test_4_1_unused_flags_are_ignored(self):
        connection = self.connect()
        stream = connection.new_stream("POST")
        block = connection.block(method="POST")
        connection.send(frames.headers(stream, block[:20], False, False, flags=0xd2))
        connection.send(frames.continuation(stream, block[20:], flags=0xfb))
        connection.send(frames.data(stream, b"abc", False, flags=0xf6))
        connection.send(frames.data(stream, b"", True, flags=0xf6))
        connection.expect_response(stream)
        connection.send(frames.frame(frames.PRIORITY, 0xff, 101, frames.priority_fields()))
        connection.send(frames.frame(frames.WINDOW_UPDATE, 0xff, 0, b"\0\0\0\1"))
        connection.unacknowledged.append([])
        connection.send(frames.settings(flags=0xfe))
        connection.send(frames.ping(b"flagged!", 0xfe))
        connection.wait_for(lambda: b"flagged!" in connection.pongs, "the answer to PING")
        self.assertEqual(connection.acks, 2)
        connection.expect_served()

    def test_4_1_reserved_bit_is_ignored(self):
        connection = self.connect()
        stream = connection.new_stream("POST")
        masked = frames.RESERVED_BIT | stream
        connection.send(frames.headers(masked, connection.block(method="POST"), False))
        connection.send(frames.data(masked, b"abc", True))
        connection.expect_response(stream)
        connection.send(frames.ping(b"reserved", stream=frames.RESERVED_BIT))
        connection.wait_for(lambda: b"reserved" in connection.pongs, "the answer to PING")
        connection.send(frames.frame(frames.WINDOW_UPDATE, 0, 0, b"\x80\0\0\1"))
        connection.expect_served()


class SizeTest(ConformanceCase):
    def too_large(self, connection):
        size = connection.server_settings.get(frames.MAX_FRAME_SIZE, frames.DEFAULT_FRAME_SIZE) + 1
        if size > frames.FRAME_SIZE_LIMIT:
            self.skipTest("the server takes frames of every size")
        return size

    def test_4_2_data_of_16384_octets(self):
        connection = self.connect()
        stream = connection.request(method="POST", body=bytes(frames.DEFAULT_FRAME_SIZE))
        connection.expect_response(stream)

    def test_4_2_headers_of_16384_octets(self):
        connection = self.connect()
        block = connection.block()
        filler = hpack_writer.literal("x-filler", "v" * 1000)
        frame = frames.headers(connection.new_stream(), block + filler, pad=255)
        self.assertLess(len(frame), frames.DEFAULT_FRAME_SIZE)
        connection.send(frame)
        connection.expect_response(1)
        stream = connection.new_stream()
        overhead = len(hpack_writer.literal("x-filler", "v" * 16000)) - 16000
        value = "v" * (frames.DEFAULT_FRAME_SIZE - len(block) - overhead)
        full = block + hpack_writer.literal("x-filler", value)
        self.assertEqual(len(full), frames.DEFAULT_FRAME_SIZE)
        connection.send(frames.headers(stream, full))
        # So long a field section may be refused (10.5.1), but the frame is no error.
        exchange = connection.expect_outcome(stream)
        if exchange.ended:
            self.assertIn(exchange.status, (200, 400, 413, 431))
            connection.expect_served()
        else:
            connection.expect_rst(stream, frames.ENHANCE_YOUR_CALM)

    def test_4_2_unknown_frame_of_16384_octets(self):
        connection = self.connect()
        connection.send(frames.frame(0x42, 0, 0, bytes(frames.DEFAULT_FRAME_SIZE)))
        connection.expect_served()

    def test_4_2_data_above_the_maximum(self):
        connection = self.connect()
        stream = connection.open_request()
        size = self.too_large(connection)
        if size > connection.send_window:
            connection.send(frames.frame(frames.DATA, frames.END_STREAM, stream, length=size))
        else:
            connection.send(frames.frame(frames.DATA, frames.END_STREAM, stream, bytes(size)))
        connection.expect_rst(stream, frames.FRAME_SIZE_ERROR)

    def test_4_2_frames_of_the_connection_above_the_maximum(self):
        for kind in (frames.HEADERS, frames.SETTINGS, frames.PING, frames.GOAWAY):
            with self.subTest(frames.TYPE_NAMES[kind]):
                connection = self.connect()
                size = self.too_large(connection)
                stream = connection.new_stream() if kind == frames.HEADERS else 0
                flags = frames.END_HEADERS | frames.END_STREAM if kind == frames.HEADERS else 0
                # Only the beginning is sent: the header tells enough, and nobody has to read it all.
                connection.send(frames.frame(kind, flags, stream, bytes(1000), length=size))
                connection.send_quietly(bytes(min(size, 1 << 20) - 1000))
                connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_4_2_continuation_above_the_maximum(self):
        connection = self.connect()
        stream = connection.new_stream()
        size = self.too_large(connection)
        connection.send(frames.headers(stream, connection.block(), end_headers=False))
        # Nothing else is wrong with it: "accept-encoding: gzip, deflate" again and again.
        more = hpack_writer.indexed(16) * min(size, 1 << 20)
        connection.send(frames.frame(frames.CONTINUATION, frames.END_HEADERS, stream, more[:1000], length=size))
        connection.send_quietly(more[1000:])
        connection.expect_goaway(frames.FRAME_SIZE_ERROR)

    def test_4_2_too_small_for_mandatory_fields(self):
        broken = {
            "padded DATA": lambda stream: frames.frame(frames.DATA, frames.PADDED, stream),
            "padded HEADERS": lambda stream: frames.frame(
                frames.HEADERS, frames.PADDED | frames.END_HEADERS, stream + 2),
            "HEADERS with priority": lambda stream: frames.frame(
                frames.HEADERS, frames.PRIORITIZED | frames.END_HEADERS, stream + 2, bytes(4)),
            "GOAWAY": lambda stream: frames.frame(frames.GOAWAY, payload=bytes(7)),
        }
        for name, make in broken.items():
            with self.subTest(name):
                connection = self.connect()
                stream = connection.open_request()
                connection.send(make(stream))
                # 6.1 and 6.2 have a code of their own for padding that does not fit.
                codes = [frames.FRAME_SIZE_ERROR] + [frames.PROTOCOL_ERROR] * name.startswith("padded")
                if name == "padded DATA":
                    connection.expect_rst(stream, *codes)
                else:
                    connection.expect_goaway(*codes)


class FieldBlockTest(ConformanceCase):
    def test_4_3_block_that_cannot_be_decoded(self):
        connection = self.connect()
        connection.send_block(b"\x40\x01a\x7f")
        connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_3_block_that_cannot_be_decoded_in_trailers(self):
        connection = self.connect()
        stream = connection.open_request()
        connection.send(frames.headers(stream, hpack_writer.indexed(0)))
        connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_3_block_cut_anywhere(self):
        for size in (0, 1, 2, 3, 10):
            with self.subTest(size=size):
                connection = self.connect()
                stream = connection.new_stream()
                block = connection.block()
                # A server may refuse many frames for one block, but not so few.
                parts = [frames.headers(stream, block[:size], end_headers=False)]
                parts += [frames.continuation(stream, block[at:at + 1], False) for at in range(size, size + 4)]
                parts += [frames.continuation(stream, b"", False), frames.continuation(stream, block[size + 4:])]
                connection.send(*parts)
                connection.expect_response(stream)

    def test_4_3_nothing_inside_a_block(self):
        def inside(connection, stream):
            return {
                "PRIORITY": frames.priority(stream), "PING": frames.ping(), "SETTINGS": frames.settings(),
                "DATA": frames.data(stream, b"abc"), "WINDOW_UPDATE": frames.window_update(0, 1),
                "RST_STREAM": frames.rst_stream(stream), "GOAWAY": frames.goaway(),
                "HEADERS of the same stream": frames.headers(stream, connection.block()),
                "HEADERS of another stream": frames.headers(stream + 2, connection.block()),
                "CONTINUATION of another stream": frames.continuation(stream + 2, b""),
                "an unknown frame": frames.frame(0x42, 0, stream, b"abc"),
            }

        for name in inside(self.connect(), 1):
            for continued in (False, True):
                with self.subTest(name, continued=continued):
                    connection = self.connect()
                    stream = connection.new_stream()
                    connection.new_stream()
                    parts = [frames.headers(stream, connection.block(), end_headers=False)]
                    if continued:
                        parts.append(frames.continuation(stream, b"", False))
                    connection.send(*parts, inside(connection, stream)[name])
                    connection.expect_goaway(frames.PROTOCOL_ERROR)

    def test_4_3_blocks_of_refused_requests_are_decompressed(self):
        # What a malformed request puts into the table is there for the next one.
        connection = self.connect()
        block = connection.block() + hpack_writer.with_indexing("x-kept", "1") + hpack_writer.literal("UPPER", "1")
        connection.expect_malformed(connection.send_block(block))
        if connection.failed:
            self.skipTest("the server makes it a connection error, which is allowed")
        stream = connection.send_block(connection.block() + hpack_writer.indexed(hpack_writer.FIRST_DYNAMIC))
        connection.expect_response(stream)
        if self.backend:
            self.assertEqual(self.backend.last.get("x-kept"), "1")

    def test_4_3_1_the_table_starts_with_4096_octets(self):
        # Two entries that fill it to the last octet.
        connection = self.connect()
        if connection.server_settings.get(frames.HEADER_TABLE_SIZE, 4096) < 4096:
            self.skipTest("the server has a smaller table")
        value = "v" * (2048 - hpack_writer.entry_size("x-a", ""))
        block = connection.block() + hpack_writer.with_indexing("x-a", value) + hpack_writer.with_indexing("x-b", value)
        connection.expect_response(connection.send_block(block))
        block = connection.block() + hpack_writer.indexed(hpack_writer.FIRST_DYNAMIC + 1)
        connection.expect_response(connection.send_block(block))
        connection.send_block(connection.block() + hpack_writer.indexed(hpack_writer.FIRST_DYNAMIC + 2))
        connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_3_1_a_smaller_table_is_confirmed_by_the_client(self):
        connection = self.connect()
        size = connection.server_settings.get(frames.HEADER_TABLE_SIZE, 4096)
        if size >= 4096:
            self.skipTest("the server does not reduce its table")
        connection.send_block(connection.block())
        connection.expect_goaway(frames.COMPRESSION_ERROR)


if __name__ == "__main__":
    unittest.main()
