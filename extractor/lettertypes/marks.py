"""What is recognized in a letter, as marks on its text: sections, facts, dates, running headers and footers, notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal, NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.leaves import records_at
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.page_ranges import is_page_range, page_range_text
from extractor.lettertypes.reading import Block, Fact, Reading, dates_in

Kind = Literal["section", "fact", "date", "running_line", "note"]


class TextMark(NamedTuple):
    """A stretch of a letter that was recognized.

    ``value`` is what was read there, where that differs from the words. ``certain`` is false where
    the reader had to choose. ``path`` is a JSON pointer into the reading, ``""`` where there is none.
    """

    span: Span
    label: str
    kind: Kind
    path: str = ""
    value: str = ""
    certain: bool = True
    protected: bool = False


def marks_of(reading: Reading, letter_type: LetterType) -> list[TextMark]:
    """Everything recognized, in the letter's order; an enclosing mark comes before those inside it."""
    letter = reading.letter
    marks = [TextMark(span, "running_line", "running_line") for span in letter.running_lines]
    marks += (TextMark(note.span, note.code, "note") for note in letter.notes if note.span)
    if reading.recognized:
        marks += _block(reading.root, "", letter_type)
        marks += (TextMark(odd.span, odd.code, "note") for odd in reading.oddities)
    known = [mark.span for mark in marks if mark.kind == "fact"]
    read = {span for span in known if span.end - span.start <= _LONGEST_DATE}
    for found in dates_in(letter, Span(0, len(letter.text))):
        if found.span not in read:
            marks.append(TextMark(found.span, "date", "date", value=found.value.isoformat()))
    marks = [mark for mark in dict.fromkeys(marks) if _is_visible(mark, letter.text)]
    return sorted(marks, key=lambda mark: (mark.span.start, -mark.span.end, mark.kind != "section", mark.path))


_LONGEST_DATE = 30


def _is_visible(mark: TextMark, text: str) -> bool:
    """Whether there is anything to mark; a section that was cut off the letter may be a blank line."""
    return bool(mark.span.of(text).strip()) if mark.kind == "section" else mark.span.start < mark.span.end


def _block(block: Block, path: str, letter_type: LetterType) -> Iterator[TextMark]:
    for name, region in block.regions.items():
        if region != block.span:
            yield TextMark(region, name, "section", f"{path}/{name}")
    for name, fact in block.facts.items():
        yield from _fact(name, fact, f"{path}/{name}", letter_type)
    for name, inner in block.blocks.items():
        numbered = records_at(letter_type.schema, f"{path}/{name}") is not None
        for number, each in enumerate(inner):
            label = f"{name} {number + 1}" if numbered else name
            here = f"{path}/{name}/{number}" if numbered else f"{path}/{name}"
            if each.span not in block.regions.values():
                yield TextMark(each.span, label, "section", here, certain=each.certain)
            yield from _block(each, here, letter_type)


def _fact(name: str, fact: Fact, path: str, letter_type: LetterType) -> Iterator[TextMark]:
    values = fact.value if isinstance(fact.value, list) and len(fact.value) == len(fact.spans) else None
    for number, span in enumerate(fact.spans):
        text = _value_text(values[number] if values is not None else fact.value)
        yield TextMark(span, name, "fact", path, text, fact.certain, letter_type.is_protected(path))


def _value_text(value: Any) -> str:
    """A value in a few characters; empty for words, which are there themselves."""
    if isinstance(value, date):
        return value.isoformat()
    if is_page_range(value):
        return page_range_text(value)
    if isinstance(value, str):
        return value if "_" in value or (value.islower() and value.isalpha()) else ""
    return str(value) if isinstance(value, int) else ""
