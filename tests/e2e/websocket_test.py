"""WebSockets by HTTP/1.1 Upgrade (RFC 6455) through the gate."""

import signal
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case
from lib.websocket import CLOSE, GOING_AWAY, TEXT, EchoBackend, accept, close_code, frame, read_frame
from lib.wire import Ended

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = f"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"


class WebSocketTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend(kind=EchoBackend)

    def start(self, *flags, **arguments):
        self.proxy = self.start_proxy(self.backend, flags=["--admin=127.0.0.1:0", *flags], **arguments)

    def open(self, fields=UPGRADE):
        stream = client.connect(self.proxy.port)
        self.addCleanup(stream.close)
        stream.send(f"GET /chat HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
        return stream, stream.read_head()

    def open_tunnel(self):
        stream, head = self.open()
        self.assertEqual(head.status, 101)
        return stream

    def echo(self, stream, payload):
        stream.send(frame(payload, masked=True))
        self.assertEqual(read_frame(stream.read_exactly), (TEXT, payload))

    def test_messages_go_both_ways(self):
        self.start()
        stream, head = self.open()
        self.assertEqual(head.status, 101)
        self.assertEqual(head.get("sec-websocket-accept"), accept(KEY))
        self.assertEqual(head.get("sec-websocket-protocol"), "chat")
        self.assertEqual((head.get("upgrade").lower(), head.get("connection").lower()), ("websocket", "upgrade"))
        for size in (0, 1, 125, 126, 1000, 65536, 1_000_000):
            self.echo(stream, b"x" * size)
        request = self.backend.requests[0]
        self.assertEqual((request.get("upgrade"), request.get("connection")), ("websocket", "Upgrade"))
        self.assertEqual(request.all("sec-websocket-key"), [KEY])
        self.assertEqual(request.get("x-forwarded-clientcert-subjectdn"), self.pki.subject("client"))
        stream.send(frame(b"\x03\xe8", CLOSE, masked=True))
        self.assertEqual(read_frame(stream.read_exactly), (CLOSE, b"\x03\xe8"))
        self.assertTrue(stream.ended())
        self.proxy.await_access(r'"GET /chat HTTP/1.1" 101 ')
        self.assertEqual(sum(shard["tunnels"] for shard in client.status(self.proxy.admin_port)["shards"]), 1)

    def test_an_empty_body_is_none(self):
        """Some clients say so: it is answered as what it is, not made a plain request."""
        self.start()
        stream, head = self.open(UPGRADE + "Content-Length: 0\r\n")
        self.assertEqual(head.status, 101)
        self.echo(stream, b"hello")

    def test_a_server_that_ends(self):
        self.start()
        stream = self.open_tunnel()
        self.echo(stream, b"one")
        self.backend.kill_connections()
        with self.assertRaises(Ended):
            stream.read_exactly(1)

    def test_a_client_that_ends(self):
        self.start()
        stream = self.open_tunnel()
        self.echo(stream, b"one")
        stream.close()
        files.wait_until(lambda: self.backend.ended == 1, "the server to see the end")

    def test_a_server_that_refuses(self):
        self.backend.answer = lambda _: response("no", "403 Forbidden")
        self.start()
        stream, head = self.open()
        self.assertEqual(head.status, 403)
        self.assertEqual(stream.read_exactly(2), b"no")
        self.assertTrue(stream.ended())

    def test_answers_that_are_none(self):
        def spoil(change):
            return lambda request: change(EchoBackend.agree(request))

        self.start()
        for name, answer in {
                "another protocol": spoil(lambda head: head.replace(b"WebSocket\r\n", b"other\r\n")),
                "no protocol": spoil(lambda head: head.replace(b"Upgrade: WebSocket\r\n", b"")),
        }.items():
            with self.subTest(name):
                self.backend.answer = answer
                self.assertEqual(self.open()[1].status, 502)

    def test_requests_that_are_none(self):
        # Not taken up: an ordinary request, from which the upgrade is removed.
        self.backend.answer = lambda _: response("plain")
        self.start()
        for name, fields in {
                "another protocol": UPGRADE.replace("websocket", "h2c"),
                "not asked for": UPGRADE.replace("keep-alive, Upgrade", "keep-alive"),
                "nothing to upgrade to": UPGRADE.replace("Upgrade: websocket\r\n", ""),
        }.items():
            with self.subTest(name):
                stream, head = self.open(fields)
                self.assertEqual(head.status, 200)
                self.assertEqual(stream.read_exactly(5), b"plain")
                self.assertIsNone(self.backend.requests[-1].get("upgrade"))
                self.assertEqual(client.get(stream).status, 200)
        self.assertEqual(self.open(UPGRADE.replace(f"Sec-WebSocket-Key: {KEY}\r\n", ""))[1].status, 400)

    def test_an_upgrade_that_nobody_asked_for(self):
        self.start()
        self.assertEqual(client.fetch(self.proxy.port).status, 502)

    def test_silence(self):
        self.start("--tunnel_timeout=500ms")
        stream = self.open_tunnel()
        for _ in range(3):
            self.echo(stream, b"still here")
        self.assertTrue(stream.ended())
        files.wait_until(lambda: self.backend.ended == 1, "the server to see the end")

    def test_drain_says_goodbye(self):
        self.start()
        idle, busy = self.open_tunnel(), self.open_tunnel()
        busy.send(frame(b"part", masked=True))
        half = busy.read_exactly(500)
        self.proxy.signal(signal.SIGTERM)
        opcode, payload = read_frame(idle.read_exactly)
        self.assertEqual((opcode, close_code(payload)), (CLOSE, GOING_AWAY))
        idle.send(frame(payload, CLOSE, masked=True))
        self.assertTrue(idle.ended())
        # In the middle of a message the rest of it comes first.
        busy.send(frame(b"go on", masked=True))
        rest = half + busy.read_exactly(504)
        self.assertEqual(rest, frame(b"x" * 1000))
        opcode, payload = read_frame(busy.read_exactly)
        self.assertEqual((opcode, close_code(payload)), (CLOSE, GOING_AWAY))
        # A client that does not answer is not waited for.
        self.assertTrue(busy.ended())
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(self.backend.closes, [GOING_AWAY])


if __name__ == "__main__":
    unittest.main()
