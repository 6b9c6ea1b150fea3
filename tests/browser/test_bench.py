"""The bench, run as a user runs it: real servers, a real browser, key presses."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from dash_devices.bench import curve, devtools
from dash_devices.bench.child import serve
from dash_devices.bench.errors import BenchError


def test_a_quick_bench_measures_and_leaves_nothing_behind(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each system has its times, the goals are judged, and no process of it is left."""
    tmp_path = tmp_path_factory.mktemp("b")  # Chromium makes a Unix socket below it: 108 bytes at most
    command = [sys.executable, "-m", "dash_devices", "bench", "--quick", "--only", "roundtrip"]
    options = ["--systems", "floor,stock-instant,shared-async,pair", "--layouts", "bare", "--out", str(tmp_path)]
    mark = str(tmp_path)  # in the environment of whatever this run starts
    done = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "TMPDIR": mark},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    measured = [run["system"] for run in results["roundtrip"]]
    assert measured == ["floor", "stock-instant", "shared-async", "pair-async", "pair-sync"]
    for run in results["roundtrip"]:
        assert (len(run["spaced"]), len(run["burst"])) == (30, 20)
        assert min(run["spaced"] + run["burst"]) > 0
    assert "shared against the floor" in done.stdout
    assert "sync costs more than async" in done.stdout
    assert (tmp_path / "roundtrip.svg").read_text().startswith("<svg")
    assert [process.cmdline() for process in psutil.process_iter() if _environment(process).get("TMPDIR") == mark] == []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return {}


def test_the_server_alone_answers_each_change_of_a_raw_client() -> None:
    """More changes than batches may be out."""
    with serve("shared-async", "10x10") as child:
        assert len(curve.at_server(child)) == curve.CHANGES * 9 // 10


def test_a_script_that_throws_says_what() -> None:
    """An error in the page is an exception here, with its text; the browser goes on."""
    with devtools.browser() as chromium, devtools.open_page(chromium, "about:blank") as page:
        with pytest.raises(devtools.ScriptError, match="no such key"):
            page.evaluate("() => { throw new Error('no such key'); }")
        assert page.evaluate("(n) => Promise.resolve(n + 1)", 41) == 42


def test_a_page_that_does_not_come_up_says_what_it_shows() -> None:
    """The reader sees the page's own words."""
    with (
        devtools.browser() as chromium,
        devtools.open_page(chromium, "data:text/html,<p>out of order") as page,
        pytest.raises(BenchError, match="out of order"),
    ):
        page.wait_for("() => false", 0.2)


def test_no_browser_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a path nor a browser on the path."""
    monkeypatch.delenv("DASH_DEVICES_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchError, match="--chromium"), devtools.browser():
        pass
