"""Which keys clients may have, and how paths are found for them: with openssl's own client, in both versions."""

import re
import socket
import ssl
import subprocess
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case
from lib.tls_backend import TlsBackend

LEAF = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
P256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
KEYS = {
    "p256": P256,
    "p384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "p521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("-algorithm", "ED25519"),
    "rsa": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
}
UNSUPPORTED = {
    "pss": ("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
    "k1": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
    "ed448": ("-algorithm", "ED448"),
    "spelled_out": (*P256, "-pkeyopt", "ec_param_enc:explicit"),
}
VERSIONS = ("-tls1_2", "-tls1_3")


class KeysCase(Case):
    def openssl(self, *arguments, text=None):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, input=text,
                              text=True, timeout=files.PATIENCE_S).stdout

    def root(self, name, subject=None):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     f"{name}.key", "-out", f"{name}.crt", "-days", "30", "-subj", subject or f"/CN={name}", "-addext",
                     "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        return self.folder / f"{name}.crt"

    def sign(self, name, authority, extensions=LEAF, key=P256, subject=None):
        """A certificate `name`.crt with a key of its own."""
        self.openssl("genpkey", *key, "-out", f"{name}.key")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", subject or f"/CN={name}", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(extensions, "utf-8")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                     "-set_serial", str(len(list(self.folder.glob("*.csr"))) + 100), "-days", "30", "-extfile",
                     f"{name}.ext", "-out", f"{name}.crt")

    def gate(self, *authorities):
        backend = self.start_backend()
        return self.start_proxy(backend, flags=[f"--client_ca={','.join(str(path) for path in authorities)}"])

    def ask(self, proxy, name, *more):
        """What openssl's client sees of a request; the status line is in it if it was let in."""
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "localhost", "-cert",
             f"{name}.crt", "-key", f"{name}.key", "-ign_eof", *more], cwd=self.folder, check=False, text=True,
            input="GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True,
            timeout=files.PATIENCE_S).stdout

    def check_served(self, proxy, name, *more):
        with self.subTest(client=name, more=more):
            self.assertIn("\nHTTP/1.1 200 ", self.ask(proxy, name, *more))


