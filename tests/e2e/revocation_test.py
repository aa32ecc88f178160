"""Revocation and shadow judgement against the real binary: many clients, live connections, stale lists, candidates."""

import concurrent.futures
import pathlib
import socket
import ssl
import subprocess
import time
import unittest

from lib import client, files, http2
from lib.trust import VERSIONS, TrustCase, Visitor
from lib.wire import Ended

TLS13 = ssl.TLSVersion.TLSv1_3


class RevocationTest(TrustCase):
    def auth(self, *lists, more="", ca="root"):
        crls = " ".join(f'crl_files: "{path}"' for path in lists)
        return f'mode: "require" ca_files: "{self.pki.certificate(ca)}" {crls} {more}'

    def make_clients(self, count):
        """So many clients of the root: one key, a certificate each."""
        subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out",
                        self.folder / "shared.key"], check=True, capture_output=True)

        def make(number):
            self.ca("client", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / f'c{number}'}",
                    f"--cn=client {number}", f"--key_file={self.folder / 'shared.key'}", f"--serial={number + 4096:x}")

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(make, range(count)))

    def visitor(self, name, version=TLS13, key=None):
        visitor = Visitor(None, version)
        visitor.tls.load_cert_chain(self.folder / f"{name}.crt", key or self.folder / "shared.key")
        return visitor

    def test_one_of_a_thousand(self):
        count = 100 if files.SANITIZED else 1000
        self.make_clients(count)
        path = self.crl("root")
        proxy = self.start(client_auth=self.auth(path))
        visitors = [self.visitor(f"c{number}", VERSIONS[number % 2]) for number in range(count)]
        for visitor in visitors:
            self.assertTrue(visitor.visit(proxy.port).served)
        unlucky = count // 3
        self.ca("revoke", f"--ca={self.pki.folder / 'root'}", f"--cert={self.folder / f'c{unlucky}.crt'}",
                f"--db={self.folder / 'root'}.revoked.txt")
        self.crl("root")
        self.await_reload(proxy)
        visits = [visitor.visit(proxy.port) for visitor in visitors]
        self.assertEqual(sum(visit.served and visit.resumed for visit in visits), count - 1)
        self.assertIn("certificate revoked", visits[unlucky].alert)
        self.assertEqual(self.tickets(proxy, "resumed"), count - 1)
        self.assertEqual(self.tickets(proxy, "revoked"), 1)
        print(f"\n{count - 1} resumptions, 1 refusal of {count} clients after one was revoked", flush=True)

    def test_live_connections_end(self):
        path = self.crl("root")
        proxy = self.start(client_auth=self.auth(path))
        ending = [Visitor("client", version).open(proxy.port) for version in VERSIONS for _ in range(4)]
        staying = [Visitor("client_rsa", version).open(proxy.port) for version in VERSIONS for _ in range(4)]
        for stream in ending + staying:
            self.addCleanup(stream.close)
            self.assertEqual(client.get(stream).status, 200)
        self.crl("root", "client")
        self.await_reload(proxy)
        for stream in ending:
            self.assertEqual(stream.receive(), b"", "ended by close_notify")
        for stream in staying:
            self.assertEqual(client.get(stream).status, 200)
        lost = sum(shard["trust_lost"].get("revoked", 0) for shard in self.status(proxy)["shards"])
        self.assertEqual(lost, len(ending))
        self.assertEqual(proxy.errors().count(" trust_lost "), len(ending))

    def full_server(self):
        """A listening socket whose queue is full, so that whoever connects next goes on connecting."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        for _ in range(8):
            filler = socket.socket()
            self.addCleanup(filler.close)
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.2)
        return listener

    def received(self, listener):
        """What comes on all connections that wait at this socket."""
        listener.settimeout(1.5)
        said = b""
        while True:
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                return said
            with sock:
                sock.settimeout(0.3)
                try:
                    said += sock.recv(65536)
                except OSError:
                    pass

    def check_late_request(self, send, protocol="http1"):
        """`send(port)` asks for /secret; its client is revoked while the server has not taken the connection."""
        path = self.crl("root")
        listener = self.full_server()
        text = self.config(client_auth=self.auth(path)).replace(f"port: {self.backend.port}",
                                                                f"port: {listener.getsockname()[1]}")
        proxy = self.start_config(text.replace("server_groups {", f'server_groups {{ protocol: "{protocol}"'))
        send(proxy.port)
        files.wait_until(lambda: self.active(proxy) == 1, "the request to be under way")
        self.crl("root", "client")
        self.await_reload(proxy)
        self.assertEqual(self.received(listener).count(b"secret"), 0)
        self.assertIn(" 403 ", proxy.await_access("secret"))

    def send_http1(self, port):
        stream = Visitor("client", TLS13).open(port)
        self.addCleanup(stream.close)
        stream.send("GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def send_http2(self, port):
        connection = http2.Connection(port)
        self.addCleanup(connection.close)
        connection.get("/secret")

    def test_a_request_that_has_not_left_is_not_sent(self):
        self.check_late_request(self.send_http1)

    def test_nor_one_of_http2(self):
        self.check_late_request(self.send_http2)

    def test_nor_one_to_a_server_of_http2(self):
        self.check_late_request(self.send_http1, "http2")

    def active(self, proxy):
        return sum(server["active"] for group in self.status(proxy)["groups"] for server in group["servers"])

    def test_a_request_under_way_is_finished_or_cut_after_the_grace(self):
        path = self.crl("root")
        proxy = self.start(client_auth=self.auth(path), process="revocation_grace_ms: 1500")
        streams = [Visitor("client", TLS13).open(proxy.port) for _ in range(2)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        files.wait_until(lambda: sum(shard["memory"]["exchanges"] for shard in self.status(proxy)["shards"]) == 2,
                         "both requests under way")
        self.crl("root", "client")
        self.await_reload(proxy)
        streams[0].send("cd")
        response = streams[0].read_response("POST")
        self.assertEqual(response.status, 200)
        self.assertTrue(response.closes)
        # The other one never finishes its request.
        try:
            rest = streams[1].receive()
        except Ended:
            rest = b""
        self.assertEqual(rest, b"")

    def test_a_stale_list(self):
        path = self.crl("root", flags=["--this_update=-2h", "--next_update=-1h"])
        proxy = self.start(client_auth=self.auth(path))
        self.assertIn("root.crl", proxy.errors())
        self.assertTrue(self.status(proxy)["revocation_lists"][0]["stale"])
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        self.assertTrue(visitor.visit(proxy.port).resumed)
        # What it says still counts.
        self.crl("root", "client_rsa", flags=["--this_update=-2h", "--next_update=-1h"])
        self.await_reload(proxy)
        self.assertIn("certificate revoked", Visitor("client_rsa", TLS13).visit(proxy.port).alert)
        self.rewrite(proxy, self.config(client_auth=self.auth(path, more='stale_crl: "refuse"')))
        visit = visitor.visit(proxy.port)
        self.assertIsNotNone(visit.alert)
        self.assertIn("reason=crl_stale", proxy.await_refusals(2)[-1])
        self.assertEqual(self.tickets(proxy, "crl_stale"), 1)

    def coverage(self, proxy):
        return {entry["ca"]: entry["covered"] for entry in self.status(proxy)["crl_coverage"]}

    def test_a_list_beside_its_ca(self):
        bundle = self.folder / "bundle.pem"

        def write(*revoked):
            path = self.crl("root", *revoked)
            text = pathlib.Path(self.pki.certificate("root")).read_text("ascii") + path.read_text("ascii")
            self.replace(bundle, text)
        write()
        proxy = self.start(client_auth=f'mode: "require" ca_files: "{bundle}" missing_crl: "refuse"')
        self.assertEqual(set(self.coverage(proxy).values()), {"yes"})
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        write("client")
        self.await_reload(proxy)
        self.assertIn("certificate revoked", visitor.visit(proxy.port).alert)

    def test_a_missing_list(self):
        auth = self.auth(self.crl("sub"), more=f'intermediate_files: "{self.pki.certificate("sub")}"')
        proxy = self.start(client_auth=auth)
        self.assertRegex(proxy.errors(), r"root\.crt: the CA [^\n]* has no revocation list")
        self.assertEqual(sorted(self.coverage(proxy).values()), ["no", "yes"])
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        with Visitor("client", TLS13).open(proxy.port) as living:
            self.assertEqual(client.get(living).status, 200)
            self.rewrite(proxy, self.config(client_auth=auth + ' missing_crl: "refuse"'))
            self.assertEqual(living.receive(), b"", "ended by close_notify")
        self.assertIsNotNone(visitor.visit(proxy.port).alert)
        self.assertIn("reason=crl_missing", proxy.await_refusals(1)[-1])
        self.assertEqual(self.tickets(proxy, "crl_missing"), 1)

    def test_an_older_list_takes_no_newer_ones_place(self):
        path = self.crl("root", flags=["--this_update=-2h"])
        old = path.read_text("ascii")
        proxy = self.start(client_auth=self.auth(path))
        self.crl("root", "client", flags=["--this_update=-1h"])
        self.await_reload(proxy)
        self.assertIn("certificate revoked", Visitor("client", TLS13).visit(proxy.port).alert)
        self.replace(path, old)
        files.wait_until(lambda: "is older than the one in force" in proxy.errors(), "the reload is refused")
        self.assertIn("certificate revoked", Visitor("client", TLS13).visit(proxy.port).alert)

    def test_der_lists_of_two_authorities(self):
        root = self.crl("root", flags=["--format=der"])
        sub = self.crl("sub", "client_sub", flags=["--format=der"])
        more = f'intermediate_files: "{self.pki.certificate("sub")}"'
        proxy = self.start(client_auth=self.auth(root, sub, more=more))
        self.assertEqual(len(self.status(proxy)["revocation_lists"]), 2)
        self.assertIn("certificate revoked", Visitor("client_sub", TLS13).visit(proxy.port).alert)
        self.assertTrue(Visitor("client", TLS13).visit(proxy.port).served)

    def test_a_bad_list_changes_nothing(self):
        path = self.crl("root")
        good = path.read_bytes()
        proxy = self.start(client_auth=self.auth(path))
        for contents, word in ((b"junk", "root.crl"), (good[:200], "root.crl"),
                               (self.crl("other", name="foreign").read_bytes(), "issuer")):
            failures = self.status(proxy)["reload"]["failures"]
            path.write_bytes(contents)
            files.wait_until(lambda: self.status(proxy)["reload"]["failures"] > failures, "the failure")
            self.assertIn(word, self.status(proxy)["reload"]["last_error"])
            self.assertTrue(Visitor("client", TLS13).visit(proxy.port).served)
        self.assertIn("reload failed", proxy.errors())
        self.crl("root", "client")
        self.await_reload(proxy)
        self.assertEqual(self.status(proxy)["reload"]["last_error"], "")

    def test_candidate_is_judged_in_shadow(self):
        path = self.crl("root", "client")
        root, other = (self.pki.certificate(name) for name in ("root", "other"))
        candidate = f'candidate {{ ca_files: "{root}" ca_files: "{other}" crl_files: "{path}" }}'
        proxy = self.start(client_auth=f'mode: "require" ca_files: "{root}" {candidate}')
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        self.assertTrue(visitor.visit(proxy.port).resumed)
        self.assertTrue(Visitor("client_rsa", TLS13).visit(proxy.port).served)
        self.assertIn("unknown ca", Visitor("client_other", TLS13).visit(proxy.port).alert)
        totals = {"agrees": 0, "would_refuse": 0, "would_admit": 0}
        for shard in self.status(proxy)["shards"]:
            for name in totals:
                totals[name] += shard["candidate"][name]
        self.assertEqual(totals, {"agrees": 1, "would_refuse": 2, "would_admit": 1})
        files.wait_until(lambda: proxy.errors().count(" candidate ") == 3, "three lines")
        self.assertIn("verdict=would_refuse reason=revoked", proxy.errors())
        self.assertRegex(proxy.errors(), r"verdict=would_admit .*subject=\"CN=stranger\"")

    def test_allow_list(self):
        for name, uri in (("in", "spiffe://example.test/d/1"), ("out", "spiffe://elsewhere.test/d/1")):
            self.ca("client", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / name}", f"--cn={name}",
                    f"--uri={uri}")
        proxy = self.start(client_auth=self.auth(more='allowed_sans: "uri:spiffe://example.test/*"'))
        self.assertTrue(self.visitor("in", key=self.folder / "in.key").visit(proxy.port).served)
        visit = self.visitor("out", key=self.folder / "out.key").visit(proxy.port)
        self.assertIn("access denied", visit.alert)
        self.assertIn("reason=san_not_allowed", proxy.await_refusals(1)[0])

    def test_passthrough_proves_possession_only(self):
        proxy = self.start(client_auth='mode: "passthrough"')
        for name in ("client_other", "client_expired", "client"):
            visitor = Visitor(name, TLS13)
            self.assertTrue(visitor.visit(proxy.port).served)
            self.assertEqual(self.backend.last.get("X-Forwarded-Clientcert-clientverify"), "UNVERIFIED")
            self.assertEqual(self.backend.last.get("X-Forwarded-Clientcert-subjectdn"), self.pki.subject(name))
            self.assertTrue(visitor.visit(proxy.port).resumed)
            self.assertEqual(self.backend.last.get("X-Forwarded-Clientcert-clientverify"), "UNVERIFIED")
        self.assertIsNotNone(Visitor(None, TLS13).visit(proxy.port).alert)


if __name__ == "__main__":
    unittest.main()
