"""Spans into raw text, and the folded form in which words are compared.

Two texts are the same words if they differ only in characters that print alike (``typography``), in
whitespace and in the blanks around a dash. Digits, letters, case and negations are never folded: a
changed one is a different text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from extractor.letters.typography import normalize

# A dash takes the blanks around it: tools differ in "Non-\nMTUS", "Non- MTUS" and "114 -117". A single
# blank or a bare dash folds to itself and is not matched; a long run of blanks is scanned once.
FOLDED_RUN = re.compile(r"[^\S ]\s*(?:-\s*)?| (?:\s+(?:-\s*)?|-\s*)|-\s+")


# Where a list of names may be cut: at a comma, at "and" or "&", or at both.
_CUT = re.compile(r",\s*(?:(?:and|&)\s+)?|\s(?:and|&)\s+")


class Span(NamedTuple):
    """A half-open range ``[start, end)`` of characters of a letter's raw text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The words this span points at."""
        return text[self.start : self.end]

    def covers(self, other: Span) -> bool:
        """Whether ``other`` is entirely inside this span."""
        return self.start <= other.start and other.end <= self.end

    def trimmed(self, text: str) -> Span:
        """The same span without blanks at either end (an all-blank span becomes empty)."""
        words = text[self.start : self.end]
        start = self.start + len(words) - len(words.lstrip())
        return Span(start, max(start, self.start + len(words.rstrip())))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """``text`` with whitespace runs, dashes and quotation marks made alike, ends trimmed.

    >>> fold("Non-\\n MTUS  \u201cCitation\u201d ")
    'Non-MTUS "Citation"'
    """
    return FOLDED_RUN.sub(_folded_run, one_quote_mark(normalize(text))).strip(" ")


def one_quote_mark(text: str) -> str:
    """``text`` with backticks as the apostrophes they are typed for."""
    return text.replace("`", "'")


def equal_when_joined(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists hold the same words in the same order, wherever their names are cut.

    A comma, "and" and "&" between names are one and the same cut. Everything else counts.

    >>> equal_when_joined(["Initial Care, and Shoulder"], ["Initial Care", "Shoulder"])
    True
    >>> equal_when_joined(["Initial Care"], ["Initial Care", "Shoulder"])
    False
    """
    return _joined(one) == _joined(other)


def _joined(names: Sequence[str]) -> str:
    return _CUT.sub(", ", ", ".join(fold(name) for name in names))


def _folded_run(match: re.Match[str]) -> str:
    return "-" if "-" in match[0] else " "
