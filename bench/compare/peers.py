"""The proxies that are compared, each configured as somebody would who knows it and wants it fast.

The job is the same for all: one worker; mutual TLS with an ECDSA P-256 chain, X25519 and AES-128-GCM; tickets; HTTP/1.1
and HTTP/2 on one port; one server in plain HTTP/1.1 on connections that are kept; no access log; the client's address,
and its verified subject, issuer and fingerprint in headers of the request. No timeout strikes during a run.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one instance of a proxy lives."""

    folder: pathlib.Path
    port: int
    origin_port: int
    certificates: object  # certificates.Certificates
    user: str  # who runs this


@dataclasses.dataclass(frozen=True)
class Peer:
    """One proxy. `setup(place)` returns ({file: text}, command)."""

    name: str
    version: str
    setup: object
    mutual: bool = True  # whether it can ask for client certificates
    note: str = ""


class Missing(Exception):
    """The program is not there, or cannot be used."""


def said_by(*argv):
    """What a program says about itself, on either stream."""
    try:
        result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                timeout=20)
    except OSError as error:
        raise Missing(f"{argv[0]}: {error.strerror}") from error
    return result.stdout


def found(path, default):
    """The program at `path`, or the one called `default`."""
    program = shutil.which(path or default) or (None if path else shutil.which(f"/usr/sbin/{default}"))
    if program is None:
        raise Missing(f"no program {path or default}")
    return program


def first_match(pattern, text, default=""):
    match = re.search(pattern, text)
    return match.group(1) if match else default


# --- postern -----------------------------------------------------------------------------------------------------------

_POSTERN = """
listeners {{
  name: "clients"
  address: "127.0.0.1:{port}"
  certificates {{ certificate_file: "{chain}" key_file: "{key}" }}
  client_auth {{ mode: "require" ca_files: "{root}" }}
  default_server_group: "origin"
  handshake_timeout_ms: 600000
  header_timeout_ms: 600000
  idle_timeout_ms: 600000
}}
server_groups {{
  name: "origin"
  servers {{ name: "origin" host: "127.0.0.1" port: {origin} }}
  health_check {{ enabled: false }}
  idle_timeout_ms: 600000
}}
shards: 1
pin_shards: false  # the whole process is pinned from outside
io: "{io}"
access_log: ""
"""


def postern(binary, driver, revision):
    def setup(place):
        text = _POSTERN.format(port=place.port, origin=place.origin_port, io=driver, root=place.certificates.root,
                               chain=place.certificates.server_chain, key=place.certificates.server_key)
        return {"postern.textproto": text}, [binary, f"--config={place.folder / 'postern.textproto'}"]

    return Peer("postern" if driver == "uring" else f"postern, {driver}", revision, setup)


# --- nginx -------------------------------------------------------------------------------------------------------------

