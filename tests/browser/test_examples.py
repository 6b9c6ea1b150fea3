"""Every example, served as it is and used in two tabs: its one idea must be seen in both."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..support import wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"
Open = Callable[[str], tuple[ModuleType, Page, Page]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """``load("button")``: the example as a fresh module, forgotten after the test."""

    def load(name: str) -> ModuleType:
        path = EXAMPLES / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def open_twice(load: Callable[[str], ModuleType], serve: Any, tab: Any) -> Open:
    """``open_twice("button") -> module, page A, page B``."""

    def open_twice(name: str) -> tuple[ModuleType, Page, Page]:
        module = load(name)
        url = serve(module.app).url
        return module, tab(url), tab(url)

    return open_twice


def by_id(page: Page, id: str | dict[str, str]) -> Any:
    """The element of a component."""
    text = id if isinstance(id, str) else json.dumps(id, sort_keys=True, separators=(",", ":"))
    return page.locator(f"[id={json.dumps(text)}]")


def knob(page: Page, id: str | dict[str, str]) -> Any:
    """The handle of a slider."""
    return by_id(page, id).get_by_role("slider")


def press(page: Page, id: str | dict[str, str], key: str, times: int = 1) -> None:
    """Press a key on the handle of a slider."""
    handle = knob(page, id)
    handle.focus()
    for _ in range(times):
        handle.press(key)


def test_shared_controls_follow_each_other(open_twice: Open) -> None:
    _, a, b = open_twice("shared_controls")
    press(a, "power", "ArrowRight", 3)
    by_id(b, "run").fill("cold start")
    for page in (a, b):
        expect(by_id(page, "power-text")).to_have_text("43 W")
        expect(knob(page, "power")).to_have_attribute("aria-valuenow", "43")
        expect(by_id(page, "run")).to_have_value("cold start")
        expect(by_id(page, "run-text")).to_have_text("saved as cold-start.csv")


def test_button_drops_only_when_it_is_clicked(open_twice: Open) -> None:
    module, a, b = open_twice("button")
    expect(by_id(b, "dropped")).to_have_text("none yet")
    by_id(a, "drop").click()
    by_id(b, "drop").click()
    for page in (a, b):
        expect(by_id(page, "dropped")).to_have_text("2 dropped")
    assert module.feeder.dropped == 2
    by_id(b, "refill").click()
    expect(by_id(a, "dropped")).to_have_text("none yet")


def test_hardware_thread_lives_as_long_as_somebody_looks(open_twice: Open) -> None:
    module, a, b = open_twice("hardware_thread")
    for page in (a, b):
        expect(by_id(page, "angle-text")).not_to_have_text("0°")
    a.close(run_before_unload=False)
    assert module.table.thread.is_alive()
    b.close()
    wait_for(lambda: module.table.thread is None, "thread ended")


def test_login_lets_in_one_page_and_shares_the_laser_inside(open_twice: Open) -> None:
    module, a, b = open_twice("login")
    log_in(a, "ada", "lovelace")
    expect(by_id(a, "welcome")).to_have_text("Welcome, ada.")
    log_in(b, "grace", "wrong")
    expect(by_id(b, "refused")).to_have_text("Wrong name or password.")
    expect(by_id(b, "laser")).to_have_count(0)
    log_in(b, "grace", "hopper")
    expect(by_id(b, "welcome")).to_have_text("Welcome, grace.")
    press(b, "laser", "ArrowRight", 2)
    for page in (a, b):
        expect(by_id(page, "laser-text")).to_have_text("2 % by grace")
    assert [client.authentication for client in module.app.clients] == ["ada", "grace"]


def log_in(page: Page, user: str, password: str) -> None:
    """Fill in the form of the login example."""
    by_id(page, "user").fill(user)
    by_id(page, "password").fill(password)
    by_id(page, "login").click()


def test_login_roles_let_operators_alone_move_the_dome(load: Callable[[str], ModuleType], serve: Any, tab: Any) -> None:
    module = load("login_roles")
    url = serve(module.app).url
    ada, grace = (tab(url, connected=False) for _ in range(2))
    for page, name, password in ((ada, "ada", "lovelace"), (grace, "grace", "hopper")):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.keyboard.press("Enter")
    expect(by_id(ada, "who")).to_have_text("ada, operator: you may move it.")
    expect(by_id(grace, "who")).to_have_text("grace, guest: you may watch.")
    press(ada, "shutter", "ArrowRight", 2)
    for page in (ada, grace):
        expect(by_id(page, "shutter-text")).to_have_text("10 % open, by ada")
    grace.evaluate("dash_clientside.set_props('shutter', {value: 100})")  # past the disabled slider
    by_id(grace, "note").fill("clear sky")
    by_id(grace, "note").press("Enter")
    expect(by_id(ada, "note")).to_have_value("clear sky")
    expect(by_id(ada, "shutter-text")).to_have_text("10 % open, by ada")
    grace.get_by_role("button", name="Log out").click()
    expect(grace.get_by_role("button", name="Log in")).to_be_visible()


def test_two_devices_answer_each_page_alone_one_after_the_other(open_twice: Open) -> None:
    _, a, b = open_twice("two_devices")
    for page in (a, b):
        by_id(page, "scope-ask").click()
    by_id(b, "meter-ask").click()
    expect(by_id(a, "scope-answer")).to_have_text("measurement 1: 1.5 V")
    expect(by_id(b, "scope-answer")).to_have_text("measurement 2: 3.0 V")
    expect(by_id(b, "meter-answer")).to_have_text("measurement 1: 1.5 W")
    expect(by_id(a, "meter-answer")).to_have_text("–")


def test_chain_runs_to_its_end_at_the_server(open_twice: Open) -> None:
    module, a, b = open_twice("chain")
    expect(by_id(a, "state")).to_have_text("fine")
    press(a, "setpoint", "End")
    for page in (a, b):
        expect(by_id(page, "heater")).to_have_text("1120")
        expect(by_id(page, "state")).to_have_text("too hot")
        expect(by_id(page, "state")).to_have_class("alarm")
    assert module.app.get("state", "children") == "too hot"


def test_live_figure_grows_and_changes_colour_everywhere(open_twice: Open) -> None:
    module, a, b = open_twice("live_figure")
    by_id(b, "colour").get_by_text("rose").click()
    for page in (a, b):
        page.wait_for_function(f"() => {DRAWN}?.line.color === {json.dumps(module.COLOURS['rose'])}")
        page.wait_for_function(f"() => {LAST} > {page.evaluate(LAST)} + 2")
    a.wait_for_function(f"() => {LAST} >= {b.evaluate(LAST)}")
    for page in (a, b):
        points = page.evaluate(f"{DRAWN}.x")
        assert points == list(range(points[0], points[0] + len(points))), "none lost, none twice"


DRAWN = "document.querySelector('#trace .js-plotly-plot')?.data?.[0]"
LAST = f"({DRAWN}?.x.at(-1) ?? 0)"


def test_patterns_serve_one_channel_and_all_of_them(open_twice: Open) -> None:
    _, a, b = open_twice("patterns")
    expect(by_id(a, "sum")).to_have_text("15 of 30")
    press(a, {"type": "gain", "channel": "Snare"}, "ArrowRight", 2)
    press(b, {"type": "gain", "channel": "Voice"}, "Home")
    for page in (a, b):
        expect(by_id(page, {"type": "level", "channel": "Kick"})).to_have_text("+0 dB")
        expect(by_id(page, {"type": "level", "channel": "Snare"})).to_have_text("+6 dB")
        expect(by_id(page, {"type": "level", "channel": "Voice"})).to_have_text("-15 dB")
        expect(by_id(page, "sum")).to_have_text("12 of 30")


@pytest.fixture
def clean_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dash keeps one registry of pages per process, and imports a folder of pages as the package ``pages``."""
    import dash

    before = dict(dash.page_registry)
    dash.page_registry.clear()
    yield
    dash.page_registry.clear()
    dash.page_registry.update(before)
    for name in [name for name in sys.modules if name.split(".")[0] == "pages"]:
        del sys.modules[name]


