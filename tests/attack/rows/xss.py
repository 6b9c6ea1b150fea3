"""What somebody writes into a shared control, on its way through every path of a page: does any of it run?"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dash_devices
from dash_devices import dcc, html, no_update
from dash_devices.dependencies import Input, Output

from ...raw import Raw
from ...soak.rows.chromium import browser_alone
from ...soak.server import ROOT
from ...soak.table import Check, Context, exactly, told
from ...support import ServerThread

if TYPE_CHECKING:
    from playwright.sync_api import Page

RAN = "a payload ran"
CAGED = f"{RAN} as null"  # in a frame of an origin of its own: it reaches nothing
LISTEN = f"window.alert = () => console.log(`{RAN} as ${{self.origin}}`)"
PATCHES = 100_000

CALLS = ("alert(1)", "top.alert(1)", "(0,eval)('alert(1)')", "import('data:text/javascript,alert(1)')")
ELEMENTS = (
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<img src=x onerror='{}'//",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    "<iframe src=javascript:{}></iframe>",
    "<object data=javascript:{}></object>",
    "<embed src=javascript:{}>",
    "<form action=javascript:{}><button>x</button></form>",
    "<button formaction=javascript:{}>x</button>",
    "<a href=javascript:{}>x</a>",
    "<details open ontoggle={}>",
    "<video><source onerror={}></video>",
    "<input autofocus onfocus={}>",
    "<body onload={}>",
    "<math><mtext><table><mglyph><style><img src=x onerror={}>",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<link rel=stylesheet href=javascript:{}>",
    "<template shadowrootmode=open><img src=x onerror={}></template>",
)
ADDRESSES = (
    "javascript:{}",
    "JaVaScRiPt:{}",
    "java\tscript:{}",
    "java\nscript:{}",
    "\x01javascript:{}",
    " javascript:{}",
    "javascript\t:{}",
    "\u2028javascript:{}",
    "javascript://%0a{}",
    "vbscript:{}",
    "data:text/html,<script>{}</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==#{}",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{}'/>",
    "blob:null/{}",
    "feed:javascript:{}",
)
STYLES = (
    "url(javascript:{})",
    "expression({})",
    'url("javascript:{}")',
    "red;}}</style><script>{}</script>",
    "red;behavior:url(javascript:{})",
    "image-set('javascript:{}' 1x)",
)
MARKDOWN = (
    "[x](javascript:{})",
    "[x](<javascript:{}>)",
    "[x](&#106;avascript:{})",
    "![x](javascript:{})",
    '![x](x"onerror="{})',
    "<javascript:{}>",
    "[x]: javascript:{}\n[x]",
    "<img src=x onerror={}>",
    "`<img src=x onerror={}>`",
    "$\\href{{javascript:{}}}{{x}}$",
)
BROKEN_OUT = (
    '"><img src=x onerror={}>',
    "'><svg onload={}>",
    "</title><script>{}</script>",
    "{{{{constructor.constructor('{}')()}}}}",
    "${{{}}}",
    "--><img src=x onerror={}>",
    "]]><svg onload={}>",
)


def payloads() -> list[str]:
    """More than 300."""
    templates = (*ELEMENTS, *ADDRESSES, *STYLES, *MARKDOWN, *BROKEN_OUT)
    plain = [template.format(call) for template, call in itertools.product(templates, CALLS)]
    return [*plain, *(f"<b>{text}</b>" for text in plain[:80])]


def make_app() -> dash_devices.Dash:
    """One control, and its value in every text, children, address and style that Dash has."""
    app = dash_devices.Dash(__name__)
    address: dict[str, Any] = {
        "link": (html.A("x", id="link"), "href"),
        "dcc-link": (dcc.Link("x", id="dcc-link", href="/"), "href"),
        "image": (html.Img(id="image"), "src"),
        "frame": (html.Iframe(id="frame"), "src"),
        "object": (html.ObjectEl(id="object"), "data"),
        "embed": (html.Embed(id="embed"), "src"),
        "form": (html.Form(html.Button("x"), id="form"), "action"),
        "button": (html.Form(html.Button("x", id="button")), "formAction"),
    }
    text = {
        "text": (html.Div(id="text"), "children"),
        "title": (html.Div(id="title"), "title"),
        "pre": (html.Pre(id="pre"), "children"),
        "area": (dcc.Textarea(id="area"), "value"),
        "field": (dcc.Input(id="field"), "value"),
        "hint": (dcc.Input(id="hint"), "placeholder"),
        "markdown": (dcc.Markdown(id="markdown", mathjax=False), "children"),
        "tab": (dcc.Tabs([dcc.Tab(id="tab")]), "label"),
    }
    parts = {**address, **text}
    app.layout = html.Div(
        [
            dcc.Input(id="control", value=""),
            *(component for component, _ in parts.values()),
            html.Div("x", id="styled"),
            dcc.Checklist(id="options"),
            dcc.Graph(id="plot"),
            html.Div(id="panel"),
            html.Div(id="number"),
        ]
    )
    app.share("panel", "children")
    outputs = [Output(id, property) for id, (_, property) in parts.items()]

    @app.callback_shared(
        *outputs,
        Output("styled", "style"),
        Output("options", "options"),
        Output("plot", "figure"),
        Output("number", "children"),
        Input("control", "value"),
    )
    def everywhere(value: Any) -> Any:
        number, _, payload = (value or "0 ").partition(" ")
        style = {"background": payload, "backgroundImage": f"url({payload})", "width": payload, "fontFamily": payload}
        title = {"text": f"<a href='{payload}'>{payload}</a>"}
        figure = {"data": [{"x": [1], "y": [1], "name": payload, "text": [payload]}], "layout": {"title": title}}
        drawn = figure if number.endswith("0") else no_update  # Plotly takes its time
        return *([payload] * len(outputs)), style, [{"label": payload, "value": 1}], drawn, number

    return app


CLICK = """() => {
  const dangerous = /^[\\s\\u0000-\\u0020]*(j[\\s]*a[\\s]*v[\\s]*a|v[\\s]*b|data)/i;
  const click = () => new MouseEvent("click", { bubbles: true, cancelable: true });
  for (const element of document.querySelectorAll("a,button,[href]")) {
    const names = [element.getAttribute("href"), element.getAttribute("formaction"), element.form?.getAttribute("action")];
    const targets = [element.href?.baseVal ?? element.href, ...names];
    if (targets.some((target) => dangerous.test(target ?? ""))) element.dispatchEvent(click());
  }
}"""


class Audience:
    """A browser's page that counts what runs in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.ran = self.caged = 0
        self.errors: list[str] = []
        page.add_init_script(LISTEN)
        page.on("console", lambda message: self._note(message.text))
        page.on("dialog", lambda dialog: (self._note(RAN), dialog.dismiss()))
        page.route(
            re.compile(r".*"), lambda route: route.continue_() if route.request.url.startswith(url) else route.abort()
        )
        page.goto(url)
        page.wait_for_function("() => window.dash_devices?.status === 'connected'")

    def _note(self, text: str) -> None:
        self.ran += RAN in text and text != CAGED
        self.caged += text == CAGED

    def shows(self, number: int) -> None:
        """Wait until it shows what this number was written with, and touch what may be touched."""
        self.page.wait_for_function("(n) => document.getElementById('number')?.textContent === n", arg=str(number))
        self.page.evaluate(CLICK)


