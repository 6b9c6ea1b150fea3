"""The demo in real tabs: what is shared moves everywhere, what is private does not, and it fits a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dash_devices.demo import build_app, main

from ..support import wait_for
from .test_examples import by_id, knob, press

pytest.importorskip("psutil")
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
WATCH_SWEAT = """() => {
    const sweat = document.getElementById('sweat');
    window.seen = [];
    new MutationObserver(() => seen.push(sweat.textContent)).observe(sweat, {characterData: true, subtree: true});
}"""
PLOTS = "[...document.querySelectorAll('.js-plotly-plot')]"


@pytest.fixture
def url(serve: Any) -> str:
    """The demo, served."""
    return str(serve(build_app()).url)


def component_types(app: Any) -> list[str]:
    """The type of every component of the layout."""
    return [type(component).__name__ for component in app.layout._traverse()]


def test_layout_has_what_the_benchmarks_ask_for() -> None:
    app = build_app()
    types = component_types(app)
    assert len(types) >= 150
    assert {"Graph", "Tabs", "DataTable"} <= set(types)
    regular = [each for each in app._callback_list if not each["clientside_function"]]
    assert len(regular) >= 2


def test_numbers_and_charts_move_in_every_tab(url: str, tab: Any) -> None:
    for page in (tab(url), tab(url, **PHONE)):
        before = by_id(page, "count").inner_text()
        expect(by_id(page, "count")).not_to_have_text(before)
        expect(by_id(page, "tile-memory")).to_have_text(re.compile(r"^\d+\.\d$"))
        page.wait_for_function(f"() => {PLOTS}.length === 4")
        drawn = page.evaluate(f"{PLOTS}[0].data[0].x.at(-1) || 0")
        page.wait_for_function(f"() => {PLOTS}.every(plot => plot.data[0].x.at(-1) > {drawn})")


def test_shared_controls_move_in_every_tab(url: str, tab: Any) -> None:
    a, b = tab(url), tab(url, **PHONE)
    press(a, "rate", "End")
    by_id(b, "note").fill("back at eight")
    for page in (a, b):
        expect(knob(page, "rate")).to_have_attribute("aria-valuenow", "20")
        expect(by_id(page, "rate-text")).to_have_text("20 readings a second")
        expect(by_id(page, "note")).to_have_value("back at eight")
        expect(by_id(page, "note-by")).to_have_text(f"written by {by_id(b, 'name').input_value()}")


def test_private_controls_move_in_one_tab_only(url: str, tab: Any) -> None:
    a, b = tab(url), tab(url)
    by_id(a, "window").locator("label", has_text="30 s").click()
    by_id(a, "theme").locator("label", has_text="Dark").click()
    expect(a.locator("html")).to_have_attribute("data-theme", "dark")
    a.get_by_role("tab", name="Last seconds").click()
    expect(by_id(a, "stats-text")).to_contain_text("of the last 30 seconds")
    expect(by_id(b, "window").get_by_role("radio", checked=True)).to_have_value("60")
    expect(b.locator("html")).to_have_attribute("data-theme", "auto")


def test_button_makes_one_core_busy_and_the_log_says_who(url: str, tab: Any) -> None:
    a, b = tab(url), tab(url)
    who = by_id(a, "name").input_value()
    b.evaluate(WATCH_SWEAT)
    by_id(a, "sweat").click()
    b.wait_for_function("() => window.seen.includes('Sweating …')")
    expect(by_id(b, "log")).to_contain_text("made the machine sweat")
    expect(by_id(b, "log").get_by_text(who).first).to_be_visible()
    expect(by_id(b, "sweat")).to_have_text("Make it sweat")


def test_everybody_sees_who_comes_is_renamed_and_leaves(url: str, tab: Any) -> None:
    a, b = tab(url), tab(url)
    expect(by_id(a, "people").locator("li")).to_have_count(2)
    name = by_id(b, "name")
    expect(name).not_to_have_value("")
    name.fill("Ada")
    name.press("Enter")
    expect(by_id(b, "name-text")).to_have_text("The others see you as Ada.")
    expect(by_id(a, "people")).to_contain_text("Ada")
    b.close()
    expect(by_id(a, "people").locator("li")).to_have_count(1)
    expect(by_id(a, "log")).to_contain_text("left")


def test_last_seconds_can_be_downloaded(url: str, tab: Any) -> None:
    page = tab(url)
    page.get_by_role("tab", name="Last seconds").click()
    expect(by_id(page, "stats")).to_contain_text("Busiest core")
    with page.expect_download() as download:
        by_id(page, "save").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("Time,")
    assert text.count("\n") > 1


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_sticks_out_of_the_window(url: str, tab: Any, width: int) -> None:
    page: Page = tab(url, viewport={"width": width, "height": 844})
    page.wait_for_function(f"() => {PLOTS}.length === 4")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_reach_everything(url: str, tab: Any) -> None:
    page: Page = tab(url)
    expect(page.get_by_role("slider", name="Sample rate")).to_be_visible()
    page.get_by_role("tab", name="What happened").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="How it works")).to_be_focused()
    expect(page.get_by_role("tab", name="How it works")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("The server holds")).to_be_visible()


def test_thread_runs_with_the_server(serve: Any) -> None:
    import threading

    def samplers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "sampler"]

    app = build_app()
    assert not samplers()
    server = serve(app)
    wait_for(samplers, "sampler running, though no page was opened")
    server.stop()
    assert not samplers()


def test_missing_psutil_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("dash_devices.demo.find_spec", lambda _name: None)
    assert main([]) == 2
    assert "pip install 'dash_devices[demo]'" in capsys.readouterr().err
