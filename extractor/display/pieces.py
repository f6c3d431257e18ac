"""A text cut into pieces wherever a span begins or ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from extractor.letters.spans import Span


class Piece(NamedTuple):
    """A stretch of raw text; ``paths`` names every span that covers it, empty for plain text."""

    text: str
    paths: tuple[str, ...]


def pieces(text: str, spans: Iterable[tuple[str, Span]]) -> list[Piece]:
    """``text`` cut wherever a span begins or ends; joined, the pieces are the text again.

    Each span comes with the path of the value it proves. Spans may overlap and nest; empty spans and
    the parts of spans outside the text are ignored.
    """
    starting: dict[int, list[str]] = {}
    ending: dict[int, list[str]] = {}
    for path, span in spans:
        start, end = max(0, span.start), min(len(text), span.end)
        if start < end:
            starting.setdefault(start, []).append(path)
            ending.setdefault(end, []).append(path)
    found: list[Piece] = []
    open_paths: list[str] = []
    at = 0
    for cut in sorted({*starting, *ending, len(text)}):
        if cut > at:
            found.append(Piece(text[at:cut], tuple(dict.fromkeys(open_paths))))
        for path in ending.get(cut, ()):
            open_paths.remove(path)
        open_paths += starting.get(cut, ())
        at = cut
    return found
