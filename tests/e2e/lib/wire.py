"""HTTP/1.1 as bytes: a reader for either side that repairs nothing and hides nothing."""

import socket
import ssl

from lib import files

LINE_BYTES_MAX = 1 << 20


class Ended(Exception):
    """The peer ended inside a message. `clean`: in the way its protocol has for that."""

    def __init__(self, clean, received=b""):
        super().__init__("ended cleanly" if clean else "cut off")
        self.clean = clean
        self.received = received


class Message:
    """A request or a response: start line, fields as they came, body, trailers."""

    def __init__(self, start, fields):
        self.start = start
        self.fields = fields
        self.body = b""
        self.trailers = []
        self.interim = []

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self):
        return self.start.split(" ", 1)[0]

    @property
    def target(self):
        return self.start.split(" ")[1]

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name):
        """The one value of a field, or None; two are an error."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times")
        return values[0] if values else None

    @property
    def closes(self):
        return "close" in (self.get("Connection") or "").lower()


class Stream:
    """A connected socket, plain or TLS, with a buffer."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        sock.settimeout(files.PATIENCE_S)

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def receive(self, size=1 << 16):
        """Some bytes; b"" at a clean end (EOF, or close_notify for TLS). Cut off: Ended."""
        if self.buffer:
            data = bytes(self.buffer[:size])
            del self.buffer[:size]
            return data
        try:
            return self.sock.recv(size)
        except ssl.SSLError as error:
            # Older versions of Python have no class for it.
            if not isinstance(error, ssl.SSLEOFError) and error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            raise Ended(clean=False) from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Ended(clean=False) from error

    def _fill(self):
        held = bytes(self.buffer)
        self.buffer.clear()
        try:
            data = self.receive()
        except Ended as error:
            raise Ended(clean=False, received=held) from error
        if not data:
            raise Ended(clean=True, received=held)
        self.buffer += held + data

    def peek(self):
        """Waits for the next bytes and leaves them unread; False if the peer ended instead."""
        if not self.buffer:
            try:
                self._fill()
            except Ended:
                return False
        return True

    def read_line(self):
        start = 0
        while True:
            end = self.buffer.find(b"\r\n", start)
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[:end + 2]
                return line.decode("latin-1")
            if len(self.buffer) > LINE_BYTES_MAX:
                raise AssertionError("a line without end")
            start = max(len(self.buffer) - 1, 0)
            self._fill()

    def read_fields(self):
        fields = []
        while True:
            line = self.read_line()
            if not line:
                return fields
            name, colon, value = line.partition(":")
            if not colon:
                raise AssertionError(f"not a field: {line!r}")
            fields.append((name, value.strip(" \t")))

    def read_exactly(self, size, sink=None):
        """`sink` takes the bytes instead of a result."""
        result = bytearray()
        while size > 0:
            if not self.buffer:
                self._fill()
            part = bytes(self.buffer[:size])
            del self.buffer[:size]
            size -= len(part)
            if sink is not None:
                sink(part)
            else:
                result += part
        return bytes(result)

    def read_chunked(self, message, sink=None):
        body = bytearray()
        sink = sink or body.extend
        while True:
            size = int(self.read_line().partition(";")[0], 16)
            if size == 0:
                message.trailers = self.read_fields()
                return bytes(body)
            self.read_exactly(size, sink)
            if self.read_line():
                raise AssertionError("a chunk is longer than it says")

    def read_head(self):
        return Message(self.read_line(), self.read_fields())

    def read_request(self, sink=None):
        """A whole request, or None if the peer ended before one."""
        if not self.peek():
            return None
        request = self.read_head()
        self.read_request_body(request, sink)
        return request

    def read_request_body(self, request, sink=None):
        if request.get("Transfer-Encoding") is not None:
            request.body = self.read_chunked(request, sink)
        elif request.get("Content-Length") is not None:
            request.body = self.read_exactly(int(request.get("Content-Length")), sink)

    def read_response(self, method="GET", sink=None):
        """A whole response, with the interim ones before it in `.interim`."""
        interim = []
        response = self.read_head()
        while response.status < 200:
            interim.append(response)
            if len(interim) > 10:
                raise AssertionError("interim responses without end")
            response = self.read_head()
        response.interim = interim
        if method == "HEAD" or response.status in (204, 304):
            return response
        if response.get("Transfer-Encoding") is not None:
            response.body = self.read_chunked(response, sink)
        elif response.get("Content-Length") is not None:
            response.body = self.read_exactly(int(response.get("Content-Length")), sink)
        else:
            response.body = self.read_to_end(sink)
        return response

    def read_to_end(self, sink=None):
        """Everything up to a clean end."""
        body = bytearray()
        sink = sink or body.extend
        while True:
            try:
                data = self.receive()
            except Ended as error:
                raise Ended(False, bytes(body) + error.received) from error
            if not data:
                return bytes(body)
            sink(data)

    def ended(self):
        """Waits for the peer's end; any byte before it is an error. Whether the end was clean."""
        try:
            data = self.receive()
        except Ended as error:
            return error.clean
        if data:
            raise AssertionError(f"more bytes: {data[:200]!r}")
        return True

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends with a TCP reset."""
        raw = self.sock
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
