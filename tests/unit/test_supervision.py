"""What runs in the background goes on after a fault in it: counted, logged, and not logged without end."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.endpoint import SocketEndpoint
from dash_devices.feed import Feed
from dash_devices.lanes import Lanes, run_as_call
from dash_devices.protocol import PING_SECONDS
from dash_devices.threads import Threads
from dash_devices.vitals import SILENT_SECONDS

from ..support import Raw, wait_for
from .vital_signs import Room

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
PACKAGE = Path(dash_devices.__file__).parent
ERRORS = "background_errors"


class Once:
    """Raises at its first call, and then does what it stands for."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.real = real
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise RuntimeError("a fault, once")
        return self.real(*args, **kwargs)


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Lines about faults; each has a traceback."""
    records = [record for record in caplog.records if record.name == "dash_devices.background"]
    assert all(record.exc_info for record in records)
    return [record.getMessage() for record in records]


def always(error: str) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(error)

    return fail


# ---- the log
def test_what_fails_all_the_time_is_counted_and_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    from dash_devices.supervision import LAST_SILENCE, Watch

    metrics, now = Counter[str](), [0.0]
    watch = Watch(metrics, lambda: now[0])
    for _ in range(10_000):  # an hour and more, three times in a second
        assert not watch.guard("sweep", always("again"))
        now[0] += 0.4
    assert metrics[ERRORS] == 10_000
    lines = faults(caplog)
    assert len(lines) < 80
    assert lines[0] == "sweep failed, and goes on"
    assert lines[1] == "sweep failed, and goes on (2 times more since the last line)"
    watch.guard("other", always("one"))
    now[0] += 3 * LAST_SILENCE
    watch.guard("sweep", always("later"))
    assert len(faults(caplog)) == len(lines) + 2, "another part has a line of its own, and so has a fault much later"


# ---- heartbeats and sending
def test_the_sweep_goes_on(serve: Any, raw: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr("dash_devices.hub.SWEEP_SECONDS", 0.02)
    app = dash_devices.Dash(__name__)
    app.layout = html.Div(dcc.Input(id="a", value="0"))
    sweep = app._hub.vitals.sweep = Once(app._hub.vitals.sweep)  # type: ignore[method-assign]
    slow = app._engine.lanes.report_slow = Once(app._engine.lanes.report_slow)  # type: ignore[method-assign]
    serve(app)
    wait_for(lambda: sweep.calls > 3 and slow.calls > 3, "more sweeps")
    assert app.metrics[ERRORS] == 2
    assert faults(caplog) == ["housekeeping failed, and goes on"], "the second one within a second has no line"


def test_a_page_that_cannot_be_looked_at_keeps_no_other_from_its_heartbeats(caplog: Any) -> None:
    room = Room()
    broken, page, silent = room.page(), room.page(), room.page()
    broken.link.progress = always("no such socket")  # type: ignore[method-assign]
    for _ in range(int(SILENT_SECONDS + PING_SECONDS)):
        room.pass_time(1, page)
        page.link.heard = room.now
    assert silent.link.aborted
    assert not page.link.aborted
    assert len(page.of("ping")) > 2
    assert room.metrics[ERRORS] >= SILENT_SECONDS
    assert "heartbeats failed, and goes on" in faults(caplog)


def test_a_page_that_cannot_be_served_is_cut_and_the_others_are_served(caplog: Any) -> None:
    room = Room()
    broken, page = room.page(), room.page()
    broken.session.outbox.next_frame = always("no frame")  # type: ignore[method-assign]
    room.push("1")
    assert broken.link.aborted
    assert page.of("mods")[-1]["mods"] == [["b", "value", "1"]]
    room.push("2")
    assert page.of("mods")[-1]["mods"] == [["b", "value", "2"]]
    assert room.metrics[ERRORS] == 1
    assert faults(caplog) == ["flush failed, and goes on"]


def test_a_fault_before_all_pages_keeps_none_from_being_served() -> None:
    room = Room()
    page = room.page()
    room.hub.greeter.recheck_after_protect = Once(lambda sessions: None)  # type: ignore[method-assign]
    room.push("1")
    assert page.of("mods")[-1]["mods"] == [["b", "value", "1"]]
    assert room.metrics[ERRORS] == 1


# ---- threads and lanes
def test_a_thread_of_the_pool_survives_its_work(caplog: Any) -> None:
    threads, done = Threads(1), threading.Event()
    for error in (RuntimeError, SystemExit):
        threads.submit(lambda error=error: (_ for _ in ()).throw(error("a fault")))  # type: ignore[misc]
    threads.submit(done.set)
    assert done.wait(5)
    assert faults(caplog) == ["threads failed, and goes on"]


def test_a_call_that_cannot_be_told_that_it_is_too_old_stops_no_lane() -> None:
    async def run() -> Any:
        lanes = Lanes()
        lanes.loop = asyncio.get_running_loop()
        first, _ = run_as_call(lambda: asyncio.sleep(0), "first")
        old, _ = run_as_call(lambda: asyncio.sleep(0), "old")
        last, result = run_as_call(lambda: asyncio.sleep(0, "done"), "last")
        old.max_age = -1.0
        old.skipped = always("nobody there")  # type: ignore[method-assign]
        for call in (first, old, last):
            lanes.submit("lane", call)
        return await asyncio.wait_for(result, 5)

    assert asyncio.run(run()) == "done"


# ---- sockets
class FakeTransport:
    """What a feed needs."""

    def __init__(self) -> None:
        self.closed = False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def test_a_connection_whose_bytes_cannot_be_handled_is_closed_also_after_a_pause() -> None:
    async def run() -> tuple[bool, bool]:
        told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.set_result(context["exception"]))
        transport: Any = FakeTransport()
        waits = iter([0.001])
        feed = Feed(transport, lambda data: next(waits))
        feed.take(bytes(100_000))
        return isinstance(await asyncio.wait_for(told, 5), StopIteration), transport.closed

    assert asyncio.run(run()) == (True, True)


def test_a_socket_of_another_server_that_cannot_be_written_to_ends() -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div()
    scope = {"type": "websocket", "path": app.socket_path, "headers": [], "query_string": b"", "client": ("::1", 1)}

    async def run() -> None:
        app._hub.start(asyncio.get_running_loop())
        place = app.gate.places.take("::1", None)
        hello = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "no JSON"}]

        async def receive() -> Any:
            return hello.pop(0) if hello else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] != "websocket.accept":
                raise OSError("broken pipe")

        endpoint = SocketEndpoint(always("not for it"), app)
        await asyncio.wait_for(endpoint({**scope, "dash_devices.place": place}, receive, send), 5)
        await app._hub.stop()

    asyncio.run(run())


def test_tasks_and_callbacks_that_nobody_waits_for_are_counted(serve: Any, caplog: Any) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div()
    serve(app)
    loop = app._hub.loop
    assert loop is not None

    async def fail() -> None:
        raise RuntimeError("a fault")

    loop.call_soon_threadsafe(lambda: app._hub.spawn(fail(), "name of a request"))
    wait_for(lambda: app.metrics[ERRORS] == 1, "the task's end was looked at")
    assert faults(caplog) == ["a request failed, and goes on"]
    loop.call_soon_threadsafe(always("a fault"))
    wait_for(lambda: app.metrics[ERRORS] == 2, "the callback's")
    assert faults(caplog)[1:] == ["the event loop (RuntimeError) failed, and goes on"]


# ---- the state
@pytest.fixture
def durable(serve: Any, raw: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Raw]:
    """An app that keeps its state, and does so at once; a page."""
    monkeypatch.setattr("dash_devices.journal.LINGER", 0.01)
    monkeypatch.setattr("dash_devices.scribe.LAST_RETRY", 0.01)
    app = dash_devices.Dash(__name__, state=tmp_path / "state.db")
    app.layout = html.Div(dcc.Input(id="a", value="0"))
    app.share("a", "value")
    return app, raw(serve(app).url).join()


def test_the_thread_that_writes_goes_on(durable: tuple[Any, Raw]) -> None:
    app, page = durable
    journal: Any = app._journal
    gather = journal._selection.keeps = Once(journal._selection.keeps)
    app.push_mods({"a": {"title": "t"}})
    wait_for(lambda: app.metrics[ERRORS] == 1, "the fault")
    assert gather.calls == 1
    page.change("a", "value", "1")
    page.until("ack")
    assert app.metrics["state_errors"] == 1


def test_work_that_was_gathered_when_that_failed_is_not_lost(durable: tuple[Any, Raw]) -> None:
    app, page = durable
    journal: Any = app._journal
    journal._work = Once(journal._work)
    page.change("a", "value", "1")
    page.until("ack")
    assert app.metrics[ERRORS] == 1


def test_a_commit_that_fails_by_a_fault_of_ours_answers_the_page(durable: tuple[Any, Raw]) -> None:
    app, page = durable
    scribe: Any = app._journal._scribe  # type: ignore[union-attr]
    scribe._rows = Once(scribe._rows)
    page.change("a", "value", "1")
    assert page.until("nack")["code"] == "storage"
    page.change("a", "value", "2")
    page.until("ack")


def test_a_change_that_cannot_be_carried_out_keeps_no_other_waiting(durable: tuple[Any, Raw]) -> None:
    app, page = durable
    journal: Any = app._journal
    journal._stored = Once(journal._stored)
    for value in "123":
        page.change("a", "value", value)
    for _ in range(3):
        page.until("ack")
    assert app.metrics[ERRORS] == 1


# ---- nothing is started elsewhere
STARTS = {"create_task", "ensure_future", "Thread"}
ELSEWHERE = {
    "dash_glue/shares.py": 1,  # waited for
    "demo/sampler.py": 1,  # looks after itself, as an example of a hardware thread
    "endpoint.py": 2,  # the reader is waited for; the writer's end cuts the socket
    "gate/checks.py": 1,  # waited for, unless who asked has gone
    "gate/door.py": 1,  # waited for
    "lanes.py": 1,  # waited for
    "listener.py": 1,  # asks who it is: faults are answers there
    "server.py": 2,  # Hypercorn's own, which end with the connection and the server
    "supervision.py": 2,
}


def test_tasks_and_threads_are_started_where_their_end_is_looked_at() -> None:
    found: Counter[str] = Counter()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("bench/"):
            calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            found[name] += sum(getattr(call, "attr", getattr(call, "id", "")) in STARTS for call in calls)
    assert +found == ELSEWHERE
