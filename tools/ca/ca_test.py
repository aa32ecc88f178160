#!/usr/bin/env python3
"""Runs the real binary and has the openssl command judge what it made."""

import os
import pathlib
import pty
import re
import stat
import subprocess
import sys
import tempfile
import unittest

CA = pathlib.Path(os.environ.get("TEST_SRCDIR", ".")) / os.environ.get("TEST_WORKSPACE", ".") / "tools/ca/ca"


class CaTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="ca_test_")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_program(self, arguments, **options):
        return subprocess.run(
            [str(a) for a in arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False, **options
        )

    def ca(self, *arguments, code=0, **options):
        """Runs the tool; returns what it said. A failure must be one line and leave no temporary file."""
        result = self.run_program([CA.resolve(), *arguments], **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stderr}{result.stdout}")
        if code == 0:
            self.assertEqual(result.stderr, "")
            return result.stdout
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\Aca: [^\n]+\n\Z")
        self.assertFalse([f for f in self.folder.rglob("*") if re.search(r"\.\w{6}\Z", f.name)])
        return result.stderr

    def openssl(self, *arguments, code=0, **options):
        result = self.run_program(["openssl", *arguments], **options)
        self.assertEqual(result.returncode == 0, code == 0, f"{arguments}: {result.stderr}{result.stdout}")
        return result.stdout + result.stderr

    def make_authorities(self):
        self.ca("root", "--out=root", "--cn=Root", "--o=Example")
        self.ca("subca", "--ca=root", "--out=sub", "--cn=Sub")

    def verify(self, certificate, purpose, *more, code=0):
        return self.openssl("verify", "-x509_strict", "-CAfile", "root.crt", "-untrusted", "sub.crt",
                            "-purpose", purpose, *more, certificate, code=code)

    def text(self, certificate):
        return self.openssl("x509", "-in", certificate, "-noout", "-text")

    def mode(self, name):
        return stat.S_IMODE((self.folder / name).stat().st_mode)

    def pem_count(self, name):
        return (self.folder / name).read_text().count("-----BEGIN CERTIFICATE-----")


class CertificateTest(CaTest):
    def test_chain(self):
        self.make_authorities()
        said = self.ca("server", "--ca=sub", "--out=web", "--dns=web.example.test,*.a.example.test", "--ip=127.0.0.1,::1")
        for name in ("web.key", "web.crt", "web.chain.crt"):
            self.assertIn(f"wrote {name} (", said)
        self.ca("client", "--ca=sub", "--out=device", "--cn=device 7", "--o=Example", "--ou=Devices",
                "--dns=d.example.test", "--email=d@example.test", "--uri=spiffe://example.test/device/7", "--ip=192.0.2.7")
        self.verify("web.crt", "sslserver", "-verify_hostname", "web.example.test")
        self.verify("web.crt", "sslserver", "-verify_hostname", "b.a.example.test")
        self.verify("web.crt", "sslserver", "-verify_ip", "::1")
        self.verify("web.crt", "sslserver", "-verify_hostname", "other.example.test", code=1)
        self.verify("web.crt", "sslclient", code=1)
        self.verify("device.crt", "sslclient", "-verify_email", "d@example.test")
        self.verify("device.crt", "sslserver", code=1)
        self.assertEqual(self.pem_count("device.chain.crt"), 2)
        self.assertEqual(self.pem_count("sub.chain.crt"), 1)
        self.assertFalse((self.folder / "root.chain.crt").exists())
        # The chain file is what a peer that knows only the root needs.
        self.openssl("verify", "-CAfile", "root.crt", "-untrusted", "device.chain.crt", "device.chain.crt")
        text = self.text("device.crt")
        self.assertIn("Subject: O = Example, OU = Devices, CN = device 7", text)
        self.assertIn("URI:spiffe://example.test/device/7", text)
        self.assertIn("IP Address:192.0.2.7", text)
        self.assertRegex(text, r"Basic Constraints: critical\n\s+CA:FALSE")
        self.assertRegex(text, r"Key Usage: critical\n\s+Digital Signature\n")
        self.assertIn("ecdsa-with-SHA256", text)
        root = self.text("root.crt")
        self.assertRegex(root, r"Basic Constraints: critical\n\s+CA:TRUE\n")
        self.assertRegex(root, r"Key Usage: critical\n\s+Certificate Sign, CRL Sign\n")
        self.assertIn("CA:TRUE, pathlen:0", self.text("sub.crt"))
        subject_key = re.search(r"Subject Key Identifier: \n\s+(\S+)", self.text("sub.crt")).group(1)
        self.assertRegex(text, r"Authority Key Identifier: \n\s+" + subject_key)

    def test_says_what_to_paste(self):
        here = os.path.realpath(self.folder)
        said = self.ca("root", "--out=root", "--cn=Root")
        self.assertIn(f"flags of postern:  --client_auth=require --client_ca={here}/root.crt\n", said)
        self.assertIn(f'or in its file:    client_auth {{ mode: "require" ca_files: "{here}/root.crt" }}\n', said)
        said = self.ca("server", "--ca=root", "--out=web", "--dns=*.example.test,a.test")
        self.assertIn(f"flags of postern:  --listen=0.0.0.0:8443 --cert={here}/web.chain.crt --key={here}/web.key\n", said)
        self.assertIn(f'certificates {{ certificate_file: "{here}/web.chain.crt" key_file: "{here}/web.key" }}\n', said)
        self.assertIn(f"to try it:         curl --cacert {here}/root.crt --resolve www.example.test:8443:127.0.0.1 "
                      "https://www.example.test:8443/\n", said)
        said = self.ca("server", "--ca=root", "--out=ip4", "--ip=127.0.0.1")
        self.assertIn("root.crt https://127.0.0.1:8443/\n", said)
        said = self.ca("server", "--ca=root", "--out=ip6", "--ip=::1")
        self.assertIn("root.crt 'https://[::1]:8443/'\n", said)
        # Whatever a shell or the text format would read differently is quoted; a key that came from elsewhere is named.
        os.mkdir(self.folder / "it's \"here\"")
        said = self.ca("client", "--ca=root", "--out=it's \"here\"/c", "--cn=c", "--key_file=ip4.key")
        self.assertIn(f"""added to curl:     --cert '{here}/it'\\''s "here"/c.chain.crt' --key {here}/ip4.key\n""", said)
        self.assertIn(f"--client_ca={here}/root.crt\n", said)
        said = self.ca("crl", "--ca=root", "--out=it's \"here\"/r.crl")
        self.assertIn(f"""flags of postern:  --client_crl='{here}/it'\\''s "here"/r.crl'\n""", said)
        self.assertIn(f"""or in its file:    crl_files: "{here}/it\\'s \\"here\\"/r.crl"\n""", said)

    def test_key_types(self):
        self.make_authorities()
        for kind, words in {"ec-p256": "NIST CURVE: P-256", "ec-p384": "NIST CURVE: P-384",
                            "rsa-2048": "Public-Key: (2048 bit)", "rsa-3072": "Public-Key: (3072 bit)"}.items():
            self.ca("server", "--ca=sub", f"--out={kind}", "--dns=a.test", f"--key_type={kind}")
            self.assertIn(words, self.text(f"{kind}.crt"))
            self.assertEqual(self.mode(f"{kind}.key"), 0o600)
            self.openssl("pkey", "-in", f"{kind}.key", "-check", "-noout")
            self.verify(f"{kind}.crt", "sslserver")
        self.assertIn("Digital Signature, Key Encipherment", self.text("rsa-2048.crt"))
        self.ca("root", "--out=rsa", "--cn=RSA Root", "--key_type=rsa-2048")
        self.assertIn("sha256WithRSAEncryption", self.text("rsa.crt"))
        self.openssl("verify", "-x509_strict", "-CAfile", "rsa.crt", "rsa.crt")

    def test_validity(self):
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=c", "--cn=c")
        self.openssl("x509", "-in", "c.crt", "-checkend", str(29 * 86400), "-noout")
        self.openssl("x509", "-in", "c.crt", "-checkend", str(31 * 86400), "-noout", code=1)
        self.ca("client", "--ca=sub", "--out=old", "--cn=c", "--not_before=-2d", "--not_after=-1d")
        self.assertIn("has expired", self.verify("old.crt", "sslclient", code=1))
        self.ca("client", "--ca=sub", "--out=new", "--cn=c", "--not_before", "1h", "--days=1")
        self.assertIn("not yet valid", self.verify("new.crt", "sslclient", code=1))
        self.ca("client", "--ca=sub", "--out=long", "--cn=c", "--not_after=2051-01-01T00:00:00Z")
        self.assertIn("Not After : Jan  1 00:00:00 2051 GMT", self.text("long.crt"))
        self.assertIn("valid longer than its authority",
                      self.ca("client", "--ca=sub", "--out=longer", "--cn=c", "--days=20000"))

    def test_extended_key_usage(self):
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=wrong", "--cn=c", "--eku=serverAuth")
        self.verify("wrong.crt", "sslclient", code=1)
        self.ca("client", "--ca=sub", "--out=both", "--cn=c", "--eku=serverAuth,clientAuth,1.3.6.1.4.1.99999.1")
        self.verify("both.crt", "sslclient")
        self.verify("both.crt", "sslserver")
        self.ca("client", "--ca=sub", "--out=none", "--cn=c", "--eku=none")
        self.assertNotIn("Extended Key Usage", self.text("none.crt"))

    def test_path_length(self):
        self.make_authorities()
        said = self.ca("subca", "--ca=sub", "--out=deep", "--cn=Deep")
        self.assertIn("path length 0", said)
        self.ca("client", "--ca=deep", "--out=c", "--cn=c")
        self.assertEqual(self.pem_count("c.chain.crt"), 3)
        self.openssl("verify", "-CAfile", "root.crt", "-untrusted", "c.chain.crt", "c.crt", code=1)
        self.ca("subca", "--ca=root", "--out=tall", "--cn=Tall", "--path_len=1")
        self.ca("subca", "--ca=tall", "--out=short", "--cn=Short")
        self.ca("client", "--ca=short", "--out=d", "--cn=d")
        self.openssl("verify", "-x509_strict", "-CAfile", "root.crt", "-untrusted", "d.chain.crt", "d.crt")
        self.ca("subca", "--ca=root", "--out=any", "--cn=Any", "--path_len=none")
        self.assertNotIn("pathlen", self.text("any.crt"))

    def test_name_constraints(self):
        self.ca("root", "--out=root", "--cn=Root")
        self.ca("subca", "--ca=root", "--out=sub", "--cn=Sub", "--permitted_dns=example.test",
                "--excluded_dns=bad.example.test")
        self.assertIn("Name Constraints: critical", self.text("sub.crt"))
        for name, code in {"a.example.test": 0, "example.test": 0, "bad.example.test": 1, "other.test": 1}.items():
            self.ca("server", "--ca=sub", f"--out={name}", f"--dns={name}", "--cn=server")
            self.verify(f"{name}.crt", "sslserver", code=code)

    def test_existing_key_and_serial(self):
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=a", "--cn=a", "--serial=0x00c0ffee")
        self.ca("client", "--ca=sub", "--out=b", "--cn=b", "--key_file=a.key")
        self.assertIn("serial=C0FFEE", self.openssl("x509", "-in", "a.crt", "-noout", "-serial"))
        self.assertFalse((self.folder / "b.key").exists())
        keys = [self.openssl("x509", "-in", name, "-noout", "-pubkey") for name in ("a.crt", "b.crt")]
        self.assertEqual(*keys)

    def test_show(self):
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=c", "--cn=c", "--uri=spiffe://example.test/c", "--not_before=-2d",
                "--not_after=-1d")
        said = self.ca("show", "--cert=c.chain.crt")
        fingerprint = self.openssl("x509", "-in", "c.crt", "-noout", "-fingerprint", "-sha256")
        self.assertIn(fingerprint.split("=")[1].strip().replace(":", "").lower(), said)
        for words in ("subject:     CN=c\n", "issuer:      CN=Sub\n", "(expired)", "EC P-256",
                      "URI:spiffe://example.test/c", "CN=Root,O=Example"):
            self.assertIn(words, said)
        self.openssl("x509", "-in", "c.crt", "-outform", "der", "-out", "c.der")
        self.assertIn("subject:     CN=c\n", self.ca("show", "--cert=c.der"))