# Tickets keep the sessions. A session cache beside them would be filled, at a cost, by handshakes that never ask it.
_NGINX = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 9500; }}
http {{
  access_log off; server_tokens off; sendfile on; tcp_nodelay on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 1000000000; keepalive_timeout 600s; client_header_timeout 600s;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:prime256v1;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; {suites}
  ssl_certificate {chain}; ssl_certificate_key {key};
  ssl_verify_client on; ssl_client_certificate {root}; ssl_verify_depth 4;
  ssl_session_tickets on; ssl_session_cache none; ssl_session_timeout 2h;
  proxy_http_version 1.1; proxy_buffers 16 32k; proxy_buffer_size 32k; proxy_busy_buffers_size 64k;
  proxy_set_header Host $host;
  proxy_set_header Connection "";
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto https;
  proxy_set_header X-Client-Subject $ssl_client_s_dn;
  proxy_set_header X-Client-Issuer $ssl_client_i_dn;
  proxy_set_header X-Client-Fingerprint $ssl_client_fingerprint;
  proxy_set_header X-Client-Verify $ssl_client_verify;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 600s; }}
  server {{ {listen} location / {{ proxy_pass http://origin; }} }}
}}
"""


def nginx(path):
    binary = found(path, "nginx")
    said = said_by(binary, "-V")
    number = first_match(r"nginx/(\S+)", said, "?")
    library = (first_match(r"running with (.+?)(?: \d+ \w+ \d{4})?\)?\n", said) or
               first_match(r"built with (\w*SSL \S+|\S+SSL\S*)", said))
    # 1.25.1 made HTTP/2 a directive of its own.
    parts = [int(part) for part in re.findall(r"\d+", number)[:3]]
    listen = ("listen 127.0.0.1:{} ssl http2 backlog=4096;" if parts < [1, 25, 1] else
              "listen 127.0.0.1:{} ssl backlog=4096; http2 on;")
    # BoringSSL and AWS-LC choose the suite by themselves, and know no such command.
    suites = "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;" if library.startswith("OpenSSL") else ""

    def setup(place):
        text = _NGINX.format(folder=place.folder, user=f"user {place.user};" if place.user == "root" else "",
                             chain=place.certificates.server_chain, key=place.certificates.server_key,
                             root=place.certificates.root, origin=place.origin_port, suites=suites,
                             listen=listen.format(place.port))
        return ({"nginx.conf": text},
                [binary, "-e", place.folder / "error.log", "-p", place.folder, "-c", place.folder / "nginx.conf"])

    return Peer("nginx", f"{number} ({library})" if library else number, setup)


# --- HAProxy -----------------------------------------------------------------------------------------------------------

# Buffers that hold a header section and 16 KiB of body: those of the default size would take two turns for it.
_HAPROXY = """
global
  nbthread 1
  maxconn 9000
  tune.bufsize 20480
defaults
  mode http
  option http-keep-alive
  option forwardfor
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  timeout http-request 600s
frontend clients
  bind 127.0.0.1:{port} ssl crt {bundle} ca-file {root} verify required ssl-min-ver TLSv1.2 curves X25519:P-256 ciphers ECDHE-ECDSA-AES128-GCM-SHA256 {suites} alpn h2,http/1.1 backlog 4096
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Client-Subject %[ssl_c_s_dn]
  http-request set-header X-Client-Issuer %[ssl_c_i_dn]
  http-request set-header X-Client-Fingerprint %[ssl_c_sha1,hex]
  http-request set-header X-Client-Verify %[ssl_c_verify]
  default_backend origin
backend origin
  http-reuse always
  server origin 127.0.0.1:{origin} pool-purge-delay 600s
"""


def haproxy(path):
    binary = found(path, "haproxy")
    said = said_by(binary, "-vv")
    number = first_match(r"HAProxy version (\S+)", said, "?")
    library = (first_match(r"Running on \S*SSL\S* version : (\S+ \S+)", said) or
               first_match(r"Built with (AWS-LC|BoringSSL)", said))
    suites = "ciphersuites TLS_AES_128_GCM_SHA256" if library.startswith("OpenSSL") else ""

    def setup(place):
        text = _HAPROXY.format(port=place.port, bundle=place.certificates.server_bundle, suites=suites,
                               root=place.certificates.root, origin=place.origin_port)
        return {"haproxy.cfg": text}, [binary, "-db", "-f", place.folder / "haproxy.cfg"]

    return Peer("HAProxy", f"{number} ({library})" if library else number, setup)


# --- H2O ---------------------------------------------------------------------------------------------------------------

_H2O = """
num-threads: 1
{user}max-connections: 9000
http1-request-timeout: 600
http2-idle-timeout: 600
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {chain}
    key-file: {key}
    minimum-version: TLSv1.2
    cipher-suite: "ECDHE-ECDSA-AES128-GCM-SHA256"
    neverbleed: OFF
{client_ca}ssl-session-resumption:
  mode: ticket
proxy.timeout.keepalive: 600000
proxy.preserve-host: ON
hosts:
  "{name}":
    paths:
      "/":
        proxy.reverse.url: "http://127.0.0.1:{origin}"
"""


def h2o(path):
    binary = found(path, "h2o")
    said = said_by(binary, "-v")
    number = first_match(r"version (\S+)", said, "?")
    library = first_match(r"OpenSSL: (\S+ \S+)", said)
    # Client certificates came with 2.3.
    mutual = [int(part) for part in re.findall(r"\d+", number)[:2]] >= [2, 3]
    note = ("forwards no identity headers" if mutual else
            "cannot ask for client certificates: only requests are measured, upon connections without one, and no identity "
            "headers are forwarded")

    def setup(place):
        client_ca = f"    client-ca-file: {place.certificates.root}\n" if mutual else ""
        text = _H2O.format(port=place.port, chain=place.certificates.server_chain, key=place.certificates.server_key,
                           client_ca=client_ca, origin=place.origin_port, name=place.certificates.server_name,
                           user="user: root\n" if place.user == "root" else "")
        return {"h2o.conf": text}, [binary, "-c", place.folder / "h2o.conf"]

    return Peer("H2O", f"{number} ({library})" if library else number, setup, mutual, note)
