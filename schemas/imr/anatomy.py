"""Where the parts of an IMR letter are: header, reviewer, summary, decisions with their paragraphs.

Parts are found by their printed labels, never by blank lines alone: at a page break a
paragraph's end vanishes. The labels of each form are in ``forms.py``; the numbered determinations of 2013 have
no headings, and are found by ``determinations.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from extractor.letters.spans import Span
from extractor.lettertypes.layout import Layout
from extractor.lettertypes.reading import scanned, words

from .forms import LABELED, PARAGRAPHS, WINTER, ImrForm, labeled_form
from .headings import Heading, headings_before


def _heading(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """In capitals anywhere; in other letters alone on its line, because sentences have these words, too."""
    return re.compile(pattern), re.compile(rf"^[^\S\n]*(?:{pattern})[^\S\n]*:?[^\S\n]*$", re.IGNORECASE | re.MULTILINE)


_DETERMINED = "|".join(map(scanned, ("DETERMINATION", "DECISION")))
HOW_MADE = _heading(rf"{scanned('HOW THE IMR')}\s*(?:{scanned('FINAL')}\s*)?(?:{_DETERMINED})\s*{scanned('WAS MADE')}")
CASE_SUMMARY = _heading(scanned("CLINICAL CASE SUMMARY"))
ISSUES = _heading(
    rf"{scanned('IMR')}\s*(?:{scanned('ISSUES')}|{scanned('DECISION')}\(?S?\)?)\s*[,.]?\s*(?:{scanned('DECISIONS')}\s*)?"
    rf"{scanned('AND RATIONALE')}\(?S?\)?"
)
SET_FORTH = re.compile(
    rf"{scanned('decisions for the disputed items')}\s*\W?\s*{scanned('services set forth below')}(?:\s*[:;.])?",
    re.IGNORECASE,
)
SUMMARY_INTRO = re.compile(words("including all medical records") + r"\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class DecisionParts:
    """Spans of one decision.

    ``open_end``: its last paragraph may end sooner, or later up to here: it is not certain where the next heading
    begins. ``None`` where it is.
    """

    span: Span
    heading: Heading
    paragraphs: dict[str, Span]
    form: ImrForm
    open_end: int | None = None

    @property
    def certain(self) -> bool:
        """Whether the parts are what they claim to be: a heading that can be one, over a rationale."""
        rationale = self.paragraphs.get("rationale")
        return self.heading.certain and (self.form.prose or (rationale is not None and rationale.start < rationale.end))


@dataclass(frozen=True)
class Anatomy:
    """Raw spans of a letter's parts; an absent part is ``None``.

    ``unheaded``: labels that begin a decision's paragraphs without a heading with an outcome before them; ``possible``:
    for each, the text from the paragraph before to the next heading, in which that decision is.
    """

    text: str
    header: Span
    reviewer: Span
    summary: Span | None
    decisions: tuple[DecisionParts, ...]
    unheaded: tuple[Span, ...] = ()
    possible: tuple[Span, ...] = ()

    @property
    def form(self) -> ImrForm:
        """The form of the letter; where nothing is cited in the way of one labeled form, both are possible."""
        found = self.decisions[0].form if self.decisions else LABELED
        if found is not LABELED:
            return found
        sides = (parts.paragraphs.get(side) for parts in self.decisions for side in PARAGRAPHS[:2])
        return labeled_form(self.text, filter(None, sides))


def anatomy_of(text: str) -> Anatomy | None:
    """The parts of a letter, or ``None`` if the text has not the headings of an IMR determination."""
    issues, made, summary = (_first(patterns, text) for patterns in (ISSUES, HOW_MADE, CASE_SUMMARY))
    if not issues or not (made or summary):
        return None
    start = min(match.start() for match in (made, summary, issues) if match)
    reviewer_end, summary_span = issues.start(), None
    if summary and summary.end() <= issues.start():
        reviewer_end = summary.start()
        intro = SUMMARY_INTRO.search(text, summary.end(), issues.start())
        summary_span = Span(intro.end() if intro else summary.end(), issues.start())
    forth = SET_FORTH.search(text, issues.end())
    body = Span(forth.end() if forth else issues.end(), len(text))
    decisions, unheaded, possible = _decisions(text, body)
    parts = (tuple(decisions), tuple(unheaded), tuple(possible))
    # Without its heading the reviewer's part begins nobody knows where.
    reviewer = Span(start if made else 0, reviewer_end)
    return Anatomy(text, Span(0, start), reviewer, summary_span, *parts)


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.search(text) for pattern in patterns)), None)


def _decisions(text: str, body: Span) -> tuple[list[DecisionParts], list[Span], list[Span]]:
    """Group the labels into decisions; the text before a group's first label ends with its heading."""
    form = LABELED
    labels = [label for label in form.labels.finditer(text, body.start, body.end) if _is_label(text, label)]
    if not labels:
        form = WINTER
        labels = list(form.labels.finditer(text, body.start, body.end))
    layout = Layout.of(text, [label.start() for label in labels])
    groups: list[tuple[list[Heading], list[re.Match[str]]]] = []
    unheaded: list[Span] = []
    starts: list[int] = []
    for label in labels:
        latest = groups[-1][1][-1] if groups else None
        begins = latest is None or _rank(label) <= _rank(latest)
        gap = Span(latest.end() if latest else body.start, label.start())
        headings = headings_before(text, gap, layout, form) if begins else []
        if headings:
            groups.append((headings, [label]))
            continue
        if begins:
            unheaded.append(Span(*label.span()))
            starts.append(gap.start)
        if groups:
            groups[-1][1].append(label)
    decisions = list(_parts(text, groups, body.end, form))
    ends = sorted({*starts, *(parts.heading.latest for parts in decisions), body.end})
    return (
        decisions,
        unheaded,
        [Span(start, next(end for end in ends if end > start)) for start in dict.fromkeys(starts)],
    )


def _parts(
    text: str, groups: list[tuple[list[Heading], list[re.Match[str]]]], body_end: int, form: ImrForm
) -> Iterator[DecisionParts]:
    for (headings, group), later in zip_longest(groups, groups[1:]):
        next_heading = later[0][0] if later else None
        end = next_heading.latest if next_heading else body_end
        open_end = next_heading.span.end if next_heading and not next_heading.certain else None
        # Headings without paragraphs of their own precede one that has them.
        for heading, following in zip_longest(headings, headings[1:]):
            if following:
                yield DecisionParts(Span(heading.earliest, following.latest), heading, {}, form)
            else:
                span, paragraphs = Span(heading.earliest, end), _paragraphs(text, group, end)
                yield DecisionParts(span, heading, paragraphs, form, open_end)


def _is_label(text: str, label: re.Match[str]) -> bool:
    """A colon makes a label anywhere; a semicolon, which scans print for it, only where a line or sentence begins."""
    before = text[max(0, label.start() - 40) : label.start()].rstrip(" \t\u00a0")
    return label[0][-1] == ":" or not before or before[-1] in "\n\f.:"


def _rank(label: re.Match[str]) -> int:
    return PARAGRAPHS.index(label.lastgroup or "")


def _paragraphs(text: str, labels: list[re.Match[str]], end: int) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for label, following in zip_longest(labels, labels[1:]):
        span = Span(label.end(), following.start() if following else end).trimmed(text)
        found.setdefault(label.lastgroup or "", span)
    return found
