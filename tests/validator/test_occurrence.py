"""Whether a value is printed in a part of a letter, in any spelling, and however a scan damaged it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.validator.occurrence import occurrences


class Pages(BaseModel):
    first: int
    last: int


class Dose(BaseModel):
    amount: int
    given: date


def words(value: Any, text: str) -> list[str] | None:
    found = occurrences(value, Letter("x", text), Span(0, len(text)))
    return None if found is None else [span.of(text) for span in found]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        (301, "page 301.", ["301"]),
        (301, "page 3O1.", ["3O1"]),
        (301, "page 30 1.", ["30 1"]),
        (301, "page 1301, 3010, 308", []),
        (1200, "a fee of 1,200 dollars", ["1,200"]),
        (111, "Ill workers", []),
        (9, "pages 8, 9 and 19", ["9"]),
        (9, "chapter 9792.24.2, 1.9 miles", []),
        (57, "a fifty-seven year old", ["fifty-seven"]),
        (57, "a 57-year-old", ["57"]),
        (7, "twenty-seven, 17", ["seven"]),
        (120, "one hundred and twenty", ["hundred and twenty"]),
        (date(2016, 10, 14), "on 10/14/2016, or October 14, 2016", ["10/14/2016", "October 14, 2016"]),
        (date(2016, 10, 15), "on 10/14/2016", []),
        (Pages(first=177, last=179), "pages 177-179", ["177-179"]),
        (Pages(first=177, last=179), "pages 177\u2013179", ["177\u2013179"]),
        (Pages(first=177, last=179), "pages 177 to 179", ["177 to 179"]),
        (Pages(first=177, last=179), "pages 177179", ["177179"]),
        (Pages(first=177, last=179), "pages 177-9", ["177-9"]),
        (Pages(first=80, last=81), "pages 80 and 81", ["80 and 81"]),
        (Pages(first=179, last=177), "pages 177-179", []),
        (Pages(first=305, last=301), "pages 305-301", ["305-301"]),
        (Pages(first=305, last=301), "pages 305, 301", []),
        (Pages(first=184, last=186), "pages 177-179", []),
        (Pages(first=92, last=92), "page 92 of 127", ["92"]),
        (Dose(amount=20, given=date(2016, 1, 2)), "20 mg on 1/2/2016", ["20 mg on 1/2/2016"]),
        (Dose(amount=20, given=date(2016, 1, 2)), "on 1/2/2016: 20 mg", []),
        ("upheld", "Upheld", None),
        (True, "1", None),
        (None, "", None),
    ],
)
def test_where_a_value_is_printed(value: Any, text: str, found: list[str] | None) -> None:
    assert words(value, text) == found


@given(st.integers(10, 9999), st.integers(10, 9999))
def test_a_printed_number_is_found_and_no_other(printed: int, other: int) -> None:
    assert words(printed, f"see page {printed}.") == [str(printed)]
    if other != printed:
        assert words(other, f"see page {printed}.") == []
