"""A disk that fails while the server runs: nothing is acknowledged that is not on it, everybody is told, and it recovers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dash_devices import journal, scribe, vitals
from dash_devices.statefile import StateFile

from ..semantics.helpers import Calls
from ..support import TIMEOUT, ServerThread, wait_for
from .support import TOO_MUCH, MakeRaw, Serve, failing_disk, make_app, on_disk


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def in_trouble(server: ServerThread) -> Any:
    """Give the disk more than it takes, and wait until the app knows."""
    app: Any = server.app
    app.push_mods({"pushed": {"children": TOO_MUCH}})
    return wait_for(lambda: app._journal.trouble, "the trouble")


def test_a_change_is_refused_that_cannot_be_kept_and_taken_again_when_it_can(
    serve: Serve, raw: MakeRaw, state: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Calls()
    app = make_app(calls, state=state)
    server = serve(app)
    assert calls.next() == ("0", "0")
    page, other = raw(server.url).join(), raw(server.url).join()
    with failing_disk():
        in_trouble(server)
        page.change("a", "value", "1")
        refused = page.until("nack")
        assert refused["code"] == "storage"
        assert refused["message"].endswith("; nothing was changed")
        assert refused["values"] == [["a", "value", "0"]]
        assert app.get("a", "value") == "0"
        assert calls.none_left
        notice = other.until("notice")["message"]
        assert notice.startswith("Changes cannot be kept: ")
        late = raw(server.url)
        late.hello()
        assert late.until("notice")["message"] == notice, "also whoever comes later"
        page.change("go", "n_clicks", 1)
        assert page.until("ack")
        assert calls.next() == ("go", 1), "what is not durable goes on: a stop button works"
        assert app.metrics["state_errors"] > 0
        assert "the state cannot be written" in caplog.text
    assert other.until("notice")["message"] == "", "no more"
    page.change("a", "value", "2")
    assert page.until("ack")
    assert calls.next() == ("2", "0")
    values = on_disk(state, tmp_path / "scratch")
    assert (values["a"], len(values["pushed"])) == (b'"2"', len(TOO_MUCH) + 2)
    assert "the state can be written again" in caplog.text


def test_a_moment_of_failure_refuses_nothing(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "PATIENCE", 60.0)
    app = make_app(state=state)
    page = raw(serve(app).url).join()
    with failing_disk():
        app.push_mods({"pushed": {"children": TOO_MUCH}})
        page.change("a", "value", "1")
        wait_for(lambda: app.metrics["state_errors"] > 1, "two tries that failed")
        assert not [message for message in page.seen if message["type"] in ("ack", "nack")]
        assert app.get("a", "value") == "0", "nothing comes of it before it is on disk"
    assert page.until("ack")["n"] == 1
    assert app.get("a", "value") == "1"


def test_the_change_that_fills_the_disk_is_not_carried_out(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "PATIENCE", 0.0)
    monkeypatch.setattr(journal, "LINGER", 60.0)  # else results may fail to be written meanwhile
    app = make_app(state=state)
    page = raw(serve(app).url).join()
    kinds, kept = [], "0"
    with failing_disk():
        for letter in "abcdef":
            n = page.change("a", "value", letter * 100_000)
            while (answer := page.receive()).get("n") != n:
                pass
            kinds.append(answer.get("code", "ack"))
            assert (kinds[-1] == "ack") == (app.metrics["state_errors"] == 0)
            kept = kept if "code" in answer else letter
            assert app.get("a", "value")[0] == kept
    taken = kinds.count("ack")
    assert kinds == ["ack"] * taken + ["storage"] * (6 - taken)
    assert 0 < taken < 6


def test_a_refusal_after_a_write_that_failed_is_sent_at_once(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody was told of the trouble before: nothing else is to be sent."""
    monkeypatch.setattr(vitals, "PING_SECONDS", 100 * TIMEOUT)
    app: Any = make_app(state=state)
    page = raw(serve(app).url).join()
    writes: queue.Queue[Callable[[str], None]] = queue.Queue()
    monkeypatch.setattr(app._journal, "write", lambda session, n, items, done: writes.put(done))
    n = page.change("a", "value", "1")
    app._hub.loop.call_soon_threadsafe(writes.get(timeout=TIMEOUT), "the disk is full")
    assert page.until("nack", n=n)["code"] == "storage"


def test_a_stop_with_a_disk_that_fails_comes_to_its_end(serve: Serve, state: Path) -> None:
    server = serve(make_app(state=state))
    with failing_disk():
        in_trouble(server)
        server.stop()
    app = make_app(state=state)
    serve(app)
    assert app.get("pushed", "children") == "-"


def test_changes_under_way_at_a_stop_are_sent_to_the_next_life(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even written: else a click would be settled that nobody carried out."""
    begun, go_on = threading.Event(), threading.Event()
    write: Callable[..., None] = StateFile.write

    def slow(file: StateFile, rows: Any) -> None:
        if any(row and b'"1"' in row.body for row in rows.values()):
            begun.set()
            go_on.wait(10)
        write(file, rows)

    monkeypatch.setattr(StateFile, "write", slow)
    app = make_app(state=state)
    server = serve(app)
    page = raw(server.url).join()
    page.change("a", "value", "1")
    assert begun.wait(10)
    page.change("a", "value", "2")
    wait_for(lambda: app.metrics["frames_received"] >= 4, "the second change")
    threading.Timer(0.1, go_on.set).start()
    server.stop()
    assert page.until("ack")["n"] == 1
    assert page.closed() == 1012
    assert [message["n"] for message in page.seen if message["type"] == "ack"] == [1]
    calls = Calls()
    again = serve(make_app(calls, state=state))
    assert calls.next() == ("1", "0"), "the one that was in a commit"
    back = raw(again.url)
    assert back.resume(page)["handled"] == 1
    back.n = 1
    back.change("a", "value", "2")
    assert calls.next() == ("2", "0")


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_taken_away_is_made_again(
    serve: Serve, raw: MakeRaw, state: Path, tmp_path: Path, how: str
) -> None:
    app = make_app(state=state)
    server = serve(app)
    page = raw(server.url).join()
    page.until("ack", n=page.change("a", "value", "1"))
    app.push_mods({"pushed": {"children": "kept"}})
    state.unlink()
    if how == "replaced":
        state.write_bytes(b"rubbish")
    page.change("b", "value", "2")
    assert page.until("ack")
    values = on_disk(state, tmp_path / "scratch")
    assert {id: values.get(id) for id in ("a", "b", "pushed")} == {"a": b'"1"', "b": b'"2"', "pushed": b'"kept"'}
    server.stop()
    back = raw(serve(make_app(state=state)).url)
    assert back.resume(page)["handled"] == 2


def test_the_copy_is_made_anew_while_the_server_runs(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "COPY_SECONDS", 0.0)
    app = make_app(state=state)
    server = serve(app)
    page = raw(server.url).join()
    page.until("ack", n=page.change("a", "value", "1"))
    wait_for(lambda: app.metrics["state_copies"], "a copy")
    server.stop()
    state.write_bytes(b"rubbish")
    again = make_app(state=state)
    serve(again)
    assert again.get("a", "value") == "1"


def test_a_stop_leaves_one_whole_file_and_a_copy_of_it(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    page.until("ack", n=page.change("a", "value", "1"))
    server.stop()
    assert {path.name for path in state.parent.iterdir()} == {"state.db", "state.db.lock", "state.db.previous"}
    state.write_bytes(b"rubbish")
    again = make_app(state=state)
    serve(again)
    assert again.get("a", "value") == "1"
