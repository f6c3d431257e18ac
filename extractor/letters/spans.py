"""Spans into raw text, and a folded view of the text for matching.

Raw text is never changed. Matching happens on a *folded* view in which only whitespace, dashes
and quotation marks are made alike; an offset map carries every match back to raw characters.
Digits, letters, case and negations are never folded: a changed one is a different text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

# One character for one character, so that the translation alone moves no offset.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u0060\u00b4"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_ALIKE = str.maketrans({**dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_SINGLE, "'"), **dict.fromkeys(_DOUBLE, '"')})
# A dash takes the blanks around it: tools differ in "Non-\nMTUS", "Non- MTUS" and "114 -117". A single
# blank or a bare dash folds to itself and is not matched; a long run of blanks is looked at once.
_RUN = re.compile(r"[^\S ]\s*(?:-\s*)?| (?:\s+(?:-\s*)?|-\s*)|-\s+")


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
        """Whether ``other`` lies wholly inside this span."""
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
    return _RUN.sub(_folded_run, text.translate(_ALIKE)).strip(" ")


def same_when_joined(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists hold the same words in the same order, wherever their names are cut.

    A comma, "and" and "&" between names are one and the same cut. Everything else counts.

    >>> same_when_joined(["Initial Care, and Shoulder"], ["Initial Care", "Shoulder"])
    True
    >>> same_when_joined(["Initial Care"], ["Initial Care", "Shoulder"])
    False
    """
    return _joined(one) == _joined(other)


def _joined(names: Sequence[str]) -> str:
    return _CUT.sub(", ", ", ".join(fold(name) for name in names))


def _folded_run(match: re.Match[str]) -> str:
    return "-" if "-" in match[0] else " "


class FoldedText:
    """The folded view of one raw text, with the way back to raw offsets.

    Building it is linear in the text; ``find`` is a plain substring search.
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw
        # folded[i] in the view stands for raws[i] in the raw text; linear in between.
        folded, raws = [0], [0]
        pieces: list[str] = []
        at = length = 0
        alike = raw.translate(_ALIKE)
        for match in _RUN.finditer(alike):
            start, end = match.span()
            length += start - at
            dash = alike.find("-", start, end)
            if dash >= 0:  # point at the dash itself, not at the blanks before it
                folded.append(length)
                raws.append(dash)
            pieces += (alike[at:start], " " if dash < 0 else "-")
            length += 1
            folded.append(length)
            raws.append(end)
            at = end
        pieces.append(alike[at:])
        self.view = "".join(pieces)
        self._folded, self._raw = folded, raws

    def _to_raw(self, folded: int) -> int:
        i = bisect_right(self._folded, folded) - 1
        return self._raw[i] + folded - self._folded[i]

    def _to_folded(self, raw: int) -> int:
        i = bisect_right(self._raw, raw) - 1
        folded = self._folded[i] + raw - self._raw[i]
        # Inside a run that was folded away, every raw offset stands for the run's one character.
        return min(folded, self._folded[i + 1]) if i + 1 < len(self._folded) else min(folded, len(self.view))

    def find(self, needle: str, within: Span | None = None) -> Span | None:
        """The first place where ``needle`` stands, up to folding, as a raw span; else ``None``.

        The needle must begin and end at a word's edge: "page 30" does not stand in "page 301".
        """
        return next(self.find_all(needle, within), None)

    def find_all(self, needle: str, within: Span | None = None) -> Iterator[Span]:
        """Every place of ``needle``, in order, as raw spans."""
        folded = fold(needle)
        if not folded:
            return
        low = self._to_folded(within.start) if within else 0
        high = self._to_folded(within.end) if within else len(self.view)
        at = self.view.find(folded, low, high)
        while at >= 0:
            end = at + len(folded)
            if self._whole_words(at, end):
                raw = Span(self._to_raw(at), self._to_raw(end - 1) + 1)
                if within is None or within.covers(raw):
                    yield raw
            at = self.view.find(folded, at + 1, high)

    def _whole_words(self, start: int, end: int) -> bool:
        view = self.view
        cuts_before = start > 0 and view[start].isalnum() and view[start - 1].isalnum()
        cuts_after = end < len(view) and view[end - 1].isalnum() and view[end].isalnum()
        return not cuts_before and not cuts_after
