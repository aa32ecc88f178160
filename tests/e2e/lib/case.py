"""What every test starts with: a folder, certificates, servers, the proxy; all ended again, whatever happens."""

import os
import pathlib
import shutil
import tempfile
import unittest

from lib import files
from lib.backend import HttpBackend
from lib.pki import the_pki
from lib.proxy import Proxy


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.pki = the_pki()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e_", dir=files.scratch()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start_backend(self, respond=None, name="server", kind=HttpBackend):
        backend = kind(respond, name=name)
        self.addCleanup(backend.stop)
        return backend

    def listener_flags(self, client_auth="require"):
        flags = ["--listen=127.0.0.1:0", f"--cert={self.pki.chain('server')}", f"--key={self.pki.key('server')}",
                 f"--client_auth={client_auth}"]
        return flags + ([f"--client_ca={self.pki.certificate('root')}"] if client_auth != "off" else [])

    def start_proxy(self, *backends, client_auth="require", flags=(), before=None):
        """One listener in front of these servers; a flag of `flags` wins over the ones made here."""
        arguments = self.listener_flags(client_auth)
        arguments += [backend if isinstance(backend, str) else backend.flag for backend in backends]
        arguments += ["--health_check=false", *process_flags(), *flags]
        return self.run_proxy(arguments, before)

    def start_config(self, config, flags=(), name="postern.textproto"):
        """From the text of a configuration file."""
        path = self.folder / name
        path.write_text(config, "utf-8")
        return self.run_proxy([f"--config={path}", *process_flags(), *flags])

    def run_proxy(self, arguments, before=None):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="proxy_", dir=self.folder))
        proxy = Proxy(folder, arguments, before)
        self.addCleanup(self._stop, proxy)
        return proxy

    def _stop(self, proxy):
        try:
            proxy.stop()
        finally:
            proxy.kill()
            if self._failed():
                print(f"--- {self.id()}: the proxy's error log\n{proxy.errors()[-4000:]}"
                      f"--- its access log\n{proxy.accesses()[-4000:]}---", flush=True)

    def _failed(self):
        result = self._outcome.result
        return any(self in (test, getattr(test, "test_case", None)) for test, _ in result.errors + result.failures)


def process_flags():
    # Tests run beside each other: shards pinned to the same cores would get in each other's way.
    return ["--shards=2", "--pin_shards=false", "--drain_timeout=10s", f"--io={os.environ.get('POSTERN_IO', 'auto')}"]