class KeysTest(KeysCase):
    def test_every_key_in_both_versions(self):
        proxy = self.gate(self.root("ca"))
        for name, key in KEYS.items():
            self.sign(name, "ca", key=key)
            for version in VERSIONS:
                self.check_served(proxy, name, version)

    def test_every_key_of_a_server_and_towards_one(self):
        for name, key in KEYS.items():
            self.root(f"root_{name}")
            self.sign(name, f"root_{name}", "subjectAltName=DNS:localhost\n", key)
            root = self.folder / f"root_{name}.crt"
            pair = (self.folder / f"{name}.crt", self.folder / f"{name}.key")
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = context.maximum_version = version
                context.load_cert_chain(*pair)
                context.load_verify_locations(root)
                context.verify_mode = ssl.CERT_REQUIRED
                server = TlsBackend(lambda request: response(request.target), context=context)
                self.addCleanup(server.stop)
                proxy = self.start_proxy(server, client_auth="off", flags=[
                    "--upstream_tls", f"--upstream_ca={root}", "--upstream_server_name=localhost",
                    f"--upstream_cert={pair[0]}", f"--upstream_key={pair[1]}"])
                with self.subTest(key=name, version=version.name):
                    self.assertEqual(client.fetch(proxy.port).status, 200)
                # Rings are locked memory, of which a user has little.
                proxy.stop()

    def test_no_proof_by_sha1(self):
        proxy = self.gate(self.root("ca"))
        self.sign("rsa", "ca", key=KEYS["rsa"])
        said = self.ask(proxy, "rsa", "-tls1_2", "-client_sigalgs", "RSA+SHA1", "-cipher", "DEFAULT@SECLEVEL=0")
        self.assertNotIn("HTTP/1.1", said)
        self.assertNotIn("SHA1", re.search(r"^Requested Signature Algorithms: .*$", said, re.MULTILINE).group(0))

    def test_a_key_that_may_not_sign(self):
        """The library refuses it, or we do, at other times in other versions: told alike."""
        proxy = self.gate(self.root("ca"))
        count = 0
        for usage in ("keyEncipherment", "keyAgreement"):
            self.sign(usage, "ca", f"keyUsage=critical,{usage}\nextendedKeyUsage=clientAuth\n")
            for version in VERSIONS:
                self.assertNotIn("HTTP/1.1", self.ask(proxy, usage, version))
                count += 1
                line = proxy.await_refusals(count)[-1]
                self.assertIn("reason=wrong_purpose", line)
                self.assertIn(f'subject="CN={usage}" issuer="CN=ca"', line)

    def test_a_key_of_another_kind(self):
        """The library cannot read it, and says no more than "decode error"."""
        proxy = self.gate(self.root("ca"))
        for count, (name, key) in enumerate(UNSUPPORTED.items(), 1):
            self.sign(name, "ca", key=key)
            self.send_certificate(proxy, name)
            line = proxy.await_refusals(count)[-1]
            self.assertIn("reason=unsupported_key", line)
            self.assertIn(f'subject="CN={name}" issuer="CN=ca"', line)

    def send_certificate(self, proxy, name):
        """What openssl's client would not send, as nobody has asked for such a key: by hand, in TLS 1.2."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        terms = client.context(maximum=ssl.TLSVersion.TLSv1_2)
        tls = terms.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        der = ssl.PEM_cert_to_DER_cert((self.folder / f"{name}.crt").read_text("ascii"))
        chain = len(der).to_bytes(3, "big") + der
        body = len(chain).to_bytes(3, "big") + chain
        message = b"\x0b" + len(body).to_bytes(3, "big") + body
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=files.PATIENCE_S) as stream:
            stream.sendall(outgoing.read())
            said = b""
            while not said.endswith(b"\x0e\0\0\0"):  # ServerHelloDone
                more = stream.recv(65536)
                self.assertTrue(more)
                said += more
            stream.sendall(b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)
            while stream.recv(65536):
                pass

    def test_what_nobody_here_understands(self):
        proxy = self.gate(self.root("ca"))
        for count, (name, reason, extension) in enumerate((
                ("unknown", "critical_extension", "1.2.3.4=critical,ASN1:UTF8String:x\n"),
                ("policy", "certificate_policy", "policyConstraints=critical,requireExplicitPolicy:0\n")), 1):
            self.sign(name, "ca", LEAF + extension)
            self.assertNotIn("HTTP/1.1", self.ask(proxy, name))
            line = proxy.await_refusals(count)[-1]
            self.assertIn(f"reason={reason}", line)
            self.assertIn(f'subject="CN={name}" issuer="CN=ca"', line)

    def test_nor_unverified(self):
        """Where nobody looks at the certificate, the library does: the refusal names it, and nothing that came later."""
        proxy = self.start_proxy(self.start_backend(), client_auth="passthrough", flags=["--client_ca="])
        self.root("ca")
        for count, version in enumerate(VERSIONS, 1):
            self.assertNotIn("HTTP/1.1", self.ask(proxy, "ca", version))
            line = proxy.await_refusals(count)[-1]
            self.assertIn("reason=wrong_purpose", line)
            self.assertIn('subject="CN=ca" issuer="CN=ca"', line)


class PathsTest(KeysCase):
    def test_two_authorities_of_one_name(self):
        plain = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=none\n"
        roots = [self.root(name, "/CN=Same") for name in ("first", "second")]
        for order in (roots, roots[::-1]):
            proxy = self.gate(*order)
            for name in ("first", "second"):
                self.sign(f"of_{name}", name, plain)
                self.check_served(proxy, f"of_{name}")
            proxy.stop()

    def test_a_common_name_is_no_host_name(self):
        """Constraints of a CA apply to names of their own type (RFC 5280, 4.2.1.10)."""
        proxy = self.gate(self.root("ca"))
        for index, constraint in enumerate(("permitted;email:example.test", "excluded;IP:0.0.0.0/0.0.0.0",
                                            "permitted;DNS:example.test")):
            sub, leaf = f"sub{index}", f"device{index}"
            self.sign(sub, "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                                 f"nameConstraints=critical,{constraint}\n")
            self.sign(leaf, sub)
            with open(self.folder / f"{leaf}.crt", "a", encoding="ascii") as chain:
                chain.write((self.folder / f"{sub}.crt").read_text("ascii"))
            self.check_served(proxy, leaf, "-cert_chain", f"{leaf}.crt")

    def test_but_a_host_name_is_one(self):
        proxy = self.gate(self.root("ca"))
        self.sign("sub", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                               "nameConstraints=critical,permitted;DNS:example.test\n")
        self.sign("other", "sub", LEAF + "subjectAltName=DNS:other.test\n")
        self.assertNotIn("HTTP/1.1", self.ask(proxy, "other", "-cert_chain", "sub.crt"))
        self.assertIn("reason=name_constraint", proxy.await_refusals(1)[0])


if __name__ == "__main__":
    unittest.main()
