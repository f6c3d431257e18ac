"""The 2013 form: numbered determinations, printed on the first page and again before the rationales.

``1) MAXIMUS Federal Services, Inc. has determined the request for X is not medically necessary and
appropriate.`` There is no Upheld or Overturned; the case summary is quoted from the utilization
review's denial. Known from the public copy of one letter and from the form's later use, so
guideline paragraphs are not read with certainty here.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from extractor.letters.spans import Span, fold
from extractor.lettertypes.reading import search

from .anatomy import Anatomy, DecisionParts
from .forms import NUMBERED
from .headings import Heading

_QUALIFICATIONS = re.compile(r"Medical\s+Qualifications\s+of\s+the\s+Expert\s+Reviewer\s*:?", re.IGNORECASE)
_SUMMARY = re.compile(r"Case\s+Summary\s*:", re.IGNORECASE)
_SUMMARY_END = re.compile(r"Documents\s+Reviewed|\b\d{1,2}\s*[.)]\s*Regarding\s+the\s+request", re.IGNORECASE)
_REGARDING = re.compile(r"(?:\b\d{1,2}\s*[.)]\s*)?Regarding\s+the\s+request(?:\s+for)?\b", re.IGNORECASE)
_AFTER = re.compile(r"Effect\s+of\s+the\s+Decision|Disclaimer\s*:\s*MAXIMUS|\bSincerely\b", re.IGNORECASE)


def determinations_of(text: str) -> Anatomy | None:
    """The parts of a letter of the 2013 form, or ``None`` if it holds no such determination."""
    printed = list(NUMBERED.outcome.finditer(text))
    if not printed:
        return None
    chosen = _last_printing(printed)
    whole = Span(0, len(text))
    qualifications = search(_QUALIFICATIONS, text, whole)
    summary = _SUMMARY.search(text, chosen[-1].end())
    summary_span = None
    if summary:
        end = _SUMMARY_END.search(text, summary.end())
        summary_span = Span(summary.end(), end.start() if end else len(text))
    reviewer = Span(0, 0)
    if qualifications:
        reviewer = Span(qualifications.end(), max(qualifications.end(), summary.start() if summary else len(text)))
    parts = _parts(text, chosen[-1].end())
    decisions = []
    for i, match in enumerate(chosen):
        heading = Heading(
            Span(*match.span("item")).trimmed(text), Span(*match.span("word")), match.start(), match.start()
        )
        paragraphs = parts[i] if len(parts) == len(chosen) else {}
        decisions.append(DecisionParts(Span(*match.span()), heading, paragraphs, NUMBERED))
    return Anatomy(text, Span(0, printed[0].start()), reviewer, summary_span, tuple(decisions))


def _last_printing(printed: list[re.Match[str]]) -> list[re.Match[str]]:
    """The determinations once: the second printing where the letter repeats the whole list."""
    half = len(printed) // 2
    first, second = printed[:half], printed[half:]
    same = [fold(match["item"]) for match in first] == [fold(match["item"]) for match in second]
    return second if half and same else printed


def _parts(text: str, start: int) -> list[dict[str, Span]]:
    """The paragraphs under each "Regarding the request": one for both sides' guidelines, and the rationale."""
    marks = list(_REGARDING.finditer(text, start))
    found = []
    for mark, following in zip_longest(marks, marks[1:]):
        end = following.start() if following else len(text)
        if not following and (after := _AFTER.search(text, mark.end())):
            end = after.start()
        labels = list(NUMBERED.labels.finditer(text, mark.end(), end))
        label = next((each for each in labels if each["rationale"]), None)
        if label:
            relied = next((each for each in labels if each["maximus"] and each.end() <= label.start()), None)
            both = Span(relied.end() if relied else mark.end(), label.start()).trimmed(text)
            rationale = Span(label.end(), end).trimmed(text)
            found.append({"claims_administrator": both, "maximus": both, "rationale": rationale})
    return found