@pytest.mark.usefixtures("clean_pages")
def test_pages_keep_their_shared_state_while_nobody_looks(open_twice: Open) -> None:
    _, a, b = open_twice("pages_app/app")
    press(a, "azimuth", "ArrowRight")
    expect(by_id(b, "azimuth-text")).to_have_text("dome at 190°")
    a.get_by_role("link", name="Lamp").click()
    by_id(a, "lamp").get_by_text("bright").click()
    expect(by_id(a, "lamp-text")).to_have_text("the lamp is bright")
    b.get_by_role("link", name="Lamp").click()
    expect(by_id(b, "lamp-text")).to_have_text("the lamp is bright")
    expect(by_id(b, "lamp").get_by_role("radio", checked=True)).to_have_value("bright")
    b.get_by_role("link", name="Dome").click()
    expect(knob(b, "azimuth")).to_have_attribute("aria-valuenow", "190")


def test_scpi_instrument_is_set_and_measured_for_everybody(open_twice: Open) -> None:
    pytest.importorskip("pyvisa_py")
    _, a, b = open_twice("scpi")
    press(b, "volts", "End")
    for page in (a, b):
        expect(by_id(page, "identity")).to_have_text("Example Instruments,PS-1,0001,1.0")
        expect(by_id(page, "volts-text")).to_have_text("12.00 V")
        expect(by_id(page, "amperes")).to_contain_text("1.")  # 12 V at 10 ohm, with noise
        expect(by_id(page, "amperes")).to_contain_text(" A")


def test_camera_shows_the_same_moving_image_everywhere(open_twice: Open) -> None:
    module, a, b = open_twice("camera")
    press(a, "exposure", "ArrowRight", 2)
    for page in (a, b):
        expect(by_id(page, "exposure-text")).to_have_text("7 ms")
        first = page.evaluate("document.getElementById('frame').src")
        page.wait_for_function("first => document.getElementById('frame').src !== first", arg=first)
        size = page.evaluate("document.getElementById('frame').decode().then(() => frame.naturalWidth)")
        assert size == module.WIDTH


EXAMPLE_FILES = sorted(path for path in EXAMPLES.rglob("*.py"))


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.stem)
def test_every_example_is_short_and_says_what_it_shows(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith('"""')
