"""Much data, slow peers, bounded memory."""

import hashlib
import threading
import unittest

from lib import client, files
from lib.backend import Backend, response
from lib.case import Case

MB = 1 << 20
# Sanitized binaries are some ten times slower.
LARGE = 200 * MB if not files.SANITIZED else 20 * MB
# What a proxy with a few busy connections may grow by; a relay that queued a large body would grow by all of it.
GROWTH_MAX = 32 * MB

BLOCK = bytes(range(256)) * 4096  # 1 MB


def send_blocks(stream, size):
    for _ in range(size // MB):
        stream.send(BLOCK)


class Digest:
    """Counts and hashes what it is given."""

    def __init__(self):
        self.size = 0
        self.hash = hashlib.sha256()

    def __call__(self, data):
        self.size += len(data)
        self.hash.update(data)


def digest_of(size):
    digest = Digest()
    for _ in range(size // MB):
        digest(BLOCK)
    return digest.hash.hexdigest()


class StreamCase(Case):
    def check_memory(self, proxy, before):
        if not files.SANITIZED:
            self.assertLess(proxy.resident_bytes() - before, GROWTH_MAX)

    def warm(self, proxy):
        for _ in range(10):
            client.fetch(proxy.port, "/warm")
        return proxy.resident_bytes()


class LargeTest(StreamCase):
    def setUp(self):
        super().setUp()

        def serve(stream):
            while stream.peek():
                digest = Digest()
                request = stream.read_request(digest)
                if request.target == "/length":
                    stream.send(f"HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n")
                    send_blocks(stream, LARGE)
                elif request.target == "/chunked":
                    stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for _ in range(LARGE // MB):
                        stream.send(b"100000\r\n" + BLOCK + b"\r\n")
                    stream.send("0\r\n\r\n")
                else:
                    stream.send(response(f"{digest.size} {digest.hash.hexdigest()}"))

        self.proxy = self.start_proxy(self.start_backend(serve, kind=Backend))

    def test_upload(self):
        before = self.warm(self.proxy)
        with client.connect(self.proxy.port) as stream:
            stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE}\r\n\r\n")
            send_blocks(stream, LARGE)
            self.check_memory(self.proxy, before)
            self.assertEqual(stream.read_response().body.decode(), f"{LARGE} {digest_of(LARGE)}")
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(20):
                stream.send(b"100000\r\n" + BLOCK + b"\r\n")
            stream.send("0\r\n\r\n")
            self.assertEqual(stream.read_response().body.decode(), f"{20 * MB} {digest_of(20 * MB)}")

    def test_download(self):
        before = self.warm(self.proxy)
        wanted = digest_of(LARGE)
        with client.connect(self.proxy.port) as stream:
            for target in ("/length", "/chunked"):
                digest = Digest()
                stream.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(stream.read_response(sink=digest).status, 200)
                self.assertEqual((digest.size, digest.hash.hexdigest()), (LARGE, wanted))
                self.check_memory(self.proxy, before)

    def test_many_at_once(self):
        size = 5 * MB
        wanted = f"{size} {digest_of(size)}"
        answers = []

        def upload():
            with client.connect(self.proxy.port) as stream:
                for _ in range(2):
                    stream.send(f"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n")
                    send_blocks(stream, size)
                    answers.append(stream.read_response().body.decode())

        before = self.warm(self.proxy)
        threads = [threading.Thread(target=upload) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * files.PATIENCE_S)
        self.assertEqual(answers, [wanted] * 16)
        self.check_memory(self.proxy, before)


def push(stream, data, size_max):
    """Sends until the peer takes no more for a second; how much it took."""
    sent = 0
    stream.sock.settimeout(1)
    try:
        while sent < size_max:
            sent += stream.sock.send(data)
    except TimeoutError:
        pass
    stream.sock.settimeout(files.PATIENCE_S)
    return sent


class BackPressureTest(StreamCase):
    SIZE = 400 * MB

    def test_server_that_does_not_read(self):
        asked = threading.Event()
        done = threading.Event()
        self.addCleanup(done.set)

        def serve(stream):
            request = stream.read_head()
            if request.target == "/warm":
                stream.send(response("", fields="Connection: close\r\n"))
                return
            asked.set()
            done.wait(files.PATIENCE_S)

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        self.addCleanup(done.set)
        before = self.warm(proxy)
        with client.connect(proxy.port) as stream:
            stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {self.SIZE}\r\n\r\n")
            self.assertTrue(asked.wait(files.PATIENCE_S))
            # The kernel's buffers take some megabytes; then the client has to wait.
            self.assertLess(push(stream, BLOCK, self.SIZE), self.SIZE)
            self.check_memory(proxy, before)
            self.assertEqual(client.fetch(proxy.port, "/warm").status, 200)

    def test_client_that_does_not_read(self):
        pushed = []

        def serve(stream):
            if stream.read_head().target == "/warm":
                stream.send(response("", fields="Connection: close\r\n"))
                return
            stream.send(f"HTTP/1.1 200 OK\r\nContent-Length: {self.SIZE}\r\n\r\n")
            pushed.append(push(stream, BLOCK, self.SIZE))
            # The rest, now that somebody reads.
            for at in range(pushed[0], self.SIZE, MB):
                stream.send(BLOCK[at % 256:at % 256 + min(MB, self.SIZE - at)].ljust(min(MB, self.SIZE - at), b"x"))

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        before = self.warm(proxy)
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            files.wait_until(lambda: pushed, "a server that has to wait")
            self.assertLess(pushed[0], self.SIZE)
            self.check_memory(proxy, before)
            self.assertEqual(client.fetch(proxy.port, "/warm").status, 200)
            # It goes on where it stopped.
            head = stream.read_head()
            self.assertEqual(head.status, 200)
            stream.read_exactly(32 * MB, sink=lambda data: None)
            self.check_memory(proxy, before)

    def test_slow_both_ways(self):
        """Everything in small pieces with both sides at work at once."""
        size = 300_000

        def serve(stream):
            stream.sock.setsockopt(client.socket.SOL_SOCKET, client.socket.SO_RCVBUF, 65536)
            while stream.peek():
                digest = Digest()
                stream.read_request(digest)
                stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for digit in digest.hash.hexdigest():
                    stream.send(f"1\r\n{digit}\r\n")
                stream.send("0\r\n\r\n")

        proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        body = (BLOCK[:size] + b"x" * size)[:size]
        with client.connect(proxy.port) as stream:
            for _ in range(3):
                stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n")
                for at in range(0, size, 1500):
                    stream.send(body[at:at + 1500])
                self.assertEqual(stream.read_response().body.decode(), hashlib.sha256(body).hexdigest())


if __name__ == "__main__":
    unittest.main()
