"""The nginx sample of docs/security.md, as it stands there: TLS, login, the client's address, names."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ..soak.fronts import certificate, trusting
from ..support import TIMEOUT, answers, free_port, wait_for
from .apps import PASSWORD, with_login

DOC = Path(__file__).parents[2] / "docs" / "security.md"
AROUND = """daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
{sample} }}"""
NAME = "lab.example"
CLIENT = "127.0.0.2"  # whence browsers come: not from where nginx itself does
HELLO = '{"type":"hello","version":1,"page":"p","build":"raw"}'

needs_nginx = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx is not installed"
)
pytestmark = needs_nginx


class Front:
    """nginx before a server: ports of http and https."""

    def __init__(self, target: int, folder: Path) -> None:
        self.http, self.https = free_port(), free_port()
        pem = certificate(folder)
        found = re.search(r"```nginx\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
        assert found is not None
        sample = found[1].replace("listen 80 ", f"listen 127.0.0.1:{self.http} ")
        sample = sample.replace("listen 443 ", f"listen 127.0.0.1:{self.https} ")
        sample = sample.replace("/etc/ssl/lab.pem", pem).replace("/etc/ssl/lab.key", pem)
        assert sample.count("127.0.0.1:8050") == 1
        sample = sample.replace("127.0.0.1:8050", f"127.0.0.1:{target}")
        (folder / "config").write_text(AROUND.format(folder=folder, sample=sample))

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        """One request over TLS, by the public name."""
        line = http.client.HTTPSConnection(
            "127.0.0.1", self.https, timeout=TIMEOUT, context=trusting(), source_address=(CLIENT, 0)
        )
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body, {"Host": NAME, **names})
        return line.getresponse()

    def open(self, **headers: str) -> Any:
        """A page's socket, by the public name."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return connect(
            f"wss://{NAME}/_dash-devices/socket",
            sock=socket.create_connection(("127.0.0.1", self.https), TIMEOUT, source_address=(CLIENT, 0)),
            ssl=context,
            proxy=None,
            origin=headers.pop("origin", f"https://{NAME}"),  # type: ignore[arg-type]
            additional_headers=headers,
        )


@pytest.fixture
def served(serve: Callable[..., Any]) -> Any:
    """The app of the sample."""
    return serve(with_login(trusted_proxies=["127.0.0.1"], allowed_hosts=[NAME]))


@pytest.fixture
def front(served: Any, tmp_path: Path) -> Iterator[Front]:
    """nginx before it."""
    front = Front(served.port, tmp_path)
    command = ["nginx", "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "config"), "-p", str(tmp_path)]
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        stack.callback(process.terminate)
        wait_for(lambda: process.poll() is not None or answers(front.https), "nginx")
        assert process.poll() is None, (tmp_path / "errors").read_text()
        yield front


def test_a_login_and_a_page_through_nginx(front: Front, served: Any) -> None:
    sent = front.ask("/x", Accept="text/html")
    assert (sent.status, sent.headers["location"]) == (303, "/_dash-devices/login?next=/x")
    assert sent.headers["strict-transport-security"]
    form = urlencode({"name": "ada", "password": PASSWORD, "next": "/x"})
    kind = "application/x-www-form-urlencoded"
    back = front.ask("/_dash-devices/login", "POST", form, Content_Type=kind, Origin=f"https://{NAME}")
    assert (back.status, back.headers["location"]) == (303, "/x")
    assert "Secure; HttpOnly" in back.headers["set-cookie"]
    cookie = back.headers["set-cookie"].partition(";")[0]
    page = front.ask("/", Cookie=cookie)
    assert page.status == 200
    assert f"wss://{NAME}" in page.headers["content-security-policy"]
    with front.open(Cookie=cookie) as line:
        line.send(HELLO)
        assert json.loads(line.recv(TIMEOUT))[0]["type"] == "welcome"
        client = served.app.clients[0]
        assert (client.username, client.address, client.host) == ("ada", CLIENT, NAME)
        served.app.revoke("ada")
        with pytest.raises(ConnectionClosed, match="4401"):
            list(line)


@pytest.mark.parametrize("origin", [f"http://{NAME}", "https://evil.example", "null", f"https://{NAME}:8443"])
def test_other_origins_do_not_come_through(front: Front, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        front.open(origin=origin)


def test_what_a_client_says_of_himself_is_not_believed(front: Front, served: Any) -> None:
    claims = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Prefix": "/evil", "X_Forwarded_Proto": "http"}
    sent = front.ask("/", Accept="text/html", X_Forwarded_For="192.0.2.77", X_Real_IP="192.0.2.77", **claims)
    assert sent.headers["location"] == "/_dash-devices/login?next=/"
    form = urlencode({"name": "ada", "password": PASSWORD})
    kind = "application/x-www-form-urlencoded"
    cookie = front.ask("/_dash-devices/login", "POST", form, Content_Type=kind).headers["set-cookie"].partition(";")[0]
    with front.open(Cookie=cookie, **{"X-Forwarded-For": "192.0.2.77"}) as line:
        line.send(HELLO)
        line.recv(TIMEOUT)
        assert served.app.clients[0].address == CLIENT


def test_another_name_is_refused_though_nginx_lets_it_through(front: Front) -> None:
    assert front.ask("/", Host="evil.example").status == 403


def test_http_leads_to_https(front: Front) -> None:
    line = http.client.HTTPConnection("127.0.0.1", front.http, timeout=TIMEOUT)
    line.request("GET", "/page?x=1", headers={"Host": NAME})
    answer = line.getresponse()
    assert (answer.status, answer.headers["location"]) == (301, f"https://{NAME}/page?x=1")
    line.close()
