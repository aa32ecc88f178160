#!/usr/bin/env python3
"""What is in the packages, and that what they install works."""

import configparser
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("TEST_SRCDIR", ".")) / os.environ.get("TEST_WORKSPACE", ".")
DEB = ROOT / "packaging/postern.deb"
TARBALL = ROOT / "packaging/postern.tar.gz"
CA = (ROOT / "tools/ca/ca").resolve()

# Path and mode of every file.
FILES = {
    "/etc/logrotate.d/postern": "-rw-r--r--",
    "/etc/postern/postern.textproto": "-rw-r--r--",
    "/lib/systemd/system/postern.service": "-rw-r--r--",
    "/usr/libexec/postern/reload": "-rwxr-xr-x",
    "/usr/sbin/postern": "-rwxr-xr-x",
    "/usr/sbin/postern-healthtop": "-rwxr-xr-x",
    "/usr/share/doc/postern/changelog.gz": "-rw-r--r--",
    "/usr/share/doc/postern/copyright": "-rw-r--r--",
    "/usr/share/doc/postern/examples/example.textproto": "-rw-r--r--",
    "/usr/share/doc/postern/examples/grafana.json": "-rw-r--r--",
    "/usr/share/man/man8/postern.8.gz": "-rw-r--r--",
}


def run(*command, code=0, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False,
                            stdin=subprocess.DEVNULL, **options)
    if result.returncode != code:
        raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


class Unpacked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="package_", dir=os.environ.get("TEST_TMPDIR")))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.tree = cls.folder / "tree"
        run("dpkg-deb", "--raw-extract", DEB, cls.tree)


class DebTest(Unpacked):
    def test_about(self):
        about = run("dpkg-deb", "--field", DEB)
        self.assertRegex(about, r"(?m)^Package: postern$")
        version = re.search(r"(?m)^Version: (\d+\.\d+\.\d+)$", about).group(1)
        self.assertIn(f"postern {version} ", run(self.tree / "usr/sbin/postern", "--version"))
        self.assertRegex(about, r"(?m)^Depends: adduser, libc6 \(>= [\d.]+\)")
        self.assertNotIn("@", about.replace("@localhost", ""))

    def test_contents(self):
        found = {}
        for line in run("dpkg-deb", "--contents", DEB).splitlines():
            mode, owner, _, date, clock, path = line.split(maxsplit=5)
            self.assertEqual((owner, date, clock), ("root/root", "1970-01-01", "00:00"), line)
            if not mode.startswith("d"):
                found[path[1:]] = mode
            elif path == "./etc/postern/tls/":
                self.assertEqual(mode, "drwxr-x---")
        documents = {path for path in found if path.endswith(".md")}
        self.assertEqual({path: mode for path, mode in found.items() if path not in documents}, FILES)
        self.assertEqual({found[path] for path in documents}, {"-rw-r--r--"})
        for name in ("FLAGS", "LOGS", "METRICS", "REASONS", "RELIABILITY", "decisions/0013-revocation"):
            self.assertIn(f"/usr/share/doc/postern/{name}.md", documents)

    def test_documents_lead_nowhere_else(self):
        for path in (self.tree / "usr/share/doc/postern").rglob("*.md"):
            for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
                if "://" not in link:
                    self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")

    def test_the_same_files_make_the_same_bytes(self):
        for name in ("postern.deb", "postern.tar.gz"):
            self.assertEqual((ROOT / "packaging/again" / name).read_bytes(), (ROOT / "packaging" / name).read_bytes(), name)

    def test_conffiles(self):
        listed = (self.tree / "DEBIAN/conffiles").read_text("ascii").split()
        self.assertEqual(listed, sorted(path for path in FILES if path.startswith("/etc/")))

    def test_checksums(self):
        run("md5sum", "--check", "--strict", "DEBIAN/md5sums", cwd=self.tree)

    def test_scripts(self):
        for name in ("DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm", "usr/libexec/postern/reload"):
            run("sh", "-n", self.tree / name)

    def test_stripped(self):
        for name in ("postern", "postern-healthtop"):
            sections = run("readelf", "--sections", "--wide", self.tree / "usr/sbin" / name)
            self.assertNotIn(".symtab", sections)
            self.assertNotIn(".debug_", sections)

    def test_copyright(self):
        text = (self.tree / "usr/share/doc/postern/copyright").read_text("utf-8")
        for name in ("BoringSSL", "libabsl-dev", "libc-ares-dev", "libnghttp2-dev", "libprotobuf-dev", "liburing-dev", "rapidjson-dev"):
            self.assertIn(f"\n {name}\n", text)
        self.assertNotRegex(text, r"\n\n[^ \n][^\n:]*\n", "a line of a field that does not begin with a space")

    def test_tarball(self):
        listed = run("tar", "--list", "--verbose", "--gzip", "--file", TARBALL).splitlines()
        self.assertTrue(all(line.split()[1] == "root/root" and " 1970-01-01 00:00 " in line for line in listed))
        run("tar", "--extract", "--gzip", "--no-same-owner", "--file", TARBALL, "--directory", self.folder)
        top, = self.folder.glob("postern-*")
        for path in FILES:
            self.assertEqual((top / path[1:]).read_bytes(), (self.tree / path[1:]).read_bytes(), path)


