"""The server behind every proxy: nginx with two static files, in plain HTTP/1.1."""

SIZES = {"1k": 1024, "16k": 16384}

_CONFIG = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; server_tokens off; etag off; default_type application/octet-stream;
  sendfile on; tcp_nopush on; tcp_nodelay on; open_file_cache max=16 inactive=1h; open_file_cache_valid 1h;
  keepalive_timeout 1h; keepalive_requests 1000000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}/files; }}
}}
"""


def start(running, nginx, folder, port, cpu, user):
    """Starts it among the processes `running`; what it serves is /1k and /16k."""
    folder.mkdir()
    (folder / "files").mkdir()
    for name, size in SIZES.items():
        (folder / "files" / name).write_bytes(b"o" * size)
    (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=port, user=user), "utf-8")
    argv = [nginx, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]
    return running.start_server(argv, cpu, folder / "output.log", port)
