"""What is printed cannot command the terminal: control codes of letters, ids and errors are printed as ``\\u001b``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

# Controls but tab and line ends, direction overrides, line separators, tag characters, lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
    "|\r(?!\n)"
)


def terminal_safe(text: str) -> str:
    """``text`` with each control code as a JSON escape, so that JSON stays the same JSON."""
    return _CONTROL.sub(lambda match: json.dumps(match[0])[1:-1], text)


class SafeStream:
    """A text stream that writes what ``terminal_safe`` makes of a text; ``raw`` is the underlying stream."""

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        self.raw.write(terminal_safe(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw_stream(stream: TextIO) -> TextIO:
    """The stream under a safe one, for our own control codes and text that is already safe."""
    return cast(TextIO, getattr(stream, "raw", stream) if isinstance(stream, SafeStream) else stream)


@contextmanager
def safe_output() -> Iterator[None]:
    """Everything printed in this block goes through ``terminal_safe``, and never fails for lack of a character."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (cast(TextIO, SafeStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
