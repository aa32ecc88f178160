"""RFC 7541, sections 2 to 4: the tables of HPACK, their indices and their size; and whole conversations.

Left out, as it cannot be seen from outside:
 * 7.1 and 7.3 attacks on compression and memory: no rule with a result that a client could test.
 * 4.2 and 6 for encoders: no tests of their own but the last ones here, because every block of every test is decoded by
   an independent decoder, which also refuses a table that is larger than what was allowed.
"""

import random
import unittest

import hpack

from lib.backend import response

from wire2 import frames
from wire2 import hpack_writer as w
from wire2.hpack_case import HpackCase

FIRST = w.FIRST_DYNAMIC

# Fields of the static table that mean something on the way through a proxy, or that need a value of their own.
SPECIAL_STATIC = {"host", "content-length", "transfer-encoding", "expect", "via", "proxy-authenticate",
                  "proxy-authorization", "cookie", "server"}


class IndexTest(HpackCase):
    def test_2_3_1_static_table(self):
        entries = hpack.table.HeaderTable.STATIC_TABLE
        connection = self.connect()
        parts, expected = [], {}
        for index in range(15, w.STATIC_ENTRIES + 1):
            name, value = (text.decode() for text in entries[index - 1])
            if name not in SPECIAL_STATIC:
                parts.append(w.indexed(index) if value else w.literal(index, f"v{index}"))
                expected[name] = value or f"v{index}"
        self.serve(connection, *parts, backend_sees=expected)
        for index in (4, 5):
            block = w.indexed(2) + w.indexed(7) + w.literal(1, "localhost") + w.indexed(index)
            connection.expect_response(connection.send_block(block), 200 if index == 4 or self.backend else None)
            if self.backend:
                self.assertEqual(self.backend.last.target, "/" if index == 4 else "/index.html")

    def test_2_3_2_duplicates_are_two_entries(self):
        connection = self.connect()
        same = w.with_indexing("x-a", "1")
        self.serve(connection, same, same, w.with_indexing("x-b", "2"))
        self.serve(connection, w.indexed(FIRST), w.indexed(FIRST + 1), w.indexed(FIRST + 2),
                   backend_sees={"x-a": ["1", "1"], "x-b": "2"})

    def test_2_3_3_the_newest_entry_comes_first(self):
        connection = self.connect()
        self.serve(connection, *[self.entry(number) for number in range(1, 6)])
        for number in range(1, 6):
            self.serve(connection, w.indexed(FIRST + 5 - number), backend_sees={f"x-{number}": f"{number}" * 10})

    def test_2_3_3_the_table_grows_while_the_block_is_read(self):
        connection = self.connect()
        self.serve(connection, self.entry(1), w.indexed(FIRST), self.entry(2), w.indexed(FIRST + 1),
                   backend_sees={"x-1": ["1" * 10] * 3, "x-2": "2" * 10})

    def test_2_3_3_index_outside_of_the_tables(self):
        for index in (FIRST, FIRST + 8, 127, 1000, 1 << 31):
            with self.subTest(index=index):
                self.refuse(self.connect(), w.indexed(index))

    def test_2_3_3_index_one_beyond_the_last_entry(self):
        connection = self.connect()
        self.serve(connection, self.entry(1), self.entry(2))
        self.serve(connection, w.indexed(FIRST + 1))
        self.refuse(connection, w.indexed(FIRST + 2))

    def test_2_3_3_name_outside_of_the_tables(self):
        for write in (w.literal, w.never_indexed, w.with_indexing):
            for index in (FIRST, FIRST + 8, 1000):
                with self.subTest(write.__name__, index=index):
                    self.refuse(self.connect(), write(index, "1"))

    def test_3_2_fields_keep_their_order(self):
        connection = self.connect()
        self.serve(connection, w.with_indexing("x-a", "1"), w.literal("x-a", "2"), w.indexed(FIRST),
                   w.never_indexed("x-a", "3"), backend_sees={"x-a": ["1", "2", "1", "3"]})


