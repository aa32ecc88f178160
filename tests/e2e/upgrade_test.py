"""--upgrade: a running process is replaced, and nobody notices."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import unittest

from lib import client, files
from lib.load import Load, check_nobody_noticed, counts
from lib.upgrade import UpgradeCase, alive


class UpgradeTest(UpgradeCase):
    def test_under_load(self):
        """New connections, resumed ones and kept ones, through 2 to 2, 2 to 1 and 1 to 2 shards."""
        proxy = self.start()
        load = Load(self, proxy.port)
        pids = []
        for shards in (2, 1, 2):
            self.await_served(150)
            pids.append(self.upgrade(f"--shards={shards}"))
        # Sessions of one process go on in the next: also those that the load has had since before the last upgrade.
        self.await_served(150)
        seen = load.stop()
        print(f"three upgrades under load: {counts(seen)}", file=sys.stderr)
        check_nobody_noticed(self, seen)
        self.taken_over(proxy)
        for pid in pids[:-1]:
            files.wait_until(lambda pid=pid: not alive(pid), "replaced processes have ended")
        self.assertTrue(alive(pids[-1]))
        self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_the_service_manager_hears_of_it(self):
        name = f"@{self.door}.notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind("\0" + name[1:])
        manager.settimeout(files.PATIENCE_S)

        def environment():
            os.environ.update(NOTIFY_SOCKET=name, WATCHDOG_USEC="400000", WATCHDOG_PID=str(os.getpid()))

        proxy = self.run_proxy(self.arguments(), environment)
        pid = self.upgrade()
        self.taken_over(proxy)
        heard = []
        # The successor, which nobody has told of the manager, speaks as the main process: also for the watchdog.
        while f"MAINPID={pid}" not in heard or heard.count("WATCHDOG=1") < 4:
            heard.append(manager.recv(4096).decode("ascii").split("\n")[0])
        self.assertEqual(heard.count("READY=1"), 2, heard)
        self.assertNotIn("STOPPING=1", heard)
        # What another process than the main one says is not believed.
        self.assertLess(heard.index(f"MAINPID={pid}"), len(heard) - heard[::-1].index("READY=1") - 1, heard)

    def test_one_that_cannot_start_changes_nothing(self):
        proxy = self.start()
        self.upgrade(f"--cert={self.folder / 'missing.crt'}", code=2)
        self.assertIn("missing.crt", self.said)
        held = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(held.close)
        self.upgrade("--error_log=/nonexistent/folder/error.log", code=1)
        self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertNotIn("taken over", self.log_text())
        self.upgrade()
        self.taken_over(proxy)
        self.assertEqual(client.fetch(proxy.port).status, 200)

    def test_a_successor_that_dies_at_any_step(self):
        """As the protocol's other side: it asks, takes some or all, and is gone before it says that it is ready."""
        proxy = self.start()
        for taken in (0, 4, 8, 100, None):
            with socket.socket(socket.AF_UNIX) as successor:
                successor.settimeout(files.PATIENCE_S)
                successor.connect(str(self.door))
                successor.sendall(b"Q")
                if taken is None:
                    size, count = struct.unpack("II", successor.recv(8, socket.MSG_WAITALL))
                    text = successor.recv(size, socket.MSG_WAITALL).decode("ascii")
                    self.assertRegex(text, r"\Apostern-handover 1\nio \w+\nlistener 127\.0\.0\.1 (?s:.*)\nsecret [0-9a-f]+\nend\n")
                    _, descriptors, _, _ = socket.recv_fds(successor, 1, count)
                    self.assertEqual(len(descriptors), count)
                    for descriptor in descriptors:
                        os.close(descriptor)
                elif taken:
                    successor.recv(taken)
            self.assertEqual(client.fetch(proxy.port).status, 200)
        # Another word than that it is ready.
        with socket.socket(socket.AF_UNIX) as successor:
            successor.settimeout(files.PATIENCE_S)
            successor.connect(str(self.door))
            successor.sendall(b"QX")
            while successor.recv(4096):
                pass
        self.assertEqual(client.fetch(proxy.port).status, 200)
        self.assertNotIn("taken over", self.log_text())
        self.upgrade()
        self.taken_over(proxy)

    def test_errors(self):
        proxy = self.start()
        self.upgrade("--upgrade_socket=", code=1)
        self.assertRegex(self.said, "--upgrade wants to know the --upgrade_socket")
        self.upgrade(f"--upgrade_socket={self.door.with_name('nobody')}", code=1)
        self.assertRegex(self.said, "nobody: no postern answers here that could be replaced: No such file")
        self.upgrade(f"--upgrade_socket={'x' * 200}", code=1)
        self.assertRegex(self.said, "between 1 and 107 bytes")
        # Without --upgrade the name is taken.
        result = subprocess.run([files.postern(), *self.arguments()], cwd=self.folder, capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, "another postern has it; --upgrade replaces that one")
        if "epoll" not in proxy.errors():
            self.upgrade("--io=epoll", code=1)
            self.assertRegex(self.said, "an upgrade cannot change the driver")
        self.assertEqual(client.fetch(proxy.port).status, 200)

    @unittest.skipIf(os.geteuid() != 0, "needs another user")
    def test_a_stranger_at_the_door(self):
        """Whoever has taken a free name could give secrets of his own."""
        listening = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-c", "import os, socket, sys, time\n"
             "os.setgid(65534); os.setuid(65534)\ndoor = socket.socket(socket.AF_UNIX)\n"
             f"door.bind('\\0{self.door}.stranger')\ndoor.listen()\nprint('ready', flush=True)\ntime.sleep(60)\n"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(listening.wait)
        self.addCleanup(listening.kill)
        self.addCleanup(listening.stdout.close)
        if listening.stdout.readline() != "ready\n":
            self.skipTest("there is no other user here")
        self.upgrade(f"--upgrade_socket=@{self.door}.stranger", code=1)
        self.assertRegex(self.said, "neither root nor the user of this process")

    def test_another_file_is_left_alone(self):
        self.door.write_text("mine", "ascii")
        result = subprocess.run([files.postern(), *self.arguments()], cwd=self.folder, capture_output=True, text=True,
                                timeout=files.PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(self.door.read_text("ascii"), "mine")

    def test_a_socket_left_behind(self):
        proxy = self.start()
        proxy.kill()
        self.assertTrue(self.door.exists())
        again = self.start()
        self.upgrade()
        self.taken_over(again)

    @unittest.skipIf(os.geteuid() != 0 or shutil.which("unshare") is None, "needs a process namespace of its own")
    def test_process_1_of_a_container(self):
        self.log.touch()
        script = (f"{files.postern()} {' '.join(self.arguments())} --upgrade > said 2>&1; echo $? > code; kill -TERM 1")
        proxy = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
             f"(while [ ! -S {self.door} ]; do sleep 0.1; done; {script}) & exec {files.postern()} "
             f"{' '.join(self.arguments())}"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)
        self.addCleanup(proxy.stderr.close)
        proxy.wait(files.PATIENCE_S)
        if not (self.folder / "code").exists():
            self.skipTest("no process namespace: " + proxy.stderr.read())
        self.assertEqual((self.folder / "code").read_text("ascii").strip(), "1")
        self.assertRegex((self.folder / "said").read_text("utf-8"), "process 1 of its container.*docker run --init")


