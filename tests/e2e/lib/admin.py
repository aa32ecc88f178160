"""Servers whose health can be switched, and what the admin server tells of them."""

import http.client
import json
import re
import urllib.request

from lib import files
from lib.backend import Backend, response
from lib.case import Case

FAST = ["--health_check=true", "--health_interval=1s", "--health_timeout=5s", "--healthy_threshold=2",
        "--unhealthy_threshold=2"]


class Checked:
    """A server whose health can be switched; counts checks apart from requests."""

    def __init__(self, case, name):
        self.good = True
        self.checks = 0
        self.paths = []  # of the checks
        self.requests = 0
        self.name = name
        self.backend = case.start_backend(self._serve, name=name, kind=Backend)

    def _serve(self, stream):
        while stream.peek():
            request = stream.read_request()
            check = request.get("X-Forwarded-For") is None
            if check:
                self.checks += 1
                self.paths.append(request.target)
                stream.send(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % (b"200 OK" if self.good else b"500 Bad"))
            else:
                self.requests += 1
                stream.send(response(self.name))


def command(proxy, path):
    """What a tool does that has read the page for its token."""
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.admin_port}/", timeout=files.PATIENCE_S) as page:
        token = re.search('name="postern-token" content="([0-9a-f]{32})"', page.read().decode()).group(1)
    request = urllib.request.Request(f"http://127.0.0.1:{proxy.admin_port}{path}", b"", {"X-Postern-Token": token})
    with urllib.request.urlopen(request, timeout=files.PATIENCE_S) as answer:
        return answer.status


class AdminCase(Case):
    def ask(self, proxy, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.admin_port, timeout=files.PATIENCE_S)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self, proxy):
        code, body = self.ask(proxy, "/status")
        self.assertEqual(code, 200)
        return json.loads(body)

    def states(self, proxy):
        return {server["name"]: server["state"]
                for group in self.status(proxy)["groups"] for server in group["servers"]}
