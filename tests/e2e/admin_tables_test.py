"""The tables of the admin page in a real browser, held to what is there: times, listeners, shards, dates, refusals."""

import re
import time
import unittest

from lib import client, files
from lib.backend import response
from lib.browser import open_browser
from lib.trust import TrustCase

DAY_S = 86400

# What the page gets of /status, changed by the function `change` before the page sees it.
CHANGED = """window.fetch = ((real) => async (...what) => {
  const status = await (await real(...what)).json();
  const now = status.started_ms + status.uptime_ms;
  (%s)(status, now);
  return new Response(JSON.stringify(status));
})(window.fetch);"""


class TablesTest(TrustCase):
    def setUp(self):
        super().setUp()
        self.browser = open_browser(self)

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [])
        super().tearDown()

    def open(self, proxy, change=None):
        if change is not None:
            self.browser.call("Page.addScriptToEvaluateOnNewDocument", source=CHANGED % change)
        self.assertIsNone(self.browser.go(f"http://127.0.0.1:{proxy.admin_port}/"))
        self.browser.await_script("document.querySelectorAll('#listeners tbody tr').length > 0")

    def table(self, selector):
        """The rows of a table, as texts."""
        return self.browser.run(f"Array.from(document.querySelector({selector!r}).tBodies[0].rows, "
                                "(row) => Array.from(row.cells, (cell) => cell.textContent))")

    def heads(self, selector):
        return self.browser.run(f"Array.from(document.querySelector({selector!r}).tHead.rows[0].cells, "
                                "(cell) => cell.textContent)")

    def server(self, group=1):
        """The row of a group's one server, by its columns."""
        selector = f"#groups > div:nth-child({group}) table"
        row, = self.table(selector)
        return dict(zip(self.heads(selector), row))

    def seconds_since(self):
        """The column Since, which tells seconds for two minutes."""
        return int(re.fullmatch(r"(\d+) s", self.server()["Since"]).group(1))

    # --- Servers ---

    def checked(self):
        """A server whose health can be switched, and one that nobody checks."""
        self.good = True
        self.backend.respond = lambda _: response(status="200 OK" if self.good else "500 Bad")
        check = ('health_check { method: "GET" interval_ms: 1000 timeout_ms: 5000 healthy_threshold: 2 '
                 "unhealthy_threshold: 2 }")
        other = (f'server_groups {{ name: "other" servers {{ name: "unchecked" host: "127.0.0.1" port: '
                 f"{self.backend.port} }} health_check {{ enabled: false }} }}")
        return self.start_config(self.config().replace("health_check { enabled: false }", check) + other)

    def test_since_and_last_check(self):
        begun = time.monotonic()
        proxy = self.checked()
        self.open(proxy)
        files.wait_until(lambda: self.server()["Health"] == "Healthy" and self.seconds_since() >= 3, "3 s of health")
        self.assertLessEqual(self.seconds_since(), time.monotonic() - begun + 1)
        # Checks go on, so that the last one stays recent.
        files.wait_until(lambda: self.server()["Last check"] in ("0 s ago", "1 s ago"), "a recent check")
        unchecked = self.server(2)
        self.assertEqual((unchecked["Health"], unchecked["Last check"]), ("Not checked", "\u2013"))
        turned = time.monotonic()
        self.good = False
        files.wait_until(lambda: self.server()["Health"] == "Unhealthy", "the change")
        self.assertLessEqual(self.seconds_since(), time.monotonic() - turned + 1, "the time begins anew")

    def test_long_ago(self):
        self.open(self.checked(), """(status, now) => {
            Object.assign(status.groups[0].servers[0], {since_ms: now - 3 * 3600e3, last_check_ms: now - 240e3});
        }""")
        server = self.server()
        self.assertEqual((server["Since"], server["Last check"]), ("3 h", "4 min ago"))

    # --- Listeners and shards ---

    def test_listeners(self):
        root = self.pki.certificate("root")
        policies = "".join(
            f'tls_hosts {{ server_name: "{mode}.example.test" client_auth {{ mode: "{mode}" {cas} }} }} '
            for mode, cas in (("request", f'ca_files: "{root}"'), ("off", ""), ("passthrough", "")))
        text = self.config(listener=policies)
        text += (f'listeners {{ name: "open" address: "[::1]:0" default_server_group: "app" certificates {{ '
                 f'certificate_file: "{self.pki.chain("server")}" key_file: "{self.pki.key("server")}" }} }}\n'
                 'listeners { name: "plain" protocol: "http" address: "127.0.0.1:0" }\n')
        proxy = self.start_config(text)
        self.open(proxy)
        ports = {listener["name"]: listener["port"] for listener in self.status(proxy)["listeners"]}
        self.assertEqual([ports["https"], ports["open"], ports["plain"]], proxy.ports)
        self.assertEqual(self.heads("#listeners"), ["Name", "Address", "Speaks", "Client certificates"])
        self.assertEqual(self.table("#listeners"), [
            ["https", f"127.0.0.1:{ports['https']}", "https", "required"],
            ["https, request.example.test", "", "https", "requested"],
            ["https, off.example.test", "", "https", "not asked for"],
            ["https, passthrough.example.test", "", "https", "required, judged by servers"],
            ["open", f"[::1]:{ports['open']}", "https", "not asked for"],
            ["plain", f"127.0.0.1:{ports['plain']}", "http, redirects", ""]])

    def shards(self):
        return {name: [float(value) for value in values] for name, *values in self.table("#shards")}

    def test_shards(self):
        proxy = self.start()
        self.open(proxy)
        self.assertEqual(self.heads("#shards"), ["", "Shard 0", "Shard 1"])
        for round_ in (1, 2):
            for _ in range(10):
                client.fetch(proxy.port)
            self.assertIsNotNone(client.refusal(proxy.port, client.context(None)))
            wanted = {"Requests": 10 * round_, "Handshakes": 10 * round_, "Refused": round_,
                      "Connections accepted": 11 * round_, "Connections open": 0, "Resumed": 0, "Shed": 0}
            files.wait_until(lambda: wanted.items() <= {
                name: sum(values) for name, values in self.shards().items()}.items(), f"the sums {wanted}")
            told = self.status(proxy)["shards"]
            shown = self.shards()
            for row, field in (("Requests", "requests"), ("Handshakes", "handshakes"), ("Generation", "generation"),
                               ("Connections accepted", "connections_accepted")):
                self.assertEqual(shown[row], [shard[field] for shard in told], row)
            self.assertTrue(all(value > 0 for value in shown["Memory (MiB)"]), shown)
        with client.connect(proxy.port) as stream:
            client.get(stream)
            files.wait_until(lambda: sum(self.shards()["Connections open"]) == 1, "an open connection")

    # --- Certificates ---

    def test_dates(self):
        for name, command, *flags in (("own", "server", "--dns=localhost", "--not_after=3d", "--cn=three days"),
                                      ("soon", "root", "--cn=twenty days", "--not_after=20d"),
                                      ("gone", "root", "--cn=gone", "--not_before=-3d", "--not_after=-2d")):
            issuer = [f"--ca={self.pki.folder / 'root'}"] if command == "server" else []
            self.ca(command, f"--out={self.folder / name}", *flags, *issuer)
        lists = self.crl("root", flags=["--next_update=40d"])
        path = {name: str(self.folder / f"{name}.crt") for name in ("own", "soon", "gone")}
        auth = "".join(f'ca_files: "{file}" ' for file in (self.pki.certificate("root"), path["soon"], path["gone"]))
        text = self.config(client_auth=f'mode: "require" {auth} crl_files: "{lists}"')
        text = text.replace(self.pki.chain("server"), path["own"])
        self.open(self.start_config(text.replace(self.pki.key("server"), str(self.folder / "own.key"))))
        table = self.table("#certificates")
        unlisted = "CA without a revocation list"
        self.assertEqual(sorted(row[4] for row in table if row[0] == unlisted), sorted((path["soon"], path["gone"])))
        rows = {row[4]: row for row in table if row[0] != unlisted}
        self.assertEqual(len(rows), 5)
        for file, role, tag, *fields in (
                (path["own"], "server certificate", "bad"),
                (path["soon"], "client CA", "warn"),
                (path["gone"], "client CA", "bad"),
                (self.pki.certificate("root"), "client CA", "good"),
                (str(lists), "revocation list, 0 entries", "good", "crl", "-nextupdate")):
            with self.subTest(file):
                end_s = files.end_s(file, *fields)
                self.assertEqual(rows[file][0], role)
                self.assertEqual(rows[file][2], time.strftime("%Y-%m-%d", time.gmtime(end_s)))
                left_days = (end_s - time.time()) / DAY_S
                # The page rounds, and was drawn a moment ago.
                wanted = ["expired"] if left_days < 0 else [f"{round(left_days + moved)} days" for moved in (0, 0.01)]
                self.assertIn(rows[file][3], wanted)
                self.assertEqual(self.browser.run(
                    "Array.from(document.querySelectorAll('#certificates tbody tr')).find((row) => "
                    f"row.cells[4].textContent === {file!r} && row.cells[0].textContent === {role!r})"
                    ".cells[3].firstElementChild.className"), f"tag {tag}")

    # --- Refusals before the page was opened ---

    def refuse(self, proxy, certificate=None, times=1):
        for _ in range(times):
            self.assertIsNotNone(client.refusal(proxy.port, client.context(certificate)))

    def reasons(self):
        """The columns "Last 5 min" and "Since start" by reason."""
        self.assertEqual(self.heads("#reasons")[:3], ["Reason", "Last 5 min", "Since start"])
        return {row[0]: tuple(row[1:3]) for row in self.table("#reasons")}

    def await_reasons(self, wanted):
        files.wait_until(lambda: self.reasons() == wanted, f"reasons {wanted}")

    def test_refusals_before_the_page_was_opened(self):
        proxy = self.start()
        self.refuse(proxy, times=2)
        self.refuse(proxy, "client_other")
        self.open(proxy)
        self.assertEqual(self.reasons(), {"no_certificate": ("2", "2"), "unknown_ca": ("1", "1")})
        self.refuse(proxy, "client_other")
        self.refuse(proxy, "client_expired")
        self.await_reasons({"no_certificate": ("2", "2"), "unknown_ca": ("2", "2"), "expired": ("1", "1")})

    def test_refusals_leave_the_window(self):
        proxy = self.start()
        self.refuse(proxy, times=3)
        # They become older while the page looks: at first one is too old, and another one soon is.
        self.open(proxy, """(status, now) => {
            [1, 298, 301].forEach((seconds, i) => { status.recent_refusals[i].time_ms = now - seconds * 1000; });
        }""")
        self.assertIn(self.reasons(), ({"no_certificate": (count, "3")} for count in ("1", "2")))
        self.await_reasons({"no_certificate": ("1", "3")})
        self.refuse(proxy)
        self.await_reasons({"no_certificate": ("2", "4")})

    def test_more_refusals_than_are_listed(self):
        proxy = self.start()
        self.refuse(proxy, "client_other")
        self.refuse(proxy, times=70)
        self.open(proxy)
        listed = [refusal["reason"] for refusal in self.status(proxy)["recent_refusals"]]
        count = listed.count("no_certificate")
        self.assertLess(count, 70)
        self.assertEqual(self.reasons()["no_certificate"], (f"{count}+", "70"))
        # Long after the page was opened it has seen all itself.
        self.browser.run("opened.time -= WINDOW_MS")
        self.refuse(proxy, times=2)
        self.await_reasons({"no_certificate": ("2", "72"), "unknown_ca": ("0", "1")})


if __name__ == "__main__":
    unittest.main()