def _written(writer: Raw, audience: Audience) -> tuple[int, list[str]]:
    """Write all payloads; how many, and which of them ran."""
    guilty, every = [], payloads()
    for number, payload in enumerate(every, 1):
        before = audience.ran
        writer.change("control", "value", f"{number} {payload}")
        writer.change("panel", "children", payload)
        audience.shows(number)
        if audience.ran > before:
            guilty.append(payload)
    return len(every), guilty


def _components(writer: Raw) -> int:
    """Components that a page writes into shared children: how many were taken."""
    taken = 0
    props: Iterator[dict[str, Any]] = iter(
        [{"children": "alert(1)"}, {"srcDoc": "<script>alert(1)</script>"}, {"src": "javascript:alert(1)"}, {}]
    )
    for kind, given in itertools.product(("Script", "Iframe", "Img", "Embed"), list(props)):
        component = {"namespace": "dash_html_components", "type": kind, "props": given}
        for value in (component, [component], {"children": [component]}):
            n = writer.change("panel", "children", value)
            while (answer := writer.receive())["type"] not in ("ack", "nack") or answer["n"] != n:
                pass
            taken += answer["type"] == "ack"
    return taken


PROTOTYPES = """() => JSON.stringify([Object, Array, Function, String].map(({ prototype }) =>
  Object.entries(Object.getOwnPropertyDescriptors(prototype)).map(([name, { value }]) => [name, typeof value])))"""


