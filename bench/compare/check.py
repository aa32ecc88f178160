"""Whether a proxy does the job at all. One that lets strangers in would be fast, and no measure for anybody."""

import ssl

import client
import origin


def of_peer(peer, place):
    """What is wrong with the instance of `peer` at `place`; nothing: it is as it should be."""
    wrong = []
    certificates = place.certificates
    identity = certificates.clients()[0]
    try:
        wrong += of_answers(place, identity)
        protocol = negotiated(place, identity)
        if protocol != "h2":
            wrong.append(f"HTTP/2 was offered and {protocol} chosen")
        if not resumes(place, identity):
            wrong.append("a session was not resumed")
    except (OSError, ValueError, IndexError) as error:
        wrong.append(f"a client with a good certificate was not served: {error}")
    if peer.mutual:
        for who, shown in (("without a certificate", None), ("with a stranger's certificate", certificates.stranger)):
            if served(place, shown):
                wrong.append(f"a client {who} was served")
    return wrong


def of_answers(place, identity):
    wrong = []
    name = place.certificates.server_name
    with client.connect(client.context(place.certificates.root, identity), place.port, name) as connection:
        if connection.version() != "TLSv1.3":
            wrong.append(f"{connection.version()} instead of TLS 1.3")
        for path, size in origin.SIZES.items():
            answer = client.get(connection, name, f"/{path}")
            if answer != (200, size):
                wrong.append(f"/{path}: status and size {answer}")
    return wrong


def negotiated(place, identity):
    tls = client.context(place.certificates.root, identity, ("h2", "http/1.1"))
    with client.connect(tls, place.port, place.certificates.server_name) as connection:
        return connection.selected_alpn_protocol()


def resumes(place, identity):
    name = place.certificates.server_name
    tls = client.context(place.certificates.root, identity)
    with client.connect(tls, place.port, name) as first:
        client.get(first, name, "/1k")  # with the answer, the tickets have come
        session = first.session
    with client.connect(tls, place.port, name, session) as second:
        return client.get(second, name, "/1k")[0] == 200 and second.session_reused


def served(place, identity):
    """Whether this client gets an answer from the server."""
    name = place.certificates.server_name
    try:
        with client.connect(client.context(place.certificates.root, identity), place.port, name) as connection:
            return client.get(connection, name, "/1k")[0] == 200
    except (ssl.SSLError, OSError):
        return False
