"""--upgrade with a configuration file: several listeners, one that is dropped, and reloads of a successor."""

import os
import signal
import time
import unittest

from lib import client, files
from lib.upgrade import UpgradeCase, alive
from lib.wire import Stream


class ListenersTest(UpgradeCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "postern.textproto"
        self.configure("one", "two")

    def configure(self, *names, server=0, redirect=True):
        """Replaces the file as an editor does."""
        tls = f"""
            certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
            client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }} default_server_group: "g" """
        text = "".join(f'listeners {{ name: "{name}" address: "127.0.0.1:0" {tls} }}\n' for name in names)
        if redirect:
            text += 'listeners { name: "plain" address: "127.0.0.1:0" protocol: "http" redirect_port: 443 }\n'
        backend = self.backends[server]
        text += f"""server_groups {{
            name: "g" servers {{ name: "{backend.name}" host: "127.0.0.1" port: {backend.port} }}
            health_check {{ enabled: false }} }}
            admin {{ address: "127.0.0.1:0" }} access_log: ""
            """
        self.path.with_suffix(".new").write_text(text, "ascii")
        os.replace(self.path.with_suffix(".new"), self.path)

    def arguments(self, *more):
        return [f"--config={self.path}", f"--upgrade_socket={self.door}", f"--error_log={self.log}", "--shards=2",
                "--pin_shards=false", "--drain_timeout=10s", f"--io={os.environ.get('POSTERN_IO', 'auto')}", *more]

    def redirected(self, port):
        with Stream(client.connect_plain(port)) as stream:
            return client.get(stream).status

    def check_all(self, proxy, shards):
        """So many connections that one comes to each socket: to one that nobody accepts from it would hang."""
        one, two, plain = proxy.ports
        for _ in range(16):
            self.assertEqual(client.fetch(one).body, b"a")
            self.assertEqual(client.fetch(two).body, b"a")
            self.assertEqual(self.redirected(plain), 308)
        status = client.status(proxy.admin_port)
        self.assertEqual(len(status["shards"]), shards)
        self.assertEqual([listener["port"] for listener in status["listeners"]], proxy.ports)
        # All of them came to this process, and none to the one before.
        self.assertEqual(sum(shard["connections_accepted"] for shard in status["shards"]), 48)

    def test_several(self):
        proxy = self.start()
        self.check_all(proxy, 2)
        pid = proxy.pid
        for shards in (1, 2):
            before, pid = pid, self.upgrade(f"--shards={shards}")
            if before == proxy.pid:
                self.taken_over(proxy)
            files.wait_until(lambda before=before: not alive(before), "the end of the process before")
            self.check_all(proxy, shards)

    def test_one_that_is_dropped(self):
        """Whoever has come to it before is served: by the running process, whose backlog the others wait in."""
        proxy = self.start()
        one, two, _ = proxy.ports
        accepted = [client.connect_plain(two) for _ in range(8)]
        for raw in accepted:
            self.addCleanup(raw.close)
        self.configure("one")
        command = self.hold_logging()
        # Stopped, it accepts nothing until it is told to let go.
        proxy.signal(signal.SIGSTOP)
        try:
            waiting = [client.connect_plain(two) for _ in range(16)]
            for raw in waiting:
                self.addCleanup(raw.close)
            self.release()
            time.sleep(0.3)  # the successor gets ready: if that takes longer, less is shown
        finally:
            proxy.signal(signal.SIGCONT)
        self.finish(command)
        for raw in accepted + waiting:
            with client.connect(two, raw=raw) as stream:
                self.assertEqual(client.get(stream).status, 200)
        self.taken_over(proxy)
        self.assertEqual(client.fetch(one).status, 200)
        with self.assertRaises(ConnectionRefusedError):
            client.connect_plain(two)

    def test_a_successor_reloads(self):
        """By SIGHUP and by itself; and its own successor, and that one's reloads."""
        proxy = self.start()
        self.assertEqual(client.fetch(proxy.port).body, b"a")
        pid = self.upgrade()
        self.taken_over(proxy)

        def generation():
            return client.status(proxy.admin_port)["reload"]["generation"]
        self.assertEqual(generation(), 1)
        self.configure("one", "two", server=1)
        os.kill(pid, signal.SIGHUP)
        files.wait_until(lambda: generation() == 2, "the reload")
        self.assertEqual(client.fetch(proxy.port).body, b"b")
        # A listener that a reload has added goes on, too.
        self.configure("one", "two", "three", server=1)
        files.wait_until(lambda: generation() == 3, "the reload by itself")
        third = client.status(proxy.admin_port)["listeners"][2]
        self.assertEqual(third["name"], "three")
        self.assertEqual(client.fetch(third["port"]).body, b"b")
        self.upgrade("--shards=1")
        files.wait_until(lambda pid=pid: not alive(pid), "the end of the second process")
        self.assertEqual(generation(), 1)
        self.assertEqual(client.status(proxy.admin_port)["listeners"][2]["port"], third["port"])
        for port in (*proxy.ports[:2], third["port"]):
            self.assertEqual(client.fetch(port).body, b"b")
        self.configure("one", "two", "three")
        files.wait_until(lambda: generation() == 2, "the reload")
        self.assertEqual(client.fetch(third["port"]).body, b"a")


if __name__ == "__main__":
    unittest.main()
