"""Which listener, which group, which server; and who may say where a connection comes from."""

import collections
import json
import socket
import struct
import unittest

from lib import client
from lib.backend import response
from lib.case import Case
from lib.wire import Ended, Stream

SIGNATURE_2 = b"\r\n\r\n\x00\r\nQUIT\n"


def header_2(source, port, command=1, family=0x11, extra=b""):
    """A PROXY protocol header of version 2."""
    if family == 0x11:
        addresses = socket.inet_pton(socket.AF_INET, source) + socket.inet_pton(socket.AF_INET, "192.0.2.1")
    elif family == 0x21:
        addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    else:
        addresses = b""
    body = (addresses + struct.pack("!HH", port, 443) if addresses else b"") + extra
    return SIGNATURE_2 + bytes([0x20 | command, family]) + struct.pack("!H", len(body)) + body


class ConfigTest(Case):
    def config(self, backends):
        """Three listeners; groups a, b and c have one server each."""
        certificates = (f'certificates {{ certificate_file: "{self.pki.chain("server")}" '
                        f'key_file: "{self.pki.key("server")}" }}')
        groups = "\n".join(
            f'server_groups {{ name: "{b.name}" servers {{ name: "{b.name}" host: "127.0.0.1" port: {b.port} }} '
            "health_check { enabled: false } }" for b in backends)
        ca = self.pki.certificate("root")
        return f"""
            listeners {{
              name: "strict" address: "127.0.0.1:0" {certificates}
              client_auth {{ mode: "require" ca_files: "{ca}" }}
              hosts {{ host: "a.example.test" server_group: "a" }}
              hosts {{ host: "*.example.test" server_group: "b" }}
              hosts {{ host: "*.deep.example.test" server_group: "c" }}
              default_server_group: "c"
            }}
            listeners {{
              name: "open" address: "127.0.0.1:0" {certificates}
              hosts {{ host: "b.example.test" server_group: "b" }}
            }}
            listeners {{
              name: "asking" address: "[::1]:0" {certificates}
              client_auth {{ mode: "request" ca_files: "{self.pki.certificate('other')}" }}
              default_server_group: "a"
            }}
            {groups}"""

    def check(self, proxy):
        strict, opened, asking = proxy.ports
        for host, wanted in [("a.example.test", b"a"), ("A.Example.TEST", b"a"), ("a.example.test:8443", b"a"),
                             ("b.example.test", b"b"), ("B.EXAMPLE.TEST:1", b"b"), ("x.y.example.test", b"c"),
                             ("example.test", b"c"), ("x.deep.example.test", b"c"), ("deep.example.test", b"b"),
                             ("127.0.0.1", b"c"), ("[::1]:443", b"c"), ("aexample.test", b"c")]:
            with self.subTest(host):
                self.assertEqual(client.fetch(strict, host=host).body, wanted)
        nobody = client.context(None)
        self.assertEqual(client.refusal(strict, nobody), "tlsv13 alert certificate required")
        self.assertEqual(client.fetch(opened, tls=nobody, host="b.example.test").body, b"b")
        self.assertEqual(client.fetch(opened, tls=nobody, host="a.example.test").status, 404)
        for certificate in (None, "client_other"):
            raw = client.connect_plain(asking, "::1")
            with client.connect(asking, client.context(certificate), raw=raw) as stream:
                self.assertEqual(client.get(stream).body, b"a")
        self.assertRegex(proxy.await_access('host="b.example.test" listener=open'), "upstream=b .* client=\"\"")

    def test_text(self):
        backends = [self.start_backend(name=name) for name in "abc"]
        self.check(self.start_config(self.config(backends)))
        self.assertEqual({value for b in backends for r in b.requests for value in r.all("X-Forwarded-For")},
                         {"127.0.0.1", "::1"})

    def test_json(self):
        backends = [self.start_backend(name=name) for name in "abc"]
        pair = {"certificate_file": self.pki.chain("server"), "key_file": self.pki.key("server")}
        ca = self.pki.certificate("root")
        config = {
            "listeners": [
                {"name": "strict", "address": "127.0.0.1:0", "certificates": [pair],
                 "client_auth": {"mode": "require", "ca_files": [ca]}, "default_server_group": "c",
                 "hosts": [{"host": "a.example.test", "server_group": "a"},
                           {"host": "*.example.test", "server_group": "b"},
                           {"host": "*.deep.example.test", "server_group": "c"}]},
                {"name": "open", "address": "127.0.0.1:0", "certificates": [pair],
                 "hosts": [{"host": "b.example.test", "server_group": "b"}]},
                {"name": "asking", "address": "[::1]:0", "certificates": [pair], "default_server_group": "a",
                 "client_auth": {"mode": "request", "ca_files": [self.pki.certificate("other")]}}],
            "server_groups": [{"name": b.name, "servers": [{"name": b.name, "host": "127.0.0.1", "port": b.port}],
                               "health_check": {"enabled": False}} for b in backends]}
        self.check(self.start_config(json.dumps(config), name="postern.json"))

    def test_same_name_with_two_certificates_of_a_connection(self):
        # Routing is by Host, request by request; the server name of the handshake decides nothing.
        backends = [self.start_backend(name=name) for name in "abc"]
        proxy = self.start_config(self.config(backends))
        with client.connect(proxy.port, server_name="a.example.test") as stream:
            for host, wanted in [("b.example.test", b"b"), ("a.example.test", b"a"), ("localhost", b"c")]:
                self.assertEqual(client.get(stream, host=host).body, wanted)


