"""/metrics: requests, handshakes and shards counted, and every family as docs/METRICS.md has it."""

import signal
import ssl
import time
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case
from lib.metrics import Metrics, documented


class MetricsTest(Case):
    def start(self, flags=()):
        one = self.start_backend(lambda request: response(b"one"), name="one")
        two = self.start_backend(lambda request: response(b"two", status="503 Service Unavailable"), name="two")
        groups = "\n".join(
            f'server_groups {{ name: "{b.name}" servers {{ name: "{b.name}1" host: "127.0.0.1" port: {b.port} }} '
            "health_check { enabled: false } }" for b in (one, two))
        return self.start_config(f"""
            listeners {{
              name: "pub\\"lic" address: "127.0.0.1:0"
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}
              hosts {{ host: "two.example.test" server_group: "two" }}
              default_server_group: "one"
            }}
            {groups}
            admin {{ address: "127.0.0.1:0" }}""", flags)

    def test_counts(self):
        proxy = self.start()
        tls = client.context()
        for host in ("localhost", "localhost", "two.example.test"):
            client.fetch(proxy.port, tls=tls, host=host)
        with client.connect(proxy.port, tls) as stream:
            client.get(stream)
            session = stream.sock.session
        raw = client.connect_plain(proxy.port)
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as resumed:
            resumed.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while resumed.recv(4096):
                pass
            self.assertTrue(resumed.session_reused)
        with self.assertRaises(ssl.SSLError):
            client.fetch(proxy.port, tls=client.context(None))
        files.wait_until(lambda: Metrics(proxy.admin_port).get("postern_connections") == 0, "all have ended")
        metrics = Metrics(proxy.admin_port)
        self.assertEqual(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8")
        listener = r"pub\"lic"
        for name, labels, value in [
                ("postern_handshakes_total", {"kind": "full"}, 4),
                ("postern_handshakes_total", {"kind": "resumed"}, 1),
                ("postern_handshake_refusals_total", {"reason": "no_certificate"}, 1),
                ("postern_handshake_seconds_count", {"part": "network"}, 5),
                ("postern_handshake_seconds_count", {"part": "sign"}, 5),
                ("postern_tickets_total", {"result": "resumed"}, 1),
                ("postern_requests_total", {"listener": listener, "host": "*", "code": "200"}, 4),
                ("postern_requests_total", {"listener": listener, "host": "two.example.test", "code": "503"}, 1),
                ("postern_requests_total", {}, 5),
                ("postern_request_seconds_count", {"listener": listener}, 5),
                ("postern_upstream_requests_total", {"group": "one", "server": "one1"}, 4),
                ("postern_upstream_responses_5xx_total", {"server": "two1"}, 1),
                ("postern_server_healthy", {}, 2),
                ("postern_connections_accepted_total", {}, 6),
                ("postern_config_generation", {}, 1),
                ("postern_ring_buffers_held", {}, 0)]:
            with self.subTest(name, **labels):
                self.assertEqual(metrics.get(name, **labels), value)
        self.assertGreater(metrics.get("postern_handshake_seconds_sum", part="sign"), 0)
        self.assertGreater(metrics.get("postern_memory_bytes", kind="tls"), 0)
        for part in ("network", "sign", "verify"):
            buckets = metrics.buckets("postern_handshake_seconds", part=part)
            self.assertEqual([value for _, value in buckets], sorted(value for _, value in buckets))
            self.assertEqual(buckets[-1], ("+Inf", 5))

    def test_a_reload_goes_on_counting(self):
        proxy = self.start()
        client.fetch(proxy.port)
        path = self.folder / "postern.textproto"
        path.write_text(path.read_text("utf-8").replace("two.example.test", "second.example.test"), "utf-8")
        proxy.signal(signal.SIGHUP)
        files.wait_until(lambda: Metrics(proxy.admin_port).get("postern_config_reloads_total", result="success") == 1,
                         "the reload")
        client.fetch(proxy.port)
        metrics = Metrics(proxy.admin_port)
        self.assertEqual(metrics.get("postern_requests_total", host="*", code="200"), 2)
        self.assertEqual(metrics.get("postern_request_seconds_count"), 2)
        self.assertEqual(metrics.get("postern_config_generation"), 2)

    def test_a_bad_reload_is_counted_and_changes_nothing(self):
        proxy = self.start(flags=["--watch_files=false"])
        path = self.folder / "postern.textproto"
        good = path.read_text("utf-8")
        for failures in (1, 2):
            path.write_text(good.replace('default_server_group: "one"', 'default_server_group: "three"'), "utf-8")
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda: Metrics(proxy.admin_port).get(
                "postern_config_reloads_total", result="failure") == failures, f"{failures} failures")
        metrics = Metrics(proxy.admin_port)
        self.assertEqual(metrics.get("postern_config_reloads_total", result="success"), 0)
        self.assertEqual(metrics.get("postern_config_generation"), 1)

    def test_a_slow_request_is_in_the_slow_buckets_only(self):
        backend = self.start_backend(lambda request: time.sleep(0.3) or response(b"slow"))
        proxy = self.start_proxy(backend, flags=["--admin=127.0.0.1:0"])
        client.fetch(proxy.port)
        buckets = Metrics(proxy.admin_port).buckets("postern_request_seconds", listener="default")
        # 300 ms, and whatever a busy machine makes of them.
        for top, count in buckets:
            if float(top) < 0.3:
                self.assertEqual(count, 0, top)
        self.assertGreater(len([top for top, _ in buckets if 0.25 < float(top) < 0.3]), 0)
        self.assertEqual(dict(buckets)["67.108864"], 1)
        self.assertEqual(dict(buckets)["+Inf"], 1)

    def test_rings_count_what_they_do(self):
        proxy = self.start()
        names = ["postern_ring_" + what + "_total" for what in ("turns", "waits", "submissions", "completions")]
        before = Metrics(proxy.admin_port)
        requests = 20
        for _ in range(requests):
            client.fetch(proxy.port)
        after = Metrics(proxy.admin_port)
        for name in names:
            # A connection costs an accept, several receives and sends, and an end.
            least = 3 * requests if name.endswith(("submissions_total", "completions_total")) else requests
            self.assertGreaterEqual(after.get(name) - before.get(name), least, name)

    def test_every_shard_tells_of_itself(self):
        metrics = Metrics(self.start().admin_port)
        families = documented().values()
        for row in families:
            if "shard" in row.labels:
                self.assertEqual(metrics.values(row.name, "shard"), {"0", "1"}, row.name)
        self.assertIn("shard", documented()["postern_ring_buffers_held"].labels)
        self.assertIn("shard", documented()["postern_ring_overflows_total"].labels)
        kinds = documented()["postern_memory_bytes"].words()
        self.assertIn("tls", kinds)
        self.assertEqual(sorted((labels["shard"], labels["kind"]) for labels in metrics.labels("postern_memory_bytes")),
                         sorted((shard, kind) for shard in "01" for kind in kinds))

    def test_families_labels_and_their_values_are_documented_and_no_others(self):
        proxy = self.start()
        client.fetch(proxy.port, host="two.example.test")
        metrics = Metrics(proxy.admin_port)
        rows = documented()
        self.assertEqual(metrics.types, {name: row.kind for name, row in rows.items()})
        for name, row in rows.items():
            for labels in metrics.labels(name):
                self.assertEqual(set(labels), row.labels, name)
        for name, label in (("postern_upstream_events_total", "event"), ("postern_handshakes_total", "kind"),
                            ("postern_handshake_seconds", "part"), ("postern_chain_cache_lookups_total", "result"),
                            ("postern_config_reloads_total", "result")):
            self.assertEqual(metrics.values(name, label), rows[name].words(), name)


if __name__ == "__main__":
    unittest.main()
