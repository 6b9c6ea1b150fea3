"""Who sees what: users, properties and operations, each with a canary of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import dash_devices
from dash_devices import Patch, callback_context, dcc, html
from dash_devices.clients import Client
from dash_devices.dependencies import Input, Output

from ...raw import Raw, wire_id
from ...semantics.helpers import ask_regular
from ...soak.table import Check, Context, exactly
from ...support import ServerThread

USERS = ("ada", "bob", "eve")
KINDS = ("given", "pushed", "computed", "watched", "nested", "plot", "pattern", "file", "regular")
Operation = Callable[["Stage", str], None]


def canary(user: str, kind: str) -> str:
    """What only this user may see."""
    return f"canary:{user}:{kind}"


def is_user(user: str) -> Callable[[Client], bool]:
    """Stands for a login: the browser says who it is."""
    return lambda client: client.user_agent == user


def pattern(user: str) -> dict[str, Any]:
    """The id of the control that a pattern protects."""
    return {"type": f"of {user}", "index": 0}


def _parts(user: str) -> list[Any]:
    text = canary(user, "given")
    return [
        html.Div(id=f"{user}-given", children=text),
        html.Div(id=f"{user}-pushed"),
        html.Div(id=f"{user}-computed"),
        dcc.Input(id=f"{user}-watched", value=""),
        html.Div(id=f"{user}-nested", children=[dcc.Input(id=f"{user}-inside", value=text)]),
        html.Div(id=f"{user}-open"),
        dcc.Graph(id=f"{user}-plot", figure={"data": [{"x": [text], "y": [1]}], "layout": {}}),
        dcc.Input(id=pattern(user), value=text),
        dcc.Download(id=f"{user}-file"),
        html.Div(id=f"{user}-regular"),
        html.Button(id=f"{user}-ask"),
    ]


def make_app() -> dash_devices.Dash:
    """An app in which everybody has properties that nobody else may read."""
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([*itertools.chain(*map(_parts, USERS)), dcc.Input(id="go", value=""), html.Div(id="end")])
    for user in USERS:
        _protect(app, user)
        _listen(app, user)
    layout = app.layout
    app.layout = lambda: layout  # so that the index holds it, too
    return app


def _protect(app: dash_devices.Dash, user: str) -> None:
    mine = is_user(user)
    for name in ("given.children", "pushed.children", "watched.value", "nested.children", "plot.figure", "file.data"):
        app.protect(f"{user}-{name}", read=mine)
    app.protect(f"{user}-regular.children", read=mine)
    app.protect(Input(pattern(user), "value"), read=mine, change=mine)
    app.protect(f"{user}-code.value", read=mine)
    for id in (f"{user}-watched", f"{user}-inside", pattern(user)):
        app.share(id, "value")


def _listen(app: dash_devices.Dash, user: str) -> None:
    @app.callback_shared(Output(f"{user}-computed", "children"), Input("go", "value"), read=is_user(user))
    def computed(value: Any) -> Any:
        if value == "fail":
            raise ValueError(canary(user, "error"))
        return f"{canary(user, 'computed')} {value}"

    @app.callback(
        Output(f"{user}-regular", "children"), Output(f"{user}-open", "title"), Input(f"{user}-ask", "n_clicks")
    )
    async def regular(count: Any) -> Any:
        held = await callback_context.websocket.get_prop(f"{user}-given", "children")
        return dcc.Input(id=f"{user}-code", value=canary(user, "regular")), str(held is not None)


class Answering(Raw):
    """A page that answers what it is asked, with what it was never given."""

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message that is no question."""
        while (message := super().receive(timeout))["type"] == "ask":
            values = dict.fromkeys(message["properties"], "made up")
            self.send({"type": "answer", "ref": message["ref"], "values": values})
        return message


