"""More generations that live at once than a shard can tell of in one breath."""

import signal
import unittest

from lib import client, files
from lib.trust import TrustCase

RELOADS = 80


class GenerationsTest(TrustCase):
    def configure(self, number):
        """Other servers each time: a request under way keeps those that it has begun with."""
        return self.config(client_auth='mode: "off"').replace('name: "server"', f'name: "server{number}"')

    def test_all_of_them_end_at_once(self):
        proxy = self.start_config(self.configure(0), flags=["--shards=1"])
        for number in range(RELOADS):
            stream = client.connect(proxy.port)
            self.addCleanup(stream.close)
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
            files.wait_until(lambda: client.status(proxy.admin_port)["shards"][0]["memory"]["exchanges"] == number + 1,
                             "the request")
            self.rewrite(proxy, self.configure(number + 1))
        proxy.signal(signal.SIGTERM)
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)


if __name__ == "__main__":
    unittest.main()
