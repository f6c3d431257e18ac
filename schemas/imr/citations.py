"""Guideline paragraphs: what a side based its decision on, and which chapters, sections and pages it cites.

Forms read: ``MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 301, 340.`` (2014-15),
``MTUS Low Back Complaints 2004, Section(s): Special Studies, and ...`` (2016-17), and free text
with "page 137" or "pg. 64". Chapter numbers, years and section numbers are never pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from extractor.letters.spans import Span
from extractor.lettertypes.listed import names_outside_brackets, without_punctuation
from extractor.lettertypes.page_lists import PAGE_LABEL, PageList, read_pages
from extractor.lettertypes.reading import Block, Fact, scanned, squeeze

from .guidelines import chapter_of

_MTUS = r"MTU[S5]"
_STATEMENT = re.compile(
    rf"{scanned('Decision based on')}\s*(?:(?P<non_mtus>{scanned('Non')}-?\s*{_MTUS}(?:\s*{scanned('Citation')}s?)?)"
    rf"|(?P<mtus>{_MTUS}))\b[^\S\n]*:?",
    re.IGNORECASE,
)
_CITES_NOTHING = re.compile(scanned("did not cite any medical evidence"), re.IGNORECASE)
_OUTSIDE = re.compile(
    scanned("did not base their decision on the MTUS") + "|" + scanned("outside of the MTUS"), re.IGNORECASE
)
_SECTION_LABEL = re.compile(rf",?\s*{scanned('Section')}\s*[(\[{{]?[s5]?[)\]}}]?\s*[:;]\s*", re.IGNORECASE)
# A chapter of the 2016-17 form is named with its year: "Low Back Complaints 2004".
_CHAPTER_END = re.compile(r"\b(?:19|20)\d\d\b(?:\s+Guidelines)?(?=\s*,\s*(?:Section|and\b)|\s+and\b|\s*\.?\s*\Z)")
_NEXT_CHAPTER = re.compile(r",?\s+and\s+(?=[A-Z][A-Za-z ,&'/\s-]{3,90}?\s((?:19|20)\d\d)\b)")
# How the names of the schedule's chapters begin: where names hold an "and", this settles which begins the next one.
_CHAPTER_START = re.compile(
    r"General Approach|Cornerstones|Initial Approaches|Pain,? Suffering|Prevention|Neck|Shoulder|Elbow|Forearm|"
    r"Low Back|Knee|Ankle|Stress|Eye|Chronic Pain|Post-?\s?surgical|Acupuncture|Medical Treatment|Opioids? Treatment",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[A-Za-z]{2}")
# "page #": a label of pages with signs after it that are none.
_PAGE_UNREAD = re.compile(r"\bpages?\b[\s.:(]+[^\sA-Za-z]{1,12}\Z", re.IGNORECASE)
# More than a title's field holds.
_LONGEST = 1900
# A chapter of the 2016-17 form is named with its year; what comes after it belongs under a label.
_BEHIND_YEAR = re.compile(r"\b(?:19|20)\d\d\s*,\s*\S")
# Pages under a label that is not known. Neither a year, nor a chapter's number, nor a part of a date or section number.
_ENDS_IN_NUMBER = re.compile(
    r"(?<![\d/.-])(?<!chapter )(?<!\bpart )(?<!section )(?<!version )(?!(?:19|20)\d\d\b)\d{1,4}\Z"
    r"|(?<![\d/.-])(?!(?:19|20)\d\d\b)\d{1,4}\s?-\s?\d{1,4}\Z",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(?:[\s.,;:]|\band\b|\bof\s+\d{1,4}\b)+")
# Section names that hold a comma before a capital; everything else is cut there.
_UNCUT = re.compile(
    r",(?:(?<=\bNSAIDs,)(?=\s+GI\s+symptoms)|(?<=\bForearm,)(?=\s+Wrist\b)|(?<=\bWrist,)(?=\s+(?:&|and)\s+Hand\b))",
    re.IGNORECASE,
)
# A comma before the last name, with the word that joins it on; a name begins with a capital or a number.
_NAME_CUT = re.compile(r",\s*(?:(?:and|&)\s+)?(?=[A-Z0-9])")


def read_guideline(text: str, paragraph: Span | None, *, prose: bool = False) -> Block:
    """One guideline paragraph as a block: fact ``basis`` and a block for each citation.

    The prose forms of 2013 are not taken apart: their block is not certain, and an
    answer about it needs review instead of being called wrong.
    """
    if paragraph is None or prose:
        span = paragraph or Span(0, 0)
        regions = {"paragraph": span} if paragraph else {}
        return Block(span, regions, {"basis": Fact(None, certain=False)}, certain=False)
    statements = list(_STATEMENT.finditer(text, paragraph.start, paragraph.end))
    citations: list[Block] = []
    for i, statement in enumerate(statements):
        end = statements[i + 1].start() if i + 1 < len(statements) else paragraph.end
        source = "non_mtus" if statement["non_mtus"] else "mtus"
        citations += _citations(text, Span(statement.end(), end), Fact(source, (Span(*statement.span(source)),)))
    basis = _basis(text, paragraph, statements)
    # Words that are none of the form's statements, or a name that is none, hide what is cited.
    lost = basis.value is None and _LETTERS.search(text, *paragraph) is not None
    lost |= not all(map(_is_readable, citations))
    # A statement in words that are not the form's comes before one that is.
    lost |= bool(statements) and _is_unknown(text, Span(paragraph.start, statements[0].start()))
    return Block(
        paragraph,
        regions={"paragraph": paragraph},
        facts={"basis": replace(basis, certain=False) if lost else basis},
        blocks={"citations": citations},
        certain=not lost,
    )


def _is_unknown(text: str, before: Span) -> bool:
    """Whether there are words before the first statement that are not the form's own."""
    return _LETTERS.search(text, *before) is not None and _OUTSIDE.search(text, *before) is None


