"""Memory of connections that stand and do nothing."""

import pathlib
import queue
import subprocess
import sys
import threading
import time

import accounting
import client
import instance
import load
import processes

SETTLE_S = 0.5  # for what a proxy does after the last answer


def sample(bench, peer, scenario, count):
    """KiB per connection: the growth of a fresh instance by `count` connections, each after one request. It has served
    each client once before, so that what it keeps of clients is no part of the growth."""
    proxy = None
    try:
        proxy = bench.start(peer)
        serve_each_once(proxy.place, scenario.path)
        time.sleep(SETTLE_S)
        before = accounting.read_pss_kib(proxy.process.pid)
        with Holder(bench, proxy.place, scenario.path, count) as holder:
            opened = holder.count()
            time.sleep(SETTLE_S)
            growth = accounting.read_pss_kib(proxy.process.pid) - before
            served = holder.served()
        return instance.Sample(growth / opened if opened else None, served, count - served)
    except (accounting.ProcessGone, processes.StartFailed, OSError, ValueError) as error:
        return instance.Sample(None, 0, count, why=str(error))
    finally:
        if proxy is not None:
            proxy.stop()


def serve_each_once(place, path):
    """One client after the other, so that the proxy never has two connections."""
    name = place.certificates.server_name
    for identity in place.certificates.clients():
        with client.connect(client.context(place.certificates.root, identity), place.port, name) as connection:
            client.get(connection, name, path)


class Holder:
    """idle_client.py, which holds the connections for as long as this context lasts."""

    def __init__(self, bench, place, path, count):
        self._running = bench.running
        self._patience_s = load.patience_s(count)
        certificates = bench.certificates
        self._process = bench.running.start(
            [sys.executable, "-B", pathlib.Path(__file__).with_name("idle_client.py"), place.port, certificates.server_name,
             certificates.root, certificates.identities, path, count],
            bench.load_cpu, place.folder / "idle_client.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running.stop(self._process)

    def count(self):
        """How many connections are open, once they are."""
        return self._number()

    def served(self):
        """How many of them are served a second time."""
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        return self._number()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _number(self):
        try:
            return int(self._lines.get(timeout=self._patience_s))
        except queue.Empty:
            raise ValueError(f"the idle client did not answer within {self._patience_s:.0f} s") from None
