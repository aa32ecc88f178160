"""/metrics: what is told of certificates, revocation lists, tickets, known chains and refused clients."""

import ssl
import unittest

from lib import client, files
from lib.metrics import Metrics
from lib.proxy import run_to_end
from lib.trust import VERSIONS, TrustCase, Visitor

TLS13 = VERSIONS[1]


class ExpiryTest(TrustCase):
    def test_of_certificates_and_cas(self):
        # Each ends at a time of its own.
        made = {"server": ("server", "--dns=localhost", "--not_after=5d"),
                "sub": ("subca", "--cn=Intermediate", "--not_after=6d"),
                "root": ("root", "--cn=Anchor", "--not_after=7d"),
                "next": ("root", "--cn=Candidate", "--not_after=8d"),
                "servers": ("root", "--cn=Servers", "--not_after=9d"),
                "gate": ("client", "--cn=gate", "--not_after=10d")}
        for name, (command, *flags) in made.items():
            issuer = [] if command == "root" else [f"--ca={self.pki.folder / 'root'}"]
            self.ca(command, f"--out={self.folder / name}", *flags, *issuer)
        path = {name: self.folder / f"{name}.crt" for name in made}
        text = self.config(client_auth=f'mode: "require" ca_files: "{path["root"]}" '
                           f'intermediate_files: "{path["sub"]}" candidate {{ ca_files: "{path["next"]}" }}')
        text = text.replace(self.pki.chain("server"), str(path["server"]))
        text = text.replace(self.pki.key("server"), str(self.folder / "server.key"))
        text = text.replace("health_check {", f'''tls {{
            ca_files: "{path["servers"]}" server_name: "localhost"
            certificate_file: "{path["gate"]}" key_file: "{self.folder / "gate.key"}"
        }} health_check {{''', 1)
        metrics = Metrics(self.start_config(text).admin_port)
        # A candidate that names no intermediates has those of the policy in force.
        roles = {"server": "server", "client_intermediate": "sub", "candidate_intermediate": "sub", "client_ca": "root",
                 "candidate_ca": "next", "upstream_ca": "servers", "upstream": "gate"}
        name = "postern_certificate_not_after_seconds"
        self.assertEqual(len(metrics.labels(name)), len(roles))
        for role, certificate in roles.items():
            with self.subTest(role):
                labels = {"role": role, "file": str(path[certificate])}
                self.assertEqual(metrics.get(name, **labels), files.end_s(path[certificate]))

    def test_is_told_in_time(self):
        """By --check_config, at the start, and when a reload has brought it; each once."""
        self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'old'}", "--dns=localhost",
                "--not_before=-20d", "--not_after=60h")
        self.ca("root", f"--out={self.folder / 'ca'}", "--cn=Ending", "--not_before=-20d", "--not_after=84h")
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" ca_files: "{self.folder / "ca.crt"}"'
        text = self.config(client_auth=auth).replace(self.pki.chain("server"), f"{self.folder / 'old.crt'}")
        text = text.replace(self.pki.key("server"), f"{self.folder / 'old.key'}")
        path = self.folder / "checked.textproto"
        path.write_text(text, "ascii")
        expected = ("old.crt: the certificate that listeners present CN=localhost expires in 2 days, at ",
                    "ca.crt: the client CA CN=Ending expires in 3 days, at ")
        code, lines = run_to_end(self.folder, [f"--config={path}", "--check_config"])
        self.assertEqual(code, 0)
        for line in expected:
            self.assertEqual(sum(line in said for said in lines), 1, lines)
        proxy = self.start_config(text)
        for line in expected:
            files.wait_until(lambda line=line: line in proxy.errors(), line)
        self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'new'}", "--dns=localhost",
                "--not_before=-20d", "--not_after=-1d")
        for kind in ("key", "crt"):
            (self.folder / f"new.{kind}").rename(self.folder / f"old.{kind}")
        self.await_reload(proxy)
        over = "the certificate that listeners present CN=localhost has expired at "
        files.wait_until(lambda: over in proxy.errors(), over)
        for line in expected:
            self.assertEqual(proxy.errors().count(line), 1)

    def test_of_a_renewed_certificate(self):
        self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'own'}", "--dns=localhost",
                "--not_after=2d")
        text = self.config().replace(self.pki.chain("server"), f"{self.folder / 'own.crt'}")
        proxy = self.start_config(text.replace(self.pki.key("server"), f"{self.folder / 'own.key'}"))
        self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'new'}", "--dns=localhost",
                "--not_after=3d")
        for kind in ("key", "crt"):
            (self.folder / f"new.{kind}").rename(self.folder / f"own.{kind}")
        self.await_reload(proxy)
        self.assertEqual(Metrics(proxy.admin_port).get("postern_certificate_not_after_seconds", role="server"),
                         files.end_s(self.folder / "own.crt"))

    def test_of_revocation_lists(self):
        root = self.crl("root", flags=["--next_update=3d"])
        sub = self.crl("sub", flags=["--next_update=4d"])
        auth = (f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{root}" crl_files: "{sub}" '
                f'intermediate_files: "{self.pki.certificate("sub")}"')
        proxy = self.start(client_auth=auth)

        def check():
            metrics = Metrics(proxy.admin_port)
            name = "postern_crl_next_update_seconds"
            self.assertEqual(len(metrics.labels(name)), 2)
            for path, issuer in ((root, "root"), (sub, "sub")):
                self.assertEqual(metrics.get(name, file=str(path), issuer=self.pki.subject(issuer)),
                                 files.end_s(path, "crl", "-nextupdate"), issuer)
        check()
        self.crl("root", flags=["--next_update=5d"])
        self.await_reload(proxy)
        check()


