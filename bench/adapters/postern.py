"""Postern, for the side-by-side harness: one mutual-TLS listener in front of two servers, one shard."""
PEERS = {"postern": ("PEER_POSTERN", "")}
CAPS = set()


def setup(job, binary, name):
    flags = [
        "--listen=127.0.0.1:%d" % job.port,
        "--cert=%s/server.chain.pem" % job.certs,
        "--key=%s/server.key" % job.certs,
        "--client_auth=require",
        "--client_ca=%s/root.pem" % job.certs,
        "--shards=%d" % job.workers,
        "--pin_shards=false",  # the harness pins the whole process
        "--access_log=",
        "--error_log=%s/error.log" % job.dir,
        "--health_check=false",
        "--idle_timeout=600s",
        "--header_timeout=600s",
        "--connections_max=20000",
    ]
    for i, port in enumerate(job.backends):
        flags.append("--backend=s%d@127.0.0.1:%d" % (i, port))
    return {"files": {}, "argv": [binary] + flags}
