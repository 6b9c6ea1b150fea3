"""The house numbers: short functions, short modules, nothing swallowed."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PACKAGE = sorted((TOP / "dash_devices").rglob("*.py"))
OTHERS = [path for folder in ("tools", "tests", "examples") for path in sorted((TOP / folder).rglob("*.py"))]
MAX_MODULE = 400  # lines
MAX_EXAMPLE = 60  # lines
MAX_TESTS = 400  # lines: tests of one section stay together
MAX_FUNCTION = 40  # lines of code
MAX_MEDIAN = 6  # lines of code

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def code_lines(function: Function, source: list[str]) -> int:
    """Lines of the body without the docstring, comments and blank lines."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    lines = source[body[0].lineno - 1 : body[-1].end_lineno] if body else []
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def lengths(path: Path) -> list[tuple[int, str]]:
    """Length and name of every function."""
    source = path.read_text("utf-8").splitlines()
    return [(code_lines(function, source), f"{path.name}:{function.name}") for function in functions(path)]


def name(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


@pytest.mark.parametrize("path", [*PACKAGE, *OTHERS], ids=name)
def test_no_module_is_long(path: Path) -> None:
    limits = {"examples": MAX_EXAMPLE, "tests": MAX_TESTS}
    limit = limits.get(path.relative_to(TOP).parts[0], MAX_MODULE)
    assert len(path.read_text("utf-8").splitlines()) <= limit


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_no_function_is_long(path: Path) -> None:
    assert [entry for entry in lengths(path) if entry[0] > MAX_FUNCTION] == []


def test_most_functions_are_short() -> None:
    assert statistics.median(length for path in PACKAGE for length, _ in lengths(path)) <= MAX_MEDIAN


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_nothing_is_swallowed(path: Path) -> None:
    """A handler of every exception logs it, raises, or keeps it by name; ``except:`` is not written at all."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: except without a type"
            if ast.unparse(node.type) in {"Exception", "BaseException"}:
                assert _does_something(node), f"line {node.lineno}: {ast.unparse(node.type)} is swallowed"


def _does_something(handler: ast.ExceptHandler) -> bool:
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    logs = any(isinstance(node, ast.Attribute) and node.attr in LOG_CALLS for node in nodes)
    keeps = any(isinstance(node, ast.Name) and node.id == handler.name for node in nodes)
    return logs or keeps or any(isinstance(node, ast.Raise) for node in nodes)


LOG_CALLS = {"debug", "info", "warning", "error", "exception", "critical"}
