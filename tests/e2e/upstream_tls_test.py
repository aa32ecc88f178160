"""TLS to the servers: who is believed, what they are shown, what is resumed, and what it looks like when it fails."""

import socket
import ssl
import threading
import unittest

from lib import client, files
from lib.backend import Backend, response
from lib.case import Case
from lib.tls_backend import TlsBackend


class UpstreamTlsTest(Case):
    def start_server(self, certificate="server", client_ca=None, **limits):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pki.chain(certificate), self.pki.key(certificate))
        if client_ca is not None:
            context.load_verify_locations(self.pki.certificate(client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
        for name, value in limits.items():
            setattr(context, name, value)
        self.server = TlsBackend(lambda request: response(request.target), context=context)
        self.addCleanup(self.server.stop)

    def start(self, *flags, ca="root"):
        believe = [f"--upstream_ca={self.pki.certificate(ca)}"] if ca else []
        self.proxy = self.start_proxy(self.server, flags=["--upstream_tls", *believe, "--admin=127.0.0.1:0", "--shards=1",
                                                          *flags])

    def status(self):
        return client.status(self.proxy.admin_port)["shards"][0]

    def expect_refused(self, reason):
        self.assertEqual(client.fetch(self.proxy.port).status, 502)
        files.wait_until(lambda: f"server_refused group=default server=server reason={reason}" in self.proxy.errors(),
                         f"the line about {reason}")
        self.assertEqual(self.server.requests, [])

    def test_the_right_server(self):
        for limits in ({}, {"maximum_version": ssl.TLSVersion.TLSv1_2}):
            with self.subTest(limits):
                self.start_server(**limits)
                self.start()
                large = bytes(range(256)) * 4096
                self.server.respond = lambda request: response(request.body or b"none")
                with client.connect(self.proxy.port) as stream:
                    for _ in range(3):
                        self.assertEqual(client.get(stream).body, b"none")
                    stream.send(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(large)}\r\n\r\n".encode()
                                + large)
                    self.assertEqual(stream.read_response().body, large)
                status = self.status()
                self.assertEqual((status["upstream_connects"], status["upstream_handshakes"]), (1, 1))

    def test_names(self):
        self.start_server()
        # By its address, and without SNI then (RFC 6066, 3).
        self.start()
        self.assertEqual(client.fetch(self.proxy.port).status, 200)
        self.assertEqual(self.server.names, [None])
        self.start("--upstream_server_name=any.example.test")
        self.assertEqual(client.fetch(self.proxy.port).status, 200)
        self.assertEqual(self.server.names[-1], "any.example.test")

    def test_the_wrong_server(self):
        self.pki.make("server_expired", "server", "root", "--ip=127.0.0.1", "--not_before=-2d", "--not_after=-1d")
        for reason, certificate, flags, ca in (
                ("unknown_ca", "server", [], "other"), ("wrong_purpose", "client", [], "root"),
                ("wrong_name", "server", ["--upstream_server_name=another.test"], "root"),
                ("expired", "server_expired", [], "root")):
            with self.subTest(reason):
                self.start_server(certificate)
                self.start(*flags, ca=ca)
                self.expect_refused(reason)
                self.assertEqual(self.status()["upstream_refusals"], {reason: 3})  # on as many connections

    def test_unverified_only_by_explicit_choice(self):
        self.start_server("client_expired")
        self.start("--noupstream_verify", ca=None)
        self.assertEqual(client.fetch(self.proxy.port).status, 200)
        self.assertIn("group 'default', tls: verify is off", self.proxy.errors())

    def test_own_certificate(self):
        self.start_server(client_ca="root")
        self.start(f"--upstream_cert={self.pki.chain('client')}", f"--upstream_key={self.pki.key('client')}")
        self.assertEqual(client.fetch(self.proxy.port).status, 200)
        self.assertIn((("commonName", "device 7"),), self.server.peers[0]["subject"])

    def test_a_server_that_refuses_us(self):
        self.start_server(client_ca="root", maximum_version=ssl.TLSVersion.TLSv1_2)
        self.start()
        self.expect_refused("peer_alert")

    def test_resumption(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                self.start_server(maximum_version=version, minimum_version=version)
                self.server.respond = lambda request: response(b"x", fields="Connection: close\r\n")
                self.start()
                for _ in range(4):
                    self.assertEqual(client.fetch(self.proxy.port).status, 200)
                self.assertEqual(self.server.resumed, [False, True, True, True])
                self.assertEqual(self.status()["upstream_resumptions"], 3)

    def test_an_end_without_goodbye_is_no_end(self):
        # RFC 8446, 6.1: somebody else may have cut it off. With a length the end is where the length says.
        self.start_server()
        half = threading.Event()

        def respond(_):
            half.set()
            return b"HTTP/1.1 200 OK\r\n\r\nhalf of it"

        self.server.respond = respond
        self.start()
        with client.connect(self.proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(stream.read_head().status, 200)
            self.assertTrue(half.wait(files.PATIENCE_S))
            self.server.kill_connections()
            with self.assertRaises(Exception):
                while stream.receive():
                    pass

    def test_a_server_without_tls(self):
        self.server = Backend(lambda stream: stream.send("HTTP/1.1 400 Bad Request\r\n\r\n"))
        self.addCleanup(self.server.stop)
        self.start()
        self.assertEqual(client.fetch(self.proxy.port).status, 502)
        files.wait_until(lambda: "server_refused group=default server=server reason=" in self.proxy.errors(),
                         "the line in the log")

    def test_a_server_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.proxy = self.start_proxy(
                f"--backend=silent@127.0.0.1:{silent.getsockname()[1]}",
                flags=["--upstream_tls", f"--upstream_ca={self.pki.certificate('root')}", "--connect_timeout=300ms"])
            self.assertEqual(client.fetch(self.proxy.port).status, 504)

    def check_health(self, *flags):
        self.proxy = self.start_proxy(self.server, flags=[
            "--upstream_tls", f"--upstream_ca={self.pki.certificate('root')}", "--health_check=true",
            "--health_interval=1s", "--healthy_threshold=2", "--unhealthy_threshold=2", "--fail_open=false",
            "--admin=127.0.0.1:0", *flags])

    def health(self):
        return client.status(self.proxy.admin_port)["groups"][0]["servers"][0]

    def await_health(self, state):
        files.wait_until(lambda: self.health()["state"] == state, f"a server that is {state}")

    def test_health_checks(self):
        for flags in (["--health_check_protocol=tcp"], ["--health_check_protocol=http"]):
            with self.subTest(flags):
                self.start_server()
                self.check_health(*flags)
                self.await_health("healthy")
                self.assertEqual(client.fetch(self.proxy.port).status, 200)
                self.assertEqual(any(request.method == "HEAD" for request in self.server.requests),
                                 flags[0].endswith("http"))
                self.server.stop_listening()
                self.await_health("unhealthy")
                self.assertEqual(client.fetch(self.proxy.port).status, 503)

    def test_a_check_believes_no_stranger(self):
        self.start_server("client")
        self.check_health("--health_check_protocol=http")
        self.await_health("unhealthy")
        self.assertEqual(self.health()["last_error"], "tls")


if __name__ == "__main__":
    unittest.main()
