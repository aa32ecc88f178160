"""What takes too long for a test: tools/soak runs these and sets their sizes in the environment."""

import os
import pathlib
import re
import resource
import threading
import time
import unittest
import zlib

from lib import client, files
from lib.backend import Backend, response
from lib.case import Case
from lib.client import ssl

MB = 1 << 20
BLOCK = bytes(range(256)) * 4096  # 1 MB
GROWTH_MAX = 32 * MB


def setting(name, default):
    return int(os.environ.get(name, default))


def say(text):
    print(f"soak: {text}", flush=True)


def proportional_bytes(pid):
    """What the process really costs: shared pages count in part."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE).group(1)) * 1024


class Sum:
    """Length and CRC-32 of what went by; says how far it is at every GB."""

    def __init__(self, what, total, check):
        self.what, self.total, self.check = what, total, check
        self.size = self.crc = self.said = 0

    def __call__(self, data):
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        if self.size - self.said >= 1024 * MB:
            self.said = self.size
            say(f"{self.what}: {self.size / 1024 / MB:.0f} of {self.total / 1024 / MB:.0f} GB, "
                f"the proxy has {self.check() / MB:.0f} MB")


class TransferSoak(Case):
    def test_transfer(self):
        blocks = setting("SOAK_GB", 10) * 1024
        total = blocks * MB
        received = []

        def serve(stream):
            while stream.peek():
                if stream.buffer.startswith(b"GET /warm"):
                    stream.read_request()
                    stream.send(response("warm"))
                elif stream.buffer.startswith(b"GET"):
                    stream.read_request()
                    stream.send(f"HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n")
                    for _ in range(blocks):
                        stream.send(BLOCK)
                else:
                    upload = Sum("upload", total, self.check_memory)
                    stream.read_request(upload)
                    received.append((upload.size, upload.crc))
                    stream.send(response("done"))

        self.proxy = self.start_proxy(self.start_backend(serve, kind=Backend))
        for _ in range(100):
            client.fetch(self.proxy.port, "/warm")
        self.before = self.proxy.resident_bytes()
        wanted = 0
        with client.connect(self.proxy.port) as stream:
            stream.send(f"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {total}\r\n\r\n")
            for _ in range(blocks):
                stream.send(BLOCK)
                wanted = zlib.crc32(BLOCK, wanted)
            self.assertEqual(stream.read_response().body, b"done")
            self.assertEqual(received, [(total, wanted)])
            download = Sum("download", total, self.check_memory)
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream.read_response(sink=download)
            self.assertEqual((download.size, download.crc), (total, wanted))
        say(f"transfer: {total} bytes there and back, CRC-32 {wanted:08x}")

    def check_memory(self):
        now = self.proxy.resident_bytes()
        self.assertLess(now - self.before, GROWTH_MAX)
        return now


class IdleSoak(Case):
    def connect_some(self, tls, count):
        for _ in range(count):
            stream = client.connect(self.proxy.port, tls)
            stream.sock.setblocking(False)
            self.streams.append(stream)

    def is_open(self, stream):
        try:
            return stream.sock.recv(1) != b""
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False

    def test_idle(self):
        wanted = setting("SOAK_CONNECTIONS", 10_000)
        seconds = setting("SOAK_IDLE_SECONDS", 60)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = min(wanted, hard - 200)
        if count < wanted:
            say(f"idle: the limit of descriptors is {hard}: {count} connections instead of {wanted}")
        self.streams = []
        self.proxy = self.start_proxy(self.start_backend(), flags=["--idle_timeout=1h"])
        tls = client.context()
        for _ in range(100):
            client.fetch(self.proxy.port, tls=tls)
        before = proportional_bytes(self.proxy.pid)
        for at in range(0, count, 1000):
            threads = [threading.Thread(target=self.connect_some, args=(tls, min(1000, count - at) // 4))
                       for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(4 * files.PATIENCE_S)
            say(f"idle: {len(self.streams)} connections")
        count = len(self.streams)
        after = proportional_bytes(self.proxy.pid)
        say(f"idle: {count} connections cost {(after - before) / MB:.1f} MB, {(after - before) / count:.0f} bytes each")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            gone = sum(not self.is_open(stream) for stream in self.streams)
            self.assertEqual(gone, 0)
            self.assertEqual(client.fetch(self.proxy.port, tls=tls).status, 200)
            say(f"idle: {max(deadline - time.monotonic(), 0):.0f} s left, all open, others are served")
            time.sleep(5)
        for stream in self.streams:
            stream.sock.settimeout(files.PATIENCE_S)
            self.assertEqual(client.get(stream).status, 200)
        served = proportional_bytes(self.proxy.pid)
        say(f"idle: each has been served a request; {(served - before) / count:.0f} bytes each")
        for stream in self.streams:
            stream.close()
        files.wait_until(lambda: self.proxy.descriptors() < 400, "all of them closed")


if __name__ == "__main__":
    unittest.main()
