"""Where paragraphs and sentences begin in text whose blank lines tools double, drop and move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.letters.spans import Span

_BREAK = re.compile(r"[^\S\n]*\n(?P<blank>(?:[^\S\n]*\n)*)")
_ENDED = re.compile(r"[.?!][\"')]*\Z")
_SENTENCE_END = re.compile(r"[.?!][\"')]*(?:\s+(?=[\"'(]?[A-Z0-9#])|[^\S\n]*\n\s*)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|St|No|Nos|vs|approx|tabs?|caps?|mg|ml|qty|e\.g|i\.e|fig|ext|hrs?|wks?|mos?|min|lbs?)|^\d{1,2})\.\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Layout:
    """How the tool that made a text set its lines: doubled line ends, blank lines kept, full width."""

    double: bool
    blanks_kept: bool
    width: int

    @classmethod
    def of(cls, text: str, label_starts: list[int]) -> Layout:
        """Measured on the text: blank lines count as kept if most labels are set off from the text before them."""
        lines = sorted(filter(None, map(len, map(str.rstrip, text.split("\n")))))
        double = text.count("\n\n") * 3 > text.count("\n")
        apart = sum(_blank_lines(text[max(0, start - 20) : start]) >= 1 + double for start in label_starts)
        return cls(double, apart * 2 >= len(label_starts), lines[int(len(lines) * 0.95)] if lines else 0)

    def last_paragraph(self, text: str, within: Span, ended: re.Pattern[str]) -> tuple[int | None, bool]:
        """Where the last paragraph in ``within`` begins, and whether it is set apart; ``None`` for text without lines.

        ``ended``: what ends a paragraph beside a full stop.
        """
        if text.find("\n", *within) < 0:
            return None, False
        start, apart = within.start, True
        for at, is_apart in self._paragraph_starts(text, within, ended):
            start, apart = at, is_apart
        return skip_blanks(text, start, within.end), apart

    def _paragraph_starts(self, text: str, within: Span, ended: re.Pattern[str]) -> Iterator[tuple[int, bool]]:
        """Where a new paragraph may begin in ``within``, and whether it is set apart; the last is the likeliest.

        Where blank lines were kept, a paragraph ends at one, unless the line before it is a full line
        without a full stop: then the blank line is a page break. Where they were dropped, it ends with
        any line that ends a sentence.
        """
        at = within.start
        for line in _BREAK.finditer(text, *within):
            body, end, at = text[at : line.start()], line.end(), line.end()
            separated = line["blank"].count("\n") > self.double or "\f" in text[line.start() : end + 2]
            if self.blanks_kept and not separated and body:
                continue
            words = body.strip()
            is_ended = _ENDED.search(words) is not None or ended.search(words) is not None
            if not words or (is_ended and (separated or not self.blanks_kept)):
                yield end, separated
            elif separated:
                following = text[end : end + 60].split(None, 1)
                if following and self.width - len(body) > len(following[0]) + 1:  # broken early
                    yield end, separated


def _blank_lines(before: str) -> int:
    return before[len(before.rstrip()) :].count("\n") - 1


def skip_blanks(text: str, at: int, end: int) -> int:
    """The first offset from ``at`` on that holds no blank, or ``end``."""
    while at < end and text[at].isspace():
        at += 1
    return at


def sentence_starts(text: str, within: Span) -> Iterator[int]:
    """Where sentences or phrases may begin: at the start, behind a full stop, on a line behind one."""
    yield skip_blanks(text, within.start, within.end)
    for end in _SENTENCE_END.finditer(text, within.start, within.end):
        word = text[max(within.start, end.start() - 8) : end.start() + 1]
        if end.end() < within.end and not _ABBREVIATION.search(word):
            yield end.end()
