"""Headings of decisions: where one begins, and the outcome that closes it.

The outcome ends the heading, right before the first paragraph label; the beginning must be found
backwards, in text whose blank lines PDF tools double, drop and move.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.letters.spans import Span
from extractor.lettertypes.reading import last, scanned, words

# The outcome closes the heading: ": Upheld", ":  Overturned", or alone on the next line.
# Scans print look-alike letters in it, and a semicolon before it.
_OUTCOME = "(?:" + "|".join(map(scanned, ("UPHELD", "Upheld", "OVERTURNED", "Overturned"))) + ")"
OUTCOME_WORD = re.compile(rf"(?P<mark>[:;]|\bis\b|\s-|\n)\s*(?P<word>{_OUTCOME})\s*\.?\s*\Z")
_OUTCOME_WHOLE = re.compile(_OUTCOME)
# The prose form of 2013-14: "2. The request for X is not medically necessary and appropriate." Old
# texts glue "notmedically", which must not turn a denial into an approval.
OUTCOME_PROSE = re.compile(
    r"(?P<mark>\s)(?P<word>(?:is|are|was|were)\s+(?:not\s*)?medically\s+necessary(?:\s+and\s+appropriate)?)\s*\.?\s*\Z",
    re.IGNORECASE,
)
_ENDS_IN_OUTCOME = re.compile(rf"[:;]\s*{_OUTCOME}\s*\.?\s*\Z")
# A page's foot between heading and label.
_FOOTER = re.compile(
    r"(?:\n\s*(?:Final\s+Determination\s+Letter\s+for\s+IMR\s+Case[^\n]*|(?:Page\s+)?\d{1,3}(?:\s+of\s+\d{1,3})?[^\S\n]*))+\s*\Z",
    re.IGNORECASE,
)
# A line that ends like a heading, wherever it stands.
HEADING_LINE = re.compile(rf"[:;][^\S\n]*(?P<word>{_OUTCOME})[^\S\n]*\.?[^\S\n]*(?=\r?\n|\Z)")
_NUMBER = re.compile(r"\s*(?:\d{1,2}\s*[.)]\s+)?(?:(?:The|the)\s+request\s+for\s+)?")

# The closing formula of a heading that was authorized in part; it belongs to the sentences before it.
PARTLY = re.compile(
    r"(?:The\s+remaining\s+IMR[\s-]+eligible\s+portion\s+of\s+the\s+original\s+request|The\s+original\s+request)\s*,\s*",
    re.IGNORECASE,
)
WAS_ORIGINAL = re.compile(words("was the original request"), re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """Raw spans of a heading without number and outcome, and of the outcome's words; ``start`` counts the number in."""

    span: Span
    outcome: Span
    start: int


def outcome_value(words_of_outcome: str) -> str:
    """``upheld`` or ``overturned``, from the heading's outcome word or the prose form's phrase."""
    if _OUTCOME_WHOLE.fullmatch(words_of_outcome):
        return "upheld" if words_of_outcome[0] == "U" else "overturned"
    told = words_of_outcome.lower()
    return "upheld" if "not" in told else "overturned"


@dataclass(frozen=True)
class Layout:
    """How the tool that made this text set its lines: doubled line ends, blank lines kept, full width."""

    double: bool
    blanks_kept: bool
    width: int

    @classmethod
    def of(cls, text: str, label_starts: list[int]) -> Layout:
        """Measured on the text: blank lines count as kept if most labels stand apart from what is before them."""
        lines = sorted(len(line.rstrip()) for line in text.split("\n") if line.strip())
        double = text.count("\n\n") * 3 > text.count("\n")
        apart = sum(_blank_lines(text[max(0, start - 20) : start]) >= 1 + double for start in label_starts)
        return cls(double, apart * 2 >= len(label_starts), lines[int(len(lines) * 0.95)] if lines else 0)


def _blank_lines(before: str) -> int:
    return before[len(before.rstrip()) :].count("\n") - 1


def headings_before(text: str, gap: Span, layout: Layout, *, prose: bool = False) -> list[Heading]:
    """The heading (or headings, one under the other) that close the text in ``gap``; empty if none does."""
    found: list[Heading] = []
    end = gap.end
    while outcome := _outcome_at_end(text, Span(gap.start, end), OUTCOME_PROSE if prose else OUTCOME_WORD):
        before = Span(gap.start, outcome.end("mark") if outcome["mark"] == "is" else outcome.start())
        start = _heading_start(text, before, layout)
        number = _NUMBER.match(text, start, before.end) if prose else None
        span = Span(number.end() if number else start, before.end).trimmed(text)
        if span.start == span.end:
            break
        found.insert(0, Heading(span, Span(*outcome.span("word")), start))
        end = start
        if prose or not _ENDS_IN_OUTCOME.search(text[max(gap.start, end - 60) : end]):
            break
    return found


def _outcome_at_end(text: str, gap: Span, pattern: re.Pattern[str]) -> re.Match[str] | None:
    if footer := _FOOTER.search(text, max(gap.start, gap.end - 200), gap.end):
        gap = Span(gap.start, footer.start())
    # Only the tail is searched, for a search for \\Z over a long gap would be slow. A page's foot and head
    # may stand in it, as blanks.
    end = gap.trimmed(text).end
    return next((m for m in pattern.finditer(text, max(gap.start, end - 240), end)), None)


def _heading_start(text: str, before: Span, layout: Layout) -> int:
    """Where the heading that ends at ``before.end`` begins.

    A paragraph's end is a blank line, or a line broken early after a full stop. A blank line inside
    an unfinished sentence is a page break, and so is passed over.
    """
    start = before.start
    partly = last(PARTLY, text, before)
    limit = before.end
    if partly:
        original = last(WAS_ORIGINAL, text, Span(before.start, partly.start()))
        limit = original.start() if original else partly.start()
    for cut in _paragraph_ends(text, Span(before.start, limit), layout):
        start = cut
    return start


_BREAK = re.compile(r"[^\S\n]*\n(?P<blank>(?:[^\S\n]*\n)*)")
_SENTENCE_END = re.compile(r"[.?!][\"')\u201d]*\s+(?=[A-Z0-9])")
_ENDED = re.compile(r"[.?!][\"')\u201d]*\Z")


def _paragraph_ends(text: str, within: Span, layout: Layout) -> Iterator[int]:
    """Offsets in ``within`` where a new paragraph may begin, the last of them the likeliest.

    Where blank lines were kept, a paragraph ends at one, unless the line before it is a full line
    without a full stop: then the blank line is a page break. Where they were dropped, it ends with
    any line that ends a sentence.
    """
    if text.find("\n", within.start, within.end) < 0:
        # A text without lines: all that is left to go by is where sentences end.
        yield from (match.end() for match in _SENTENCE_END.finditer(text, within.start, within.end))
    at = within.start
    for line in _BREAK.finditer(text, within.start, within.end):
        body = text[at : line.start()].strip()
        length, at = line.start() - at, line.end()
        following = text[line.end() : line.end() + 60].split(None, 1)
        early = bool(following) and layout.width - length > len(following[0]) + 1
        ended = bool(_ENDED.search(body)) or bool(_ENDS_IN_OUTCOME.search(body))
        paged = "\f" in text[line.start() : line.end() + 2]
        separated = paged or line["blank"].count("\n") >= 1 + layout.double
        if not body or (ended and not layout.blanks_kept) or (separated and (ended or early)):
            yield line.end()
