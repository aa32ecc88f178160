"""TLS clients."""

import json
import re
import socket
import ssl
import urllib.request

from lib import files
from lib.pki import the_pki
from lib.wire import Stream


def context(certificate="client", maximum=None, minimum=None, alpn=None, chain=True):
    """A context that shows the named certificate (None: none) and trusts the test's root."""
    pki = the_pki()
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A connection cut off without close_notify must be told from one that was ended.
    result.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    result.load_verify_locations(pki.certificate("root"))
    if certificate is not None:
        file = pki.chain(certificate) if chain else pki.certificate(certificate)
        result.load_cert_chain(file, pki.key(certificate))
    if maximum is not None:
        result.maximum_version = maximum
    if minimum is not None:
        result.minimum_version = minimum
    if alpn is not None:
        result.set_alpn_protocols(alpn)
    return result


def connect_plain(port, host="127.0.0.1"):
    """A TCP connection that, as everybody's, sends at once: else the first request waits 40 ms for an ACK."""
    sock = socket.create_connection((host, port), timeout=files.PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def connect(port, tls=None, server_name="localhost", preface=b"", raw=None):
    """A TLS connection as a Stream. `preface`: bytes before TLS, as a PROXY protocol header."""
    raw = raw or connect_plain(port)
    try:
        if preface:
            raw.sendall(preface)
        sock = (tls or context()).wrap_socket(raw, server_hostname=server_name, suppress_ragged_eofs=False)
    except BaseException:
        raw.close()
        raise
    return Stream(sock)


def get(stream, target="/", host="localhost", fields="", method="GET"):
    """One request without a body, and its response."""
    stream.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
    return stream.read_response(method)


def fetch(port, target="/", tls=None, host="localhost", fields="", method="GET", preface=b""):
    """The same on a connection of its own."""
    with connect(port, tls, preface=preface) as stream:
        return get(stream, target, host, fields, method)


def refusal(port, tls, server_name="localhost"):
    """How the handshake is refused, in OpenSSL's words: "tlsv1 alert unknown ca". None: it is not.

    With TLS 1.3 it comes after our last flight, so the first byte is waited for.
    """
    try:
        with connect(port, tls, server_name) as stream:
            stream.sock.recv(1)
    except ssl.SSLError as error:
        return re.sub(r"^(\[[^]]*\] )?(.*?)( \(_ssl\.c:\d+\))?$", r"\2", error.strerror or error.args[-1])
    return None


def status(admin_port):
    """The status page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/status", timeout=files.PATIENCE_S) as page:
        return json.load(page)
