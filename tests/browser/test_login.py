"""The login page in a real browser: it looks as it should, works by keyboard alone, and leads back to where one was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from ..gate.apps import PASSWORD, make_app, with_login
from ..support import TIMEOUT

Serve = Callable[..., Any]
REFUSED = "401|403|429"  # the browser's own line about a status is no error of ours


def fill(page: Page, name: str, password: str) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_by_keyboard_to_the_page_one_wanted(serve: Serve, tab: Any) -> None:
    server = serve(with_login())
    page = tab(f"{server.url}/?x=1", connected=False, allow_errors=REFUSED)
    prefix = urlsplit(server.url).path
    assert page.url == f"{server.url}/_dash-devices/login?next={prefix}/%3Fx%3D1"
    expect(page.get_by_label("Name")).to_be_focused()
    for text in ("ada", "wrong"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/?x=1")
    page.wait_for_function("() => window.dash_devices && window.dash_devices.status === 'connected'")
    assert server.app.clients[0].username == "ada"
    page.fill("#a", "7")
    expect(page.locator("#shown")).to_have_text("7")
    cookie = page.context.cookies()[0]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie") == ""


def test_logging_out_stops_every_page_of_that_login(serve: Serve, tab: Any) -> None:
    server = serve(with_login())
    page = tab(server.url, connected=False, allow_errors=REFUSED)
    fill(page, "ada", PASSWORD)
    page.wait_for_function("() => window.dash_devices?.status === 'connected'")
    other = tab(server.url, context=page.context, allow_errors=REFUSED)
    page.goto(f"{server.url}/_dash-devices/login")
    expect(page.get_by_text("You are logged in as ada.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    expect(other.get_by_text("Please log in")).to_be_visible()
    other.reload()
    expect(other.get_by_role("button", name="Log in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(serve: Serve, tab: Any, scheme: str) -> None:
    server = serve(with_login())
    size = {"width": 320, "height": 600}
    page = tab(f"{server.url}/_dash-devices/login", connected=False, viewport=size, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for field in (page.get_by_label("Name"), page.get_by_label("Password"), page.get_by_role("button")):
        box = field.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 220
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 380) == (scheme == "light"), ground


def test_another_site_neither_frames_nor_loads_nor_changes_anything(serve: Serve, tab: Any) -> None:
    app = make_app()
    server = serve(app)
    evil = f"http://localhost:{serve(make_app(csp=False)).port}"
    page = tab(evil, connected=False, allow_errors=True)
    outcome = page.evaluate(ATTEMPTS, server.url)
    assert outcome == {"read": "failed", "post": "failed", "image": "failed", "script": "failed", "socket": "failed"}
    assert app.touched == []  # type: ignore[attr-defined]
    assert app.metrics["refused_origin"] + app.metrics["refused_site"] >= 4
    page.set_content(f'<iframe id="frame" src="{server.url}/" width="300" height="200"></iframe>')
    page.wait_for_function("() => performance.getEntriesByType('resource').length >= 0")
    assert not page.frames[-1].locator("#a").count()
    page.set_content(f'<form method="post" action="{server.url}/view"><button>go</button></form>')
    page.get_by_role("button").click(timeout=TIMEOUT * 1000)
    page.wait_for_url(f"{server.url}/view")
    assert "does not come from a page of this server" in page.content()
    assert app.touched == []  # type: ignore[attr-defined]


ATTEMPTS = """
async (url) => {
  const loads = (element, at) =>
    new Promise((done) => {
      element.onload = () => done("loaded");
      element.onerror = () => done("failed");
      element.src = at;
      document.body.append(element);
    });
  const socket = new WebSocket(url.replace("http", "ws") + "/_dash-devices/socket");
  const opened = new Promise((done) => { socket.onopen = () => done("open"); socket.onclose = () => done("failed"); });
  return {
    read: await fetch(url + "/_dash-layout").then(() => "read", () => "failed"),
    post: await fetch(url + "/view", { method: "POST", mode: "no-cors", body: "x" }).then((r) => r.type, () => "failed"),
    image: await loads(new Image(), url + "/_favicon.ico"),
    script: await loads(document.createElement("script"), url + "/_dash-layout"),
    socket: await opened,
  };
}
"""
