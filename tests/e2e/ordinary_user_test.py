"""Postern as a user without any right of its own."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from lib import client, files
from lib.case import Case


class OrdinaryUserTest(Case):
    @unittest.skipIf(os.geteuid() != 0, "every test shows it")
    def test_runs_as_an_ordinary_user(self):
        """Without a right that others do not have: it serves, reloads, is replaced by another one, and ends."""
        nobody = 65534
        # Where that user may go; the binary lies where only root may.
        place = pathlib.Path(tempfile.mkdtemp(prefix="nobody_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        binary = place / "postern"
        shutil.copy(files.postern(), binary)
        given = [self.pki.chain("server"), self.pki.key("server"), self.pki.certificate("root")]
        certificate, key, root = [shutil.copy(name, place / f"{number}.pem") for number, name in enumerate(given)]
        try:
            for path in (place, *place.iterdir()):
                os.chown(path, nobody, nobody)
        except OSError as error:
            self.skipTest(f"there is no other user here: {error}")
        backend = self.start_backend()
        arguments = ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", "--no-new-privs", binary,
                     f"--cert={certificate}", f"--key={key}", f"--client_ca={root}", "--client_auth=require",
                     "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--shards=1", "--access_log=",
                     f"--error_log={place / 'error.log'}", f"--upgrade_socket={place / 'door'}", "--health_check=false",
                     backend.flag]
        with open(place / "said", "wb") as said:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                arguments, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        ready = files.wait_until(lambda: re.search(r"ready, .*?https \S+?:(\d+)", (place / "said").read_text("utf-8")),
                                 "it serves")
        port = int(ready.group(1))
        self.assertEqual(client.fetch(port).status, 200)
        self.assertRegex(pathlib.Path(f"/proc/{process.pid}/status").read_text("ascii"), rf"Uid:\t{nobody}\t")
        process.send_signal(signal.SIGHUP)
        files.wait_until(lambda: "nothing has changed" in (place / "error.log").read_text("utf-8"), "the reload")
        subprocess.run([*arguments, "--upgrade"], cwd=place, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=files.PATIENCE_S)
        self.assertEqual(process.wait(files.PATIENCE_S), 0)
        successor = int(re.search(r"process (\d+) has taken over", (place / "error.log").read_text("utf-8")).group(1))
        try:
            self.assertEqual(client.fetch(port).status, 200)
        finally:
            os.kill(successor, signal.SIGTERM)
            files.wait_until(lambda: not pathlib.Path(f"/proc/{successor}/exe").exists(), "it ends")


if __name__ == "__main__":
    unittest.main()