class Stage:
    """The app, and a page of each user."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.app = make_app()
        self.server = stack.enter_context(
            ServerThread(self.app, debug=True, dev_tools_hot_reload=False, dev_tools_disable_version_check=True)
        )
        self._stack = stack
        self.pages = {user: self.open(user).join() for user in USERS}
        self.http: Counter[str] = Counter()
        self.received: dict[str, list[str]] = {user: [] for user in USERS}
        self._ends = itertools.count()

    def open(self, user: str) -> Raw:
        """A line of a user."""
        return self._stack.enter_context(Answering(self.server.url, headers={"User-Agent": user}))

    def get(self, user: str, path: str) -> None:
        """Something over HTTP."""
        with urlopen(Request(self.server.url + path, headers={"User-Agent": user})) as response:
            self.received[user].append(response.read().decode())

    def settle(self) -> None:
        """Until every page has been sent all that there was before now."""
        end = f"end {next(self._ends)}"
        self.app.push_mods({"end": {"children": end}})
        for user, page in self.pages.items():
            page.until_value("end", "children", end)
            self.received[user].append(json.dumps(page.seen))
            page.seen.clear()


# ---- operations: each by or about one user, while all the others listen --------------------------------------------------
def layouts(stage: Stage, user: str) -> None:
    """The layout once more, over the socket and over HTTP, and the index."""
    stage.pages[user].layout()
    for path in ("/_dash-layout", "/"):
        stage.get(user, path)


def pushes(stage: Stage, user: str) -> None:
    """Values, children with controls in them, patches of those, points, events."""
    app, text = stage.app, lambda kind: canary(user, kind)
    app.push_mods({f"{user}-pushed": {"children": text("pushed"), "title": "open"}})
    app.push_mods({f"{user}-watched": {"value": text("watched")}})
    app.push_mods({f"{user}-nested": {"children": [dcc.Input(id=f"{user}-inside", value=text("nested"))]}})
    app.push_mods({f"{user}-inside": {"value": text("nested") + " again"}})
    app.push_mods({f"{user}-open": {"children": [html.Div(dcc.Input(id=f"{user}-code", value=text("nested")))]}})
    grown = Patch()
    grown.append(dcc.Input(id=f"{user}-code", value=text("nested")))
    app.push_mods({f"{user}-open": {"children": grown}})
    app.push_mods({f"{user}-plot": {"extendData": {"x": [[text("plot")]], "y": [[2]]}}})
    app.push_mods([Output(pattern(user), "value", text("pattern"))])
    app.push_mods({f"{user}-file": {"data": {"content": text("file"), "filename": "x"}}})


def changes(stage: Stage, user: str) -> None:
    """Of one's own, of what is another's, and of what starts a callback; whole refusals, too."""
    page = stage.pages[user]
    page.change(f"{user}-watched", "value", canary(user, "watched"))
    page.change(pattern(user), "value", canary(user, "pattern"))
    page.change("go", "value", f"by {user}")
    for other in USERS:
        if other != user:
            page.changes([(f"{other}-watched", "value", {"__dash_patch_update": 1})])
            page.change(pattern(other), "value", "stolen")
            page.change(f"{other}-inside", "value", "stolen")
            page.changes([(f"{other}-watched", "value", "x" * 300_000)])


def errors(stage: Stage, user: str) -> None:
    """A callback fails in debug mode."""
    stage.pages[user].change("go", "value", "fail")


def mounts(stage: Stage, user: str) -> None:
    """A page says that it shows what is another's."""
    ids: list[Any] = [f"{other}-{name}" for other in USERS for name in ("watched", "inside", "code")]
    ids += [pattern(other) for other in USERS]
    stage.pages[user].send({"type": "mount", "values": [[wire_id(id), "value", None] for id in ids]})


def results(stage: Stage, user: str) -> None:
    """Regular callbacks of all, asked for by one; over HTTP, too. The first asks the page for a value."""
    for other in USERS:
        ask_regular(
            stage.pages[user], f"..{other}-regular.children...{other}-open.title..", [(f"{other}-ask", "n_clicks", 1)]
        )


def resumes(stage: Stage, user: str) -> None:
    """The line breaks, things happen, the page comes back: to where it was, or to an epoch that nobody knows."""
    old = stage.pages[user]
    old.drop()
    pushes(stage, user)
    for other in USERS:
        stage.app.push_mods({f"{other}-pushed": {"children": f"{canary(other, 'pushed')} meanwhile"}})
    back = stage.open(user)
    stage.received[user].append(json.dumps(back.resume(old)))
    stage.pages[user] = back
    stage.settle()
    back.drop()
    fresh = stage.open(user)
    fresh.hello(epoch="forgotten", seq=1)
    stage.pages[user] = fresh


OPERATIONS: tuple[Operation, ...] = (layouts, pushes, changes, errors, mounts, results, resumes)


def _foreign(user: str, texts: list[str]) -> Iterator[str]:
    for other, kind in itertools.product(USERS, (*KINDS, "error")):
        if other != user and any(canary(other, kind) in text for text in texts):
            yield f"{user} saw {canary(other, kind)}"


def leaks(context: Context) -> list[Check]:
    """Users x properties x operations, a canary for each user: what anybody was sent that is another's."""
    found: list[str] = []
    own: set[tuple[str, str]] = set()
    tried = 0
    logging.disable(logging.ERROR)  # the callbacks that fail are meant to
    with contextlib.ExitStack() as stack:
        stack.callback(logging.disable, logging.NOTSET)
        stage = Stage(stack)
        for operation, user in itertools.product(OPERATIONS, USERS):
            operation(stage, user)
            stage.settle()
            for reader in USERS:
                tried += len(KINDS) * (len(USERS) - 1)
                found += [
                    f"{operation.__name__} by {user}: {leak}" for leak in _foreign(reader, stage.received[reader])
                ]
                own |= {
                    (reader, kind) for kind in KINDS if any(canary(reader, kind) in t for t in stage.received[reader])
                }
                stage.received[reader].clear()
    missing = [f"{user} {kind}" for user, kind in itertools.product(USERS, KINDS) if (user, kind) not in own]
    return [
        exactly(
            "values of others that a page was sent", len(found), detail="; ".join(found[:5]) or f"{tried} looked at"
        ),
        exactly("values of one's own that never came", len(missing), detail=", ".join(missing[:5])),
    ]