class ConfigTest(Unpacked):
    def check(self, config, code):
        return run(self.tree / "usr/sbin/postern", f"--config={config}", "--check_config", code=code).splitlines()

    def test_default_lacks_certificates_only(self):
        lines = self.check(self.tree / "etc/postern/postern.textproto", 2)
        self.assertEqual(len(lines), 3, lines)
        for line in lines:
            self.assertRegex(line, r"/etc/postern/tls/\S+: No such file")

    def test_default_with_certificates(self):
        tls = self.folder / "tls"
        tls.mkdir()
        for command in (["root", "--out=clients-ca", "--cn=Clients"], ["server", "--ca=clients-ca", "--out=server", "--dns=a.test"]):
            run(CA, *[re.sub(r"=(clients-ca|server)$", rf"={tls}/\1", word) for word in command])
        text = (self.tree / "etc/postern/postern.textproto").read_text("utf-8")
        path = self.folder / "postern.textproto"
        # As it is, and with everything that stands there to be uncommented but for what needs more files.
        more = re.sub(r"(?m)^(\s*)# (proxy_protocol_sources|trusted_proxies|hosts|listeners|servers|allowed_sans)\b", r"\1\2", text)
        more = re.sub(r"(allowed_sans: \S+)  #.*", r"\1", more)
        self.assertGreater(len(text) - len(more), 10)
        for version in (text, more):
            path.write_text(version.replace("/etc/postern/tls", str(tls)), "utf-8")
            self.assertEqual(self.check(path, 0), ["postern: the configuration is good"])


