"""HTTP/2 frames as bytes (RFC 9113, sections 4, 6 and 7): every field can be set to what it must not be."""

import dataclasses
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# Types of frames.
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
TYPE_NAMES = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY",
              "WINDOW_UPDATE", "CONTINUATION")

# Flags.
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITIZED = 0x20
DEFINED_FLAGS = {DATA: END_STREAM | PADDED, HEADERS: END_STREAM | END_HEADERS | PADDED | PRIORITIZED, PRIORITY: 0,
                 RST_STREAM: 0, SETTINGS: ACK, PUSH_PROMISE: END_HEADERS | PADDED, PING: ACK, GOAWAY: 0,
                 WINDOW_UPDATE: 0, CONTINUATION: END_HEADERS}

# Settings.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = \
    range(1, 7)

# Error codes.
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY,
 HTTP_1_1_REQUIRED) = range(14)
ERROR_NAMES = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
               "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR",
               "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")

HEADER_SIZE = 9
DEFAULT_WINDOW = 65535
DEFAULT_FRAME_SIZE = 16384
FRAME_SIZE_LIMIT = (1 << 24) - 1
WINDOW_LIMIT = (1 << 31) - 1
RESERVED_BIT = 1 << 31


def error_name(code):
    return ERROR_NAMES[code] if code < len(ERROR_NAMES) else f"error 0x{code:x}"


@dataclasses.dataclass
class Frame:
    """A frame that was received."""

    kind: int
    flags: int
    reserved: bool
    stream: int
    payload: bytes

    def __str__(self):
        name = TYPE_NAMES[self.kind] if self.kind < len(TYPE_NAMES) else f"type 0x{self.kind:x}"
        text = f"{name} stream={self.stream} flags=0x{self.flags:x} length={len(self.payload)}"
        if self.kind in (RST_STREAM, GOAWAY) and len(self.payload) >= 4:
            code = self.payload[4:8] if self.kind == GOAWAY else self.payload
            text += f" {error_name(int.from_bytes(code, 'big'))}"
            if self.kind == GOAWAY and len(self.payload) > 8:
                text += f" {self.payload[8:]!r}"
        return text

    def content(self):
        """The payload without padding and priority; raises ValueError if these do not fit."""
        content = self.payload
        if self.flags & PADDED and self.kind in (DATA, HEADERS, PUSH_PROMISE):
            if not content or content[0] >= len(content):
                raise ValueError("padding that does not fit")
            content = content[1:len(content) - content[0]]
        if self.flags & PRIORITIZED and self.kind == HEADERS:
            if len(content) < 5:
                raise ValueError("no room for the priority")
            content = content[5:]
        return content


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """`length`: what the header says instead of the truth. The reserved bit: RESERVED_BIT | stream."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + struct.pack(">BBL", kind, flags, stream) + payload


def parse_header(data):
    """(length, Frame without payload) of the first 9 octets."""
    kind, flags, stream = struct.unpack(">BBL", data[3:HEADER_SIZE])
    return int.from_bytes(data[:3], "big"), Frame(kind, flags, bool(stream >> 31), stream & WINDOW_LIMIT, b"")


def _padded(content, pad, pad_length):
    """The content with `pad` octets of padding, whose length is told as `pad_length`. None: without the field."""
    if pad is None:
        return 0, content
    return PADDED, bytes([pad if pad_length is None else pad_length]) + content + bytes(pad)


def data(stream, content=b"", end_stream=False, pad=None, pad_length=None, flags=0):
    padded, payload = _padded(content, pad, pad_length)
    return frame(DATA, flags | padded | (END_STREAM if end_stream else 0), stream, payload)


def priority_fields(depends_on=0, weight=16, exclusive=False):
    """`weight`: 1 to 256, as people say it."""
    return struct.pack(">LB", depends_on | (RESERVED_BIT if exclusive else 0), weight - 1)


def headers(stream, block, end_stream=True, end_headers=True, pad=None, pad_length=None, priority=b"", flags=0):
    padded, payload = _padded(priority + block, pad, pad_length)
    flags |= padded | (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0)
    return frame(HEADERS, flags | (PRIORITIZED if priority else 0), stream, payload)


def continuation(stream, block, end_headers=True, flags=0):
    return frame(CONTINUATION, flags | (END_HEADERS if end_headers else 0), stream, block)


def priority(stream, depends_on=0, weight=16, exclusive=False):
    return frame(PRIORITY, 0, stream, priority_fields(depends_on, weight, exclusive))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">L", code))


def settings_payload(*values):
    """Of (identifier, value) pairs."""
    return b"".join(struct.pack(">HL", identifier, value) for identifier, value in values)


def settings(*values, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, settings_payload(*values))


def settings_ack():
    return frame(SETTINGS, ACK)


def push_promise(stream, promised, block):
    return frame(PUSH_PROMISE, END_HEADERS, stream, struct.pack(">L", promised) + block)


def ping(opaque=b"12345678", flags=0, stream=0):
    return frame(PING, flags, stream, opaque)


def goaway(last_stream=0, code=NO_ERROR, debug=b"", stream=0):
    return frame(GOAWAY, 0, stream, struct.pack(">LL", last_stream, code) + debug)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">L", increment))
