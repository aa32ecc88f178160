#!/usr/bin/python3
"""What a large configuration costs: start, reload, memory and descriptors, as a table.

  bench/scale.py [--postern=FILE] [--shards=1,2,8] [--write]

Processor time of the whole process, which other work on the machine does not change: of the start until it serves, of a
reload that finds nothing new, and of one that brings a new generation (another time-out). Memory is what is resident after
the start, and the most that ever was. --write puts the table into bench/RESULTS.md in the place of the one before. Needs
openssl and 3 GiB."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "RESULTS.md"
HEADING = "## Start, reload and memory of large configurations"
PATIENCE_S = 300


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S, **more).stdout


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


class Scene:
    """Certificates, lists, and configurations of them, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.root = self.authority("root")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=localhost", cwd=folder)
        run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key", "-days", "300",
            "-set_serial", "2", "-out", "server.crt", cwd=folder)

    def authority(self, name):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.crt", "-days", "3000", "-subj", f"/O=Scale/CN={name}", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign", cwd=self.folder)
        return self.folder / f"{name}.crt"

    def bundle(self, count):
        """So many CAs in one file."""
        path = self.folder / f"bundle{count}.pem"
        if not path.exists():
            path.write_text("".join(self.authority("any").read_text("ascii") for _ in range(count)), "ascii")
        return path

    def crl(self, count):
        """A list of so many entries in DER (RFC 5280, 5.1), signed with the root's key."""
        path = self.folder / f"list{count}.crl"
        if path.exists():
            return path
        when = b"\x17\x0d" + time.strftime("%y%m%d%H%M%SZ", time.gmtime()).encode("ascii")
        due = b"\x17\x0d" + time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + 90 * 86400)).encode("ascii")
        subject = run("openssl", "x509", "-in", self.root, "-noout", "-subject", "-nameopt", "RFC2253")
        assert subject.strip() == b"subject=CN=root,O=Scale", subject
        name = der(0x30, b"".join(der(0x31, der(0x30, b"\x06\x03\x55\x04" + bytes([kind]) + der(0x0c, text)))
                                  for kind, text in ((10, b"Scale"), (3, b"root"))))
        entry = b"\x30\x21\x02\x10\x40"
        entries = b"".join(entry + number.to_bytes(15, "big") + when for number in range(count))
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
        extension = der(0xa0, der(0x30, der(0x30, bytes.fromhex("0603551d14") + der(4, b"\x02\x01\x01"))))
        signed = der(0x30, b"\x02\x01\x01" + algorithm + name + when + due + der(0x30, entries) + extension)
        signature = run("openssl", "dgst", "-sha256", "-sign", "root.key", input=signed, cwd=self.folder)
        path.write_bytes(der(0x30, signed + algorithm + der(3, b"\0" + signature)))
        return path

    def pair(self):
        return f'certificates {{ certificate_file: "{self.folder}/server.crt" key_file: "{self.folder}/server.key" }}'

    def auth(self, cas=None, lists=()):
        files = "".join(f' crl_files: "{path}"' for path in lists)
        return (f'client_auth {{ mode: "require" ca_files: "{self.root}"'
                f'{f""" ca_files: "{cas}" """ if cas else ""}{files} advertise_cas: false missing_crl: "serve" }}')

    def listeners(self, count, auth, inner=""):
        return "\n".join(f'listeners {{ name: "l{i}" address: "127.0.0.1:0" {self.pair()} {auth} {inner} '
                         f'default_server_group: "g0" }}' for i in range(count))

    def config(self, listeners, shards, servers=1, timeout_ms=60000):
        groups = "\n".join(
            f'server_groups {{ name: "g{i}" response_timeout_ms: {timeout_ms} health_check {{ enabled: false }} ' + " ".join(
                f'servers {{ name: "s{j}" host: "10.{i // 256}.{i % 256}.{j % 250 + 1}" port: {8000 + j // 250} }}'
                for j in range(min(servers - 100 * i, 100))) + " }" for i in range((servers + 99) // 100))
        return f'shards: {shards}\npin_shards: false\n{listeners}\n{groups}\nadmin {{ address: "127.0.0.1:0" }}\naccess_log: ""\n'


def shapes(scene):
    plain = scene.auth()
    hosts = "\n".join(f'tls_hosts {{ server_name: "h{i}.example.test" {scene.pair()} }}' for i in range(100))
    return {
        "1 listener": (lambda: scene.listeners(1, plain), 1),
        "100 listeners": (lambda: scene.listeners(100, plain), 1),
        "1 listener, 2,000 CAs": (lambda: scene.listeners(1, scene.auth(scene.bundle(2000))), 1),
        "2,000 CAs and 100 tls_hosts": (lambda: scene.listeners(1, scene.auth(scene.bundle(2000)), hosts), 1),
        "a list of 500,000 entries": (lambda: scene.listeners(1, scene.auth(lists=[scene.crl(500_000)])), 1),
        "a list of 5,000,000 entries": (lambda: scene.listeners(1, scene.auth(lists=[scene.crl(5_000_000)])), 1),
        "5,000,000 entries and 100 tls_hosts": (lambda: scene.listeners(1, scene.auth(lists=[scene.crl(5_000_000)]), hosts), 1),
        "10,000 servers": (lambda: scene.listeners(1, plain), 10_000),
    }


class Proxy:
    def __init__(self, binary, path):
        self.process = subprocess.Popen([binary, f"--config={path}"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, text=True)
        said = []
        while not said or "ready, " not in said[-1]:
            said.append(self.process.stderr.readline())
            if not said[-1]:
                sys.exit("".join(said))
        ready = said[-1]
        self.admin = re.search(r"admin (http://\S+)/", ready).group(1)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE).group(1)) // 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def reload(self):
        with urllib.request.urlopen(f"{self.admin}/status", timeout=PATIENCE_S) as answer:
            return json.load(answer)["reload"]

    def reloaded(self, word):
        """Processor time until the log says `word`."""
        before = self.cpu_s()
        self.process.send_signal(1)
        next(line for line in self.process.stderr if word in line)
        time.sleep(0.2)  # the old generation goes
        return self.cpu_s() - before

    def stop(self):
        self.process.kill()
        self.process.communicate()


def measure(binary, scene, name, listeners, servers, shards):
    path = scene.folder / "postern.textproto"
    path.write_text(scene.config(listeners(), shards, servers), "ascii")
    proxy = Proxy(binary, path)
    try:
        start_s, rss, descriptors = proxy.cpu_s(), proxy.memory_mib("VmRSS"), proxy.descriptors()
        same_s = proxy.reloaded("nothing has changed")
        fresh = path.with_suffix(".new")
        fresh.write_text(scene.config(listeners(), shards, servers, 61000), "ascii")
        os.rename(fresh, path)
        other_s = proxy.reloaded("is served by every shard")
        peak = proxy.memory_mib("VmHWM")
        failures = proxy.reload()["failures"]
    finally:
        proxy.stop()
    assert failures == 0
    return f"| {name} | {shards} | {start_s:.2f} | {same_s:.2f} | {other_s:.2f} | {rss} | {peak} | {descriptors} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postern", default=str(ROOT / "bazel-bin" / "src" / "postern"))
    parser.add_argument("--shards", default="1,2,8")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines = ["| configuration | shards | start, s | reload without a change, s | with one, s | memory, MiB | peak, MiB | "
             "descriptors |", "|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="scale_") as folder:
        scene = Scene(pathlib.Path(folder))
        for name, (listeners, servers) in shapes(scene).items():
            for shards in (int(count) for count in arguments.shards.split(",")):
                lines.append(measure(arguments.postern, scene, name, listeners, servers, shards))
                print(lines[-1], file=sys.stderr, flush=True)
    commit = run("git", "-C", ROOT, "rev-parse", "--short", "HEAD", text=True).strip()
    text = (f"{HEADING}\n\n`bench/scale.py --write` at {commit}: processor time of the whole process, resident memory after the "
            "start and at most, descriptors after the start.\n\n" + "\n".join(lines) + "\n")
    print(text)
    if arguments.write:
        before = RESULTS.read_text("utf-8")
        rest = re.sub(re.escape(HEADING) + r".*?(?=^## |\Z)", "", before, flags=re.DOTALL | re.MULTILINE)
        RESULTS.write_text(rest.rstrip() + "\n\n" + text, "utf-8")


if __name__ == "__main__":
    main()
