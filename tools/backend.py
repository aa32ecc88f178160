#!/usr/bin/env python3
"""A demonstration server that says its name and the identity headers that it was given.

  tools/backend.py --name ecs01 --port 9001

Browsers get a page; others get text whose first line is the name. It listens on 127.0.0.1 only, because the identity
headers mean something only if nobody but the proxy can send them.
"""

import argparse
import html
import http.server
import os
import signal
import sys
import threading

# Headers that a proxy adds about the caller; shown back in the order in which they came.
IDENTITY_PREFIXES = ("x-forwarded-", "x-amzn-mtls-", "x-client-cert", "client-cert")
IDENTITY_NAMES = ("forwarded", "via", "x-request-id", "x-real-ip")

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{name}</title>
<link rel="icon" href="data:,">
<style>
body {{ font-family: sans-serif; margin: 3em auto; max-width: 60em; padding: 0 1em; }}
td {{ padding: 0.2em 1em 0.2em 0; vertical-align: top; font-family: monospace; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{name}</h1>
<p>This answer comes from the server <strong>{name}</strong>. Reload, and the other one answers.</p>
<h2>What the proxy says about you</h2>
<table>
{rows}
</table>
</body>
</html>
"""


def is_identity(header):
    header = header.lower()
    return header.startswith(IDENTITY_PREFIXES) or header in IDENTITY_NAMES


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections alive
    timeout = 60  # of an idle connection
    # The head and the body leave in one packet: with Nagle's algorithm two small ones would wait for each other.
    wbufsize = 65536

    def handle_expect_100(self):
        # The base class leaves "100 Continue" in the write buffer, and the client waiting.
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed


    def version_string(self):
        return "backend"

    def is_health_check(self):
        agent = self.headers.get("User-Agent", "")
        return "health" in agent.lower() or (self.command == "HEAD" and "X-Forwarded-For" not in self.headers)

    def identity(self):
        return [(name, value) for name, value in self.headers.items() if is_identity(name)]

    def page(self):
        rows = "\n".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in self.identity()
        )
        rows = rows or "<tr><td>nothing</td></tr>"
        return PAGE.format(name=html.escape(self.server.name), rows=rows)

    def text(self):
        return "".join([f"{self.server.name}\n"] + [f"{name}: {value}\n" for name, value in self.identity()])

    def answer(self):
        # Bodies are read and forgotten; one that is chunked is not understood, so its connection ends here.
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
        else:
            remaining = int(length)
            while remaining > 0:
                block = self.rfile.read(min(remaining, 1 << 16))
                if not block:
                    self.close_connection = True
                    return
                remaining -= len(block)
        wants_page = "text/html" in self.headers.get("Accept", "")
        body = (self.page() if wants_page else self.text()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if wants_page else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

    def log_message(self, format, *args):
        # There are no headers yet if the request line was already wrong.
        mark = " (health check)" if getattr(self, "headers", None) and self.is_health_check() else ""
        line = f"{self.server.name} {self.log_date_time_string()} {format % args}{mark}\n"
        # One write a line: lines of several threads do not mix.
        self.server.log.write(line.translate({code: "?" for code in range(32) if code != 10}))
        self.server.log.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        # A peer that hangs up is no news.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def write_port_file(path, port):
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="what the server calls itself")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0: any free one")
    parser.add_argument("--port_file", help="where to write the port once it is open")
    parser.add_argument("--log", help="file to log to; default: standard error")
    options = parser.parse_args()

    if not 0 <= options.port <= 65535:
        parser.error("--port must be from 0 to 65535")
    try:
        server = Server(("127.0.0.1", options.port), Handler)
        log = open(options.log, "a", encoding="utf-8") if options.log else sys.stderr
    except OSError as error:
        where = f"port {options.port}" if error.filename is None else error.filename
        sys.exit(f"backend: {where}: {error.strerror}")
    server.name = options.name
    server.log = log
    port = server.server_address[1]
    # serve_forever() must not wait for itself, so the signal's handler hands the stop to another thread.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    if options.port_file:
        write_port_file(options.port_file, port)
    print(f"backend: {options.name} listens on 127.0.0.1:{port}", file=log, flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
