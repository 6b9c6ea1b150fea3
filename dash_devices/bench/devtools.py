"""A headless Chromium, driven over its DevTools protocol with nothing switched on that is not needed.

A test driver listens to every WebSocket frame of a page: that costs more processor time per round trip than the servers that
are compared, and more for the system with more frames. Here nobody listens while keys are pressed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from .errors import BenchError

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--password-store=basic",
    "--window-size=1280,800",
    "--remote-debugging-port=0",
    "about:blank",
)
START_TIMEOUT: Final = 30.0  # s
COMMAND_TIMEOUT: Final = 300.0  # s; one command measures all presses of a page
STOP_TIMEOUT: Final = 5.0  # s


class GoneError(BenchError):
    """The browser does not answer any more."""


class ScriptError(Exception):
    """The page's script threw; the message is its own."""


class Chromium:
    """The line to a running browser."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._number = 0

    def command(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send one command and return its result.

        Raises:
            BenchError: the browser refused it, is gone, or gave no answer within five minutes.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        try:
            self._line.send(json.dumps({**message, "sessionId": session} if session else message))
            answer = self._answer(self._number)
        except (ConnectionClosed, TimeoutError) as error:
            raise GoneError(f"Chromium, {method}: expected an answer, got {error or 'none'}") from error
        if "error" in answer:
            raise BenchError(f"Chromium, {method}: expected it to be done, got {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _answer(self, number: int) -> dict[str, Any]:
        deadline = time.monotonic() + COMMAND_TIMEOUT
        while True:  # what else comes are events, which nobody asked for
            message: dict[str, Any] = json.loads(self._line.recv(max(0.0, deadline - time.monotonic())))
            if message.get("id") == number:
                return message


class Page:
    """One tab."""

    def __init__(self, chromium: Chromium, context: str) -> None:
        self._chromium = chromium
        target = chromium.command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = chromium.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def goto(self, url: str, script: str) -> None:
        """Load a page; ``script`` runs before any of its own."""
        if script:
            self._command("Page.enable")
            self._command("Page.addScriptToEvaluateOnNewDocument", source=script)
        self._command("Page.navigate", url=url)

    def evaluate(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function with one argument and return what it, or its promise, gives.

        Raises:
            ScriptError: it threw.
        """
        expression = f"({function})({json.dumps(argument)})"
        answer = self._command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise ScriptError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, function: str, timeout: float) -> None:
        """Return when a JavaScript function gives true. Raises BenchError when it did not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self._is_true(function):
            if time.monotonic() > deadline:
                raise BenchError(
                    f"expected the page to come up within {timeout:.0f} s, got {self.evaluate(CONTENTS)!r}"
                )
            time.sleep(0.05)

    def _is_true(self, function: str) -> bool:
        try:
            return bool(self.evaluate(f"() => !!({function})()"))
        except GoneError:
            raise
        except BenchError:  # the document went away under the question: it is being loaded
            return False

    def _command(self, method: str, **params: Any) -> dict[str, Any]:
        return self._chromium.command(method, self._session, **params)


CONTENTS: Final = "() => document.documentElement.innerText.slice(0, 300)"


def chromium_path(chosen: str | None) -> str:
    """The Chromium to start: the chosen one, or one on the path. Raises BenchError when there is none."""
    named = chosen or os.environ.get("DASH_DEVICES_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BenchError(
            f"bench: expected a Chromium, got none of {', '.join(NAMES)}; install your system's `chromium` "
            "or name one by --chromium"
        )
    return found


@contextlib.contextmanager
def browser(chosen: str | None = None) -> Iterator[Chromium]:
    """A headless Chromium with a profile of its own.

    Raises:
        BenchError: there is none, or it does not start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, tempfile.TemporaryFile() as log:
        command = [chromium_path(chosen), f"--user-data-dir={profile}", *FLAGS]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        except OSError as error:
            raise BenchError(f"bench: expected a Chromium that starts, got {error}; name one by --chromium") from error
        try:
            with line_to(process, Path(profile)) as line:
                chromium = Chromium(line)
                try:
                    yield chromium
                finally:
                    with contextlib.suppress(BenchError):  # it may be gone before it has answered
                        chromium.command("Browser.close")
        finally:
            end(process)


def line_to(process: subprocess.Popen[bytes], profile: Path) -> ClientConnection:
    """A DevTools connection."""
    try:
        return connect(address_of(process, profile), max_size=None, compression=None, proxy=None)
    except (OSError, InvalidHandshake) as error:
        raise BenchError(f"bench: expected a Chromium that answers, got {error}; name another by --chromium") from error


def address_of(process: subprocess.Popen[bytes], profile: Path) -> str:
    """Where it listens, as soon as it has written that down."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        with contextlib.suppress(OSError, ValueError):  # not there yet, or not yet whole
            port, path = (profile / "DevToolsActivePort").read_text().split()
            return f"ws://127.0.0.1:{port}{path}"
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(
                "bench: expected a Chromium that starts, got one that ended or says nothing; name another by --chromium"
            )
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes]) -> None:
    """Leave no browser behind, nor any of its processes: they are a group of their own."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


@contextlib.contextmanager
def open_page(chromium: Chromium, url: str, script: str = "") -> Iterator[Page]:
    """A page in a context of its own, on its way to ``url``; ``script`` runs before any of its own."""
    context = chromium.command("Target.createBrowserContext")["browserContextId"]
    try:
        page = Page(chromium, context)
        page.goto(url, script)
        yield page
    finally:
        chromium.command("Target.disposeBrowserContext", browserContextId=context)
