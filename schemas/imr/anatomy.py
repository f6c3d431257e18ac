"""Where the parts of an IMR letter are: header, reviewer, summary, decisions with their paragraphs.

Parts are found by their printed labels, never by blank lines alone: PDF tools double, drop and
move them, and at a page break a paragraph's end vanishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.reading import last, search, words
from extractor.spans import Span

HOW_MADE = re.compile(words("HOW THE IMR") + r"\s+(?:FINAL\s+)?(?:DETERMINATION|DECISION)\s+WAS\s+MADE")
CREDENTIALS = re.compile(words("The Expert Reviewer has the following credentials") + r"\s*:", re.IGNORECASE)
CASE_SUMMARY = re.compile(words("CLINICAL CASE SUMMARY"))
ISSUES = re.compile(r"IMR\s+(?:ISSUES|DECISION\(?S?\)?)\s*,?\s*(?:DECISIONS\s+)?AND\s+RATIONALE\(?S?\)?")
SET_FORTH = re.compile(words("decisions for the disputed items/services set forth below") + r"\s*:?", re.IGNORECASE)
SUMMARY_INTRO = re.compile(words("including all medical records") + r"\s*:", re.IGNORECASE)

# The labels of a decision's three paragraphs. PDF tools may glue or break the words.
PARAGRAPHS = (
    ("claims_administrator", r"Claims\s*Administrator(?:'s)?\s*guidelines?\s*:"),
    ("maximus", r"(?:MAXIMUS|Expert\s+Reviewer)(?:'s)?\s*guidelines?\s*:"),
    ("rationale", r"Decision\s*rationale\s*:"),
)
_LABEL = re.compile("|".join(rf"(?P<{name}>{pattern})" for name, pattern in PARAGRAPHS), re.IGNORECASE)
_ORDER = [name for name, _ in PARAGRAPHS]

# The outcome closes the heading: ": Upheld", ":  Overturned", or alone on the next line.
OUTCOME = re.compile(r"(?P<mark>:|\bis\b|\s-|\n)\s*(?P<word>UPHELD|OVERTURNED|Upheld|Overturned)\s*\.?\s*\Z")
_OUTCOME_LINE = re.compile(r":[^\S\n]*\s*(?P<word>Upheld|Overturned|UPHELD|OVERTURNED)[^\S\n]*\.?[^\S\n]*(?=\r?\n|\Z)")

# The closing formula of a heading that was authorized in part; it belongs to the sentences before it.
PARTLY = re.compile(
    r"(?:The\s+remaining\s+IMR[\s-]+eligible\s+portion\s+of\s+the\s+original\s+request|The\s+original\s+request)\s*,\s*",
    re.IGNORECASE,
)
WAS_ORIGINAL = re.compile(words("was the original request"), re.IGNORECASE)


@dataclass(frozen=True)
class DecisionParts:
    """Raw spans of one decision: ``heading`` without the outcome, ``outcome`` the word itself."""

    span: Span
    heading: Span
    outcome: Span
    paragraphs: dict[str, Span]


@dataclass(frozen=True)
class Anatomy:
    """Raw spans of a letter's parts; an absent part is ``None``."""

    header: Span
    reviewer: Span
    summary: Span | None
    decisions: tuple[DecisionParts, ...]


def anatomy_of(text: str) -> Anatomy | None:
    """The parts of a letter, or ``None`` if the text is not an IMR determination of this form."""
    whole = Span(0, len(text))
    issues = search(ISSUES, text, whole)
    made = search(HOW_MADE, text, whole)
    summary = search(CASE_SUMMARY, text, whole)
    if not issues or not (made or summary):
        return None
    start = made.start() if made else summary.start() if summary else issues.start()
    summary_span = None
    if summary and summary.end() <= issues.start():
        summary_span = Span(summary.end(), issues.start())
        if intro := search(SUMMARY_INTRO, text, summary_span):
            summary_span = Span(intro.end(), issues.start())
    reviewer_end = summary.start() if summary_span and summary else issues.start()
    body_start = forth.end() if (forth := SET_FORTH.search(text, issues.end())) else issues.end()
    return Anatomy(
        header=Span(0, start),
        reviewer=Span(start, reviewer_end),
        summary=summary_span,
        decisions=tuple(_decisions(text, Span(body_start, len(text)))),
    )


