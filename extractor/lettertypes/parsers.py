"""How a value is read out of words: dates, numbers, money, pages, identifiers, names, and enums by their words.

A parser is put in ``Annotated[...]`` beside the place of a leaf; without one the leaf's type decides
(``parser_of``). A letter type may add its own: any ``Parser`` with a function from words to values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from extractor.letters.spans import Span
from extractor.lettertypes.patterns import Searches
from extractor.lettertypes.reading import find_dates, squeeze


class Found(NamedTuple):
    """A value and the words that state it."""

    value: Any
    span: Span


@dataclass(frozen=True)
class Parser:
    """Finds the values that some words state.

    ``find`` is given the letter's text and the span to look in, and yields the values there in
    order. ``name`` is used in messages.
    """

    name: str
    find: Callable[[str, Span], Iterable[Found]] = field(repr=False)

    def search(self, searches: Searches, within: Span) -> Iterator[Found]:
        """The values in ``within``. Raises ``SlowPatternError``."""
        yield from self.find(searches.text, within)


# ---- words -----------------------------------------------------------------------------------


def _text(text: str, within: Span) -> Iterator[Found]:
    span = within.trimmed(text)
    if span.start < span.end:
        yield Found(squeeze(span.of(text)), span)


_TITLES = r"(?:Dr|Mr|Mrs|Ms|Hon|Judge)\.?\s+"
_NAME = re.compile(
    rf"(?:{_TITLES})?(?:[^\W\d_]['\u2019.\-\w]*)(?:[ \t]+(?:[^\W\d_]['\u2019.\-\w]*)){{1,5}}"
    r"(?:,[ \t]*(?:Jr|Sr|II|III|IV|M\.?D|Ph\.?D|D\.?O|Esq|J\.?D)\.?)*"
)


def _name(text: str, within: Span) -> Iterator[Found]:
    span = within.trimmed(text)
    words = span.of(text)
    if _NAME.fullmatch(words) and all(word[0].isupper() or len(word) < 4 for word in words.split()):
        yield Found(squeeze(words), span)


TEXT = Parser("text", _text)
NAME = Parser("name", _name)


# ---- dates and numbers -----------------------------------------------------------------------


def _dates(text: str, within: Span) -> Iterator[Found]:
    for found in find_dates(text, within):
        yield Found(found.value, found.span)


_UNITS = {word: number for number, word in enumerate((
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
))}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBER_WORD = "|".join(sorted({*_UNITS, *_TENS, "hundred"}, key=len, reverse=True))
_INTEGER = re.compile(
    rf"(?<![\w.,/-])(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+)|(?P<words>(?:{_NUMBER_WORD})"
    rf"(?:(?:[\s-]+(?:and\s+)?)(?:{_NUMBER_WORD}))*))(?![\w/]|[.,]\d)",
    re.IGNORECASE,
)


def number_of(words: str) -> int:
    """The number that English number words below a thousand state.

    >>> number_of("one hundred and twenty-three")
    123
    """
    total = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word == "hundred":
            total = max(1, total) * 100
        else:
            total += _UNITS.get(word, 0) + _TENS.get(word, 0)
    return total


def _integers(text: str, within: Span) -> Iterator[Found]:
    for match in _INTEGER.finditer(text, within.start, within.end):
        digits = match["digits"]
        yield Found(int(digits.replace(",", "")) if digits else number_of(match["words"]), Span(*match.span()))


_AMOUNT = r"(?P<amount>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_NUMBER = re.compile(rf"(?<![\w.,/]){_AMOUNT}(?![\w/]|[.,]\d)")
_MONEY = re.compile(rf"(?:US)?\$\s*{_AMOUNT}(?!\d|[.,]\d)|(?<![\w.,]){_AMOUNT.replace('amount', 'plain')}\s+dollars?\b")
_PERCENT = re.compile(rf"(?<![\w.,]){_AMOUNT}\s*(?:%|per\s?cent\b)", re.IGNORECASE)


def _amounts(pattern: re.Pattern[str]) -> Callable[[str, Span], Iterator[Found]]:
    def find(text: str, within: Span) -> Iterator[Found]:
        for match in pattern.finditer(text, within.start, within.end):
            amount = next(group for group in match.groups() if group)
            yield Found(Decimal(amount.replace(",", "")), Span(*match.span()))

    return find


DATE = Parser("date", _dates)
INTEGER = Parser("whole number", _integers)
NUMBER = Parser("number", _amounts(_NUMBER))
MONEY = Parser("amount of money", _amounts(_MONEY))
PERCENT = Parser("percentage", _amounts(_PERCENT))


# ---- pages and identifiers -------------------------------------------------------------------

_PAGES = re.compile(
    r"(?<![\w.])(?P<first>\d{1,4})(?:\s*(?:-|\u2013|\u2014|to|through)\s*(?P<last>\d{1,4}))?(?![\w]|\.\d)"
)


def _pages(text: str, within: Span) -> Iterator[Found]:
    for match in _PAGES.finditer(text, within.start, within.end):
        first, last = match["first"], match["last"] or match["first"]
        if len(last) < len(first):  # "114-7" is 114 to 117
            last = first[: len(first) - len(last)] + last
        if int(last) >= int(first):
            yield Found({"first": int(first), "last": int(last)}, Span(*match.span()))


PAGES = Parser("page range", _pages)


@dataclass(frozen=True)
class Identifier:
    """A number or name known by its shape, a regular expression: ``Identifier(r"\\d{2}-\\d{2} \\d{3}")``."""

    shape: str
    name: str = "identifier"

    def search(self, searches: Searches, within: Span) -> Iterator[Found]:
        for match in searches.all(rf"(?<!\w)(?:{self.shape})(?!\w)", within):
            yield Found(squeeze(match[0]), Span(*match.span()))


_SUBSECTIONS = r"(?:\s?\((?:[A-Za-z]{1,4}|\d{1,2})\))+"
_SECTION = rf"\d+[A-Za-z]{{0,2}}(?:\.\d+[a-z]?)?(?:{_SUBSECTIONS}(?:,\s?{_SUBSECTIONS})*)?"
_RANGE = rf"{_SECTION}(?:\s*[\u2013-]\s*{_SECTION})?"
_SIGN = r"(?:\u00a7{1,2}|[Ss]ections?)?\s*"
# A number before a capital with a full stop begins the citation of another code: "and 38 C.F.R.".
_SECTIONS = rf"{_SIGN}(?P<all>{_RANGE}(?:(?:\s*[,;&]\s*|\s+)(?:and\s+)?{_SIGN}{_RANGE}(?!\w|\s+[A-Z]\.))*)"
_ONE_SECTION = re.compile(_RANGE)


@dataclass(frozen=True)
class Cited:
    """The sections of one code of law that some words cite: ``Cited(r"38 U\\.S\\.C\\.(?:A\\.)?")``.

    Ranges and subsections are kept as one section: ``5107(b)``, ``9201-9211``. A section that is
    cited twice is one value, at its first place.
    """

    code: str
    name: str = "section of law"

    def search(self, searches: Searches, within: Span) -> Iterator[Found]:
        seen: set[str] = set()
        for match in searches.all(rf"(?:{self.code})\s*{_SECTIONS}", within):
            for one in _ONE_SECTION.finditer(searches.text, *match.span("all")):
                value = re.sub(r"\s+(?=\()|(?<=-)\s+|\s+(?=-)", "", squeeze(one[0]).replace("\u2013", "-"))
                value = value.replace(",(", ", (")
                if value not in seen:
                    seen.add(value)
                    yield Found(value, Span(*one.span()))


# ---- enums and yes or no ---------------------------------------------------------------------

_NEGATED = r"(?<!\b(?:not|never|cannot|neither|nor|without)\s(?:\w+\s)?)(?<!\b(?:non|un)-?)"


@dataclass(frozen=True)
class Wording:
    """An enum by the words that letters use for each value: ``Wording({"upheld": "upheld|denied"})``.

    ``words`` maps values to regular expressions, in order of precedence where two match at the same
    place; a value that is not named there is known by its own words. Case does not count. ``behind``
    must come right before the words. Words after a negation state nothing. ``given`` maps
    a section to the value that every record in it has.
    """

    words: Mapping[str, str]
    behind: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    name: str = "wording"

    def __hash__(self) -> int:
        return hash((*self.words.items(), self.behind))

    def search(self, searches: Searches, within: Span) -> Iterator[Found]:
        one_of = "|".join(f"(?P<v{i}>{words})" for i, words in enumerate(self.words.values()))
        for match in searches.all(rf"(?i){self.behind}{_NEGATED}\b(?:{one_of})(?!\w)", within):
            group = next(i for i in range(len(self.words)) if match[f"v{i}"] is not None)
            yield Found(list(self.words)[group], Span(*match.span(f"v{group}")))


@dataclass(frozen=True)
class Presence:
    """Whether the place states something: true where ``pattern`` matches.

    Without ``absent``, no match is false. With it, false needs a match of ``absent``, and neither or
    both is uncertain: ``Presence(r"\\[X\\] Yes", absent=r"\\[X\\] No")``.
    """

    pattern: str
    absent: str = ""
    name: str = "yes or no"

    def search(self, searches: Searches, within: Span) -> Iterator[Found]:
        for value, pattern in ((True, self.pattern), (False, self.absent)):
            match = searches.first(pattern, within) if pattern else None
            if match:
                yield Found(value, Span(*match.span()))
        if not self.absent and not searches.first(self.pattern, within):
            yield Found(False, within)


AnyParser = Parser | Identifier | Cited | Wording | Presence
PARSERS = (Parser, Identifier, Cited, Wording, Presence)


def parser_of(kind: Any) -> AnyParser | None:
    """The parser that a leaf's type asks for; ``None`` where the type alone does not determine how to read it."""
    if get_origin(kind) is Literal:
        values = [value for value in get_args(kind) if isinstance(value, str)]
        return Wording({value: re.escape(value).replace("_", r"[\s_-]+") for value in values})
    if isinstance(kind, type):
        if issubclass(kind, BaseModel):
            return PAGES if set(kind.model_fields) == {"first", "last"} else None
        by_type: dict[type, Parser] = {str: TEXT, date: DATE, int: INTEGER, Decimal: NUMBER, float: NUMBER}
        return by_type.get(kind)
    return None
