"""What the tests of HPACK have in common."""

from wire2 import frames
from wire2 import hpack_writer as w
from wire2.case import ConformanceCase


class HpackCase(ConformanceCase):
    def serve(self, connection, *parts, first=b"", backend_sees=None):
        """A request whose block starts with `first` and ends with these parts is served."""
        connection.expect_response(connection.send_block(first + connection.block() + b"".join(parts)))
        for name, value in (backend_sees or {}).items():
            if self.backend:
                self.assertEqual(self.backend.last.all(name), value if isinstance(value, list) else [value])

    def refuse(self, connection, *parts):
        """A block that ends with these parts cannot be decoded."""
        connection.send_block(connection.block() + b"".join(parts))
        connection.expect_goaway(frames.COMPRESSION_ERROR)

    def table_limit(self, connection):
        return connection.server_settings.get(frames.HEADER_TABLE_SIZE, w.DEFAULT_TABLE_SIZE)

    def small_table(self):
        """A connection whose table holds exactly two entries like self.entry(n)."""
        connection = self.connect()
        self.serve(connection, first=w.size_update(2 * w.entry_size("x-1", "v" * 10)))
        return connection

    def entry(self, number):
        return w.with_indexing(f"x-{number}", f"{number}" * 10)
