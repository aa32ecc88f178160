"""How much the error log says, changed in every way there is, and refusals in a log of their own."""

import re
import signal
import unittest

from lib import client, files
from lib.admin import command
from lib.trust import TrustCase


class LogLevelTest(TrustCase):
    strangers = 0

    def text(self, process=""):
        return self.config(process=process).replace('admin { address: "127.0.0.1:0" }',
                                                    'admin { address: "127.0.0.1:0" write: true }')

    def serve(self, *flags):
        return self.start_proxy(self.backend, flags=["--admin=127.0.0.1:0", "--admin_write", *flags])

    def refuse(self, proxy):
        """Refused for its name, which the log then has, so that lines can be told apart."""
        self.strangers += 1
        name = f"stranger-{self.strangers}.example"
        stranger = client.context(None)
        stranger.check_hostname = False
        self.assertIsNotNone(client.refusal(proxy.port, stranger, server_name=name))
        return name

    def logged(self, proxy, text):
        files.wait_until(lambda: text in proxy.errors(), text)

    def test_levels(self):
        proxy = self.serve("--log_level=error")
        self.assertEqual(client.status(proxy.admin_port)["log_level"], "error")
        unheard = self.refuse(proxy)
        self.assertEqual(command(proxy, "/log_level?level=debug"), 200)
        self.assertEqual(client.status(proxy.admin_port)["log_level"], "debug")
        client.fetch(proxy.port)
        self.logged(proxy, " debug closed address=")
        self.assertRegex(proxy.errors(), r"Z debug handshake address=127\.0\.0\.1:\d+ listener=default sni=\"localhost\" "
                                         r"tls=TLSv1\.3 cipher=\S+ alpn=http/1\.1 handshake=full handshake_us=\d+ "
                                         r'subject="CN=device 7,')
        self.assertRegex(proxy.errors(), r" debug closed address=127\.0\.0\.1:\d+ listener=default reason=\w+ requests=1\n")
        self.assertEqual(command(proxy, "/log_level?level=info"), 200)
        lines = proxy.errors().count(" debug ")
        heard = self.refuse(proxy)
        self.logged(proxy, 'info refused address=127.0.0.1:')
        self.logged(proxy, heard)
        client.fetch(proxy.port)
        self.assertEqual(command(proxy, "/log_level?level=warning"), 200)
        unheard_too = self.refuse(proxy)
        self.assertEqual(command(proxy, "/log_level?level=info"), 200)
        self.logged(proxy, self.refuse(proxy))
        self.assertEqual(proxy.errors().count(" debug "), lines)
        self.assertNotIn(unheard, proxy.errors())
        self.assertNotIn(unheard_too, proxy.errors())

    def test_checks_of_servers(self):
        proxy = self.serve("--health_check=true", "--health_interval=1s", "--health_timeout=1s", "--log_level=debug")
        files.wait_until(lambda: re.search(r"Z debug check group=default server=server error=none status=200 took_us=\d+\n",
                                           proxy.errors()), "a check")

    def test_a_server_that_fails(self):
        self.backend.stop()
        proxy = self.serve()
        self.assertEqual(client.fetch(proxy.port).status, 502)
        self.logged(proxy, "Z info server_failed group=default server=server failure=connect\n")

    def test_a_reload(self):
        def reloaded(process, generation):
            self.replace(self.folder / "postern.textproto", self.text(process))
            files.wait_until(lambda: self.status(proxy)["reload"]["generation"] == generation, f"generation {generation}")
        proxy = self.start_config(self.text())
        self.assertEqual(command(proxy, "/log_level?level=error"), 200)
        # Nothing about levels has changed: what somebody has asked for stays.
        reloaded("revocation_grace_ms: 4000", 2)
        self.assertEqual(self.status(proxy)["log_level"], "error")
        reloaded('log_level: "debug"', 3)
        self.assertEqual(self.status(proxy)["log_level"], "debug")
        self.logged(proxy, "Z info log level debug\n")
        client.fetch(proxy.port)
        self.logged(proxy, " debug closed address=")

    def test_refusals_apart(self):
        place = self.folder / "refusals.log"
        proxy = self.serve(f"--refusal_log={place}", "--log_level=error")
        name = self.refuse(proxy)
        files.wait_until(lambda: place.exists() and name in place.read_text("ascii"), "a refusal")
        self.assertRegex(place.read_text("ascii"), r"\A\S+Z info refused address=.* reason=no_certificate .*\n\Z")
        self.assertNotIn(name, proxy.errors())
        place.rename(self.folder / "refusals.1")
        proxy.signal(signal.SIGUSR1)
        files.wait_until(place.exists, "the new file")
        name = self.refuse(proxy)
        files.wait_until(lambda: name in place.read_text("ascii"), "a refusal in the new file")


if __name__ == "__main__":
    unittest.main()
