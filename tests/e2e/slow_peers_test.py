"""Many who take nothing, on either side: they cost memory of their own, and nobody else is kept waiting."""

import ssl
import threading
import unittest

from lib import client
from lib.backend import Backend, HttpBackend, response
from lib.case import Case

BLOCK = bytes(range(256)) * 4096  # 1 MB
SIZE = 8 * len(BLOCK)
MANY = 150  # more than there are large receive buffers


class SlowPeersTest(Case):
    def hold(self, stream):
        self.addCleanup(stream.close)

    def test_who_reads_nothing(self):
        def serve(stream):
            while stream.peek():
                stream.read_request()
                stream.send(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")
                for _ in range(SIZE // len(BLOCK)):
                    stream.send(BLOCK)

        backend = self.start_backend(serve, kind=Backend)
        proxy = self.start_proxy(backend, flags=["--shards=1", "--drain_timeout=1s"])
        for _ in range(MANY):
            stream = client.connect(proxy.port)
            self.hold(stream)
            stream.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = client.fetch(proxy.port, "/large")
        self.assertEqual(reply.body, BLOCK * (SIZE // len(BLOCK)))

    def test_a_server_that_reads_nothing(self):
        over = threading.Event()
        deaf = self.start_backend(lambda stream: over.wait(), name="deaf", kind=Backend)
        self.addCleanup(over.set)  # before the server is stopped
        backend = self.start_backend(lambda request: response(str(len(request.body)).encode()), kind=HttpBackend)
        groups = "\n".join(
            f'server_groups {{ name: "{b.name}" servers {{ name: "{b.name}" host: "127.0.0.1" port: {b.port} }} '
            "health_check { enabled: false } }" for b in (deaf, backend))
        proxy = self.start_config(f"""
            listeners {{
              name: "all" address: "127.0.0.1:0"
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
              hosts {{ host: "deaf.example.test" server_group: "deaf" }}
              default_server_group: "{backend.name}"
            }}
            {groups}""", flags=["--shards=1", "--drain_timeout=1s"])
        for _ in range(MANY):
            stream = client.connect(proxy.port)
            self.hold(stream)
            stream.send(f"POST / HTTP/1.1\r\nHost: deaf.example.test\r\nContent-Length: {SIZE}\r\n\r\n")
            stream.sock.setblocking(False)
            try:
                for _ in range(SIZE // len(BLOCK)):
                    stream.sock.send(BLOCK)
            except ssl.SSLWantWriteError:
                pass
        stream = client.connect(proxy.port)
        self.hold(stream)
        stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SIZE}\r\n\r\n")
        for _ in range(SIZE // len(BLOCK)):
            stream.send(BLOCK)
        self.assertEqual(stream.read_response("POST").body, str(SIZE).encode())


if __name__ == "__main__":
    unittest.main()
