"""Servers of HTTP/2 that read nothing more: what waits for them has an end, and so has the process."""

import signal
import socket
import threading
import unittest

from lib import client, files
from lib.case import Case
from lib.http2_server import INITIAL_WINDOW_SIZE, WINDOW_MAX, Http2Backend, settings, window_update

SIZE = 20 << 20


class HungServerTest(Case):
    """The server allows everything and takes nothing."""

    def start(self, drain_timeout="1s"):
        over = threading.Event()

        def hang(connection):
            connection.stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(settings((INITIAL_WINDOW_SIZE, WINDOW_MAX)), window_update(0, WINDOW_MAX - 65535))
            over.wait()

        backend = self.start_backend(hang, kind=Http2Backend)
        self.addCleanup(over.set)  # before the server is stopped
        return self.start_proxy(backend, flags=[
            "--upstream_protocol=http2", "--shards=1", f"--drain_timeout={drain_timeout}",
            "--response_timeout=1s"])

    def stalled_upload(self, proxy):
        """A client whose body goes nowhere any more."""
        stream = client.connect(proxy.port)
        self.addCleanup(stream.close)
        stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SIZE}\r\n\r\n")
        stream.sock.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            stream.sock.sendall(bytes(SIZE))
        stream.sock.settimeout(files.PATIENCE_S)
        return stream

    def test_the_process_ends(self):
        proxy = self.start()
        self.stalled_upload(proxy)
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        proxy = self.start(drain_timeout="3600s")
        self.stalled_upload(proxy)
        proxy.signal(signal.SIGTERM)
        files.wait_until(lambda: "drain" in proxy.errors(), "the word that it drains")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)

    def test_a_request_that_has_not_left_is_answered_in_time(self):
        proxy = self.start()
        self.stalled_upload(proxy)
        self.assertEqual(client.fetch(proxy.port, "/queued").status, 504)
        # The upload, which has far more time, goes on.
        self.assertNotIn("POST", proxy.accesses())
        files.wait_until(lambda: "failure=response_timeout" in proxy.errors(), "the failure in the log")


if __name__ == "__main__":
    unittest.main()
