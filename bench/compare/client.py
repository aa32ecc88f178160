"""A plain mutual-TLS client on Python's ssl, for what needs no speed."""

import socket
import ssl

PATIENCE_S = 10


def context(root, identity=None, protocols=("http/1.1",)):
    """Trusts `root`, and shows the (chain, key) of `identity`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(root)
    made.set_alpn_protocols(list(protocols))
    if identity is not None:
        made.load_cert_chain(*identity)
    return made


def connect(tls, port, name, session=None):
    raw = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls.wrap_socket(raw, server_hostname=name, session=session)
    except BaseException:
        raw.close()
        raise


def get(connection, name, path):
    """(status, length of the body) of one GET; the connection is kept."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode("ascii"))
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    lengths = [line.partition(":")[2] for line in lines[1:] if line.lower().startswith("content-length:")]
    length = int(lengths[0])
    count = len(body)
    while count < length:
        count += len(more(connection))
    return int(lines[0].split()[1]), count


def more(connection):
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the proxy closed the connection")
    return data
