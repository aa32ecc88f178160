"""Servers behind the proxy, scripted to the byte."""

import socket
import threading

from lib import files
from lib.wire import Ended, Stream


class Backend:
    """Accepts connections and runs `serve(stream)` on each in a thread of its own.

    `serve` may return at any time; its connection is closed then. What it raises is kept and fails the test in stop().
    """

    def __init__(self, serve, name="server", backlog=1024):
        self.name = name
        self.serve = serve
        self.connections = 0
        self.failures = []
        self._streams = set()
        self._threads = []
        self._lock = threading.Lock()
        self._stopping = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def flag(self):
        return f"--backend={self.name}@127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = Stream(sock)
            thread = threading.Thread(target=self._run, args=(stream,), daemon=True)
            with self._lock:
                if self._stopping:
                    sock.close()
                    return
                self.connections += 1
                self._streams.add(stream)
                self._threads = [other for other in self._threads if other.is_alive()] + [thread]
            thread.start()

    def _run(self, stream):
        try:
            self.serve(stream)
        except (Ended, ConnectionError, TimeoutError):
            pass  # the proxy may end a connection at any time
        except Exception as error:  # pylint: disable=broad-except
            if not self._stopping:
                self.failures.append(error)
        finally:
            stream.close()
            with self._lock:
                self._streams.discard(stream)

    def kill_connections(self):
        """What a killed process does: every connection is reset."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            try:
                stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                stream.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop_listening(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self._acceptor.join(files.PATIENCE_S)

    def stop(self):
        with self._lock:
            self._stopping = True
        self.stop_listening()
        self.kill_connections()
        for thread in self._threads:
            thread.join(files.PATIENCE_S)
        if self.failures:
            raise self.failures[0]


class HttpBackend(Backend):
    """Reads whole requests, keeps them in `requests`, and answers with the bytes of `respond(request)`.

    An answer of None closes the connection; one that carries "Connection: close" or has no end of its own does too.
    """

    def __init__(self, respond=None, name="server"):
        self.requests = []
        self.respond = respond or (lambda request: response(name))
        super().__init__(self._serve_http, name)

    def _serve_http(self, stream):
        while True:
            request = stream.read_request()
            if request is None:
                return
            self.requests.append(request)
            answer = self.respond(request)
            if answer is None:
                return
            stream.send(answer)
            if b"\r\nconnection: close\r\n" in answer[:4096].lower():
                return

    @property
    def last(self):
        return self.requests[-1]


def response(body=b"", status="200 OK", fields=""):
    """A response with a length. `fields`: lines, each with its CRLF."""
    body = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode("latin-1") + body


def closed_port():
    """A port on which nobody listens, held for as long as the returned socket is."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]
