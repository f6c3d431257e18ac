"""A table of labels and values, in whatever order a tool gives its cells.

A value belongs to the label before it. Where a column of labels comes first and a column of values after it,
they are taken in order. Text in a value's place that is not a value makes the field uncertain, not null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, find_dates, squeeze

_WORD = re.compile(r"[A-Za-z]{2}")
_LINE = re.compile(r"[^\n\f]*[^\s,;|][^\n\f]*")
# Words or lines in place of a value that mean there is none.
_NO_VALUE = re.compile(
    r"[_.\s-]*(?:n\s?/\s?a|none|not\s+(?:given|applicable|available|stated|provided))?[_.\s-]*", re.I
)
_DATE = "date"
_OTHER = "other"
_PLACE = attrgetter("span")


class _Cell(NamedTuple):
    """A label (``value`` is ``None``), a value of the kind ``name``, or other words (``name`` is empty)."""

    span: Span
    name: str
    is_label: bool
    value: Any = None


@dataclass(frozen=True)
class LabelTable:
    """A table whose fields are known by their labels.

    ``labels``: for each field the pattern of its label, case ignored. ``values``: for a field that is no date, the
    pattern of its value. ``begin``: the characters that a label may begin with. ``no_label``: words that
    begin no label but those of the fields; any other capitalized words before a colon are a label of something else.
    """

    labels: Mapping[str, str]
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    begin: str = r"\w"
    no_label: str = r"(?!)"

    def read(self, text: str, region: Span) -> dict[str, Fact]:
        """A fact for each field; its value is ``None`` where the table does not hold it."""
        facts = {name: Fact(None) for name in self.labels}
        cells = sorted(self._cells(text, region), key=_PLACE)
        groups: list[Sequence[_Cell]] = [list(group) for _, group in groupby(cells, key=attrgetter("is_label"))]
        for labels, values in zip(groups, [*groups[1:], ()], strict=False):
            if labels[0].is_label:
                for label, fact in self._pairs(text, labels, values):
                    if label.name in facts:
                        facts[label.name] = fact
        unlabeled = facts.keys() - {cell.name for cell in cells if cell.is_label}
        for kind, span in self._unclaimed(text, region, facts) if unlabeled else ():
            facts |= {name: Fact(None, (span,), certain=False) for name in unlabeled if self._kind(name) == kind}
        return facts

    @cached_property
    def _label(self) -> re.Pattern[str]:
        # Where no label can begin, one look at one letter is enough.
        each = "|".join(f"(?P<{name}>{pattern})" for name, pattern in self.labels.items())
        other = rf"(?<![^\n])(?P<{_OTHER}>(?!{self.no_label})(?-i:[A-Z])[a-z ()/#]{{1,30}}:)"
        return re.compile(rf"(?<![A-Za-z])(?:(?=[{self.begin}])(?:{each})|{other})", re.IGNORECASE)

    def _kind(self, name: str) -> str:
        return name if name in self.values else _DATE

    def _unclaimed(self, text: str, region: Span, facts: Mapping[str, Fact]) -> Iterator[tuple[str, Span]]:
        """Values after words that are no known label, by kind: they may belong to another wording of a label."""
        claimed = {span for fact in facts.values() for span in fact.spans}
        for value in self._values(text, region):
            line = text[text.rfind("\n", 0, value.span.start) + 1 : value.span.start]
            if value.span not in claimed and _WORD.search(line):
                yield value.name, value.span

    def _pairs(self, text: str, labels: Sequence[_Cell], values: Sequence[_Cell]) -> Iterator[tuple[_Cell, Fact]]:
        """Labels in a row, and the text after them up to the next label."""
        last = labels[-1]
        if len(labels) > 1 and values and "\n" in text[last.span.end : values[0].span.start]:
            yield from self._columns(labels, values)
            return
        for label in labels[:-1]:
            yield label, Fact(None)
        yield last, self._behind(text, last, values)

    def _behind(self, text: str, label: _Cell, values: Sequence[_Cell]) -> Fact:
        """The value after a label; not certain where something else is there."""
        if not values:
            return Fact(None)
        if values[0].name == self._kind(label.name):
            return Fact(values[0].value, (values[0].span,))
        if values[0].name == "" and _NO_VALUE.fullmatch(values[0].span.of(text)):
            return Fact(None)
        line_end = text.find("\n", values[0].span.start)
        for value in values:
            if value.name == self._kind(label.name) and (line_end < 0 or value.span.start < line_end):
                return Fact(value.value, (value.span,), certain=False)
        return Fact(None, (values[0].span,), certain=False)

    def _columns(self, labels: Sequence[_Cell], values: Sequence[_Cell]) -> Iterator[tuple[_Cell, Fact]]:
        """A column of labels, then one of values: in order, if each value is of its label's kind or is unreadable."""
        fitting = [value.name in ("", self._kind(label.name)) for label, value in zip(labels, values, strict=False)]
        if len(fitting) == len(labels) and all(fitting):
            for label, value in zip(labels, values, strict=False):
                yield label, Fact(value.value, (value.span,), certain=value.name != "")
            return
        rest = list(values)
        for label in labels:
            found = next((value for value in rest if value.name == self._kind(label.name)), None)
            if found:
                rest.remove(found)
            yield label, Fact(found.value if found else None, (found.span,) if found else (), certain=False)

    def _cells(self, text: str, region: Span) -> Iterator[_Cell]:
        """Labels, values, and from the first label on the lines of other words."""
        known: list[_Cell] = list(self._labels(text, region))
        if not known:
            return
        at = known[0].span.start
        known += self._values(text, Span(at, region.end))
        yield from known
        for cell in [*sorted(known, key=_PLACE), _Cell(Span(region.end, region.end), "", False)]:
            for line in _LINE.finditer(text[at : cell.span.start]):
                yield _Cell(Span(at + line.start(), at + line.end()).trimmed(text), "", False)
            at = max(at, cell.span.end)

    def _values(self, text: str, within: Span) -> Iterator[_Cell]:
        for found in find_dates(text, within):
            yield _Cell(found.span, _DATE, False, found.value)
        for name, pattern in self.values.items():
            for match in pattern.finditer(text, *within):
                yield _Cell(Span(*match.span()), name, False, squeeze(match[0]))

    def _labels(self, text: str, region: Span) -> Iterator[_Cell]:
        seen: set[str] = set()
        latest = ""
        for match in self._label.finditer(text, *region):
            name = match.lastgroup or ""
            # A label that comes again is another one; the halves of a broken label are one.
            if name in seen and name == latest:
                name = _OTHER
            yield _Cell(Span(*match.span()), _OTHER if name in seen else name, True)
            latest = name
            seen.add(name)
