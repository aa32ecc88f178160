"""Debian's nginx as a server behind the proxy: one process, in a folder of its own."""

import os
import pathlib
import shutil
import socket
import subprocess

from lib import files

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))

# As root it would hand its folders to another user, who may not exist in a sandbox.
_USER = "user root;" if os.geteuid() == 0 else ""

_CONFIG = """
{user}
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/nginx-access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 1g;
  keepalive_timeout 60s;
  keepalive_requests 50;
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    location /who {{
      return 200 "$http_x_forwarded_clientcert_subjectdn|$http_x_forwarded_for|$http_via|$host";
    }}
    location /upload {{
      dav_methods PUT;
      create_full_put_path on;
    }}
    location /old {{ return 301 /new; }}
  }}
}}
"""


class Nginx:
    name = "nginx"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "www" / "upload").mkdir(parents=True)
        for _ in range(5):
            # nginx cannot choose a port by itself; somebody may take the one found here before it does.
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            config = self.folder / "nginx.conf"
            config.write_text(_CONFIG.format(user=_USER, folder=self.folder, port=self.port), "ascii")
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [PROGRAM, "-p", self.folder, "-c", config, "-e", self.folder / "nginx.log"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            files.wait_until(lambda: self._listens() or self.process.poll() is not None, "nginx")
            if self.process.poll() is None:
                return
        raise AssertionError("nginx does not start: " + (self.folder / "nginx.log").read_text())

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    @property
    def flag(self):
        return f"--backend={self.name}@127.0.0.1:{self.port}"

    def put(self, name, data):
        (self.folder / "www" / name).write_bytes(data)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(files.PATIENCE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
