"""Section 4, a change made in a page: one gesture that a component tells in several reports is one change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import ctx, dcc, html
from dash_devices.dependencies import ALL, Input, Output, State

from .gestures import command_line, key_listener, wrong_keys, wrong_lines
from .helpers import Calls, recorder, said, shows

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F1")


@pytest.mark.parametrize(("property", "key"), [("n_submit", "Enter"), ("n_blur", "Tab")])
@pytest.mark.parametrize(("type", "values"), [("text", ["OUTP ON", "OUTP OFF", "*IDN?"]), ("number", [3, 7, 5])])
def test_2_3_state_is_what_was_entered_with_the_gesture(
    property: str, key: str, type: str, values: list[Any], serve: Given, tab: Given
) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="command", debounce=True, type=type, value=values[0]), dcc.Input(id="next")])
    app.callback_shared(None, Input("command", property), State("command", "value"), State("command", "id"))(
        lambda n, value, id: calls((n, value, id))
    )
    page = tab(serve(app).url)
    for n in (1, 2):
        page.fill("#command", str(values[n]))
        page.press("#command", key)
        assert calls.next() == (n, values[n], "command")
    page.press("#command", key)  # nothing was typed
    assert calls.next() == (3, values[2], "command")
    assert calls.none_left


def test_4_3_the_answer_to_what_was_entered_is_in_every_page(serve: Given, tab: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="command", debounce=True, value="OUTP ON"), html.Div(id="answer")])
    app.callback_shared(Output("answer", "children"), [Input("command", "n_submit")], [State("command", "value")])(
        lambda n, value: f"{n}: {value}"
    )
    url = serve(app).url
    first, second = tab(url), tab(url)
    first.fill("#command", "OUTP OFF")
    first.press("#command", "Enter")
    for page in (first, second):
        shows(page, "answer", "1: OUTP OFF")


def test_4_1_both_inputs_of_one_gesture_are_one_call(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="command", debounce=True, value="OUTP ON")])

    @app.callback_shared(None, Input("command", "n_submit"), Input("command", "value"))
    def entered(n: int, value: str) -> None:
        calls((n, value, sorted(entry["prop_id"] for entry in ctx.triggered)))

    page = gated_tab(serve(app).url)
    both = ["command.n_submit", "command.value"]
    for n, line in enumerate(["OUTP OFF", "OUTP ON", "*IDN?"], 1):
        page.fill("#command", line)
        page.press("#command", "Enter")
        assert calls.next() == (n, line, both)
    page.press("#command", "Enter")
    assert calls.next() == (4, "*IDN?", ["command.n_submit"])
    assert calls.none_left
    assert [len(change["values"]) for change in said(page, "change")] == [2, 2, 2, 1]


def test_2_3_the_chain_of_a_gesture_gets_what_was_entered(serve: Given, tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="command", debounce=True, value="OUTP ON"), html.Div(id="step")])
    app.callback_shared(Output("step", "children"), Input("command", "n_submit"), prevent_initial_call=True)(
        lambda n: f"step {n}"
    )
    app.callback_shared(None, Input("step", "children"), State("command", "value"))(
        lambda step, value: calls((step, value))
    )
    page = tab(serve(app).url)
    page.fill("#command", "OUTP OFF")
    page.press("#command", "Enter")
    assert calls.next() == ("step 1", "OUTP OFF")


def test_2_4_gestures_of_components_with_dict_ids(serve: Given, tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    ids = [{"type": "command", "index": n} for n in range(2)]
    app.layout = html.Div(
        [html.Div(dcc.Input(id=id, debounce=True, value="old"), id=f"box{id['index']}") for id in ids]
    )
    app.callback_shared(
        None,
        Input({"type": "command", "index": ALL}, "n_submit"),
        State({"type": "command", "index": ALL}, "value"),
    )(lambda n, values: calls((ctx.triggered_id["index"], values)))
    page = tab(serve(app).url)
    for index, values in ((1, ["old", "new 1"]), (0, ["new 0", "new 1"])):
        page.fill(f"#box{index} input", f"new {index}")
        page.press(f"#box{index} input", "Enter")
        assert calls.next() == (index, values)


SET_TWO = """() => {
  dash_clientside.set_props('a', { value: 'new' });
  dash_clientside.set_props('s', { value: 'set after it, in the same task' });
}"""


def test_2_3_state_is_read_at_the_end_of_the_task(serve: Given, tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a"), dcc.Input(id="s", value="before")])
    app.callback_shared(None, Input("a", "value"), State("s", "value"))(lambda value, state: calls((value, state)))
    page = tab(serve(app).url)
    page.evaluate(SET_TWO)
    assert calls.next() == ("new", "set after it, in the same task")
    assert calls.none_left


def test_5_2_a_property_that_is_set_twice_in_a_task_is_two_changes(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a"), dcc.Input(id="s", value="before")])
    app.callback_shared(None, Input("a", "value"), State("s", "value"))(lambda value, state: calls((value, state)))
    page = gated_tab(serve(app).url)
    page.evaluate("() => ['one', 'two', 'one'].forEach((value) => dash_clientside.set_props('a', { value }))")
    assert calls.take(3) == [("one", "before"), ("two", "before"), ("one", "before")]
    assert app.get("a", "value") == "one"
    assert [change["n"] for change in said(page, "change")] == [1, 2, 3]


SET_LARGE = """(size) => {
  for (const property of ['value', 'placeholder', 'title'])
    dash_clientside.set_props('a', { [property]: property[0].repeat(size) });
}"""


def test_4_1_what_is_too_large_for_one_change_is_more_than_one(serve: Given, tab: Given) -> None:
    app, calls, size = dash_devices.Dash(), Calls(), 150_000
    app.layout = html.Div([dcc.Input(id="a")])
    for property in ("value", "placeholder", "title"):
        app.callback_shared(None, Input("a", property))(recorder(calls))
    page = tab(serve(app).url)
    page.evaluate(SET_LARGE, size)
    assert {value[0] for value in calls.take(3)} == {"v", "p", "t"}
    assert app.metrics.get("changes_refused", 0) == 0


def test_2_3_every_line_of_a_form_gets_its_own_text(serve: Given, tab: Given) -> None:
    app, calls = command_line()
    assert wrong_lines(tab(serve(app).url), calls, 25) == []


def test_2_3_every_key_comes_with_its_own_event(serve: Given, tab: Given) -> None:
    app, calls = key_listener()
    assert wrong_keys(tab(serve(app).url), calls, 50) == []
