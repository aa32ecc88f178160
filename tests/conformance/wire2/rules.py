"""What a server may never send, whatever the test is about: checked on every frame and every field section."""

import re
import struct

from wire2 import frames

FIXED_LENGTHS = {frames.PRIORITY: 5, frames.RST_STREAM: 4, frames.PING: 8, frames.WINDOW_UPDATE: 4}
CONNECTION_FRAMES = {frames.SETTINGS, frames.PING, frames.GOAWAY}
STREAM_FRAMES = {frames.DATA, frames.HEADERS, frames.PRIORITY, frames.RST_STREAM, frames.PUSH_PROMISE,
                 frames.CONTINUATION}
CONNECTION_FIELDS = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te"}

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_BAD_VALUE = re.compile(rb"[\x00\r\n]|^[ \t]|[ \t]$")


class Violation(AssertionError):
    """The server broke a rule for senders."""


def require(condition, rule, subject):
    if not condition:
        raise Violation(f"the server broke {rule}: {subject}")


def check_frame(frame, size_max):
    """What can be said of a frame without knowing those before it."""
    if frame.kind >= len(frames.TYPE_NAMES):
        return
    require(len(frame.payload) <= size_max, "4.2 (SETTINGS_MAX_FRAME_SIZE)", frame)
    require(not frame.reserved, "4.1 (reserved bit)", frame)
    require(not frame.flags & ~frames.DEFINED_FLAGS[frame.kind], "4.1 (unused flags)", frame)
    if frame.kind in CONNECTION_FRAMES:
        require(frame.stream == 0, "6.5, 6.7, 6.8 (stream identifier 0)", frame)
    if frame.kind in STREAM_FRAMES:
        require(frame.stream != 0, "6.1 to 6.4, 6.6, 6.10 (a stream identifier)", frame)
    if frame.kind in FIXED_LENGTHS:
        require(len(frame.payload) == FIXED_LENGTHS[frame.kind], "4.2 (length of a frame)", frame)
    if frame.kind == frames.GOAWAY:
        require(len(frame.payload) >= 8, "6.8 (length of GOAWAY)", frame)
    if frame.kind == frames.WINDOW_UPDATE:
        increment = int.from_bytes(frame.payload, "big")
        require(0 < increment <= frames.WINDOW_LIMIT, "6.9 (increment)", frame)
    _check_padding(frame)


def _check_padding(frame):
    if not frame.flags & frames.PADDED or frame.kind not in (frames.DATA, frames.HEADERS, frames.PUSH_PROMISE):
        return
    pad = frame.payload[0] if frame.payload else 1
    require(pad < len(frame.payload), "6.1, 6.2 (padding longer than the frame)", frame)
    require(not any(frame.payload[len(frame.payload) - pad:]), "6.1, 6.2 (padding of zeros)", frame)


def parse_settings(frame):
    """The (identifier, value) pairs of a server's SETTINGS."""
    require(len(frame.payload) % 6 == 0, "6.5 (length of SETTINGS)", frame)
    pairs = list(struct.iter_unpack(">HL", frame.payload))
    for identifier, value in pairs:
        if identifier == frames.ENABLE_PUSH:
            require(value == 0, "6.5.2 (a server's SETTINGS_ENABLE_PUSH)", value)
        elif identifier == frames.INITIAL_WINDOW_SIZE:
            require(value <= frames.WINDOW_LIMIT, "6.5.2 (SETTINGS_INITIAL_WINDOW_SIZE)", value)
        elif identifier == frames.MAX_FRAME_SIZE:
            require(frames.DEFAULT_FRAME_SIZE <= value <= frames.FRAME_SIZE_LIMIT, "6.5.2 (SETTINGS_MAX_FRAME_SIZE)",
                    value)
    return pairs


def check_fields(fields, trailers):
    """A field section of a response. Returns the status, or None for trailers."""
    names = [name for name, _ in fields]
    pseudo = [name for name in names if name.startswith(b":")]
    if trailers:
        require(not pseudo, "8.1 (no pseudo-header fields in trailers)", fields)
    else:
        require(pseudo == [b":status"], "8.3.2 (:status once and nothing else)", fields)
        require(names[0] == b":status", "8.3 (pseudo-header fields come first)", fields)
        require(re.fullmatch(rb"[1-9][0-9]{2}", fields[0][1]), "8.3.2 (the status code)", fields)
    for name, value in fields[len(pseudo):]:
        require(_NAME.fullmatch(name), "8.2, 8.2.1 (lowercase, valid field names)", (name, value))
        require(not _BAD_VALUE.search(value), "8.2.1 (valid field values)", (name, value))
        require(name not in CONNECTION_FIELDS, "8.2.2 (connection-specific fields)", (name, value))
    return None if trailers else int(fields[0][1])
