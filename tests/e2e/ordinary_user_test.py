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


NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]


@unittest.skipIf(os.geteuid() != 0, "every test shows it")
class OrdinaryUserTest(Case):
    def start(self, *more):
        """A process of that user, which serves."""
        # Where that user may go; the binary lies where only root may.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="nobody_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        binary = self.place / "postern"
        shutil.copy(files.postern(), binary)
        given = [self.pki.chain("server"), self.pki.key("server"), self.pki.certificate("root")]
        certificate, key, root = [shutil.copy(name, self.place / f"{number}.pem") for number, name in enumerate(given)]
        try:
            for path in (self.place, *self.place.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        except OSError as error:
            self.skipTest(f"there is no other user here: {error}")
        backend = self.start_backend()
        self.arguments = [
            *AS_NOBODY, binary, f"--cert={certificate}", f"--key={key}", f"--client_ca={root}", "--client_auth=require",
            "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--shards=1", "--access_log=",
            f"--error_log={self.place / 'error.log'}", f"--upgrade_socket={self.place / 'door'}", "--health_check=false",
            backend.flag, *more]
        with open(self.place / "said", "wb") as said:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.arguments, cwd=self.place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        ready = files.wait_until(lambda: re.search(r"ready, .*?https \S+?:(\d+)", (self.place / "said").read_text("utf-8")),
                                 "it serves")
        self.port = int(ready.group(1))
        return process

    def upgrade(self, process):
        """The pid of the one that has taken over; it is ended with the test."""
        subprocess.run([*self.arguments, "--upgrade"], cwd=self.place, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=files.PATIENCE_S)
        self.assertEqual(process.wait(files.PATIENCE_S), 0)
        successor = int(re.search(r"process (\d+) has taken over", self.error_log()).group(1))
        self.addCleanup(files.wait_until, lambda: not pathlib.Path(f"/proc/{successor}").exists(), "it ends")
        self.addCleanup(os.kill, successor, signal.SIGTERM)
        return successor

    def error_log(self):
        return (self.place / "error.log").read_text("utf-8")

    def look_into(self, pid):
        """Whether another process of the same user may. What it reads is what has the keys."""
        result = subprocess.run([*AS_NOBODY, "cat", f"/proc/{pid}/maps"], cwd="/", stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=files.PATIENCE_S, check=False)
        self.assertEqual(result.stdout != b"", result.returncode == 0)
        return result.returncode == 0

    def healthtop(self, pid, *before):
        program = shutil.copy(files.healthtop(), self.place)
        result = subprocess.run([*before, program, "--once", f"--pid={pid}"], cwd="/", stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=files.PATIENCE_S, check=False)
        return result.returncode, result.stdout + result.stderr

    def test_runs_as_an_ordinary_user(self):
        """Without a right that others do not have: it serves, reloads, is replaced by another one, and ends."""
        process = self.start()
        self.assertEqual(client.fetch(self.port).status, 200)
        self.assertRegex(pathlib.Path(f"/proc/{process.pid}/status").read_text("ascii"), rf"Uid:\t{NOBODY}\t")
        process.send_signal(signal.SIGHUP)
        files.wait_until(lambda: "nothing has changed" in self.error_log(), "the reload")
        self.upgrade(process)
        self.assertEqual(client.fetch(self.port).status, 200)

    def test_nobody_but_root_looks_into_it(self):
        process = self.start()
        self.assertFalse(self.look_into(process.pid))
        refused = f"healthtop: process {process.pid} may not be looked into; run this as root, with CAP_SYS_PTRACE\n"
        self.assertEqual(self.healthtop(process.pid, *AS_NOBODY), (1, refused))
        # As root of a container often is: it may list the descriptors, and not follow them.
        self.assertEqual(self.healthtop(process.pid, "setpriv", "--bounding-set=-sys_ptrace"), (1, refused))
        code, said = self.healthtop(process.pid)
        self.assertEqual(code, 0, said)
        self.assertTrue(said.startswith(f"postern {process.pid}, generation 1: "), said)
        successor = self.upgrade(process)
        self.assertFalse(self.look_into(successor))

    def test_core_dumps_let_it_be_looked_into(self):
        process = self.start("--core_dumps")
        self.assertTrue(self.look_into(process.pid))
        code, said = self.healthtop(process.pid, *AS_NOBODY)
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
