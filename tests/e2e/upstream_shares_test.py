"""A group whose servers never answer fills what a shard has for requests, and not another group's share of it."""

import socket
import unittest

from lib import client, files, http2
from lib import http2_server as h2
from lib.case import Case

CONNECTIONS_MAX = 20  # of a shard: 40 connections to servers of HTTP/1.1, 80 requests
REQUESTS = 100  # more than there is room for


class SharesTest(Case):
    def start(self, hung_port, protocol):
        good = self.start_backend(name="good")
        groups = "\n".join(
            f'server_groups {{ name: "{name}" servers {{ name: "{name}" host: "127.0.0.1" port: {port} }} '
            f'protocol: "{spoken}" health_check {{ enabled: false }} }}'
            for name, port, spoken in (("hung", hung_port, protocol), ("good", good.port, "http1")))
        return self.start_config(f"""
            connections_max: {CONNECTIONS_MAX}
            listeners {{
              name: "all" address: "127.0.0.1:0" http2_streams_max: {REQUESTS}
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
              hosts {{ host: "hung.test" server_group: "hung" }}
              default_server_group: "good"
            }}
            {groups}""", flags=["--shards=1", "--admin=127.0.0.1:0"])

    def check(self, proxy, full):
        """`full`: of a shard's status, when the hung group has all that it may have."""
        crowd = http2.Connection(proxy.port)
        self.addCleanup(crowd.close)
        for _ in range(REQUESTS):
            crowd.get(authority="hung.test")
        files.wait_until(lambda: full(client.status(proxy.admin_port)["shards"][0]), "all slots but the others'")
        for _ in range(10):
            self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_connections_to_servers(self):
        # What is never accepted is connected all the same, and read by nobody.
        hung = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.addCleanup(hung.close)
        proxy = self.start(hung.getsockname()[1], "http1")
        # A quarter is set aside, half of it for this group.
        self.check(proxy, lambda shard: shard["upstream_open"] == 2 * CONNECTIONS_MAX * 7 // 8)

    def test_requests(self):
        def hang(connection):
            connection.send(h2.settings((h2.MAX_CONCURRENT_STREAMS, REQUESTS)))
            while True:
                connection.read_head()

        hung = self.start_backend(hang, name="hung", kind=h2.Http2Backend)
        proxy = self.start(hung.port, "http2")
        self.check(proxy, lambda shard: shard["memory"]["exchanges"] == 4 * CONNECTIONS_MAX * 7 // 8)


if __name__ == "__main__":
    unittest.main()
