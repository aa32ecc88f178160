"""Which clients get in, what the others are told, and what the log says about them."""

import re
import ssl
import unittest

from lib import client
from lib.case import Case

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3

# Each certificate that must be refused: (certificate, send its chain, OpenSSL's name of the alert, reason in the log).
BAD = [
    ("client_other", True, "tlsv1 alert unknown ca", "unknown_ca"),
    ("client_expired", True, "sslv3 alert certificate expired", "expired"),
    ("client_future", True, "sslv3 alert bad certificate", "not_yet_valid"),
    ("client_purpose", True, "sslv3 alert unsupported certificate", "wrong_purpose"),
    ("client_sub", False, "tlsv1 alert unknown ca", "unknown_ca"),
]

REFUSAL = re.compile(
    r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info refused address=(?P<address>\S+) listener=(?P<listener>\S+) '
    r'sni="(?P<sni>[^"]*)" reason=(?P<reason>\w+)'
    r'( depth=(?P<depth>\d+) subject="(?P<subject>.*)" issuer="(?P<issuer>[^"]*)" serial=(?P<serial>[0-9A-F]+))?'
    r' handshake=(?P<handshake>full|resumed)( ja4=(?P<ja4>\w+))?')


def in_log(text):
    """A name as the log writes it: what could end the quotes is escaped."""
    return re.sub(r'["\\]', lambda found: f"\\x{ord(found.group(0)):02x}", text)


class TlsCase(Case):
    def check_served(self, proxy, tls, verified=True):
        response = client.fetch(proxy.port, tls=tls)
        self.assertEqual((response.status, response.body), (200, b"server"))
        verify = self.backend.last.get("X-Forwarded-Clientcert-clientverify")
        self.assertEqual(verify, "SUCCESS" if verified else "NONE")
        return self.backend.last

    def check_refusal(self, proxy, index, **expected):
        line = proxy.await_refusals(index + 1)[index]
        found = REFUSAL.fullmatch(line)
        self.assertIsNotNone(found, line)
        self.assertRegex(found["address"], r"\A127\.0\.0\.1:\d+\Z")
        for name, value in expected.items():
            self.assertEqual(found[name], value, line)

    def check_bad_certificates(self, proxy):
        """All of BAD with both versions: the right alert, one line each, nobody served."""
        index = 0
        for name, with_chain, alert, reason in BAD:
            for version in (TLS12, TLS13):
                with self.subTest(certificate=name, version=version):
                    tls = client.context(name, maximum=version, minimum=version, chain=with_chain)
                    self.assertEqual(client.refusal(proxy.port, tls), alert)
                    self.check_refusal(proxy, index, reason=reason, sni="localhost", listener="default",
                                       subject=in_log(self.pki.subject(name)), issuer=in_log(self.pki.issuer(name)),
                                       serial=self.pki.serial(name))
                    index += 1
        self.assertEqual(self.backend.requests, [])
        return index


class RequireTest(TlsCase):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()
        self.proxy = self.start_proxy(self.backend)

    def test_good_clients(self):
        for name in ("client", "client_rsa", "client_sub"):
            for version in (TLS12, TLS13):
                with self.subTest(certificate=name, version=version):
                    tls = client.context(name, maximum=version, minimum=version)
                    request = self.check_served(self.proxy, tls)
                    self.assertEqual(request.get("X-Forwarded-Clientcert-subjectdn"), self.pki.subject(name))
        self.assertEqual(self.proxy.refusals(), [])

    def test_no_certificate(self):
        # TLS 1.2 has no alert of its own for this (RFC 5246, 7.4.6).
        wanted = {TLS12: "sslv3 alert handshake failure", TLS13: "tlsv13 alert certificate required"}
        for index, (version, alert) in enumerate(wanted.items()):
            with self.subTest(version=version):
                tls = client.context(None, maximum=version, minimum=version)
                self.assertEqual(client.refusal(self.proxy.port, tls), alert)
                self.check_refusal(self.proxy, index, reason="no_certificate", sni="localhost", subject=None)
        self.check_served(self.proxy, client.context())
        self.assertEqual(len(self.backend.requests), 1)
        self.assertEqual(len(self.proxy.refusals()), 2)

    def test_bad_certificates(self):
        count = self.check_bad_certificates(self.proxy)
        self.check_served(self.proxy, client.context())
        self.assertEqual(len(self.proxy.refusals()), count)

    def test_depth_that_is_allowed(self):
        # The client's own and three intermediates: exactly the four of the default.
        self.check_served(self.proxy, client.context("client_deep"))

    def test_certificate_is_served_on_many_connections(self):
        tls = client.context()
        for _ in range(20):
            self.check_served(self.proxy, tls)


class OtherModesTest(TlsCase):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def test_chain_too_deep(self):
        proxy = self.start_proxy(self.backend, flags=["--verify_depth=3"])
        for index, version in enumerate((TLS12, TLS13)):
            tls = client.context("client_deep", maximum=version, minimum=version)
            self.assertEqual(client.refusal(proxy.port, tls), "tlsv1 alert unknown ca")
            self.check_refusal(proxy, index, reason="chain_too_long", subject="CN=deep client")
        self.check_served(proxy, client.context("client_sub"))

    def test_depth_one_is_directly_below_the_anchor(self):
        proxy = self.start_proxy(self.backend, flags=["--verify_depth=1"])
        self.check_served(proxy, client.context())
        self.assertEqual(client.refusal(proxy.port, client.context("client_sub")), "tlsv1 alert unknown ca")
        self.check_refusal(proxy, 0, reason="chain_too_long")

    def test_intermediate_as_anchor(self):
        proxy = self.start_proxy(self.backend, flags=[f"--client_ca={self.pki.certificate('sub')}"])
        self.check_served(proxy, client.context("client_sub"))
        self.check_served(proxy, client.context("client_sub", chain=False))
        # Its issuer is not in the bundle, so a sibling has no path.
        self.assertEqual(client.refusal(proxy.port, client.context("client")), "tlsv1 alert unknown ca")

    def test_several_anchors(self):
        proxy = self.start_proxy(self.backend, flags=[f"--client_ca={self.pki.bundle('root', 'other')}"])
        for name in ("client", "client_other", "client_sub"):
            self.check_served(proxy, client.context(name))

    def test_request(self):
        proxy = self.start_proxy(self.backend, client_auth="request")
        for version in (TLS12, TLS13):
            request = self.check_served(proxy, client.context(None, maximum=version, minimum=version), verified=False)
            for name in ("subjectdn", "issuerdn", "fingerprint"):
                self.assertEqual(request.all(f"X-Forwarded-Clientcert-{name}"), [])
            self.check_served(proxy, client.context(maximum=version, minimum=version))
        del self.backend.requests[:]
        self.check_bad_certificates(proxy)

    def test_off(self):
        proxy = self.start_proxy(self.backend, client_auth="off")
        # Nobody is asked, so it does not matter what a client would have shown.
        for name in (None, "client", "client_expired"):
            response = client.fetch(proxy.port, tls=client.context(name))
            self.assertEqual(response.status, 200)
            self.assertEqual([f for f, _ in self.backend.last.fields if "clientcert" in f.lower()], [])
        self.assertEqual(proxy.refusals(), [])


if __name__ == "__main__":
    unittest.main()
