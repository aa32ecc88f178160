"""Health checks, and what the admin server tells."""

import json
import signal
import threading
import unittest

from lib import client, files
from lib.admin import FAST, AdminCase, Checked
from lib.backend import Backend, closed_port, response


class HealthTest(AdminCase):
    def test_goes_and_comes_back(self):
        servers = [Checked(self, name) for name in "ab"]
        proxy = self.start_proxy(*[server.backend for server in servers], flags=[*FAST, "--admin=127.0.0.1:0"])
        files.wait_until(lambda: self.states(proxy) == {"a": "healthy", "b": "healthy"}, "both healthy")
        servers[0].good = False
        files.wait_until(lambda: self.states(proxy) == {"a": "unhealthy", "b": "healthy"}, "a unhealthy")
        before = servers[0].requests
        for _ in range(10):
            self.assertEqual(client.fetch(proxy.port).body, b"b")
        self.assertEqual(servers[0].requests, before)
        servers[0].good = True
        files.wait_until(lambda: self.states(proxy) == {"a": "healthy", "b": "healthy"}, "both healthy again")
        self.assertEqual({client.fetch(proxy.port).body for _ in range(4)}, {b"a", b"b"})

    def test_all_down(self):
        for fail_open, status in [(True, 200), (False, 503)]:
            with self.subTest(fail_open=fail_open):
                server = Checked(self, "a")
                server.good = False
                flags = [*FAST, "--admin=127.0.0.1:0", f"--fail_open={str(fail_open).lower()}"]
                proxy = self.start_proxy(server.backend, flags=flags)
                files.wait_until(lambda proxy=proxy: self.states(proxy) == {"a": "unhealthy"}, "a unhealthy")
                with client.connect(proxy.port) as stream:
                    for _ in range(3):
                        answer = client.get(stream)
                        self.assertEqual((answer.status, answer.closes), (status, False))
                server.good = True
                files.wait_until(lambda proxy=proxy: client.fetch(proxy.port).status == 200, "a served again")

    def test_unreachable_server(self):
        held, port = closed_port()
        self.addCleanup(held.close)
        here = Checked(self, "here")
        proxy = self.start_proxy(f"--backend=gone@127.0.0.1:{port}", here.backend, flags=[*FAST, "--admin=127.0.0.1:0"])
        files.wait_until(lambda: self.states(proxy) == {"gone": "unhealthy", "here": "healthy"}, "gone unhealthy")

    def test_the_request_of_a_check(self):
        requests = []

        def serve(stream):
            requests.append(stream.read_request())
            stream.send(response("x"))

        backend = self.start_backend(serve, kind=Backend)
        flags = [*FAST, "--health_method=GET", "--health_path=/health?x", "--health_host=h.example.test",
                 "--admin=127.0.0.1:0"]
        proxy = self.start_proxy(backend, flags=flags)
        files.wait_until(lambda: self.states(proxy) == {"server": "healthy"}, "healthy")
        self.assertEqual(requests[0].start, "GET /health?x HTTP/1.1")
        self.assertEqual(requests[0].get("Host"), "h.example.test")


class AdminTest(AdminCase):
    def test_pages(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--admin=127.0.0.1:0"])
        self.assertEqual(self.ask(proxy, "/healthz")[0], 200)
        self.assertEqual(self.ask(proxy, "/nothing")[0], 404)
        self.assertEqual(self.ask(proxy, "/status", "POST")[0], 405)
        for _ in range(5):
            client.fetch(proxy.port)
        client.refusal(proxy.port, client.context(None))
        proxy.await_refusals(1)
        status = self.status(proxy)
        self.assertEqual(status["listeners"], [{"name": "default", "address": "127.0.0.1", "port": proxy.port,
                                                "protocol": "https", "client_auth": "require", "tls_hosts": []}])
        server = status["groups"][0]["servers"][0]
        self.assertEqual((server["name"], server["requests"], server["active"]), ("server", 5, 0))
        text = json.dumps(status)
        self.assertIn('"no_certificate": 1', text)
        self.assertEqual(len(status["shards"]), 2)
        self.assertEqual(sum(shard["requests"] for shard in status["shards"]), 5)
        self.assertEqual(sum(shard["handshakes"] for shard in status["shards"]), 5)

    def test_while_draining(self):
        asked, gate = threading.Event(), threading.Event()

        def serve(stream):
            stream.read_request()
            asked.set()
            gate.wait(files.PATIENCE_S)
            stream.send(response("late"))

        backend = self.start_backend(serve, kind=Backend)
        proxy = self.start_proxy(backend, flags=["--admin=127.0.0.1:0", "--drain_timeout=1h"])
        self.addCleanup(gate.set)
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(asked.wait(files.PATIENCE_S))
            proxy.signal(signal.SIGTERM)
            files.wait_until(lambda: self.ask(proxy, "/healthz")[0] == 503, "a status that says so")
            gate.set()
            self.assertEqual(stream.read_response().body, b"late")
        self.assertEqual(proxy.wait(), 0)

    def test_level_of_open_connections(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--admin=127.0.0.1:0"])

        def opened():
            return sum(shard["connections_open"] for shard in self.status(proxy)["shards"])

        streams = [client.connect(proxy.port) for _ in range(10)]
        files.wait_until(lambda: opened() == 10, "10 connections")
        for stream in streams:
            stream.close()
        files.wait_until(lambda: opened() == 0, "none")

    def test_many_askers(self):
        proxy = self.start_proxy(self.start_backend(), flags=["--admin=127.0.0.1:0"])
        codes = []

        def ask():
            for _ in range(20):
                codes.append(self.ask(proxy, "/status")[0])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            self.assertEqual(client.fetch(proxy.port).status, 200)
        for thread in threads:
            thread.join(2 * files.PATIENCE_S)
        self.assertEqual(codes, [200] * 80)


if __name__ == "__main__":
    unittest.main()
