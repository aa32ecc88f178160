"""tools/load against the real proxy: what it counts is what the other side saw."""

import json
import signal
import subprocess
import threading
import time
import unittest
import xml.etree.ElementTree

from lib import files
from lib.backend import closed_port, response
from lib.trust import TrustCase

# Sanitizers slow everything down by their factor.
OPERATIONS = 60 if files.SANITIZED else 300


class LoadGeneratorTest(TrustCase):
    def setUp(self):
        super().setUp()
        self.identities = self.folder / "identities"
        self.identities.mkdir()
        for number in range(4):
            self.ca("client", f"--ca={self.pki.folder / 'root'}", f"--out={self.identities / f'c{number}'}",
                    f"--cn=c{number}")

    def auth(self, more=""):
        return f'mode: "require" ca_files: "{self.pki.certificate("root")}" {more}'

    def begin(self, *arguments, port, scheme="https", host="localhost", ca="root", who=None):
        who = [f"--identities={self.identities}"] if who is None else who
        self.json = self.folder / "load.json"
        tls = [f"--ca={self.pki.certificate(ca)}", *who] if scheme == "https" else []
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [files.load_generator(), f"--json={self.json}", f"--connect=127.0.0.1:{port}", *tls, *arguments,
             f"{scheme}://{host}/x"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def end(self, process, code=0):
        self.text, _ = process.communicate(timeout=files.PATIENCE_S)
        self.assertEqual(process.returncode, code, self.text)
        self.assertNotRegex(self.text, "CHECK failed|Sanitizer")
        return json.loads(self.json.read_text("ascii"))

    def load(self, *arguments, code=0, **where):
        return self.end(self.begin(*arguments, **where), code)

    def bad(self, *arguments):
        result = subprocess.run([files.load_generator(), *arguments], capture_output=True, text=True, check=False,
                                timeout=files.PATIENCE_S)
        self.assertIn(result.returncode, (1, 2), result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"^load: [^\n]+\n$")
        return result.stderr

    def requests(self):
        return len(self.backend.requests)

    def test_every_mix_is_what_the_proxy_saw(self):
        proxy = self.start(client_auth=self.auth())
        for http in (["--http=1.1"], ["--http=2", "--streams=5"]):
            for tls in ([], ["--tls=1.2"]):
                for mix in ("kept:1", "full:1", "resumed:1", "full:2,resumed:3,kept:5"):
                    with self.subTest(http=http, tls=tls, mix=mix):
                        before = self.requests()
                        seen = self.load(*http, *tls, f"--mix={mix}", "--connections=3", f"--operations={OPERATIONS}",
                                         port=proxy.port)
                        self.assertEqual(seen["operations"], {"due": OPERATIONS, "responses": OPERATIONS, "errors": 0},
                                         self.text)
                        self.assertEqual(seen["status"]["2xx"], OPERATIONS)
                        self.assertEqual(self.requests() - before, OPERATIONS)
                        self.check_mix(mix, seen["handshakes"])

    def check_mix(self, mix, handshakes):
        new = handshakes["full"] + handshakes["resumed"]
        if mix == "kept:1":
            self.assertEqual(new, 3)
        elif mix == "full:1":
            self.assertEqual(handshakes, {"full": OPERATIONS, "resumed": 0, "declined": 0})
        elif mix == "resumed:1":
            # Each client once without a session, and once more where two of its connections overlap.
            self.assertEqual(new, OPERATIONS)
            self.assertLessEqual(handshakes["full"], 12)
        else:
            self.assertTrue(OPERATIONS * 0.25 < new < OPERATIONS * 0.75, handshakes)
            self.assertGreater(handshakes["resumed"], 0)

    def test_both_drivers_and_two_workers(self):
        proxy = self.start(client_auth=self.auth())
        for driver in ("uring", "epoll"):
            seen = self.load(f"--io={driver}", "--threads=2", "--connections=4", f"--operations={OPERATIONS}",
                             "--mix=full:1,resumed:1,kept:8", port=proxy.port)
            self.assertEqual(seen["operations"]["responses"], OPERATIONS, self.text)
            self.assertIn(driver, seen["driver"])

    def test_bodies_both_ways(self):
        body = b"y" * 100_000
        self.backend.respond = lambda request: response(body)
        proxy = self.start(client_auth=self.auth())
        for http in ("1.1", "2"):
            seen = self.load(f"--http={http}", "--body_bytes=70000", "--operations=20", "--connections=2",
                             "--header=X-Test: a, b", port=proxy.port)
            self.assertEqual(seen["body_bytes"], 20 * len(body), self.text)
            last = self.backend.last
            self.assertEqual((last.method, len(last.body)), ("POST", 70_000))
            self.assertEqual(last.get("X-Test"), "a, b")

    def test_a_server_that_stalls_is_charged_for_all_who_would_have_come(self):
        stall = threading.Event()

        def respond(_):
            if stall.is_set():
                time.sleep(2)
                stall.clear()
            return response(b"x")

        self.backend.respond = respond
        proxy = self.start(client_auth=self.auth())
        process = self.begin("--rate=100/4s", "--connections=1", port=proxy.port)
        files.wait_until(lambda: self.requests() > 20, "requests")
        stall.set()
        seen = self.end(process)
        self.assertEqual(seen["operations"]["due"], 400)
        self.assertEqual(seen["operations"]["responses"], 400, self.text)
        # Those due in the first half of the stall waited longer than its second half: a quarter of all. A generator
        # that waits for the answer before it thinks of the next request would have seen one slow request.
        self.assertGreater(seen["latency"]["all"]["p90_us"], 900_000)

    def test_handshakes_alone(self):
        proxy = self.start(client_auth=self.auth())
        seen = self.load("--handshakes_only", "--operations=50", port=proxy.port)
        self.assertEqual((seen["handshakes"]["full"], seen["status"]["none"]), (50, 50), self.text)
        self.assertEqual(self.requests(), 0)
        seen = self.load("--handshakes_only", "--operations=5", port=proxy.port, who=[], code=1)
        self.assertEqual((seen["failures"]["refused_by_server"], seen["alerts"]), (5, {"certificate_required": 5}))

    def test_revocation_in_mid_run(self):
        crl = self.crl("root")
        proxy = self.start(client_auth=self.auth(f'crl_files: "{crl}"'))
        script = self.folder / "revoke.sh"
        script.write_text(f"""set -e
cd {self.folder}
{files.authority()} revoke --ca={self.pki.folder}/root --cert={self.identities}/c2.crt --db={self.folder}/root.revoked.txt
{files.authority()} crl --ca={self.pki.folder}/root --db={self.folder}/root.revoked.txt --out={crl}
kill -HUP {proxy.pid}
""", "utf-8")
        seen = self.load("--rate=60/5s", "--mix=full:1,resumed:4,kept:5", "--connections=8",
                         f"--at=1s:sh {script}", f"--plot={self.folder}/plot.svg", port=proxy.port)
        self.assertEqual([one["exit_code"] for one in seen["commands"]], [0], self.text)
        self.assertEqual([one["name"] for one in seen["refused_identities"]], ["c2"], self.text)
        fate = seen["refused_identities"][0]
        self.assertGreater(fate["responses"], 0)
        self.assertEqual(fate["responses_after_refusal"], 0)
        self.assertIn("certificate_revoked", seen["alerts"])
        self.assertEqual(seen["operations"]["due"], seen["operations"]["responses"] + seen["operations"]["errors"])
        self.assertRegex(self.text, "c2: first refusal at")
        print("\n" + self.text, flush=True)
        root = xml.etree.ElementTree.parse(self.folder / "plot.svg").getroot()
        self.assertTrue(root.tag.endswith("svg"))

    def test_whom_it_does_not_trust_and_who_is_not_there(self):
        proxy = self.start(client_auth=self.auth())
        for host, ca, failure in (("localhost", "other", "server_certificate"),
                                  ("other.test", "root", "server_certificate")):
            seen = self.load("--operations=5", port=proxy.port, code=1, host=host, ca=ca)
            self.assertEqual(seen["failures"][failure], 5, self.text)
        listener, port = closed_port()
        with listener:
            seen = self.load("--operations=5", port=port, code=1)
            self.assertEqual(seen["failures"]["connect"], 5, self.text)
        seen = self.load("--operations=5", port=self.backend.port, code=1)
        self.assertEqual(seen["operations"]["errors"], 5, self.text)

    def test_plain_http_and_ends_without_a_length(self):
        self.backend.respond = lambda request: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
        seen = self.load("--operations=20", "--connections=2", port=self.backend.port, scheme="http")
        self.assertEqual((seen["operations"]["responses"], seen["body_bytes"]), (20, 100), self.text)

    def test_an_answer_cut_short_and_none_in_time(self):
        self.backend.respond = (
            lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello")
        seen = self.load("--operations=5", "--connections=1", port=self.backend.port, scheme="http", code=1)
        self.assertEqual(seen["failures"]["closed"], 5, self.text)
        self.backend.respond = lambda request: time.sleep(1)
        seen = self.load("--operations=2", "--timeout=100ms", "--connections=2", port=self.backend.port, scheme="http",
                         code=1)
        self.assertEqual(seen["failures"]["timeout"], 2, self.text)
        self.backend.respond = lambda request: b"SSH-2.0-OpenSSH\r\n\r\n"
        seen = self.load("--operations=2", port=self.backend.port, scheme="http", code=1)
        self.assertEqual(seen["failures"]["malformed"], 2, self.text)

    def test_interrupted(self):
        proxy = self.start(client_auth=self.auth())
        process = self.begin("--duration=1h", port=proxy.port)
        files.wait_until(lambda: self.requests() > 10, "requests")
        process.send_signal(signal.SIGINT)
        seen = self.end(process)
        self.assertTrue(seen["interrupted"])
        self.assertEqual(seen["operations"]["responses"], self.requests(), self.text)

    def test_bad_input(self):
        for arguments in ([], ["gopher://x/"], ["--rate=fast", "https://x/"], ["--ca=/nonexistent", "https://x/"],
                          ["--insecure", f"--identities={self.folder}/none", "https://127.0.0.1/"],
                          ["--insecure", f"--cert={self.identities}/c0.crt", f"--key={self.identities}/c1.key",
                           "https://127.0.0.1:1/"],
                          ["--json=/nonexistent/x", "http://127.0.0.1:1/"], ["--wrong", "http://127.0.0.1:1/"]):
            with self.subTest(arguments=arguments):
                self.bad(*arguments)


if __name__ == "__main__":
    unittest.main()