class CountersTest(TrustCase):
    def test_tickets_by_what_became_of_them(self):
        secrets = self.folder / "secrets"
        secrets.write_text("11" * 32 + "\n", "ascii")
        path = self.crl("root")
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{path}"'
        proxy = self.start(client_auth=auth, process=f'tickets {{ secret_file: "{secrets}" }}')
        revoked, staying = Visitor("client", TLS13), Visitor("client_rsa", TLS13)
        for visitor in (revoked, staying):
            visitor.visit(proxy.port)
        self.assertTrue(staying.visit(proxy.port).resumed)
        self.crl("root", "client")
        self.await_reload(proxy)
        self.assertFalse(revoked.visit(proxy.port).served)
        self.replace(secrets, "22" * 32 + "\n")
        self.await_reload(proxy)
        visit = staying.visit(proxy.port)
        self.assertTrue(visit.served and not visit.resumed)
        metrics = Metrics(proxy.admin_port)
        self.assertEqual({labels["result"]: metrics.get("postern_tickets_total", **labels)
                          for labels in metrics.labels("postern_tickets_total")},
                         {"not_offered": 2, "resumed": 1, "revoked": 1, "unknown_secret": 1})
        self.assertGreaterEqual(metrics.get("postern_tickets_issued_total"), 4)
        self.assertEqual(metrics.get("postern_handshake_refusals_total", reason="revoked", kind="full"), 1)

    def test_chains_that_are_known(self):
        proxy = self.start()
        visitor = Visitor("client_sub", TLS13)
        times = 12
        self.everywhere(lambda: visitor.visit(proxy.port, resume=False), times)
        metrics = Metrics(proxy.admin_port)
        lookups = {result: metrics.get("postern_chain_cache_lookups_total", result=result)
                   for result in ("recalled", "verified")}
        self.assertEqual(sum(lookups.values()), times)
        # Each of two shards learns it by itself.
        self.assertIn(lookups["verified"], (1, 2))
        self.assertEqual(metrics.get("postern_chain_cache_entries"), lookups["verified"])
        # Who resumes shows no chain.
        self.assertTrue(visitor.visit(proxy.port).resumed)
        self.assertEqual(Metrics(proxy.admin_port).get("postern_chain_cache_lookups_total"), times)

    def spoil(self, proxy, visitor):
        """Comes back with its session, and spoils the last message of its handshake."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = visitor.tls.wrap_bio(incoming, outgoing, server_hostname=visitor.host, session=visitor.session)
        with client.connect_plain(proxy.port) as raw:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
            self.assertTrue(tls.session_reused)
            last = bytearray(outgoing.read())
            last[-1] ^= 1
            raw.sendall(last)
            while raw.recv(65536):
                pass

    def test_refusals_by_reason_and_kind(self):
        proxy = self.start()
        visitor = Visitor("client", TLS13)
        visitor.visit(proxy.port)
        self.spoil(proxy, visitor)
        for tls in (None, None, "client_other"):
            self.assertIsNotNone(client.refusal(proxy.port, client.context(tls)))
        self.assertTrue(visitor.visit(proxy.port).resumed)
        metrics = Metrics(proxy.admin_port)
        name = "postern_handshake_refusals_total"
        self.assertEqual({(labels["reason"], labels["kind"]): metrics.get(name, **labels)
                          for labels in metrics.labels(name)},
                         {("ticket_proof", "resumed"): 1, ("no_certificate", "full"): 2, ("unknown_ca", "full"): 1})
        self.assertEqual([metrics.get("postern_handshakes_total", kind=kind) for kind in ("full", "resumed")], [1, 1])
        lines = "\n".join(proxy.await_refusals(4))
        self.assertEqual((lines.count("handshake=resumed"), lines.count("handshake=full")), (1, 3))
        # The status page tells the sum, and of it those of the other kind.
        totals = {"refusals": {}, "refusals_resuming": {}}
        for shard in self.status(proxy)["shards"]:
            for field, counts in totals.items():
                for reason, count in shard[field].items():
                    counts[reason] = counts.get(reason, 0) + count
        self.assertEqual(totals, {"refusals": {"ticket_proof": 1, "no_certificate": 2, "unknown_ca": 1},
                                  "refusals_resuming": {"ticket_proof": 1}})


if __name__ == "__main__":
    unittest.main()
