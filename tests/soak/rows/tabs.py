"""A tab that is offline, frozen or hidden for a moment, in a real Chromium."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..table import Check, Context, at_most, exactly, quantile
from .chromium import Stage, cdp, stage

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

TYPED = "half a sentence, not sent"
KEPT_TEXT = """() => [document.activeElement.id, document.activeElement.value, document.activeElement.selectionStart,
  document.activeElement.selectionEnd, scrollY, window.loads]"""
KEPT_MENU = """() => [!!document.querySelector('[role=listbox], .dash-dropdown-content'), scrollY, window.loads]"""
SET_HIDDEN = """(hidden) => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  Object.defineProperty(document, 'visibilityState', {value: hidden ? 'hidden' : 'visible', configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
MARK_LOAD = "() => { window.loads = 'the first'; }"  # a reload would lose it
ARRIVED = """(text) => new Promise((resolve) => {
  const there = () => document.getElementById('p0').textContent === text && (resolve(true), true);
  if (!there()) {
    const observer = new MutationObserver(() => there() && observer.disconnect());
    observer.observe(document.getElementById('p0'), {childList: true, characterData: true, subtree: true});
  }
})"""


def tabs(context: Context) -> list[Check]:
    """A tab frozen, hidden, offline, then back, 100 times: right state at once; focus, caret, scroll, menu are kept."""
    times = context.times(100, 6)
    ways: list[Callable[[Stage, Page, CDPSession, bool], None]] = [_offline, _frozen, _hidden]
    took: list[float] = []
    lost: list[str] = []
    with stage() as all_of_it:
        all_of_it.ask("push", id="p0", value="no news")  # a line that appears later would move what is below
        page = all_of_it.open()
        page.evaluate(MARK_LOAD)
        session = cdp(page)
        for number in range(times):
            way, look = ways[number % 3], (_type, _open_menu)[number // 3 % 2](page)
            before = page.evaluate(look)
            took.append(_away(all_of_it, page, session, way, f"news {number}"))
            if (after := page.evaluate(look)) != before:
                lost.append(f"{way.__name__[1:]}: {before} became {after}")
            _tidy(page)
        right = page.evaluate("() => document.getElementById('p0').textContent") == f"news {times - 1}"
    return [
        at_most("until the right state is shown, p99", quantile(took, 0.99), 500, "ms", n=times),
        at_most("the same, median", quantile(took, 0.5), 500, "ms", n=times),
        exactly(
            "times that focus, caret, scroll, half-typed text or an open menu was lost",
            len(lost),
            detail="; ".join(lost[:2]),
        ),
        Check("the last value is shown", "yes", "yes" if right else "no", right),
    ]


def _away(all_of_it: Stage, page: Page, session: CDPSession, way: Any, text: str) -> float:
    """The tab is away for a moment, the world moves on, the tab is back; ms until it shows that."""
    way(all_of_it, page, session, True)
    time.sleep(random.uniform(0.2, 1.2))
    all_of_it.ask("push", id="p0", value=text)
    time.sleep(0.1)
    begin = time.monotonic()
    way(all_of_it, page, session, False)
    page.evaluate(ARRIVED, text)
    return (time.monotonic() - begin) * 1000


def _offline(all_of_it: Stage, page: Page, session: CDPSession, away: bool) -> None:
    def line() -> None:
        all_of_it.proxy.refuses = away
        all_of_it.proxy.cut()

    all_of_it.beside.call(line)
    page.context.set_offline(away)


def _frozen(all_of_it: Stage, page: Page, session: CDPSession, away: bool) -> None:
    session.send("Page.setWebLifecycleState", {"state": "frozen" if away else "active"})


def _hidden(all_of_it: Stage, page: Page, session: CDPSession, away: bool) -> None:
    """Headless Chromium hides no tab: the page is told that it is hidden, and its line is cut meanwhile."""
    page.evaluate(SET_HIDDEN, away)
    if away:
        all_of_it.beside.call(all_of_it.proxy.cut)


def _type(page: Page) -> str:
    page.evaluate("() => scrollTo(0, 300)")
    page.focus("#notes")
    page.keyboard.type(TYPED)
    page.evaluate("() => document.activeElement.setSelectionRange(5, 9)")
    return KEPT_TEXT


def _open_menu(page: Page) -> str:
    page.evaluate("() => scrollTo(0, 0)")
    page.click("#menu")
    page.wait_for_selector("[role=listbox], .dash-dropdown-content")
    return KEPT_MENU


def _tidy(page: Page) -> None:
    page.keyboard.press("Escape")
    page.evaluate("() => document.activeElement.blur()")
    page.fill("#notes", "")