class ExportTest(CaTest):
    def setUp(self):
        super().setUp()
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=c", "--cn=c")

    def test_export_key(self):
        (self.folder / "pass").write_text("open sesame\n")
        self.ca("export-key", "--in=c", "--out=c.enc.key", "--passphrase_file=pass")
        self.assertEqual(self.mode("c.enc.key"), 0o600)
        plain = self.openssl("pkcs8", "-in", "c.enc.key", "-passin", "pass:open sesame")
        self.assertEqual(plain, (self.folder / "c.key").read_text())
        self.openssl("pkcs8", "-in", "c.enc.key", "-passin", "pass:wrong", code=1)
        structure = self.openssl("asn1parse", "-in", "c.enc.key")
        for word in ("PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc"):
            self.assertIn(word, structure)
        self.ca("export-key", "--in=c", "--out=d", "--passphrase_file=-", input="from standard input\n")
        self.openssl("pkey", "-in", "d", "-noout", "-passin", "pass:from standard input")

    def test_p12(self):
        for cipher, seen in {"aes-256": "PBES2, PBKDF2, AES-256-CBC", "3des": "pbeWithSHA1And3-KeyTripleDES-CBC"}.items():
            self.ca("p12", "--in=c", f"--out={cipher}.p12", "--passphrase=postern", "--name=My key", f"--cipher={cipher}")
            self.assertEqual(self.mode(f"{cipher}.p12"), 0o600)
            said = self.openssl("pkcs12", "-in", f"{cipher}.p12", "-passin", "pass:postern", "-info", "-noenc")
            self.assertEqual(said.count("BEGIN CERTIFICATE"), 2)
            self.assertIn("friendlyName: My key", said)
            self.assertIn((self.folder / "c.key").read_text(), said)
            self.assertRegex(said, r"Encrypted data: " + re.escape(seen))
            self.assertRegex(said, r"Shrouded Keybag: " + re.escape(seen))
            self.openssl("pkcs12", "-in", f"{cipher}.p12", "-passin", "pass:wrong", "-noout", code=1)
        for size in (1, 31, 32, 33, 63, 64, 65, 200):
            self.ca("p12", "--in=c", f"--out={size}.p12", f"--passphrase={'x' * size}")
            self.openssl("pkcs12", "-in", f"{size}.p12", "-passin", f"pass:{'x' * size}", "-noout")

    def test_encrypted_keys(self):
        self.ca("root", "--out=safe", "--cn=Safe", "--key_passphrase=abc")
        self.assertIn("ENCRYPTED", (self.folder / "safe.key").read_text())
        self.ca("client", "--ca=safe", "--out=d", "--cn=d", "--ca_passphrase=abc")
        self.assertIn("wrong passphrase for safe.key",
                      self.ca("client", "--ca=safe", "--out=e", "--cn=e", "--ca_passphrase=abd", code=1))
        self.assertIn("no terminal to ask at: give --ca_passphrase_file=FILE",
                      self.ca("client", "--ca=safe", "--out=e", "--cn=e", code=1, start_new_session=True))
        self.ca("p12", "--in=safe", "--out=safe.p12", "--passphrase=new", "--key_passphrase=abc")
        self.ca("p12", "--in=safe", "--out=no.p12", "--passphrase=new", "--key_passphrase=x", code=1)
        self.assertFalse((self.folder / "no.p12").exists())

    def test_asks(self):
        def at_terminal(typed):
            child, terminal = pty.fork()
            if child == 0:
                os.chdir(self.folder)
                os.execv(CA_ABSOLUTE, ["ca", "export-key", "--in=c", "--out=asked", "--force"])
            shown = b""
            for line in typed:
                while not shown.endswith(b": "):
                    shown += os.read(terminal, 1024)
                os.write(terminal, line)
                shown += b"|"
            try:
                while block := os.read(terminal, 1024):
                    shown += block
            except OSError:
                pass  # how Linux says that the other side is closed
            os.close(terminal)
            self.assertNotIn(b"secret", shown)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()

        self.assertEqual(at_terminal([b"secret\n", b"secret\n"])[0], 0)
        self.openssl("pkey", "-in", "asked", "-noout", "-passin", "pass:secret")
        code, shown = at_terminal([b"secret\n", b"secret2\n"])
        self.assertEqual(code, 1)
        self.assertIn("the two passphrases differ", shown)
        self.assertEqual(at_terminal([b"\n", b"\n"])[0], 1)


