"""Who is trusted, whatever else is wrong: a configuration that cannot be loaded, names that have no address, files whose
change shows nowhere near them. No revocation waits for any of it."""

import os
import shutil
import signal
import ssl
import unittest

from lib import files
from lib.trust import TrustCase, Visitor
from lib.wire import Ended

TLS13 = ssl.TLSVersion.TLSv1_3


class TrustApartTest(TrustCase):
    def auth(self, path):
        return f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{path}"'

    def check_revocation(self, proxy, revoke):
        """`revoke()` is all that says that the client is not trusted any more."""
        visitor = Visitor("client", TLS13)
        self.assertTrue(visitor.visit(proxy.port).served)
        revoke()

        def is_refused():
            try:
                return "certificate revoked" in (visitor.visit(proxy.port).alert or "")
            except Ended:
                return False  # it had come in before, and was ended when it was judged again

        files.wait_until(is_refused, "the revocation")
        self.assertTrue(Visitor("client_rsa", TLS13).visit(proxy.port).served)

    def check_broken(self, change, word):
        """`change` makes a configuration of a good one that cannot be loaded."""
        path = self.crl("root")
        proxy = self.start(client_auth=self.auth(path))
        good = self.config(client_auth=self.auth(path))

        def revoke():
            self.replace(self.folder / "postern.textproto", change(good))
            proxy.signal(signal.SIGHUP)
            files.wait_until(lambda: word in self.status(proxy)["reload"]["last_error"], "the failure")
            self.crl("root", "client")

        self.check_revocation(proxy, revoke)
        files.wait_until(lambda: "who is trusted was taken from the files all the same" in proxy.errors(), "the word for it")
        self.assertIn(word, self.status(proxy)["reload"]["last_error"], "it is still so")
        # Once it is good again it is taken as a whole.
        self.replace(self.folder / "postern.textproto", good + 'via_name: "other"\n')
        files.wait_until(lambda: self.status(proxy)["reload"]["last_error"] == "", "a good configuration")
        self.assertIn("certificate revoked", Visitor("client", TLS13).visit(proxy.port).alert)
        return proxy

    def test_a_line_that_is_wrong(self):
        self.check_broken(lambda text: text + "nonsense: 1\n", "nonsense")

    def test_a_key_that_is_not_there(self):
        self.check_broken(lambda text: text.replace(str(self.pki.key("server")), str(self.folder / "no.key")), "no.key")

    def test_a_port_that_is_taken(self):
        other = self.start_backend(name="other")
        self.check_broken(lambda text: text.replace('address: "127.0.0.1:0"\n  cert',
                                                    f'address: "127.0.0.1:{other.port}"\n  cert').replace(
                                                        'name: "https"', 'name: "moved"'), str(other.port))

    def test_a_name_that_has_no_address(self):
        proxy = self.check_broken(lambda text: text.replace('servers {', 'servers { name: "new" host: "nowhere.invalid" '
                                                            'port: 1 } servers {'), "nowhere.invalid")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)

    def test_a_link_far_above_the_list(self):
        """As of a release that is unpacked beside the one before: nothing in the directories that are named changes."""
        place = self.folder / "releases"  # beside the configuration it would be noticed with that
        for release, revoked in (("r1", ()), ("r2", ("client",))):
            (place / release).mkdir(parents=True)
            shutil.move(self.crl("root", *revoked), place / release / "root.crl")
        os.symlink("r1", place / "current")
        os.symlink("r2", place / "next")
        proxy = self.start(client_auth=self.auth(place / "current" / "root.crl"))
        self.check_revocation(proxy, lambda: os.rename(place / "next", place / "current"))

    def test_a_file_that_a_reload_has_named(self):
        """It changes while the reload is under way."""
        path = self.crl("root")
        proxy = self.start()

        def revoke():
            self.replace(self.folder / "postern.textproto", self.config(client_auth=self.auth(path)))
            proxy.signal(signal.SIGHUP)
            self.crl("root", "client")

        self.check_revocation(proxy, revoke)


if __name__ == "__main__":
    unittest.main()
