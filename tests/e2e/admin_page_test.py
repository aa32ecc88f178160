"""The page on the admin address in a real browser."""

import os
import pathlib
import unittest

from health_test import FAST, AdminCase, Checked
from lib import client, files
from lib.backend import closed_port
from lib.browser import Browser

# Cells of the column "Health" by the servers' names.
HEALTH = """Object.fromEntries(Array.from(document.querySelectorAll('#groups tbody tr'), (row) =>
  [row.cells[0].textContent, row.cells[2].textContent]))"""
BACK = "getComputedStyle(document.body).backgroundColor"


class AdminPageTest(AdminCase):
    def setUp(self):
        super().setUp()
        home = self.folder / "home"
        home.mkdir()
        self.browser = Browser(home)
        self.addCleanup(self.browser.stop)
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

    def refuse(self, proxy, name="client_other"):
        """Some clients who are refused, one with a name that would be a script if anybody took it for HTML."""
        with self.assertRaises(OSError):
            client.fetch(proxy.port, certificate=name)

    def picture(self, name):
        """For whoever wants to see it: in SCREENSHOTS, if that is set."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.browser.screenshot(pathlib.Path(folder) / f"{name}.png")