class TableTest(HpackCase):
    def test_4_1_size_of_an_entry(self):
        # Two entries fit exactly; with one octet less, the older one is gone.
        for less in (0, 1):
            with self.subTest(less=less):
                connection = self.connect()
                size = 2 * w.entry_size("x-1", "1" * 10) - less
                self.serve(connection, self.entry(1), self.entry(2), first=w.size_update(size))
                self.serve(connection, w.indexed(FIRST), backend_sees={"x-2": "2" * 10})
                if less:
                    self.refuse(connection, w.indexed(FIRST + 1))
                else:
                    self.serve(connection, w.indexed(FIRST + 1), backend_sees={"x-1": "1" * 10})

    def test_4_1_huffman_does_not_change_the_size(self):
        connection = self.small_table()
        self.serve(connection, w.with_indexing("x-1", "1" * 10, True), w.with_indexing("x-2", "2" * 10, True))
        self.serve(connection, w.indexed(FIRST + 1), backend_sees={"x-1": "1" * 10})
        self.serve(connection, w.with_indexing("x-3", "3" * 10, True))
        self.refuse(connection, w.indexed(FIRST + 2))

    def test_4_2_update_to_the_limit_and_below(self):
        connection = self.connect()
        for size in (self.table_limit(connection), 100, 0, self.table_limit(connection)):
            self.serve(connection, first=w.size_update(size))

    def test_4_2_update_above_the_limit(self):
        for more in (1, 1000, 1 << 30):
            with self.subTest(more=more):
                connection = self.connect()
                connection.send_block(w.size_update(self.table_limit(connection) + more) + connection.block())
                connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_2_several_updates_at_the_beginning(self):
        connection = self.connect()
        block = w.size_update(0) + w.size_update(self.table_limit(connection)) + connection.block() + self.entry(1)
        connection.expect_response(connection.send_block(block))
        self.serve(connection, w.indexed(FIRST), backend_sees={"x-1": "1" * 10})

    def test_4_2_update_anywhere_but_at_the_beginning(self):
        for size in (0, 100, w.DEFAULT_TABLE_SIZE):
            for after in (b"", w.literal("x-a", "1")):
                with self.subTest(size=size, at_end=not after):
                    connection = self.connect()
                    size = min(size, self.table_limit(connection))
                    connection.send_block(connection.block() + w.size_update(size) + after)
                    connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_2_update_after_the_first_field(self):
        connection = self.connect()
        connection.send_block(w.indexed(2) + w.size_update(0) + connection.block()[len(w.literal(":method", "GET")):])
        connection.expect_goaway(frames.COMPRESSION_ERROR)

    def test_4_2_update_in_trailers_and_in_continuation(self):
        connection = self.connect()
        self.serve(connection, self.entry(1))
        stream = connection.open_request()
        connection.send(frames.headers(stream, w.size_update(0) + w.literal("x-sum", "7")))
        connection.expect_response(stream)
        stream = connection.new_stream()
        connection.send(frames.headers(stream, b"", end_headers=False))
        connection.send(frames.continuation(stream, w.size_update(100) + connection.block() + self.entry(2)))
        connection.expect_response(stream)
        self.serve(connection, w.indexed(FIRST), backend_sees={"x-2": "2" * 10})
        self.refuse(connection, w.indexed(FIRST + 1))

    def test_4_3_a_smaller_table_evicts_the_oldest(self):
        connection = self.connect()
        self.serve(connection, *[self.entry(number) for number in range(1, 6)])
        self.serve(connection, first=w.size_update(3 * w.entry_size("x-1", "v" * 10)))
        self.serve(connection, w.indexed(FIRST + 2), backend_sees={"x-3": "3" * 10})
        self.refuse(connection, w.indexed(FIRST + 3))

    def test_4_3_size_0_empties_the_table_for_good(self):
        connection = self.connect()
        self.serve(connection, self.entry(1))
        block = w.size_update(0) + w.size_update(self.table_limit(connection)) + connection.block()
        connection.expect_response(connection.send_block(block))
        self.refuse(connection, w.indexed(FIRST))

    def test_4_3_size_0_stores_nothing(self):
        connection = self.connect()
        connection.expect_response(connection.send_block(w.size_update(0) + connection.block() + self.entry(1)))
        self.refuse(connection, w.indexed(FIRST))

    def test_4_4_a_new_entry_evicts_the_oldest(self):
        connection = self.small_table()
        self.serve(connection, self.entry(1), self.entry(2), self.entry(3))
        self.serve(connection, w.indexed(FIRST), w.indexed(FIRST + 1), backend_sees={"x-3": "3" * 10, "x-2": "2" * 10})
        self.refuse(connection, w.indexed(FIRST + 2))

    def test_4_4_an_entry_larger_than_the_table_empties_it(self):
        connection = self.small_table()
        self.serve(connection, self.entry(1), w.with_indexing("x-large", "v" * 200),
                   backend_sees={"x-large": "v" * 200})
        self.serve(connection, self.entry(2))
        self.serve(connection, w.indexed(FIRST), backend_sees={"x-2": "2" * 10})
        self.refuse(connection, w.indexed(FIRST + 1))

    def test_4_4_the_name_of_an_entry_that_is_evicted_for_it(self):
        connection = self.small_table()
        self.serve(connection, self.entry(1), self.entry(2))
        self.serve(connection, w.with_indexing(FIRST + 1, "n" * 40), backend_sees={"x-1": "n" * 40})
        self.serve(connection, w.indexed(FIRST), backend_sees={"x-1": "n" * 40})

    def test_4_4_the_name_of_an_entry_that_leaves_an_empty_table(self):
        connection = self.small_table()
        self.serve(connection, self.entry(1))
        self.serve(connection, w.with_indexing(FIRST, "n" * 300), backend_sees={"x-1": "n" * 300})
        self.refuse(connection, w.indexed(FIRST))


