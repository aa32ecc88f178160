"""The certificates of a run: a root, an intermediate for servers and one for clients, one server, many clients; all
ECDSA P-256."""

import pathlib
import shutil
import subprocess

CLIENTS = 64  # a population, so that a cache of verified chains is exercised with more than one
SERVER_NAME = "proxy.example.test"


class Certificates:
    """Paths of what was made in `folder` by the program `authority` (tools/ca)."""

    def __init__(self, authority, folder):
        self._authority = authority
        self._folder = pathlib.Path(folder)
        self._folder.mkdir()
        self.identities = self._folder / "identities"
        self.identities.mkdir()
        self._make("root", "root", "--cn=Comparison Root", "--o=Example")
        self._make("subca", "servers", "--cn=Comparison Servers", "--o=Example", ca="root")
        self._make("subca", "clients", "--cn=Comparison Clients", "--o=Example", ca="root")
        self._make("server", "server", f"--dns={SERVER_NAME}", ca="servers")
        self._make("root", "strangers", "--cn=Somebody Else", "--o=Elsewhere")
        self._make("client", "stranger", "--cn=stranger", ca="strangers")
        for number in range(CLIENTS):
            self._make_client(f"client{number:02}")
        self.server_name = SERVER_NAME
        self.root = self._folder / "root.crt"
        self.server_chain = self._folder / "server.chain.crt"
        self.server_key = self._folder / "server.key"
        self.stranger = (self._folder / "stranger.crt", self._folder / "stranger.key")
        # Chain and key in one file, as HAProxy wants them.
        self.server_bundle = self._folder / "server.bundle.pem"
        self.server_bundle.write_text(self.server_chain.read_text("ascii") + self.server_key.read_text("ascii"), "ascii")

    def clients(self):
        """(chain, key) of each client."""
        return [(path, path.with_suffix(".key")) for path in sorted(self.identities.glob("*.crt"))]

    def _make_client(self, name):
        self._make("client", name, f"--cn={name}", "--o=Example", "--ou=Devices", ca="clients")
        shutil.move(self._folder / f"{name}.chain.crt", self.identities / f"{name}.crt")
        shutil.move(self._folder / f"{name}.key", self.identities / f"{name}.key")

    def _make(self, command, name, *flags, ca=None):
        argv = [str(self._authority), command, f"--out={self._folder / name}", *flags]
        if ca is not None:
            argv.append(f"--ca={self._folder / ca}")
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
