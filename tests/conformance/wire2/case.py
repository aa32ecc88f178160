"""What every test starts with: the proxy in front of a scripted server, or the server named by CONFORMANCE_TARGET."""

import os
import socket
import ssl
import unittest

from lib import client, files
from lib.backend import response
from lib.case import Case

from wire2 import frames
from wire2.connection import Connection
from wire2.expectations import STRICT

# The longest wait for what should come at once; what is expected never waits so long.
WAIT_S = 30.0 if files.SANITIZED else 5.0

PAGE = b"What the server says.\n"  # longer than the windows of the tests about windows
BIG_SIZE = 300_000

only_strict = unittest.skipUnless(STRICT, "more than a MUST; tested with CONFORMANCE_STRICT=1")


class ConformanceCase(Case):
    """`answers`: what the server behind the proxy says: {path: bytes, or a function of the request}.

    With CONFORMANCE_TARGET=HOST:PORT in the environment there is no proxy and no server of ours: `backend` is None.
    That server has to answer GET and POST for "/" with 200 and a page of at least 16 octets, and may have one of at
    least 300000 octets at "/big".
    """

    def setUp(self):
        self.target = os.environ.get("CONFORMANCE_TARGET")
        self.backend = None
        self.answers = {"/big": response(bytes(BIG_SIZE))}
        if self.target is None:
            super().setUp()
            self.backend = self.start_backend(self._answer)
            self.proxy = self.start_proxy(self.backend, client_auth="off")

    def _answer(self, request):
        answer = self.answers.get(request.target, response(PAGE))
        return answer(request) if callable(answer) else answer

    def need_backend(self):
        if self.backend is None:
            self.skipTest("needs a server of its own behind the proxy")

    def tls_context(self, alpn):
        if self.target is None:
            return client.context(None, alpn=alpn)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        context.set_alpn_protocols(alpn)
        return context

    def connect_tls(self, alpn=("h2",), context=None):
        """A TLS socket with whatever protocol was agreed on."""
        if self.target is None:
            address = ("127.0.0.1", self.proxy.port)
        else:
            host, _, port = self.target.rpartition(":")
            address = (host, int(port))
        raw = socket.create_connection(address, timeout=WAIT_S)
        self.addCleanup(raw.close)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = context or self.tls_context(list(alpn))
        sock = context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
        self.addCleanup(sock.close)
        return sock

    def connect_raw(self, settings=(), **arguments):
        """HTTP/2 is agreed on, nothing is sent yet."""
        sock = self.connect_tls()
        if sock.selected_alpn_protocol() != "h2":
            raise AssertionError("the server does not speak HTTP/2")
        connection = Connection(sock, WAIT_S, settings, **arguments)
        self.addCleanup(connection.close)
        return connection

    def connect(self, settings=(), **arguments):
        """A connection after its prefaces. `settings`: (identifier, value) pairs."""
        return self.connect_raw(settings, **arguments).start()

    def connect_held(self):
        """A connection whose responses do not end: the window for their bodies is empty."""
        return self.connect([(frames.INITIAL_WINDOW_SIZE, 0)])

    def held_request(self, connection):
        """On connect_held(): a stream that is half-closed (remote) and stays so."""
        stream = connection.request()
        connection.expect_connection_open()
        return stream

    def forwarded(self):
        """The targets of the requests that reached the server behind the proxy whole."""
        return [request.target for request in self.backend.requests] if self.backend else []

    def forwarded_trailers(self):
        """Those of the last request that was forwarded; names as HTTP/2 spells them."""
        return [(name.lower(), value) for name, value in self.backend.last.trailers]

    def check_malformed(self, fields, method="GET", connection=None):
        """A request of these fields is refused and not forwarded."""
        connection = connection or self.connect()
        before = self.forwarded()
        connection.expect_malformed(connection.send_fields(fields, method=method))
        self.assertEqual(self.forwarded(), before, "a malformed request was forwarded")
        return connection
