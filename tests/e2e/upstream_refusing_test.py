"""Servers of HTTP/2 that take no request: they cost the shard little, and other groups nothing."""

import unittest

from lib import client, files
from lib.case import Case
from lib import http2_server as h2


def takes_none(connection):
    connection.send(h2.settings((h2.MAX_CONCURRENT_STREAMS, 0)))
    while True:
        connection.send(h2.rst_stream(connection.read_head(), h2.REFUSED_STREAM))


def refuses_all(connection):
    connection.send(h2.settings())
    while True:
        connection.send(h2.rst_stream(connection.read_head(), h2.REFUSED_STREAM))


class RefusingServerTest(Case):
    def start(self, serve):
        """Two groups; the default one is good."""
        self.bad = self.start_backend(serve, name="bad", kind=h2.Http2Backend)
        good = self.start_backend(h2.well_behaved, name="good", kind=h2.Http2Backend)
        groups = "\n".join(
            f'server_groups {{ name: "{b.name}" servers {{ name: "{b.name}" host: "127.0.0.1" port: {b.port} }} '
            'protocol: "http2" health_check { enabled: false } }' for b in (self.bad, good))
        return self.start_config(f"""
            connections_max: 100
            listeners {{
              name: "all" address: "127.0.0.1:0"
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
              hosts {{ host: "bad.example.test" server_group: "bad" }}
              default_server_group: "good"
            }}
            {groups}""", flags=["--shards=1", "--admin=127.0.0.1:0"])

    def check(self, serve):
        proxy = self.start(serve)
        with client.connect(proxy.port) as stream:
            for _ in range(200):
                self.assertIn(client.get(stream, host="bad.example.test").status, (502, 503))
            self.assertEqual(client.get(stream).body, b"served")
        # It is asked now and then, not for each request.
        self.assertLess(self.bad.connections, 100)
        shard = client.status(proxy.admin_port)["shards"][0]
        self.assertLess(shard["upstream_retries"], 200)
        return proxy

    def test_a_server_that_takes_none(self):
        proxy = self.check(takes_none)
        # What may carry nothing is not kept.
        files.wait_until(lambda: client.status(proxy.admin_port)["shards"][0]["upstream_open"] <= 1, "its end")

    def test_a_server_that_refuses_all(self):
        self.check(refuses_all)

    def test_a_server_that_has_changed_its_mind(self):
        asked = []

        def serve(connection):
            connection.send(h2.settings())
            while True:
                stream = connection.read_head()
                asked.append(stream)
                connection.send(h2.answer(stream) if len(asked) > 12 else h2.rst_stream(stream, h2.REFUSED_STREAM))

        proxy = self.start(serve)
        with client.connect(proxy.port) as stream:
            files.wait_until(lambda: client.get(stream, host="bad.example.test").status == 200, "an answer")
            for _ in range(20):
                self.assertEqual(client.get(stream, host="bad.example.test").status, 200)


if __name__ == "__main__":
    unittest.main()