class RevocationTest(CaTest):
    def setUp(self):
        super().setUp()
        self.make_authorities()
        self.ca("client", "--ca=sub", "--out=c", "--cn=c")
        self.ca("client", "--ca=sub", "--out=d", "--cn=d")

    def check(self, certificate, code):
        (self.folder / "all").write_text((self.folder / "sub.crl").read_text() + (self.folder / "root.crl").read_text())
        return self.openssl("verify", "-CAfile", "root.crt", "-untrusted", "sub.crt", "-crl_check_all",
                            "-CRLfile", "all", certificate, code=code)

    def test_revoke(self):
        self.assertIn("CRL number 1, 0 revoked", self.ca("crl", "--ca=root", "--out=root.crl"))
        self.ca("crl", "--ca=sub", "--out=sub.crl")
        self.check("c.crt", 0)
        self.ca("revoke", "--ca=sub", "--cert=c.crt", "--reason=keyCompromise")
        self.assertIn("already", self.ca("revoke", "--ca=sub", "--cert=c.crt"))
        self.assertIn("CRL number 2, 1 revoked", self.ca("crl", "--ca=sub", "--out=sub.crl"))
        self.assertIn("certificate revoked", self.check("c.crt", 1))
        self.check("d.crt", 0)
        serial = self.openssl("x509", "-in", "d.crt", "-noout", "-serial").strip().split("=")[1]
        self.ca("revoke", "--ca=sub", f"--serial={serial.lower()}", "--time=-1d")
        self.ca("crl", "--ca=sub", "--out=sub.crl", "--next_update=12h")
        self.assertIn("certificate revoked", self.check("d.crt", 1))
        text = self.openssl("crl", "-in", "sub.crl", "-noout", "-text", "-CAfile", "sub.crt")
        for words in ("verify OK", "Key Compromise", f"Serial Number: {serial}", "CRL Number", "Authority Key Identifier"):
            self.assertIn(words, text)
        self.ca("revoke", "--ca=root", "--cert=sub.crt", "--reason=cACompromise")
        self.ca("crl", "--ca=root", "--out=root.crl")
        self.assertIn("certificate revoked", self.check("sub.crt", 1))

    def test_forms(self):
        self.ca("crl", "--ca=sub", "--out=a.crl", "--format=der", "--crl_number=41", "--this_update=-2d", "--next_update=-1d")
        text = self.openssl("crl", "-inform", "der", "-in", "a.crl", "-noout", "-text", "-CAfile", "sub.crt")
        self.assertIn("verify OK", text)
        self.assertRegex(text, r"CRL Number: \n\s+41\n")
        self.assertIn("CRL number 42,", self.ca("crl", "--ca=sub", "--out=a.crl"))
        self.ca("revoke", "--ca=sub", "--cert=c.crt", "--db=other")
        self.assertIn("CRL number 1, 1 revoked", self.ca("crl", "--ca=sub", "--out=b.crl", "--db=other"))
        self.assertNotIn("revoked ", (self.folder / "sub.revoked.txt").read_text())

    def test_wrong(self):
        self.assertIn("was not issued by this authority, but by CN=Sub",
                      self.ca("revoke", "--ca=root", "--cert=c.crt", code=1))
        self.ca("revoke", "--ca=sub", code=2)
        self.ca("revoke", "--ca=sub", "--cert=c.crt", "--serial=1", code=2)
        self.ca("revoke", "--ca=sub", "--cert=c.crt", "--reason=mood", code=2)
        self.ca("revoke", "--ca=sub", "--serial=0", code=2)
        self.ca("crl", "--ca=sub", "--out=x", "--format=txt", code=2)
        self.ca("crl", "--ca=sub", "--out=x", "--next_update=-1d", code=2)
        self.assertFalse((self.folder / "sub.revoked.txt").exists())
        (self.folder / "sub.revoked.txt").write_text("revoked 0B 2030-01-31T12:00:00Z")
        self.assertIn("sub.revoked.txt:1:", self.ca("crl", "--ca=sub", "--out=x", code=1))
        self.assertFalse((self.folder / "x").exists())


