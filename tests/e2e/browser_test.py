"""A real browser: Chromium with a client certificate in its store comes in, and resumes its sessions."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from lib import files
from lib.trust import TrustCase

POLICIES = pathlib.Path("/etc/chromium/policies/managed")

PAGE = """<!doctype html><link rel="icon" href="data:,"><title>waiting</title><script>
(async () => {
  let good = 0;
  for (let i = 0; i < 6; ++i) {
    good += (await fetch("/step" + i)).status === 200;
  }
  document.title = "fetched " + good + " pages";
  document.body.textContent = "fetched " + good + " pages";
})();
</script><body>waiting</body>
"""


class BrowserTest(TrustCase):
    def setUp(self):
        super().setUp()
        self.assertIsNotNone(shutil.which("chromium"), "chromium is missing: tools/setup installs it")
        store = self.folder / "home" / ".pki" / "nssdb"
        store.mkdir(parents=True)
        self.store = f"sql:{store}"
        self.run_tool("certutil", "-N", "-d", self.store, "--empty-password")
        self.run_tool("certutil", "-A", "-d", self.store, "-n", "root", "-t", "C,,", "-i", self.pki.certificate("root"))

    def run_tool(self, *command):
        subprocess.run(command, check=True, capture_output=True, timeout=files.PATIENCE_S)

    def give_certificate(self, name):
        self.ca("p12", f"--in={self.pki.folder / name}", f"--out={self.folder / 'client.p12'}", "--passphrase=secret")
        self.run_tool("pk12util", "-i", str(self.folder / "client.p12"), "-d", self.store, "-K", "", "-W", "secret")
        # Nobody is there to choose.
        POLICIES.mkdir(parents=True, exist_ok=True)
        policy = POLICIES / f"postern-test-{os.getpid()}.json"
        policy.write_text(json.dumps({"AutoSelectCertificateForUrls": ['{"pattern":"https://localhost","filter":{}}']}),
                          "utf-8")
        self.addCleanup(policy.unlink)

    def browse(self, port):
        """The page as the browser sees it in the end."""
        home = self.folder / "home"
        result = subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={home / 'profile'}", "--virtual-time-budget=20000", "--dump-dom",
             f"https://localhost:{port}/"],
            env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, timeout=3 * files.PATIENCE_S,
            check=False)
        return result.stdout

    def respond(self, request):
        body = PAGE.encode() if request.target == "/" else b"ok"
        kind = "text/html" if request.target == "/" else "text/plain"
        return (f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                "Cache-Control: no-store\r\n\r\n").encode() + body

    def test_comes_in_and_resumes(self):
        self.backend.respond = self.respond
        # Each request on a connection of its own.
        proxy = self.start(listener="max_requests_per_connection: 1")
        self.assertNotRegex(self.browse(proxy.port), "fetched . pages", "without a certificate")
        self.assertGreater(sum(shard["refusals"].get("no_certificate", 0) for shard in self.status(proxy)["shards"]), 0)
        self.give_certificate("client")
        self.assertIn("fetched 6 pages", self.browse(proxy.port))
        self.assertEqual(self.backend.last.get("X-Forwarded-Clientcert-subjectdn"), self.pki.subject("client"))
        resumed = self.tickets(proxy, "resumed")
        self.assertGreater(resumed, 0)
        print(f"\nChromium: {resumed} resumed handshakes of {resumed + self.tickets(proxy, 'not_offered')}", flush=True)


if __name__ == "__main__":
    unittest.main()
