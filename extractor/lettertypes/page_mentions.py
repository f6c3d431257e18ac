"""Pages that running text names, as distinct from pages of something else in the same text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.page_lists import PAGE_LABEL, PageList, read_pages
from extractor.lettertypes.reading import Fact, ListBounds
from extractor.lettertypes.units import sentences

# Characters around a mention in which its source is looked for: prose without full stops is one sentence.
_CLOSE = 300
# What may have been torn off the number before: "30 1".
_TORN_OFF = re.compile(r"[^\S\n]\d{1,2}\b")


class Mentions(NamedTuple):
    """``pages``: each page once, in order of first mention; ``repaired``: where a number was repaired."""

    pages: Fact
    repaired: Span | None


@dataclass(frozen=True)
class PagesInProse:
    """Which pages count: those of ``source``, and not of ``other``, by the words of their sentence.

    ``other_behind``: as ``other``, for words behind the page, where they may be verbs. ``acts``: what right behind a
    page makes it one of the source, whose pages alone do this. ``passed_over``: whether a sentence names nothing.
    """

    source: re.Pattern[str]
    other: re.Pattern[str]
    other_behind: re.Pattern[str]
    acts: re.Pattern[str]
    passed_over: Callable[[str], bool]

    def read(self, text: str, region: Span) -> Mentions:
        """The pages that a region names ("page 214", "pages 89-90").

        In a sentence that names another source and not this one, the page is the other's and is left out. Where the
        sentence names neither, the page counts if the region so far names this source and no other. Otherwise,
        and where the other is nearer by, the list is not certain; its bounds are.
        """
        found: dict[tuple[int, int], Span] = {}
        sure: set[tuple[int, int]] = set()
        unreadable: list[Span] = []
        certain, repaired = True, None
        for label, pages, counts in self._lists(text, region):
            certain &= counts and pages.certain
            if not pages.certain:
                rest = _TORN_OFF.match(text, pages.end, region.end)
                unreadable.append(Span(label.start, rest.end() if rest else pages.end))
            if (pages.repaired or not pages.certain) and repaired is None:
                repaired = Span(label.start, pages.end)
            for page in pages.pages:
                found.setdefault((page.first, page.last), page.span)
                if counts and pages.certain:
                    sure.add((page.first, page.last))
        least = (page for page in found if page in sure and not _is_inside_another(page, found))
        bounds = ListBounds(_ranges(least), _ranges(found), tuple(unreadable))
        return Mentions(Fact(list(bounds.most), tuple(found.values()), certain, bounds), repaired)

    def _lists(self, text: str, region: Span) -> Iterator[tuple[Span, PageList, bool]]:
        """Each list of pages with its label that is not another source's, and whether it is certainly of this one."""
        parts: list[Span] = []
        for match in PAGE_LABEL.finditer(text, *region):
            pages = read_pages(text, Span(match.end(), region.end), prose=True)
            if not pages.pages:
                continue
            parts = parts or sentences(text, region)
            label = Span(*match.span())
            at = bisect_right(parts, label.start, key=lambda part: part.start) - 1
            sentence = parts[max(0, at)]
            counts = self._counts(text, sentence, label)
            if counts is False or self.passed_over(sentence.of(text)):
                continue
            if counts is None:
                so_far = Span(region.start, sentence.end)
                counts = self.acts.match(text, pages.end) is not None or self._is_alone(text, so_far)
            yield label, pages, counts

    def _is_alone(self, text: str, within: Span) -> bool:
        return self.source.search(text, *within) is not None and self.other.search(text, *within) is None

    def _counts(self, text: str, sentence: Span, mention: Span) -> bool | None:
        """Whether a page is of the source; ``None`` if its sentence leaves that open."""
        near = Span(max(sentence.start, mention.start - _CLOSE), min(sentence.end, mention.end + _CLOSE))
        source = _nearest(text, near, mention, self.source, self.source)
        other = _nearest(text, near, mention, self.other, self.other_behind)
        if other is None:
            return True if source is not None else None
        if source is None:
            return False
        return True if source <= other else None


def _is_inside_another(page: tuple[int, int], found: Iterable[tuple[int, int]]) -> bool:
    """Page 345 after pages 344-345 may be named once more or not: it is the same page."""
    return any(other != page and other[0] <= page[0] and page[1] <= other[1] for other in found)


def _ranges(pages: Iterable[tuple[int, int]]) -> tuple[dict[str, int], ...]:
    return tuple({"first": first, "last": last} for first, last in pages)


def _nearest(text: str, sentence: Span, mention: Span, before: re.Pattern[str], behind: re.Pattern[str]) -> int | None:
    """Distance in characters from the mention to the nearest such word of its sentence."""
    gaps = [mention.start - match.end() for match in before.finditer(text, sentence.start, mention.start)]
    gaps += [match.start() - mention.end for match in behind.finditer(text, mention.end, sentence.end)]
    return min(gaps, default=None)
