"""What a deterministic reader finds in a letter, and the primitives readers are built of.

A reading has the shape of the answer: a tree of blocks, each with named regions (where to look),
facts (what the reader read there, by the schema's field names) and inner blocks. So a value can
be checked against *its own* place, not against the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import zip_longest
from typing import Any, NamedTuple

from extractor.letters.letter import Letter
from extractor.letters.reading_view import ReadingView
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Severity


@dataclass(frozen=True)
class ListBounds:
    """What is certain about a list: of one whose reading as a whole is not certain, or that may be written in two ways.

    ``least``: elements it has; ``most``: elements it may have, in order. An element printed in one of the spans of
    ``open``, which cannot be read for certain, is possible too.
    """

    least: tuple[Any, ...] = ()
    most: tuple[Any, ...] = ()
    open: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Fact:
    """What the reader read for one leaf.

    ``value`` is in the schema's terms; ``None`` or ``[]`` means "the letter does not say".
    ``spans`` prove it: one for a single value, one for each element of a list.
    ``certain`` is false where the reader had to choose; a differing answer is then ``unclear``, unless the
    reader knows ``bounds`` of the list and the answer is outside of them.
    """

    value: Any
    spans: tuple[Span, ...] = ()
    certain: bool = True
    bounds: ListBounds | None = None

    def on_raw_text(self, view: ReadingView) -> Fact:
        """The same fact with its spans of ``view`` mapped to raw spans."""
        bounds = self.bounds and replace(self.bounds, open=tuple(map(view.to_raw, self.bounds.open)))
        return replace(self, spans=tuple(map(view.to_raw, self.spans)), bounds=bounds)


@dataclass(frozen=True)
class Block:
    """One part of a letter: the whole, a decision, a guideline paragraph, a citation.

    ``certain`` is false where the reader knows of the part but cannot take it apart. ``possible``: by the name of
    a list of records, parts that may be further records of it or may be none.
    """

    span: Span
    regions: Mapping[str, Span] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    blocks: Mapping[str, Sequence[Block]] = field(default_factory=dict)
    certain: bool = True
    possible: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    def on_raw_text(self, view: ReadingView) -> Block:
        """The same block, and everything in it, with spans of ``view`` mapped to raw spans."""
        if view.offsets.is_plain:
            return self
        return replace(
            self,
            span=view.to_raw(self.span),
            regions={name: view.to_raw(region) for name, region in self.regions.items()},
            facts={name: fact.on_raw_text(view) for name, fact in self.facts.items()},
            blocks={name: [block.on_raw_text(view) for block in inner] for name, inner in self.blocks.items()},
            possible={name: list(map(view.to_raw, spans)) for name, spans in self.possible.items()},
        )


@dataclass(frozen=True)
class Oddity:
    """Something about the letter itself that a person should know: a stable code, where, and how bad it is."""

    code: str
    message: str
    span: Span
    severity: Severity = "warning"

    def on_raw_text(self, view: ReadingView) -> Oddity:
        """The same oddity with its span of ``view`` mapped to a raw span."""
        return replace(self, span=view.to_raw(self.span))


@dataclass(frozen=True)
class Reading:
    """A whole letter as read.

    ``recognized`` is false when the text is not a letter of this type; ``note`` is then the reason,
    and the block is empty: a reader never invents. ``form``: which of the forms of its letter type the letter has,
    where the type knows several.
    """

    letter: Letter
    root: Block
    recognized: bool = True
    note: str = ""
    oddities: tuple[Oddity, ...] = ()
    form: str = ""

    def took_apart(self, path: str) -> bool:
        """Whether the reader could take apart every part that a JSON pointer into the correct answer passes through.

        A part without a block is not part of this reading.
        """
        block = self.root
        way = path.split("/")[1:-1]
        for step, following in zip_longest(way, way[1:]):
            if not step.isdigit():
                inner = block.blocks.get(step, ())
                at = int(following) if following and following.isdigit() else 0
                if at >= len(inner):
                    return True
                block = inner[at]
                if not block.certain:
                    return False
        return True


def reading_of_view(letter: Letter, root: Block, oddities: Iterable[Oddity] = ()) -> Reading:
    """The reading of a letter from what was found in ``letter.view.text``: all its spans become raw ones."""
    view = letter.view
    return Reading(letter, root.on_raw_text(view), oddities=tuple(odd.on_raw_text(view) for odd in oddities))


def as_uncertain(reading: Reading) -> Reading:
    """The same reading by a reader that is certain of no value: what is caught then, no reader was needed for."""
    return replace(reading, root=_uncertain(reading.root))


def _uncertain(block: Block) -> Block:
    facts = {name: replace(fact, certain=False, bounds=None) for name, fact in block.facts.items()}
    blocks = {name: [_uncertain(inner) for inner in blocks] for name, blocks in block.blocks.items()}
    return replace(block, facts=facts, blocks=blocks)


def nothing_read(letter: Letter, note: str) -> Reading:
    """The empty reading of a text that is not such a letter."""
    return Reading(letter, Block(Span(0, len(letter.text))), recognized=False, note=note)


# ---- text primitives -------------------------------------------------------------------------


_HYPHENATED = re.compile(r"(?<=\w)-[ \t]*[\r\n]\s*(?=\w)")


def words(phrase: str) -> str:
    """A pattern for ``phrase`` that allows any whitespace between its words."""
    return r"\s+".join(re.escape(word) for word in phrase.split())


# What scans print for a letter: look-alikes of its own shape, so capitals have others.
_LOOKALIKES = {
    "i": "[il1I|!]", "l": "[li1I|!]", "o": "[o0O\u00f3]", "s": "[s5]", "m": "(?:m|rn|nn)", "e": "[ec\u00e9]",
    "c": "[ce]", "g": "[gq9]", "b": "[b6]", "rn": "(?:rn|m)",
    "I": "[Il1|!]", "L": "[LI1|]", "O": "[O0Q]", "S": "[S5]", "B": "[B8]", "C": "[CG]", "G": "[GC6]", "D": "[DO0]",
}  # fmt: skip


def scanned(phrase: str) -> str:
    """A pattern for ``phrase`` that also knows it as scans and PDF tools give it: "Decision rationa1e", "guide line".

    Look-alike letters match each other, a blank may come inside a word, any whitespace or
    none between two. Meant for labels, whose words are known.
    """
    return r"\s*".join(r"[^\S\n]?".join(_glyphs(word)) for word in phrase.split())


def _glyphs(word: str) -> Iterator[str]:
    for part in re.findall("rn|.", word):
        yield _LOOKALIKES.get(part) or re.escape(part)


def squeeze(text: str) -> str:
    """``text`` on one line: whitespace runs become one blank; a word hyphenated at a line's end is joined to its tail.

    >>> squeeze("Electro-\\n diagnostic  testing")
    'Electro-diagnostic testing'
    """
    joined = _HYPHENATED.sub("-", text) if "-" in text else text
    return " ".join(joined.split())


def search(pattern: re.Pattern[str], text: str, within: Span) -> re.Match[str] | None:
    """The first match that lies inside ``within``."""
    return pattern.search(text, within.start, within.end)


def last(pattern: re.Pattern[str], text: str, within: Span) -> re.Match[str] | None:
    """The last match that lies inside ``within``."""
    found = None
    for match in pattern.finditer(text, within.start, within.end):
        found = match
    return found


# ---- dates -----------------------------------------------------------------------------------

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_NUMBER = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_DATE = re.compile(
    r"""
    (?=\d|\b(?:ja|fe|ma|ap|ju|au|se|oc|no|de))(?:  # a digit, or how a month begins: anything else is passed over
    (?<![\d/])(?<!\d\.)(?P<m>\d{1,2})\s?[/\-\u2013](?:\s?|\s{0,4}\n\s{0,2})(?P<d>\d{1,2})
        \s?[/\-\u2013](?:\s?|\s{0,4}\n\s{0,2})(?P<y>\d{4}|\d{2})(?![\dA-Za-z]|[/\-]\d)
    | (?<!\d)(?P<ym>\d{4})-(?P<mm>\d{2})-(?P<dd>\d{2})(?!\d)
    # a line-end hyphen dropped by the PDF tool: "10-282016" and "1020-16"
    | (?<![\d/])(?P<gm>\d{1,2})-(?P<gd>\d{2})(?P<gy>20\d{2})(?!\d)
    | (?<![\d/])(?P<hm>\d{2})(?P<hd>\d{2})-(?P<hy>\d{4}|\d{2})(?!\d|[/\-]\d)
    | \b(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?
        |oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?\s+(?P<nd>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<ny>\d{4})\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)


class FoundDate(NamedTuple):
    value: date
    span: Span


def find_dates(text: str, within: Span) -> Iterator[FoundDate]:
    """Every date in a region, in American order, in the spellings letters use.

    Two-digit years: 00-49 are 2000-2049, 50-99 are 1950-1999. Impossible dates are passed over.
    """
    for match in _DATE.finditer(text, within.start, within.end):
        group = match.groupdict()
        year, month, day = next(
            (group[y], group[m], group[d])
            for y, m, d in (
                ("y", "m", "d"),
                ("ym", "mm", "dd"),
                ("gy", "gm", "gd"),
                ("hy", "hm", "hd"),
                ("ny", "name", "nd"),
            )
            if group[y]
        )
        number = int(month) if month.isdigit() else _MONTH_NUMBER[month[:3].lower()]
        full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 50 else 1900)
        try:
            value = date(full, number, int(day))
        except ValueError:
            continue
        yield FoundDate(value, Span(*match.span()))


def dates_in(letter: Letter, within: Span) -> Iterator[FoundDate]:
    """Every date in a region of a letter's raw text, with its raw span; see ``find_dates``."""
    view = letter.view
    for found in find_dates(view.text, view.from_raw(within)):
        yield FoundDate(found.value, view.to_raw(found.span))
