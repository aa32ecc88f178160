"""Postern, for the side-by-side harness: a mutual-TLS listener and one for anybody, in front of the same servers, one
shard."""
PEERS = {"postern": ("PEER_POSTERN", "")}
CAPS = {"h2"}


def listener(job, name, port, client_auth):
    return f"""
listeners {{
  name: "{name}"
  address: "127.0.0.1:{port}"
  certificates {{ certificate_file: "{job.certs}/server.chain.pem" key_file: "{job.certs}/server.key" }}
  client_auth {{ {client_auth} }}
  default_server_group: "servers"
  idle_timeout_ms: 600000
  header_timeout_ms: 600000
}}
"""


def setup(job, binary, name):
    servers = "\n".join(f'  servers {{ name: "s{i}" host: "127.0.0.1" port: {port} }}'
                        for i, port in enumerate(job.backends))
    config = listener(job, "clients", job.port, f'mode: "require" ca_files: "{job.certs}/root.pem"')
    config += listener(job, "anybody", job.h2_port, 'mode: "off"')
    config += f"""
server_groups {{
  name: "servers"
{servers}
  health_check {{ enabled: false }}
  idle_timeout_ms: 600000
}}
shards: {job.workers}
pin_shards: false  # the harness pins the whole process
access_log: ""
error_log: "{job.dir}/error.log"
connections_max: 20000
"""
    return {"files": {"postern.textproto": config}, "argv": [binary, f"--config={job.dir}/postern.textproto"]}