class UnitTest(Unpacked):
    def unit(self):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read(self.tree / "lib/systemd/system/postern.service", "utf-8")
        return parser

    def test_what_it_says(self):
        service = self.unit()["Service"]
        for key, value in {
                "Type": "notify", "User": "postern", "ProtectSystem": "strict", "NoNewPrivileges": "yes",
                "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE", "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
                "LogsDirectory": "postern"}.items():
            self.assertEqual(service[key], value)
        for key in ("WatchdogSec", "ExecReload", "LimitNOFILE"):
            self.assertIn(key, service)
        for key in ("ExecStart", "ExecStartPre"):  # the last one of several
            self.assertTrue(service[key].startswith("/usr/sbin/postern --config=/etc/postern/postern.textproto"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_understands_it(self):
        text = (self.tree / "lib/systemd/system/postern.service").read_text("utf-8")
        unit = self.folder / "postern.service"
        # It wants to see the program; and the manual, which is not installed here.
        text = text.replace("/usr/sbin/postern ", f"{self.tree}/usr/sbin/postern ").replace("Documentation=man:postern(8)\n", "")
        text = text.replace("/usr/libexec/", f"{self.tree}/usr/libexec/")
        unit.write_text(text, "utf-8")
        said = run("systemd-analyze", "verify", "--recursive-errors=no", unit)
        self.assertNotIn("postern.service", said)
        allowed = run("systemd-analyze", "syscall-filter", "@system-service", "@aio")
        for call in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
            self.assertIn(call, allowed)

    def test_exposure(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        unit = self.tree / "lib/systemd/system/postern.service"
        # Out of 100; systemd calls less than 30 "OK". The network is what it is for.
        run("systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", unit)


class ReloadTest(Unpacked):
    """What "systemctl reload" runs: a signal while the program is the same, a successor when it is another one."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.program = self.place / "postern"
        # It is asked for nothing but to live, and to say its words as a successor.
        shutil.copy(shutil.which("sleep"), self.place / "sleep")
        (self.place / "sleep").rename(self.program)
        self.start([self.program, "60"])

    def start(self, command):
        """As the service does."""
        run(self.tree / "usr/libexec/postern/reload", "--starting", self.program, env=self.environment())
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # pylint: disable=consider-using-with
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def environment(self):
        return {**os.environ, "RUNTIME_DIRECTORY": str(self.place)}

    def reload(self, code=0):
        return run(self.tree / "usr/libexec/postern/reload", self.process.pid, self.program, "c.textproto", code=code,
                   env=self.environment())

    def replace(self, script):
        other = self.place / "other"
        other.write_text("#!/bin/sh\n" + script, "ascii")
        other.chmod(0o755)
        other.rename(self.program)

    def test_the_same_program_is_signalled(self):
        self.reload()
        self.assertEqual(self.process.wait(60), -1)  # SIGHUP

    def test_no_need_to_look_into_the_process(self):
        """What /proc/PID/exe would say is another program, or nothing."""
        self.start([shutil.which("sleep"), "60"])
        self.reload()
        self.assertEqual(self.process.wait(60), -1)

    def test_another_program_takes_over_once(self):
        self.replace('echo "$@"\n')
        self.assertEqual(self.reload(), "--config=c.textproto --upgrade\n")
        self.assertIsNone(self.process.poll())
        self.assertEqual(self.reload(), "")
        self.assertEqual(self.process.wait(60), -1)

    def test_a_process_of_which_nothing_is_known(self):
        """As when it was started before there was such a file."""
        (self.place / "program").unlink()
        self.replace('echo "$@"\n')
        self.assertEqual(self.reload(), "--config=c.textproto --upgrade\n")
        self.assertIsNone(self.process.poll())

    def test_a_successor_that_fails_is_told(self):
        self.replace("exit 2\n")
        for _ in range(2):
            self.reload(code=2)
            self.assertIsNone(self.process.poll())

    def test_asked_for_once(self):
        (self.place / "replace").touch()
        self.reload(code=1)  # sleep, which knows no --config
        self.assertFalse((self.place / "replace").exists())
        self.assertIsNone(self.process.poll())
        self.reload()
        self.assertEqual(self.process.wait(60), -1)


class ManualTest(Unpacked):
    def page(self):
        path = self.folder / "postern.8"
        path.write_bytes(gzip.decompress((self.tree / "usr/share/man/man8/postern.8.gz").read_bytes()))
        return path

    def test_says_every_flag_and_field(self):
        text = self.page().read_text("utf-8").replace("\\-", "-")
        config = (self.tree / "usr/share/doc/postern/FLAGS.md").read_text("utf-8")
        flags = re.findall(r"(?m)^\| `(--\w+)`", config)
        self.assertGreater(len(flags), 80)
        for flag in flags:
            self.assertRegex(text, rf"(?m)^\.B {flag}$")
        printed = run(self.tree / "usr/sbin/postern", "--listen=127.0.0.1:1", "--cert=c", "--key=k", "--backend=127.0.0.1:1",
                      "--print_config")
        for field in set(re.findall(r"(?m)^ *(\w+)[: ]", printed)):
            self.assertRegex(text, rf"(?m)^\.BR {field} \"")

    def test_roff(self):
        page = self.page()
        checked = []
        for command in (["groff", "-man", "-Tutf8", "-ww", "-z"], ["mandoc", "-Tlint", "-Wwarning"]):
            if shutil.which(command[0]):
                self.assertEqual(run(*command, page), "")
                checked.append(command[0])
        if shutil.which("lexgrog"):
            self.assertIn("postern - mutual-TLS edge proxy", run("lexgrog", page))
        if not checked:
            self.skipTest("neither groff nor mandoc")


if __name__ == "__main__":
    unittest.main(verbosity=2)
