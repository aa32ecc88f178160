"""What a server may do after a frame, as the RFC leaves it open: the allowed set, and nothing else.

 * A connection error may be told by GOAWAY or not at all (5.4.1, 6.8), but the connection ends (5.4.1).
 * PROTOCOL_ERROR and INTERNAL_ERROR may stand for every more specific code (5.4).
 * A stream error may be made a connection error (5.4.1).
 * A malformed request may be answered before its stream is closed (8.1.1), with a status that blames the client.

With CONFORMANCE_STRICT=1 in the environment, a connection error has to be told, by the very code that the RFC names.
"""

import os

from wire2 import frames

STRICT = os.environ.get("CONFORMANCE_STRICT", "") not in ("", "0")
GENERIC = set() if STRICT else {frames.PROTOCOL_ERROR, frames.INTERNAL_ERROR}


class Expectations:
    """Of a Connection."""

    def _names(self, codes):
        return " or ".join(frames.error_name(code) for code in codes)

    @property
    def failed(self):
        """Whether the server has given up the connection."""
        return self.closed or any(code != frames.NO_ERROR for _, code in self.goaways)

    def _check_code(self, code, codes, what):
        if code not in GENERIC.union(codes):
            self.fail(f"{what} with {frames.error_name(code)} instead of {self._names(codes)}")

    def expect_goaway(self, *codes, may_be_silent=not STRICT):
        """A connection error of one of these types: the connection ends."""
        self.wait_for(lambda: self.closed, f"the end of the connection with {self._names(codes)}")
        if self.goaways:
            self._check_code(self.goaways[-1][1], codes, "GOAWAY")
        elif not may_be_silent:
            self.fail(f"the connection ended without GOAWAY ({self._names(codes)})")

    def expect_rst(self, stream, *codes):
        """A stream error of one of these types, or a connection error instead. Other streams go on after the first."""
        exchange = self.exchanges[stream]
        self.wait_for(lambda: exchange.resets or self.failed, f"RST_STREAM with {self._names(codes)}")
        if exchange.resets:
            self._check_code(exchange.reset, codes, "RST_STREAM")
            self._expect_open_or_goaway(*codes)
        else:
            self.expect_goaway(*codes)

    def _expect_open_or_goaway(self, *codes):
        """Whether the connection is open. A connection error may be reported beside the stream's (5.4)."""
        opaque = len(self.pongs).to_bytes(4, "big") + b"here"
        self.send(frames.ping(opaque))
        self.wait_for(lambda: opaque in self.pongs or self.failed, f"the answer to PING, or {self._names(codes)}")
        if self.failed:
            self.expect_goaway(*codes)
        return not self.failed

    def expect_response(self, stream, status=200):
        """A whole response with this status (None: any); returns the Exchange."""
        exchange = self.expect_outcome(stream)
        if not exchange.ended or status is not None and exchange.status != status:
            self.fail(f"a response with {status} was expected on {exchange}")
        return exchange

    def expect_outcome(self, stream):
        """Waits until the stream or the connection has ended, in whatever way; returns the Exchange."""
        exchange = self.exchanges[stream]
        self.wait_for(lambda: exchange.closed or self.failed, f"the end of stream {stream}, or of the connection")
        return exchange

    def expect_acks(self, count):
        """So many SETTINGS in all are acknowledged."""
        self.wait_for(lambda: self.acks >= count, f"{count} acknowledgments")

    def expect_body(self, stream, size):
        """Exactly so many octets of a response come; a PING shows that no more follow."""
        body = self.exchanges[stream].body
        self.wait_for(lambda: len(body) >= size, f"{size} octets")
        self.expect_connection_open()
        if len(body) != size:
            self.fail(f"{len(body)} octets came instead of {size}")

    def expect_head(self, stream):
        """The head of a final response; returns the Exchange."""
        exchange = self.exchanges[stream]
        self.wait_for(lambda: exchange.status is not None or exchange.closed or self.failed,
                      f"the head of a response on stream {stream}")
        if exchange.status is None:
            self.fail(f"the head of a response was expected on {exchange}")
        return exchange

    def expect_malformed(self, stream, *codes):
        """What a malformed request meets: PROTOCOL_ERROR for its stream or the connection, or a 4xx response first."""
        exchange = self.expect_outcome(stream)
        codes = codes or (frames.PROTOCOL_ERROR,)
        if exchange.status is not None:
            if not 400 <= exchange.status <= 499:
                self.fail(f"a malformed request was answered on {exchange}")
            self.wait_for(lambda: exchange.closed or self.failed, "the end of the refusal")
            # NO_ERROR asks to stop sending after a whole response (8.1).
            if exchange.reset not in (None, frames.NO_ERROR):
                self._check_code(exchange.reset, codes, "RST_STREAM")
            self._expect_open_or_goaway(*codes)
        else:
            self.expect_rst(stream, *codes)

    def expect_connection_open(self):
        """A PING goes out and comes back."""
        opaque = len(self.pongs).to_bytes(4, "big") + b"open"
        self.send(frames.ping(opaque))
        self.wait_for(lambda: opaque in self.pongs or self.failed, "the answer to PING")
        if self.failed:
            self.fail("the connection should have stayed open")

    def expect_served(self):
        """The connection is open, and requests on it are answered."""
        self.expect_connection_open()
        self.expect_response(self.request())

    def expect_ignored_or_goaway(self, *codes):
        """Both are allowed: to go on as if nothing had come, or a connection error of one of these types."""
        if not self._expect_open_or_goaway(*codes):
            return False
        self.expect_served()
        return True

    def expect_rst_or_ignored(self, stream, *codes):
        """On a closed stream: a stream error, a connection error, or nothing at all; but never a response."""
        exchange = self.exchanges[stream]
        before = len(exchange.resets)
        if not self.expect_ignored_or_goaway(*codes):
            return
        for code in exchange.resets[before:]:
            self._check_code(code, codes, "RST_STREAM")
