"""Programs whose pages tell one gesture in several reports, and what drives them: for the tests, and for the soak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_extensions
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input, State

from .helpers import Calls, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEYS = "abcdefghijklmnopqrstuvwxyz"

PRESS_KEYS = """async (keys) => {
  const { port1, port2 } = new MessageChannel();
  const listener = () => {
    const { paths, layout } = dash_stores[0].getState();
    return paths.strs.keys.reduce((node, step) => node[step], layout).props;
  };
  for (const key of keys) {
    const before = listener().n_events ?? 0;
    document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    // The next key needs a drawn listener: until then it counts from the old number.
    while (listener().n_events !== before + 1) await new Promise((go) => { port1.onmessage = go; port2.postMessage(0); });
    await new Promise((go) => requestAnimationFrame(go));
  }
}"""


def command_line() -> tuple[dash_devices.Dash, Calls]:
    """An app with a debounced input; the calls are ``(n_submit, value)``."""
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="command", debounce=True, value="")])
    app.callback_shared(None, Input("command", "n_submit"), State("command", "value"))(
        lambda n, value: calls((n, value))
    )
    return app, calls


def wrong_lines(page: Page, calls: Calls, count: int) -> list[Any]:
    """Enter that many lines, without waiting for the server; the calls that did not get their own line."""
    wanted = [(n, f"OUTP {n}") for n in range(1, count + 1)]
    for _, line in wanted:
        page.fill("#command", line)
        page.press("#command", "Enter")
    return [call for call, right in zip(calls.take(count), wanted, strict=True) if call != right]


def key_listener() -> tuple[dash_devices.Dash, Calls]:
    """An app that listens to keys; the calls are ``(n_events, key)``."""
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dash_extensions.EventListener(id="keys", events=[{"event": "keydown", "props": ["key"]}])])
    app.callback_shared(None, Input("keys", "n_events"), State("keys", "event"))(
        lambda n, event: calls((n, event and event["key"]))
    )
    return app, calls


def wrong_keys(page: Page, calls: Calls, count: int) -> list[Any]:
    """Press that many keys, without waiting for the server; the calls that did not get their own key."""
    keys = [KEYS[number % len(KEYS)] for number in range(count)]
    settled(page)
    page.evaluate(PRESS_KEYS, keys)
    wanted = list(enumerate(keys, 1))
    return [call for call, right in zip(calls.take(count), wanted, strict=True) if call != right]