def _is_readable(citation: Block) -> bool:
    """Whether a citation has a name of letters that ends where a name does, and its sections are more than signs."""
    if not citation.certain:
        return False
    names = citation.facts["sections"].value
    title = citation.facts["title"].value
    if citation.facts["source"].value == "mtus" and _BEHIND_YEAR.search(title):
        return False
    if not citation.facts["pages"].value:
        if title[-1:].isdigit() and _ENDS_IN_NUMBER.search(title, len(title) - 16):
            return False
        if not title[-1:].isalpha() and _PAGE_UNREAD.search(title, len(title) - 24):
            return False
    return len(title) <= _LONGEST and bool(_LETTERS.search(title)) and all(re.search(r"\w", name) for name in names)


def _basis(text: str, paragraph: Span, statements: list[re.Match[str]]) -> Fact:
    spans = tuple(Span(*statement.span()).trimmed(text) for statement in statements)
    inside = any(not statement["non_mtus"] for statement in statements)
    outside = any(statement["non_mtus"] for statement in statements)
    if statements:
        return Fact("both" if inside and outside else "mtus" if inside else "outside_mtus", spans)
    for pattern, basis in ((_CITES_NOTHING, "nothing"), (_OUTSIDE, "outside_mtus")):
        if match := pattern.search(text, paragraph.start, paragraph.end):
            return Fact(basis, (Span(*match.span()),))
    return Fact(None, certain=False)


def _citations(text: str, body: Span, source: Fact) -> Iterator[Block]:
    at = body.start
    while at < body.end:
        rest, settled = Span(at, body.end), True
        name_end = _name_end(text, rest) if source.value == "mtus" else None
        if name_end is not None:
            joint, settled = _next_chapter(text, Span(name_end, body.end))
            rest = Span(at, joint.start() if joint else body.end)
        block, at = _cited(text, rest, source, name_end)
        if block:
            yield block if settled else replace(block, certain=False)
        at = _skip_joint(text, Span(at, body.end))


def _next_chapter(text: str, rest: Span) -> tuple[re.Match[str] | None, bool]:
    """The "and" before the next chapter's name, and whether it is settled which of several that is."""
    joints = list(_NEXT_CHAPTER.finditer(text, *rest))
    joints = [joint for joint in joints if joint.start(1) == joints[0].start(1)]
    known = [joint for joint in joints if _CHAPTER_START.match(text, joint.end())]
    best = known or joints
    return (best[0] if best else None), len(best) < 2


def _name_end(text: str, rest: Span) -> int | None:
    """Where the name of a chapter of the 2016-17 form ends: after its year, or before "Section(s):"."""
    sections = _SECTION_LABEL.search(text, rest.start, rest.end)
    year = _CHAPTER_END.search(text, rest.start, sections.start() if sections else rest.end)
    return year.end() if year else sections.start() if sections else None


def _cited(text: str, part: Span, source: Fact, name_end: int | None) -> tuple[Block | None, int]:
    """One citation at the start of ``part``, and where it stops; a page list always ends one."""
    label = PAGE_LABEL.search(text, part.start, part.end)
    sections = _SECTION_LABEL.search(text, part.start, part.end) if name_end is not None else None
    if sections and label and label.start() < sections.start():
        sections = None
    names_end = label.start() if label else part.end
    title = without_punctuation(text, Span(part.start, sections.start() if sections else names_end))
    names = Span(sections.end(), names_end) if sections else None
    if not label:
        return _citation(text, source, title, names), part.end
    chapter = chapter_of(squeeze(title.of(text)))
    pages = read_pages(text, Span(label.end(), part.end), chapter)
    block = _citation(text, source, title, names, pages)
    if block and (pages.repaired or not pages.certain):
        block = replace(block, regions={**block.regions, "repaired": Span(label.start(), pages.end)})
    return block, pages.end


def _citation(
    text: str, source: Fact, title: Span, sections: Span | None = None, pages: PageList | None = None
) -> Block | None:
    if title.start == title.end:
        return None
    found = pages.pages if pages else ()
    last = max([title.end, *([sections.end] if sections else []), *([pages.end] if pages else [])])
    whole = Span(title.start, last).trimmed(text)
    names = list(names_outside_brackets(text, sections, _NAME_CUT, _UNCUT)) if sections else []
    ranges = [{"first": page.first, "last": page.last} for page in found]
    return Block(
        whole,
        regions={"citation": whole},
        facts={
            "source": source,
            "title": Fact(squeeze(title.of(text)), (title,)),
            "sections": Fact([squeeze(span.of(text)) for span in names], tuple(names)),
            "pages": Fact(ranges, tuple(page.span for page in found), certain=pages is None or pages.certain),
        },
    )


def _skip_joint(text: str, rest: Span) -> int:
    joint = _JOINT.match(text, *rest)
    return joint.end() if joint else rest.start
