"""Section 6.5: a Patch of children carries what its operations name; every other component inside stays as it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch
from dash_devices.calls import SERVER
from dash_devices.dependencies import ALL, Input, Output, State

from ..support import TIMEOUT, wait_for
from .helpers import Calls, ask_regular, props_of, shows
from .rights import CANARY, is_admin, make_app as make_secret_app, said
from .tools import make_app, push_and_wait, told

Given = Callable[..., Any]
GAIN = {"type": "gain", "n": 0}


def appended(*rows: Any) -> Patch:
    patch = Patch()
    patch.extend(list(rows)) if len(rows) > 1 else patch.append(rows[0])
    return patch


def children() -> list[Any]:
    controls = [dcc.Input(id="gain", type="number", value=1), dcc.Input(id=GAIN, value=1)]
    return [*controls, html.Span("-", id="reading"), html.Span(id="said")]


def panel_app(calls: Calls, **options: Any) -> dash_devices.Dash:
    """The gain is set by a callback of its own; the reading is pushed; ``said`` is an output."""
    app = make_app(html.Div(children(), id="panel"), html.Button(id="add"), **options)
    app.callback_shared(Output("said", "children"), Input("gain", "value"), Input({"type": "gain", "n": ALL}, "value"))(
        lambda *values: calls(values) or f"{values}"
    )

    @app.callback_shared(Output("panel", "children"), Input("add", "n_clicks"), prevent_initial_call=True)
    def add(n: int) -> Patch:
        return appended(html.P(f"line {n}"))

    return app


def inner(app: dash_devices.Dash) -> list[Any]:
    """What the server has of the components in the panel."""
    return [
        app.get("gain", "value"),
        app.get(GAIN, "value"),
        app.get("reading", "children"),
        app.get("said", "children"),
    ]


@pytest.mark.fault("F2")
@pytest.mark.parametrize("how", ["push", "output"])
def test_6_5_what_a_patch_does_not_name_stays(serve: Given, raw: Given, how: str) -> None:
    calls = Calls()
    app = panel_app(calls, leave_after=60)
    url = serve(app).url
    assert calls.next() == (1, [1])
    page, behind = raw(url).join(), raw(url).join()
    behind.drop()
    push_and_wait(app, {"panel": {"children": children()}})  # so that it needs the whole value
    for id, n in (("gain", 5), (GAIN, 6)):
        page.until("ack", n=page.change(id, "value", n))
    assert calls.take(2) == [(5, [1]), (5, [6])]
    push_and_wait(app, {"reading": {"children": "42 V"}})
    expected = [5, 6, "42 V", "(5, [6])"]
    assert inner(app) == expected
    told(app, page)
    for n in (1, 2):
        page.seen.clear()
        push_and_wait(
            app, {"add": {"n_clicks": n}} if how == "output" else {"panel": {"children": appended(html.P(f"{n}"))}}
        )
        assert inner(app) == expected
        mods = [mod for mod in told(app, page) if mod[0] != "add"]
        assert [f"{id}.{name}" for id, name, _ in mods] == ["panel.children"], "the others keep their seqs"
        assert [op["operation"] for op in mods[0][2]["operations"]] == ["Append"]
    assert calls.none_left, "the device was set back"
    late, back = raw(url), raw(url)
    late.hello()
    back.resume(behind)
    mods = back.until("mods")["mods"]
    whole = next(value for id, _, value in mods if id == "panel")
    for tree in (late.layout(), whole, app.get("panel", "children")):
        shown = [props_of(tree, id) for id in ("gain", GAIN, "reading", "said")]
        assert [shown[0]["value"], shown[1]["value"], shown[2]["children"], shown[3]["children"]] == expected


@pytest.mark.fault("F2")
def test_6_5_what_a_patch_names_comes_new(serve: Given, raw: Given) -> None:
    """Its values are newer; what it does not give, or gives as the null of html components, stays and comes behind."""
    calls = Calls()
    app = panel_app(calls)
    page = raw(serve(app).url).join()
    push_and_wait(app, {"gain": {"value": 5}, "reading": {"children": "42 V", "title": "volts"}})
    told(app, page)
    page.seen.clear()
    patch = Patch()
    patch[0] = dcc.Input(id="gain", value=7)
    patch[2] = html.Span(id="reading", title="new")
    push_and_wait(app, {"panel": {"children": patch}})
    assert inner(app) == [7, 1, "42 V", "(7, [1])"]
    assert app.get("reading", "title") == "new"
    mods = [f"{id}.{name}" for id, name, _ in told(app, page)]
    assert mods[:4] == ["panel.children", "gain.value", "reading.title", "reading.children"]
    assert calls.take(3)[2] == (7, [1])


@pytest.mark.fault("F2")
def test_6_5_a_patch_that_leads_into_a_component_changes_it(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = panel_app(calls)
    url = serve(app).url
    page = raw(url).join()
    push_and_wait(app, {"gain": {"value": 5}})
    patch = Patch()
    patch[0]["props"]["value"] += 1
    patch[2]["props"]["children"] = "by patch"
    push_and_wait(app, {"panel": {"children": patch}})
    assert inner(app) == [6, 1, "by patch", "(6, [1])"]
    assert calls.take(3)[2] == (6, [1]), "those that listen run"
    assert ["gain", "value", 6] in told(app, page)
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert [props_of(layout, "gain")["value"], props_of(layout, "reading")["children"]] == [6, "by patch"]


@pytest.mark.fault("F2")
def test_6_5_any_property_that_holds_components(serve: Given, raw: Given) -> None:
    app = make_app(dcc.Checklist([{"label": html.Span("one", id="label"), "value": 1}], id="list"))
    url = serve(app).url
    page = raw(url).join()
    app.push_mods({"label": {"children": "new"}})
    app.push_mods({"list": {"options": appended({"label": html.Span("two", id="second"), "value": 2})}})
    mods = [mod for mod in told(app, page) if mod[0] == "label"]
    assert mods == [["label", "children", "new"]]
    assert props_of(app.get("list", "options"), "label")["children"] == "new"


@pytest.mark.fault("F2")
def test_6_5_before_the_server_runs(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = panel_app(calls)
    app.push_mods({"gain": {"value": 5}, "reading": {"children": "42 V"}})
    app.push_mods({"panel": {"children": appended(html.P(id="line"))}})
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert [props_of(layout, "gain")["value"], props_of(layout, "reading")["children"]] == [5, "42 V"]
    assert calls.next() == (5, [1])


@pytest.mark.fault("F2")
def test_6_5_the_children_that_a_callback_reads_are_filled(serve: Given, raw: Given) -> None:
    """Dash's idiom of taking the children and adding to them sets nothing back, also where no page caused it."""
    calls = Calls()
    app = panel_app(calls)
    app.callback_shared(
        Output("panel", "children", allow_duplicate=True),
        Input("add", "n_blur"),
        State("panel", "children"),
        prevent_initial_call=True,
    )(lambda n, children: [*children, html.P("line")])
    serve(app)
    push_and_wait(app, {"gain": {"value": 5}, "reading": {"children": "42 V"}})
    push_and_wait(app, {"add": {"n_blur": 1}})
    assert inner(app) == [5, 1, "42 V", "(5, [1])"]
    assert calls.take(2) == [(1, [1]), (5, [1])]
    assert calls.none_left


