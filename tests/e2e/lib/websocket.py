"""WebSocket frames (RFC 6455), and a server that echoes."""

import base64
import hashlib
import struct

from lib.backend import Backend

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE = 1, 8
GOING_AWAY = 1001


def accept(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(payload, opcode=TEXT, masked=False):
    """One whole message."""
    mask_bit, mask = (0x80, b"mask") if masked else (0, b"")
    if len(payload) < 126:
        head = struct.pack("!BB", 0x80 | opcode, mask_bit | len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, mask_bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, mask_bit | 127, len(payload))
    if masked:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + mask + payload


def read_frame(read):
    """(opcode, payload). `read(size)` gives exactly so many bytes."""
    first, second = read(2)
    size = second & 0x7f
    if size == 126:
        size, = struct.unpack("!H", read(2))
    elif size == 127:
        size, = struct.unpack("!Q", read(8))
    mask = read(4) if second & 0x80 else bytes(4)
    payload = read(size)
    return first & 0xf, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if any(mask) else payload


def close_code(payload):
    return struct.unpack("!H", payload[:2])[0]


class EchoBackend(Backend):
    """Agrees to every WebSocket and sends each message back; "part" only the first half of it, until more comes."""

    def __init__(self, answer=None, name="echo"):
        self.requests = []
        self.closes = []  # codes
        self.ended = 0    # connections of which the client's side has ended
        self.answer = answer or self.agree
        super().__init__(self._serve, name)

    @staticmethod
    def agree(request):
        return ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept(request.get('sec-websocket-key') or '')}\r\n"
                "Sec-WebSocket-Protocol: chat\r\n\r\n").encode()

    def _serve(self, stream):
        request = stream.read_request()
        if request is None:
            return
        self.requests.append(request)
        answer = self.answer(request)
        stream.send(answer)
        if not answer.startswith(b"HTTP/1.1 101"):
            return
        try:
            self._echo(stream)
        finally:
            self.ended += 1

    def _echo(self, stream):
        while True:
            opcode, payload = read_frame(stream.read_exactly)
            if opcode == CLOSE:
                self.closes.append(close_code(payload))
                stream.send(frame(payload, CLOSE))
                return
            if payload == b"part":
                whole = frame(b"x" * 1000)
                stream.send(whole[:500])
                read_frame(stream.read_exactly)
                stream.send(whole[500:])
            else:
                stream.send(frame(payload, opcode))
