"""Section 1.3: the forms of ``callback`` and ``callback_shared``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import Services, dcc, html
from dash_devices.dependencies import Input, Output, State
from dash_devices.errors import RegistrationError

from ..support import Raw
from .helpers import Calls, ask_regular, dependency, recorder, until_all

FORMS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "original": (lambda on, o, i, s: on(o, [i], [s]), str),
    "state_by_name": (lambda on, o, i, s: on(o, [i], state=[s]), str),
    "one_state_by_name": (lambda on, o, i, s: on(o, i, state=s), str),
    "flat": (lambda on, o, i, s: on(o, i, s), str),
    "keywords": (lambda on, o, i, s: on(output=o, inputs=[i], state=[s]), str),
    "list_of_one_output": (lambda on, o, i, s: on([o], [i], [s]), lambda text: [text]),
    "dict_inputs": (lambda on, o, i, s: on(o, inputs={"value": i}, state={"state": s}), str),
    "dict_in_one": (lambda on, o, i, s: on(output=o, inputs={"value": i, "state": s}), str),
    "dict_output": (
        lambda on, o, i, s: on(output={"o": o}, inputs={"value": i}, state={"state": s}),
        lambda t: {"o": t},
    ),
}
REGISTRARS: dict[str, Callable[[dash_devices.Dash], Callable[..., Any]]] = {
    "callback": lambda app: app.callback,
    "callback_s0": lambda app: app.callback_s0,
    "callback_s2": lambda app: app.callback_s2,
    "module_callback": lambda app: dash_devices.callback,
    "module_callback_s2": lambda app: dash_devices.callback_s2,
    "callback_shared": lambda app: app.callback_shared,
    "module_callback_shared": lambda app: dash_devices.callback_shared,
    "callback_with_service": lambda app: lambda *args, **kwargs: app.callback(*args, **kwargs, service=Services.SHARED),
}


@pytest.mark.parametrize("registrar", REGISTRARS)
def test_1_3_every_form_of_callback(registrar: str, serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div(
        [
            html.Div(
                [dcc.Input(id=f"{form}-i", value="v"), dcc.Input(id=f"{form}-s", value="s"), html.Div(id=f"{form}-o")]
            )
            for form in FORMS
        ]
    )
    for form, (declare, shape) in FORMS.items():

        def function(value: str, state: str, shape: Callable[[Any], Any] = shape) -> Any:
            return shape(f"{value} {state}")

        dependencies = Output(f"{form}-o", "children"), Input(f"{form}-i", "value"), State(f"{form}-s", "value")
        assert declare(REGISTRARS[registrar](app), *dependencies)(function) is function
    page = raw(serve(app).url).join()
    for form in FORMS:
        if "shared" in registrar or "service" in registrar:
            page.change(f"{form}-i", "value", "new", state=[(f"{form}-s", "value", "state")])
            assert page.until_value(f"{form}-o", "children", "new state")
        else:
            output = dependency(page, f"{form}-i.value")
            reply = ask_regular(page, output, [(f"{form}-i", "value", "new")], [(f"{form}-s", "value", "state")])
            assert reply["body"]["response"][f"{form}-o"]["children"] == "new state"


def test_1_3_service_is_the_fourth_argument(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash(callback_service=Services.SHARED)
    app.layout = html.Div([dcc.Input(id="a", value="v"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])
    app.callback(Output("o", "children"), [Input("a", "value")], [], Services.SHARED)(lambda value: f"o {value}")
    app.callback(Output("p", "children"), [Input("a", "value")], [])(lambda value: f"p {value}")
    app.callback(Output("q", "children"), [Input("a", "value")], (), Services.S2)(lambda value: f"q {value}")
    page = raw(serve(app).url).join()
    page.change("a", "value", "x")
    until_all(page, ("o", "children", "o x"), ("p", "children", "p x"))
    assert [one["output"] for one in page.request("dependencies")["body"]] == ["q.children"]


def test_1_3_options_of_shared_callbacks(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls, free = dash_devices.Dash(), Calls(), threading.Event()
    busy, lit = threading.Event(), threading.Event()
    app.layout = html.Div([html.Div(id="o"), html.Div(id="lamp")])

    def block(value: Any) -> None:
        busy.set()
        assert free.wait(10)

    def fail(value: Any) -> None:
        assert lit.wait(10)
        raise ValueError("broken")

    app.callback_shared(None, Input("a", "value"), lane="one")(block)
    app.callback_shared(None, Input("b", "value"), lane="one", most_recent=True)(recorder(calls))
    app.callback_shared(None, Input("c", "value"), lane="one", max_age=1e-6)(recorder(calls))
    app.callback_shared(
        Output("o", "children"),
        Input("d", "value"),
        lane="one",
        on_error=lambda error: f"caught {error}",
        running=(Output("lamp", "children"), "on", "off"),
    )(fail)
    page = raw(serve(app).url).join()
    page.change("a", "value", 0)
    assert busy.wait(10)
    for id, value in (("c", "too old"), ("b", 1), ("b", 2), ("b", 3), ("d", 4)):
        page.until("ack", n=page.change(id, "value", value))
    free.set()
    page.until_value("lamp", "children", "on")
    lit.set()
    page.until_value("o", "children", "caught broken")
    assert app.get("lamp", "children") == "off"
    assert calls.next() == 3
    assert calls.none_left


@pytest.mark.parametrize("option", ["background", "progress"])
def test_1_3_what_shared_callbacks_cannot_have(option: str) -> None:
    app = dash_devices.Dash()
    value = True if option == "background" else Output("p", "children")
    with pytest.raises(RegistrationError, match=rf"{option}=.*(lane|push_mods)"):
        app.callback_shared(Output("a", "children"), Input("b", "value"), **{option: value})(lambda value: value)
