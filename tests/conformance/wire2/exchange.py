"""One stream, as the client sees it."""

from wire2.rules import check_fields, require


class Exchange:
    """A request and what came back. `window`: how much the server may still send on it."""

    def __init__(self, number, window, send_window, method="GET"):
        self.number = number
        self.window = window
        self.send_window = send_window
        self.method = method
        self.interim = []
        self.status = None
        self.fields = []
        self.body = bytearray()
        self.trailers = None
        self.ended = False
        self.resets = []
        self.must_be_silent = False

    def __str__(self):
        return f"stream {self.number}: {self.status}, {len(self.body)} octets, ended: {self.ended}, {self.resets}"

    @property
    def reset(self):
        """The code of the first RST_STREAM, or None."""
        return self.resets[0] if self.resets else None

    @property
    def closed(self):
        return self.ended or bool(self.resets)

    def all(self, name):
        return [value for field, value in self.fields if field == name.encode()]

    def get(self, name):
        values = self.all(name)
        require(len(values) < 2, f"the test's wish for one {name}", self.fields)
        return values[0] if values else None

    def _check_alive(self, what):
        require(not self.must_be_silent, "6.4 (frames after RST_STREAM was received)", f"{what}, {self}")
        require(not self.closed, "5.1 (frames on a stream that it has closed)", f"{what}, {self}")

    def on_fields(self, fields, end_stream):
        self._check_alive("HEADERS")
        if self.status is not None:
            require(end_stream, "8.1 (trailers end the stream)", self)
            check_fields(fields, trailers=True)
            self.trailers = fields
        else:
            status = check_fields(fields, trailers=False)
            require(status != 101, "8.6 (no 101)", fields)
            if status < 200:
                require(not end_stream, "8.1 (an interim response does not end the stream)", fields)
                self.interim.append((status, fields[1:]))
            else:
                self.status = status
                self.fields = fields[1:]
        if end_stream:
            self._end()

    def on_data(self, content, payload_size, end_stream):
        self._check_alive("DATA")
        require(self.status is not None, "8.1 (HEADERS come before DATA)", self)
        self.window -= payload_size
        require(self.window >= 0 or payload_size == 0, "6.9.1 (the stream's window)", f"{self}, {self.window} left")
        self.body += content
        if end_stream:
            self._end()

    def on_reset(self, code):
        require(not self.must_be_silent, "5.4.2 (no RST_STREAM in response to RST_STREAM)", self)
        self.resets.append(code)

    def _end(self):
        self.ended = True
        lengths = self.all("content-length")
        if self.method == "HEAD" or self.status in (204, 304):
            require(not self.body, "8.1.1 (a response without content)", self)
        elif lengths:
            require(lengths == [str(len(self.body)).encode()], "8.1.1 (content-length)", f"{self}, {lengths}")
