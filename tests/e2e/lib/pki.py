"""Certificates, made by the real tools/ca once for each test program."""

import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile

from lib import files

# A subject with everything that has to be escaped in its text form.
SUBJECT = ["--cn=device 7", "--o=Example, Inc.", "--ou=Devices + Things", "--c=DE"]

# What is made: name: (command, authority, further flags).
_PLAN = {
    "root": ("root", None, ["--cn=Root", "--o=Example"]),
    "other": ("root", None, ["--cn=Other Root"]),
    "sub": ("subca", "root", ["--cn=Sub", "--path_len=2"]),
    "sub2": ("subca", "sub", ["--cn=Sub 2", "--path_len=1"]),
    "sub3": ("subca", "sub2", ["--cn=Sub 3", "--path_len=0"]),
    "server": ("server", "root", ["--dns=localhost,*.example.test,example.test", "--ip=127.0.0.1,::1"]),
    "server_rsa": ("server", "root", ["--dns=localhost,*.example.test", "--ip=127.0.0.1", "--key_type=rsa-2048"]),
    "client": ("client", "root", SUBJECT),
    "client_rsa": ("client", "root", ["--cn=rsa client", "--key_type=rsa-2048"]),
    "client_sub": ("client", "sub", ["--cn=client of sub"]),
    "client_deep": ("client", "sub3", ["--cn=deep client"]),
    "client_other": ("client", "other", ["--cn=stranger"]),
    "client_expired": ("client", "root", ["--cn=expired", "--not_before=-2d", "--not_after=-1d"]),
    "client_future": ("client", "root", ["--cn=future", "--not_before=1d", "--not_after=2d"]),
    "client_purpose": ("client", "root", ["--cn=no purpose", "--eku=serverAuth"]),
}


class Pki:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name, (command, issuer, flags) in _PLAN.items():
            self.make(name, command, issuer, *flags)

    def make(self, name, command, issuer, *flags):
        """One more certificate; returns the path of its chain."""
        arguments = [files.authority(), command, f"--out={self.folder / name}", *flags]
        if issuer is not None:
            arguments.append(f"--ca={self.folder / issuer}")
        subprocess.run(arguments, check=True, capture_output=True, timeout=files.PATIENCE_S)
        return self.chain(name)

    def certificate(self, name):
        return str(self.folder / f"{name}.crt")

    def key(self, name):
        return str(self.folder / f"{name}.key")

    def chain(self, name):
        """The certificate and its intermediates."""
        path = self.folder / f"{name}.chain.crt"
        return str(path) if path.exists() else self.certificate(name)

    def bundle(self, *names):
        """A file with several certificates."""
        path = self.folder / ("+".join(names) + ".bundle.crt")
        path.write_text("".join(pathlib.Path(self.certificate(name)).read_text("ascii") for name in names), "ascii")
        return str(path)

    def describe(self, name, *what):
        """What `openssl x509` says of it, as in describe("client", "-subject", "-nameopt", "RFC2253")."""
        result = subprocess.run(["openssl", "x509", "-in", self.certificate(name), "-noout", *what],
                                check=True, capture_output=True, text=True, timeout=files.PATIENCE_S)
        return result.stdout.strip().partition("=")[2].strip()

    def subject(self, name):
        return self.describe(name, "-subject", "-nameopt", "RFC2253")

    def issuer(self, name):
        return self.describe(name, "-issuer", "-nameopt", "RFC2253")

    def serial(self, name):
        return self.describe(name, "-serial")

    def fingerprint(self, name):
        return self.describe(name, "-fingerprint", "-sha256").replace(":", "").lower()


@functools.lru_cache(maxsize=1)
def the_pki():
    folder = tempfile.mkdtemp(prefix="pki_", dir=files.scratch())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Pki(folder)
