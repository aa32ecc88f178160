"""What a successor has of the process that it replaces, besides its connections."""

import http.client
import os
import pathlib
import re
import socket
import unittest

from lib import client, files
from lib.admin import command
from lib.upgrade import UpgradeCase


def listening(port):
    """How many sockets listen on this port of 127.0.0.1."""
    lines = pathlib.Path("/proc/net/tcp").read_text("ascii").splitlines()
    return sum(line.split()[1] == f"0100007F:{port:04X}" and line.split()[3] == "0A" for line in lines[1:])


class InheritanceTest(UpgradeCase):
    def test_tickets_and_the_admin_address_and_living_connections(self):
        proxy = self.start()
        tls = client.context()
        with client.connect(proxy.port, tls) as stream:
            client.get(stream)
            session = stream.sock.session
            self.assertEqual(client.status(proxy.admin_port)["shards"][0]["generation"], 1)
            self.upgrade()
            # It was busy a moment ago: it is told with its next response.
            answer = client.get(stream)
            self.assertEqual((answer.status, answer.closes), (200, True))
        self.taken_over(proxy)
        raw = client.connect_plain(proxy.port)
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as resumed:
            resumed.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(resumed.recv(4096).startswith(b"HTTP/1.1 200 "))
            self.assertTrue(resumed.session_reused)
        status = client.status(proxy.admin_port)
        self.assertEqual(sum(shard["requests"] for shard in status["shards"]), 1)

    def test_health_goes_on(self):
        gone = socket.create_server(("127.0.0.1", 0))
        port = gone.getsockname()[1]
        gone.close()
        checks = ["--health_check=true", "--health_interval=1s", "--unhealthy_threshold=2", f"--backend=gone@127.0.0.1:{port}"]
        proxy = self.start(*checks)

        def states():
            return {server["name"]: (server["state"], server["since_ms"])
                    for group in client.status(proxy.admin_port)["groups"] for server in group["servers"]}

        files.wait_until(lambda: {name: state for name, (state, _) in states().items()}
                         == {"a": "healthy", "b": "healthy", "gone": "unhealthy"}, "checks")
        before = states()
        self.upgrade(*checks)
        self.taken_over(proxy)
        self.assertEqual(states(), before)

    def test_drained_servers_stay_drained(self):
        proxy = self.start("--admin_write")

        def answers():
            return {client.fetch(proxy.port).body for _ in range(8)}
        self.assertEqual(command(proxy, "/servers/drain?group=default&server=a"), 200)
        self.assertEqual(answers(), {b"b"})
        self.upgrade("--admin_write")
        self.taken_over(proxy)
        self.assertEqual(answers(), {b"b"})
        self.assertEqual(command(proxy, "/servers/undrain?group=default&server=a"), 200)
        self.assertEqual(answers(), {b"a", b"b"})

    def test_the_metrics_address_goes_on(self):
        proxy = self.start("--metrics_address=127.0.0.1:0")
        port = int(re.search(r"metrics http://127\.0\.0\.1:(\d+)/metrics", proxy.errors()).group(1))

        def ask(path):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=files.PATIENCE_S)
            self.addCleanup(connection.close)
            connection.request("GET", path, headers={"Host": "postern.example"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        for _ in range(2):
            self.assertEqual(ask("/healthz"), (200, b"ok\n"))
            self.assertIn(b"postern_requests_total", ask("/metrics")[1])
            self.assertEqual(ask("/status")[0], 404)
            self.assertEqual(ask("/")[0], 404)
            if proxy.process.poll() is None:
                client.fetch(proxy.port)
                self.upgrade("--metrics_address=127.0.0.1:0")
                self.taken_over(proxy)

    def test_more_shards_have_no_more_sockets(self):
        """A further socket would take connections from the moment on that it listens, whatever becomes of its process."""
        proxy = self.start("--shards=1")
        self.assertEqual(listening(proxy.port), 1)
        self.upgrade("--shards=2")
        self.taken_over(proxy)
        self.assertEqual(listening(proxy.port), 1)
        streams = [client.connect(proxy.port) for _ in range(64)]
        for stream in streams:
            self.addCleanup(stream.close)
            self.assertEqual(client.get(stream).status, 200)
        # Both accept from it, and a shard that has many more gives some away.
        shards = client.status(proxy.admin_port)["shards"]
        self.assertEqual(sum(shard["connections_open"] for shard in shards), 64)
        self.assertGreater(min(shard["connections_open"] for shard in shards), 15)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two cores")
    def test_steering_is_the_successors(self):
        proxy = self.start("--pin_shards=true")
        allowed = sorted(os.sched_getaffinity(0))
        self.addCleanup(os.sched_setaffinity, 0, allowed)

        def accepted():
            return [shard["connections_accepted"] for shard in client.status(proxy.admin_port)["shards"]]

        def come(core, count):
            os.sched_setaffinity(0, {allowed[core]})
            for _ in range(count):
                self.assertEqual(client.fetch(proxy.port).status, 200)
        self.upgrade("--pin_shards=true", "--steer_by_core")
        self.taken_over(proxy)
        come(0, 12)
        come(1, 24)
        self.assertEqual(accepted(), [12, 24])
        # And not any more when nobody wants it: of 24 the hash sends some to the other shard.
        os.sched_setaffinity(0, allowed)
        self.upgrade("--pin_shards=true")
        files.wait_until(lambda: accepted() == [0, 0], "the second successor")
        come(1, 24)
        self.assertGreater(accepted()[0], 0)


if __name__ == "__main__":
    unittest.main()
