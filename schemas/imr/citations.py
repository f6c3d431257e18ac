"""Guideline paragraphs: on what a side based its decision, and which chapters, sections and pages it cites.

Forms read: ``MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 301, 340.`` (2014-15),
``MTUS Low Back Complaints 2004, Section(s): Special Studies, and ...`` (2016-17), and free text
with "page 137" or "pg. 64". Chapter numbers, years and section numbers are never pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractor.reading import Block, Fact, FoundPages, read_pages, squeeze, words
from extractor.spans import Span

_STATEMENT = re.compile(
    r"Decision\s+based\s+on\s+(?:(?P<non_mtus>Non-?\s*MTUS(?:\s+Citations?)?)|(?P<mtus>MTUS))\b[^\S\n]*:?",
    re.IGNORECASE,
)
_CITES_NOTHING = re.compile(words("did not cite any medical evidence"), re.IGNORECASE)
_OUTSIDE = re.compile(
    words("did not base their decision on the MTUS") + "|" + words("outside of the MTUS"), re.IGNORECASE
)
PAGE_LABEL = re.compile(
    r"\bPages?\s*\(?s?\)?\s*[:.]?\s*(?=\d)|\bpgs?\b\.?\s*:?\s*(?=\d)|\bpp?\.\s*(?=\d)", re.IGNORECASE
)
_SECTION_LABEL = re.compile(r",?\s*Section\s*\(?s?\)?\s*:\s*", re.IGNORECASE)
# A chapter of the 2016-17 form is named with its year: "Low Back Complaints 2004".
_CHAPTER_END = re.compile(r"\b(?:19|20)\d\d\b(?:\s+Guidelines)?(?=\s*,\s*(?:Section|and\b)|\s+and\b|\s*\.?\s*\Z)")
_NEXT_CHAPTER = re.compile(r",?\s+and\s+(?=[A-Z][A-Za-z ,&'/\s-]{3,90}?\s(?:19|20)\d\d\b)")
_TRAILING = " \t\r\n.,;:"
# Section names that hold a comma before a capital; everything else is cut there.
_UNCUT = re.compile(r"(?<=NSAIDs), (?=GI symptoms)|(?<=Forearm), (?=Wrist)|(?<=Wrist), (?=& Hand|and Hand)")


def read_guideline(text: str, paragraph: Span | None, *, prose: bool = False) -> Block:
    """One guideline paragraph as a block: fact ``basis`` and a block for each citation.

    The prose forms of 2013 are not taken apart: their block is not certain, and what an answer
    says of it goes to a person instead of being called wrong.
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
    return Block(
        paragraph,
        regions={"paragraph": paragraph},
        facts={"basis": _basis(text, paragraph, statements)},
        blocks={"citations": citations},
    )


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
        rest = Span(at, body.end)
        name_end = _name_end(text, rest) if source.value == "mtus" else None
        if name_end is not None:
            following = _NEXT_CHAPTER.search(text, name_end, body.end)
            rest = Span(at, following.start() if following else body.end)
        block, at = _cited(text, rest, source, name_end)
        if block:
            yield block
        at = _skip_joint(text, Span(at, body.end))


def _name_end(text: str, rest: Span) -> int | None:
    """Where the name of a chapter of the 2016-17 form ends: behind its year, or before "Section(s):"."""
    sections = _SECTION_LABEL.search(text, rest.start, rest.end)
    year = _CHAPTER_END.search(text, rest.start, sections.start() if sections else rest.end)
    return year.end() if year else sections.start() if sections else None


def _cited(text: str, part: Span, source: Fact, name_end: int | None) -> tuple[Block | None, int]:
    """One citation at the start of ``part``, and where it stops; a page list always ends one."""
    pages = PAGE_LABEL.search(text, part.start, part.end)
    sections = _SECTION_LABEL.search(text, part.start, part.end) if name_end is not None else None
    if sections and pages and pages.start() < sections.start():
        sections = None
    found = read_pages(text, Span(pages.end(), part.end)) if pages else []
    names_end = pages.start() if pages else part.end
    title = Span(part.start, sections.start() if sections else names_end)
    block = _citation(text, source, title, Span(sections.end(), names_end) if sections else None, found)
    if pages:
        return block, found[-1].span.end if found else pages.end()
    return block, part.end


def _citation(
    text: str,
    source: Fact,
    title: Span,
    sections: Span | None = None,
    pages: Sequence[FoundPages] = (),
) -> Block | None:
    title = _stripped(text, title)
    if title.start == title.end:
        return None
    last = max([title.end, *([sections.end] if sections else []), *(page.span.end for page in pages)])
    whole = Span(title.start, last).trimmed(text)
    names = list(_section_names(text, sections)) if sections else []
    return Block(
        whole,
        regions={"citation": whole},
        facts={
            "source": source,
            "title": Fact(squeeze(title.of(text)), (title,)),
            "sections": Fact([squeeze(span.of(text)) for span in names], tuple(names)),
            "pages": Fact(
                [{"first": page.first, "last": page.last} for page in pages], tuple(page.span for page in pages)
            ),
        },
    )


def _section_names(text: str, sections: Span) -> Iterator[Span]:
    """Cut a section list at the commas that part names: those outside brackets, before a capital or a number."""
    flat = re.sub(r"\s", " ", sections.of(text))
    uncut = {match.start() for match in _UNCUT.finditer(flat)}
    depth, start = 0, 0
    for i, letter in enumerate(flat):
        depth += (letter in "([") - (letter in ")]")
        tail = flat[i + 1 :].lstrip()
        if letter == "," and depth <= 0 and tail and (tail[0].isupper() or tail[0].isdigit()) and i not in uncut:
            yield _stripped(text, Span(sections.start + start, sections.start + i))
            start = i + 1
    last = _stripped(text, Span(sections.start + start, sections.end))
    if last.start < last.end:
        yield last


def _skip_joint(text: str, rest: Span) -> int:
    joint = re.compile(r"(?:[\s.,;]|\band\b|\bof\s+\d{1,4}\b)+").match(text, rest.start, rest.end)
    return joint.end() if joint else rest.start


def _stripped(text: str, span: Span) -> Span:
    """``span`` without blanks and list punctuation at its ends; a closing bracket keeps its full stop out too."""
    start, end = span
    while start < end and text[start] in _TRAILING:
        start += 1
    while end > start and text[end - 1] in _TRAILING:
        end -= 1
    return Span(start, end)


def read_page_mentions(text: str, rationale: Span) -> Fact:
    """Pages named in the running text of a rationale ("page 214", "pages 89-90"), each once, in order."""
    seen: dict[tuple[int, int], Span] = {}
    for label in PAGE_LABEL.finditer(text, rationale.start, rationale.end):
        for page in read_pages(text, Span(label.end(), rationale.end)):
            seen.setdefault((page.first, page.last), page.span)
    return Fact([{"first": first, "last": last} for first, last in seen], tuple(seen.values()))
