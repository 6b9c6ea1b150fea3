"""The page: what stands where. Pure layout, no behaviour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dash.dash_table.DataTable import DataTable
from dash.development.base_component import Component

from .. import dcc, html
from .charts import Chart
from .tiles import Tile

RATE = 5
"""Readings per second at the start."""
WINDOWS = {30: "30 s", 60: "1 min", 300: "5 min"}
"""How far a page may look back, in seconds."""
SNIPPET = """\
@app.callback_shared(Output("rate-text", "children"), [Input("rate", "value")])
def set_rate(hertz):    # at the server, once, in order, whoever moved the slider
    sampler.set_rate(hertz)
    return f"{hertz} readings a second"

def take():             # the hardware thread
    app.push_mods({"tile-processor": {"children": machine.read().processor}})
"""


def page(tiles: Iterable[Tile], charts: Iterable[Chart], cores: int, facts: dict[str, str]) -> Component:
    """The whole layout for a machine with these tiles and charts, this many cores and these facts about it."""
    return html.Div(
        [
            header(facts),
            html.Main([numbers(tiles), controls(), strips(charts, cores), tabs(facts)]),
            footer(),
            *(dcc.Store(id=id) for id in ("newest", "beat")),
            dcc.Download(id="download"),
        ],
        className="page",
    )


def header(facts: dict[str, str]) -> Component:
    """Which machine this is, and who looks at it."""
    about = " · ".join(facts[name] for name in ("System", "Processor", "Memory"))
    return html.Header(
        [
            html.Div([html.H1(facts["Host"]), html.P(about, className="about")]),
            html.Div(
                [
                    html.P([html.Span("0", id="people-count"), " here now"], className="caption"),
                    html.Ul(id="people", className="people", **_named("Who is here")),
                ],
                className="company",
            ),
        ]
    )


def _named(name: str) -> dict[str, Any]:
    """The name that a screen reader says."""
    return {"aria-label": name}


def numbers(tiles: Iterable[Tile]) -> Component:
    """The numbers."""
    return html.Section([_tile(tile) for tile in tiles], className="tiles", **_named("Numbers"))


def _tile(tile: Tile) -> Component:
    return html.Div(
        [
            html.H2(tile.name),
            html.P("–", id=f"tile-{tile.id}", className="number"),
            html.P(tile.hint, className="hint"),
        ],
        className="tile",
    )


def controls() -> Component:
    """What can be moved: above for everybody, below for this tab alone."""
    return html.Aside([_shared(), _private()], className="controls")


def _shared() -> Component:
    return html.Section(
        [
            _title("For everybody", "Move one, and it moves in every open tab."),
            html.Label("Sample rate", htmlFor="rate", className="label"),
            dcc.Slider(
                id="rate",
                min=1,
                max=20,
                step=1,
                value=RATE,
                marks={i: str(i) for i in (1, 5, 10, 15, 20)},
                updatemode="drag",
                allow_direct_input=False,
            ),
            html.P(id="rate-text", className="hint", role="status"),
            html.Label("A note on the wall", htmlFor="note", className="label"),
            dcc.Textarea(id="note", value="", placeholder="Write something. Everybody sees it.", className="note"),
            html.P("nobody wrote yet", id="note-by", className="hint"),
            html.Button("Make it sweat", id="sweat", className="button"),
            html.P("Keeps one core busy for two seconds. A button without an output.", className="hint"),
        ],
        className="panel shared",
    )


def _private() -> Component:
    return html.Section(
        [
            _title("Only in this tab", "Nobody else sees these move."),
            html.Span("Look back", className="label", id="window-label"),
            dcc.RadioItems(
                id="window",
                options=[{"value": seconds, "label": text} for seconds, text in WINDOWS.items()],
                value=60,
                className="segments",
            ),
            html.Span("Appearance", className="label"),
            dcc.RadioItems(
                id="theme",
                options=[{"value": name, "label": name.capitalize()} for name in ("auto", "light", "dark")],
                value="auto",
                className="segments",
                persistence=True,
            ),
            html.Label("Your name", htmlFor="name", className="label"),
            dcc.Input(id="name", value="", debounce=True, maxLength=24, autoComplete="off", className="field"),
            html.P("The others see this name above.", id="name-text", className="hint"),
        ],
        className="panel private",
    )


def _title(text: str, hint: str) -> Component:
    return html.Div([html.H2(text), html.P(hint, className="hint")], className="panel-title")


def strips(charts: Iterable[Chart], cores: int) -> Component:
    """The strip charts."""
    return html.Div([_strip(chart, cores) for chart in charts], className="charts")


def _strip(chart: Chart, cores: int) -> Component:
    """One strip chart with its title and what its lines mean."""
    parts: list[Component] = [
        html.Div(
            [html.H2([chart.title, html.Small(chart.unit)]), _legend(chart)],
            className="chart-title",
        )
    ]
    if chart.id == "chart-processor":
        parts.append(html.Div([_core(i) for i in range(cores)], className="cores", **_named("Per core")))
    config: Any = {"displayModeBar": False, "responsive": True, "scrollZoom": False}
    parts.append(dcc.Graph(id=chart.id, figure=chart.figure(), config=config, className="graph"))
    return html.Section(parts, className=f"panel {chart.id}")


def _legend(chart: Chart) -> Component:
    lines = [html.Li([html.I(style={"background": line.colour}), line.name]) for line in chart.lines]
    return html.Ul(lines, className="legend")


def _core(number: int) -> Component:
    return html.Div(
        [
            html.Span(f"core {number}", className="core-name"),
            html.Span("–", id=f"core-{number}", className="core-value"),
        ],
        className="core",
    )


def tabs(facts: dict[str, str]) -> Component:
    """What is looked at now and then. Which tab is open is each page's own business."""
    contents = {
        "What happened": _table("log", {"time": "Time", "who": "Who", "what": "What"}),
        "Last seconds": html.Div(
            [
                _table("stats", {"what": "Quantity", "lowest": "Lowest", "mean": "Mean", "highest": "Highest"}),
                html.Div(
                    [
                        html.Button("Download as CSV", id="save", className="button quiet"),
                        html.P(id="stats-text", className="hint"),
                    ],
                    className="row",
                ),
            ]
        ),
        "This machine": html.Dl([part for fact in facts.items() for part in _fact(*fact)], className="facts"),
        "How it works": _explanation(),
    }
    children = [dcc.Tab(content, label=label, value=label) for label, content in contents.items()]
    return html.Section(dcc.Tabs(children, id="tabs", value="What happened"), className="panel tabs")


