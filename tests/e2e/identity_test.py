"""Identity headers in every dialect: the same bytes on full and resumed connections, and nobody's own copies."""

import base64
import re
import subprocess
import time
import unittest

from lib import client
from lib.trust import VERSIONS, TrustCase, Visitor

DIALECTS = ["alb", "rfc9440", "xfcc", "aws"]
MARKED = ["alb", "aws"]

# Any of these could pass for ours.
FORGED = ["X-Forwarded-Clientcert-subjectdn", "x_forwarded_clientcert_clientverify", "CLIENT-CERT", "client_cert_chain",
          "X-Forwarded-Client-Cert", "x-forwarded_client_cert", "X-Amzn-Mtls-Clientcert-Subject", "X-Amzn-Mtls-Clientcert",
          "X-Tls-Resumed", "x_auth_age", "X-SSL-Client-CN", "ssl-client-verify", "X-Forwarded-Tls-Client-Cert",
          "l5d-client-id"]


class IdentityTest(TrustCase):
    def identity(self):
        """What the server was told of the client: every header that could pass for it."""
        return [(name, value) for name, value in self.backend.last.fields
                if re.match(r"(?i)x-forwarded-client|client-cert|x-amzn-mtls|x-tls-resumed|x-auth-age", name)]

    def listener(self, *dialects):
        return " ".join(f'client_cert_headers: "{dialect}"' for dialect in dialects)

    def der(self, name):
        return subprocess.run(["openssl", "x509", "-in", self.pki.certificate(name), "-outform", "der"], check=True,
                              capture_output=True).stdout

    def test_every_dialect_is_the_same_on_resumption(self):
        for dialects in [[dialect] for dialect in DIALECTS] + [DIALECTS, MARKED]:
            # What nobody has verified is told in dialects that can say so.
            for mode in ("require", "passthrough") if set(dialects) <= set(MARKED) else ("require",):
                anchors = f'ca_files: "{self.pki.certificate("root")}"' if mode == "require" else ""
                proxy = self.start(client_auth=f'mode: "{mode}" {anchors}',
                                   listener=self.listener(*dialects, "tls_resumed", "auth_age"))
                for version in VERSIONS:
                    with self.subTest(dialects=dialects, mode=mode, version=version):
                        visitor = Visitor("client_sub", version)
                        self.assertTrue(visitor.visit(proxy.port).served)
                        full = dict(self.identity())
                        for _ in range(6):
                            self.assertTrue(visitor.visit(proxy.port).resumed)
                            resumed = dict(self.identity())
                            self.assertEqual((full["X-Tls-Resumed"], resumed["X-Tls-Resumed"]), ("0", "1"))
                            self.assertLess(int(resumed["X-Auth-Age"]), 60)
                            for name in ("X-Tls-Resumed", "X-Auth-Age"):
                                resumed.pop(name)
                            self.assertEqual(resumed, {name: value for name, value in full.items()
                                                       if name not in ("X-Tls-Resumed", "X-Auth-Age")})
                            self.assertGreater(len(resumed), 0)
                proxy.stop()

    def test_every_request_of_a_connection_is_told_the_same(self):
        proxy = self.start(listener=self.listener(*DIALECTS))
        with Visitor("client", VERSIONS[1]).open(proxy.port) as stream:
            told = []
            for _ in range(3):
                client.get(stream)
                told.append(self.identity())
            self.assertEqual(told[0], told[1])
            self.assertEqual(told[0], told[2])

    def test_what_the_dialects_say(self):
        proxy = self.start(listener=self.listener(*DIALECTS))
        self.assertTrue(Visitor("client_sub", VERSIONS[1]).visit(proxy.port).served)
        last = self.backend.last
        fingerprint = self.pki.fingerprint("client_sub")
        self.assertEqual(last.get("Client-Cert"), f":{base64.b64encode(self.der('client_sub')).decode()}:")
        self.assertEqual(last.get("Client-Cert-Chain"), f":{base64.b64encode(self.der('sub')).decode()}:")
        self.assertTrue(last.get("X-Forwarded-Client-Cert").startswith(f"Hash={fingerprint};Subject=\""))
        self.assertEqual(last.get("X-Amzn-Mtls-Clientcert-Serial-Number"), self.pki.serial("client_sub"))
        self.assertEqual(last.get("X-Amzn-Mtls-Clientcert-Issuer"), self.pki.issuer("client_sub"))
        self.assertRegex(last.get("X-Amzn-Mtls-Clientcert-Validity"),
                         r"^NotBefore=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ;NotAfter=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_nobody_brings_an_identity_along(self):
        for auth in ('mode: "off"', None):
            proxy = self.start(client_auth=auth, listener=self.listener("alb"))
            certificate = None if auth else "client"
            fields = "".join(f"{name}: forged\r\n" for name in FORGED + FORGED[:2])
            with Visitor(certificate, VERSIONS[1]).open(proxy.port) as stream:
                client.get(stream, fields=fields)
            self.assertNotIn("forged", [value for _, value in self.backend.last.fields])
            with Visitor(certificate, VERSIONS[1]).open(proxy.port) as stream:
                trailers = "".join(f"{name}: forged\r\n" for name in FORGED)
                stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                            f"1\r\nx\r\n0\r\n{trailers}X-Sum: 1\r\n\r\n")
                stream.read_response("POST")
            self.assertEqual(self.backend.last.trailers, [("X-Sum", "1")])
            proxy.stop()

    def test_auth_age_counts_from_the_full_handshake(self):
        proxy = self.start(listener=self.listener("auth_age"))
        visitor = Visitor("client", VERSIONS[1])
        visitor.visit(proxy.port)
        time.sleep(2.1)
        self.assertTrue(visitor.visit(proxy.port).resumed)
        self.assertGreaterEqual(int(self.backend.last.get("X-Auth-Age")), 2)


class CurlTest(TrustCase):
    def test_curl_resumes(self):
        # Each request on a connection of its own: one curl, which keeps its sessions while it runs. (For TLS 1.2 it
        # switches tickets off.)
        proxy = self.start(listener="max_requests_per_connection: 1")
        subprocess.run(["curl", "-sS", "--fail", "--tlsv1.3", "--http1.1", "--cacert", self.pki.certificate("root"),
                        "--cert", self.pki.certificate("client"), "--key", self.pki.key("client"),
                        "--resolve", f"localhost:{proxy.port}:127.0.0.1",
                        *[f"https://localhost:{proxy.port}/{number}" for number in range(4)]],
                       check=True, capture_output=True, timeout=60)
        self.assertEqual(self.tickets(proxy, "resumed"), 3)

    def test_openssl_resumes(self):
        proxy = self.start()
        for version in ("-tls1_2", "-tls1_3"):
            session = self.folder / f"session{version}"
            for direction, kind in (("-sess_out", "New"), ("-sess_in", "Reused")):
                result = subprocess.run(
                    ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "localhost", version,
                     "-cert", self.pki.certificate("client"), "-key", self.pki.key("client"), direction, session,
                     "-ign_eof"],
                    input="GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", check=False,
                    capture_output=True, text=True, timeout=60)
                self.assertIn(f"\n{kind}, TLSv1", result.stdout)
                self.assertIn("HTTP/1.1 200", result.stdout)


if __name__ == "__main__":
    unittest.main()
