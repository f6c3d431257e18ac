"""The forms of the determination, as rows of one table: what differs between them, and nothing else.

Known are the numbered determinations of 2013, the prose of the winter 2013-14, and two labeled forms, of
2014-15 and of 2016-17, which differ in how a guideline is cited. What all forms share, or what needs more than a
pattern (where a heading begins, which dates are the case's), stays in the modules beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from extractor.letters.spans import Span
from extractor.lettertypes.reading import scanned

# The paragraphs under a heading, in the letter's order.
PARAGRAPHS = ("claims_administrator", "maximus", "rationale")


@dataclass(frozen=True)
class ImrForm:
    """One form of the letter.

    ``name``: as the reading has it; ``LABELED`` is that of a letter that cites in neither labeled way. ``labels``:
    what begins the three paragraphs of a decision, a group for each. ``outcome``: what closes a heading, with the
    groups ``mark`` and ``word``. ``number``: what is before the heading's words. ``header``: the labels of the table
    that a letter starts with. ``cited_by``: the label that only this form's citations have. ``prose``: its guideline
    paragraphs are sentences and are not taken apart.
    """

    name: str
    labels: re.Pattern[str]
    outcome: re.Pattern[str]
    header: re.Pattern[str]
    number: re.Pattern[str] | None = None
    cited_by: re.Pattern[str] | None = None
    prose: bool = False


def _labels(*patterns: str) -> re.Pattern[str]:
    # Where no label can begin, one look at one letter is enough.
    labels = "|".join(rf"(?P<{name}>{p})" for name, p in zip(PARAGRAPHS, patterns, strict=True))
    return re.compile(rf"(?=[CDEGMOT0])(?:{labels})")


def _table(first: str, *others: str) -> re.Pattern[str]:
    """Labels of a header's table; ``first`` begins it, if it is named."""
    each = [rf"(?P<first>{first})", *others] if first else list(others)
    return re.compile(rf"\b(?:{'|'.join(each)})\s*:", re.IGNORECASE)


# ---- labels of a decision's paragraphs. PDF tools may glue or break the words, and scans confuse letters. The
# first letter is a capital, which also lets the search skip ahead.
_GAP = r"[^\S\n]?"
_GUIDELINE = rf"(?:'s)?\s*{scanned('guideline')}s?\s*[:;]"
_LABELED = _labels(
    rf"[CG](?i:{_GAP}{scanned('laims Administrator')}{_GUIDELINE})",
    rf"(?:M(?i:{_GAP}{scanned('AXIMUS')})|E(?i:{_GAP}{scanned('xpert Reviewer')}))(?i:{_GUIDELINE})",
    rf"[DO0](?<!s\s[DO0])(?i:{_GAP}{scanned('ecision rationale')}\s*[:;])",
)
# In the prose form the paragraph's first words serve as its label.
_PROSE = _labels(
    r"The\s+Claims\s+Administrator\s+(?=based\s+its\s+decision|did\s+not\s+(?:base|cite))",
    r"The\s+(?:Physician|Expert)\s+Reviewer\s+(?=based\s+h|did\s+not\s+(?:base|cite))",
    r"The\s+(?:Physician|Expert)\s+Reviewer.{0,2}s\s+decision\s+rationale\s*:",
)
# One paragraph for both sides' guidelines.
_NUMBERED = re.compile(
    r"(?P<maximus>Guidelines?\s*(?:\(s\)\s*)?Relied\s+Upon\s+by\s+the\s+Expert\s+Reviewer[^:]{0,60}:)"
    r"|(?P<rationale>Rationale\s+for\s+the\s+Decision\s*:?)",
    re.IGNORECASE,
)

# ---- outcomes that close a heading: ": Upheld", ":  Overturned", or alone on the next line. Scans print look-alike
# letters in it, and a semicolon before it.
OUTCOME = "(?:" + "|".join(map(scanned, ("UPHELD", "Upheld", "OVERTURNED", "Overturned"))) + ")"
_OUTCOME_WORD = re.compile(rf"(?P<mark>[:;]|\bis\b|\s-|\n)\s*(?P<word>{OUTCOME})\s*\.?\s*\Z")
# "2. The request for X is not medically necessary and appropriate." Old texts glue "notmedically", which must not
# turn a denial into an approval.
_OUTCOME_PROSE = re.compile(
    r"(?P<mark>\s)(?P<word>(?:is|are|was|were)\s+(?:not\s*)?medically\s+necessary(?:\s+and\s+appropriate)?)\s*\.?\s*\Z",
    re.IGNORECASE,
)
_DETERMINED = re.compile(
    r"(?:\b\d{1,2}\s*[.)]\s*)?MAXIMUS\s+Federal\s+Services,?\s+Inc\.?,?\s+has\s+determined\s+(?:that\s+)?the\s+"
    r"(?:request\s+for\s+)?(?P<item>.{2,1500}?)\s+(?P<word>(?:is|are)\s+(?:not\s*)?medically\s+necessary(?:\s+and\s+appropriate)?)",
    re.DOTALL | re.IGNORECASE,
)
_REQUEST = re.compile(r"\s*(?:\d{1,2}\s*[.)]\s+)?(?:(?:The|the)\s+request\s+for\s+)?")

# ---- the table that a letter starts with
_OF_2014 = _table(
    scanned("Case Number"),
    *map(
        scanned,
        ("Date Assigned", "Date of Injury", "Decision Date", "UR Denial Date", "Priority", "Application Received"),
    ),
)
_OF_2013 = _table(
    "",
    r"Dated|Employee|Claim\s+Number|Date\s+of\s+UR\s+Decision|Date\s+of\s+Injury|Application\s+Received|Case\s+Number",
)


def _citation_label(first: str, rest: str) -> re.Pattern[str]:
    # The first letter is a class of its own, which lets the search skip ahead.
    return re.compile(rf"[{first}](?i:{scanned(rest)}\s*\(?s?\)?\s*[:;])")


LABELED = ImrForm("2014-17", _LABELED, _OUTCOME_WORD, _OF_2014)
PAGES = ImrForm("2014-15", _LABELED, _OUTCOME_WORD, _OF_2014, cited_by=_citation_label("Pp", "age"))
SECTIONS = ImrForm("2016-17", _LABELED, _OUTCOME_WORD, _OF_2014, cited_by=_citation_label("Ss5", "ection"))
WINTER = ImrForm("winter 2013-14", _PROSE, _OUTCOME_PROSE, _OF_2014, number=_REQUEST, prose=True)
NUMBERED = ImrForm("2013", _NUMBERED, _DETERMINED, _OF_2013, prose=True)
FORMS = (PAGES, SECTIONS, LABELED, WINTER, NUMBERED)


def labeled_form(text: str, guidelines: Iterable[Span]) -> ImrForm:
    """Which labeled form guideline paragraphs are of, by the label of their citations; ``LABELED`` if none has it."""
    paragraphs = list(guidelines)
    # The clean label is counted first: nearly all letters have it, and that costs next to nothing.
    pages, sections = (sum(text.count(label, *each) for each in paragraphs) for label in ("Page(s):", "Section(s):"))
    if pages == sections == 0:
        pages, sections = (_citations(form, text, paragraphs) for form in (PAGES, SECTIONS))
    if pages == sections:
        return LABELED
    return PAGES if pages > sections else SECTIONS


def _citations(form: ImrForm, text: str, paragraphs: Iterable[Span]) -> int:
    """How many citations have the label of a form, also as scans print it."""
    assert form.cited_by is not None
    return sum(1 for each in paragraphs for _ in form.cited_by.finditer(text, *each))
