"""What stands when a successor takes over: streams of HTTP/2, WebSockets, and the trust in a client that is revoked."""

import signal
import threading
import time
import unittest

from lib import client, files, http2
from lib.backend import response
from lib.load import Load, check_nobody_noticed
from lib.trust import VERSIONS, TrustCase, Visitor
from lib.upgrade import UpgradeCase
from lib.websocket import CLOSE, GOING_AWAY, TEXT, EchoBackend, close_code, frame, read_frame
from lib.wire import Ended


def hold_answers(case):
    """The servers answer when told: (released once for each request, set to let them answer)."""
    asked, answer = threading.Semaphore(0), threading.Event()
    case.addCleanup(answer.set)

    def respond(_):
        asked.release()
        answer.wait(files.PATIENCE_S)
        return response(b"slow")
    for backend in case.backends:
        backend.respond = respond
    return asked, answer


class Http2Test(UpgradeCase):
    def test_streams_under_way(self):
        asked, answer = hold_answers(self)
        proxy = self.start()
        connection = http2.Connection(proxy.port)
        self.addCleanup(connection.close)
        streams = [connection.get() for _ in range(4)]
        for _ in streams:
            self.assertTrue(asked.acquire(timeout=files.PATIENCE_S))
        self.upgrade()
        # First a warning that names no stream, then which one is the last (RFC 9113, 6.8).
        self.assertEqual(connection.await_goaway(), (2**31 - 1, http2.NO_ERROR))
        # Whoever did not hear of the warning in time is served as well.
        late = connection.get()
        last, why = connection.await_goaway()
        self.assertEqual(why, http2.NO_ERROR)
        self.assertIn(last, (streams[-1], late))
        answer.set()
        for number in range(streams[0], last + 1, 2):
            self.assertEqual(connection.body(number), b"slow")
        self.assertTrue(connection.stream.ended())
        self.taken_over(proxy)
        again = http2.Connection(proxy.port)
        self.addCleanup(again.close)
        self.assertEqual(again.body(again.get()), b"slow")
        self.assertEqual(sum(shard["requests"] for shard in client.status(proxy.admin_port)["shards"]), 1)

    def test_who_is_slow_to_hear(self):
        """A request that leaves before its client has read the warning is served, however late that is."""
        proxy = self.start()
        connection = http2.Connection(proxy.port)
        self.addCleanup(connection.close)
        connection.body(connection.get())
        self.upgrade()
        time.sleep(1.2)  # longer than the grace that follows the client's answer to the warning
        late = connection.get()
        connection.body(late)
        while (last := connection.await_goaway()[0]) == 2**31 - 1:
            pass
        self.assertEqual(last, late)
        self.assertTrue(connection.stream.ended())
        self.taken_over(proxy)

    def test_under_load(self):
        proxy = self.start()
        load = Load(self, proxy.port, 600, "--http=2", "--streams=5")
        for shards in (1, 2):
            self.await_served(100)
            self.upgrade(f"--shards={shards}")
        self.await_served(100)
        check_nobody_noticed(self, load.stop())
        self.taken_over(proxy)


