#!/usr/bin/env python3
"""How long it takes until the living connections of a revoked client have ended.

  bench/revocation.py [--connections=10000]

Opens so many mutual-TLS connections, half of them with a certificate that is then revoked. Prints the time from the
moment at which the reload is acknowledged in the log (before it, nothing is promised; after it, no request of the
revoked client is forwarded) to the last close_notify, as this client sees them, and the processor time of the proxy.
Build first: bazel build //src:postern //tools/ca
"""

import argparse
import os
import pathlib
import resource
import selectors
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
POSTERN = ROOT / "bazel-bin/src/postern"
CA = ROOT / "bazel-bin/tools/ca/ca"

CONFIG = """
listeners {
  name: "https" address: "127.0.0.1:0" idle_timeout_ms: 3600000
  certificates { certificate_file: "server.crt" key_file: "server.key" }
  client_auth { mode: "require" ca_files: "root.crt" crl_files: "root.crl" }
  default_server_group: "app"
}
server_groups { name: "app" servers { name: "a" host: "127.0.0.1" port: 9 } health_check { enabled: false } }
shards: 2
"""


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(path, text):
    deadline = time.monotonic() + 60
    while text not in path.read_text("utf-8"):
        if time.monotonic() > deadline:
            raise SystemExit(f"not seen: {text}\n{path.read_text('utf-8')}")
        time.sleep(0.002)
    return path.read_text("utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10000)
    count = parser.parse_args().connections
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def ca(*arguments):
            subprocess.run([CA, *arguments], check=True, capture_output=True, cwd=folder)

        ca("root", "--out=root", "--cn=Root")
        ca("server", "--ca=root", "--out=server", "--dns=localhost")
        for name in ("staying", "leaving"):
            ca("client", "--ca=root", f"--out={name}", f"--cn={name}")
        ca("crl", "--ca=root", "--out=root.crl")
        (folder / "p.textproto").write_text(CONFIG, "utf-8")
        log = folder / "log"
        with open(log, "wb") as out:
            proxy = subprocess.Popen([POSTERN, "--config=p.textproto"], stdout=out, stderr=out, cwd=folder)
        try:
            line = wait_for(log, "postern: ready")
            port = int(line.split("https 127.0.0.1:")[1].split(" ")[0].strip(","))
            sockets = {"staying": [], "leaving": []}
            for name, opened in sockets.items():
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                tls.load_verify_locations(folder / "root.crt")
                tls.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
                for _ in range(count // 2):
                    raw = socket.create_connection(("127.0.0.1", port))
                    opened.append(tls.wrap_socket(raw, server_hostname="localhost"))
            selector = selectors.DefaultSelector()
            for sock in sockets["leaving"]:
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_READ)
            time.sleep(1)
            before = processor_seconds(proxy.pid)
            ca("revoke", "--ca=root", "--cert=leaving.crt")
            ca("crl", "--ca=root", "--out=root.crl")
            wait_for(log, "generation 2 is served")
            acknowledged = time.monotonic()
            left = len(sockets["leaving"])
            while left > 0:
                events = selector.select(30)
                if not events:
                    raise SystemExit(f"{left} connections have not ended")
                for key, _ in events:
                    selector.unregister(key.fileobj)
                    left -= 1
            elapsed = time.monotonic() - acknowledged
            spent = processor_seconds(proxy.pid) - before
            print(f"{count} connections, {len(sockets['leaving'])} of a revoked client: the last one ended "
                  f"{elapsed * 1000:.0f} ms after the reload was acknowledged; {spent * 1000:.0f} ms of processor time "
                  f"for reload, scan and closing")
        finally:
            proxy.terminate()
            proxy.wait(60)


if __name__ == "__main__":
    main()
