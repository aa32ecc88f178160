"""Postern as a user without any right of its own."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from lib import client, files
from lib.case import Case


def as_user(number):
    """What to put before a command."""
    return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--no-new-privs"]


NOBODY = 65534
AS_NOBODY = as_user(NOBODY)


@unittest.skipIf(os.geteuid() != 0, "every test shows it")
class OrdinaryUserTest(Case):
    def start(self, *more, before_it=None):
        """A process of that user, which serves. `before_it`: is called with its pid when it has not begun yet."""
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
                ["sh", "-c", 'read _; exec "$@" </dev/null', "sh", *self.arguments], cwd=self.place, stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, stderr=said)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if before_it is not None:
            before_it(process.pid)
        process.stdin.close()
        ready = files.wait_until(lambda: re.search(r"ready, .*?https \S+?:(\d+)", (self.place / "said").read_text("utf-8")),
                                 "it serves")
        self.port = int(ready.group(1))
        return process

    def upgrade(self, process, ends=True):
        """The pid of the one that has taken over; it is ended with the test. `ends`: so does the one before."""
        subprocess.run([*self.arguments, "--upgrade"], cwd=self.place, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=files.PATIENCE_S)
        if ends:
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
        successor = self.upgrade(process)
        self.assertFalse(self.look_into(successor))

    def test_hands_out_its_health_table(self):
        """To its own user and root, whatever they may look into; also while it drains, and to nobody else."""
        process = self.start()
        asking = client.connect(self.port)
        self.addCleanup(asking.close)
        asking.send("GET / HTTP/1.1\r\n")  # in the middle of a request: the drain waits for its end
        successor = self.upgrade(process, ends=False)
        for pid in (process.pid, successor):
            # The second root is as that of a container often is: it may list the descriptors, and not follow them.
            for user in (AS_NOBODY, [], ["setpriv", "--bounding-set=-sys_ptrace"]):
                code, said = self.healthtop(pid, *user)
                self.assertEqual(code, 0, said)
                self.assertTrue(said.startswith(f"postern {pid}, generation 1: 1 servers"), said)
            refused = (f"healthtop: process {pid} hands out its table to others only; run this as its user, or as root with "
                       "CAP_SYS_PTRACE\n")
            self.assertEqual(self.healthtop(pid, *as_user(NOBODY - 1)), (1, refused))
        asking.close()
        self.assertEqual(process.wait(files.PATIENCE_S), 0)

    def test_goes_on_while_strangers_knock(self):
        """Who connects and stays, or whom it does not know, holds nothing of it."""
        process = self.start()
        name = f"\0postern-health-{process.pid}"
        before = len(os.listdir(f"/proc/{process.pid}/fd"))
        for _ in range(300):
            knocking = socket.socket(socket.AF_UNIX)
            self.addCleanup(knocking.close)
            knocking.connect(name)
        self.assertEqual(self.healthtop(process.pid, *AS_NOBODY)[0], 0)
        self.assertLessEqual(len(os.listdir(f"/proc/{process.pid}/fd")), before)
        self.assertEqual(client.fetch(self.port).status, 200)

    def test_a_taken_name(self):
        """Somebody else listens there: the process serves all the same, and the tool believes no stranger."""
        taken = socket.socket(socket.AF_UNIX)
        self.addCleanup(taken.close)

        def take(pid):
            taken.bind(f"\0postern-health-{pid}")
            taken.listen()
        process = self.start(before_it=take)
        self.assertIn("health table: no socket for tools: Address already in use; healthtop sees it as root only\n",
                      (self.place / "said").read_text("utf-8"))
        self.assertEqual(client.fetch(self.port).status, 200)
        self.assertEqual(self.healthtop(process.pid, *AS_NOBODY),
                         (1, f"healthtop: process {process.pid} hands out no table; run this as its user, or as root with "
                             "CAP_SYS_PTRACE\n"))
        self.assertEqual(self.healthtop(process.pid)[0], 0)

    def test_core_dumps_let_it_be_looked_into(self):
        process = self.start("--core_dumps")
        self.assertTrue(self.look_into(process.pid))
        code, said = self.healthtop(process.pid, *AS_NOBODY)
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
