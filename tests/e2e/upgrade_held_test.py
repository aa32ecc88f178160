"""--upgrade with a successor that stands still on its way: at a pipe in place of a file, killed there or let go."""

import os
import signal
import sys
import unittest

from lib import client, files
from lib.admin import Checked
from lib.load import Load, check_nobody_noticed, counts
from lib.upgrade import UpgradeCase


class HeldTest(UpgradeCase):
    def test_killed_at_each_step(self):
        """With more shards: what it has of the sockets, and what it made for the second shard, goes with it."""
        proxy = self.start("--shards=1")
        load = Load(self, proxy.port)
        for hold in (self.hold_reading, self.hold_logging):
            self.await_served(50)
            command = hold("--shards=2")
            self.await_served(100)
            self.assertTrue(self.kill(command))
            self.assertNotEqual(command.returncode, 0)
            self.await_served(50)
        self.assertNotIn("taken over", self.log_text())
        self.upgrade("--shards=2")
        self.await_served(100)
        seen = load.stop()
        print(f"successors killed under load: {counts(seen)}", file=sys.stderr)
        check_nobody_noticed(self, seen)
        self.taken_over(proxy)
        self.assertEqual(len(client.status(proxy.admin_port)["shards"]), 2)

    def test_one_process_checks(self):
        """The running one until the other is ready, and not any more while it drains."""
        server = Checked(self, "a")
        self.backends = [server.backend]
        flags = ["--health_check=true", "--health_interval=1s", "--drain_timeout=60s"]
        proxy = self.start(*flags, "--health_path=/old")
        with client.connect(proxy.port) as stream:
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
            files.wait_until(lambda: sum(shard["memory"]["exchanges"]
                                         for shard in client.status(proxy.admin_port)["shards"]) == 1, "the request")
            command = self.hold_logging(*flags, "--health_path=/new")
            before = server.paths.count("/old")
            files.wait_until(lambda: server.paths.count("/old") >= before + 3, "checks go on")
            self.assertNotIn("/new", server.paths)
            self.release()
            self.finish(command)
            before = server.paths.count("/old")
            files.wait_until(lambda: server.paths.count("/new") >= 4, "checks of the successor")
            # One may have been on its way.
            self.assertLessEqual(server.paths.count("/old"), before + 1)
            self.assertIsNone(proxy.process.poll())
            stream.send("cd")
            self.assertEqual(stream.read_response("POST").status, 200)
        self.taken_over(proxy)


if __name__ == "__main__":
    unittest.main()
