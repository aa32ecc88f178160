"""A client that speaks HTTP/2 in single frames, right or wrong, and judges every frame that comes back."""

import socket
import ssl
import time

import hpack

from wire2 import frames, hpack_writer, rules
from wire2.exchange import Exchange
from wire2.expectations import Expectations
from wire2.rules import require

TRANSCRIPT_LINES = 40
SEND_SLICE = 1 << 16


class Connection(Expectations):
    """Over a connected TLS socket. `settings`: what the client's preface says; push is off unless it is named."""

    def __init__(self, sock, wait_s, settings=(), authority="localhost", auto_ack=True):
        self.sock = sock
        self.wait_s = wait_s
        self.authority = authority
        self.auto_ack = auto_ack
        self.transcript = []
        self.buffer = bytearray()
        self.closed = False  # the server ended the connection, in whatever way
        self.next_stream = 1
        self.exchanges = {}
        self.opened_max = 0
        self.pushed = []
        # What the server said.
        self.server_settings = {}
        self.settings_frames = 0
        self.acks = 0
        self.pongs = []
        self.goaways = []
        # What the server may send.
        self.window = frames.DEFAULT_WINDOW
        self.initial_window = frames.DEFAULT_WINDOW
        self.frame_size_max = frames.DEFAULT_FRAME_SIZE
        self.push_allowed = True
        self.unacknowledged = []
        self.decoder = hpack.Decoder(max_header_list_size=1 << 24)
        self._fragments = None  # (stream, END_STREAM, bytes) of an unfinished field block
        # What may be sent to it.
        self.send_window = frames.DEFAULT_WINDOW
        self.first_settings = dict(settings)
        self.first_settings.setdefault(frames.ENABLE_PUSH, 0)

    # --- sending ------------------------------------------------------------------------------------------------------

    def start(self):
        """The connection preface of both sides, acknowledged by both."""
        self.send(frames.PREFACE)
        self.send_settings(*self.first_settings.items())
        self.wait_for(lambda: self.settings_frames > 0 and self.acks > 0, "the server's preface and acknowledgment")
        return self

    def send(self, *parts):
        """Octets as they are. A server that no longer reads is found out when reading."""
        content = b"".join(parts)
        self._note_sent(content)
        self.send_quietly(content)

    def send_quietly(self, content):
        """The same without a line in the transcript."""
        self.sock.settimeout(self.wait_s)
        try:
            for at in range(0, len(content), SEND_SLICE):
                self.sock.sendall(content[at:at + SEND_SLICE])
        except (ConnectionError, ssl.SSLError, TimeoutError) as error:
            self.transcript.append(f"> (not sent: {error})")

    def _note_sent(self, content):
        if content.startswith(frames.PREFACE):
            self.transcript.append("> connection preface")
            content = content[len(frames.PREFACE):]
        while len(content) >= frames.HEADER_SIZE:
            length, frame = frames.parse_header(content)
            frame.payload = bytes(content[frames.HEADER_SIZE:frames.HEADER_SIZE + length])
            self.transcript.append(f"> {frame}")
            content = content[frames.HEADER_SIZE + length:]
        if content:
            self.transcript.append(f"> {len(content)} octets more")

    def send_settings(self, *values):
        """What a setting allows holds at once, what it forbids from the server's acknowledgment on (6.5.3)."""
        forbids = []
        for identifier, value in values:
            if identifier == frames.INITIAL_WINDOW_SIZE:
                delta = value - self.initial_window
                self.initial_window = value
                if delta > 0:
                    self._move_windows(list(self.exchanges.values()), delta)
                else:
                    forbids.append(lambda e=list(self.exchanges.values()), d=delta: self._move_windows(e, d))
            elif identifier == frames.MAX_FRAME_SIZE:
                self.frame_size_max = max(value, self.frame_size_max)
                forbids.append(lambda v=value: setattr(self, "frame_size_max", v))
            elif identifier == frames.HEADER_TABLE_SIZE:
                self.decoder.max_allowed_table_size = max(value, self.decoder.max_allowed_table_size)
                forbids.append(lambda v=value: setattr(self.decoder, "max_allowed_table_size", v))
            elif identifier == frames.ENABLE_PUSH:
                forbids.append(lambda v=value: setattr(self, "push_allowed", bool(v)))
        self.unacknowledged.append(forbids)
        self.send(frames.settings(*values))

    def _move_windows(self, exchanges, delta):
        for exchange in exchanges:
            exchange.window += delta

    def grant(self, stream, increment):
        """A WINDOW_UPDATE that is kept account of."""
        if stream == 0:
            self.window += increment
        else:
            self.exchanges[stream].window += increment
        self.send(frames.window_update(stream, increment))

    def new_stream(self, method="GET", number=None):
        """The next Exchange; nothing is sent."""
        number = self.next_stream if number is None else number
        self.next_stream = max(self.next_stream, number + 2 - (number + 1) % 2)
        self.opened_max = max(self.opened_max, number)
        send_window = self.server_settings.get(frames.INITIAL_WINDOW_SIZE, frames.DEFAULT_WINDOW)
        self.exchanges[number] = Exchange(number, self.initial_window, send_window, method)
        return number

    def fields(self, *more, method="GET", path="/"):
        """Of a request: the pseudo-header fields, then the others."""
        return [(":method", method), (":scheme", "https"), (":authority", self.authority), (":path", path), *more]

    def block(self, *more, method="GET", path="/"):
        return hpack_writer.block(self.fields(*more, method=method, path=path))

    def request(self, *more, method="GET", path="/", body=None, trailers=None):
        """A whole request in one go; the body must fit into the windows. Returns the stream."""
        stream = self.new_stream(method)
        parts = [frames.headers(stream, self.block(*more, method=method, path=path), body is None and trailers is None)]
        if body is not None:
            parts += self.data_frames(stream, body, trailers is None)
        if trailers is not None:
            parts.append(frames.headers(stream, hpack_writer.block(trailers)))
        self.send(*parts)
        return stream

    def open_request(self, *more, method="POST", path="/"):
        """The head of a request whose body is still to come. Returns the stream."""
        stream = self.new_stream(method)
        self.send(frames.headers(stream, self.block(*more, method=method, path=path), end_stream=False))
        return stream

    def send_fields(self, fields, end_stream=True, method="GET"):
        """A request of exactly these fields."""
        return self.send_block(hpack_writer.block(fields), end_stream, method)

    def send_block(self, block, end_stream=True, method="GET"):
        """A request of exactly this field block."""
        stream = self.new_stream(method)
        self.send(frames.headers(stream, block, end_stream))
        return stream

    def data_frames(self, stream, body, end_stream=True):
        """Charged to the windows, whether they allow it or not."""
        size = frames.DEFAULT_FRAME_SIZE
        self.exchanges[stream].send_window -= len(body)
        self.send_window -= len(body)
        return [frames.data(stream, body[at:at + size], end_stream and at + size >= len(body))
                for at in range(0, max(len(body), 1), size)]

    def upload(self, stream, body, end_stream=True):
        """Sends a body of any size as the windows allow."""
        exchange = self.exchanges[stream]
        at = 0
        while True:
            room = min(self.send_window, exchange.send_window, frames.DEFAULT_FRAME_SIZE)
            part = body[at:at + max(room, 0)]
            at += len(part)
            last = at == len(body)
            if part or last:
                self.send(*self.data_frames(stream, part, end_stream and last))
            if last:
                return
            self.wait_for(lambda: min(self.send_window, exchange.send_window) > 0, "WINDOW_UPDATE for the rest")

    # --- receiving ----------------------------------------------------------------------------------------------------

    def _receive(self, deadline):
        """More octets into the buffer; False at the end of the connection; TimeoutError when it is time."""
        self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            received = self.sock.recv(1 << 16)
        except (TimeoutError, ssl.SSLWantReadError):
            raise TimeoutError from None
        except (ConnectionError, ssl.SSLError) as error:
            self.transcript.append(f"< ended: {error}")
            return False
        if not received:
            self.transcript.append("< ended")
            return False
        self.buffer += received
        return True

    def _next_frame(self, deadline):
        """None at the end of the connection."""
        needed = frames.HEADER_SIZE
        while True:
            if len(self.buffer) >= frames.HEADER_SIZE:
                length, frame = frames.parse_header(self.buffer)
                require(length <= self.frame_size_max, "4.2 (SETTINGS_MAX_FRAME_SIZE)", f"{frame}, {length} octets")
                needed = frames.HEADER_SIZE + length
                if len(self.buffer) >= needed:
                    frame.payload = bytes(self.buffer[frames.HEADER_SIZE:needed])
                    del self.buffer[:needed]
                    self.transcript.append(f"< {frame}")
                    return frame
            if not self._receive(deadline):
                return None

    def _pump(self, deadline):
        """Handles one frame, or the end of the connection."""
        frame = self._next_frame(deadline)
        if frame is None:
            self.closed = True
            return
        rules.check_frame(frame, self.frame_size_max)
        if self.settings_frames == 0:
            require(frame.kind == frames.SETTINGS and not frame.flags & frames.ACK, "3.4 (SETTINGS come first)", frame)
        if self._fragments is not None:
            require(frame.kind == frames.CONTINUATION and frame.stream == self._fragments[0],
                    "6.2, 6.10 (nothing inside a field block)", frame)
        handler = self._HANDLERS.get(frame.kind)
        if handler:
            handler(self, frame)

    def wait_for(self, condition, what):
        """Handles frames until the condition is true, and returns it."""
        deadline = time.monotonic() + self.wait_s
        while True:
            result = condition()
            if result:
                return result
            if self.closed:
                self.fail(f"the connection ended before {what}")
            try:
                self._pump(deadline)
            except TimeoutError:
                self.fail(f"{what}: not seen in {self.wait_s:.0f} s")
            except rules.Violation as violation:
                self.fail(str(violation))

    def poll(self):
        """Handles what has come already."""
        try:
            while not self.closed:
                self._pump(time.monotonic())
        except TimeoutError:
            pass

    def fail(self, text):
        raise AssertionError(text + "\n  " + "\n  ".join(self.transcript[-TRANSCRIPT_LINES:])) from None

    def exchange_of(self, frame):
        """Frames on a stream that nobody has opened are the server's mistake."""
        require(frame.stream in self.exchanges or frame.stream < self.opened_max and frame.stream % 2 == 1,
                "5.1 (a frame on an idle stream)", frame)
        return self.exchanges.get(frame.stream)

    def _on_data(self, frame):
        exchange = self.exchange_of(frame)
        self.window -= len(frame.payload)
        require(self.window >= 0 or not frame.payload, "6.9.1 (the connection's window)", frame)
        require(exchange is not None, "5.1 (DATA on a closed stream)", frame)
        exchange.on_data(frame.content(), len(frame.payload), bool(frame.flags & frames.END_STREAM))

    def _on_headers(self, frame):
        end_stream = bool(frame.flags & frames.END_STREAM)
        if frame.kind == frames.CONTINUATION:
            require(self._fragments is not None, "6.10 (CONTINUATION without HEADERS)", frame)
            end_stream = self._fragments[1]
            content = self._fragments[2] + frame.payload
        elif frame.kind == frames.PUSH_PROMISE:
            require(self.push_allowed, "6.6 (PUSH_PROMISE although push is off)", frame)
            promised = int.from_bytes(frame.content()[:4], "big")
            require(promised % 2 == 0 and promised > max(self.pushed, default=0), "5.1.1 (promised stream)", frame)
            self.pushed.append(promised)
            self.exchanges[promised] = Exchange(promised, self.initial_window, 0)
            content, end_stream = frame.content()[4:], None
        else:
            content = frame.content()
        self._fragments = (frame.stream, end_stream, content)
        if frame.flags & frames.END_HEADERS:
            self._fragments = None
            self._on_field_block(frame, content, end_stream)

    def _on_field_block(self, frame, block, end_stream):
        try:
            fields = [(bytes(name), bytes(value)) for name, value in self.decoder.decode(block, raw=True)]
        except hpack.HPACKError as error:
            raise rules.Violation(f"the server broke 4.3 (a field block): {error!r}, {frame}") from error
        exchange = self.exchange_of(frame)
        require(exchange is not None, "5.1 (HEADERS on a closed stream)", frame)
        if end_stream is not None:
            exchange.on_fields(fields, end_stream)

    def _on_settings(self, frame):
        if frame.flags & frames.ACK:
            require(not frame.payload, "6.5 (an empty acknowledgment)", frame)
            require(self.unacknowledged, "6.5.3 (one acknowledgment for each SETTINGS)", frame)
            self.acks += 1
            for forbid in self.unacknowledged.pop(0):
                forbid()
            return
        self.settings_frames += 1
        for identifier, value in rules.parse_settings(frame):
            if identifier == frames.INITIAL_WINDOW_SIZE:
                old = self.server_settings.get(identifier, frames.DEFAULT_WINDOW)
                for exchange in self.exchanges.values():
                    exchange.send_window += value - old
            self.server_settings[identifier] = value
        if self.auto_ack:
            self.send(frames.settings_ack())

    def _on_ping(self, frame):
        if frame.flags & frames.ACK:
            self.pongs.append(frame.payload)
        else:
            self.send(frames.ping(frame.payload, frames.ACK))

    def _on_goaway(self, frame):
        last = int.from_bytes(frame.payload[:4], "big") & frames.WINDOW_LIMIT
        require(not self.goaways or last <= self.goaways[-1][0], "6.8 (the last stream never increases)", frame)
        self.goaways.append((last, int.from_bytes(frame.payload[4:8], "big")))

    def _on_window_update(self, frame):
        increment = int.from_bytes(frame.payload, "big")
        if frame.stream == 0:
            self.send_window += increment
            require(self.send_window <= frames.WINDOW_LIMIT, "6.9.1 (a window above 2^31-1)", frame)
            return
        exchange = self.exchange_of(frame)
        if exchange is not None:
            exchange.send_window += increment
            require(exchange.send_window <= frames.WINDOW_LIMIT, "6.9.1 (a window above 2^31-1)", frame)

    def _on_rst_stream(self, frame):
        exchange = self.exchange_of(frame)
        if exchange is not None:
            exchange.on_reset(int.from_bytes(frame.payload, "big"))

    _HANDLERS = {frames.DATA: _on_data, frames.HEADERS: _on_headers, frames.PUSH_PROMISE: _on_headers,
                 frames.CONTINUATION: _on_headers, frames.SETTINGS: _on_settings, frames.PING: _on_ping,
                 frames.GOAWAY: _on_goaway, frames.WINDOW_UPDATE: _on_window_update,
                 frames.RST_STREAM: _on_rst_stream}

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
