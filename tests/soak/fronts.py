"""nginx and haproxy in front of a server, as their users set them up; each at the root, below a prefix, and with TLS."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..support import answers, free_port, wait_for

PREFIX = "/a/b/"

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port} {ssl};
    {certificate}
    location {prefix} {{
      proxy_pass http://127.0.0.1:{target}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""
HAPROXY = """
global
  log stderr local0 warning
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend front
  bind 127.0.0.1:{port} {ssl}
{redirect}
  default_backend app
backend app
  option forwardfor
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request replace-path ^{prefix}(.*) /\\1
  server one 127.0.0.1:{target}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """One way to stand in front: ``nginx`` or ``haproxy``, and ``root``, ``prefix`` or ``tls``."""

    program: str
    kind: str

    @property
    def prefix(self) -> str:
        """Where the app begins."""
        return PREFIX if self.kind == "prefix" else "/"

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.kind == "tls" else "http"

    def __str__(self) -> str:
        return f"{self.program} {self.kind}"


FORMS = [Form(program, kind) for program in ("nginx", "haproxy") for kind in ("root", "prefix", "tls")]


def install() -> None:
    """Have both programs.

    Raises:
        RuntimeError: they are not there and cannot be installed.
    """
    if shutil.which("nginx") and shutil.which("haproxy"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wanted = ["apt-get", "install", "--yes", "--no-install-recommends", "nginx-light", "haproxy", "openssl"]
    for command in (["apt-get", "update"], wanted):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nginx and haproxy: cannot be installed; install them by hand: {done.stderr[-300:]}")


@contextlib.contextmanager
def front(form: Form, target: int) -> Iterator[str]:
    """One of them before the port ``target``; gives the URL of the app, with a slash at its end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="front-") as name:
        folder = Path(name)
        config = folder / "config"
        config.write_text(_config(form, folder, port, target))
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(_command(form, config, folder), stdout=output, stderr=output)
        try:
            wait_for(lambda: process.poll() is not None or answers(port), str(form), 20)
            if process.poll() is not None:
                raise RuntimeError(f"{form}: ended by itself: {(folder / 'output').read_text()[-500:]}")
            yield f"{form.scheme}://127.0.0.1:{port}{form.prefix}"
        finally:
            process.terminate()
            process.wait(10)


def _command(form: Form, config: Path, folder: Path) -> list[str]:
    if form.program == "nginx":
        return ["nginx", "-e", str(folder / "errors"), "-c", str(config), "-p", str(folder)]
    return ["haproxy", "-db", "-f", str(config)]


def _config(form: Form, folder: Path, port: int, target: int) -> str:
    text = NGINX if form.program == "nginx" else HAPROXY
    pem, words = "", ""
    if form.kind == "tls":
        pem = certificate(folder)
        words = "ssl" if form.program == "nginx" else f"ssl crt {pem}"
    lines = f"ssl_certificate {pem}; ssl_certificate_key {pem};" if pem else ""
    bare = form.prefix.rstrip("/")  # without its slash, haproxy has to be told; nginx sends it on by itself
    redirect = f"  http-request redirect location {form.prefix} if {{ path {bare} }}" if bare else ""
    fields = {"folder": folder, "port": port, "target": target, "prefix": form.prefix, "ssl": words}
    return text.format(**fields, certificate=lines, redirect=redirect)


def certificate(folder: Path) -> str:
    """A certificate for 127.0.0.1 that signs itself, with its key in the same file."""
    pem, key = folder / "both.pem", folder / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(pem),
    ]
    subprocess.run([*make, *subject], check=True, capture_output=True)
    pem.write_text(pem.read_text() + key.read_text())
    return str(pem)


def trusting() -> ssl.SSLContext:
    """A context that takes any certificate: it is our own, on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # A client with a thread that reads hangs in TLS 1.3 now and then: OpenSSL reads tickets while another thread writes.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