class WholeTest(HpackCase):
    def test_2_2_one_table_for_all_streams(self):
        connection = self.connect()
        first = connection.open_request()
        second = connection.send_block(connection.block() + self.entry(1))
        connection.expect_response(second)
        connection.send(frames.headers(first, w.indexed(FIRST)))
        connection.expect_response(first)
        if self.backend:
            self.assertEqual(self.forwarded_trailers(), [("x-1", "1" * 10)])

    def test_2_2_two_tables_for_two_directions(self):
        # What the server has put into its own table is none of the client's business.
        self.answers["/"] = response(b"What the server says.", fields="X-Often: the same\r\n")
        connection = self.connect()
        for _ in range(3):
            connection.expect_response(connection.request())
        self.refuse(connection, w.indexed(FIRST))

    def test_whole_against_an_independent_encoder(self):
        generator = random.Random(7541)
        encoder = hpack.Encoder()
        connection = self.connect()
        encoder.header_table_size = min(self.table_limit(connection), w.DEFAULT_TABLE_SIZE)
        for turn in range(200):
            if turn % 25 == 24:
                encoder.header_table_size = generator.choice([0, 64, 200, 1000, self.table_limit(connection)])
            more = []
            for _ in range(generator.randrange(8)):
                value = "".join(generator.choices("abc XYZ,;09", k=generator.randrange(60)))
                more.append((f"x-{generator.randrange(12)}", value.strip()))
            fields = [hpack.NeverIndexedHeaderTuple(*field) if generator.random() < 0.2 else field
                      for field in connection.fields(*more)]
            stream = connection.send_block(encoder.encode(fields, huffman=generator.random() < 0.5))
            exchange = connection.expect_response(stream)
            connection.grant(0, max(len(exchange.body), 1))
            if self.backend:
                seen = [(name.lower(), value) for name, value in self.backend.last.fields]
                self.assertEqual([field for field in seen if field[0] in {name for name, _ in more}], more)

    def test_whole_answers_for_tables_of_every_size(self):
        # The table is changed while it is in use; what the server encodes has to follow.
        self.answers["/"] = lambda request: response(b"What the server says.", fields=(
            "X-Often: the same\r\nX-Value: " + request.target * len(self.backend.requests) + "\r\n"))
        connection = self.connect()
        for size in (4096, 0, 100, 4096, 1 << 20, 64, 0, 65536, 1):
            connection.send_settings((frames.HEADER_TABLE_SIZE, size))
            connection.expect_acks(connection.acks + 1)
            for _ in range(3):
                connection.expect_served()

    def test_whole_answers_for_a_table_that_shrinks_and_grows_at_once(self):
        # RFC 7541, 4.2: the smallest size in between has to be told as well.
        connection = self.connect()
        for _ in range(2):
            connection.expect_served()
        connection.send_settings((frames.HEADER_TABLE_SIZE, 0))
        connection.send_settings((frames.HEADER_TABLE_SIZE, 4096))
        connection.expect_acks(3)
        for _ in range(2):
            connection.expect_served()


if __name__ == "__main__":
    unittest.main()
