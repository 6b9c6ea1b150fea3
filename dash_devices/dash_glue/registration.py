"""The forms of ``callback`` and ``callback_shared``: Dash's own, the original's, and what is wrong with the rest.

Leans on (Dash 4.4.1): ``dash.dependencies.handle_grouped_callback_args``, ``dash._grouping``, ``dash._no_update``.
"""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP, callback as dash_callback
from dash._callback_context import callback_context, context_value
from dash._grouping import flatten_grouping
from dash._no_update import NoUpdate
from dash._utils import stringify_id
from dash.dependencies import ClientsideFunction, DashDependency, Wildcard, handle_grouped_callback_args

from ..components import id_text
from ..dependencies import Output
from ..errors import RegistrationError
from ..patterns import Dep, Wild
from ..registry import SharedCallback
from ..services import Services, check_service
from .invocation import DashCall, Signature

UNSUPPORTED = {
    "background": "a shared callback runs in its own lane already: a slow one delays nobody else",
    "progress": "push_mods from inside the callback shows progress in every page",
    "cancel": "let the function look at a flag that another shared callback sets",
    "manager": "shared callbacks need no manager",
    "websocket": "shared callbacks always travel over the socket",
    "persistent": "use a thread that calls push_mods",
    "rerun": "it runs at every start of the server; prevent_initial_call=True stops that",
    "api_endpoint": "call the function itself from a route of app.server",
}


def to_dep(dependency: DashDependency) -> Dep:
    """A dependency of Dash as the registry knows it."""
    id = dependency.component_id
    property = dependency.component_property
    optional = dependency.allow_optional
    if not isinstance(id, dict):
        return Dep(str(id), property, optional=optional)
    if not any(isinstance(value, Wildcard) for value in id.values()):
        return Dep(id_text(id), property, optional=optional)
    names = tuple(sorted(id))
    values = tuple(Wild[id[name].value] if isinstance(id[name], Wildcard) else id[name] for name in names)
    return Dep(stringify_id(id), property, names, values, optional)


def has_no_output(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Was None written where the output stands?"""
    return bool(args and args[0] is None) or ("output" in kwargs and kwargs["output"] is None)


def normalised(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments in a form that Dash takes: without a None output, state with its inputs, no values in declarations."""
    rest = list(args[1:] if args and args[0] is None else args)
    if "output" in kwargs and kwargs["output"] is None:
        kwargs = {key: value for key, value in kwargs.items() if key != "output"}
    if "state" in kwargs and "inputs" not in kwargs:
        state = kwargs.pop("state")
        rest.extend(state if isinstance(state, list | tuple) else [state])
    for dependency in flatten_grouping([rest, kwargs.get("output", [])]):
        if isinstance(dependency, Output) and isinstance(dependency.component_value, bool):
            _bool_means_duplicate(dependency)
    return rest, kwargs


def _bool_means_duplicate(output: Output) -> None:
    warnings.warn(
        f"{output}: a bool as third argument of Output in a declaration is taken as allow_duplicate; "
        "write allow_duplicate=True",
        stacklevel=6,
    )
    output.allow_duplicate = output.component_value


def split_service(args: tuple[Any, ...], service: int | None, default: int) -> tuple[tuple[Any, ...], int]:
    """The original's fourth positional argument is the service."""
    if args and type(args[-1]) is int:
        args, service = args[:-1], args[-1]
    return args, check_service(default if service is None else service)


@dataclasses.dataclass(frozen=True, slots=True)
class SharedOptions:
    """Options of ``callback_shared`` beside Dash's forms; see there."""

    lane: str | None = None
    most_recent: bool = False
    max_age: float | None = None
    max_change: int | None = None
    on_error: Callable[[Exception], Any] | None = None
    running: Any = None
    components: bool = False


def shared_callback(
    app: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    service: int,
    options: SharedOptions,
) -> SharedCallback:
    """What was written as a `SharedCallback`.

    Raises:
        RegistrationError: a form that a shared callback cannot have; the message says what to do instead.
    """
    name = f"{getattr(function, '__qualname__', function)}"
    _check_form(name, args, kwargs, function)
    none_output = app.next_none_output() if has_no_output(args, kwargs) else None
    rest, kwargs = normalised(args, dict(kwargs))
    output, inputs, state, indices, prevent = handle_grouped_callback_args(rest, kwargs)
    multi = not isinstance(output, DashDependency)
    outputs = flatten_grouping(output) if multi else [output]
    signature = Signature(indices=indices, output=output, multi=multi, has_output=bool(outputs))
    most_recent = options.most_recent or bool(service & Services.SERIALIZED_MOST_RECENT_CALLBACK)
    serialized = service & (Services.SERIALIZED_CALLBACK | Services.SERIALIZED_MOST_RECENT_CALLBACK)
    return SharedCallback(
        name=name,
        function=function,
        inputs=tuple(map(to_dep, inputs)),
        state=tuple(map(to_dep, state)),
        outputs=tuple(map(to_dep, outputs)),
        service=service,
        lane=options.lane or (f"{name}#{app.next_lane()}" if serialized or most_recent else ""),
        most_recent=most_recent,
        max_age=options.max_age,
        max_change=options.max_change,
        prevent_initial_call=app.config.prevent_initial_callbacks if prevent is None else prevent is True,
        none_output=none_output,
        allow_duplicate=tuple(out.allow_duplicate for out in outputs),
        running=tuple((to_dep(dep), on, off) for dep, on, off in running_rows(options.running)),
        on_error=options.on_error,
        is_async=inspect.iscoroutinefunction(function),
        components=options.components,
        glue=DashCall(app, signature),
    )


def running_rows(running: Any) -> list[Any]:
    """``running=`` as a list of ``(Output, while, after)``; Dash takes a single row too."""
    if not running:
        return []
    return list(running) if isinstance(running[0], list | tuple) else [running]


def _check_form(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], function: Any) -> None:
    if (args and isinstance(args[0], str | ClientsideFunction)) or not callable(function):
        raise RegistrationError(
            f"{name}: a shared callback runs at the server and takes a Python function; "
            "for JavaScript use app.clientside_callback, which may listen to shared properties"
        )
    for option, instead in UNSUPPORTED.items():
        if kwargs.get(option) or (option == "rerun" and option in kwargs):
            raise RegistrationError(f"{name}: {option}= does not go with callback_shared: {instead}")


