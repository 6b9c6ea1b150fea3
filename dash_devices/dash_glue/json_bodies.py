"""JSON bodies over HTTP: counted as a frame's are, before anything is built of them.

Leans on (Quart 0.22): ``quart.wrappers.Request.get_json``, which every reader of JSON calls, also Dash's own routes.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from quart import Quart
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from .. import codec, strict
from ..errors import ProtocolError, TooComplexError
from ..limits import PageLimits
from ..refusals import Refusals
from ..threads import Threads, in_thread

IN_PLACE = 65_536  # bytes: up to here it takes less than a thread would


class PrototypeError(Exception):
    """A body names ``__proto__``."""


def count_json(
    server: Quart, *, strict_paths: Container[str], limits: Callable[[], PageLimits], refusals: Refusals
) -> None:
    """From now on all JSON that the views of a server read is counted, and refused with 413 or 400.

    Args:
        server: whose requests.
        strict_paths: what is read there follows the rules of frames: each key once, numbers that JSON knows.
        limits: of one message.
        refusals: where refused ones are noted.
    """
    base: Any = server.request_class
    decoder = Threads(1)  # large bodies are decoded one after the other: together they would hold up everybody

    class CountedRequest(base):  # type: ignore[misc]
        """A request whose JSON is counted before it is decoded."""

        _cached_json: Any

        async def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
            """The body as JSON, see Quart.

            Raises:
                HTTPException: 413, it is too large or has too many parts; 400, it is no JSON.
            """
            if not (force or self.is_json) or self._cached_json[silent] is not Ellipsis:
                return await super().get_json(force, silent, cache)
            is_strict = self.path in strict_paths
            raw = await self.get_data(cache=not is_strict, as_text=False)  # a second copy would be kept else
            try:
                value = await _load(raw, limits(), decoder, is_strict=is_strict)
            except TooComplexError:
                refusals.note("json", "%s %s refused: JSON with too many parts", self.method, self.path)
                raise RequestEntityTooLarge from None
            except PrototypeError:
                refusals.note("prototype", "%s %s refused: it names __proto__", self.method, self.path)
                raise BadRequest(strict.PROTOTYPE_TEXT) from None
            except ProtocolError as error:
                refusals.note("json", "%s %s refused: no JSON", self.method, self.path)
                raise BadRequest(str(error)) from None
            if value is None:  # checked only: the server's own decoder reads it
                return await self._own_json(force, silent, cache)
            self._cached_json = value * 2
            return value[0]

        async def _own_json(self, *how: Any) -> Any:
            try:
                return await super().get_json(*how)
            except RecursionError:
                raise RequestEntityTooLarge from None

    server.request_class = CountedRequest


async def _load(raw: bytes, limits: PageLimits, decoder: Threads, *, is_strict: bool) -> tuple[Any] | None:
    if len(raw) <= IN_PLACE:
        return _loaded(raw, limits, is_strict)
    loaded: tuple[Any] | None = await in_thread(decoder, lambda: _loaded(raw, limits, is_strict))
    return loaded


def _loaded(raw: bytes, limits: PageLimits, is_strict: bool) -> tuple[Any] | None:
    if len(raw) > limits.message_bytes or strict.exceeds(raw, limits.nodes):
        raise TooComplexError
    if not is_strict:
        return None
    value = codec._load(raw)
    if strict.is_suspect(raw) and strict.names_prototype(value):
        raise PrototypeError
    return (value,)
