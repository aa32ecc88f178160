"""The health table of a running proxy, as another process sees it."""

import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from lib import client, files
from lib.case import Case


class HealthTopTest(Case):
    def run_once(self, *arguments, code=0, **options):
        result = subprocess.run([files.healthtop(), "--once", *arguments], capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        if code != 0:
            self.assertRegex(result.stderr, r"\Ahealthtop: [^\n]+\n\Z")
            return result.stderr
        return result.stdout

    def rows(self, proxy):
        """{(group, server): {heading: value}}"""
        _, headings, *lines = self.run_once(f"--pid={proxy.pid}").splitlines()
        rows = [dict(zip(headings.split(), line.split(), strict=True)) for line in lines]
        return {(row["GROUP"], row["SERVER"]): row for row in rows}

    def closed_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return taken.getsockname()[1]

    def config(self, servers):
        lines = "".join(f'  servers {{ name: "{name}" host: "127.0.0.1" port: {port} }}\n' for name, port in servers)
        return f"""
listeners {{
  name: "a"
  address: "127.0.0.1:0"
  certificates {{ certificate_file: "{self.pki.chain('server')}" key_file: "{self.pki.key('server')}" }}
  default_server_group: "web"
}}
server_groups {{
  name: "web"
{lines}  health_check {{ interval_ms: 1000 timeout_ms: 1000 healthy_threshold: 2 unhealthy_threshold: 2 }}
}}
"""

    def test_shows_what_the_checks_found(self):
        good = self.start_backend()
        proxy = self.start_config(self.config([("good", good.port), ("down", self.closed_port())]))

        def states():
            return [row["STATE"] for row in self.rows(proxy).values()]
        files.wait_until(lambda: states() == ["healthy", "unhealthy"], "both states")
        for _ in range(3):
            with client.connect(proxy.port) as stream:
                self.assertEqual(client.get(stream).status, 200)
        rows = files.wait_until(lambda: (seen := self.rows(proxy))[("web", "good")]["ACTIVE"] == "0" and seen, "no request")
        up, down = rows[("web", "good")], rows[("web", "down")]
        self.assertEqual((up["REQUESTS"], up["FAILURES"], up["ERROR"]), ("3", "0", "-"))
        self.assertEqual((down["REQUESTS"], down["ERROR"]), ("0", "connect"))
        for row in (up, down):
            self.assertRegex(row["SINCE"], r"\A\d+(s|m\d\ds)\Z")
            self.assertRegex(row["CHECKED"], r"\A\d+(s|m\d\ds)\Z")
        self.assertTrue(self.run_once(f"--pid={proxy.pid}").startswith(
            f"postern {proxy.pid}, generation 1: 2 servers, 1 unhealthy\n"))

    def test_follows_a_reload(self):
        good = self.start_backend()
        proxy = self.start_config(self.config([("first", good.port)]))
        self.assertEqual(list(self.rows(proxy)), [("web", "first")])
        (self.folder / "postern.textproto").write_text(self.config([("second", good.port), ("third", good.port)]), "utf-8")
        files.wait_until(lambda: list(self.rows(proxy)) == [("web", "second"), ("web", "third")], "the new servers")

    def test_refreshes_until_the_process_ends(self):
        proxy = self.start_config(self.config([("good", self.start_backend().port)]))
        with subprocess.Popen([files.healthtop(), f"--pid={proxy.pid}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as top:
            self.addCleanup(top.kill)
            heads = 0
            while heads < 3:  # at once, and twice after a second
                line = top.stdout.readline()
                self.assertTrue(line, "it ended")
                heads += line.startswith("postern ")
            proxy.stop()
            _, said = top.communicate(timeout=files.PATIENCE_S)
        self.assertEqual((top.returncode, said), (1, f"healthtop: there is no process {proxy.pid}\n"))

    def test_errors(self):
        self.assertIn("has no health table", self.run_once(f"--pid={os.getpid()}", code=1))
        ended = subprocess.Popen(["true"])
        ended.wait()
        self.assertIn(f"there is no process {ended.pid}", self.run_once(f"--pid={ended.pid}", code=1))
        self.assertIn("--pid", self.run_once("--pid=0", code=2))
        self.assertIn("nonsense", self.run_once("--nonsense", code=2))

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_no_permission(self):
        proxy = self.start_proxy("--backend=127.0.0.1:1")
        # The build's own folder is root's alone.
        folder = tempfile.mkdtemp(prefix="healthtop_", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        program = shutil.copy(files.healthtop(), folder)
        for path in (folder, program):
            os.chmod(path, 0o755)
        try:
            result = subprocess.run([program, "--once", f"--pid={proxy.pid}"], user=65534, group=65534, extra_groups=[],
                                    cwd="/", capture_output=True, text=True, timeout=files.PATIENCE_S, check=False)
        except PermissionError:
            self.skipTest("a sandbox in which there is nobody else")
        self.assertEqual((result.returncode, result.stderr),
                         (1, f"healthtop: process {proxy.pid} may not be looked into; run this as root, with CAP_SYS_PTRACE\n"))


if __name__ == "__main__":
    unittest.main()
