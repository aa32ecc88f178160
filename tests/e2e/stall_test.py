"""Peers that get on by a byte now and then, or not at all: in either protocol, in either direction."""

import socket
import struct
import threading
import time
import unittest

from lib import client, files, http2
from lib.backend import Backend, HttpBackend, response
from lib.case import Case
from lib.wire import Ended

WINDOW_UPDATE, RST_STREAM = 8, 3
INITIAL_WINDOW_SIZE = 4
STALL = "--stall_timeout=1s"


class Drip:
    """Calls `step` every tenth of a second until it raises, or the block ends."""

    def __init__(self, step):
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(step,), daemon=True)

    def _run(self, step):
        try:
            while not self._over.wait(0.1):
                step()
        except (OSError, Ended, ValueError):
            pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(files.PATIENCE_S)


class Narrow(http2.Connection):
    """A client of HTTP/2 that gives streams no room but what it says itself."""

    def __init__(self, port):
        super().__init__(port)
        self.send(http2.SETTINGS, 0, 0, struct.pack("!HI", INITIAL_WINDOW_SIZE, 0))

    def grant(self, number, size):
        self.send(WINDOW_UPDATE, 0, number, struct.pack("!I", size))

    def await_reset(self, number):
        while True:
            kind, _, stream, _ = self.read()
            if (kind, stream) == (RST_STREAM, number):
                return


class ResponseTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend(lambda _: response(b"x" * 20_000_000))

    def check_cut(self, proxy, end):
        self.assertIn(f" end={end}", proxy.await_access("GET"))

    def test_a_client_that_takes_nothing(self):
        proxy = self.start_proxy(self.backend, flags=[STALL])
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.check_cut(proxy, "send_stall")

    def test_a_client_that_takes_a_byte_now_and_then(self):
        proxy = self.start_proxy(self.backend, flags=[STALL])
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", proxy.port))
        with client.connect(proxy.port, raw=raw) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with Drip(lambda: stream.sock.recv(10)):
                self.check_cut(proxy, "send_stall")

    def test_a_stream_without_a_window(self):
        proxy = self.start_proxy(self.backend, flags=[STALL])
        connection = Narrow(proxy.port)
        self.addCleanup(connection.close)
        number = connection.get()
        connection.await_reset(number)
        self.check_cut(proxy, "send_stall")

    def test_a_stream_whose_window_opens_by_single_bytes(self):
        proxy = self.start_proxy(self.backend, flags=[STALL])
        connection = Narrow(proxy.port)
        self.addCleanup(connection.close)
        number = connection.get()
        with Drip(lambda: connection.grant(number, 1)):
            connection.await_reset(number)
        self.check_cut(proxy, "send_stall")

    def test_a_slow_reader_that_gets_on_is_served(self):
        proxy = self.start_proxy(self.start_backend(lambda _: response(b"x" * 8000)), flags=[STALL])
        connection = Narrow(proxy.port)
        self.addCleanup(connection.close)
        number = connection.get()
        with Drip(lambda: connection.grant(number, 300)):
            self.assertEqual(len(connection.body(number)), 8000)


class RequestTest(Case):
    def test_a_body_by_single_bytes(self):
        proxy = self.start_proxy(self.start_backend(), flags=[STALL])
        with client.connect(proxy.port) as stream:
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
            with Drip(lambda: stream.send("x")):
                self.assertEqual(stream.read_response("POST").status, 408)
        self.assertIn(" end=body_timeout", proxy.await_access("POST"))

    def test_a_server_that_takes_nothing(self):
        def stuck(stream):
            stream.sock.recv(100)
            time.sleep(10)

        proxy = self.start_proxy(self.start_backend(stuck, kind=lambda serve, name: Backend(serve, name)), flags=[STALL])
        with client.connect(proxy.port) as stream:
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")
            piece = b"x" * 65536

            def push():
                stream.sock.settimeout(0.5)
                stream.sock.sendall(piece)
            with Drip(push):
                proxy.await_access('POST.* 504 ')

    def test_events_may_be_small_and_rare(self):
        """What a server has to say comes when there is something: its silences have a time of their own."""
        class Events(HttpBackend):
            def _serve_http(self, stream):
                stream.read_request()
                stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(8):
                    time.sleep(0.4)
                    stream.send("4\r\ntick\r\n")
                stream.send("0\r\n\r\n")

        proxy = self.start_proxy(self.start_backend(kind=Events), flags=[STALL])
        self.assertEqual(client.fetch(proxy.port).body, b"tick" * 8)


if __name__ == "__main__":
    unittest.main()