def _decisions(text: str, body: Span) -> Iterator[DecisionParts]:
    """Group the labels into decisions; what stands before a group's first label holds its heading."""
    layout = _Layout.of(text)
    groups: list[list[re.Match[str]]] = []
    for label in _LABEL.finditer(text, body.start, body.end):
        name = label.lastgroup or ""
        latest = groups[-1][-1].lastgroup if groups else None
        starts_anew = latest is None or _ORDER.index(name) <= _ORDER.index(latest)
        gap = Span(groups[-1][-1].end() if groups else body.start, label.start())
        if starts_anew and _heading_before(text, gap, layout):
            groups.append([label])
        elif groups:
            groups[-1].append(label)
    for i, labels in enumerate(groups):
        gap_start = groups[i - 1][-1].end() if i else body.start
        heads = _heading_before(text, Span(gap_start, labels[0].start()), layout)
        next_start = len(text)
        if i + 1 < len(groups):
            following = _heading_before(text, Span(labels[-1].end(), groups[i + 1][0].start()), layout)
            next_start = following[0][0].start if following else groups[i + 1][0].start()
        # Headings without paragraphs of their own share the ones that follow the last of them.
        for j, (heading, outcome) in enumerate(heads):
            last = j == len(heads) - 1
            end = next_start if last else heads[j + 1][0].start
            paragraphs = _paragraphs(text, labels, next_start) if last else {}
            yield DecisionParts(Span(heading.start, end), heading, outcome, paragraphs)


def _paragraphs(text: str, labels: list[re.Match[str]], end: int) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for label, following in zip(labels, [*labels[1:], None], strict=True):
        span = Span(label.end(), following.start() if following else end).trimmed(text)
        found.setdefault(label.lastgroup or "", span)
    return found


def _heading_before(text: str, gap: Span, layout: _Layout) -> list[tuple[Span, Span]]:
    """The heading (or headings, one under the other) that close the text in ``gap``, each with its outcome word."""
    found: list[tuple[Span, Span]] = []
    end = gap.end
    while outcome := _outcome_at_end(text, Span(gap.start, end)):
        floor = gap.start
        before = Span(floor, outcome.end("mark") if outcome["mark"] == "is" else outcome.start())
        start = _heading_start(text, before, layout)
        heading = Span(start, before.end).trimmed(text)
        if heading.start == heading.end:
            break
        found.insert(0, (heading, Span(*outcome.span("word"))))
        end = heading.start
        previous = text[gap.start : end].rstrip()
        if not _OUTCOME_LINE.search(previous[-40:] + "\n"):
            break
    return found


def _outcome_at_end(text: str, gap: Span) -> re.Match[str] | None:
    # ``\\Z`` looks at the end of the string, and a search over a long gap would be slow: cut the tail out.
    end = Span(gap.start, gap.end).trimmed(text).end
    return next((m for m in OUTCOME.finditer(text, max(gap.start, end - 40), end)), None)


def _heading_start(text: str, before: Span, layout: _Layout) -> int:
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
_ENDED = re.compile(r"[.?!][\"')\u201d]*\Z")


@dataclass(frozen=True)
class _Layout:
    """How the tool that made this text set its lines: doubled line ends, blank lines kept, full width."""

    double: bool
    blanks_kept: bool
    width: int

    @classmethod
    def of(cls, text: str) -> _Layout:
        lines = sorted(len(line.rstrip()) for line in text.split("\n") if line.strip())
        double = text.count("\n\n") * 3 > text.count("\n")
        labels = list(_LABEL.finditer(text))
        apart = sum(_blank_lines(text[max(0, m.start() - 20) : m.start()]) >= 1 + double for m in labels)
        return cls(double, apart * 2 >= len(labels), lines[int(len(lines) * 0.95)] if lines else 0)


def _blank_lines(before: str) -> int:
    return before[len(before.rstrip()) :].count("\n") - 1


def _paragraph_ends(text: str, within: Span, layout: _Layout) -> Iterator[int]:
    """Offsets in ``within`` where a new paragraph may begin, the last of them the likeliest.

    Where blank lines were kept, a paragraph ends at one, unless the line before it is a full line
    without a full stop: then the blank line is a page break. Where they were dropped, it ends with
    any line that ends a sentence.
    """
    at = within.start
    for line in _BREAK.finditer(text, within.start, within.end):
        body = text[at : line.start()].strip()
        length, at = line.start() - at, line.end()
        following = text[line.end() : line.end() + 60].split(None, 1)
        early = bool(following) and layout.width - length > len(following[0]) + 1
        ended = bool(_ENDED.search(body)) or bool(_OUTCOME_LINE.search(body + "\n"))
        paged = "\f" in text[line.start() : line.end() + 2]
        separated = paged or line["blank"].count("\n") >= 1 + layout.double
        if not body or (ended and not layout.blanks_kept) or (separated and (ended or early)):
            yield line.end()
