"""Where a letter begins above what it is known by: at the table of labels that it starts with, and its letterhead."""

from __future__ import annotations

import re
from dataclasses import dataclass

from extractor.letters.spans import Span

# A header's table is short and comes right before the first heading.
_APART = 400
_HEAD_LINES = 12


@dataclass(frozen=True)
class LetterTop:
    """The top of a letter.

    ``labels``: the labels of the table; one that is certain to be the first has the group ``first``.
    ``letterhead``: what a whole line of the letterhead above it matches; an empty line must match, too.
    ``fewest``: so many labels are a table.
    """

    labels: re.Pattern[str]
    letterhead: re.Pattern[str]
    fewest: int = 0

    def above(self, text: str, within: Span) -> int | None:
        """The beginning of the letter whose table ends right at the end of ``within``; ``None`` without a table.

        Where no table is needed (``fewest`` is 0), the line of that end.
        """
        top, found = within.end, 0
        for label in reversed(list(self.labels.finditer(text, *within))):
            if top - label.end() > _APART:
                break
            top, found = label.start(), found + 1
            if label.groupdict().get("first"):
                break
        return self.with_letterhead(text, Span(within.start, top)) if found >= self.fewest else None

    def with_letterhead(self, text: str, within: Span) -> int:
        """The beginning of the line at the end of ``within``, or of the letterhead right above it."""
        start = max(within.start, _line_start(text, within.end))
        for _ in range(_HEAD_LINES):
            above = _line_start(text, start - 1)
            if start == 0 or above < within.start or text[start - 1] == "\f":
                break
            if not self.letterhead.fullmatch(text[above : start - 1].strip()):
                break
            start = above
        return start


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, max(0, at)), text.rfind("\f", 0, max(0, at))) + 1
