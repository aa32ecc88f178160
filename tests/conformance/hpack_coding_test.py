"""RFC 7541, sections 5 and 6: integers, strings, and the representations of fields.

Left out, as it cannot be seen from outside:
 * 5.1, 5.2 and 6 for encoders: every block of every test is decoded by an independent decoder.
 * 6.2.3 and 7.1.3 never-indexed literals stay so on the next hop: that hop speaks HTTP/1.1.
"""

import unittest

from wire2 import frames
from wire2 import hpack_writer as w
from wire2.hpack_case import HpackCase

FIRST = w.FIRST_DYNAMIC


class IntegerTest(HpackCase):
    def test_5_1_values_around_the_prefix(self):
        connection = self.connect()
        for size in (1, 126, 127, 128, 129, 254, 255, 256, 1337, 2000):
            self.serve(connection, w.literal("x-a", "v" * size), w.literal("n" * size, "1"),
                       backend_sees={"x-a": "v" * size, "n" * size: "1"})

    def test_5_1_more_octets_than_needed(self):
        connection = self.connect()
        for extra in (1, 2):
            value = "v" * 200
            field = b"\x00" + w.string("x-a") + w.raw_string(value.encode(), extra=extra)
            stream = connection.send_block(connection.block() + field)
            # Nothing forbids them; an implementation may have a limit.
            exchange = connection.expect_outcome(stream)
            if connection.failed:
                connection.expect_goaway(frames.COMPRESSION_ERROR)
                return
            self.assertEqual(exchange.status, 200)

    def test_5_1_too_large(self):
        for name, coded in {"2^32 + 61": w.indexed((1 << 32) + 61), "2^64 + 61": w.indexed((1 << 64) + 61),
                            "2^62": w.indexed(1 << 62), "2^200": w.indexed(1 << 200),
                            "a name's length": b"\x00" + w.integer(1 << 63, 7), "all ones": b"\xff" * 11 + b"\x7f",
                            "a size update": None}.items():
            with self.subTest(name):
                connection = self.connect()
                if coded is None:
                    connection.send_block(w.integer(1 << 40, 5, 0x20) + connection.block())
                    connection.expect_goaway(frames.COMPRESSION_ERROR)
                else:
                    self.refuse(connection, coded)

    def test_5_1_octets_of_zeros_without_end(self):
        for octets in (b"\x80" * 20 + b"\x00", b"\x80" * 1000 + b"\x00", b"\x80" * 1000):
            with self.subTest(len(octets)):
                self.refuse(self.connect(), b"\xff" + octets)

    def test_5_1_cut_off(self):
        for octets in (b"\xff", b"\xff\x80", b"\x7f", b"\x0f\xff", b"\x1f", b"\x00\x7f", b"\x00\x01a\x7f",
                       b"\x00\xff\x80"):
            with self.subTest(octets):
                self.refuse(self.connect(), octets)


