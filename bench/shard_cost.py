#!/usr/bin/python3
"""What handshakes, refusals and requests cost the shards of one proxy: CPU time (schedstat of all its threads) and what
/status counts, before and after a load by tools/load. Postern alone; bench/compare is for peers.

  bench/shard_cost.py calls       io_uring_enter per full handshake with one request, saturated
  bench/shard_cost.py newcomers   full handshakes, every certificate new, beside those of known clients
  bench/shard_cost.py refusals    clients of a wrong CA, with a chain of 50, with 29 KB of subject, with RSA-16384
  bench/shard_cost.py shards      one process of two shards beside two processes of one
  bench/shard_cost.py flood       latency of 200 requests a second in a flood of handshakes

Builds //src:postern, //tools/ca and //tools/load. Needs two cores, nginx as the server, openssl. Only a quiet machine's
figures are worth keeping."""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "bazel-bin"
POSTERN = BIN / "src/postern"
NAME = "gate.example.test"
PATIENCE_S = 300

NGINX = """daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
{user}
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Scene:
    """Certificates and a server in a folder of their own; everything that was started is stopped at the end."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.ca("root", "root", "--cn=Root")
        self.ca("subca", "sub", "--cn=Sub", f"--ca={folder}/root")
        self.ca("server", "server", f"--dns={NAME}", f"--ca={folder}/root")
        self.clients("known", 200)
        (folder / "www").mkdir()
        (folder / "www" / "1k").write_bytes(bytes(1024))
        self.server_port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=self.server_port, user=user), "ascii")
        self.start(["nginx", "-c", str(folder / "nginx.conf")], cores="1")

    def ca(self, command, name, *flags):
        subprocess.run([BIN / "tools/ca/ca", command, f"--out={self.folder / name}", *flags], check=True,
                       stdout=subprocess.DEVNULL)

    def clients(self, kind, count):
        (self.folder / kind).mkdir()
        for number in range(count):
            self.ca("client", f"{kind}/c{number}", f"--cn=c{number}", f"--ca={self.folder}/sub")
        return self.folder / kind

    def start(self, argv, cores="0"):
        with (self.folder / f"log{len(self.running)}").open("wb") as log:
            process = subprocess.Popen(["taskset", "-c", cores, *argv],  # pylint: disable=consider-using-with
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        self.running.append(process)
        return process

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            process.wait(PATIENCE_S)
        self.running = []


class Proxy:
    def __init__(self, scene, cores="0", shards=1):
        self.scene, self.port, self.admin = scene, free_port(), free_port()
        folder = scene.folder
        self.process = scene.start(
            [str(POSTERN), f"--listen=127.0.0.1:{self.port}", f"--admin=127.0.0.1:{self.admin}",
             f"--cert={folder}/server.chain.crt", f"--key={folder}/server.key", "--client_auth=require",
             f"--client_ca={folder}/root.crt", f"--backend=127.0.0.1:{scene.server_port}", "--health_check=false",
             "--access_log=", f"--shards={shards}"], cores)
        for _ in range(200):
            try:
                self.status()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the proxy did not start")

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/status") as answer:
            return json.load(answer)

    def count(self):
        total = {"waits": 0, "handshakes": 0, "verified": 0, "refusals": 0}
        for shard in self.status()["shards"]:
            total["waits"] += shard["driver"]["waits"]
            total["handshakes"] += shard["handshakes"]
            total["verified"] += shard["chains"]["verified"]
            total["refusals"] += sum(shard["refusals"].values())
        total["cpu_us"] = self.cpu_us()
        return total

    def cpu_us(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1000

    def begin_load(self, identities, *flags, cores="1"):
        out = self.scene.folder / f"load{time.monotonic_ns()}.json"
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["taskset", "-c", cores, BIN / "tools/load/load", "--quiet", f"--ca={self.scene.folder}/root.crt",
             f"--connect=127.0.0.1:{self.port}", f"--identities={identities}", f"--json={out}", *flags,
             f"https://{NAME}/1k"], stdout=subprocess.DEVNULL)
        return process, out

    def load(self, identities, *flags, cores="1"):
        process, out = self.begin_load(identities, *flags, cores=cores)
        process.wait(PATIENCE_S)
        return json.loads(out.read_text("ascii"))

    def measure(self, identities, *flags, cores="1"):
        before = self.count()
        seen = self.load(identities, *flags, cores=cores)
        after = self.count()
        return seen, {name: after[name] - before[name] for name in before}

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.scene.running.remove(self.process)


def calls(scene):
    for connections in (100, 400):
        proxy = Proxy(scene)
        proxy.load(scene.folder / "known", "--operations=400", "--mix=full:1")
        _, cost = proxy.measure(scene.folder / "known", "--threads=2", "--mix=full:1", f"--connections={connections}",
                                "--operations=9000", cores="0,1")
        proxy.stop()
        print(f"{connections} connections: {cost['waits'] / cost['handshakes']:.2f} io_uring_enter and "
              f"{cost['cpu_us'] / cost['handshakes']:.1f} us for each of {cost['handshakes']} handshakes with a request")


def newcomers(scene):
    many = scene.clients("many", 3000)
    proxy = Proxy(scene)
    proxy.load(scene.folder / "known", "--handshakes_only", "--operations=400")
    for name, identities in (("every certificate new", many), ("known clients", scene.folder / "known")):
        _, cost = proxy.measure(identities, "--handshakes_only", "--connections=32", "--operations=3000")
        print(f"{name}: {cost['cpu_us'] / cost['handshakes']:.1f} us each of {cost['handshakes']}, "
              f"{cost['verified']} chains verified")
    proxy.stop()


def make_strangers(scene):
    """{what: folder of one identity that is refused}"""
    folder = scene.folder
    for kind in ("wrong_ca", "chain_of_50", "long_subject", "rsa_16384"):
        (folder / kind).mkdir()
    scene.ca("root", "other", "--cn=Other")
    scene.ca("client", "wrong_ca/c", "--cn=c", f"--ca={folder}/other")
    issuer = "other"
    for depth in range(49):
        scene.ca("subca", f"depth{depth}", f"--cn=depth {depth}", f"--ca={folder / issuer}")
        issuer = f"depth{depth}"
    scene.ca("client", "chain_of_50/c", "--cn=c", f"--ca={folder / issuer}")
    subject = "".join(f"{number}.OU={'u' * 60}\n" for number in range(205))
    (folder / "subject.cnf").write_text(
        f"[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=utf8only\n[dn]\nCN=c\n{subject}", "ascii")
    for kind, key, more in (("long_subject", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
                             ["-config", str(folder / "subject.cnf")]),
                            ("rsa_16384", ["-newkey", "rsa:16384"], ["-subj", "/CN=c"])):
        subprocess.run(["openssl", "req", "-x509", "-nodes", *key, "-keyout", folder / kind / "c.key", "-out",
                        folder / kind / "c.crt", "-days", "30", *more], check=True, capture_output=True)
    return {kind: folder / kind for kind in ("wrong_ca", "chain_of_50", "long_subject", "rsa_16384")}


def refusals(scene):
    strangers = make_strangers(scene)
    proxy = Proxy(scene)
    slow = ["--handshakes_only", "--connections=16", "--rate=15", "--duration=6s", "--timeout=20s"]
    fast = ["--handshakes_only", "--connections=16", "--operations=1500"]
    for kind, identities in strangers.items():
        for name, flags in (("15 a second", slow), ("as fast as can be", fast)):
            if kind != "rsa_16384" or flags is slow:  # its client signs for a tenth of a second
                _, cost = proxy.measure(identities, *flags)
                print(f"{kind}, {name}: {cost['cpu_us'] / cost['refusals']:.1f} us each of {cost['refusals']}")
    _, cost = proxy.measure(scene.folder / "known", *slow)
    print(f"a good client, 15 a second: {cost['cpu_us'] / cost['handshakes']:.1f} us")
    proxy.stop()


def shards(scene):
    def run(layout, rate, flags):
        proxies = [Proxy(scene, cores, count) for cores, count in layout]
        before = sum(proxy.cpu_us() for proxy in proxies)
        workers = 2 // len(proxies)
        loads = [proxy.begin_load(scene.folder / "known", f"--rate={rate // len(proxies)}", "--duration=4s",
                                  f"--threads={workers}", f"--connections={32 * workers}", *flags, cores="0,1")
                 for proxy in proxies]
        answers = 0
        for process, out in loads:
            process.wait(PATIENCE_S)
            answers += json.loads(out.read_text("ascii"))["operations"]["responses"]
        cost = (sum(proxy.cpu_us() for proxy in proxies) - before) / answers
        for proxy in proxies:
            proxy.stop()
        return cost

    for name, rate, flags in (("full handshakes", 1500, ["--handshakes_only"]),
                              ("full handshake and GET", 2000, ["--mix=full:1"]), ("GET, kept", 8000, [])):
        pairs = [(run([("0,1", 2)], rate, flags), run([("0", 1), ("1", 1)], rate, flags)) for _ in range(4)]
        ratios = sorted(one / two for one, two in pairs)
        print(f"{name}, {rate} a second: one process of 2 shards {' '.join(f'{one:.1f}' for one, _ in pairs)} us, two of "
              f"1 {' '.join(f'{two:.1f}' for _, two in pairs)} us, median ratio {(ratios[1] + ratios[2]) / 2:.3f}")


def flood(scene):
    proxy = Proxy(scene)
    process, _ = proxy.begin_load(scene.folder / "known", "--handshakes_only", "--connections=200", "--duration=7s")
    seen = proxy.load(scene.folder / "known", "--rate=200", "--connections=10", "--warm_up=2s", "--duration=6s")
    process.wait(PATIENCE_S)
    latency = seen["latency"]["all"]
    print(f"200 requests a second: p50 {latency['p50_us']} us, p90 {latency['p90_us']} us, p99 {latency['p99_us']} us, "
          f"{seen['operations']['errors']} errors")
    proxy.stop()


WHAT = {"calls": calls, "newcomers": newcomers, "refusals": refusals, "shards": shards, "flood": flood}


def build():
    subprocess.run(["bazel", "build", "//src:postern", "//tools/ca", "//tools/load"], check=True, cwd=ROOT,
                   capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=WHAT)
    arguments = parser.parse_args()
    build()
    with tempfile.TemporaryDirectory(prefix="shard_cost_") as folder:
        scene = Scene(pathlib.Path(folder))
        try:
            WHAT[arguments.what](scene)
        finally:
            scene.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
