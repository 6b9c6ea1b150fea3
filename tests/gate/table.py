"""Names and origins that a server must, and must not, answer to: read by the tests and by the attack table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

OPTIONS = {
    "allowed_origins": [
        "https://lab.example",
        "https://lab.example:8443",
        "http://bücher.example",
        "http://[2001:db8::5]:81",
    ],
    "allowed_hosts": ["device.example", "*.rig.example", "fixed.example:8050", "grün.example"],
}
PORT = "{port}"  # where the server listens


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A Host header, an Origin header (None: there is none), and whether they are let in."""

    host: str
    origin: str | None
    cookie: bool
    host_is_good: bool
    origin_is_good: bool

    def at(self, port: int) -> Case:
        """For a server at this port."""
        origin = None if self.origin is None else self.origin.replace(PORT, str(port))
        return dataclasses.replace(self, host=self.host.replace(PORT, str(port)), origin=origin)

    @property
    def may_open(self) -> bool:
        """May it open a socket, or change anything?"""
        return self.host_is_good and self.origin_is_good and not (self.cookie and self.origin is None)

    @property
    def may_read(self) -> bool:
        """May it read a page?"""
        return self.host_is_good and self.origin_is_good


GOOD_HOSTS = [
    "127.0.0.1:{port}",
    "localhost:{port}",
    "LocalHost:{port}",
    "app.localhost:{port}",
    "[::1]:{port}",
    "[::ffff:7f00:1]:{port}",
    "[fe80::1:2]",
    "192.168.1.7:{port}",
    "10.0.0.1",
    "device.example:{port}",
    "device.example.",
    "DEVICE.example",
    "a.rig.example",
    "a-b.c.rig.example:9",
    "fixed.example:8050",
    "lab.example",
    "lab.example:8443",
    "xn--bcher-kva.example",
    "xn--grn-ioa.example",
]
BAD_HOSTS = [
    "evil.example",  # had its name point here
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:{port}",
    "localhost.evil.example",
    "evillocalhost",
    "evil-localhost:{port}",
    "localhostevil",
    "local",
    "rig.example",
    "evilrig.example",
    "a.rig.example.evil.example",
    "fixed.example:8051",
    "fixed.example",
    "lab.example.evil.example",
    "labXexample",
    "xn--lab-example.evil.example",
    "device.example..",
    ".device.example",
    "device..example",
    "-device.example",
    "user@localhost",
    "localhost@evil.example",
    "localhost:0",
    "localhost:65536",
    "localhost:99999",
    "localhost:{port}:80",
    "localhost:{port}/",
    "localhost:",
    "localhost:8o",
    "localhost:+80",
    "localhost?",
    "localhost#",
    "localhost\\",
    "local host",
    "localhost,evil.example",
    "http://localhost",
    "2130706433",
    "127.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "127.0.0.256",
    "127.0.0.1.5",
    "[::1",
    "::1",
    "[::1]evil",
    "[::1%25lo]",
    "[127.0.0.1]",
    "[]",
    "",
    "*",
    "*.rig.example",
    "l\u00f6calhost",
    "localhost%00.evil.example",
    "localhost%2eevil.example",
    "a" * 300,
    "null",
]
FOREIGN = [  # for a page at ``http://{host}``; ``name``: without the port
    "https://{host}",
    "ws://{host}",
    "ftp://{host}",
    "http://{host}.evil.example",
    "http://{name}.evil.example",
    "http://evil{host}",
    "http://evil.{host}",
    "http://{name}:1",
    "http://{name}:0",
    "http://{name}:",
    "http://user@{host}",
    "http://user:word@{host}",
    "http://{host}@evil.example",
    "http://{host}/",
    "http://{host}/path",
    "http://{host}?query",
    "http://{host}#part",
    "http://{host}\\@evil.example",
    "http://{host}%2eevil.example",
    "http://{host} http://evil.example",
    "http://{host}, http://evil.example",
    "http:/{host}",
    "http:{host}",
    "//{host}",
    "{host}",
    "http://",
    "http:// {host}",
    "http://evil.example",
    "http://evil.example:{port}",
    "https://lab.example.evil.example",
    "https://lab.example:444",
    "https://lab.example:443",
    "https://user@lab.example",
    "https://www.lab.example",
    "http://lab.example:8443",
    "http://www.xn--bcher-kva.example",
    "http://[2001:db8::5]:82",
    "file://",
    "chrome-extension://abcdef",
    "null",
    "NULL",
    "",
    "*",
]
NAMED = ["https://lab.example", "https://lab.example:8443", "http://xn--bcher-kva.example", "http://[2001:db8::5]:81"]


def cases() -> Iterator[Case]:
    """The whole table."""
    for host in GOOD_HOSTS:
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        yield Case(host, None, False, True, True)
        yield Case(host, None, True, True, True)
        yield Case(host, f"http://{host}", True, True, True)
        for origin in NAMED:
            yield Case(host, origin, True, True, True)
        for form in FOREIGN:
            origin = form.replace("{host}", host).replace("{name}", name)
            if origin != f"http://{host}" and origin not in NAMED:
                yield Case(host, origin, True, True, False)
    for host in BAD_HOSTS:
        yield Case(host, None, False, False, True)
        yield Case(host, f"http://{host}", True, False, False)
        yield Case(host, "https://lab.example", False, False, True)
