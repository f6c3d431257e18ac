"""Lists of cited pages: their label, the numbers after it, and the damage that scans do to both.

A list is read as printed: ``301, 340``, ``177-179``, ``92 of 127``. Where a scan or a PDF tool broke
it (``3O1``, ``30 1``, ``177179``) it is repaired and marked as repaired; if more than one reading is
possible, it is not certain. A digit is never changed for another digit.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from extractor.letters.spans import Span

# Letters that OCR yields for digits. Those of the second table may also be other digits.
_FOR_DIGITS = str.maketrans("OoIl|", "00111")
_PERHAPS = str.maketrans("SBZt", "5821")
_DIGIT = r"[OoIl|]{0,2}\d"
PAGE_LABEL = re.compile(
    rf"""
    (?=[Pp])(?:(?<![A-Za-z-])|(?<=(?-i:[a-z]))(?=(?-i:P)))(?:
      # "Page(s):", "Pages(s)", "Page (s) ;"
      p\s?a\s?g\s?[ec]\s?s?\s{{0,2}}[(\[{{]\s?[s5]\s?[)\]}}](?:\s*[:;.=-]{{1,2}})?(?:\s*\.)?
      # "Pageis):", "Page(sh-", "Pages:"
    | page[(\[{{ift1l]?s[)\]}}hitlj1]?\s*[:;.=-]{{1,2}}(?:\s*\.)?(?=\s*[SBZt]?{_DIGIT})
    | pages?(?:\s*(?:nos?\.?|\#|numbers?))?(?:\s*[:;.])?(?=\s*(?:{_DIGIT}|(?-i:[SBZ])\d\d\b))
    | pgs?\b\.?(?:\s*:)?(?=\s*\d) | pp?\.(?=\s*\d) | (?<=\()p(?=\s\d)
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(
    r"(?=[OoIl|SBZt]{0,2}\d)(?P<n>[\dOoIl|SBZt]{1,8})(?![A-Za-z0-9]|\.\d)|(?P<glued>\d{1,4})(?=[a-z]{2}|[A-Z][a-z])"
)
# Also the dash after a wrong decoding, and its HTML entities.
_DASH = (
    r"(?:-\s*-?|[\u00ad\u2010-\u2015\u2212\ufffe~]|&[mn]dash;|&#821[12];|\u00e2\u20ac[\"\u2013\u201c\u201d]"
    r"|\bto\b|\bthrough\b|\bthru\b)"
)
_RANGE = re.compile(rf"(?:\.(?=-))?\s*{_DASH}\s*")
_DANGLING = re.compile(r"-(?=\s|\Z)")
_JOINT = re.compile(
    r"(?:\s*\.(?=\s*,))?\s*(?:,\s*and\b|,\s*&|,|;|\band\b|&)\s*(?:(?:page|pg|pp?)s?\b\.?\s*(?:\(s\))?\s*)?",
    re.IGNORECASE,
)
_OF_TOTAL = re.compile(r"\s+of\s+(?P<total>\d{1,4})\b", re.IGNORECASE)
# What is cited is longer than this; a letter or a fax counts its own pages in this way: "page 1 of 3".
_SHORTEST_WORK = 30
_MEASURE = re.compile(
    r"\s?%|\s?(?:m[gl]|mcg|weeks?|wks?|months?|days?|hours?|years?|visits?|sessions?|times|refills?|tablets?)\b",
    re.IGNORECASE,
)
_DATE_GOES_ON = re.compile(r"\s?[/-]\d")
# A number alone on the line next to a page's end may be the letter's own page number.
_AT_A_PAGES_END = re.compile(r"[^\S\n\f]*\n?[^\S\n\f]*\f")
_YEAR = re.compile(r"(?:19|20)\d\d")
# The rest of a number that was torn apart: "30 1", "3 0 1", "1 14-117". It ends the list or begins a range.
_TORN = re.compile(rf"(?P<more>(?:[^\S\n]{{1,2}}[0-9OoIl|]{{1,2}}){{1,2}})(?=\s*(?:[.,;:)]|{_DASH}\s*\d|\n|\Z))")
_TORN_IN_PROSE = re.compile(r"[^\S\n]\d{1,2}(?=\s+(?:of|in|and|the)\b)")
_NO_COMMA = re.compile(r"[^\S\n]{1,2}(?=[OoIl|]{0,2}\d)(?=[\dOoIl|]{2,3}\s*(?:[.,;)]|\n|\Z))")
_NOTHING = re.compile(r"[\s.,;:]*\Z")
# Behind a comma neither a number nor a word: what scans make of a number alone on its line ("67-69,\n: 2.").
_LOST_NUMBER = re.compile(r"\s*(?:[^\w\s(\"'\u201c]|[A-Za-z]{1,3}(?:\.(?=\s|\Z)|(?=\s*(?:\n|\Z))))")
# A full stop that scans print for a comma, and the list goes on: "22. 67-69".
_GOES_ON = re.compile(r"\s*\.\s+(?:\d{1,3}\s*-\s*\d{1,3}\s*[.,;]|\d{1,3}\s*,\s*\d|\d{3}\s*\.(?!\d))")
# A character after a number that neither separates nor ends a list: another number may be lost in it.
_NO_SEPARATOR = re.compile(r"\s{0,2}[^\w\s.,;:()\[\]'\"-]")
_NO_PAGES = re.compile(
    r"(?:n\s?/\s?a|none|not\s+(?:cited|given|listed|specified|applicable)|unspecified)\b\.?", re.IGNORECASE
)
_WITH_DIGITS = re.compile(r"[^\s.,;]*\d[^\s;]*(?:[^\S\n]+[^\s.,;]*\d[^\s;]*)*")
# Pages of the widest range a citation names; a number that would make a wider one is read differently.
_WIDEST = 60


@dataclass(frozen=True)
class CitedWork:
    """A work, or a chapter of one, with its pages ``first`` to ``last``, inclusive."""

    name: str
    first: int
    last: int

    def holds(self, first: int, last: int) -> bool:
        """Whether a page range lies in this work."""
        return self.first <= first and last <= self.last


def works_from(file: Path) -> tuple[tuple[re.Pattern[str], CitedWork], ...]:
    """The works of a TOML file, each with the pattern of its title: tables ``chapter`` of title, name, first, last."""
    return tuple(
        (re.compile(each["title"], re.IGNORECASE), CitedWork(each["name"], each["first"], each["last"]))
        for each in tomllib.loads(file.read_text("utf-8"))["chapter"]
    )


class FoundPages(NamedTuple):
    """A page range ``first``..``last`` (inclusive, equal for a single page) and its span."""

    first: int
    last: int
    span: Span


@dataclass(frozen=True)
class PageList:
    """One list of pages; ``end`` is the offset where it stops.

    ``repaired``: it is printed differently. ``certain`` is false if it could be read in another way, or
    not at all.
    """

    pages: tuple[FoundPages, ...]
    end: int
    repaired: bool = False
    certain: bool = True


@dataclass(frozen=True)
class _Item:
    """A page or a range in the making: the digits as text, until all of them are together."""

    first: str
    last: str | None
    span: Span
    repaired: bool = False
    certain: bool = True


@dataclass(frozen=True)
class _Known:
    """What decides between two readings of a list: the page before, and the pages of the work."""

    before: int | None
    work: CitedWork | None

    def allows(self, *ranges: tuple[int, int]) -> bool:
        """Whether these pages may follow: upwards, in the work, none too wide."""
        at = self.before or 0
        for first, last in ranges:
            if not at < first <= last <= first + _WIDEST or (self.work and not self.work.holds(first, last)):
                return False
            at = last
        return True


def read_pages(text: str, within: Span, work: CitedWork | None = None, *, prose: bool = False) -> PageList:
    """The page list that begins at ``within.start``, as long as the text goes on as one.

    "92 of 127" is page 92. A shortened end ("78-9") means 78-79. A range that runs backwards and
    cannot be a shortened end is read as printed. ``work`` is what the list is cited from, where its
    pages are known. ``prose``: the list is in running text, where fewer repairs are safe.
    """
    found: list[_Item] = []
    at, end = within
    joint: re.Match[str] | None = None
    while item := _item(text, Span(at, end), _Known(_last(found), work), prose=prose):
        after = item.span.end
        if found and (
            _MEASURE.match(text, after, end)
            or _DATE_GOES_ON.match(text, after, end)
            or (prose and _YEAR.fullmatch(item.first))
        ):
            break
        total = _OF_TOTAL.match(text, after, end)
        own = total is not None and int(total["total"]) < _SHORTEST_WORK
        if own or _is_alone_at_a_pages_end(text, item.span):
            item = replace(item, certain=False)
        found.append(item)
        at = total.end() if total else after
        joint = _JOINT.match(text, at, end) or (None if prose else _NO_COMMA.match(text, at, end))
        if not joint:
            break
        if not joint[0].strip():
            found[-1] = replace(item, repaired=True, certain=False)
        at = joint.end()
    if not found:
        return _without_pages(text, within, prose=prose)
    pages = tuple(FoundPages(int(item.first), _range_end(item.first, item.last), item.span) for item in found)
    repaired, certain = any(item.repaired for item in found), all(item.certain for item in found)
    if not prose:
        certain &= not (_LOST_NUMBER if joint else _GOES_ON).match(text, at, end)
        certain &= not _NO_SEPARATOR.match(text, at, end)
    # A repaired list must also be possible.
    certain &= not repaired or work is None or all(work.holds(page.first, page.last) for page in pages)
    return PageList(pages, found[-1].span.end, repaired, certain)


def _is_alone_at_a_pages_end(text: str, item: Span) -> bool:
    before = text[max(0, item.start - 40) : item.start].rstrip(" \t\r")
    if before.endswith("\f"):
        return text[item.end : item.end + 40].lstrip(" \t\r")[:1] in ("\n", "\f")
    return before.endswith("\n") and _AT_A_PAGES_END.match(text, item.end) is not None


def _last(found: Sequence[_Item]) -> int | None:
    return _range_end(found[-1].first, found[-1].last) if found else None


def _range_end(first: str, last: str | None) -> int:
    if last is None:
        return int(first)
    if int(last) < int(first) and len(last) < len(first):
        return int(first[: len(first) - len(last)] + last)
    return int(last)


def _item(text: str, within: Span, known: _Known, *, prose: bool) -> _Item | None:
    item = _number(text, within)
    if item is None or int(item.first) == 0:
        return None
    if len(item.first) > 4 or (len(item.first) == 4 and not _RANGE.match(text, item.span.end, within.end)):
        return _without_hyphen(item, known)
    item = _put_together(text, item, within.end, known, prose=prose)
    return _with_range(text, item, within.end)


def _number(text: str, within: Span) -> _Item | None:
    match = _NUMBER.match(text, within.start, within.end)
    if not match:
        return None
    printed = match["n"] or match["glued"]
    sure = printed.translate(_FOR_DIGITS)
    digits = sure.translate(_PERHAPS)
    return _Item(digits, None, Span(*match.span()), digits != printed, digits == sure)


def _without_hyphen(item: _Item, known: _Known) -> _Item | None:
    """ "177179": PDF tools drop a hyphen at a line's end. Two pages in one number, if they can be separated."""
    digits = item.first
    half = len(digits) // 2
    first, last = digits[:half], digits[half:]
    possible = len(digits) <= 6 and not first.startswith("0") and int(first) < int(last) <= int(first) + _WIDEST
    if not possible:
        return item if len(digits) <= 4 else None
    inside = known.work is not None and known.work.holds(int(first), int(last))
    if len(digits) == 4 and not inside:
        # A page of four digits is possible too.
        return replace(item, certain=known.work is None and int(last) - int(first) > 20)
    certain = inside or (len(digits) == 6 and known.work is None)
    return _Item(first, last, item.span, True, certain and item.certain)


def _put_together(text: str, item: _Item, end: int, known: _Known, *, prose: bool) -> _Item:
    """ "30 1": a number torn apart. Certain only if its parts cannot be pages of their own."""
    if prose and _TORN_IN_PROSE.match(text, item.span.end, end):
        return replace(item, repaired=True, certain=False)
    torn = _TORN.match(text, item.span.end, end)
    if not torn or _MEASURE.match(text, torn.end(), end):
        return item
    parts = [item.first, *(part.translate(_FOR_DIGITS) for part in torn["more"].split())]
    whole = "".join(parts)
    if not whole.isdigit() or len(whole) > 3:
        return item
    tail = _with_range(text, _Item(parts[-1], None, Span(torn.end(), torn.end())), end).last
    last = _range_end(whole, tail)
    apart = [*((int(part), int(part)) for part in parts[:-1]), (int(parts[-1]), _range_end(parts[-1], tail))]
    decidable = (
        known.work is not None or known.before is not None or (tail is not None and last <= int(whole) + _WIDEST)
    )
    certain = decidable and known.allows((int(whole), last)) and not known.allows(*apart)
    return _Item(whole, None, Span(item.span.start, torn.end()), True, certain and item.certain)


def _with_range(text: str, item: _Item, end: int) -> _Item:
    """The same page with the end of its range, if one is printed."""
    dash = _RANGE.match(text, item.span.end, end)
    second = _number(text, Span(dash.end(), end)) if dash else None
    if second is None or len(second.first) > 4 or int(second.first) == 0:
        lost = dash is not None and _DANGLING.match(text, item.span.end, end) is not None
        return replace(item, certain=item.certain and not lost)
    last, stop, repaired = second.first, second.span.end, item.repaired or second.repaired
    certain = item.certain and second.certain
    # "177-1 79": the part before the blank cannot end the range, the whole can.
    torn = _TORN.match(text, stop, end)
    whole = last + "".join(torn["more"].split()).translate(_FOR_DIGITS) if torn else ""
    if torn and len(whole) <= 3 and int(last) < int(item.first) < int(whole) <= int(item.first) + _WIDEST:
        last, stop, repaired = whole, torn.end(), True
    return _Item(item.first, last, Span(item.span.start, stop), repaired, certain)


def _without_pages(text: str, within: Span, *, prose: bool) -> PageList:
    """No readable page after the label: certain only if nothing follows, or words such as "none"."""
    if prose or _NOTHING.match(text, within.start, within.end):
        return PageList((), within.start)
    if none := _NO_PAGES.match(text, within.start, within.end):
        return PageList((), none.end())
    words = _WITH_DIGITS.match(text, within.start, within.end)
    return PageList((), words.end() if words else within.end, certain=False)
