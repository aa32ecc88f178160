"""What the process does when there is not enough of something."""

import contextlib
import os
import re
import resource
import signal
import ssl
import subprocess
import threading
import unittest

from lib import client, files, http2
from lib.backend import response
from lib.case import Case, process_flags
from lib.metrics import Metrics
from lib.proxy import limit_descriptors
from lib.trust import TrustCase
from lib.wire import Ended, Stream

# UBSan looks through a pipe whether memory may be read, and calls an object none when it gets no descriptor for that.
NEEDS_NO_DESCRIPTOR = unittest.skipIf("UBSAN_OPTIONS" in os.environ, "the sanitizer needs descriptors itself")


@contextlib.contextmanager
def descriptors(wanted):
    """Raises our own limit; gives what we may have now, less what the rest of the test needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(wanted + 200, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, soft), hard))
    try:
        yield min(wanted, max(limit, soft) - 200)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class ShortageTest(Case):
    def test_clients_leave_descriptors_to_others(self):
        """Silent clients fill their part of a small table: servers, administration and reloads have theirs."""
        proxy = self.start_proxy(self.start_backend(), before=limit_descriptors(400),
                                 flags=["--shards=1", "--admin=127.0.0.1:0"])
        said = re.search(r"warning the limit of open files \(nofile\) is 400: that is enough for (\d+) connections of clients a "
                         r"shard, not for connections_max 20000; set it to (\d+) ", proxy.errors())
        self.assertIsNotNone(said, proxy.errors())
        metrics = Metrics(proxy.admin_port)
        self.assertEqual(metrics.get("postern_connections_max", shard="0"), int(said.group(1)))
        silent = [Stream(client.connect_plain(proxy.port)) for _ in range(1000)]

        def come():
            shard = client.status(proxy.admin_port)["shards"][0]
            return shard["connections_accepted"] + shard["connections_shed"] >= 1000
        files.wait_until(come, "all of them")
        for count in range(10):
            self.assertEqual(client.fetch(proxy.port).status, 200)
            self.assertEqual(client.status(proxy.admin_port)["reload"]["failures"], 0)
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda count=count: proxy.errors().count("reload: nothing has changed") > count, "the reload")
        # For a moment a burst may take more than its part: whoever comes while others are being accepted.
        self.assertLess(proxy.descriptors(), 350)
        for stream in silent:
            stream.close()

    def test_more_requests_than_connections_to_servers(self):
        """One HTTP/2 client may ask for more at once than there are: answered, counted, told."""
        go = threading.Event()
        self.addCleanup(go.set)
        backend = self.start_backend(lambda request: response("late") if go.wait(files.PATIENCE_S) else None)
        proxy = self.start_proxy(backend, flags=["--shards=1", "--admin=127.0.0.1:0", "--connections_max=4"])
        wide = http2.Connection(proxy.port)
        self.addCleanup(wide.close)
        numbers = [wide.get("/") for _ in range(30)]

        def shard():
            return client.status(proxy.admin_port)["shards"][0]
        files.wait_until(lambda: shard()["requests_shed"] + shard()["upstream_open"] == len(numbers), "all of them")
        self.assertEqual(shard()["upstream_open"], 8, "two for each client that may be")
        self.assertEqual(proxy.errors().count(" warning no_room for=servers reason=server_connections\n"), 1)
        go.set()
        while len({number for kind, _, number, _ in wide.frames if kind == http2.HEADERS}) < len(numbers):
            wide.read()
        heads = [payload for kind, _, _, payload in wide.frames if kind == http2.HEADERS]
        self.assertEqual(sum(head.startswith(http2.OK) for head in heads), 8)

    def test_the_limit_that_is_named_is_enough(self):
        arguments = [*self.listener_flags("require"), "--backend=127.0.0.1:1", *process_flags(), "--shards=2"]
        result = subprocess.run([files.postern(), *arguments], cwd=self.folder, capture_output=True, text=True, check=False,
                                stdin=subprocess.DEVNULL, timeout=files.PATIENCE_S, preexec_fn=limit_descriptors(60))
        self.assertEqual(result.returncode, 1)
        least = re.search(r"nofile\) is 60, and (\d+) is the least for 2 shards", result.stderr)
        self.assertIsNotNone(least, result.stderr)
        proxy = self.start_proxy("--backend=127.0.0.1:1", flags=["--shards=2"],
                                 before=limit_descriptors(int(least.group(1))))
        self.assertEqual(client.fetch(proxy.port).status, 502)

    @unittest.skipIf(files.SANITIZED, "sanitizers want more than a limit leaves")
    def test_too_little_of_something_else(self):
        """Said, with what to set; not a crash."""
        arguments = [*self.listener_flags("require"), "--backend=127.0.0.1:1", *process_flags(), "--shards=1"]
        for limit, value, said in ((resource.RLIMIT_AS, 300 << 20, "the limit of address space is 300 MiB"),
                                   (resource.RLIMIT_AS, 3 << 30, "the limit of address space is 3072 MiB"),
                                   (resource.RLIMIT_STACK, 64 << 10, "the limit of the stack is below 1 MiB")):
            # Root may raise it again, and then it serves.
            process = subprocess.Popen([files.postern(), *arguments], cwd=self.folder, stderr=subprocess.PIPE, text=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       preexec_fn=lambda limit=limit, value=value: resource.setrlimit(limit, (value, value)))
            line = next(line for line in process.stderr if "ready, " in line or "limit" in line and "warning" not in line)
            if "ready, " in line:
                self.assertEqual(limit, resource.RLIMIT_STACK)
                process.terminate()
            else:
                self.assertIn(said, line)
            process.communicate(timeout=files.PATIENCE_S)
            self.assertEqual(process.returncode, 0 if "ready, " in line else 1)

    def limit(self, proxy, count):
        """As if others of the machine had taken the rest."""
        resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (count, count))

    @NEEDS_NO_DESCRIPTOR
    def test_full_descriptor_table(self):
        # An accept of io_uring's that is under way has the limit that there was when it began.
        proxy = self.start_proxy(self.start_backend(), flags=["--admin=127.0.0.1:0", "--io=epoll"])
        self.limit(proxy, 100)
        streams = []
        for _ in range(200):
            streams.append(Stream(client.connect_plain(proxy.port)))
        files.wait_until(lambda: proxy.descriptors() >= 95, "a full table")
        # Others wait in the kernel's queue until there is room again.
        for stream in streams:
            stream.close()

        # Whoever waited is accepted first, and fills the table once more before it is seen to have
        # gone: a request that gets in meanwhile may find no socket for its server.
        def served():
            status = client.fetch(proxy.port).status
            self.assertIn(status, (200, 502, 503))
            return status == 200
        files.wait_until(served, "a good answer")
        files.wait_until(lambda: proxy.descriptors() < 50, "room in the table")
        for _ in range(10):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertIn(" warning no_room for=clients reason=descriptors\n", proxy.errors())
        self.assertGreater(Metrics(proxy.admin_port).get("postern_descriptor_shortages_total"), 0)

    @NEEDS_NO_DESCRIPTOR
    def test_full_descriptor_table_towards_servers(self):
        # Established clients whose requests cannot reach a server get an answer, not silence. One shard: of several, one that
        # has no silent connection of its own to give up for a newcomer gives up an idle one.
        proxy = self.start_proxy(self.start_backend(), flags=["--shards=1"])
        self.limit(proxy, 100)
        streams = []
        plain = []
        # Of TLS 1.2, where the server has the last word: one of 1.3 may be unfinished there, and given up as such.
        tls = client.context(maximum=ssl.TLSVersion.TLSv1_2)
        for _ in range(20):
            streams.append(client.connect(proxy.port, tls))
        for _ in range(100):
            plain.append(Stream(client.connect_plain(proxy.port)))
        files.wait_until(lambda: proxy.descriptors() >= 95, "a full table")
        for stream in streams:
            self.assertIn(client.get(stream).status, (200, 502, 503))
        for stream in plain:
            stream.close()
        files.wait_until(lambda: client.get(streams[0]).status == 200, "a good answer")
        for stream in streams:
            stream.close()

    def full(self, count=10):
        return self.start_proxy(self.start_backend(), flags=[f"--connections_max={count}", "--shards=1", "--admin=127.0.0.1:0"])

    def test_silent_connections_shut_nobody_out(self):
        proxy = self.full(40)
        silent = [Stream(client.connect_plain(proxy.port)) for _ in range(60)]
        for _ in range(40):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        for stream in silent:
            stream.close()

    def test_unfinished_heads_shut_nobody_out(self):
        """A byte makes no request, of whatever protocol."""
        proxy = self.full(40)
        # HEADERS of a stream without END_HEADERS (RFC 9113, 6.2): CONTINUATION has to follow.
        part = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0x82])
        for protocol, begun in (("http/1.1", b"G"), ("h2", part)):
            streams = []
            for _ in range(60):
                streams.append(client.connect(proxy.port, client.context(alpn=[protocol])))
                streams[-1].send(begun)
            for _ in range(20):
                self.assertEqual(client.fetch(proxy.port).status, 200)
            for stream in streams:
                stream.close()

    def test_a_burst_of_silent_connections(self):
        """More at once than the slots for those who are given up: none of them costs a client that has proved itself."""
        proxy = self.full(100)
        streams = [client.connect(proxy.port) for _ in range(100)]
        for stream in streams:
            self.assertEqual(client.get(stream).status, 200)
        proxy.signal(signal.SIGSTOP)
        silent = [Stream(client.connect_plain(proxy.port)) for _ in range(600)]
        proxy.signal(signal.SIGCONT)
        files.wait_until(lambda: client.status(proxy.admin_port)["shards"][0]["connections_accepted"] >= 200,
                         "some of them have come in")
        served = 0
        for stream in streams:
            try:
                served += client.get(stream).status == 200
            except (OSError, Ended):
                pass
        # The first of them may take the place of one.
        self.assertGreaterEqual(served, 99)
        for stream in silent + streams:
            stream.close()

    def test_idle_connections_give_their_place_oldest_first(self):
        proxy = self.full()
        streams = [client.connect(proxy.port) for _ in range(10)]
        for stream in streams[1:] + streams[:1]:
            self.assertEqual(client.get(stream).status, 200)
        with client.connect(proxy.port) as newcomer:
            self.assertEqual(client.get(newcomer).status, 200)
            # The second was the one that had been idle for longest.
            with self.assertRaises((OSError, Ended)):
                client.get(streams[1])
            for stream in streams[:1] + streams[2:]:
                self.assertEqual(client.get(stream).status, 200)
        for stream in streams:
            stream.close()

    def test_requests_under_way_are_not_given_up(self):
        held = threading.Event()
        backend = self.start_backend(lambda _: held.wait(30) and response("done"))
        proxy = self.start_proxy(backend, flags=["--connections_max=5", "--shards=1"])
        streams = [client.connect(proxy.port) for _ in range(5)]
        for stream in streams:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        files.wait_until(lambda: len(backend.requests) == 5, "five requests under way")
        with self.assertRaises((OSError, Ended)):
            client.fetch(proxy.port)
        held.set()
        for stream in streams:
            self.assertEqual(stream.read_response().body, b"done")
            stream.close()

    def test_requests_in_pieces_are_not_given_up(self):
        """HEADERS that came in two records, or half of them behind a request: what counts is what is there now."""
        held = threading.Event()
        self.addCleanup(held.set)
        backend = self.start_backend(lambda request: ("/slow" in request.start and held.wait(30) and None) or response("done"))
        proxy = self.start_proxy(backend, flags=["--connections_max=5", "--shards=1"])
        whole = http2.Connection(proxy.port)
        self.addCleanup(whole.close)
        pieces = [b"\x82\x87", bytes([4, 5]) + b"/slow", b"\x01\x09localhost"]
        whole.send(http2.HEADERS, http2.END_STREAM, 1, pieces[0])
        whole.send(9, 0, 1, pieces[1])  # CONTINUATION
        whole.send(9, http2.END_HEADERS, 1, pieces[2])
        files.wait_until(lambda: len(backend.requests) == 1, "the request")
        halves = []
        for _ in range(4):
            half = http2.Connection(proxy.port)
            self.addCleanup(half.close)
            self.assertEqual(half.body(half.get()), b"done")
            half.send(http2.HEADERS, http2.END_STREAM, 3, pieces[0])
            halves.append(half)
        for _ in range(10):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        held.set()
        self.assertEqual(whole.body(1), b"done")

    def test_half_open_handshakes(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--handshake_timeout=60s"])
        with descriptors(5000) as count:
            self.assertGreaterEqual(count, 500)
            socks = []
            try:
                for i in range(count):
                    sock = client.connect_plain(proxy.port)
                    socks.append(sock)
                    if i % 2 == 0:
                        sock.sendall(b"\x16\x03\x01\x02\x00\x01")
                    if i % 500 == 499:
                        self.assertEqual(client.fetch(proxy.port).status, 200)
                files.wait_until(lambda: proxy.descriptors() > count, "all of them accepted")
                for _ in range(20):
                    self.assertEqual(client.fetch(proxy.port).status, 200)
            finally:
                for sock in socks:
                    sock.close()
        files.wait_until(lambda: proxy.descriptors() < 200, "all of them closed")
        self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_server_killed(self):
        """kill -9 of a server process in the middle of a response; another one takes its place on the same port."""
        program = ("import socket,sys\n"
                   "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
                   "print(s.getsockname()[1], flush=True)\n"
                   "while True:\n"
                   "    c, _ = s.accept()\n"
                   "    c.recv(65536)\n"
                   "    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 1000000\\r\\n\\r\\n' + b'a' * 500000)\n")

        def start(port):
            process = subprocess.Popen(["/usr/bin/python3", "-c", program, str(port)], stdout=subprocess.PIPE, text=True)
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            return process, int(process.stdout.readline())

        process, port = start(0)
        proxy = self.start_proxy(f"--backend=victim@127.0.0.1:{port}")
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(stream.read_head().status, 200)
            stream.read_exactly(1000)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            with self.assertRaises(Ended) as caught:
                stream.read_exactly(999_000)
            self.assertFalse(caught.exception.clean)
        self.assertEqual(client.fetch(proxy.port).status, 502)
        start(port)
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(stream.read_head().status, 200)


class OutgrownTest(TrustCase):
    def test_a_reload_that_wants_more(self):
        text = self.config(process="shards: 1")
        path = self.folder / "postern.textproto"
        path.write_text(text, "utf-8")
        proxy = self.run_proxy([f"--config={path}", *process_flags()], before=limit_descriptors(400))
        listener = text[text.index("listeners"):text.index("server_groups")]
        more = "".join(listener.replace('"https"', f'"https {index}"') for index in range(40))
        self.rewrite(proxy, more + text)
        self.assertIn("warning the limit of open files (nofile) is 400, and clients and servers were given their part",
                      proxy.errors())



if __name__ == "__main__":
    unittest.main()
