"""Claims: the words that each record of a list takes, where the reader knows no parts of the letter for that list.

The records' own words are then all there is to go by. They must follow the letter's order, no two records
may take the same words, and a paragraph between two records that none of them takes is for a person.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.units import paragraphs

# A shorter paragraph is a heading, a page mark or a signature.
_MIN_WORDS = 5
# The longest number or bullet in front of a paragraph.
_MARK = 5

Claims = Sequence[Span | None]


def claims_of(texts: Sequence[str | None], letter: Letter, region: Span) -> list[Span | None]:
    """Where each text is in ``region``: after those before it if it is there, else at its first place."""
    found: list[Span | None] = []
    at = region.start
    first: dict[str, Span | None] = {}  # of texts that are not found further on: a hostile list repeats them
    for text in texts:
        if not text or text in first:
            found.append(first.get(text or ""))
            continue
        place = letter.folded.find(text, Span(at, region.end))
        if place:
            at = place.end
        else:
            place = first[text] = letter.folded.find(text, region)
        found.append(place)
    return found


def out_of_order(claims: Claims) -> bool:
    """Whether a claim starts before an earlier one."""
    starts = [claim.start for claim in claims if claim]
    return starts != sorted(starts)


def overlapping(claims: Claims) -> list[int]:
    """The indexes of claims that share words with an earlier one of the list."""
    located = sorted((claim, i) for i, claim in enumerate(claims) if claim)
    clashes: set[int] = set()
    furthest: tuple[int, int] | None = None
    for claim, i in located:
        if furthest and claim.start < furthest[0]:
            clashes.add(max(i, furthest[1]))
        if furthest is None or claim.end > furthest[0]:
            furthest = (claim.end, i)
    return sorted(clashes)


def own_parts(claims: Claims, region: Span) -> list[Span]:
    """For each record, the part of ``region`` between the words of its neighbors."""
    if out_of_order(claims) or overlapping(claims):
        return [region] * len(claims)
    starts: list[int] = []
    at = region.start
    for claim in claims:
        starts.append(at)
        at = claim.end if claim else at
    ends: list[int] = []
    at = region.end
    for claim in reversed(claims):
        ends.append(at)
        at = claim.start if claim else at
    return list(map(Span, starts, reversed(ends)))


def unclaimed(
    claims: Claims, letter: Letter, region: Span, evidence: Mapping[str, Sequence[Span]], *, whole: bool = False
) -> list[Span]:
    """Paragraphs between the first claim and the last that hold no evidence at all, as raw spans.

    ``whole``: only where every claim begins a paragraph, so that the list is one of paragraphs.
    """
    located = sorted(claim for claim in claims if claim)
    if len(located) < 2 or out_of_order(claims):
        return []
    view = letter.view
    blocks = [view.to_raw(span) for span in paragraphs(view.text, view.from_raw(region))]
    if whole and not _begin_paragraphs(located, blocks, letter.text):
        return []
    taken = sorted([*located, *(span for spans in evidence.values() for span in spans)])
    starts = [span.start for span in taken]
    furthest = list(accumulate((span.end for span in taken), max))
    between = Span(located[0].end, located[-1].start)
    return [
        block
        for block in blocks
        if between.covers(block)
        and _is_prose(block.of(letter.text))
        and furthest[bisect_left(starts, block.end) - 1] <= block.start
    ]


def _begin_paragraphs(claims: Sequence[Span], blocks: Sequence[Span], text: str) -> bool:
    """Whether each claim begins a paragraph, up to a number or a bullet before its words."""
    starts = [block.start for block in blocks]
    for claim in claims:
        at = bisect_right(starts, claim.start) - 1
        if at < 0 or len(text[starts[at] : claim.start].strip()) > _MARK:
            return False
    return True


def _is_prose(words: str) -> bool:
    return len(words.split()) >= _MIN_WORDS and not words.isupper()