class ActivationTest(UpgradeCase):
    def test_one_socket_for_all_shards(self):
        """As systemd does: one socket without SO_REUSEPORT, and one for the admin address."""
        public, admin = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        addresses = [f"127.0.0.1:{sock.getsockname()[1]}" for sock in (public, admin)]
        flags = [f"--listen={addresses[0]}", f"--admin={addresses[1]}"]

        # LISTEN_PID is the process's own: known only to whoever becomes it.
        wrapper = self.folder / "activated"
        wrapper.write_text("import os, sys\nos.dup2(int(sys.argv[1]), 103)\nos.dup2(int(sys.argv[2]), 104)\n"
                           "os.dup2(103, 3, inheritable=True)\nos.dup2(104, 4, inheritable=True)\n"
                           "os.environ.update(LISTEN_FDS='2', LISTEN_PID=str(os.getpid()))\n"
                           "os.execv(sys.argv[3], sys.argv[3:])\n", "ascii")
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, wrapper, str(public.fileno()), str(admin.fileno()), files.postern(), *self.arguments(*flags)],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(public.fileno(), admin.fileno()))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = public.getsockname()[1]
        # The kernel takes connections before the process has started.
        for _ in range(20):
            self.assertEqual(client.fetch(port).status, 200)
        status = client.status(admin.getsockname()[1])
        self.assertEqual(sum(shard["requests"] for shard in status["shards"]), 20)
        self.assertEqual(len(status["shards"]), 2)
        # The kernel wakes whom it likes: a shard that has many more gives some away.
        admin_port = admin.getsockname()[1]
        self.check_spread(port, admin_port, 2)
        # And these, too, go on to a successor.
        for sock in (public, admin):
            sock.close()
        for shards in (1, 2):
            self.upgrade(*flags, f"--shards={shards}")
            self.check_spread(port, admin_port, shards)
        self.assertEqual(process.wait(files.PATIENCE_S), 0)

    def check_spread(self, port, admin_port, shards):
        """All of them serve."""
        files.wait_until(lambda: len(client.status(admin_port)["shards"]) == shards, "the successor's status")
        streams = [client.connect(port) for _ in range(40)]
        for stream in streams:
            self.addCleanup(stream.close)
            self.assertEqual(client.get(stream).status, 200)
        open_by_shard = [shard["connections_open"] for shard in client.status(admin_port)["shards"]]
        self.assertGreater(min(open_by_shard), 5, open_by_shard)
        for stream in streams:
            stream.close()


if __name__ == "__main__":
    unittest.main()
