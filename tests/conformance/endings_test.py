"""How connections end by the proxy's own decision (RFC 9113, 6.8: GOAWAY), and what must not end them."""

import signal
import time
import unittest

from lib import client, files
from lib.backend import response
from lib.trust import TrustCase
from wire2 import frames
from wire2.case import PAGE, ConformanceCase

ANNOUNCED = (0x7fffffff, frames.NO_ERROR)


class EndingsTest(ConformanceCase):
    def setUp(self):
        super().setUp()
        if self.backend is None:
            self.skipTest("needs flags of its own")

    def start(self, *flags):
        self.proxy = self.start_proxy(self.backend, client_auth="off", flags=["--admin=127.0.0.1:0", *flags])

    def total(self, name):
        return sum(shard[name] for shard in client.status(self.proxy.admin_port)["shards"])

    def expect_two_goaways(self, connection, last_stream):
        """First the announcement, which lets requests on their way count, then the last stream that was taken."""
        connection.wait_for(lambda: connection.closed, "the end of the connection")
        self.assertEqual(connection.goaways, [ANNOUNCED, (last_stream, frames.NO_ERROR)])

    def test_pings_do_not_keep_an_idle_connection(self):
        self.start("--idle_timeout=1s")
        connection = self.connect()
        connection.expect_response(connection.request())
        for _ in range(100):
            if connection.goaways:
                break
            connection.send(frames.ping(b"still up"))
            pongs = len(connection.pongs)
            connection.wait_for(lambda pongs=pongs: connection.goaways or len(connection.pongs) > pongs, "the answer")
            time.sleep(0.2)
        self.assertTrue(connection.goaways, "twenty seconds of PING kept the connection")
        self.expect_two_goaways(connection, 1)

    def test_a_malformed_request_is_no_unfinished_head(self):
        self.start("--header_timeout=300ms")
        connection = self.connect()
        held = connection.open_request()
        connection.expect_malformed(connection.send_fields(connection.fields(("connection", "close"))))
        time.sleep(1)
        connection.expect_connection_open()
        connection.send(*connection.data_frames(held, b"body"))
        connection.expect_response(held)

    def test_an_unfinished_head_is(self):
        self.start("--header_timeout=300ms")
        connection = self.connect()
        connection.send(frames.headers(1, connection.block(), end_headers=False))
        connection.wait_for(lambda: connection.closed, "the end of the connection")

    def test_idle_connections_end_without_a_busy_loop(self):
        self.start("--idle_timeout=300ms")
        connection = self.connect()
        connection.expect_connection_open()
        before = self.total("turns")
        self.expect_two_goaways(connection, 0)
        self.assertLess(self.total("turns") - before, 100)

    def test_last_request(self):
        self.start("--max_requests_per_connection=2")
        connection = self.connect()
        streams = [connection.request() for _ in range(2)]
        for stream in streams:
            connection.expect_response(stream)
        self.expect_two_goaways(connection, streams[-1])

    def test_age(self):
        self.start("--max_connection_age=300ms")
        self.expect_two_goaways(self.connect(), 0)

    def test_drain_finishes_what_is_under_way(self):
        self.start()
        connection = self.connect()
        held = connection.open_request()
        connection.expect_connection_open()
        self.proxy.signal(signal.SIGTERM)
        connection.wait_for(lambda: connection.goaways == [ANNOUNCED], "the announcement")
        late = connection.request()  # it was on its way
        connection.expect_response(late)
        connection.send(*connection.data_frames(held, b"body"))
        connection.expect_response(held)
        self.expect_two_goaways(connection, late)
        self.assertEqual(self.proxy.wait(), 0)


class RevokedTest(ConformanceCase, TrustCase):
    """A client that is revoked loses its HTTP/2 connection, and no request of it is forwarded afterwards."""

    def tls_context(self, alpn):
        return client.context(alpn=alpn)

    def test_revoked(self):
        if self.backend is None:
            self.skipTest("needs a configuration of its own")
        self.backend.respond = lambda _: response(PAGE)
        path = self.crl("root")
        self.proxy = TrustCase.start(self, client_auth=f'mode: "require" ca_files: "{self.pki.certificate("root")}" '
                                                       f'crl_files: "{path}"')
        connection = self.connect()
        connection.expect_response(connection.request())
        before = len(self.backend.requests)
        self.crl("root", "client")
        connection.wait_for(lambda: connection.closed, "the end of the connection")
        self.assertEqual(connection.goaways, [(1, frames.NO_ERROR)])
        self.assertEqual(len(self.backend.requests), before)
        files.wait_until(lambda: "reason=revoked" in self.proxy.errors(), "the line in the error log")


if __name__ == "__main__":
    unittest.main()