class WebSocketTest(UpgradeCase):
    def open(self, proxy):
        stream = client.connect(proxy.port)
        self.addCleanup(stream.close)
        stream.send("GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        self.assertEqual(stream.read_head().status, 101)
        return stream

    def echo(self, stream, payload):
        stream.send(frame(payload, masked=True))
        self.assertEqual(read_frame(stream.read_exactly), (TEXT, payload))

    def test_messages_under_way(self):
        """As when the process is stopped: a message comes to its end, then it is told that this side goes away."""
        self.backends = [self.start_backend(kind=EchoBackend)]
        proxy = self.start("--drain_timeout=60s")
        idle, busy = self.open(proxy), self.open(proxy)
        self.echo(idle, b"one")
        busy.send(frame(b"part", masked=True))
        half = busy.read_exactly(500)
        self.upgrade()
        opcode, payload = read_frame(idle.read_exactly)
        self.assertEqual((opcode, close_code(payload)), (CLOSE, GOING_AWAY))
        idle.send(frame(payload, CLOSE, masked=True))
        self.assertTrue(idle.ended())
        self.assertIsNone(proxy.process.poll())
        # The client comes back: to the successor.
        self.await_let_go(proxy)
        again = self.open(proxy)
        self.echo(again, b"two")
        self.assertEqual(sum(shard["tunnels"] for shard in client.status(proxy.admin_port)["shards"]), 1)
        busy.send(frame(b"go on", masked=True))
        self.assertEqual(half + busy.read_exactly(504), frame(b"x" * 1000))
        opcode, payload = read_frame(busy.read_exactly)
        self.assertEqual((opcode, close_code(payload)), (CLOSE, GOING_AWAY))
        busy.send(frame(payload, CLOSE, masked=True))
        self.assertTrue(busy.ended())
        self.taken_over(proxy)
        self.echo(again, b"three")

    def test_a_message_without_end(self):
        """Its connection is cut at the drain's time-out, and not before."""
        self.backends = [self.start_backend(kind=EchoBackend)]
        proxy = self.start("--drain_timeout=2s")
        stream = self.open(proxy)
        stream.send(frame(b"part", masked=True))
        stream.read_exactly(500)
        began = time.monotonic()
        self.upgrade()
        self.taken_over(proxy)
        self.assertGreater(time.monotonic() - began, 2)


class RevocationTest(UpgradeCase, TrustCase):
    def setUp(self):
        super().setUp()
        self.flags = [f"--client_crl={self.crl('root')}"]

    def check_refused(self, proxy, visitors):
        for visitor in visitors:
            self.assertIsNotNone(visitor.session)
            self.assertIn("certificate revoked", visitor.visit(proxy.port).alert or "served")
        # Not only the full handshake that follows: the ticket was opened, and its client was looked up.
        self.assertEqual(self.tickets(proxy, "revoked"), len(visitors))
        for visitor in visitors:
            self.assertIn("certificate revoked", visitor.visit(proxy.port, resume=False).alert or "served")

    def visitors(self, proxy):
        visitors = [Visitor("client", version) for version in VERSIONS]
        for visitor in visitors:
            self.assertTrue(visitor.visit(proxy.port).served)
        return visitors

    def test_before(self):
        """The running process may not have read the list yet; its successor has."""
        proxy = self.start(*self.flags)
        visitors = self.visitors(proxy)
        self.crl("root", "client")
        self.upgrade(*self.flags)
        self.await_let_go(proxy)
        self.check_refused(proxy, visitors)
        self.taken_over(proxy)

    def test_after(self):
        proxy = self.start(*self.flags)
        visitors = self.visitors(proxy)
        self.upgrade(*self.flags)
        self.taken_over(proxy)
        for visitor in visitors:
            visit = visitor.visit(proxy.port)
            self.assertTrue(visit.served and visit.resumed, visit.alert)
        self.crl("root", "client")
        files.wait_until(lambda: self.status(proxy)["reload"]["generation"] == 2, "the reload")
        self.check_refused(proxy, visitors)

    def check_while_draining(self, drain):
        """Revokes one of two clients whose requests are under way in a process that drains."""
        asked, answer = hold_answers(self)
        proxy = self.start(*self.flags, "--revocation_grace=200ms", "--drain_timeout=60s")
        streams = {}
        for name in ("client", "client_rsa"):
            streams[name] = Visitor(name, VERSIONS[1]).open(proxy.port)
            self.addCleanup(streams[name].close)
            streams[name].send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(asked.acquire(timeout=files.PATIENCE_S))
        drain(proxy)
        self.crl("root", "client")
        # Cut after the time of grace, long before the server answers.
        with self.assertRaises((Ended, OSError)):
            streams["client"].read_response()
        self.assertIsNone(proxy.process.poll())
        answer.set()
        self.assertEqual(streams["client_rsa"].read_response().body, b"slow")
        self.assertIn(" trust_lost ", self.log.read_text("utf-8"))
        return proxy

    def test_in_the_process_that_was_replaced(self):
        def drain(proxy):
            self.upgrade(*self.flags)
            self.await_let_go(proxy)
        self.taken_over(self.check_while_draining(drain))

    def test_in_a_process_that_drains(self):
        def drain(proxy):
            proxy.signal(signal.SIGTERM)
            files.wait_until(lambda: "draining for at most" in self.log.read_text("utf-8"), "the drain")
        self.assertEqual(self.check_while_draining(drain).wait(), 0)


if __name__ == "__main__":
    unittest.main()
