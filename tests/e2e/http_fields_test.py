"""What the proxy adds to a message, what it takes away, and that nobody can forge the first."""

import re
import unittest

from lib import client
from lib.backend import response
from lib.case import Case

PREFIX = "X-Forwarded-Clientcert-"

# Names under which a server might look for the client's identity, in any dialect.
FORGERIES = [
    "X-Forwarded-Clientcert-subjectdn", "x-forwarded-clientcert-SUBJECTDN", "X_Forwarded_Clientcert_subjectdn",
    "X-Forwarded_Clientcert-issuerdn", "X-Forwarded-Clientcert-fingerprint", "X-Forwarded-Clientcert-clientverify",
    "X-Forwarded-Clientcert-serialnumber", "X-Forwarded-Clientcert", "X-Forwarded-Client-Cert", "x_forwarded_client_cert",
    "X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Leaf", "x-amzn-mtls-clientcert-serial-number",
    "X_AMZN_MTLS_CLIENTCERT_SUBJECT", "Client-Cert", "Client-Cert-Chain", "client_cert", "CLIENT-CERT", "X-Client-Cert",
    "X-Client-Cert-Dn", "X-Client-Verify", "X-SSL-Client-Cert", "X-SSL-Client-CN", "X-SSL-Client-Verify", "x_ssl_client_dn",
    "SSL-Client-Cert", "SSL-Client-Subject-DN", "X-TLS-Client-Cert", "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info", "l5d-client-id", "X-Tls-Resumed", "X-Auth-Age",
]


class IdentityTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def identity_of(self, proxy, certificate, fields=""):
        self.assertEqual(client.fetch(proxy.port, tls=client.context(certificate), fields=fields).status, 200)
        return {name: self.backend.last.get(PREFIX + name)
                for name in ("subjectdn", "issuerdn", "fingerprint", "clientverify")}

    def expected(self, certificate):
        return {"subjectdn": self.pki.subject(certificate), "issuerdn": self.pki.issuer(certificate),
                "fingerprint": self.pki.fingerprint(certificate), "clientverify": "SUCCESS"}

    def test_exact_values(self):
        proxy = self.start_proxy(self.backend)
        for certificate in ("client", "client_rsa", "client_sub", "client_deep"):
            with self.subTest(certificate):
                self.assertEqual(self.identity_of(proxy, certificate), self.expected(certificate))
        self.assertIn("\\,", self.pki.subject("client"))

    def test_odd_names(self):
        for index, name in enumerate(['"quoted" \\ and; #', " leading", "trailing ", "#hash", "a=b", "\u00e4\u4e2d", "<a>"]):
            certificate = f"odd_{index}"
            with self.subTest(name):
                if index == 0:
                    proxy = self.start_proxy(self.backend)
                self.pki.make(certificate, "client", "root", f"--cn={name}")
                identity = self.identity_of(proxy, certificate)
                self.assertEqual(identity, self.expected(certificate))
                self.assertTrue(all(0x20 <= ord(c) < 0x7f for c in identity["subjectdn"]))

    def test_many_requests_of_many_clients(self):
        proxy = self.start_proxy(self.backend)
        names = ("client", "client_rsa", "client_sub")
        streams = [client.connect(proxy.port, client.context(name)) for name in names]
        for _ in range(10):
            for name, stream in zip(names, streams):
                client.get(stream)
                self.assertEqual(self.backend.last.get(PREFIX + "fingerprint"), self.pki.fingerprint(name))
        for stream in streams:
            stream.close()

    def check_forgeries(self, proxy, tls, allowed=()):
        fields = "".join(f"{name}: CN=admin\r\n" for name in FORGERIES)
        with client.connect(proxy.port, tls) as stream:
            self.assertEqual(client.get(stream, fields=fields + "X-Mine: 1\r\n").status, 200)
            request = self.backend.last
            self.assertEqual(request.get("X-Mine"), "1")
            self.assertEqual([field for field in request.fields if "CN=admin" in field[1]], [])
            ours = {name for name, _ in request.fields if re.search("cert|ssl|tls|l5d|verify", name.lower())}
            self.assertEqual(ours, set(allowed))
            # In trailers, too.
            stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Mine: 1\r\n" +
                        fields + "\r\n")
            self.assertEqual(stream.read_response().status, 200)
            self.assertEqual(self.backend.last.trailers, [("X-Mine", "1")])

    def test_forgeries(self):
        verify = PREFIX + "clientverify"
        every = [PREFIX + name for name in ("subjectdn", "issuerdn", "fingerprint", "clientverify")]
        self.check_forgeries(self.start_proxy(self.backend), client.context(), every)
        self.check_forgeries(self.start_proxy(self.backend, client_auth="request"), client.context(None), [verify])
        self.check_forgeries(self.start_proxy(self.backend, client_auth="off"), client.context(None))

    def test_forgeries_by_connection_options(self):
        # A client may not have our own headers removed by naming them as its own hop's.
        proxy = self.start_proxy(self.backend)
        named = ", ".join(["close", PREFIX + "subjectdn", "X-Forwarded-For", "X-Forwarded-Proto", "Via", "Host"])
        self.identity_of(proxy, "client", f"Connection: {named}\r\n")
        request = self.backend.last
        self.assertEqual(request.get(PREFIX + "subjectdn"), self.pki.subject("client"))
        self.assertEqual((request.get("X-Forwarded-For"), request.get("Host")), ("127.0.0.1", "localhost"))

    def test_renamed(self):
        proxy = self.start_proxy(self.backend, flags=[
            "--identity_header_subject_dn=X-Device", "--identity_header_issuer_dn=",
            "--identity_header_fingerprint=X-Print", "--identity_header_client_verify=X-Verified"])
        fields = "X-Device: CN=admin\r\nx_device: CN=admin\r\nX-PRINT: 00\r\n" + PREFIX + "subjectdn: CN=admin\r\n"
        self.assertEqual(self.identity_of(proxy, "client", fields), dict.fromkeys(self.expected("client")))
        request = self.backend.last
        self.assertEqual(request.get("X-Device"), self.pki.subject("client"))
        self.assertEqual(request.get("X-Print"), self.pki.fingerprint("client"))
        self.assertEqual(request.get("X-Verified"), "SUCCESS")
        self.assertEqual([value for _, value in request.fields if value in ("CN=admin", "00")], [])


class ForwardingTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def forwarded(self, proxy, fields="", version="1.1"):
        with client.connect(proxy.port) as stream:
            stream.send(f"GET / HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n")
            self.assertEqual(stream.read_response().status, 200)
        return self.backend.last

    def test_added(self):
        proxy = self.start_proxy(self.backend)
        request = self.forwarded(proxy)
        self.assertEqual(request.get("X-Forwarded-For"), "127.0.0.1")
        self.assertEqual(request.get("X-Forwarded-Proto"), "https")
        self.assertEqual(request.get("X-Forwarded-Port"), str(proxy.port))
        self.assertRegex(request.get("Via"), "^1.1 postern-[0-9a-f]{16}$")
        self.assertEqual(request.get("Host"), "localhost")
        self.assertEqual(request.fields[0][0], "Host")

    def test_replaced(self):
        proxy = self.start_proxy(self.backend)
        request = self.forwarded(proxy, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\nx-forwarded-proto: http\r\n"
                                        "X-Forwarded-Port: 1\r\nX_Forwarded_For: 9.9.9.9\r\nX-Forwarded_Proto: ftp\r\n")
        forwarded = [(name, value) for name, value in request.fields if name.lower().replace("_", "-").startswith("x-forwarded-")
                     and "cert" not in name.lower()]
        self.assertEqual(forwarded, [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "https"),
                                     ("X-Forwarded-Port", str(proxy.port))])

    def test_appended_for_trusted_peers(self):
        proxy = self.start_proxy(self.backend, flags=["--trusted_proxies=10.0.0.0/8,127.0.0.0/8"])
        request = self.forwarded(proxy, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8, 9.9.9.9\r\n")
        self.assertEqual(request.get("X-Forwarded-For"), "1.2.3.4, 5.6.7.8, 9.9.9.9, 127.0.0.1")
        self.assertEqual(self.forwarded(proxy).get("X-Forwarded-For"), "127.0.0.1")
        self.assertEqual(self.forwarded(proxy, "X-Forwarded-For:\r\n").get("X-Forwarded-For"), "127.0.0.1")
        other = self.start_proxy(self.backend, flags=["--trusted_proxies=10.0.0.0/8,::1"])
        self.assertEqual(self.forwarded(other, "X-Forwarded-For: 1.2.3.4\r\n").get("X-Forwarded-For"), "127.0.0.1")

    def test_via(self):
        proxy = self.start_proxy(self.backend)
        self.assertRegex(self.forwarded(proxy, "Via: 1.0 fred\r\nVia: 1.1 p.example.test (x)\r\n").get("Via"),
                         r"^1.0 fred, 1.1 p.example.test \(x\), 1.1 postern-[0-9a-f]{16}$")

    def test_hop_by_hop_of_requests(self):
        proxy = self.start_proxy(self.backend)
        request = self.forwarded(proxy, "Connection: X-Mine, keep-alive\r\nConnection: x-second\r\nX-Mine: 1\r\nX-Second: 2\r\n"
                                        "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
                                        "Upgrade: websocket\r\nProxy-Authorization: Basic YQ==\r\nX-Kept: 3\r\n"
                                        "Authorization: Bearer x\r\n")
        names = {name.lower() for name, _ in request.fields}
        self.assertEqual(names & {"x-mine", "x-second", "keep-alive", "proxy-connection", "te", "upgrade",
                                  "proxy-authorization", "connection"}, set())
        self.assertEqual((request.get("X-Kept"), request.get("Authorization")), ("3", "Bearer x"))

    def test_hop_by_hop_of_responses(self):
        fields = ("Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
                  "Upgrade: h2c\r\nX-Kept: 3\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: s\r\nVia: 1.0 fred\r\n")
        proxy = self.start_proxy(self.start_backend(lambda _: response("abc", fields=fields)))
        answer = client.fetch(proxy.port)
        self.assertEqual(sorted(answer.fields), sorted([
            ("Content-Length", "3"), ("X-Kept", "3"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("Server", "s"),
            ("Via", "1.0 fred, 1.1 postern")]))

    def test_connection_options_cannot_break_framing(self):
        proxy = self.start_proxy(self.backend)
        with client.connect(proxy.port) as stream:
            for body, fields in [("abc", "Content-Length: 3\r\n"), ("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n")]:
                stream.send("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: content-length, transfer-encoding, host\r\n"
                            f"{fields}\r\n{body}")
                self.assertEqual(stream.read_response().status, 200)
                self.assertEqual((self.backend.last.body, self.backend.last.get("Host")), (b"abc", "localhost"))

    def test_answers_of_the_proxy_itself(self):
        proxy = self.start_proxy(self.backend, flags=["--host=a.example.test"])
        answer = client.fetch(proxy.port)
        self.assertEqual((answer.status, answer.get("Content-Type"), answer.get("Cache-Control"), answer.body),
                         (404, "text/plain", "no-store", b"404 Not Found\n"))
        answer = client.fetch(proxy.port, method="HEAD")
        self.assertEqual((answer.status, answer.get("Content-Length")), (404, "14"))


if __name__ == "__main__":
    unittest.main()
