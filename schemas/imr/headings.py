"""Headings of decisions: where one begins, and the outcome that closes it.

The outcome ends the heading, right before the first paragraph label; where it begins, the engine
finds backwards, in text whose blank lines PDF tools double, drop and move.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from extractor.letters.spans import Span
from extractor.lettertypes.heading_starts import Headings
from extractor.lettertypes.layout import Layout
from extractor.lettertypes.reading import words

from .forms import OUTCOME, ImrForm

# The closing formula of a heading that was authorized in part; it belongs to the sentences before it.
PARTLY = re.compile(
    r"(?:The\s+remaining\s+IMR[\s-]+eligible\s+portion\s+of\s+the\s+original\s+request|The\s+original\s+request)\s*,\s*",
    re.IGNORECASE,
)
HEADINGS = Headings(
    ended=re.compile(r"[:;]\s*(?:Upheld|UPHELD|Overturned|OVERTURNED)\s*\.?\s*\Z"),
    never=re.compile(
        r"\b(?:claims\s+administrator|maximus|expert\s+reviewer)(?:'s)?\s+guidelines?\b|\bdecision\s+rationale\b",
        re.IGNORECASE,
    ),
    verdict=re.compile(
        r"\b(?:is|are|was|were|be|been|not)[\s-]+(?:\w+[\s-]+){0,3}?medical(?:ly)?[\s-]+(?:necessary|necessity|appropriate)",
        re.IGNORECASE,
    ),
    closing=PARTLY,
    inside=re.compile(
        rf"{words('was the original request')}|\bauthorized\b|{words('leaving the original request')}", re.IGNORECASE
    ),
    opening=re.compile(words("was the original request"), re.IGNORECASE),
)
_OUTCOME_WHOLE = re.compile(OUTCOME)
_ENDS_IN_OUTCOME = re.compile(rf"[:;]\s*{OUTCOME}\s*\.?\s*\Z")
# A page's foot between heading and label.
_FOOTER = re.compile(
    r"(?:\n\s*(?:Final\s+Determination\s+Letter\s+for\s+IMR\s+Case[^\n]*|(?:Page\s+)?\d{1,3}(?:\s+of\s+\d{1,3})?[^\S\n]*))+\s*\Z",
    re.IGNORECASE,
)
# A line that ends like a heading, anywhere.
HEADING_LINE = re.compile(rf"[:;][^\S\n]*(?P<word>{OUTCOME})[^\S\n]*\.?[^\S\n]*(?=\r?\n|\Z)")
# Marks that the form does not have: whether they belong to the item, only a person can tell. Numbers and letters of
# a list, bullets and markup, words that name the item's number or kind, and lines of the page.
_NUMBER = r"(?:\d{1,2}|[IVXLivxl]{1,5}|[A-Za-z])"
_MARKED = re.compile(
    rf"""(?-i:{_NUMBER}\s?[.)]\s|[(\[]\s?{_NUMBER}\s?[)\]])|[#>*<_\u2022\u25aa\u25cf\u00b7-]|["'*]
    |(?:(?:imr|ur|disputed|requested?|treatment|medical)\s+)*
     (?:issues?|items?|services?|requests?|decisions?|determinations?|treatments?)(?:\s*/\s*services?)?
     (?:\s*(?:no\.?|number)?\s*(?:\#\s*)?\d|\s*[:\#-])
    |page\s+\d|final\s+determination\s+letter""",
    re.IGNORECASE | re.VERBOSE,
)
_OUTCOME_LABEL = re.compile(r"\s(?:outcome|decision|determination|result|finding)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """A heading without number and outcome, and the outcome's words.

    It begins, its number counted in, at ``earliest`` or not after ``latest``: one place, where that is certain.
    ``certain`` is false also for words that cannot be a heading.
    """

    span: Span
    outcome: Span
    earliest: int
    latest: int
    certain: bool = True


def outcome_value(words_of_outcome: str) -> str:
    """``upheld`` or ``overturned``, from the heading's outcome word or the prose form's phrase."""
    if _OUTCOME_WHOLE.fullmatch(words_of_outcome):
        return "upheld" if words_of_outcome[0] == "U" else "overturned"
    return "upheld" if "not" in words_of_outcome.lower() else "overturned"


def headings_before(text: str, gap: Span, layout: Layout, form: ImrForm) -> list[Heading]:
    """The heading (or headings, one under the other) that close the text in ``gap``; empty if none does."""
    found: list[Heading] = []
    end = gap.end
    while outcome := _outcome_at_end(text, Span(gap.start, end), form.outcome):
        before = Span(gap.start, outcome.end("mark") if outcome["mark"] == "is" else outcome.start())
        beginning = HEADINGS.beginning(text, before, layout)
        number = form.number.match(text, beginning.at, before.end) if form.number else None
        span = Span(number.end() if number else beginning.at, before.end).trimmed(text)
        if span.start == span.end:
            break
        word = Span(*outcome.span("word"))
        # In the prose form every heading is a sentence of its own, known by the words it begins with.
        certain = bool(number and number[0].strip()) if form.prose else beginning.certain and _is_bare(span.of(text))
        # Only the form's closing formula goes on with "is"; where it takes the colon's place, it may be left out.
        certain &= form.prose or outcome["mark"] != "is" or PARTLY.search(text, *span) is not None
        at, _, earliest, latest = beginning
        found.insert(0, Heading(span, word, earliest, latest, certain))
        end = at
        if form.prose or not _ENDS_IN_OUTCOME.search(text[max(gap.start, end - 60) : end]):
            break
    return found


def _is_bare(heading: str) -> bool:
    """Whether a heading is an item alone: no number, bullet or markup before it, no label of the outcome after it."""
    return not _MARKED.match(heading) and not _OUTCOME_LABEL.search(heading)


def _outcome_at_end(text: str, gap: Span, pattern: re.Pattern[str]) -> re.Match[str] | None:
    if footer := _FOOTER.search(text, max(gap.start, gap.end - 200), gap.end):
        gap = Span(gap.start, footer.start())
    # Only the tail is searched, for a search for \\Z over a long gap would be slow. A page's foot and head
    # may be in it, as blanks.
    end = gap.trimmed(text).end
    return next((m for m in pattern.finditer(text, max(gap.start, end - 240), end)), None)
