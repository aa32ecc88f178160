"""Resumption with client certificates: what comes back, and everything that must end it, by real clients."""

import time
import unittest

from lib import client, files
from lib.trust import VERSIONS, TrustCase, Visitor


class ResumptionTest(TrustCase):
    def visitors(self, certificate, host="localhost"):
        return [Visitor(certificate, version, host) for version in VERSIONS]

    def check_resumes(self, proxy, visitor):
        for visit in self.everywhere(lambda: visitor.visit(proxy.port)):
            self.assertTrue(visit.served, visit.alert)
            self.assertTrue(visit.resumed)

    def check_full(self, proxy, visitor, result):
        """The ticket is ignored for this reason, on every shard, and the client is served by a full handshake."""
        before = self.tickets(proxy, result)
        session = visitor.session
        for _ in range(8):
            visitor.session = session
            visit = visitor.visit(proxy.port)
            self.assertTrue(visit.served, visit.alert)
            self.assertFalse(visit.resumed)
        self.assertEqual(self.tickets(proxy, result), before + 8)

    def check_refused(self, proxy, visitor, alert, reason, result):
        """The ticket is ignored for this reason, and the full handshake is refused."""
        before = self.tickets(proxy, result)
        refusals = len(proxy.refusals())
        for visit in self.everywhere(lambda: visitor.visit(proxy.port), 4):
            self.assertIn(alert, visit.alert or "served")
        for line in proxy.await_refusals(refusals + 4)[refusals:]:
            self.assertIn(f"reason={reason}", line)
        self.assertEqual(self.tickets(proxy, result), before + 4)

    def test_identity_is_the_same_bytes(self):
        proxy = self.start()
        for visitor in self.visitors("client"):
            first = visitor.visit(proxy.port)
            self.assertTrue(first.served and not first.resumed, first.alert)
            names = [f"X-Forwarded-Clientcert-{part}" for part in ("subjectdn", "issuerdn", "fingerprint", "clientverify")]
            full = {name: self.backend.last.get(name) for name in names}
            self.assertIsNotNone(full[names[0]])
            self.check_resumes(proxy, visitor)
            self.assertEqual({name: self.backend.last.get(name) for name in names}, full)

    def test_expired(self):
        name = f"brief{time.monotonic_ns()}"
        self.pki.make(name, "client", "root", "--cn=brief", "--not_before=-1h", "--not_after=8s")
        proxy = self.start()
        visitors = self.visitors(name)
        for visitor in visitors:
            self.assertTrue(visitor.visit(proxy.port).served)
            self.assertTrue(visitor.visit(proxy.port).resumed)
        live = visitors[1].open(proxy.port)
        self.addCleanup(live.close)
        # Its idle connection is ended when the certificate is.
        self.assertEqual(live.receive(), b"")
        for visitor in visitors:
            self.check_refused(proxy, visitor, "certificate expired", "expired", "expired")

    def test_revoked_leaf_and_intermediate(self):
        for authority, revoked, gone, stays in (("root", "client", "client", "client_sub"),
                                                ("root", "sub", "client_sub", "client")):
            with self.subTest(revoked=revoked):
                path = self.crl(authority, name=f"{authority}-{revoked}")
                proxy = self.start(client_auth=f'mode: "require" ca_files: "{self.pki.certificate("root")}" '
                                               f'crl_files: "{path}"')
                ending, staying = self.visitors(gone), self.visitors(stays)
                for visitor in ending + staying:
                    self.assertTrue(visitor.visit(proxy.port).served)
                    self.assertTrue(visitor.visit(proxy.port).resumed)
                self.crl(authority, revoked, name=f"{authority}-{revoked}")
                self.await_reload(proxy)
                for visitor in ending:
                    self.check_refused(proxy, visitor, "certificate revoked", "revoked", "revoked")
                for visitor in staying:
                    self.check_resumes(proxy, visitor)
                (self.folder / f"{authority}.revoked.txt").unlink()

    def test_leaf_scope_does_not_ask_about_intermediates(self):
        path = self.crl("root", "sub")
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{path}" crl_scope: '
        proxy = self.start(client_auth=auth + '"leaf"')
        self.assertTrue(Visitor("client_sub", VERSIONS[1]).visit(proxy.port).served)
        self.rewrite(proxy, self.config(client_auth=auth + '"chain"'))
        self.assertIn("certificate revoked", Visitor("client_sub", VERSIONS[1]).visit(proxy.port).alert)

    def test_ca_removed_and_added(self):
        bundle = self.folder / "cas.pem"
        root, other = (self.pki.folder / f"{name}.crt" for name in ("root", "other"))
        both = root.read_text("ascii") + other.read_text("ascii")
        bundle.write_text(root.read_text("ascii"), "ascii")
        proxy = self.start(client_auth=f'mode: "require" ca_files: "{bundle}"')
        ours = self.visitors("client")
        for visitor in ours:
            visitor.visit(proxy.port)
        self.replace(bundle, both)
        self.await_reload(proxy)
        theirs = self.visitors("client_other")
        for visitor in ours:  # adding one ends nobody's session
            self.check_resumes(proxy, visitor)
        for visitor in theirs:
            self.assertTrue(visitor.visit(proxy.port).served)
            self.check_resumes(proxy, visitor)
        self.replace(bundle, root.read_text("ascii"))
        self.await_reload(proxy)
        for visitor in ours:  # removing one ends exactly its clients'
            self.check_resumes(proxy, visitor)
        for visitor in theirs:
            self.check_refused(proxy, visitor, "unknown ca", "unknown_ca", "ca_removed")

    def test_changed_policy(self):
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}"'
        proxy = self.start(client_auth=auth)
        visitors = self.visitors("client")
        for visitor in visitors:
            visitor.visit(proxy.port)
        self.rewrite(proxy, self.config(client_auth=auth + " verify_depth: 2"))
        for visitor in visitors:
            self.check_full(proxy, visitor, "policy_changed")

    def test_other_host(self):
        hosts = ('tls_hosts {{ server_name: "a.example.test" client_auth {{ mode: "require" ca_files: "{0}" verify_depth: 3 }} }} '
                 'tls_hosts {{ server_name: "b.example.test" client_auth {{ mode: "require" ca_files: "{0}" verify_depth: 3 }} }}')
        proxy = self.start(listener=hosts.format(self.pki.certificate("root")))
        for visitor in self.visitors("client", "a.example.test"):
            visitor.visit(proxy.port)
            self.check_resumes(proxy, visitor)
            before = self.tickets(proxy, "policy_changed")
            for host in ("b.example.test", "localhost"):
                session = visitor.session
                visit = visitor.visit(proxy.port, host=host)
                visitor.session = session
                self.assertTrue(visit.served, visit.alert)
                self.assertFalse(visit.resumed)
            self.assertEqual(self.tickets(proxy, "policy_changed"), before + 2)

    def test_a_host_of_another_policy_is_misdirected(self):
        inner = f'client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}" }}'
        proxy = self.start(client_auth='mode: "off"', listener=f'tls_hosts {{ server_name: "a.example.test" {inner} }}')
        outer = Visitor(None, VERSIONS[1])
        with outer.open(proxy.port) as stream:
            for host in ("a.example.test", "A.example.test:443"):
                self.assertEqual(client.get(stream, host=host).status, 421)
            self.assertEqual(client.get(stream, host="b.example.test").status, 200)
        with Visitor("client", VERSIONS[1]).open(proxy.port, "a.example.test") as stream:
            self.assertEqual(client.get(stream, host="a.example.test").status, 200)
            self.assertEqual(client.get(stream, host="localhost").status, 421)

    def test_other_listener(self):
        text = self.config()
        second = text[text.index("listeners"):text.index("server_groups")].replace('"https"', '"second"')
        proxy = self.start_config(text + second)
        for visitor in self.visitors("client"):
            visitor.visit(proxy.ports[0])
            visit = visitor.visit(proxy.ports[1])
            self.assertTrue(visit.served)
            self.assertFalse(visit.resumed)

    def test_secret_file_survives_a_restart_and_rolls_over(self):
        secrets = self.folder / "secrets"
        secrets.write_text("11" * 32 + "\n", "ascii")
        process = f'tickets {{ secret_file: "{secrets}" tls12_with_secret_file: true }}'
        proxy = self.start(process=process)
        visitors = self.visitors("client")
        for visitor in visitors:
            visitor.visit(proxy.port)
        proxy.stop()
        proxy = self.start(process=process)
        for visitor in visitors:
            self.check_resumes(proxy, visitor)
        for text in ("11" * 32 + "\n" + "22" * 32 + "\n", "22" * 32 + "\n" + "11" * 32 + "\n"):
            self.replace(secrets, text)
            self.await_reload(proxy)
            for visitor in visitors:
                self.check_resumes(proxy, visitor)
        old = [visitor.session for visitor in visitors]
        self.replace(secrets, "33" * 32 + "\n")
        self.await_reload(proxy)
        for visitor, session in zip(visitors, old):
            visitor.session = session
            self.check_full(proxy, visitor, "unknown_secret")

    def test_revoked_across_a_restart(self):
        secrets = self.folder / "secrets"
        secrets.write_text("44" * 32 + "\n", "ascii")
        path = self.crl("root")
        config = {"process": f'tickets {{ secret_file: "{secrets}" tls12_with_secret_file: true }}',
                  "client_auth": f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{path}"'}
        proxy = self.start(**config)
        ending, staying = self.visitors("client"), self.visitors("client_rsa")
        for visitor in ending + staying:
            visitor.visit(proxy.port)
        proxy.stop()
        self.crl("root", "client")
        proxy = self.start(**config)
        for visitor in ending:
            self.check_refused(proxy, visitor, "certificate revoked", "revoked", "revoked")
        for visitor in staying:
            self.check_resumes(proxy, visitor)

    def test_tls12_needs_a_word_under_a_secret_file(self):
        secrets = self.folder / "secrets"
        secrets.write_text("55" * 32 + "\n", "ascii")
        proxy = self.start(process=f'tickets {{ secret_file: "{secrets}" }}')
        old, new = self.visitors("client")
        for visitor in (old, new):
            visitor.visit(proxy.port)
        self.assertFalse(old.visit(proxy.port).resumed)
        self.assertTrue(new.visit(proxy.port).resumed)

    def test_switched_off(self):
        proxy = self.start(process="tickets { enabled: false }")
        for visitor in self.visitors("client"):
            visitor.visit(proxy.port)
            self.assertFalse(visitor.visit(proxy.port).resumed)

    def test_names_and_depth_are_refused_full_and_never_resumed(self):
        self.ca("subca", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'narrow'}", "--cn=Narrow",
                "--permitted_dns=inside.test")
        cases = []
        for name, dns in (("inside", "a.inside.test"), ("outside", "a.outside.test")):
            self.ca("client", f"--ca={self.folder / 'narrow'}", f"--out={self.folder / name}", f"--cn={name}",
                    f"--dns={dns}")
            cases.append(name)
        proxy = self.start()
        for version in VERSIONS:
            for name in cases:
                visitor = Visitor(None, version)
                visitor.tls.load_cert_chain(self.folder / f"{name}.chain.crt", self.folder / f"{name}.key")
                visit = visitor.visit(proxy.port)
                if name == "inside":
                    self.assertTrue(visit.served, visit.alert)
                    self.check_resumes(proxy, visitor)
                else:
                    self.assertIsNotNone(visit.alert)
                    self.assertIn("reason=name_constraint", proxy.await_refusals(1)[-1])
        deep = Visitor("client_deep", VERSIONS[1])
        self.assertTrue(deep.visit(proxy.port).served)
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" verify_depth: 2'
        self.rewrite(proxy, self.config(client_auth=auth))
        self.assertIn("unknown ca", deep.visit(proxy.port).alert)
        files.wait_until(lambda: "reason=chain_too_long" in proxy.errors(), "the reason")


if __name__ == "__main__":
    unittest.main()
