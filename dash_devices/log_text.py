"""Text for the log that others may have written: it makes no lines of its own, and no terminal obeys it."""

from __future__ import annotations

import traceback
from typing import Final

_DIRECTIONS = (*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A))  # and separators of lines
_CONTROLS: Final = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *_DIRECTIONS)
}
_WITHIN_LINES: Final = {code: text for code, text in _CONTROLS.items() if chr(code) != "\n"}
MARK = "  | "  # before each line of a traceback: none of them looks like a line of the log


def printable(text: str) -> str:
    """One line, with everything escaped that a terminal would act upon."""
    return text.translate(_CONTROLS)


def traceback_of(error: BaseException | None) -> str:
    """The traceback of an error, which may quote what a client wrote; each line is marked."""
    lines = "".join(traceback.format_exception(error)).translate(_WITHIN_LINES).split("\n")
    return "\n".join(f"{MARK}{line}" for line in lines if line)
