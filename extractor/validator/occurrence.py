"""Where a value occurs in a part of a letter, whatever the reader makes of that part.

This is the lock that holds when the reader is uncertain: a date, a number or a page that is printed
nowhere in its own part of the letter is wrong. Damage of scans and PDF tools ("3O1", "30 1",
"177179") is allowed for, so that a true value is never refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.reading import dates_in

_GLYPHS = {"0": "[0OoQ]", "1": "[1Il|]", "2": "[2Z]", "5": "[5S]", "8": "[8B]"}
# A range's dash, also as it looks after a wrong decoding and as HTML writes it; PDF tools drop it at a line's end.
_DASH = (
    r"[^\S\n]*(?:\.?\s*(?:[-\u00ad\u2010-\u2015\u2212\ufffe~]|&[mn]dash;|&#821[12];|\u00e2\u20ac[\"\u2013\u201c\u201d]"
    r"|\bto\b|\bthrough\b|\bthru\b)\s*-?\s*)?"
)
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def occurrences(value: Any, letter: Letter, within: Span) -> list[Span] | None:
    """Every place in ``within`` where ``value`` is printed; ``None`` for a kind of value that cannot be looked up.

    Dates are found in all their spellings, whole numbers as digits and in words, a record by its
    leaves in order (``{first, last}`` also as a range).
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, date):
        return [found.span for found in dates_in(letter, within) if found.value == value]
    if isinstance(value, int):
        return _places(_number(value), letter, within)
    if isinstance(value, BaseModel):
        return _record(value, letter, within)
    return None


def _record(record: BaseModel, letter: Letter, within: Span) -> list[Span] | None:
    values = [getattr(record, name) for name in type(record).model_fields]
    if list(type(record).model_fields) == ["first", "last"] and all(isinstance(value, int) for value in values):
        return _range(values[0], values[1], letter, within)
    places: list[Span] = []
    at = within.start
    for value in values:
        found = occurrences(value, letter, Span(at, within.end))
        if not found:
            return found
        places.append(found[0])
        at = found[0].end
    return [Span(places[0].start, places[-1].end)] if places else None


def _range(first: int, last: int, letter: Letter, within: Span) -> list[Span]:
    """A range as printed; failing that, a forward one whose ends are both printed, in this order."""
    if first == last:
        return _places(_number(first), letter, within)
    printed = _places(_printed_range(first, last), letter, within)
    if printed or first > last:
        return printed
    begins = _places(_number(first), letter, within)
    ends = _places(_number(last), letter, Span(begins[0].end, within.end)) if begins else []
    return [Span(begins[0].start, ends[0].end)] if ends else []


def _places(pattern: re.Pattern[str], letter: Letter, within: Span) -> list[Span]:
    view = letter.view
    start, end = view.from_raw(within)
    return [view.to_raw(Span(*match.span())) for match in pattern.finditer(view.text, start, end)]


@lru_cache(maxsize=512)
def _number(number: int) -> re.Pattern[str]:
    spelled = [r"[\s-]+".join(words) for words in _in_words(number)]
    return re.compile("|".join([_digits(number), *(rf"\b{words}\b" for words in spelled)]), re.IGNORECASE)


@lru_cache(maxsize=512)
def _printed_range(first: int, last: int) -> re.Pattern[str]:
    """ "177-179", "177179", and with a shortened end "177-9"."""
    begin, end = str(first), str(last)
    ends = [end]
    if first < last and len(begin) == len(end):
        ends += [end[i:] for i in range(1, len(end)) if end[:i] == begin[:i]]
    tail = "|".join(_glyphs(each) for each in ends)
    return re.compile(rf"(?<!\d){_glyphs(begin)}{_DASH}(?:{tail})(?!\d)", re.IGNORECASE)


def _digits(number: int) -> str:
    if number < 10:
        return rf"(?<!\d)(?<!\d\.){number}(?!\.?\d)"
    plain = f"{number:,}"
    # OCR may yield a letter for a digit, but one real digit must be there: "Ill" is no number.
    commas = "|" + re.escape(plain) if "," in plain else ""
    return rf"(?<!\d)(?:(?=[OoQIl|ZSB]{{0,3}}\d){_glyphs(str(number))}{commas})(?!\d)"


def _glyphs(digits: str) -> str:
    return r"[^\S\n]{0,2}".join(_GLYPHS.get(digit, digit) for digit in digits)


def _in_words(number: int) -> Iterator[list[str]]:
    if 0 <= number < 20:
        yield [_ONES[number]]
    elif 20 <= number < 100:
        tens, ones = divmod(number, 10)
        yield [_TENS[tens - 2], _ONES[ones]] if ones else [_TENS[tens - 2]]
    elif number < 200:
        rest = next(_in_words(number - 100), []) if number > 100 else []
        yield ["hundred", *rest]
        if rest:
            yield ["hundred", "and", *rest]
