"""Dates in prose with the words of their sentence, by which a letter type tells one event's date from another's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, FoundDate, find_dates

# Characters of the sentence considered on either side of a date.
_REACH = 220
_SENTENCE_END = re.compile(r"[.?!][\"')\u201d]*\s+(?=[A-Z0-9\"(\u201c]|\Z)")
# A damaged date keeps its shape, with letters or signs among the digits. The pattern starts with a character
# class instead of a lookbehind, which makes the search fast.
_PART = r"[\dlIO|?#*\u25a1\ufffd]"
_BROKEN_DATE = re.compile(rf"{_PART}{_PART}{{0,3}}[/-]{_PART}{{1,4}}(?:[/-]{_PART}{{2,4}})?(?![\w/-])")
_UNKNOWN = re.compile(r"[?#*\u25a1\ufffd]")
_MIXED = re.compile(r"(?=.*\d).*[lIO|]")
_DATE_GOES_ON = re.compile(r"[\w/-]")


class DateInProse(NamedTuple):
    """A date, and the words of its sentence on both sides. Of a ``broken`` one the value is a placeholder."""

    date: FoundDate
    before: str
    after: str
    broken: bool = False


def dates_in_prose(text: str, region: Span) -> list[DateInProse]:
    """Every date of a region in order; then what has the shape of a date and cannot be read as one."""
    found = [_in_sentence(text, region, each) for each in find_dates(text, region)]
    return [*found, *(_in_sentence(text, region, each, broken=True) for each in _broken_dates(text, region))]


def dates_beside(dates: Sequence[DateInProse], hints: Sequence[str], words: re.Pattern[str]) -> list[DateInProse]:
    """The dates with one of ``words`` in their sentence; ``hints`` are substrings that rule a sentence out quickly."""
    found = []
    for each in dates:
        sentence = f"{each.before} {each.after}"
        lower = sentence.lower()
        if any(hint in lower for hint in hints) and words.search(sentence):
            found.append(each)
    return found


def no_date(beside: Sequence[DateInProse]) -> Fact:
    """No date was read: certain if none, readable or broken, is beside words of the event."""
    return Fact(None, tuple(each.date.span for each in beside if each.broken)[:1], certain=not beside)


def _in_sentence(text: str, region: Span, found: FoundDate, *, broken: bool = False) -> DateInProse:
    before = text[max(region.start, found.span.start - _REACH) : found.span.start]
    cut = max((end.end() for end in _SENTENCE_END.finditer(before)), default=0)
    after = text[found.span.end : min(region.end, found.span.end + _REACH)]
    ended = _SENTENCE_END.search(after)
    return DateInProse(found, before[cut:], after[: ended.start()] if ended else after, broken)


def _broken_dates(text: str, region: Span) -> Iterator[FoundDate]:
    for match in _BROKEN_DATE.finditer(text, *region):
        if _is_broken(match[0]) and not _DATE_GOES_ON.match(text[match.start() - 1 : match.start()]):
            yield FoundDate(date.min, Span(*match.span()))


def _is_broken(found: str) -> bool:
    if "?" in found and not found.strip("?/-"):
        return True
    return len(re.findall("[/-]", found)) == 2 and bool(_UNKNOWN.search(found) or _MIXED.match(found))
