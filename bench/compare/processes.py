"""Starts programs, each pinned to one core, and stops by its number every one that was started."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import accounting

PATIENCE_S = 10  # until a server listens
LOWEST_PORT, HIGHEST_PORT = 12000, 32000  # below those that the kernel hands out to clients


def free_ports(count):
    """Ports of 127.0.0.1 on which nobody listens."""
    held = []
    try:
        while len(held) < count:
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", random.randrange(LOWEST_PORT, HIGHEST_PORT)))
            except OSError:
                candidate.close()
                continue
            held.append(candidate)
        return [holder.getsockname()[1] for holder in held]
    finally:
        for holder in held:
            holder.close()


@contextlib.contextmanager
def held_signals():
    """What would end us waits until this is over. Yields the mask of before."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class StartFailed(Exception):
    """A program did not come up; the text is what it wrote last."""


class Processes:
    """Those that run now. As a context, it stops all of them at its end. Each is asked politely twice, and given
    `patience_s` each time."""

    def __init__(self, patience_s=5):
        self._patience_s = patience_s
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with held_signals():  # whoever presses Ctrl-C twice does not want to leave anything behind, either
            for process in reversed(list(self._running)):
                self.stop(process)

    def start(self, argv, cpu, log, **keywords):
        """Its output goes to the file `log` unless `stdout` says otherwise. It leads a session of its own, so that a
        Ctrl-C reaches us alone, and we stop it in order."""
        with open(log, "ab") as output, held_signals() as mask:  # or one could come before we know what was started
            def prepare():
                os.sched_setaffinity(0, {cpu})
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)

            keywords.setdefault("stdin", subprocess.DEVNULL)
            keywords.setdefault("stdout", output)
            process = subprocess.Popen([str(word) for word in argv], stderr=output, start_new_session=True,
                                       preexec_fn=prepare, **keywords)
            self._running.append(process)
        return process

    def start_server(self, argv, cpu, log, port):
        """A program that listens on `port` in the end."""
        process = self.start(argv, cpu, log)
        deadline = time.monotonic() + PATIENCE_S
        while not listens(port):
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.stop(process)
                words = pathlib.Path(log).read_text("utf-8", "replace").strip()[-600:]
                raise StartFailed(words or ("it ended at once" if ended else f"nothing listens on port {port}"))
            time.sleep(0.02)
        return process

    def stop(self, process):
        """The process and its descendants, politely first."""
        members = {}
        if process.poll() is None:
            found = accounting.stats()
            members = {pid: found[pid].started for pid in accounting.family(process.pid, found)}
            for ask in (process.terminate, process.terminate, process.kill):
                ask()
                try:
                    process.wait(self._patience_s)
                    break
                except subprocess.TimeoutExpired:
                    pass
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        end_orphans(members, process.pid, self._patience_s)
        if process in self._running:
            self._running.remove(process)


def end_orphans(members, leader, patience_s):
    """Ends what the leader of these {pid: time of start} has left behind; a number that was given to another process
    meanwhile has another time of start."""
    asked = time.monotonic()
    while True:
        now = accounting.stats()
        left = [pid for pid, started in members.items()
                if pid != leader and pid in now and now[pid].started == started and not now[pid].zombie]
        if not left:
            return
        if time.monotonic() > asked + patience_s:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def listens(port):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
