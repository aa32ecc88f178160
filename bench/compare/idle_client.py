#!/usr/bin/env python3
"""Holds idle connections for compare.py: idle_client.py PORT NAME ROOT IDENTITIES PATH COUNT

Opens COUNT mutual-TLS connections by the identities in turn, makes one request on each, and writes how many could be
opened. When a line comes on standard input, it makes a second request on each, and writes how many were still served.
"""

import itertools
import pathlib
import resource
import sys

import client


def opened(port, name, root, identities, path, count):
    """The connections on which a first request was served, and why the others were not."""
    contexts = [client.context(root, (chain, chain.with_suffix(".key")))
                for chain in sorted(pathlib.Path(identities).glob("*.crt"))]
    connections = []
    for tls in itertools.islice(itertools.cycle(contexts), count):
        try:
            connection = client.connect(tls, port, name)
            if client.get(connection, name, path)[0] == 200:
                connections.append(connection)
        except (OSError, ValueError, IndexError) as error:
            print(f"idle_client: {error}", file=sys.stderr)
    return connections


def still_served(connections, name, path):
    served = 0
    for connection in connections:
        try:
            served += client.get(connection, name, path)[0] == 200
        except (OSError, ValueError, IndexError) as error:
            print(f"idle_client: {error}", file=sys.stderr)
    return served


def main(arguments):
    port, name, root, identities, path, count = arguments
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = opened(int(port), name, root, identities, path, int(count))
    print(len(connections), flush=True)
    if sys.stdin.readline():
        print(still_served(connections, name, path), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