class BalanceTest(Case):
    def test_alternates(self):
        # Fresh connections land on either shard; the order must not show which.
        backends = [self.start_backend(name=name) for name in "ab"]
        proxy = self.start_proxy(*backends)
        order = b"".join(client.fetch(proxy.port).body for _ in range(6))
        self.assertIn(order, (b"ababab", b"bababa"))
        with client.connect(proxy.port) as stream:
            order = b"".join(client.get(stream).body for _ in range(6))
        self.assertIn(order, (b"ababab", b"bababa"))

    def test_weights(self):
        backends = [self.start_backend(name=name) for name in "abc"]
        flags = [f"{b.flag},weight={weight}" for b, weight in zip(backends, (100, 50, 0))]
        proxy = self.start_proxy(*flags)
        counts = collections.Counter()
        with client.connect(proxy.port) as stream:
            for _ in range(30):
                counts[client.get(stream).body] += 1
        self.assertEqual(counts, {b"a": 20, b"b": 10})


class ProxyProtocolTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend(lambda r: response(r.get("X-Forwarded-For")))

    def test_headers(self):
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=127.0.0.1"])
        for header, address in [
                (b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n", b"198.51.100.7"),
                (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", b"2001:db8::7"),
                (b"PROXY TCP6 ::ffff:198.51.100.8 ::ffff:192.0.2.1 4711 443\r\n", b"198.51.100.8"),
                (b"PROXY UNKNOWN\r\n", b"127.0.0.1"),
                (b"PROXY UNKNOWN ffff:f...f:ffff 1 2\r\n", b"127.0.0.1"),
                (header_2("198.51.100.8", 4712), b"198.51.100.8"),
                (header_2("2001:db8::8", 4712, family=0x21), b"2001:db8::8"),
                (header_2("198.51.100.9", 4713, extra=b"\x04\x00\x10" + b"\0" * 16), b"198.51.100.9"),
                (header_2("198.51.100.9", 4713, command=0), b"127.0.0.1"),
                (header_2("", 0, command=0, family=0), b"127.0.0.1")]:
            with self.subTest(header):
                self.assertEqual(client.fetch(proxy.port, preface=header).body, address)
        proxy.await_access('^[^ ]* 2001:db8::8 "GET ')

    def test_byte_by_byte(self):
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=127.0.0.0/8"])
        for header in (b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n", header_2("198.51.100.7", 4711)):
            raw = client.connect_plain(proxy.port)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header:
                raw.sendall(bytes([byte]))
            with client.connect(proxy.port, raw=raw) as stream:
                self.assertEqual(client.get(stream).body, b"198.51.100.7")

    def test_address_of_a_refused_client(self):
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=127.0.0.1"])
        tls = client.context("client_expired")
        with self.assertRaises(client.ssl.SSLError):
            with client.connect(proxy.port, tls, preface=header_2("198.51.100.8", 4712)) as stream:
                stream.sock.recv(1)
        self.assertIn("address=198.51.100.8:4712 ", proxy.await_refusals(1)[0])

    def test_trust_is_about_the_named_client(self):
        # Behind a balancer that speaks the protocol, the client is who the header names.
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=127.0.0.1", "--trusted_proxies=198.51.100.0/24"])
        fields = "X-Forwarded-For: 1.2.3.4\r\n"
        inside = header_2("198.51.100.8", 4712)
        outside = header_2("203.0.113.8", 4712)
        self.assertEqual(client.fetch(proxy.port, fields=fields, preface=inside).body, b"1.2.3.4, 198.51.100.8")
        self.assertEqual(client.fetch(proxy.port, fields=fields, preface=outside).body, b"203.0.113.8")

    def check_cut(self, port, data):
        """Nothing but an end comes back for these bytes (or an alert: a TLS record, before it)."""
        with Stream(client.connect_plain(port)) as stream:
            stream.send(data)
            try:
                answer = stream.read_to_end()
            except Ended as error:
                answer = error.received
            self.assertIn(answer[:1], (b"", b"\x15"), answer[:100])

    def test_refused(self):
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=127.0.0.1", "--handshake_timeout=3s"])
        for data in [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                     b"PROXY TCP4 198.51.100.7 192.0.2.1 4711\r\n", b"PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n",
                     b"PROXY TCP4 198.51.100.7 192.0.2.1 66000 443\r\n", b"PROXY  TCP4 198.51.100.7 192.0.2.1 1 2\r\n",
                     b"PROXY TCP4 " + b"1" * 200, SIGNATURE_2 + b"\x31\x11\x00\x0c" + b"\0" * 12,
                     SIGNATURE_2 + b"\x21\x11\x00\x04" + b"\0" * 4, SIGNATURE_2 + b"\x21\x11\xff\xff" + b"\0" * 100,
                     b"PROXY", b""]:
            with self.subTest(data[:30]):
                self.check_cut(proxy.port, data)
        self.assertEqual(self.backend.requests, [])
        self.assertEqual(client.fetch(proxy.port, preface=b"PROXY UNKNOWN\r\n").status, 200)

    def test_nobody_else_may_send_one(self):
        proxy = self.start_proxy(self.backend, flags=["--proxy_protocol_from=10.0.0.0/8,::1"])
        self.check_cut(proxy.port, b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n\x16\x03\x01")
        self.check_cut(proxy.port, header_2("198.51.100.7", 4711))
        self.assertEqual(client.fetch(proxy.port).body, b"127.0.0.1")
        self.assertEqual(len(self.backend.requests), 1)


if __name__ == "__main__":
    unittest.main()
