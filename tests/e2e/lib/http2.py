"""A client's side of HTTP/2 (RFC 9113) as frames: as much as a GET needs, and nothing is hidden."""

import struct

from lib import client

DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR = 0
OK = b"\x88"  # ":status: 200" of HPACK's static table


class Connection:
    """`frames`: all that have come, as (type, flags, stream, payload)."""

    def __init__(self, port):
        self.stream = client.connect(port, client.context(alpn=["h2"]))
        self.frames = []
        self._next = 1
        self.stream.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0)

    def send(self, kind, flags, number, payload=b""):
        self.stream.send(struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, number) + payload)

    def get(self, path="/", authority="localhost"):
        """A request for it; each of less than 127 bytes. Its stream's number."""
        number = self._next
        self._next += 2
        # :method GET and :scheme https; :path and :authority as literals.
        target = bytes([4, len(path)]) + path.encode("ascii") + bytes([1, len(authority)]) + authority.encode("ascii")
        self.send(HEADERS, END_STREAM | END_HEADERS, number, b"\x82\x87" + target)
        return number

    def read(self):
        """The next frame."""
        head = self.stream.read_exactly(9)
        kind, flags, number = struct.unpack("!BBI", head[3:])
        frame = kind, flags, number, self.stream.read_exactly(int.from_bytes(head[:3], "big"))
        self.frames.append(frame)
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.send(kind, ACK, 0, frame[3] if kind == PING else b"")
        return frame

    def await_goaway(self):
        """(the last stream that is served, why)."""
        while True:
            kind, _, _, payload = self.read()
            if kind == GOAWAY:
                return struct.unpack("!II", payload[:8])

    def body(self, number):
        """Of a stream's response, which must be a 200 and come to its end."""
        while not any(kind in (HEADERS, DATA) and stream == number and flags & END_STREAM
                      for kind, flags, stream, _ in self.frames):
            self.read()
        head = next(payload for kind, _, stream, payload in self.frames if (kind, stream) == (HEADERS, number))
        assert head.startswith(OK), head
        return b"".join(payload for kind, _, stream, payload in self.frames if (kind, stream) == (DATA, number))

    def close(self):
        self.stream.close()
