"""Which texts of a csv file Excel would change: those get an apostrophe, and no other."""

from __future__ import annotations

import pytest

from extractor.runs.export.excel_text import guarded

CHANGED = [
    "9-11", "11-13", "1/2", "9/2014", "2014-9", "98-5", "3/4/2020", "2016-02-29", "1.2.2016", "3/4/20 5:30 PM", " 9-11 ",
    "9 - 11", "May 5", "5-May", "1-Jan-2014", "MARCH 12, 2014", "Sept. 2014", "june 14",
    "007", "1e5", "12E-3", "3.50", "1.5", "301,340", "1,234.00", "50%", "50 %", "(5)", "$5", "5 €", "1 1/2", ".5",
    "1234567890123456", "9:30", "5 am", "12:00:00", "TRUE", "false",
    "=1+1", "+1", "-1", "@a", "\t1",
]  # fmt: skip
UNCHANGED = [
    "", "0", "121", "301340", "123456789012345", "177-179", "121-122", "177-179, 301", "301, 340", "9-11, 13", "1 | 2",
    "2016-17", "2014-15", "12 visits", "3-4 weeks", "two times 6", "L4-5", "C5-6", "4th", "May", "March", "may 5 visits",
    "true story", "decision 1", "CM16-9041873", "268f2ebb", "upheld", "99/101/7/5", "'9-11", "3/4 of the dose", "am", "5 amp",
]  # fmt: skip


@pytest.mark.parametrize("text", CHANGED)
def test_what_excel_would_change_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", UNCHANGED)
def test_all_else_is_left_alone(text: str) -> None:
    assert guarded(text) == text
