"""Reload and drain while tools/load asks; the counts are in the test's output. (An upgrade: upgrade_test.)"""

import os
import signal
import sys
import time
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case
from lib.load import Load, check_nobody_noticed, counts

SECONDS = 5 if not files.SANITIZED else 8


class UnderLoadTest(Case):
    def await_requests(self, backends, count):
        """Waits until the servers have had so many, and returns how many."""
        def had():
            return sum(len(backend.requests) for backend in backends)
        files.wait_until(lambda: had() >= count, f"{count} requests")
        return had()

    def test_reloads(self):
        """Other servers, other policies, ten times: nobody notices, and sessions go on."""
        backends = [self.start_backend(lambda request, name=name: response(name), name=name) for name in ("a", "b")]

        def config(number):
            servers = "\n".join(f'servers {{ name: "{b.name}" host: "127.0.0.1" port: {b.port} weight: {number + 1} }}'
                                for b in backends)
            return f"""
                listeners {{
                  name: "l" address: "127.0.0.1:0" header_timeout_ms: {10000 + number}
                  certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
                  client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
                  default_server_group: "g"
                }}
                server_groups {{ name: "g" {servers} health_check {{ enabled: false }} }}
                admin {{ address: "127.0.0.1:0" }} access_log: ""
                """

        proxy = self.start_config(config(0))
        load = Load(self, proxy.port)
        served = 0
        for number in range(1, 11):
            served = self.await_requests(backends, served + 50)
            path = self.folder / "postern.textproto"
            path.with_suffix(".new").write_text(config(number), "ascii")
            os.replace(path.with_suffix(".new"), path)
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda: client.status(proxy.admin_port)["reload"]["generation"] == number + 1, "the reload")
        self.await_requests(backends, served + 100)
        seen = load.stop()
        print(f"ten reloads under load: {counts(seen)}", file=sys.stderr)
        check_nobody_noticed(self, seen)

    def test_drain(self):
        """What had come is answered; who comes later finds nobody. No request is lost in between."""
        backend = self.start_backend(lambda request: response(b"x"))
        proxy = self.start_proxy(backend, flags=["--access_log="])
        # So few that each is used within the second in which a drain leaves quiet ones alone: who asks at the very moment at
        # which one is ended for its silence has to ask again, of whatever server (RFC 9112, 9.3.1).
        load = Load(self, proxy.port, SECONDS, connections=16)
        time.sleep(SECONDS / 2)
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        seen = load.result()
        print(f"a drain under load: {counts(seen)}", file=sys.stderr)
        self.assertGreater(seen["operations"]["responses"], 0)
        self.assertGreater(seen["operations"]["errors"], 0)
        # Refused by the kernel, all of them.
        self.assertEqual({kind: count for kind, count in seen["failures"].items() if count},
                         {"connect": seen["operations"]["errors"]})


if __name__ == "__main__":
    unittest.main()
