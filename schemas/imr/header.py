"""The case header: a table of labels and values, in whatever order a tool prints its cells.

A value belongs to the label before it. Where a column of labels comes first and a column of values after it,
they are taken in order. Text in a value's place that is not a value makes the field uncertain, not null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, find_dates, scanned, squeeze

_LABELS = {
    "case_number": rf"(?:MAXIMUS\s+)?{scanned('Case')}\s+(?:{scanned('Number')}|No\.?|\#)\s*(?::|(?=CM))",
    "date_assigned": rf"{scanned('Date Assigned')}\s*:",
    "date_of_injury": rf"{scanned('Date of Injury')}\s*:",
    "decision_date": rf"{scanned('Decision Date')}\s*:|{scanned('Dated')}\s*:",
    "ur_denial_date": rf"{scanned('UR Denial Date')}\s*:|{scanned('Date of UR Decision')}\s*:",
    "priority": rf"{scanned('Priority')}\s*:",
    # The label is broken over two lines, and some tools put the value between its halves.
    "application_received": rf"(?:IMR\s+)?{scanned('Application')}(?:\s+{scanned('Received')})?\s*:"
    rf"|{scanned('Received')}\s*:|{scanned('Application')}\b(?=[^\n:]{{1,60}}\s+{scanned('Received')}\s*:)",
}
_KNOWN_WORD = "Date|Decision|UR|Case|Priority|Application|Received|IMR|MAX"
# Where no label can begin, one look at one letter is enough.
_LABEL = re.compile(
    r"(?<![A-Za-z])(?:(?=[cgdo0upari1l|!m])(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _LABELS.items())
    + rf")|(?<![^\n])(?P<other>(?!{_KNOWN_WORD})(?-i:[A-Z])[a-z ()/#]{{1,30}}:))",
    re.IGNORECASE,
)
_PATTERNS = {
    "case_number": re.compile(r"\bCM\s?\d{2}\s?-\s?\d{4,9}\b", re.IGNORECASE),
    "priority": re.compile(r"\b(?:Standard|Expedited|Regular|Urgent)\b", re.IGNORECASE),
}
_WORD = re.compile(r"[A-Za-z]{2}")
# Words or lines in place of a value that mean there is none.
_NO_VALUE = re.compile(
    r"[_.\s-]*(?:n\s?/\s?a|none|not\s+(?:given|applicable|available|stated|provided))?[_.\s-]*", re.I
)


class _Cell(NamedTuple):
    """A label (``value`` is ``None``), a value of the label kind ``name``, or other words (``name`` is empty)."""

    span: Span
    name: str
    is_label: bool
    value: Any = None


def read_header(text: str, header: Span) -> dict[str, Fact]:
    """The case header. Every field is given; its value is ``None`` where the header does not hold it."""
    facts = {name: Fact(None) for name in _LABELS}
    cells = sorted(_cells(text, header), key=_place)
    groups: list[Sequence[_Cell]] = [list(group) for _, group in groupby(cells, key=lambda cell: cell.is_label)]
    for labels, values in zip(groups, [*groups[1:], ()], strict=False):
        if labels[0].is_label:
            for label, fact in _pairs(text, labels, values):
                if label.name in facts:
                    facts[label.name] = fact
    unlabeled = facts.keys() - {cell.name for cell in cells if cell.is_label}
    for kind, span in _unclaimed(text, header, facts) if unlabeled else ():
        for name in unlabeled:
            if _kind(name) == kind:
                facts[name] = Fact(None, (span,), certain=False)
    return facts


def _unclaimed(text: str, header: Span, facts: Mapping[str, Fact]) -> Iterator[tuple[str, Span]]:
    """Values after words that are no known label, by kind: they may belong to another wording of a label."""
    claimed = {span for fact in facts.values() for span in fact.spans}
    found = [("date", each.span) for each in find_dates(text, header)]
    for name, pattern in _PATTERNS.items():
        found += ((name, Span(*match.span())) for match in pattern.finditer(text, *header))
    for kind, span in found:
        line = text[text.rfind("\n", 0, span.start) + 1 : span.start]
        if span not in claimed and _WORD.search(line):
            yield kind, span


def _place(cell: _Cell) -> Span:
    return cell.span


def _kind(name: str) -> str:
    return name if name in _PATTERNS else "date"


def _pairs(text: str, labels: Sequence[_Cell], values: Sequence[_Cell]) -> Iterator[tuple[_Cell, Fact]]:
    """Labels in a row, and the text after them up to the next label."""
    last = labels[-1]
    if len(labels) > 1 and values and "\n" in text[last.span.end : values[0].span.start]:
        yield from _columns(labels, values)
        return
    for label in labels[:-1]:
        yield label, Fact(None)
    yield last, _behind(text, last, values)


def _behind(text: str, label: _Cell, values: Sequence[_Cell]) -> Fact:
    """The value after a label; not certain where something else is there."""
    if not values:
        return Fact(None)
    if values[0].name == _kind(label.name):
        return _fact(values[0])
    if values[0].name == "" and _NO_VALUE.fullmatch(values[0].span.of(text)):
        return Fact(None)
    line_end = text.find("\n", values[0].span.start)
    for value in values:
        if value.name == _kind(label.name) and (line_end < 0 or value.span.start < line_end):
            return Fact(value.value, (value.span,), certain=False)
    return Fact(None, (values[0].span,), certain=False)


def _columns(labels: Sequence[_Cell], values: Sequence[_Cell]) -> Iterator[tuple[_Cell, Fact]]:
    """A column of labels, then one of values: in order, if each value is of its label's kind or is unreadable."""
    fitting = [value.name in ("", _kind(label.name)) for label, value in zip(labels, values, strict=False)]
    if len(fitting) == len(labels) and all(fitting):
        for label, value in zip(labels, values, strict=False):
            yield label, _fact(value) if value.name else Fact(None, (value.span,), certain=False)
        return
    rest = list(values)
    for label in labels:
        found = next((value for value in rest if value.name == _kind(label.name)), None)
        if found:
            rest.remove(found)
        yield label, Fact(found.value if found else None, (found.span,) if found else (), certain=False)


def _fact(cell: _Cell) -> Fact:
    return Fact(cell.value, (cell.span,))


def _cells(text: str, header: Span) -> Iterator[_Cell]:
    """Labels, values, and from the first label on the lines of other words."""
    known: list[_Cell] = list(_labels(text, header))
    if not known:
        return
    start = known[0].span.start
    known += (_Cell(found.span, "date", False, found.value) for found in find_dates(text, Span(start, header.end)))
    for name, pattern in _PATTERNS.items():
        matches = pattern.finditer(text, start, header.end)
        known += (_Cell(Span(*match.span()), name, False, squeeze(match[0])) for match in matches)
    yield from known
    at = start
    for cell in [*sorted(known, key=_place), _Cell(Span(header.end, header.end), "", False)]:
        for line in re.finditer(r"[^\n\f]*[^\s,;|][^\n\f]*", text[at : cell.span.start]):
            yield _Cell(Span(at + line.start(), at + line.end()).trimmed(text), "", False)
        at = max(at, cell.span.end)


def _labels(text: str, header: Span) -> Iterator[_Cell]:
    seen: set[str] = set()
    latest = ""
    for match in _LABEL.finditer(text, header.start, header.end):
        name = match.lastgroup or ""
        # A label that comes again is another one; the halves of a broken label are one.
        if name in seen and name == latest:
            name = "other"
        yield _Cell(Span(*match.span()), "other" if name in seen else name, True)
        latest = name
        seen.add(name)
