"""Running headers and footers, which fall into the middle of paragraphs and sentences.

Nothing is a running line because it looks odd. It must be at the edge of the letter's pages and
come back from page to page: word for word, or with a page number that counts up. Pages end at
form feeds; where a text has none, at lines that give a page's number ("Page 2 of 4") and count up.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractor.letters.spans import Span

# A running header has a few lines, counted from the outside; anything deeper is the letter's own text.
_DEEPEST = 4
_LONGEST = 200
_MOST_PAGES = 1_000
_LINE = re.compile(r"[^\n\r\f]*\S[^\n\r\f]*")
_NUMBER = re.compile(r"\d+")
# Where a page number may be in a text without form feeds; never a number alone. Each begins with
# letters that are found in one step: nearly all letters have no such line.
_ANCHORS = tuple(
    map(re.compile, (r"age[ \t]+\d", r"AGE[ \t]+\d", r"-\d{5,9}[ \t]+\d", r"- \d{1,3} -", r"\| ?[Pp] ?[Aa] ?[Gg]"))
)
_PAGE_OF = re.compile(r"\bpage \d{1,3} ?(?:of|/) ?\d{1,3}\b", re.IGNORECASE)
_NAMES_PAGE = re.compile(r"\b(?:page|pg\.?) ?\d|\bp\.? ?\d+ ?/ ?\d|\d ?\| ?p ?a ?g ?e\b", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{5}")
_NUMBER_ALONE = re.compile(
    r"(?:- ?|\| ?|\[ ?)?(?:(?:page|pg\.?) ?)?\d{1,3}(?: ?(?:of|/) ?\d{1,3})?(?: ?[-\]])?(?: ?\| ?p ?a ?g ?e)?",
    re.IGNORECASE,
)
# A number after one of these may belong to the sentence.
_WAITS_FOR_A_NUMBER = re.compile(r"(?:[,:#-]|[\u2010-\u2015]|\band|\bto|\bpages?|\bof)\s*\Z", re.IGNORECASE)
_ENDS_A_SENTENCE = re.compile(r"[.?!:;][\"')\u201d]*\Z")
_COMPANY = re.compile(r"\b(?:Inc|Ltd|Corp|Co|LLC)\.\Z")


@dataclass(frozen=True, order=True)
class _Line:
    span: Span
    words: str  # whitespace made one blank
    key: str  # the same with every number masked
    numbers: tuple[int, ...]


@dataclass
class _Page:
    """The lines of one page that are not known as running ones, as ``lines[top:bottom]``."""

    lines: list[_Line]
    top: int = 0
    bottom: int = 0

    def edge(self, at_top: bool) -> _Line | None:
        if self.top >= self.bottom:
            return None
        return self.lines[self.top] if at_top else self.lines[self.bottom - 1]

    def peel(self, at_top: bool) -> None:
        if at_top:
            self.top += 1
        else:
            self.bottom -= 1


def running_lines(text: str, pages: Sequence[Span]) -> list[Span]:
    """The lines of ``text`` that are running headers or footers, in order; usually none.

    ``pages`` are the spans of the pages where the text marks them, else empty. Linear in the text.
    """
    if pages:
        return sorted(_at_edges(text, pages)) if len(pages) <= _MOST_PAGES else []
    anchors = _counting_anchors(text)
    if not anchors:
        return []
    ends = [anchor.start for anchor in anchors]
    starts = [anchor.end for anchor in anchors]
    between = [Span(start, end) for start, end in zip([0, *starts], [*ends, len(text)], strict=True)]
    lines = [*anchors, *_at_edges(text, [page for page in between if page.of(text).strip()])]
    # The first page's head may hold text found nowhere else.
    first = anchors[0]
    own = not text[: first.start].strip() and not _NUMBER_ALONE.fullmatch(first.of(text))
    return sorted(line for line in lines if not own or line != first)


def _counting_anchors(text: str) -> list[Span]:
    """Lines that give a page's number, alike but for that number, which counts up by one; two at least."""
    lines = {_line_at(text, match.start()) for pattern in _ANCHORS for match in pattern.finditer(text)}
    alike: dict[str, list[_Line]] = defaultdict(list)
    for line in sorted(line for line in lines if line):
        if _NUMBER_ALONE.fullmatch(line.words) or _PAGE_OF.search(line.words) or _LONG_NUMBER.search(line.words):
            alike[line.key].append(line)
    found = []
    for group in alike.values():
        numbers = [line.numbers for line in group]
        places = [i for i, first in enumerate(numbers[0]) if all(n[i] == first + k for k, n in enumerate(numbers))]
        rest = {tuple(n for i, n in enumerate(each) if i not in places) for each in numbers}
        if len(group) > 1 and len(places) == 1 and len(rest) == 1:
            found += [line.span for line in group]
    return sorted(found)


