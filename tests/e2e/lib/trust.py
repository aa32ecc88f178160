"""Clients that come back with their sessions, and a gate whose trust changes while it runs."""

import os
import re
import ssl
import subprocess

from lib import client, files
from lib.case import Case

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Visit:
    """What became of one connection."""

    def __init__(self, resumed=False, response=None, alert=None):
        self.resumed = resumed
        self.response = response
        self.alert = alert  # in OpenSSL's words; None: served

    @property
    def served(self):
        return self.response is not None and self.response.status == 200


class Visitor:
    """One client: its certificate, its TLS version, and the last session that it was given."""

    def __init__(self, certificate, version, host="localhost"):
        self.tls = client.context(certificate, maximum=version, minimum=version)
        self.host = host
        self.session = None

    def visit(self, port, resume=True, host=None, target="/"):
        host = host or self.host
        raw = client.connect_plain(port)
        try:
            sock = self.tls.wrap_socket(raw, server_hostname=host, suppress_ragged_eofs=False,
                                        session=self.session if resume else None)
            with client.Stream(sock) as stream:
                resumed = sock.session_reused
                response = client.get(stream, target, host)
                # TLS 1.3: the ticket comes with the first response.
                self.session = sock.session
                return Visit(resumed, response)
        except ssl.SSLError as error:
            text = error.strerror or error.args[-1]
            return Visit(alert=re.sub(r"^(\[[^]]*\] )?(.*?)( \(_ssl\.c:\d+\))?$", r"\2", text))
        except ConnectionError as error:
            return Visit(alert=str(error))
        finally:
            raw.close()

    def open(self, port, host=None):
        """A connection that stays: a Stream."""
        return client.connect(port, self.tls, host or self.host)


class TrustCase(Case):
    """A PKI of its own in the test's folder, and a configuration file to change."""

    LISTENER = """
listeners {{
  name: "https" address: "127.0.0.1:0"
  certificates {{ certificate_file: "{server}" key_file: "{server_key}" }}
  client_auth {{ {client_auth} }}
  {listener}
  default_server_group: "app"
}}
server_groups {{
  name: "app" servers {{ name: "server" host: "127.0.0.1" port: {port} }}
  health_check {{ enabled: false }}
}}
admin {{ address: "127.0.0.1:0" }}
{process}
"""

    def setUp(self):
        super().setUp()
        self.backend = self.start_backend()
        self.generation = 1

    def ca(self, command, *arguments):
        subprocess.run([files.authority(), command, *arguments], check=True, capture_output=True, cwd=self.folder,
                       timeout=files.PATIENCE_S)

    def crl(self, authority, *revoked, name=None, flags=()):
        """Revokes these certificates of an authority of the shared PKI; returns the path of the new list."""
        path = self.folder / f"{name or authority}.crl"
        database = f"--db={self.folder / authority}.revoked.txt"
        for certificate in revoked:
            self.ca("revoke", f"--ca={self.pki.folder / authority}", f"--cert={self.pki.certificate(certificate)}",
                    database)
        number = int(path.with_suffix(".number").read_text("ascii")) if path.with_suffix(".number").exists() else 0
        path.with_suffix(".number").write_text(str(number + 1), "ascii")
        self.ca("crl", f"--ca={self.pki.folder / authority}", f"--out={path}", database, f"--crl_number={number + 1}",
                *flags)
        return path

    def config(self, client_auth=None, listener="", process=""):
        if client_auth is None:
            client_auth = f'mode: "require" ca_files: "{self.pki.certificate("root")}"'
        return self.LISTENER.format(server=self.pki.chain("server"), server_key=self.pki.key("server"),
                                    client_auth=client_auth, listener=listener, process=process,
                                    port=self.backend.port)

    def start(self, **config):
        self.generation = 1
        return self.start_config(self.config(**config))

    def rewrite(self, proxy, text, name="postern.textproto"):
        """Replaces the configuration as an editor does, and waits until every shard serves by it."""
        self.replace(self.folder / name, text)
        self.await_reload(proxy)

    def replace(self, path, contents):
        scratch = path.with_suffix(".new")
        scratch.write_text(contents, "utf-8")
        os.rename(scratch, path)

    def await_reload(self, proxy):
        """Waits until the next generation is acknowledged."""
        self.generation += 1
        files.wait_until(lambda: f"generation {self.generation} is served" in proxy.errors(),
                         f"generation {self.generation}")

    def status(self, proxy):
        return client.status(proxy.admin_port)

    def tickets(self, proxy, result):
        """How many handshakes ended with this result of the client's ticket, over all shards."""
        return sum(shard["tickets"].get(result, 0) for shard in self.status(proxy)["shards"])

    def everywhere(self, action, times=8):
        """Repeats what a single connection might show on one shard only."""
        return [action() for _ in range(times)]
