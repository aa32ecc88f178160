"""A server's side of HTTP/2 (RFC 9113) as single frames, for servers that do what no good one does."""

import struct

from lib.backend import Backend

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
REFUSED_STREAM, ENHANCE_YOUR_CALM = 7, 11
WINDOW_MAX = (1 << 31) - 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OK = b"\x88"  # ":status: 200" of HPACK's static table
# An entry of nearly the whole dynamic table, and what names it: one octet for 3900.
LARGE_FIELD = b"\x40\x01x\x7f" + bytes([(3900 - 127) & 0x7f | 0x80, (3900 - 127) >> 7]) + b"y" * 3900
LARGE_FIELD_AGAIN = b"\xbe"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def settings(*values):
    """Of (identifier, value) pairs."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack("!HI", *value) for value in values))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", increment))


def rst_stream(stream, code):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


def answer(stream, body=b"served"):
    return frame(HEADERS, END_HEADERS, stream, OK) + frame(DATA, END_STREAM, stream, body)


class ServerConnection:
    def __init__(self, stream):
        self.stream = stream
        assert stream.read_exactly(len(PREFACE)) == PREFACE

    def send(self, *frames):
        self.stream.send(b"".join(frames))

    def read(self):
        """The next frame as (type, flags, stream, payload)."""
        head = self.stream.read_exactly(9)
        kind, flags, number = struct.unpack("!BBI", head[3:])
        return kind, flags, number, self.stream.read_exactly(int.from_bytes(head[:3], "big"))

    def read_until(self, wanted):
        """The first frame of this type."""
        while True:
            received = self.read()
            if received[0] == wanted:
                return received

    def read_head(self):
        """The stream of the next request."""
        return self.read_until(HEADERS)[2]


class Http2Backend(Backend):
    """Runs `serve(ServerConnection)` for each connection, which then ends."""

    def __init__(self, serve, name="server"):
        super().__init__(lambda stream: serve(ServerConnection(stream)), name)


def well_behaved(connection):
    """Answers every request at once."""
    connection.send(settings())
    while True:
        connection.send(answer(connection.read_head()))