class WrongUseTest(CaTest):
    def test_usage(self):
        for arguments, words in (
            ([], "See 'ca help'"),
            (["frobnicate"], "unknown command 'frobnicate'"),
            (["help", "frobnicate"], "unknown command"),
            (["root"], "--out=NAME is missing"),
            (["root", "--out=r", "--cn=x", "--nonsense=1"], "unknown flag --nonsense"),
            (["root", "--out=r", "--cn=x", "y"], "'y' is no flag"),
            (["root", "--out=r"], "give --cn=NAME"),
            (["root", "--out=r", "--cn=x", "--key_type=dsa"], "choose one of ec-p256|"),
            (["root", "--out=r", "--cn=x", "--days=0"], "from 1 to"),
            (["root", "--out=r", "--cn=x", "--days=1", "--not_after=1d"], "either --days or --not_after"),
            (["root", "--out=r", "--cn=x", "--not_after=-1d"], "end before it begins"),
            (["root", "--out=r", "--cn=x", "--not_after=soon"], "'soon' is no offset"),
            (["root", "--out=r", "--cn=x", "--path_len=-1"], "from 0 to 100"),
            (["client", "--out=r", "--cn=x"], "--ca=NAME is missing"),
            (["server", "--ca=r", "--out=s", "--cn=not a host"], "give --dns=HOST"),
            (["server", "--ca=r", "--out=s", "--dns=a b"], "--dns=a b"),
            (["client", "--ca=r", "--out=s", "--cn=x", "--eku=nonsense"], "--eku=nonsense"),
            (["client", "--ca=r", "--out=s", "--cn=x", "--uri=nonsense"], "--uri=nonsense"),
            (["p12", "--in=r", "--out=x", "--passphrase=x", "--cipher=rc2"], "aes-256 or 3des"),
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.ca(*arguments, code=2))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_help(self):
        everything = self.ca("help")
        self.assertEqual(everything, self.ca("--help"))
        for command in re.findall(r"^  (\S+) +\S", everything.split("Commands:")[1], re.MULTILINE):
            self.assertIn(f"ca {command}: ", self.ca("help", command))
            self.assertIn("Example: ca ", self.ca(command, "--help"))

    def test_missing_and_damaged_files(self):
        self.assertIn("cannot read r.crt: No such file", self.ca("client", "--ca=r", "--out=c", "--cn=c", code=1))
        self.make_authorities()
        self.assertIn("cannot write into directory none/", self.ca("client", "--ca=sub", "--out=none/c", "--cn=c", code=1))
        self.ca("client", "--ca=sub", "--out=c", "--cn=c")
        self.assertIn("c.crt is no certificate authority", self.ca("client", "--ca=c", "--out=d", "--cn=d", code=1))
        self.assertIn("cannot read x: No such file", self.ca("show", "--cert=x", code=1))
        self.assertIn("holds no certificate", self.ca("show", "--cert=c.key", code=1))
        self.assertIn("holds no private key",
                      self.ca("client", "--ca=sub", "--out=d", "--cn=d", "--key_file=c.crt", code=1))
        (self.folder / "sub.key").write_text((self.folder / "c.key").read_text())
        self.assertIn("sub.key does not belong to sub.crt", self.ca("client", "--ca=sub", "--out=d", "--cn=d", code=1))
        pem = (self.folder / "c.chain.crt").read_text()
        (self.folder / "bad.crt").write_text(pem[:-100])
        self.assertIn("damaged certificate", self.ca("show", "--cert=bad.crt", code=1))
        self.ca("p12", "--in=c", "--out=c.p12", "--passphrase=", code=1)
        self.ca("export-key", "--in=c", "--out=c.enc", "--passphrase_file=none", code=1)
        self.ca("export-key", "--in=c", "--out=c.enc", "--passphrase_file=c.key", "--passphrase=x", code=2)

    def test_nothing_is_overwritten(self):
        self.ca("root", "--out=root", "--cn=Root")
        before = (self.folder / "root.key").read_text()
        self.assertIn("exists already: choose another name, or replace it with --force",
                      self.ca("root", "--out=root", "--cn=Root", code=1))
        (self.folder / "root.crt").unlink()
        self.assertIn("root.key exists already", self.ca("root", "--out=root", "--cn=Root", code=1))
        self.assertEqual(before, (self.folder / "root.key").read_text())
        self.assertFalse((self.folder / "root.crt").exists())
        self.ca("root", "--out=root", "--cn=Root", "--force")
        self.assertNotEqual(before, (self.folder / "root.key").read_text())
        self.assertEqual(self.mode("root.key"), 0o600)
        self.ca("export-key", "--in=root", "--out=root.key", "--passphrase=x", code=1)
        self.ca("p12", "--in=root", "--out=root.key", "--passphrase=x", code=1)

    def test_relative_to_the_callers_directory(self):
        # As "bazel run" starts it: in the runfiles, with the caller's directory in the environment.
        inside = self.folder / "ca.runfiles" / "postern"
        inside.mkdir(parents=True)
        environment = dict(os.environ, BUILD_WORKING_DIRECTORY=str(self.folder))
        subprocess.run([CA_ABSOLUTE, "root", "--out=r", "--cn=R"], cwd=inside, env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        self.assertTrue((self.folder / "r.crt").exists())
        # Left over from some other program's "bazel run", it means nothing.
        other = self.folder / "other"
        other.mkdir()
        subprocess.run([CA_ABSOLUTE, "root", "--out=s", "--cn=S"], cwd=other, env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        self.assertTrue((other / "s.crt").exists())


CA_ABSOLUTE = str(CA.resolve())

if __name__ == "__main__":
    sys.exit(unittest.main())