def _fact(name: str, value: str) -> tuple[Component, Component]:
    return html.Dt(name), html.Dd(value)


def _explanation() -> Component:
    steps = (
        ("A thread reads", "this machine's sensors, as often as the slider says, and pushes what changed."),
        ("The server holds", "one copy of every shared property, in one order, and tells every page."),
        ("The page writes", "what it is told straight into Dash. It never asks, and it never polls."),
    )
    items = [html.Li([html.Strong(start), html.Span(" " + rest)]) for start, rest in steps]
    return html.Div([html.Ol(items, className="steps"), html.Pre(html.Code(SNIPPET))], className="explanation")


def _table(id: str, columns: dict[str, str]) -> Component:
    return DataTable(
        id=id,
        columns=[{"id": key, "name": name} for key, name in columns.items()],
        data=[],
        cell_selectable=False,
        page_size=10,
        css=[{"selector": "table", "rule": "width: 100%"}],
        **_table_style(),
    )


def _table_style() -> dict[str, Any]:
    """Inline styles are the only thing that wins over the table's own; the colours come from the style sheet."""
    cell = {
        "textAlign": "left",
        "padding": "7px 12px 7px 0",
        "border": "none",
        "borderBottom": "1px solid var(--line)",
        "background": "transparent",
        "color": "var(--ink)",
        "fontFamily": "var(--sans)",
        "fontSize": "14px",
        "whiteSpace": "normal",
        "height": "auto",
    }
    return {"style_cell": cell, "style_header": {"color": "var(--soft)", "fontSize": "12px"}, "style_table": {}}


def footer() -> Component:
    """Counts what the thread has done: the proof that something moves."""
    return html.Footer(
        [
            html.P([html.Span("0", id="count"), " readings since the server started"]),
            html.P("dash_devices · the same live page in every open tab"),
        ]
    )