class StringTest(HpackCase):
    def refuse_value(self, coded, is_huffman=True, **arguments):
        self.refuse(self.connect(), b"\x00" + w.string("x-a") + w.raw_string(coded, is_huffman, **arguments))

    def test_5_2_every_octet_in_huffman(self):
        octets = bytes([*range(0x21, 0x7f), *range(0x80, 0x100)])
        connection = self.connect()
        self.serve(connection, w.literal("x-a", octets, True), w.literal("x-b", octets, False),
                   backend_sees={"x-a": octets.decode("latin-1"), "x-b": octets.decode("latin-1")})
        for octet in octets:
            self.serve(connection, w.literal("x-a", bytes([octet]) * 3, True), backend_sees={"x-a": chr(octet) * 3})
            connection.grant(0, 4096)

    def test_5_2_octets_that_only_huffman_makes_long(self):
        # A NUL is 13 bits, a CR 30: what they decode to is malformed, but decodes.
        for value in (b"\0", b"\r", b"a\nb", b"\x16\x00"):
            with self.subTest(value):
                connection = self.connect()
                connection.expect_malformed(connection.send_block(connection.block() + w.literal("x-a", value, True)))

    def test_5_2_names_in_huffman(self):
        self.serve(self.connect(), w.literal("x-name-1", "1", True), w.with_indexing("x-name-2", "2", True),
                   w.never_indexed("x-name-3", "3", True),
                   backend_sees={"x-name-1": "1", "x-name-2": "2", "x-name-3": "3"})

    def test_5_2_empty_strings(self):
        self.serve(self.connect(), w.literal("x-a", "", True), w.literal("x-b", ""),
                   backend_sees={"x-a": "", "x-b": ""})

    def test_5_2_every_length_of_padding(self):
        # "a" has 5 bits, "&" 8, "b" 6, "t" 5, ":" 7.
        connection = self.connect()
        for value in ("&", "aaaaa&", "b", "bb", "bbb", "bbbb", "a", "aa", "aaa", "aaaa", "ab", ":", "::", ":::", "a:b"):
            self.serve(connection, w.literal("x-a", value, True), backend_sees={"x-a": value})

    def test_5_2_padding_of_eight_bits_and_more(self):
        for name, coded in {"8": w.huffman("aaaaaaaa") + b"\xff", "7 + 8": w.huffman("::") + b"\xff", "alone": b"\xff",
                            "16": w.huffman("aaaaaaaa") + b"\xff\xff", "23": w.huffman(":::") + b"\xff\xff"}.items():
            with self.subTest(name):
                self.refuse_value(coded)

    def test_5_2_padding_that_is_not_of_ones(self):
        for value in ("a", "b", "bb", ":"):
            with self.subTest(value):
                self.refuse_value(w.pack_bits(w.huffman_bits(value.encode()), "0"))

    def test_5_2_padding_with_one_wrong_bit(self):
        for wrong in ("011", "101", "110", "000"):
            with self.subTest(wrong):
                self.refuse_value(w.pack_bits(w.huffman_bits(b"a") + wrong))

    def test_5_2_end_of_string_symbol(self):
        for name, symbols in {"alone": [w.EOS], "at the end": [*b"test", w.EOS],
                              "inside": [*b"te", w.EOS, *b"st"]}.items():
            with self.subTest(name):
                self.refuse_value(w.pack_bits(w.huffman_bits(symbols)))

    def test_5_2_errors_in_names(self):
        for name, coded in {"padding": b"\xff", "zeros": w.pack_bits(w.huffman_bits(b"a"), "0"),
                            "EOS": w.pack_bits(w.huffman_bits([*b"test", w.EOS]))}.items():
            with self.subTest(name):
                self.refuse(self.connect(), b"\x00" + w.raw_string(coded, True) + w.string("1"))

    def test_5_2_length_beyond_the_block(self):
        for is_huffman in (False, True):
            for length in (4, 100, 1 << 20):
                with self.subTest(is_huffman=is_huffman, length=length):
                    self.refuse_value(b"abc", is_huffman, length=length)

    def test_5_2_value_is_missing(self):
        self.refuse(self.connect(), b"\x00" + w.string("x-a"))


class RepresentationTest(HpackCase):
    def test_6_1_index_0(self):
        self.refuse(self.connect(), w.indexed(0))

    def test_6_1_indexed(self):
        connection = self.connect()
        block = w.indexed(2) + w.indexed(7) + w.indexed(4) + w.literal(1, "localhost")
        connection.expect_response(connection.send_block(block))

    def test_6_2_1_with_indexing(self):
        connection = self.connect()
        self.serve(connection, w.with_indexing(58, "agent"), w.with_indexing("x-new", "1"), w.with_indexing(FIRST, "2"),
                   backend_sees={"user-agent": "agent", "x-new": ["1", "2"]})
        self.serve(connection, w.indexed(FIRST), w.indexed(FIRST + 1), w.indexed(FIRST + 2),
                   backend_sees={"x-new": ["2", "1"], "user-agent": "agent"})

    def test_6_2_2_and_6_2_3_without_indexing(self):
        for write in (w.literal, w.never_indexed):
            with self.subTest(write.__name__):
                connection = self.connect()
                self.serve(connection, write(58, "agent"), write("x-new", "1"), write(58, "", True),
                           backend_sees={"x-new": "1"})
                self.refuse(connection, w.indexed(FIRST))

    def test_6_2_names_of_dynamic_entries(self):
        connection = self.connect()
        self.serve(connection, self.entry(1))
        self.serve(connection, w.literal(FIRST, "a"), w.never_indexed(FIRST, "b"), backend_sees={"x-1": ["a", "b"]})

    def test_6_3_update_above_the_setting(self):
        connection = self.connect()
        connection.send_block(w.size_update(self.table_limit(connection) + 1) + connection.block())
        connection.expect_goaway(frames.COMPRESSION_ERROR)


if __name__ == "__main__":
    unittest.main()