def _pollute(app: dash_devices.Dash, writer: Raw) -> None:
    """Names of prototypes as ids, properties, keys and places of patches: from the server, for a page may not."""
    names = ("__proto__", "constructor", "prototype")
    for id, property, key in itertools.product(
        (*names, "text", "plot", "styled"), (*names, "children", "figure", "style"), names
    ):
        app.push_mods([{"id": id, "property": property, "value": {key: {"polluted": 1}}}])
        operation = {"operation": "Assign", "location": [key, "polluted"], "params": {"value": 1}}
        patch = {"__dash_patch_update": "__dash_patch_update", "operations": [operation]}
        with contextlib.suppress(TypeError):  # the server's own copy has no place for it
            app.push_mods([{"id": id, "property": property, "value": patch}], components=True)
        app.push_mods([{"id": id, "property": property, "value": patch}], client=writer.welcome["tab"], components=True)


def _patches(count: int) -> Check:
    npx = shutil.which("npx")
    if npx is None:
        return told("hostile patches in node", "not tried: no npx")
    done = subprocess.run(
        [npx, "--no-install", "vitest", "run", "test/hostile.test.ts", "--testTimeout=600000"],
        cwd=ROOT / "renderer",
        env={**os.environ, "HOSTILE": str(count)},
        capture_output=True,
        text=True,
        check=False,
    )
    detail = "unchanged" if done.returncode == 0 else done.stdout[-300:]
    return Check(f"prototypes in node after {count:,} hostile patches", "unchanged", detail, done.returncode == 0)


def xss(context: Context) -> list[Check]:
    """More than 300 payloads through every text, children, address and style in Chromium; hostile patches there and in node."""
    app = make_app()
    with ServerThread(app) as server, browser_alone() as browser, Raw(server.url) as writer:
        writer.join()
        audience = Audience(browser.new_page(), server.url)
        count, guilty = _written(writer, audience)
        taken = _components(writer)
        before = audience.page.evaluate(PROTOTYPES)
        _pollute(app, writer)
        app.push_mods({"number": {"children": "polluted"}})
        audience.page.wait_for_function("() => document.getElementById('number')?.textContent === 'polluted'")
        after = audience.page.evaluate(PROTOTYPES)
        polluted = audience.page.evaluate("() => ({}).polluted")
    return [
        exactly(f"of {count} payloads ran with the rights of the page", len(guilty), detail="; ".join(guilty[:3])),
        told("ran in a frame without any (data: in an Iframe that the author points there)", str(audience.caged)),
        exactly("components of a page that were taken", taken),
        Check(
            "prototypes in Chromium",
            "unchanged",
            "unchanged" if before == after else "changed",
            before == after and polluted is None,
        ),
        _patches(round(PATCHES * min(1.0, context.scale))),
    ]
