"""The decorators of an app: regular, serialised and shared callbacks, and who is told of clients.

Leans on (Dash 4.4.1): ``Dash.callback``, ``Dash._callback_list``, ``Dash.callback_map``, ``dash._callback.GLOBAL_CALLBACK_MAP``.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash as StockDash
from dash._callback import GLOBAL_CALLBACK_MAP
from dash._grouping import flatten_grouping
from dash.dependencies import DashDependency, handle_grouped_callback_args

from ..access import Rule
from ..clients import Client
from ..engine import Engine
from ..errors import RegistrationError
from ..hub import Hub
from ..registry import SharedCallback
from ..services import Services, check_service
from . import registration

PENDING: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
"""Shared callbacks of the module-level ``callback_shared``, until an app takes them."""

_PER_PAGE = {
    "n_intervals": "push_mods from a thread, or a regular callback, does something at intervals",
    "pathname": "a regular callback may listen to the page's address",
    "search": "a regular callback may listen to the page's address",
    "href": "a regular callback may listen to the page's address",
}


def _both(output: str, name: str) -> str:
    return (
        f"{output}: a shared callback ({name}) and a regular one cannot both write it; "
        "write another property, or make both shared with allow_duplicate=True"
    )


def _output_texts(args: list[Any], kwargs: dict[str, Any]) -> list[str]:
    outputs = handle_grouped_callback_args(list(args), dict(kwargs))[0]
    flat = flatten_grouping(outputs) if not isinstance(outputs, DashDependency) else [outputs]
    return [str(registration.to_dep(output)) for output in flat]


class Registering:
    """What an app registers. A part of `Dash`."""

    _engine: Engine
    _hub: Hub
    _callback_list: list[dict[str, Any]]
    callback_map: dict[str, Any]
    _protect: Callable[..., None]

    def __init__(self, callback_service: int) -> None:
        self._callback_service = check_service(callback_service)
        self._serialized: dict[str, str] = {}
        self._regular_outputs: dict[str, list[str]] = {}
        self._numbers = itertools.count()
        self._none_outputs = itertools.count()
        self._shutdown_hooks: list[Callable[[], Any]] = []

    def callback(
        self, *args: Any, service: int | None = None, lane: str | None = None, rerun: bool = True, **kwargs: Any
    ) -> Callable[..., Any]:
        """Dash's ``callback``, or the original's ``callback(output, inputs, state, service)``; None as output means no output.

        Args:
            *args: as in Dash.
            **kwargs: as in Dash.
            service: `Services` bits; with the bit 16 the callback is shared.
            lane: for serialised services: the lane to queue in.
            rerun: after a restart of the server, do open pages repeat its initial call? Not where somebody has clicked since.
        """
        args, bits = registration.split_service(args, service, self._callback_service)
        if bits & Services.SHARED_CALLBACK:
            kwargs |= {} if rerun else {"rerun": False}  # refused there
            return self.callback_shared(*args, service=bits, lane=lane, **kwargs)
        none_output = registration.has_no_output(args, kwargs)
        rest, kwargs = registration.normalised(args, dict(kwargs))
        if none_output or bits & Services.NO_CLIENT_INITIAL_CALLBACK:
            kwargs["prevent_initial_call"] = True
        outputs = self._free_outputs(rest, kwargs, none_output)
        register = StockDash.callback(self, *rest, **kwargs)  # type: ignore[arg-type]
        spec = self._callback_list[-1]
        registration.mark_rerun(spec, rerun)
        id = registration.own_id(self._callback_list, none_output)
        self._regular_outputs[id] = outputs
        if bits & (Services.SERIALIZED_CALLBACK | Services.SERIALIZED_MOST_RECENT_CALLBACK):
            self._serialized[id] = lane or f"regular {id}"

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            plain = kwargs.get("background") or not callable(function)
            register(function if plain else registration.regular_function(function, none_output=none_output))
            registration.rename(spec, self.callback_map, id)
            return function

        return decorate

    def _free_outputs(self, args: list[Any], kwargs: dict[str, Any], none_output: bool) -> list[str]:
        """The outputs as ``id.property``; RegistrationError when a shared callback writes one of them."""
        outputs = [f"_none.{next(self._none_outputs)}"] if none_output else _output_texts(args, kwargs)
        for output in outputs:
            other = self._engine.registry.writer(output)
            if other is not None:
                raise RegistrationError(_both(output, other.name))
        return outputs

    def callback_s0(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A regular callback, as `callback` with ``service=Services.S0``."""
        return self.callback(*args, service=Services.S0, **kwargs)

    def callback_s2(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A regular callback that runs one at a time over all clients: the results stay in the page that asked."""
        return self.callback(*args, service=Services.S2, **kwargs)

    def callback_shared(
        self,
        *args: Any,
        service: int = Services.SHARED,
        lane: str | None = None,
        most_recent: bool = False,
        max_age: float | None = None,
        max_change: int | None = None,
        on_error: Callable[[Exception], Any] | None = None,
        running: Any = None,
        allow: Rule | None = None,
        read: Rule | None = None,
        components: bool = False,
        **kwargs: Any,
    ) -> Callable[..., Any]:
        """A callback that runs at the server, one call at a time, from server start on; its results go to every page.

        Args:
            *args: any form of ``callback``; None as output means no output.
            **kwargs: likewise.
            service: `Services` bits.
            lane: callbacks that name the same lane never run at the same time: one per device.
            most_recent: keep at most one waiting call, with the newest values.
            max_age: seconds; a call that waited longer is dropped.
            max_change: bytes that one change of its inputs may have, where 256 KiB is not enough.
            on_error: called with the exception; what it returns is the result.
            running: ``(Output, value while it runs, value after)``, or a list of those.
            allow: who may change its Inputs: a role, several, or a function of the client; see `protect`.
            read: who may read its Outputs, likewise.
            components: may pages write components into its Inputs, as results of their regular callbacks, and may its results
                hold components that are plain dicts, as those are? A hostile page may write them, too.

        Raises:
            RegistrationError: what is wrong and what to do instead.
        """
        options = registration.SharedOptions(lane, most_recent, max_age, max_change, on_error, running, components)
        bits = check_service(service)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            callback = registration.shared_callback(self, function, args, kwargs, bits, options)
            self._register_shared(callback, read, allow)
            self._engine.registry.accept_components(callback.inputs if components else ())
            return function

        if not args and not kwargs:
            raise RegistrationError("callback_shared: expected an Output (or None) and an Input, got nothing")
        if isinstance(args[0] if args else None, str | ClientsideFunction):
            decorate(print)  # raises: that is no Python function
        return decorate

    def _register_shared(self, callback: SharedCallback, read: Rule | None, allow: Rule | None) -> None:
        taken = {output for outputs in self._regular_outputs.values() for output in outputs}
        for output in map(str, callback.outputs):
            if output in taken or output in GLOBAL_CALLBACK_MAP or output in self.callback_map:
                raise RegistrationError(_both(output, callback.name))
        for dep in callback.inputs:
            if dep.prop in _PER_PAGE:
                warnings.warn(f"{callback.name}: {dep} differs from page to page; {_PER_PAGE[dep.prop]}", stacklevel=4)
        with self._engine.lock:  # nobody changes or reads it between the two
            for dep in callback.outputs if read is not None else ():
                self._protect(dep, read=read, change=None)
            for dep in callback.inputs if allow is not None else ():
                self._protect(dep, read=None, change=allow)
            self._engine.register(callback)

    def next_lane(self) -> int:
        """A number for a lane of its own."""
        return next(self._numbers)

    def next_none_output(self) -> int:
        """The number of the next None output."""
        return next(self._none_outputs)

    def share(self, id: Any, property: str, *, components: bool = False) -> None:
        """Make a property two-way without a callback: every page shows the same value, anybody may change it.

        Args:
            id: a component id; may hold wildcards.
            property: the property's name.
            components: may pages write components into it?
        """
        dep = registration.to_dep(DashDependency(id, property))
        self._engine.registry.accept_components((dep,) if components else ())
        self._engine.share(dep)

    def callback_connect(self, function: Callable[[Client, bool], Any]) -> Callable[[Client, bool], Any]:
        """Call ``function(client, connect)`` when a client joins (True) or leaves (False); sync or async, any number.

        A truthy return value on joining is pushed to that client.
        """
        self._hub.presence.connect_callbacks.append(function)
        return function

    def callback_authorize_output(self, function: Callable[[Client, str], bool]) -> Callable[[Client, str], bool]:
        """Ask ``function(client, "id.property")`` before a callback that a page caused runs; ``"_none.N"`` for None outputs.

        False for any of its outputs: it does not run, as with PreventUpdate.
        """
        self._engine.authorize = function
        return function

    def on_shutdown(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``function()`` when the server stops, sync or async: the place to release hardware. The newest goes first."""
        self._shutdown_hooks.append(function)
        return function


def callback_shared(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`Dash.callback_shared` without an app at hand, for pages of a multi-page app: the app takes it when it starts."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        PENDING.append((function, args, kwargs))
        return function

    return decorate
