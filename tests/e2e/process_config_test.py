"""What is said about a configuration that cannot be used: everything at once, one line each, and the exit code."""

import os
import pathlib
import re
import socket
import subprocess
import unittest

from lib import files
from lib.case import Case
from lib.proxy import run_to_end

ROOT = pathlib.Path("/") / "nowhere"


class ConfigTest(Case):
    def run_flags(self, *flags, base=None):
        base = self.listener_flags() + ["--backend=127.0.0.1:1"] if base is None else base
        return run_to_end(self.folder, [*base, *flags])

    def check_bad(self, wanted, *flags, base=None):
        """Exit code 2 with these lines, with and without --check_config."""
        for more in (["--check_config"], []):
            code, lines = self.run_flags(*flags, *more, base=base)
            self.assertEqual(code, 2, lines)
            self.assertEqual(len(lines), len(wanted), lines)
            for line, pattern in zip(lines, wanted):
                self.assertRegex(line, rf"\Apostern: .*{pattern}")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def config(self, **changes):
        parts = {"certificate": self.pki.chain("server"), "key": self.pki.key("server"), "extra": "",
                 "host": "127.0.0.1", "ca": self.pki.certificate("root"), **changes}
        return self.write("test.textproto", """\
listeners {
  name: "a"
  address: "127.0.0.1:0"
  certificates { certificate_file: "%(certificate)s" key_file: "%(key)s" }
  client_auth { mode: "require" ca_files: "%(ca)s" }
  default_server_group: "g"
  %(extra)s
}
server_groups { name: "g" servers { name: "s" host: "%(host)s" port: 1 } }
""" % parts)

    def test_good(self):
        for base in (None, [f"--config={self.config()}"]):
            code, lines = self.run_flags("--check_config", base=base)
            self.assertEqual((code, lines), (0, ["postern: the configuration is good"]))

    def output_of(self, *flags):
        result = subprocess.run([files.postern(), *flags], cwd=self.folder, capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_print_reads_back(self):
        flags = [*self.listener_flags(), "--backend=a@127.0.0.1:1,weight=7", "--shards=3", "--http_listen=127.0.0.1:0"]
        printed = self.output_of(*flags, "--print_config")
        self.assertIn("shards: 3", printed)
        self.assertIn("idle_timeout_ms: 15000", printed)  # a default
        path = self.write("printed.textproto", printed)
        self.assertEqual(self.output_of(f"--config={path}", "--print_config"), printed)
        code, lines = run_to_end(self.folder, [f"--config={path}", "--check_config"])
        self.assertEqual((code, lines), (0, ["postern: the configuration is good"]))
        # Flags of the process lie over the file.
        self.assertIn("shards: 1\n", self.output_of(f"--config={path}", "--shards=1", "--print_config"))

    def test_print_of_a_bad_one(self):
        code, lines = self.run_flags("--print_config", "--idle_timeout=0s")
        self.assertEqual((code, len(lines)), (2, 1), lines)

    def test_version(self):
        self.assertRegex(self.output_of("--version"), r"\Apostern \d+\.\d+\.\d+ \(BoringSSL [^\n]+\)\n\Z")

    def test_check_does_not_listen(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            code, lines = self.run_flags(f"--listen=127.0.0.1:{taken.getsockname()[1]}", "--check_config")
            self.assertEqual(code, 0, lines)

    def test_files(self):
        path = self.config(extra="nonsense: 1")
        self.check_bad([r"test\.textproto:7:\d+: .*nonsense"], base=[f"--config={path}"])
        self.check_bad([r"nowhere.*No such file"], base=[f"--config={ROOT}"])
        path = self.config(extra="} } }")
        self.check_bad([r"test\.textproto:7:\d+: "], base=[f"--config={path}"])
        path = self.write("test.json", '{"listeners": [{"name": "a", "nonsense": 1}]}')
        code, lines = self.run_flags("--check_config", base=[f"--config={path}"])
        self.assertEqual(code, 2)
        self.assertIn("nonsense", "".join(lines))

    def test_every_error_at_once(self):
        path = self.config(extra="verify: 1 tls_policy: 'x' header_timeout_ms: 0 identity_headers { subject_dn: 'Host' }")
        code, lines = self.run_flags("--check_config", base=[f"--config={path}"])
        self.assertEqual(code, 2)
        self.assertIn("verify", lines[0])
        path = self.config(extra="tls_policy: 'x' header_timeout_ms: 0 identity_headers { subject_dn: 'Host' }")
        code, lines = self.run_flags("--check_config", base=[f"--config={path}"])
        self.assertEqual((code, len(lines)), (2, 3), lines)
        self.assertTrue(all(re.match(r"postern: .*test\.textproto:7:\d+: ", line) for line in lines), lines)

    def test_missing_flags(self):
        code, lines = self.run_flags(base=[])
        self.assertEqual(code, 2)
        self.assertIn("--listen", " ".join(lines))
        self.check_bad(["--client_ca"], base=self.listener_flags("off") + ["--backend=127.0.0.1:1", "--client_auth=require"])
        self.check_bad(["--backend"], base=self.listener_flags())

    def test_flags(self):
        for flag, pattern in [("--listen=localhost:0", "--listen"), ("--listen=127.0.0.1", "--listen"),
                              ("--tls_policy=good", "--tls_policy"), ("--client_auth=perhaps", "--client_auth"),
                              ("--verify_depth=0", "--verify_depth"), ("--header_timeout=0s", "--header_timeout"),
                              ("--idle_timeout=1500us", "--idle_timeout"), ("--proxy_protocol_from=10.0.0.0/33", "--proxy_protocol_from"),
                              ("--trusted_proxies=x", "--trusted_proxies"), ("--host=a..b", "--host"),
                              ("--backend=a@127.0.0.1:1,weight=101", "--backend number 2"),
                              ("--health_interval=1ms", "--health_interval"), ("--health_codes=200", "--health_codes"),
                              ("--identity_header_subject_dn=Content-Length", "--identity_header_subject_dn"),
                              ("--shards=257", "--shards"), ("--admin=0.0.0.0:9900", "--admin"),
                              ("--connections_max=0", "--connections_max")]:
            with self.subTest(flag):
                self.check_bad([pattern], flag)
        for flag in ("--nonsense=1", "--shards=many", "--idle_timeout=5"):
            with self.subTest(flag):
                code, lines = self.run_flags(flag)
                self.assertEqual(code, 1)
                self.assertIn(flag.split("=")[0].strip("-"), " ".join(lines))

    def test_certificates_and_keys(self):
        empty = self.write("empty.pem", "")
        garbage = self.write("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        text = self.write("text.pem", "hello\n")
        secret = self.pki.folder / "secret.key"
        if not secret.exists():
            self.pki.make("secret", "server", "root", "--dns=localhost", "--key_passphrase=correct horse battery")
        for flag, pattern in [
                (f"--cert={ROOT}", "certificate: .*nowhere.*No such file"),
                (f"--key={ROOT}", "key: .*nowhere.*No such file"),
                (f"--client_ca={ROOT}", "client CA: .*nowhere.*No such file"),
                (f"--cert={empty}", r"empty\.pem"), (f"--cert={garbage}", r"garbage\.pem"), (f"--cert={text}", r"text\.pem"),
                (f"--key={empty}", r"empty\.pem"), (f"--key={self.pki.certificate('server')}", r"server\.crt"),
                (f"--key={self.pki.key('client')}", r"client\.key"),
                (f"--key={self.pki.key('server_rsa')}", r"server_rsa\.key"),
                (f"--client_ca={empty}", r"empty\.pem"), (f"--client_ca={garbage}", r"garbage\.pem"),
                (f"--client_ca={self.pki.certificate('client')}", r"client\.crt.*not a CA")]:
            with self.subTest(flag):
                self.check_bad([pattern], flag)
        with self.subTest("an encrypted key"):
            self.check_bad([r"secret\.key"], f"--cert={self.pki.chain('secret')}", f"--key={secret}")
        self.check_bad(["certificate: ", "key: ", "client CA: "], f"--cert={ROOT}", f"--key={ROOT}", f"--client_ca={ROOT}")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable_key(self):
        key = self.write("unreadable.key", pathlib.Path(self.pki.key("server")).read_text("ascii"))
        os.chmod(key, 0)
        self.check_bad([r"unreadable\.key: Permission denied"], f"--key={key}")

    def test_folder_instead_of_a_file(self):
        self.check_bad([r"key: .*Is a directory"], f"--key={self.folder}")

    def test_unresolvable_server(self):
        self.check_bad([r"cannot resolve 'no-such-host\.invalid'"], base=self.listener_flags() + ["--backend=no-such-host.invalid:80"])
        self.check_bad([r"group 'g', server 's': cannot resolve"], base=[f"--config={self.config(host='no-such-host.invalid')}"])

    def test_server_by_name(self):
        code, lines = self.run_flags("--check_config", base=self.listener_flags() + ["--backend=localhost:80"])
        self.assertEqual(code, 0, lines)

    def test_address_in_use(self):
        for flag in ("--listen", "--admin"):
            with self.subTest(flag), socket.create_server(("127.0.0.1", 0)) as taken:
                address = f"127.0.0.1:{taken.getsockname()[1]}"
                code, lines = self.run_flags(f"{flag}={address}", "--shards=2")
                self.assertEqual((code, len(lines)), (1, 1), lines)
                self.assertRegex(lines[0], rf"\Apostern: .*{re.escape(address)}.*in use")

    def test_address_of_another_instance(self):
        # Sockets of two instances could share the port; half of the clients would then meet the wrong one.
        proxy = self.start_proxy("--backend=127.0.0.1:1")
        code, lines = self.run_flags(f"--listen=127.0.0.1:{proxy.port}")
        self.assertEqual((code, len(lines)), (1, 1), lines)
        self.assertIn("in use", lines[0])

    def test_address_that_is_not_ours(self):
        code, lines = self.run_flags("--listen=192.0.2.1:0")
        self.assertEqual((code, len(lines)), (1, 1), lines)
        self.assertIn("192.0.2.1", lines[0])

    def test_log_that_cannot_be_written(self):
        for flag in ("--access_log", "--error_log"):
            code, lines = self.run_flags(f"{flag}={ROOT}/x.log", "--connections_max=100")
            self.assertEqual((code, len(lines)), (1, 1), lines)
            self.assertIn("nowhere/x.log", lines[0])

    def test_example(self):
        # The example's files do not exist here: those are all that may be wrong with it.
        source = os.environ.get("TEST_SRCDIR")
        root = pathlib.Path(source) / os.environ["TEST_WORKSPACE"] if source else pathlib.Path(__file__).parents[2]
        code, lines = run_to_end(self.folder, [f"--config={root}/configs/example.textproto", "--check_config"])
        self.assertEqual(code, 2)
        for line in lines:
            self.assertRegex(line, "No such file|cannot resolve 'gateway01")


if __name__ == "__main__":
    unittest.main()