def _line_at(text: str, at: int) -> _Line | None:
    """The line around an offset, unless it is too long for a running one."""
    start = text.rfind("\n", max(0, at - _LONGEST), at) + 1
    end = text.find("\n", at, at + _LONGEST)
    if (start == 0 and at > _LONGEST) or (end < 0 and at + _LONGEST < len(text)):
        return None
    return _line(text, Span(start, end if end >= 0 else len(text)))


def _at_edges(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Peel the pages from the outside, one line at a time, as long as the outermost line is a running one."""
    pages = [_page(text, span) for span in spans]
    if len(pages) < 2:
        return
    known: Counter[str] | None = None
    for _ in range(_DEEPEST):
        peeled = False
        for at_top in (False, True):
            edges = [page.edge(at_top) for page in pages]
            groups: dict[str, list[int]] = defaultdict(list)
            for number, line in enumerate(edges):
                if line:
                    groups[line.key].append(number)
            for members in groups.values():
                lines = {number: line for number in members if (line := edges[number])}
                if known is None and len(lines) > 1:
                    known = Counter(line.words for page in pages for line in page.lines)
                if _counts_up(lines, pages, at_top) or (known and _is_constant(lines, pages, at_top, known)):
                    for number, line in lines.items():
                        pages[number].peel(at_top)
                        # The first page's head may hold text found nowhere else.
                        if number or not at_top or _NUMBER_ALONE.fullmatch(line.words):
                            yield line.span
                    peeled = True
        if not peeled:
            return


def _page(text: str, span: Span) -> _Page:
    lines = [_line(text, Span(*match.span())) for match in _LINE.finditer(text, span.start, span.end)]
    return _Page(lines, 0, len(lines))


def _line(text: str, span: Span) -> _Line:
    span = span.trimmed(text)
    words = " ".join(span.of(text).split())
    numbers = tuple(int(number[:9]) for number in _NUMBER.findall(words))
    return _Line(span, words, _NUMBER.sub("#", words).lower(), numbers)


def _counts_up(lines: dict[int, _Line], pages: Sequence[_Page], at_top: bool) -> bool:
    """Whether a number in these lines, alike but for their numbers, counts with the pages."""
    first = next(iter(lines.values()))
    if _ends_a_sentence(first.words):
        return False
    alone = _NUMBER_ALONE.fullmatch(first.words) is not None
    if len(lines) == 1:
        number = next(iter(lines))
        return alone and first.numbers[0] == number + 1 and not _is_awaited(number, pages, at_top)
    places = [place for place in range(len(first.numbers)) if _counts_at(place, lines)]
    if not places or _NAMES_PAGE.search(first.words):
        return bool(places)
    if alone:
        every = len(lines) == len(pages) and first.numbers[places[0]] == 1
        return every or len(lines) > 2 or not any(_is_awaited(number, pages, at_top) for number in lines)
    # The letter's numbered headings count up too; a running line also holds the number of the case.
    rest = {tuple(n for i, n in enumerate(line.numbers) if i not in places) for line in lines.values()}
    return len(rest) == 1 and bool(_LONG_NUMBER.search(first.words))


def _counts_at(place: int, lines: dict[int, _Line]) -> bool:
    return len({line.numbers[place] - number for number, line in lines.items()}) == 1


def _is_awaited(number: int, pages: Sequence[_Page], at_top: bool) -> bool:
    """Whether the text before a bare number asks for one: a page list continues across the page break."""
    page = pages[number]
    if at_top:
        before = pages[number - 1].edge(False) if number else None
    else:
        before = page.lines[page.bottom - 2] if page.bottom - page.top > 1 else None
    return before is not None and _WAITS_FOR_A_NUMBER.search(before.words) is not None


def _is_constant(lines: dict[int, _Line], pages: Sequence[_Page], at_top: bool, known: Counter[str]) -> bool:
    """Whether the same words are at this edge of every page, and nowhere else.

    The first page may lack a header and the last one a footer; such lines must cut through a
    sentence somewhere, which no heading of the letter does.
    """
    words = {line.words for line in lines.values()}
    if len(words) != 1 or len(lines) < 2:
        return False
    [word] = words
    if _ends_a_sentence(word) or known[word] != len(lines):
        return False
    missing = set(range(len(pages))) - set(lines)
    if missing - {0 if at_top else len(pages) - 1}:
        return False
    if not missing and (at_top or len(pages) > 2):
        return True
    ends = [number - 1 for number in lines if number] if at_top else [n for n in lines if n + 1 < len(pages)]
    return any(_is_unfinished(pages[end], at_top, word) for end in ends)


def _is_unfinished(page: _Page, at_top: bool, footer: str) -> bool:
    """Whether the page's own text ends inside a sentence."""
    last = page.lines[: page.bottom] if at_top else [line for line in page.lines[: page.bottom] if line.words != footer]
    return bool(last) and not _ends_a_sentence(last[-1].words)


def _ends_a_sentence(words: str) -> bool:
    return _ENDS_A_SENTENCE.search(words) is not None and not _COMPANY.search(words)
