"""A shared callback called in Dash's callback context, and what its return value means.

Leans on (Dash 4.4.1): ``dash._callback_context.context_value`` and the attributes that ``CallbackContext`` reads from it;
``dash._grouping``; ``dash._validate.validate_and_group_input_args`` and ``validate_multi_return``; ``dash._no_update``.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

from dash import _validate
from dash._callback_context import CallbackContext, context_value, has_context
from dash._grouping import flatten_grouping, grouping_len, make_grouping_by_index, map_grouping, update_args_group
from dash._no_update import NoUpdate
from dash._utils import AttributeDict, inputs_to_dict
from dash.exceptions import PreventUpdate
from orjson import loads

from ..calls import Given, Item, SharedCall, Slot
from ..clients import Client
from ..components import id_text
from ..engine import Engine
from ..patterns import Dep, Wild, expand
from ..shared import Key


class DevicesCallbackContext(CallbackContext):
    """Dash's ``callback_context`` plus ``client``."""

    @property
    @has_context  # type: ignore[untyped-decorator]
    def client(self) -> Client | None:
        """The page that asked: in every callback that a page caused, its chain included. None at startup and for pushes."""
        client: Client | None = getattr(context_value.get(), "client", None)
        return client


callback_context = DevicesCallbackContext()


@dataclasses.dataclass(frozen=True)
class Signature:
    """How a function wants its arguments and gives its results; Dash's grouping."""

    indices: Any
    output: Any
    multi: bool
    has_output: bool

    @cached_property
    def is_plain(self) -> bool:
        """One positional argument per Input and State, in order?"""
        return isinstance(self.indices, list | tuple) and list(self.indices) == list(range(len(self.indices)))


class DashCall:
    """Dash's part of one shared callback."""

    def __init__(self, app: Any, signature: Signature) -> None:
        self._app = app
        self.signature = signature

    def invoke(self, call: SharedCall) -> Any:
        """Call the function in a callback context of its own."""
        call.inputs, call.state = ([_own(call.engine, one) for one in given] for given in (call.inputs, call.state))
        context_value.set(SharedContext(self._app, self.signature, call))  # type: ignore[arg-type]
        values = [_value(given) for given in (*call.inputs, *call.state)]
        if self.signature.is_plain:
            return call.callback.function(*values)
        args, kwargs = _validate.validate_and_group_input_args(values, self.signature.indices)
        return call.callback.function(*args, **kwargs)

    def failed(self, call: SharedCall, error: BaseException) -> Any:
        """PreventUpdate is no failure; ``on_error`` may make something of one."""
        if isinstance(error, PreventUpdate):
            return NoUpdate()
        handler = call.callback.on_error or self._app._on_error
        if handler is None or not isinstance(error, Exception):
            raise error
        value = handler(error)
        return NoUpdate() if value is None else value

    def results(self, call: SharedCall, value: Any) -> list[Item]:
        """The return value as encoded items."""
        from .registration import is_alternative

        if is_alternative(value):
            outputs = value if isinstance(value, list | tuple) else [value]
            return [_item(call, output) for output in outputs]
        if not self.signature.has_output or NoUpdate.is_no_update(value):
            return []
        return [call.item(key, single) for key, single in self._pairs(call, value) if not NoUpdate.is_no_update(single)]

    def _pairs(self, call: SharedCall, value: Any) -> list[tuple[Key, Any]]:
        specs = [output_keys(dep, call) for dep in call.callback.outputs]
        values = [value]
        if self.signature.multi:
            value = list(value) if isinstance(value, tuple) else value
            values = flatten_grouping(value, self.signature.output)
            shapes = [keys if dep.is_many else dep for dep, keys in zip(call.callback.outputs, specs, strict=True)]
            _validate.validate_multi_return(shapes, values, call.name)
        pairs: list[tuple[Key, Any]] = []
        for dep, keys, single in zip(call.callback.outputs, specs, values, strict=True):
            if NoUpdate.is_no_update(single):
                continue
            many = single if dep.is_many else [single]
            pairs.extend(zip(keys, many, strict=dep.is_many))
        return pairs


def _item(call: SharedCall, output: Any) -> Item:
    return call.item((id_text(output.component_id), output.component_property), output.component_value)


def output_keys(dep: Dep, call: SharedCall) -> list[Key]:
    """The properties that an Output stands for in this call."""
    keys = expand(dep, call.anchor, call.engine.components)
    if keys or not dep.is_pattern or dep.is_many:
        return keys
    bound = dict(call.anchor)
    parts = {name: bound.get(name) if isinstance(v, Wild) else v for name, v in zip(dep.names, dep.values, strict=True)}
    return [(id_text(parts), dep.prop)]


