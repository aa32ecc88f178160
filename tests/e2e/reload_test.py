"""Change without restart: how changes are noticed, that they are taken whole or not at all, and what they leave alone."""

import os
import pathlib
import shutil
import signal
import ssl
import threading
import unittest

from lib import client, files
from lib.open_watch import OpenWatch
from lib.trust import TrustCase, Visitor
from lib.wire import Ended

TLS13 = ssl.TLSVersion.TLSv1_3


class ReloadTest(TrustCase):
    def served(self, proxy, certificate="client"):
        return Visitor(certificate, TLS13).visit(proxy.port).served

    def server_name_seen(self, proxy):
        """The serial number of the certificate that the gate shows."""
        stream = client.connect(proxy.port)
        with stream:
            return stream.sock.getpeercert()["serialNumber"]

    def copied(self, *names):
        """Copies of certificates that a test may change: a folder."""
        folder = self.folder / "certs"
        folder.mkdir()
        for name in names:
            for kind in ("crt", "key"):
                shutil.copy(self.pki.folder / f"{name}.{kind}", folder / f"{name}.{kind}")
        return folder

    def config_of(self, folder, ca="root.crt", process=""):
        text = self.config(client_auth=f'mode: "require" ca_files: "{folder}/{ca}"', process=process)
        text = text.replace(self.pki.chain("server"), f"{folder}/server.crt")
        return text.replace(self.pki.key("server"), f"{folder}/server.key")

    def test_a_certificate_is_renewed_by_renaming(self):
        folder = self.copied("root", "server")
        proxy = self.start_config(self.config_of(folder))
        live = Visitor("client", TLS13).open(proxy.port)
        self.addCleanup(live.close)
        self.assertEqual(client.get(live).status, 200)
        before = self.server_name_seen(proxy)
        self.ca("server", f"--ca={self.pki.folder / 'root'}", f"--out={self.folder / 'renewed'}", "--dns=localhost")
        for kind in ("key", "crt"):  # one after the other: what lies between is no configuration
            os.rename(self.folder / f"renewed.{kind}", folder / f"server.{kind}")
        self.await_reload(proxy)
        self.assertNotEqual(self.server_name_seen(proxy), before)
        self.assertEqual(client.get(live).status, 200, "a connection that is open is left alone")

    def test_kubernetes_swaps_a_link(self):
        first = self.copied("root", "server")
        mount = self.folder / "mount"
        mount.mkdir()
        os.rename(first, mount / "..2026_01")
        os.symlink("..2026_01", mount / "..data")
        for name in ("root.crt", "server.crt", "server.key"):
            os.symlink(f"..data/{name}", mount / name)
        proxy = self.start_config(self.config_of(mount))
        self.assertTrue(self.served(proxy))
        shutil.copytree(mount / "..2026_01", mount / "..2026_02")
        shutil.copy(self.pki.certificate("other"), mount / "..2026_02" / "root.crt")
        os.symlink("..2026_02", mount / "..data_tmp")
        os.rename(mount / "..data_tmp", mount / "..data")
        self.await_reload(proxy)
        self.assertFalse(self.served(proxy))
        self.assertTrue(self.served(proxy, "client_other"))

    def test_a_directory_of_cas(self):
        folder = self.folder / "cas"
        folder.mkdir()
        shutil.copy(self.pki.certificate("root"), folder / "root.pem")
        proxy = self.start(client_auth=f'mode: "require" ca_directories: "{folder}"')
        self.assertTrue(self.served(proxy))
        self.assertFalse(self.served(proxy, "client_other"))
        shutil.copy(self.pki.certificate("other"), folder / "other.new")
        os.rename(folder / "other.new", folder / "other.crt")
        self.await_reload(proxy)
        self.assertTrue(self.served(proxy, "client_other"))
        os.unlink(folder / "root.pem")
        self.await_reload(proxy)
        self.assertFalse(self.served(proxy))

    def test_a_file_that_changes_while_the_process_starts(self):
        """The first listener's list has been read, the second one's key is being read, and a new list comes: not missed."""
        last = pathlib.Path(shutil.copy(self.pki.key("server"), self.folder / "last.key"))
        crl = self.crl("root")
        empty = crl.read_text("ascii")
        self.crl("root", "client")
        revoking = crl.read_text("ascii")
        self.replace(crl, empty)
        second = f"""listeners {{
          name: "second" address: "127.0.0.1:0" client_auth {{ mode: "off" }} default_server_group: "app"
          certificates {{ certificate_file: "{self.pki.chain("server")}" key_file: "{last}" }} }}"""
        auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}" crl_files: "{crl}"'
        opened = OpenWatch(last)
        self.addCleanup(opened.close)

        def change():
            opened.wait()
            self.replace(crl, revoking)
        changer = threading.Thread(target=change)
        changer.start()
        proxy = self.start_config(self.config(client_auth=auth, process=second))
        changer.join()
        files.wait_until(lambda: client.refusal(proxy.port, client.context("client")) is not None, "the new list")
        self.assertIn("generation 2 is served", proxy.errors())

    def test_sighup_and_nothing_changed(self):
        proxy = self.start(process="watch_files: false")
        proxy.signal(signal.SIGHUP)
        files.wait_until(lambda: "nothing has changed" in proxy.errors(), "the answer")
        self.assertEqual(self.status(proxy)["reload"]["generation"], 1)
        # Without watching, a change waits for the signal.
        text = self.config(process="watch_files: false", listener="idle_timeout_ms: 14000")
        self.replace(self.folder / "postern.textproto", text)
        proxy.signal(signal.SIGHUP)
        self.await_reload(proxy)

    def test_a_bad_configuration_changes_nothing(self):
        proxy = self.start()
        path = self.folder / "postern.textproto"
        good = path.read_text("utf-8")
        for text, word in (("listeners {", "postern.textproto"),
                           (good.replace('default_server_group: "app"', 'default_server_group: "nobody"'), "nobody"),
                           (good.replace(self.pki.certificate("root"), "/nowhere.crt"), "/nowhere.crt"),
                           (good.replace(self.pki.key("server"), self.pki.key("client")), "does not belong"),
                           (good + "\nconnections_max: 17", "connections_max")):
            failures = self.status(proxy)["reload"]["failures"]
            self.replace(path, text)
            files.wait_until(lambda: self.status(proxy)["reload"]["failures"] > failures, "the failure")
            self.assertIn(word, self.status(proxy)["reload"]["last_error"])
            self.assertTrue(self.served(proxy))
        self.assertEqual(self.status(proxy)["reload"]["generation"], 1)
        self.rewrite(proxy, good.replace('name: "app" servers', 'name: "app" fail_open: false servers'))

    def test_what_is_no_file(self):
        """A pipe that nobody writes to, in a file's place: refused, and neither logs nor the end wait for it."""
        proxy = self.start(process=f'access_log: "{self.folder / "access"}"')
        path = self.folder / "postern.textproto"
        good = path.read_text("utf-8")
        pipe = self.folder / "pipe.pem"
        os.mkfifo(pipe)
        folder = self.folder / "cas"
        folder.mkdir()
        os.mkfifo(folder / "z.pem")
        for text in (good.replace(self.pki.certificate("root"), str(pipe)), good.replace(self.pki.chain("server"), str(pipe)),
                     good.replace(f'ca_files: "{self.pki.certificate("root")}"', f'ca_directories: "{folder}"')):
            self.assertNotEqual(text, good)
            failures = self.status(proxy)["reload"]["failures"]
            self.replace(path, text)
            files.wait_until(lambda before=failures: self.status(proxy)["reload"]["failures"] > before, "the failure")
            self.assertIn("is no regular file", self.status(proxy)["reload"]["last_error"])
        lines = (self.folder / "access").read_bytes().count(b"\n")
        self.assertTrue(self.served(proxy))
        files.wait_until(lambda: (self.folder / "access").read_bytes().count(b"\n") > lines, "its line")
        os.rename(path, self.folder / "aside")
        os.mkfifo(path)
        failures = self.status(proxy)["reload"]["failures"]
        proxy.signal(signal.SIGHUP)
        files.wait_until(lambda: self.status(proxy)["reload"]["failures"] > failures, "the failure")
        proxy.stop()

    def test_listeners_come_and_go(self):
        proxy = self.start()
        text = (self.folder / "postern.textproto").read_text("utf-8")
        second = text[text.index("listeners"):text.index("server_groups")].replace('"https"', '"second"')
        self.rewrite(proxy, text + second)
        ports = [listener["port"] for listener in self.status(proxy)["listeners"]]
        self.assertEqual(len(ports), 2)
        self.assertEqual(ports[0], proxy.port)
        live = Visitor("client", TLS13).open(ports[1])
        self.addCleanup(live.close)
        for _ in range(8):
            self.assertTrue(Visitor("client", TLS13).visit(ports[1]).served)
        self.assertEqual(client.get(live).status, 200)
        self.rewrite(proxy, text)
        self.assertEqual(live.receive(), b"", "its listener is gone")
        with self.assertRaises(OSError):
            for _ in range(200):
                client.connect_plain(ports[1]).close()
        self.assertTrue(self.served(proxy))

    def test_an_address_that_somebody_has_aborts_the_reload(self):
        proxy = self.start()
        text = (self.folder / "postern.textproto").read_text("utf-8")
        second = text[text.index("listeners"):text.index("server_groups")].replace('"https"', '"second"')
        failures = self.status(proxy)["reload"]["failures"]
        self.replace(self.folder / "postern.textproto",
                     text + second.replace("127.0.0.1:0", f"127.0.0.1:{self.backend.port}"))
        files.wait_until(lambda: self.status(proxy)["reload"]["failures"] > failures, "the failure")
        self.assertTrue(self.served(proxy))
        self.rewrite(proxy, text.replace('name: "app" servers', 'name: "app" fail_open: false servers'))

    def test_servers_change(self):
        other = self.start_backend(name="other")
        proxy = self.start()
        live = Visitor("client", TLS13).open(proxy.port)
        self.addCleanup(live.close)
        self.assertEqual(client.get(live).body, b"server")
        text = (self.folder / "postern.textproto").read_text("utf-8")
        self.rewrite(proxy, text.replace(f"port: {self.backend.port}", f"port: {other.port}"))
        for _ in range(4):
            self.assertEqual(client.get(live).body, b"other", "also on a connection that was open")
        self.assertEqual(self.status(proxy)["reload"]["living_generations"], 1)

    def test_a_storm_of_reloads(self):
        """A hundred reloads under load: no request is lost, and nothing of the old generations stays."""
        reloads = 20 if files.SANITIZED else 100
        folder = self.copied("root", "server")
        (folder / "root.crt").write_text("".join((self.pki.folder / f"{name}.crt").read_text("ascii")
                                                 for name in ("root", "other")), "ascii")
        proxy = self.start_config(self.config_of(folder))
        idle = [Visitor("client", TLS13).open(proxy.port) for _ in range(20)]
        for stream in idle:
            self.addCleanup(stream.close)
        stop = threading.Event()
        counts = {"requests": 0, "resumed": 0, "visits": 0}
        problems = []
        lock = threading.Lock()

        def load(kind):
            visitor = Visitor("client", TLS13)
            try:
                stream = visitor.open(proxy.port)
                while not stop.is_set():
                    if kind == "kept":
                        response = client.get(stream)
                    else:
                        visit = visitor.visit(proxy.port)
                        response = visit.response
                        with lock:
                            counts["visits"] += 1
                            counts["resumed"] += visit.resumed
                        if response is None:
                            problems.append(visit.alert)
                            return
                    if response.status != 200:
                        problems.append(response.status)
                    with lock:
                        counts["requests"] += 1
                stream.close()
            except (OSError, Ended) as error:
                problems.append(error)

        threads = [threading.Thread(target=load, args=(kind,)) for kind in ("kept", "new", "kept", "new")]
        for thread in threads:
            thread.start()
        both = (folder / "root.crt").read_text("ascii")
        root = (self.pki.folder / "root.crt").read_text("ascii")
        for number in range(reloads):
            self.replace(folder / "root.crt", root if number % 2 == 0 else both)
            proxy.signal(signal.SIGHUP)
            self.await_reload(proxy)
        stop.set()
        for thread in threads:
            thread.join(files.PATIENCE_S)
        self.assertEqual(problems, [])
        self.assertEqual(counts["visits"], counts["resumed"] + 2, "two first visits, and nobody lost a session")
        for stream in idle:
            self.assertEqual(client.get(stream).status, 200)
        files.wait_until(lambda: self.status(proxy)["reload"]["living_generations"] == 1, "the old generations' end")
        status = self.status(proxy)
        self.assertEqual({shard["generation"] for shard in status["shards"]}, {reloads + 1})
        print(f"\n{reloads} reloads: {counts['requests']} requests, none lost; {counts['resumed']} resumptions", flush=True)


if __name__ == "__main__":
    unittest.main()
