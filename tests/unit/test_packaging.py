"""What is shipped: the version, the bundle, the public face, the typed marker."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from dash_devices import version

TOP = Path(__file__).resolve().parents[2]
PACKAGE = TOP / "dash_devices"
MAX_BUNDLE = 26_500  # bytes, minified
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def bundle() -> ModuleType:
    """``tools/bundle.py`` as a module."""
    spec = importlib.util.spec_from_file_location("bundle", TOP / "tools" / "bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_is_one_and_well_formed() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|(a|b|rc)\d+)?", version.__version__)
    assert importlib.import_module("dash_devices").__version__ == version.__version__
    assert PROJECT["dynamic"] == ["version"]


def test_the_changelog_has_a_place_for_this_version() -> None:
    changelog = (TOP / "CHANGELOG.md").read_text("utf-8")
    released = ".dev" not in version.__version__
    assert f"## [{version.__version__ if released else 'Unreleased'}]" in changelog


def test_every_dependency_has_its_reason() -> None:
    text = (TOP / "docs" / "dependencies.md").read_text("utf-8")
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for requirement in (requirement for group in groups for requirement in group):
        assert f"`{requirement.partition(';')[0].strip()}`" in text, requirement


def test_the_bundle_is_small_and_fresh(bundle: ModuleType) -> None:
    assert bundle.BUNDLE.stat().st_size < MAX_BUNDLE
    assert not bundle.stale(), "run make renderer"


def test_a_changed_source_makes_the_bundle_stale(
    bundle: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "RENDERER", tmp_path)
    monkeypatch.setattr(bundle, "BUNDLE", tmp_path / "out.js")
    monkeypatch.setattr(bundle, "STAMP", tmp_path / "out.js.sources")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_bytes(b"one\r\ntwo")
    (tmp_path / "out.js").write_text("built")
    (tmp_path / "out.js.sources").write_text(bundle.digest() + "\n")
    (tmp_path / "src" / "a.ts").write_bytes(b"one\ntwo")
    assert not bundle.stale()
    (tmp_path / "src" / "a.ts").write_bytes(b"one\nthree")
    assert bundle.stale()


def test_without_node_the_committed_bundle_is_used(
    bundle: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "stale", lambda: True)
    monkeypatch.setattr(bundle.shutil, "which", lambda name: None)
    bundle.refresh()
    assert "the committed one is used" in capsys.readouterr().err


def test_every_exported_name_is_there_and_documented() -> None:
    """Documented by us, where it is ours: some of the classes that Dash exports have no docstring."""
    package = importlib.import_module("dash_devices")
    assert len(package.__all__) == len(set(package.__all__))
    for name in package.__all__:
        exported = getattr(package, name)
        if (getattr(exported, "__module__", None) or "").startswith("dash_devices"):
            assert inspect.getdoc(exported), f"dash_devices.{name} has no docstring"


def test_every_module_says_what_it_is_for() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert path.read_text("utf-8").startswith(('"""', 'r"""')), path.name


def test_the_pure_modules_load_without_dash_and_asyncio() -> None:
    """Their own imports only: the package's ``__init__`` is kept out."""
    names = [name for name in ("protocol", "shared", "clients", "registry") if (PACKAGE / f"{name}.py").exists()]
    code = f"""
import importlib, sys, types
package = types.ModuleType("dash_devices")
package.__path__ = [{str(PACKAGE)!r}]
sys.modules["dash_devices"] = package
before = set(sys.modules)
for name in {names!r}:
    importlib.import_module("dash_devices." + name)
print(*sorted({{"dash", "quart", "asyncio", "socket"}} & (set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