def on_the_loop(app: dash_devices.Dash, *mods: Any) -> None:
    """Push all of this before anything is sent."""

    async def push() -> None:
        for one in mods:
            app.push_mods(one)

    asyncio.run_coroutine_threadsafe(push(), app._hub.loop).result(TIMEOUT)  # type: ignore[arg-type]


@pytest.mark.fault("F2")
def test_6_5_values_come_behind_the_patches_that_bring_their_components(serve: Given, raw: Given) -> None:
    app = make_app(html.Div([], id="log"))
    page = raw(serve(app).url).join()
    row = html.P("old", id="row")
    on_the_loop(
        app,
        {"log": {"children": appended(row)}},
        {"row": {"title": "first"}},
        {"row": {"title": "second"}},
        {"log": {"children": appended(html.P("other"))}},
    )
    mods = told(app, page)
    assert [(id, name) for id, name, _ in mods] == [("log", "children"), ("row", "title")]
    assert mods[1][2] == "second"


@pytest.mark.fault("F2")
def test_6_5_a_whole_value_has_the_patches_of_what_is_inside_in_it(serve: Given, raw: Given) -> None:
    app = make_app(html.Div([html.Div([], id="box")], id="panel"))
    page = raw(serve(app).url).join()
    on_the_loop(
        app,
        {"box": {"children": appended(html.P("one"))}},
        {"panel": {"children": [html.Div(id="box")]}},
        {"box": {"children": appended(html.P("two"))}},
    )
    box: Any = None
    for id, _, value in told(app, page):
        if id == "box":
            box = value
    assert [row["props"]["children"] for row in box] == ["one", "two"], "and not one of them twice"


