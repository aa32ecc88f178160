"""The page on the admin address in a real browser: what it shows, how it fits, and what may be changed by it."""

import json
import os
import pathlib
import re
import threading
import unittest

from lib import client, files
from lib.admin import FAST, AdminCase, Checked, command
from lib.backend import Backend, response
from lib.browser import open_browser
from lib.trust import TrustCase

# The column "Health" by the servers' names.
HEALTH = """Object.fromEntries(Array.from(document.querySelectorAll('#groups tbody tr'), (row) =>
  [row.cells[0].textContent, row.cells[2].textContent]))"""

# A name that is a script to whoever takes it for HTML.
HOSTILE = "<img src=x onerror=console.error(1)><b>bold</b>"


class AdminPageTest(AdminCase):
    def setUp(self):
        super().setUp()
        self.browser = open_browser(self)
        self.servers = [Checked(self, "ecs01"), Checked(self, "ecs02")]

    def open(self, *flags):
        proxy = self.start_proxy(*[server.backend for server in self.servers],
                                 flags=[*FAST, "--admin=127.0.0.1:0", *flags])
        self.assertIsNone(self.browser.go(f"http://127.0.0.1:{proxy.admin_port}/"))
        self.await_health("Healthy", "Healthy")
        return proxy

    def await_health(self, first, second):
        wanted = {"ecs01": first, "ecs02": second}
        files.wait_until(lambda: self.browser.run(HEALTH) == wanted, f"health {wanted}")

    def await_text(self, text):
        self.browser.await_script(f"document.body.innerText.includes({json.dumps(text)})")

    def row(self, server):
        """The row of a server, as a script."""
        rows = "Array.from(document.querySelectorAll('#groups tbody tr'))"
        return f"{rows}.find((row) => row.cells[0].textContent === {json.dumps(server)})"

    def click_twice(self, button):
        self.browser.run(f"{button}.click()")
        self.browser.run(f"{button}.click()")

    def refuse(self, proxy):
        """Two clients who are refused."""
        if not (self.pki.folder / "hostile.crt").exists():
            self.pki.make("hostile", "client", "other", f"--cn={HOSTILE}", "--o=" + "Wide" * 15)
        self.assertIsNotNone(client.refusal(proxy.port, client.context("hostile")))
        self.assertIsNotNone(client.refusal(proxy.port, client.context(None)))

    def answers(self, proxy, count=8):
        return {client.fetch(proxy.port).body for _ in range(count)}

    def picture(self, name):
        """For whoever wants to look at it: in the folder SCREENSHOTS, if that is set."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.browser.screenshot(pathlib.Path(folder) / f"{name}.png")

    def test_health_turns_and_comes_back(self):
        self.open()
        self.servers[0].good = False
        self.await_health("Unhealthy", "Healthy")
        self.await_text("answered 500")
        self.servers[1].good = False
        self.await_health("Unhealthy", "Unhealthy")
        self.await_text("No server is healthy: all are used regardless")
        self.servers[0].good = self.servers[1].good = True
        self.await_health("Healthy", "Healthy")
        self.assertNotIn("answered 500", self.browser.text())
        self.assertEqual(self.browser.complaints, [])

    def test_shows_who_was_refused_and_runs_nothing_of_it(self):
        proxy = self.open()
        self.await_text("Nobody has been refused.")
        self.refuse(proxy)
        self.await_text("unknown_ca")
        self.await_text("no_certificate")
        self.assertIn(HOSTILE[:20], self.browser.text().replace("\\", ""))
        self.assertNotIn("Nobody has been refused.", self.browser.text())
        self.assertEqual(self.browser.run("document.images.length + document.querySelectorAll('script').length"), 1)
        # Even a script that got in would not run: the policy knows the hash of ours.
        self.browser.run("document.body.append(Object.assign(document.createElement('script'), "
                         "{textContent: 'window.ran = true'}))")
        self.assertIsNone(self.browser.run("window.ran"))
        self.assertEqual(len(self.browser.complaints), 1, self.browser.complaints)
        self.assertIn("Content Security Policy", self.browser.complaints[0])

    def test_draws_what_happens(self):
        proxy = self.open()
        for _ in range(3):
            client.fetch(proxy.port)
        drawn = "Array.from(document.querySelectorAll('.plot path'), (path) => path.getAttribute('d') || '')"
        for title in ("Requests", "Handshakes", "Processor time of a handshake"):
            self.assertIn(title, self.browser.text())
        # Requests, latency (four percentiles, told once there has been a request), three of handshakes, processor time.
        files.wait_until(lambda: all(self.browser.run(drawn)[i].count("L") > 1 for i in (0, 5, 6, 7)), "curves")
        self.await_text("Latency of requests")
        client.fetch(proxy.port)
        files.wait_until(lambda: all(self.browser.run(drawn)[1:5]), "latencies")
        self.assertIn("server certificate", self.browser.text())
        self.assertIn("client CA", self.browser.text())
        self.assertEqual(self.browser.complaints, [])

    def test_draws_latencies_if_they_are_told(self):
        self.open()
        shown = "Array.from(document.querySelectorAll('.plot')).some((plot) => plot.offsetParent && " \
                "plot.innerText.includes('Latency of requests'))"
        self.assertFalse(self.browser.run(shown))
        self.browser.run("""window.fetch = ((real, polls) => async (...what) => {
            const status = await (await real(...what)).json();
            ++polls;
            const buckets = [[1000, 1000], [1500, 600 * polls], [20000, 350 * polls], [123456, 48 * polls],
                             [2000000, 2 * polls]];
            return new Response(JSON.stringify({...status, latency: {buckets}}));
        })(window.fetch, 0)""")
        self.browser.await_script(shown)
        self.await_text("p50 1.5")
        self.await_text("p90 20")
        self.await_text("p99 123")
        self.await_text("p99.9 2000")
        colours = self.browser.run("Array.from(document.querySelectorAll('.plot:nth-child(2) path'), "
                                   "(path) => getComputedStyle(path).stroke)")
        self.assertEqual(len(set(colours)), 4, colours)
        self.assertEqual(self.browser.complaints, [])

    def test_says_when_it_is_old(self):
        proxy = self.open()
        proxy.stop()
        self.await_text("Not reachable")
        self.await_text("What is shown is old")
        self.assertEqual(self.browser.run(HEALTH), {"ecs01": "Healthy", "ecs02": "Healthy"})

    def test_fits_any_window_in_light_and_dark(self):
        proxy = self.open()
        self.refuse(proxy)
        self.await_text("unknown_ca")
        self.servers[1].good = False
        self.await_health("Healthy", "Unhealthy")
        colours = set()
        for dark in (False, True):
            for width in (320, 480, 800, 1280):
                self.browser.window(width, dark=dark)
                # A poll later everything has been filled and drawn for this width.
                polls = self.browser.run("performance.getEntriesByName(location.origin + '/status').length")
                self.browser.await_script(
                    f"performance.getEntriesByName(location.origin + '/status').length > {polls}")
                self.picture(f"{width}_{'dark' if dark else 'light'}")
                with self.subTest(width=width, dark=dark):
                    # Less than the width by a scroll bar at the most.
                    room = self.browser.run("document.documentElement.clientWidth")
                    self.assertLessEqual(abs(width - 8 - room), 8)
                    self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), room)
                    self.assertEqual(self.browser.run(
                        "Array.from(document.querySelectorAll('.cards'), (table) => table).filter((table) => "
                        "innerWidth < 600 && table.scrollWidth > table.parentElement.clientWidth).length"), 0)
            colours.add(self.browser.run("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(colours), 2, colours)
        self.assertEqual(self.browser.complaints, [])

    def test_is_read_only_unless_asked(self):
        proxy = self.open()
        self.assertEqual(self.browser.run("Array.from(document.querySelectorAll('button')).filter("
                                          "(button) => button.offsetParent).length"), 0)
        for path in ("/servers/drain?group=default&server=ecs01", "/servers/undrain", "/reload"):
            self.assertEqual(self.ask(proxy, path, "POST")[0], 403)
            self.assertEqual(self.ask(proxy, path)[0], 405)
        self.assertEqual(self.answers(proxy), {b"ecs01", b"ecs02"})

    def test_drains_and_reloads(self):
        proxy = self.open("--admin_write")
        self.browser.window(1280)
        button = self.row("ecs01") + ".querySelector('button')"
        self.browser.run(f"{button}.click()")
        self.assertEqual(self.answers(proxy), {b"ecs01", b"ecs02"}, "one click only asks")
        self.browser.run(f"{button}.click()")
        self.await_text("takes no new requests")
        self.assertEqual(self.answers(proxy), {b"ecs02"})
        self.picture("drained")
        self.assertIn("admin: drain group=", proxy.errors())
        self.browser.await_script(f"{button}.textContent === 'Undrain'")
        self.click_twice(button)
        self.browser.await_script(f"{button}.textContent === 'Drain'")
        self.assertEqual(self.answers(proxy), {b"ecs01", b"ecs02"})
        self.browser.run("document.getElementById('reload_button').click()")
        self.await_text("reload begins")
        files.wait_until(lambda: "reload: nothing has changed" in proxy.errors(), "the reload in the log")
        self.browser.run("(() => { const level = document.getElementById('log_level'); level.value = 'debug'; "
                         "level.dispatchEvent(new Event('change')); })()")
        self.await_text("log level debug")
        client.fetch(proxy.port)
        files.wait_until(lambda: " debug handshake address=" in proxy.errors(), "a line that was not written before")
        self.assertEqual(self.browser.complaints, [])

    def test_another_page_can_change_nothing(self):
        proxy = self.open("--admin_write")
        admin = f"http://127.0.0.1:{proxy.admin_port}"
        token = self.browser.run("document.querySelector('meta[name=postern-token]').content")
        self.assertRegex(token, "^[0-9a-f]{32}$")

        def serve(stream):
            while stream.read_request() is not None:
                stream.send(response("<!doctype html><title>elsewhere</title>", fields="Content-Type: text/html\r\n"))
        elsewhere = self.start_backend(serve, kind=Backend)
        self.assertIsNone(self.browser.go(f"http://127.0.0.1:{elsewhere.port}/"))
        attempt = ("fetch('{}', {}).then((answer) => answer.text(), (error) => 'failed')")
        drain = f"{admin}/servers/drain?group=default&server=ecs01"
        for options in ("{method: 'POST', mode: 'no-cors'}", "{method: 'POST'}",
                        "{method: 'POST', headers: {'X-Postern-Token': '" + token + "'}}"):
            self.assertIn(self.browser.run(attempt.format(drain, options)), ("", "failed"))
        self.assertEqual(self.browser.run(attempt.format(admin + "/", "{}")), "failed", "the page with the token")
        self.assertEqual(self.answers(proxy), {b"ecs01", b"ecs02"})


class DrainTest(TrustCase):
    """Without a browser: what a tool can do that has read the page."""

    def text(self, *servers):
        listed = " ".join(f'servers {{ name: "{server.name}" host: "127.0.0.1" port: {server.port} }}'
                          for server in servers)
        text = self.config().replace('admin { address: "127.0.0.1:0" }', 'admin { address: "127.0.0.1:0" write: true }')
        return re.sub(r'servers \{.*?\}', lambda match: listed, text)

    def answers(self, proxy):
        return {client.fetch(proxy.port).body for _ in range(8)}

    def test_stays_drained_over_a_reload(self):
        servers = [self.start_backend(name=name) for name in ("a", "b", "c")]
        proxy = self.start_config(self.text(*servers))
        self.assertEqual(self.answers(proxy), {b"a", b"b", b"c"})
        self.assertEqual(command(proxy, "/servers/drain?group=app&server=b"), 200)
        self.assertEqual(self.answers(proxy), {b"a", b"c"})
        self.rewrite(proxy, self.text(*servers[:2]))
        self.assertEqual(self.answers(proxy), {b"a"})
        # Gone and back again: it is still the one that somebody has drained.
        self.rewrite(proxy, self.text(servers[0]))
        self.rewrite(proxy, self.text(*servers))
        self.assertEqual(self.answers(proxy), {b"a", b"c"})
        self.assertEqual(command(proxy, "/servers/undrain?group=app&server=b"), 200)
        self.assertEqual(self.answers(proxy), {b"a", b"b", b"c"})

    def test_what_runs_is_left_alone(self):
        asked, gate = threading.Event(), threading.Event()

        def slow(_):
            asked.set()
            gate.wait(files.PATIENCE_S)
            return response("slow")
        servers = [self.start_backend(slow, name="a")]
        self.addCleanup(gate.set)
        proxy = self.start_config(self.text(*servers))
        with client.connect(proxy.port) as stream:
            stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(asked.wait(files.PATIENCE_S))
            self.assertEqual(command(proxy, "/servers/drain?group=app&server=a"), 200)
            # Nobody is left for others, and the one that is drained is not used regardless.
            self.assertEqual(client.fetch(proxy.port).status, 503)
            gate.set()
            self.assertEqual(stream.read_response().body, b"slow")


if __name__ == "__main__":
    unittest.main()