# ---- regular callbacks ------------------------------------------------------------------------------------------------
def is_alternative(value: Any) -> bool:
    """Is this an alternative result: an Output with a value, or a list or tuple that begins with one?"""
    first = value[0] if isinstance(value, list | tuple) and value else value
    return isinstance(first, Output) and first.has_value


def regular_function(function: Callable[..., Any], *, none_output: bool) -> Callable[..., Any]:
    """The function with alternative results, and with its return value ignored where None is its output."""
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            return _regular_result(await function(*args, **kwargs), none_output)

        return run_async

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return _regular_result(function(*args, **kwargs), none_output)

    return run


def _regular_result(value: Any, none_output: bool) -> Any:
    context: Any = context_value.get()
    context.returned = value
    if not is_alternative(value):
        return None if none_output else value
    for output in value if isinstance(value, list | tuple) else [value]:
        callback_context.set_props(output.component_id, {output.component_property: output.component_value})
    return None if none_output else NoUpdate()


SERIALIZED: dict[str, str] = {}
"""Lanes of the module-level ``callback_s2``, by callback id."""


def callback(*args: Any, rerun: bool = True, **kwargs: Any) -> Callable[..., Any]:
    """Dash's module-level ``callback``, with None as output, alternative results, and ``rerun=`` as in `Dash.callback`."""
    return _global_callback(args, kwargs, rerun)[0]


def callback_s2(*args: Any, lane: str | None = None, rerun: bool = True, **kwargs: Any) -> Callable[..., Any]:
    """`Dash.callback_s2` without an app at hand."""
    decorate, id = _global_callback(args, kwargs, rerun)
    SERIALIZED[id] = lane or f"regular {id}"
    return decorate


def _global_callback(args: tuple[Any, ...], kwargs: dict[str, Any], rerun: bool) -> tuple[Callable[..., Any], str]:
    none_output = has_no_output(args, kwargs)
    rest, kwargs = normalised(args, dict(kwargs))
    if none_output:
        kwargs["prevent_initial_call"] = True
    register = dash_callback(*rest, **kwargs)
    spec = GLOBAL_CALLBACK_LIST[-1]
    mark_rerun(spec, rerun)
    id = own_id(GLOBAL_CALLBACK_LIST, none_output, "global")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        register(function if kwargs.get("background") else regular_function(function, none_output=none_output))
        rename(spec, GLOBAL_CALLBACK_MAP, id)
        return function

    return decorate, id


def mark_rerun(spec: dict[str, Any], rerun: bool) -> None:
    """Tell pages that they are not to repeat the initial call of a registered callback."""
    if not rerun:
        spec["rerun"] = False


def own_id(specs: list[Any], none_output: bool, mark: str = "") -> str:
    """The id of the callback registered last.

    Dash names a callback without outputs by its inputs: of two on one input only one would ever run.
    """
    id: str = specs[-1]["output"]
    return f"{id}-{mark}{len(specs)}" if none_output else id


def rename(spec: dict[str, Any], callbacks: dict[str, Any], id: str) -> None:
    """Give a registered callback this id."""
    if spec["output"] != id:
        callbacks[id] = callbacks.pop(spec["output"])
        spec["output"] = id
