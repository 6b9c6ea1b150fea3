"""Write ``renderer/src/protocol.ts`` from ``dash_devices/protocol.py``, or look whether it is stale (``--check``)."""

import argparse
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
TARGET = TOP / "renderer" / "src" / "protocol.ts"
sys.path.insert(0, str(TOP))

from dash_devices import codec, protocol  # noqa: E402

HEAD = "// GENERATED from dash_devices/protocol.py by tools/generate_protocol.py. Do not edit; run make renderer.\n"
SIMPLE = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "any"}


def typescript(hint: Any) -> str:
    """The TypeScript type of a Python annotation.

    Raises:
        TypeError: an annotation that the wire has no use for yet.
    """
    if hint in SIMPLE:
        return SIMPLE[hint]
    if hint in (protocol.Triple, protocol.Mod):
        return "Triple" if hint == protocol.Triple else "Mod"
    if dataclasses.is_dataclass(hint):
        return hint.__name__
    return _generic(typing.get_origin(hint), [typescript(argument) for argument in typing.get_args(hint)], hint)


def _generic(origin: Any, arguments: list[str], hint: Any) -> str:
    if origin is list:
        return f"{arguments[0]}[]"
    if origin is tuple:
        return f"[{', '.join(arguments)}]"
    if origin is dict:
        return f"Record<{', '.join(arguments)}>"
    if origin in (types.UnionType, typing.Union):
        return " | ".join(arguments)
    raise TypeError(f"{hint}: expected a type that JSON has, got {origin}; teach tools/generate_protocol.py about it")


def comment(text: str | None) -> str:
    """A docstring as a TypeScript comment."""
    words = inspect.cleandoc(text or "").replace("``", "`")
    return f"/** {words} */\n" if words else ""


def interface(cls: type) -> str:
    """One message, or part of one."""
    hints = typing.get_type_hints(cls)
    lines = [f'type: "{cls.type}";'] if hasattr(cls, "type") else []
    for field in codec.sent_fields(cls):
        optional = "?" if field.default is not dataclasses.MISSING else ""
        lines.append(f"{field.name}{optional}: {typescript(hints[field.name])};")
    body = "\n".join(f"  {line}" for line in lines)
    return f"{comment(cls.__doc__)}export interface {cls.__name__} {{\n{body}\n}}\n"


def literal(value: int | str) -> str:
    """A number or a string."""
    return f'"{value}"' if isinstance(value, str) else str(value)


def constants() -> Iterator[str]:
    """The numbers and strings that both ends agree on."""
    for name, value in vars(protocol).items():
        if name.isupper() and not name.startswith("_") and isinstance(value, int | str):
            yield f"export const {name} = {literal(value)};\n"


def table(cls: type) -> str:
    """A class of constants as an object."""
    rows = (f"  {name}: {literal(value)},\n" for name, value in vars(cls).items() if name.isupper())
    return f"{comment(cls.__doc__)}export const {cls.__name__.upper()} = {{\n{''.join(rows)}}} as const;\n"


def classes() -> Iterator[type]:
    """The classes of the module, in the order in which they are written."""
    for value in vars(protocol).values():
        if inspect.isclass(value) and value.__module__ == protocol.__name__:
            yield value


def union(name: str, members: tuple[type, ...]) -> str:
    """What one direction may carry."""
    return f"export type {name} = {' | '.join(cls.__name__ for cls in members)};\n"


def generate() -> str:
    """The whole text of ``protocol.ts``."""
    triple = ", ".join(typescript(argument) for argument in typing.get_args(protocol.Triple))
    parts = [HEAD, "".join(constants())]
    parts += [table(cls) for cls in classes() if not dataclasses.is_dataclass(cls)]
    parts.append(f"/** `[id, property, value]` */\nexport type Triple = [{triple}];\n")
    parts.append(f"/** `[id, property, value]`, or with its own seq */\nexport type Mod = [{triple}, number?];\n")
    parts += [interface(cls) for cls in classes() if dataclasses.is_dataclass(cls)]
    parts.append(union("FromPage", protocol.FROM_PAGE) + union("FromServer", protocol.FROM_SERVER))
    return "\n".join(parts)


def main() -> int:
    """Write the file, or look whether it is fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look, and exit with 1 when the file is stale")
    wanted, text = parser.parse_args(), generate()
    if TARGET.exists() and TARGET.read_text() == text:
        return 0
    if wanted.check:
        print(f"{TARGET.relative_to(TOP)}: stale; run make renderer", file=sys.stderr)
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