def test_6_5_a_page_gets_its_own_change_again_behind_children_that_hold_an_older_value(
    serve: Given, raw: Given
) -> None:
    calls = Calls()
    app = panel_app(calls)
    page = raw(serve(app).url).join()
    with app._engine.lock:  # nothing is sent in between
        app.push_mods({"panel": {"children": children()}})
        app._engine.store([app._engine.item(("gain", "value"), 4)], SERVER, origin=page.page)
    assert [mod[2] for mod in told(app, page) if mod[0] == "gain"] == [4]


@pytest.mark.fault("F2")
def test_6_5_children_of_a_component_that_only_pages_show(serve: Given, raw: Given) -> None:
    """It goes with the page that showed it last, and what is inside with it; the values do not."""
    app = make_app(html.Button(id="go"), html.Div(id="own"), leave_after=0)
    app.share({"n": ALL}, "value")
    app.callback(Output("own", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: html.Div(id="panel")
    )
    url = serve(app).url
    first = raw(url).join()
    ask_regular(first, "own.children", [("go", "n_clicks", 1)])
    app.push_mods({"panel": {"children": [dcc.Input(id={"n": 1}, value=1), html.P("-", id="reading")]}})
    first.close()
    wait_for(lambda: not app.clients, "the page to leave")
    page, behind = raw(url).join(), raw(url).join()
    ask_regular(page, "own.children", [("go", "n_clicks", 1)])
    page.until("ack", n=page.change({"n": 1}, "value", 5))
    app.push_mods({"reading": {"children": "42 V"}})
    app.push_mods({"panel": {"children": appended(dcc.Input(id={"n": 2}, value=2))}})
    page.until("ack", n=page.change({"n": 1}, "value", 6))
    assert [app.get({"n": n}, "value") for n in (1, 2)] == [6, 2]
    shown = app.get("panel", "children")
    assert [props_of(shown, {"n": 1})["value"], props_of(shown, "reading")["children"]] == [6, "42 V"]
    told(app, behind)
    back = raw(url)
    back.hello(tab=behind.welcome["tab"], token=behind.welcome["token"], page=behind.page, epoch="another", seq=0)
    told(app, back)
    whole = next(mod[2] for message in back.seen for mod in message.get("mods", []) if mod[0] == "panel")
    assert [props_of(whole, {"n": 1})["value"], props_of(whole, "reading")["children"]] == [5, "42 V"], (
        "as of the Patch"
    )


@pytest.mark.fault("F2")
def test_6_5_remove_takes_the_same_places_from_every_page(serve: Given, raw: Given) -> None:
    """In a page, somebody may have typed into a component, so that it is not the one that is to be removed any more."""
    app = make_app(html.Div([html.P("a"), html.P("b"), html.P("a")], id="log"))
    page = raw(serve(app).url).join()
    patch = Patch()
    patch.remove(html.P("a"))
    app.push_mods({"log": {"children": patch}})
    ((_, _, sent),) = told(app, page)
    assert [(op["operation"], op["location"]) for op in sent["operations"]] == [("Delete", [2]), ("Delete", [0])]
    assert [row["props"]["children"] for row in app.get("log", "children")] == ["b"]
    app.push_mods({"log": {"children": patch}})
    assert [row["props"]["children"] for row in app.get("log", "children")] == ["b"], "nothing left to remove"
    assert told(app, page)[-1][2]["operations"] == []


@pytest.mark.fault("F2")
def test_6_5_what_a_client_may_not_read_is_not_filled_in(serve: Given, people: Given) -> None:
    app = make_secret_app()
    app.protect(Output("secret", "children"), read=is_admin)
    admin, guest = people(serve(app).url)
    app.push_mods({"panel": {"children": [html.Div(id="secret")]}})
    app.push_mods({"secret": {"children": CANARY, "title": "shown"}})
    app.push_mods({"panel": {"children": appended(html.P("line"))}})
    for page in (admin, guest):
        told(app, page)
    assert CANARY in said(admin)
    assert CANARY not in said(guest)
    assert "shown" in said(guest)
    assert CANARY in str(app.get("panel", "children"))


@pytest.mark.browser
@pytest.mark.fault("F2")
def test_6_5_random_patches_in_two_tabs(serve: Given, tab: Given) -> None:
    """Two tabs with controls among the rows, which somebody moves between the patches."""
    chance, shown = random.Random(6), [f"row{n}" for n in range(3)]
    app = make_app(html.Div([*(row(id) for id in shown)], id="log"), html.Div(id="mark"))
    app.share({"in": ALL}, "value")
    url = serve(app).url
    tabs = [tab(url), tab(url)]
    values = dict.fromkeys(shown, "new")
    for n in range(10):
        moved = chance.choice(shown)
        values[moved] = f"moved {n}"
        one = chance.choice(tabs)
        one.locator(f"#{moved} input").fill(values[moved])
        wait_for(lambda moved=moved: app.get({"in": moved}, "value") == values[moved], "the change")
        app.push_mods({moved: {"title": f"title {n}"}})
        app.push_mods(
            {"log": {"children": random_patch(chance, shown, values, f"row{n + 3}")}, "mark": {"children": n}}
        )
        for page in tabs:
            shows(page, "mark", str(n))
            found = page.evaluate(
                "[...document.querySelectorAll('#log > div')].map((r) => [r.id, r.querySelector('input').value])"
            )
            assert found == [[id, values[id]] for id in shown], f"after patch {n}"
    late = tab(url)
    for id in shown:
        late.wait_for_function(
            "([id, value]) => document.querySelector(`#${id} input`).value === value", arg=[id, values[id]]
        )


def row(id: str) -> html.Div:
    return html.Div([dcc.Input(id={"in": id}, value="new")], id=id)


def random_patch(chance: random.Random, shown: list[str], values: dict[str, str], new: str) -> Patch:
    """A Patch, and what it does to the rows that are shown and to their values."""
    patch, place = Patch(), chance.randrange(len(shown))
    kind = chance.choice(["append", "prepend", "insert", "del", "assign", "reverse"])
    if kind in ("append", "prepend", "insert"):
        at = {"append": len(shown), "prepend": 0, "insert": place}[kind]
        patch.insert(at, row(new)) if kind == "insert" else getattr(patch, kind)(row(new))
        shown.insert(at, new)
        values[new] = "new"
    elif kind == "del" and len(shown) > 2:
        del patch[place]
        del shown[place]
    elif kind == "assign":
        patch[place] = row(shown[place])
        values[shown[place]] = "new"
    else:
        patch.reverse()
        shown.reverse()
    return patch
