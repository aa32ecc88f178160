"""The handshake itself: versions, certificates to choose from, ALPN, garbage, slow peers."""

import os
import re
import socket
import ssl
import subprocess
import time
import unittest
import warnings

from lib import client, files
from lib.case import Case
from lib.wire import Stream


def s_client(proxy, *arguments):
    """`openssl s_client`: everything that it says until the handshake is over."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", *arguments],
                            stdin=subprocess.DEVNULL, capture_output=True, timeout=files.PATIENCE_S, check=False)
    return (result.stdout + result.stderr).decode("utf-8", "replace")


def client_hello():
    """The bytes of a ClientHello."""
    outgoing = ssl.MemoryBIO()
    tls = client.context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class HandshakeTest(Case):
    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()

    def identity(self, name="client"):
        return ["-cert", self.pki.certificate(name), "-key", self.pki.key(name)]

    def check_good(self, proxy):
        self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_two_server_certificates(self):
        rsa = [f"--cert={self.pki.chain('server')},{self.pki.chain('server_rsa')}",
               f"--key={self.pki.key('server')},{self.pki.key('server_rsa')}"]
        proxy = self.start_proxy(self.backend, flags=rsa)
        for arguments, digest in [
                (["-tls1_3"], "ecdsa"), (["-tls1_2"], "ecdsa"),
                (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "RSA-PSS"),
                (["-tls1_2", "-sigalgs", "RSA-PSS+SHA256"], "RSA-PSS"),
                (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "RSA"),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ecdsa"),
                (["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "ecdsa")]:
            with self.subTest(arguments=arguments):
                # -sigalgs is also about the signature of the client, which has to have the right key.
                said = s_client(proxy, *self.identity("client" if digest == "ecdsa" else "client_rsa"), *arguments)
                self.assertRegex(said.lower(), f"peer signature type: {digest.lower()}")
        self.assertEqual(proxy.refusals(), [])

    def test_old_versions(self):
        proxy = self.start_proxy(self.backend)
        for flag in ("-tls1", "-tls1_1"):
            said = s_client(proxy, *self.identity(), flag, "-cipher", "DEFAULT:@SECLEVEL=0")
            self.assertIn("alert protocol version", said)
        lines = proxy.await_refusals(2)
        self.assertTrue(all("reason=unsupported_version" in line for line in lines), lines)
        self.check_good(proxy)

    def test_policy_with_old_versions(self):
        proxy = self.start_proxy(self.backend, flags=["--tls_policy=tls_cipher_policy_1_0_to_1_3"])
        for flag, version in [("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"),
                              ("-tls1_3", "TLSv1.3")]:
            with self.subTest(version=version):
                said = s_client(proxy, *self.identity(), flag, "-cipher", "DEFAULT:@SECLEVEL=0")
                self.assertRegex(said, rf"New, \S+, Cipher is [A-Z]\S+")
                self.assertIn(version, said)

    def test_policy_without_tls_1_3(self):
        proxy = self.start_proxy(self.backend, flags=["--tls_policy=tls_cipher_policy_1_2_strict"])
        with client.connect(proxy.port) as stream:
            self.assertEqual(stream.sock.version(), "TLSv1.2")
        self.assertIn("alert protocol version", s_client(proxy, *self.identity(), "-tls1_3"))

    def test_no_shared_cipher(self):
        proxy = self.start_proxy(self.backend)
        said = s_client(proxy, *self.identity(), "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")
        self.assertIn("alert handshake failure", said)
        self.assertIn("reason=no_shared_cipher", proxy.await_refusals(1)[0])

    def test_alpn(self):
        proxy = self.start_proxy(self.backend)
        with client.connect(proxy.port, client.context(alpn=["http/1.1", "h2"])) as stream:
            self.assertEqual(stream.sock.selected_alpn_protocol(), "h2")
        proxy = self.start_proxy(self.backend, flags=["--http2=false"])
        for offered, chosen in [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["http/1.0"], "http/1.0"),
                                (None, None)]:
            with client.connect(proxy.port, client.context(alpn=offered)) as stream:
                self.assertEqual(stream.sock.selected_alpn_protocol(), chosen)
                self.assertEqual(client.get(stream).status, 200)
        for index, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
            tls = client.context(alpn=["h2"], maximum=version, minimum=version)
            self.assertEqual(client.refusal(proxy.port, tls), "tlsv1 alert no application protocol")
            self.assertIn("reason=no_application_protocol", proxy.await_refusals(index + 1)[index])

    def test_names_of_authorities(self):
        bundle = self.pki.bundle("root", "other", "sub")
        proxy = self.start_proxy(self.backend, flags=[f"--client_ca={bundle}"])
        for version in ("-tls1_2", "-tls1_3"):
            said = s_client(proxy, *self.identity(), version)
            self.assertIn("Acceptable client certificate CA names", said)
            for name in ("Root", "Other Root", "Sub"):
                self.assertRegex(said, f"CN = {name}\n")
        silent = self.start_proxy(self.backend, flags=[f"--client_ca={bundle}", "--advertise_cas=false"])
        for version in ("-tls1_2", "-tls1_3"):
            self.assertIn("No client certificate CA names sent", s_client(silent, *self.identity(), version))
        self.check_good(silent)

    def test_names_of_intermediate_authorities(self):
        """A client that chooses by these names (Go's, browsers) has a certificate of one of them, and sends nothing else."""
        proxy = self.start_config(f"""
            listeners {{
              name: "l" address: "127.0.0.1:0" default_server_group: "g"
              certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }}
              client_auth {{ mode: "require" ca_files: "{self.pki.certificate("root")}"
                             intermediate_files: "{self.pki.certificate("sub")}" }}
            }}
            server_groups {{ name: "g" servers {{ name: "a" host: "127.0.0.1" port: {self.backend.port} }} }}
            """)
        for version in ("-tls1_2", "-tls1_3"):
            said = s_client(proxy, *self.identity(), version)
            for name in ("Root", "Sub"):
                self.assertEqual(len(re.findall(f"CN = {name}\n", said.partition("Acceptable client")[2])), 1, said)

    def test_client_that_does_not_trust_us(self):
        proxy = self.start_proxy(self.backend)
        for index, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            tls.load_verify_locations(self.pki.certificate("other"))
            tls.minimum_version = tls.maximum_version = version
            with self.assertRaises(ssl.SSLCertVerificationError):
                client.connect(proxy.port, tls)
            with self.subTest(version=version):
                self.assertIn("reason=peer_alert alert=48", proxy.await_refusals(index + 1)[index])

    def test_plain_http(self):
        proxy = self.start_proxy(self.backend)
        for index, request in enumerate([b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                         b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                                         b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"]):
            with Stream(client.connect_plain(proxy.port)) as stream:
                stream.send(request)
                response = stream.read_response()
                self.assertEqual(response.status, 400)
                self.assertIn(b"https://", response.body)
                self.assertTrue(stream.ended())
            self.assertIn("reason=plain_http", proxy.await_refusals(index + 1)[index])
        self.assertEqual(self.backend.requests, [])

    def test_garbage(self):
        proxy = self.start_proxy(self.backend)
        for index, garbage in enumerate([os.urandom(1) * 64, b"SSH-2.0-client\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 64,
                                         b"\0" * 20000, client_hello()[:60] + b"\xff" * 200]):
            with Stream(client.connect_plain(proxy.port)) as stream:
                try:
                    stream.send(garbage)
                    stream.sock.shutdown(1)
                    stream.read_to_end()
                except Exception:  # pylint: disable=broad-except
                    pass  # an alert, an end or a reset are all fine
            with self.subTest(index=index):
                self.check_good(proxy)
        self.assertEqual(len(self.backend.requests), 5)

    def test_hello_byte_by_byte(self):
        proxy = self.start_proxy(self.backend)
        raw = client.connect_plain(proxy.port)
        with raw:
            raw.setsockopt(6, 1, 1)  # TCP_NODELAY: each byte leaves by itself
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            for _ in range(20):
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        raw.sendall(bytes([byte]))
                    incoming.write(raw.recv(65536))
            tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            for byte in outgoing.read():
                raw.sendall(bytes([byte]))
            answer = b""
            for _ in range(1000):
                incoming.write(raw.recv(65536))
                try:
                    while True:
                        part = tls.read(65536)
                        answer += part
                        if not part:
                            break
                except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                    pass
                if answer.endswith(b"server"):
                    break
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)

    def test_stalled_handshakes(self):
        proxy = self.start_proxy(self.backend, flags=["--handshake_timeout=5s"])
        hello = client_hello()
        stalled = []
        for size in (0, 1, 5, len(hello) - 1, len(hello)):
            stream = Stream(client.connect_plain(proxy.port))
            self.addCleanup(stream.close)
            stream.send(hello[:size])
            stalled.append(stream)
        self.check_good(proxy)
        for stream in stalled:
            # The last one gets the server's flight first; each is ended by the proxy, not by us.
            try:
                stream.read_to_end()
            except Exception as error:  # pylint: disable=broad-except
                self.assertNotIsInstance(error, TimeoutError)
        self.check_good(proxy)

    def test_client_that_renegotiates(self):
        # TLS 1.2 clients may ask; the answer is no, and the process lives.
        proxy = self.start_proxy(self.backend)
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-tls1_2", *self.identity()],
                       input=b"R\nR\n", capture_output=True, timeout=files.PATIENCE_S, check=False)
        self.check_good(proxy)

    def test_a_client_with_nagle_does_not_wait_for_a_delayed_acknowledgement(self):
        """The kernel delays for 40 ms at least: whoever is answered sooner did not wait for it. Some may be slow for
        other reasons, so one in many must be quick."""
        proxy = self.start_proxy(self.backend)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client.context("client", minimum=version, maximum=version)
            session = None
            quickest = 1.0
            for _ in range(100):
                raw = client.connect_plain(proxy.port)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
                with context.wrap_socket(raw, server_hostname="localhost", session=session) as sock:
                    began = time.monotonic()
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertEqual(sock.recv(12), b"HTTP/1.1 200")
                    # The first one of TLS 1.2 is a full handshake, in which we speak last.
                    if session is not None or version == ssl.TLSVersion.TLSv1_3:
                        quickest = min(quickest, time.monotonic() - began)
                    session = sock.session
                if quickest < 0.035:
                    break
            self.assertLess(quickest, 0.035, version)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    unittest.main()
