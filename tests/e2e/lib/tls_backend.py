"""A server that speaks TLS."""

import ssl

from lib.backend import HttpBackend
from lib.wire import Stream


class TlsBackend(HttpBackend):
    """An HttpBackend behind TLS. `peers`: what each connection showed of itself; `resumed`: whether it came back."""

    def __init__(self, respond=None, name="server", context=None):
        self.context = context
        self.peers = []
        self.resumed = []
        self.names = []
        self.context.sni_callback = lambda sock, name, _: self.names.append(name)
        super().__init__(respond, name)

    def _run(self, stream):
        try:
            sock = self.context.wrap_socket(stream.sock, server_side=True, suppress_ragged_eofs=False)
        except (ssl.SSLError, OSError):
            stream.close()
            return
        self.peers.append(sock.getpeercert())
        self.resumed.append(sock.session_reused)
        tls = Stream(sock)
        with self._lock:
            self._streams.discard(stream)
            self._streams.add(tls)
        super()._run(tls)
