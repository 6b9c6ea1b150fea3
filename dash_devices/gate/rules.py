"""What every request must be before anybody is asked who made it. Pure: a head in, a refusal or nothing out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Container

from ..identity import Refuse
from ..origins import Host, origin_allowed, parse_host
from .head import Head

MAX_TARGET = 8_192  # bytes of path and query
MAX_HEADERS = 32_768  # bytes of all headers
SAFE = ("GET", "HEAD", "OPTIONS")
FOREIGN = ("cross-site", "same-site")  # values of Sec-Fetch-Site of requests that no page of ours made


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """How a request is judged.

    Attributes:
        hosts: the names that are answered to.
        origins: further origins, exactly as browsers write them.
        json_paths: paths that take a POST of JSON only, so that no form of another site can make one.
    """

    hosts: Container[Host]
    origins: Collection[str]
    json_paths: set[str] = dataclasses.field(default_factory=set)

    def refusal(self, head: Head) -> tuple[str, Refuse] | None:
        """Why this request goes no further: a word for the counters, and the answer."""
        return self._malformed(head) or self._host(head) or self._origin(head)

    def _malformed(self, head: Head) -> tuple[str, Refuse] | None:
        if head.target > MAX_TARGET:
            return "size", Refuse(414, reason=f"The address is longer than {MAX_TARGET} bytes.")
        if head.size > MAX_HEADERS:
            return "size", Refuse(431, reason=f"The headers are larger than {MAX_HEADERS} bytes.")
        if not head.path.startswith("/"):
            return "path", Refuse(400, reason="The address must be a path.")
        if len(head.headers.get("host", ())) != 1:
            return "host", Refuse(400, reason="Exactly one Host header is needed.")
        return None

    def _host(self, head: Head) -> tuple[str, Refuse] | None:
        host = parse_host(head.first("host"))
        if host is not None and host in self.hosts:
            return None
        name = f"the name {host.name!r}" if host else "this name"
        return "host", Refuse(
            403, reason=f"This server does not answer to {name}. Its author can: allowed_hosts=[...]."
        )

    def _origin(self, head: Head) -> tuple[str, Refuse] | None:
        origins = head.headers.get("origin", [])
        origin = origins[0] if origins else None
        must_be_ours = head.is_socket or head.method not in SAFE or origin is not None
        cookies = "cookie" in head.headers
        allowed = len(origins) <= 1 and origin_allowed(
            origin, scheme=head.scheme, host=head.first("host"), cookies=cookies, allowed=self.origins
        )
        if must_be_ours and not allowed:
            return "origin", Refuse(403, reason="This request does not come from a page of this server.")
        if origin not in self.origins and head.first("sec-fetch-site") in FOREIGN and not head.is_navigation:
            return "site", Refuse(403, reason="This request was made by a page of another site.")
        if head.method == "POST" and head.route in self.json_paths and not _is_json(head):
            return "type", Refuse(403, reason="A POST to this address must be application/json.")
        return None


def _is_json(head: Head) -> bool:
    return head.first("content-type").partition(";")[0].strip().lower() == "application/json"
