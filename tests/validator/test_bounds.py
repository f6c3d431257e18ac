"""A list that the reader is uncertain of still has bounds: the doubt is about some elements, not about all numbers."""

from __future__ import annotations

import pytest

from extractor.letters.letter import letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.page_ranges import PageRange
from extractor.lettertypes.reading import ListBounds
from extractor.validator.bounds import outside
from tests.support.imr import decision, findings_on, imr_letter

# Whose pages 80-82 are is open: the report's or the guideline's. Page 12 is the guideline's, "30 1" is damaged.
DOUBT = (
    "The report of 2009 asks for 24 tablets under section 9792.24.2, from 6 to 8. Pages 80-82 do not help. "
    "The ODG, page 12, allows it. As such, this request is not medically necessary."
)
DAMAGE = (
    "The ACOEM of 2004, on page 30 1 of the chapter, wants 3 visits. The ODG, page 12, wants 6. "
    "As such, this request is not medically necessary."
)
LEAF = "/decisions/0/rationale_pages"
FLAG = [("unread", "warning")]
EXTRA, MISSING = [("list_item_extra", "error")], [("list_item_missing", "error")]


def pages(printed: str) -> list[dict[str, int]]:
    ends = [each.split("-") for each in printed.split(", ") if each]
    return [{"first": int(each[0]), "last": int(each[-1])} for each in ends]


@pytest.mark.parametrize(
    ("rationale", "answered", "expected"),
    [
        (DOUBT, "80-82, 12", []),
        (DOUBT, "12", FLAG),
        (DOUBT, "12, 80-82", FLAG),
        (DOUBT, "80-82", MISSING),
        (DOUBT, "", MISSING),
        (DOUBT, "80-82, 12, 2009", EXTRA),
        (DOUBT, "80-82, 12, 9792", EXTRA),
        (DOUBT, "80-82, 12, 24", EXTRA),
        (DOUBT, "6-8, 12", EXTRA),
        (DOUBT, "8-82, 12", EXTRA),
        (DOUBT, "80, 12", EXTRA),
        (DOUBT, "82-80, 12", EXTRA),
        (DOUBT, "80-82, 12, 12", EXTRA),
        (DOUBT, "80-82, 12, 677", EXTRA),
        (DAMAGE, "301, 12", FLAG),
        (DAMAGE, "30, 12", []),
        (DAMAGE, "301, 12, 2004", EXTRA),
        (DAMAGE, "301, 3, 12", EXTRA),
        (DAMAGE, "301", MISSING),
    ],
)
def test_only_what_is_in_doubt_is_left_open(rationale: str, answered: str, expected: list[tuple[str, str]]) -> None:
    text = imr_letter(decision(rationale=rationale))
    found = findings_on(text, lambda answer: answer["decisions"][0].update(rationale_pages=pages(answered)))
    here = [each for each in found if each.path.startswith(LEAF) and each.code != "imr_page_list_mended"]
    assert [(each.code, each.severity) for each in here] == expected


def test_a_place_that_cannot_be_read_leaves_open_what_is_printed_there() -> None:
    letter = letter_from_text("pages 5, 3O1 and 7 of 2004", letter_id="a")
    items = [PageRange(first=number, last=number) for number in (5, 301, 2004)]
    plain = [item.model_dump() for item in items]
    bounds = ListBounds(least=tuple(plain[:1]), most=tuple(plain[:1]), open=(Span(9, 12),))
    assert outside(items, plain, bounds, letter).extra == (2,)
    assert outside(items[1:2], plain[1:2], bounds, letter).missing == (plain[0],)
