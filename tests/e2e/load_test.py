"""h2load and wrk: many requests at once, and not one error. LOAD_SECONDS says for how long (10; tools/soak: 60)."""

import os
import re
import shutil
import subprocess
import unittest

from lib import files, nginx
from lib.case import Case

SECONDS = int(os.environ.get("LOAD_SECONDS", "10"))
PATH = "/usr/sbin:" + os.environ["PATH"]
TOOLS = {name: shutil.which(name, path=PATH) for name in ("h2load", "wrk")}


@unittest.skipIf(nginx.PROGRAM is None or None in TOOLS.values(), "nginx, h2load or wrk is not installed")
class LoadTest(Case):
    """Neither tool can show a certificate, so none is required."""

    def setUp(self):
        super().setUp()
        self.server = nginx.Nginx(self.folder)
        self.addCleanup(self.server.stop)
        self.server.put("small.txt", b"x" * 1024)
        self.proxy = self.start_proxy(self.server, client_auth="request", flags=["--access_log="])
        self.url = f"https://127.0.0.1:{self.proxy.port}/small.txt"

    def run_tool(self, name, *arguments):
        result = subprocess.run([TOOLS[name], *arguments, self.url], capture_output=True, check=False, text=True,
                                timeout=SECONDS + files.PATIENCE_S)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_h2load(self):
        text = self.run_tool("h2load", f"--duration={SECONDS}", "--clients=4", "--max-concurrent-streams=100")
        requests = re.search(r"requests: (\d+) total, .* (\d+) failed, (\d+) errored, (\d+) timeout", text)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
        self.assertIsNotNone(requests and codes, text)
        self.assertEqual(requests.groups()[1:], ("0", "0", "0"), text)
        self.assertEqual(codes.groups()[1:], ("0", "0", "0"), text)
        self.assertGreater(int(codes.group(1)), 1000, text)

    def test_wrk(self):
        text = self.run_tool("wrk", f"--duration={SECONDS}s", "--connections=50", "--threads=2")
        self.assertNotIn("Socket errors", text)
        self.assertNotIn("Non-2xx", text)
        self.assertGreater(int(re.search(r"(\d+) requests in", text).group(1)), 1000, text)


if __name__ == "__main__":
    unittest.main()
