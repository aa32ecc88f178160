"""Which shard a connection comes to."""

import os
import unittest

from lib import client, files
from lib.case import Case


class SpreadTest(Case):
    def open_by_shard(self, proxy):
        return [shard["connections_open"] for shard in client.status(proxy.admin_port)["shards"]]

    def test_a_shard_with_many_gives_to_one_with_few(self):
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--admin=127.0.0.1:0"])
        kept = []
        self.addCleanup(lambda: [stream.close() for stream in kept])
        # Whoever is served by the second shard goes again: by the hash alone the first would end up with fifty.
        for _ in range(100):
            first = self.open_by_shard(proxy)[0]
            stream = client.connect(proxy.port)
            self.assertEqual(client.get(stream).status, 200)
            if self.open_by_shard(proxy)[0] > first:
                kept.append(stream)
            else:
                stream.close()
                files.wait_until(lambda: self.open_by_shard(proxy)[1] == 0, "the connection has ended")
        self.assertLess(self.open_by_shard(proxy)[0], 24)
        for stream in kept:
            self.assertEqual(client.get(stream).status, 200)
        status = client.status(proxy.admin_port)["shards"]
        self.assertGreater(status[0]["connections_handed_off"], 10)
        self.assertEqual(sum(shard["connections_shed"] for shard in status), 0)
        self.assertEqual(proxy.refusals(), [])


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two cores")
class SteerTest(Case):
    def test_a_connection_goes_to_the_shard_on_its_core(self):
        """Over loopback the core that sends handles the packets."""
        backend = self.start_backend()
        proxy = self.start_proxy(backend, flags=["--admin=127.0.0.1:0", "--pin_shards=true", "--steer_by_core"])
        allowed = sorted(os.sched_getaffinity(0))
        self.addCleanup(os.sched_setaffinity, 0, allowed)
        wanted = [0, 0]
        for shard, core in [(0, allowed[0]), (1, allowed[1]), (1, allowed[1]), (0, allowed[0])]:
            os.sched_setaffinity(0, {core})
            for _ in range(8):
                self.assertEqual(client.fetch(proxy.port).status, 200)
                wanted[shard] += 1
            status = client.status(proxy.admin_port)["shards"]
            self.assertEqual([one["connections_accepted"] for one in status], wanted)


if __name__ == "__main__":
    unittest.main()
