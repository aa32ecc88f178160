"""A real browser: Chromium with a client certificate in its store comes in, resumes its sessions, and sees the servers
take turns."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from lib import files
from lib.admin import FAST
from lib.browser import Browser
from lib.demo import DemoServer
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

    def start_servers(self):
        servers = [DemoServer(self.folder, name) for name in ("ecs01", "ecs02")]
        for server in servers:
            self.addCleanup(server.kill)
        return servers

    def open_browser(self):
        browser = Browser(self.folder / "home")
        self.addCleanup(browser.stop)
        return browser

    def await_health(self, browser, first, second):
        cells = "Array.from(document.querySelectorAll('#groups tbody tr'), (row) => row.cells[2].textContent).join()"
        browser.await_script(f"{cells} === '{first},{second}'")

    def refresh(self, browser, servers):
        """Presses F5: the server that has answered, by what is shown and by its log alike."""
        before = [len(server.requests()) for server in servers]
        browser.reload()
        shown = browser.run("document.querySelector('h1').textContent")
        more = [server.name for server, count in zip(servers, before)
                for _ in range(len(server.requests()) - count)]
        self.assertEqual(more, [shown], "one request, and nothing beside it")
        return shown

    def test_walk_through(self):
        servers = self.start_servers()
        proxy = self.start_proxy(*servers, flags=[*FAST, "--admin=127.0.0.1:0"])
        page, admin = f"https://localhost:{proxy.port}/", f"http://127.0.0.1:{proxy.admin_port}/"

        stranger = self.open_browser()
        self.assertIsNone(stranger.go(admin))
        self.await_health(stranger, "Healthy", "Healthy")
        # In TLS 1.3 the refusal comes after the client's last flight. Chromium shows the alert, or only that the
        # connection has ended, if it notices that first; the proxy's log is what says why.
        self.assertRegex(stranger.go(page) or "shown", "^net::ERR_(BAD_SSL_CLIENT_AUTH_CERT|SOCKET_NOT_CONNECTED)$")
        self.assertRegex(proxy.await_refusals(1)[0], "reason=no_certificate")
        self.assertEqual([server.requests() for server in servers], [[], []])
        stranger.stop()

        self.give_certificate("client")
        browser = self.open_browser()
        self.assertIsNone(browser.go(page))
        self.assertIn(self.pki.subject("client"), browser.text())
        shown = [browser.run("document.querySelector('h1').textContent")]
        shown += [self.refresh(browser, servers) for _ in range(7)]
        self.assertEqual(shown[0::2] + shown[1::2], [shown[0]] * 4 + [shown[1]] * 4, "they take turns")
        self.assertEqual(set(shown), {"ecs01", "ecs02"})
        for server in servers:
            self.assertEqual(server.requests(), ["GET / HTTP/1.1"] * 4)

        self.assertIsNone(browser.go(admin))
        self.await_health(browser, "Healthy", "Healthy")
        servers[0].kill()
        self.await_health(browser, "Unhealthy", "Healthy")
        self.assertIn("cannot connect", browser.text())
        self.assertIsNone(browser.go(page))
        self.assertEqual([self.refresh(browser, servers) for _ in range(3)], ["ecs02"] * 3)
        servers[0].start()
        self.assertIsNone(browser.go(admin))
        self.await_health(browser, "Healthy", "Healthy")
        self.assertEqual(browser.complaints, [])
        self.assertIsNone(browser.go(page))
        self.assertEqual({self.refresh(browser, servers) for _ in range(4)}, {"ecs01", "ecs02"})


if __name__ == "__main__":
    unittest.main()