def _own(engine: Engine, given: Given) -> Given:
    """The server's own values are never changed in place."""
    return [_own_slot(engine, slot) for slot in given] if isinstance(given, list) else _own_slot(engine, given)


def _own_slot(engine: Engine, slot: Slot) -> Slot:
    return Slot(slot.key, engine.reading.given(slot.key, slot.value)) if type(slot.value) in (list, dict) else slot


def _value(given: Given) -> Any:
    return [slot.value for slot in given] if isinstance(given, list) else given.value


def _spec(given: Given) -> Any:
    if isinstance(given, list):
        return [_spec(slot) for slot in given]
    return AttributeDict(id=_id(given.key[0]), property=given.key[1], value=given.value)


def _id(text: str) -> Any:
    return loads(text) if text.startswith("{") else text


class SharedContext:
    """What ``dash.callback_context`` reads in a shared callback; made from the call, and only when it is read."""

    background_callback_manager = None
    ignore_register_page = False
    cookies: dict[str, str] = {}
    headers: dict[str, str] = {}
    args = ""
    path = ""
    remote = ""
    origin = ""

    def __init__(self, app: Any, signature: Signature, call: SharedCall) -> None:
        self._app = app
        self._signature = signature
        self._call = call
        self.client = call.cause.client
        self.dash_websocket = SharedSocket(call)
        self.updated_props = _Streaming(self.dash_websocket)
        self.custom_data = AttributeDict({})

    @cached_property
    def inputs_list(self) -> list[Any]:
        return [_spec(given) for given in self._call.inputs]

    @cached_property
    def states_list(self) -> list[Any]:
        return [_spec(given) for given in self._call.state]

    @cached_property
    def input_values(self) -> Any:
        return inputs_to_dict(self.inputs_list)

    @cached_property
    def state_values(self) -> Any:
        return inputs_to_dict(self.states_list)

    @cached_property
    def triggered_inputs(self) -> list[dict[str, Any]]:
        props = [f"{id}.{property}" for id, property in self._call.triggered]
        return [{"prop_id": prop, "value": self.input_values.get(prop)} for prop in props]

    @cached_property
    def outputs_list(self) -> Any:
        specs = []
        for dep in self._call.callback.outputs:
            found = [{"id": _id(id), "property": property} for id, property in output_keys(dep, self._call)]
            specs.append(found if dep.is_many else found[0])
        return specs if self._signature.multi else specs[0]

    @cached_property
    def args_grouping(self) -> Any:
        flat = self.inputs_list + self.states_list
        changed = [row["prop_id"] for row in self.triggered_inputs]
        for spec in flat:
            for single in spec if isinstance(spec, list) else [spec]:
                update_args_group(single, changed)
        return map_grouping(lambda index: flat[index], self._signature.indices)

    @property
    def using_args_grouping(self) -> bool:
        indices = self._signature.indices
        return not isinstance(indices, int) and indices != list(range(grouping_len(indices)))

    @cached_property
    def outputs_grouping(self) -> Any:
        flat = self.outputs_list if self._signature.multi else [self.outputs_list]
        return map_grouping(lambda index: flat[index], self._output_indices)

    @cached_property
    def _output_indices(self) -> Any:
        output = self._signature.output
        return make_grouping_by_index(output, list(range(grouping_len(output))))

    @property
    def using_outputs_grouping(self) -> bool:
        indices = self._output_indices
        return not isinstance(indices, int) and indices != list(range(grouping_len(indices)))


class SharedSocket:
    """``ctx.websocket`` in a shared callback, and where ``set_props`` goes: to all pages, at once."""

    def __init__(self, call: SharedCall) -> None:
        self._call = call

    @property
    def is_shutdown(self) -> bool:
        """Is there still a server?"""
        return bool(self._call.engine.lanes.loop is None)

    def set_prop_sync(self, component_id: Any, prop_name: str, value: Any) -> None:
        """Write a property in all pages."""
        item = self._call.item((id_text(component_id), prop_name), value)
        self._call.engine.store([item], self._call.child)

    async def set_prop(self, component_id: Any, prop_name: str, value: Any) -> None:
        """Write a property in all pages."""
        self.set_prop_sync(component_id, prop_name, value)

    async def get_prop(self, component_id: Any, prop_name: str, timeout: float = 30.0) -> Any:
        """The server's value."""
        return self._call.engine.own((id_text(component_id), prop_name))


class _Streaming(dict[str, Any]):
    """``ctx.set_props`` collects into this; here it goes out at once."""

    def __init__(self, socket: SharedSocket) -> None:
        super().__init__()
        self._socket = socket

    def __setitem__(self, id: str, props: dict[str, Any]) -> None:
        for property, value in props.items():
            self._socket.set_prop_sync(id, property, value)
