"""/metrics, as Prometheus reads it."""

import pathlib
import re
import signal
import ssl
import unittest
import urllib.request

from lib import client, files
from lib.backend import response
from lib.case import Case

SAMPLE = re.compile(r'(postern_[a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "METRICS.md"


class Metrics:
    """A scrape: families by name, samples by name and labels."""

    def __init__(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=files.PATIENCE_S) as page:
            self.content_type = page.headers["Content-Type"]
            text = page.read().decode("utf-8")
        self.types = {}
        self.samples = {}
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family and name not in self.types, line
                self.types[name] = kind
            else:
                self._sample(line, family)

    def _sample(self, line, family):
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert name == family or self.types[family] == "histogram" and re.fullmatch(
            family + "_(bucket|sum|count)", name), line
        key = (name, tuple(LABEL.findall(labels or "")))
        assert key not in self.samples, line
        self.samples[key] = float(value)

    def get(self, name, **labels):
        """The sum of all samples of this name that have these labels."""
        return sum(value for (sample, pairs), value in self.samples.items()
                   if sample == name and set(labels.items()) <= set(pairs))

    def buckets(self, name, **labels):
        return [(dict(pairs)["le"], value) for (sample, pairs), value in self.samples.items()
                if sample == name + "_bucket" and set(labels.items()) <= set(pairs)]


class MetricsTest(Case):
    def start(self):
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
            admin {{ address: "127.0.0.1:0" }}""")

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

    def test_every_family_is_documented_and_no_other(self):
        documented = set(re.findall(r"^\| `(postern_[a-z0-9_]+)", DOCUMENT.read_text("utf-8"), re.MULTILINE))
        self.assertEqual(set(Metrics(self.start().admin_port).types), documented)


if __name__ == "__main__":
    unittest.main()
