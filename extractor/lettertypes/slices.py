"""Where a place puts the words of a value: the slices of a region that labels, lines and patterns point at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.patterns import Searches, phrases
from extractor.lettertypes.places import Above, After, Below, Entire, Matching, SimplePlace

_CELL_END = re.compile(r"\t|[^\S\n]*\||[^\S\n]{3,}")
_TO_VALUE = re.compile(r"[^\S\n]*(?:[:|][^\S\n]*)*")
_TO_PARAGRAPH = re.compile(r"[\s:|]*")
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
_CELL = re.compile(r"[^\s|](?:[^\n\t|]*?[^\s|])??(?=\t|[^\S\n]*\||[^\S\n]{3,}|[^\S\n]*$)", re.MULTILINE)
_WORDS = re.compile(r"[^\W_]")


class Slice(NamedTuple):
    """Words that should state a value. ``doubtful``: empty, but a value may be close by."""

    span: Span
    doubtful: bool = False

    @property
    def is_empty(self) -> bool:
        return self.span.start == self.span.end


class Labels:
    """All labels of a letter type: a value ends where the next label begins."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        # The longest first, so that "Date:" does not match inside "Decision Date:".
        longest = sorted(dict.fromkeys(labels), key=len, reverse=True)
        self._pattern = "|".join(rf"(?P<l{i}>{_label(label)})" for i, label in enumerate(longest))
        self._numbers = {label: i for i, label in enumerate(longest)}

    def all(self, searches: Searches, within: Span) -> list[tuple[int, Span]]:
        """Each label in ``within``: its number, and its span. Raises ``SlowPatternError``."""
        if not self._pattern:
            return []
        return [
            (int(match.lastgroup[1:]), Span(*match.span()))
            for match in searches.all(self._pattern, within)
            if match.start() < match.end()
        ]

    def numbers(self, labels: tuple[str, ...]) -> frozenset[int]:
        return frozenset(self._numbers[label] for label in labels)


def _label(label: str) -> str:
    start = r"(?<!\w)" if label[:1].isalnum() or label[:1] == "[" else ""
    end = r"(?!\w)" if label[-1:].isalnum() or label[-1:] == "]" else ""
    return f"{start}(?:{phrases(label)}){end}"


def slices(place: SimplePlace, searches: Searches, region: Span, labels: Labels) -> Iterator[Slice]:
    """The slices of ``region`` that ``place`` points at, in order. Raises ``SlowPatternError``."""
    match place:
        case After():
            yield from _after(place, searches, region, labels)
        case Above() | Below():
            yield from _beside(place, searches, region)
        case Matching():
            for found in searches.all(place.pattern, region):
                group = 1 if found.re.groups and found[1] is not None else 0
                yield Slice(Span(*found.span(group)).trimmed(searches.text))
        case Entire():
            end = searches.first(place.until, region) if place.until else None
            yield Slice(Span(region.start, end.start() if end else region.end).trimmed(searches.text))


def _after(place: After, searches: Searches, region: Span, labels: Labels) -> Iterator[Slice]:
    every = labels.all(searches, region)
    mine = labels.numbers(place.labels)
    for i, (number, label) in enumerate(every):
        if number not in mine:
            continue
        following = every[i + 1][1].start if i + 1 < len(every) else region.end
        yield _value_behind(place, searches, label.end, Span(label.end, following), region)


def _value_behind(place: After, searches: Searches, at: int, room: Span, region: Span) -> Slice:
    text = searches.text
    whole = place.to == "paragraph"
    start = (_TO_PARAGRAPH if whole else _TO_VALUE).match(text, at, room.end).end()  # type: ignore[union-attr]
    ends = [room.end]
    stop = _EMPTY_LINE.search(text, start, room.end) if whole else None
    if whole:
        ends += [stop.start()] if stop else []
    else:
        line_end = text.find("\n", start, room.end)
        cell = _CELL_END.search(text, start, line_end if line_end >= 0 else room.end)
        ends += [cell.start()] if cell else []
        ends += [line_end] if line_end >= 0 else []
    until = searches.first(place.until, Span(start, max(start, min(ends)))) if place.until else None
    ends += [until.start()] if until else []
    span = Span(start, max(start, min(ends))).trimmed(text)
    return Slice(span, doubtful=span.start == span.end and _words_below(text, start, room, region))


def _words_below(text: str, at: int, room: Span, region: Span) -> bool:
    """Whether the value of an empty label may be on the next line: it has words, and no label."""
    line_end = text.find("\n", at, region.end)
    if line_end < 0 or line_end >= room.end:
        return False
    below = text.find("\n", line_end + 1, region.end)
    below = region.end if below < 0 else below
    return below <= room.end and bool(_WORDS.search(text, line_end + 1, below))


def _beside(place: Above | Below, searches: Searches, region: Span) -> Iterator[Slice]:
    """For each cell that matches, the cell in its column on the nearest line with words above or below."""
    text = searches.text
    lines = dict.fromkeys(_line_around(text, match.start(), region) for match in searches.all(place.line, region))
    for one in lines:
        cells = _cells(text, one)
        hits = [i for i, cell in enumerate(cells) if _is_whole(place.line, searches, cell)]
        if not hits:
            continue
        line = _next_line(text, one.start if isinstance(place, Above) else one.end, region, place)
        beside = _cells(text, line) if line else []
        for i in hits:
            if len(beside) == len(cells):
                yield Slice(beside[i])
            else:
                yield Slice(line or Span(one.start, one.start), doubtful=True)


def _line_around(text: str, at: int, region: Span) -> Span:
    end = text.find("\n", at, region.end)
    return Span(max(region.start, text.rfind("\n", region.start, at) + 1), region.end if end < 0 else end)


def _is_whole(pattern: str, searches: Searches, cell: Span) -> bool:
    found = searches.first(pattern, cell)
    if found is None:
        return False
    return bool(found.start() == cell.start and not searches.text[found.end() : cell.end].strip(" .,;:"))


def _next_line(text: str, at: int, region: Span, place: Above | Below) -> Span | None:
    """The nearest line above or below ``at`` that holds a letter or digit."""
    while region.start < at < region.end or (at == region.end and isinstance(place, Above)):
        if isinstance(place, Above):
            end = at - 1
            start = text.rfind("\n", region.start, end) + 1 or region.start
            at = start
        else:
            start = at + 1
            end = text.find("\n", start, region.end)
            at = end = region.end if end < 0 else end
        if _WORDS.search(text, start, end):
            return Span(start, end).trimmed(text)
    return None


def _cells(text: str, line: Span) -> list[Span]:
    return [Span(*match.span()) for match in _CELL.finditer(text, line.start, line.end)]
