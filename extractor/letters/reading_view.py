"""Views of a letter's raw text that reading and matching work on, each with the way back to raw offsets.

Raw text is never changed. The *reading view* holds it in plain characters (``typography``), which may be
more or fewer. The *folded view* on top of it also makes blanks, line ends and the blanks around a dash alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from extractor.letters.spans import FOLDED_RUN, Span, fold, one_quote_mark
from extractor.letters.typography import edits, is_plain, one_for_one, with_line_ends


class OffsetMap:
    """Corresponding offsets of a view and of the raw text, in pieces.

    Piece i runs to where the next one begins. In an edited piece no single characters correspond: each
    of its offsets maps to the piece as a whole.
    """

    def __init__(self) -> None:
        self._views, self._raws, self._edited = [0], [0], [False]

    def begin_piece(self, view: int, raw: int, *, edited: bool) -> None:
        """Begin a piece at these offsets."""
        self._views.append(view)
        self._raws.append(raw)
        self._edited.append(edited)

    @property
    def is_plain(self) -> bool:
        """Whether every offset maps to itself."""
        return len(self._views) == 1

    def to_raw(self, span: Span) -> Span:
        """The raw span of a span of the view."""
        start = self._raw_offset(span.start)
        return Span(start, max(start, self._raw_end(span.end)) if span.end > span.start else start)

    def from_raw(self, span: Span) -> Span:
        """The span of the view for a raw span."""
        return Span(self._view_offset(span.start, after=False), self._view_offset(span.end, after=True))

    def _raw_offset(self, view: int) -> int:
        i = bisect_right(self._views, view) - 1
        return self._raws[i] if self._edited[i] else self._raws[i] + view - self._views[i]

    def _raw_end(self, view: int) -> int:
        """The end of the raw character that the view shows before ``view``."""
        i = bisect_right(self._views, view - 1) - 1
        return self._raws[i + 1] if self._edited[i] else self._raws[i] + view - self._views[i]

    def _view_offset(self, raw: int, *, after: bool) -> int:
        i = bisect_right(self._raws, raw) - 1
        if not self._edited[i]:
            return self._views[i] + raw - self._raws[i]
        return self._views[i + 1] if after and raw > self._raws[i] else self._views[i]


@dataclass(frozen=True)
class ReadingView:
    """A raw text in plain characters, as it looks to a reader, with a map back to raw offsets."""

    text: str
    offsets: OffsetMap = field(default_factory=OffsetMap, repr=False, compare=False)

    @classmethod
    def of(cls, raw: str) -> ReadingView:
        """The view of a raw text. An ASCII text is its own view, at no cost."""
        offsets = OffsetMap()
        raw = with_line_ends(raw)
        if is_plain(raw):
            return cls(raw, offsets)
        alike = one_for_one(raw)
        pieces: list[str] = []
        at = length = 0
        for edit in edits(raw):
            pieces += (alike[at : edit.start], edit.plain)
            length += edit.start - at
            offsets.begin_piece(length, edit.start, edited=True)
            length += len(edit.plain)
            offsets.begin_piece(length, edit.end, edited=False)
            at = edit.end
        return cls("".join((*pieces, alike[at:])), offsets)

    def to_raw(self, span: Span) -> Span:
        """The raw span of a span of the view; half a ligature maps to the whole."""
        return span if self.offsets.is_plain else self.offsets.to_raw(span)

    def from_raw(self, span: Span) -> Span:
        """The span of the view for a raw span."""
        return span if self.offsets.is_plain else self.offsets.from_raw(span)

    def without(self, spans: Sequence[Span]) -> ReadingView:
        """The same view with some of its spans turned into blanks."""
        return replace(self, text=blanked(self.text, spans)) if spans else self


def blanked(text: str, spans: Sequence[Span]) -> str:
    """``text`` with each of ``spans`` turned into blanks, so that every offset stays."""
    if not spans:
        return text
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += (text[at : span.start], " " * (span.end - span.start))
        at = span.end
    return "".join((*pieces, text[at:]))


class FoldedText:
    """The folded view of a text, in which words are looked up.

    Building it is linear in the text; ``find`` is a plain substring search. Spans that go in and come
    out are raw ones.
    """

    def __init__(self, text: str | ReadingView) -> None:
        self._reading = text if isinstance(text, ReadingView) else ReadingView.of(text)
        read = one_quote_mark(self._reading.text)
        # folded[i] in the view corresponds to reads[i] in the reading view; linear in between.
        folded, reads = [0], [0]
        pieces: list[str] = []
        at = length = 0
        for match in FOLDED_RUN.finditer(read):
            start, end = match.span()
            length += start - at
            dash = read.find("-", start, end)
            if dash >= 0:  # point at the dash itself, not at the blanks before it
                folded.append(length)
                reads.append(dash)
            pieces += (read[at:start], " " if dash < 0 else "-")
            length += 1
            folded.append(length)
            reads.append(end)
            at = end
        pieces.append(read[at:])
        self.view = "".join(pieces)
        self._folded, self._read = folded, reads

    def find(self, needle: str, within: Span | None = None) -> Span | None:
        """The first occurrence of ``needle``, up to folding, as a raw span; else ``None``.

        The needle must begin and end at a word's edge: "page 30" does not occur in "page 301".
        """
        return next(self.find_all(needle, within), None)

    def find_all(self, needle: str, within: Span | None = None) -> Iterator[Span]:
        """Every place of ``needle``, in order, as raw spans."""
        folded = fold(needle)
        if not folded:
            return
        region = self._reading.from_raw(within) if within else None
        low = self._to_folded(region.start) if region else 0
        high = self._to_folded(region.end) if region else len(self.view)
        at = self.view.find(folded, low, high)
        while at >= 0:
            end = at + len(folded)
            if self._whole_words(at, end):
                found = Span(self._to_read(at), self._to_read(end - 1) + 1)
                if region is None or region.covers(found):
                    yield self._reading.to_raw(found)
            at = self.view.find(folded, at + 1, high)

    def _to_read(self, folded: int) -> int:
        i = bisect_right(self._folded, folded) - 1
        return self._read[i] + folded - self._folded[i]

    def _to_folded(self, read: int) -> int:
        i = bisect_right(self._read, read) - 1
        folded = self._folded[i] + read - self._read[i]
        # Inside a run that was folded away, every offset maps to the run's one character.
        return min(folded, self._folded[i + 1]) if i + 1 < len(self._folded) else min(folded, len(self.view))

    def _whole_words(self, start: int, end: int) -> bool:
        view = self.view
        cuts_before = start > 0 and view[start].isalnum() and view[start - 1].isalnum()
        cuts_after = end < len(view) and view[end - 1].isalnum() and view[end].isalnum()
        return not cuts_before and not cuts_after
