"""The draft of a letter type from some letters: what recurs in them, and a schema file that loads."""

from __future__ import annotations

import re

import pytest

from extractor.lettertypes.proposal import ProposedLabel, identifier_shape, propose, schema_source

NORTH = """WATER OFFICE
Account: NM-4471    Date: March 4, 2020
Docket No: 12-3456\tPages: 12
Status: overdue

CHARGES

1. Water.
"""
SOUTH = """WATER OFFICE
Account: SM-51200    Date: May 9, 2020
Docket No: 13-77\tPages: 7
Status: paid

CHARGES

None.

REMARKS
"""


def test_what_recurs_is_proposed() -> None:
    found = propose([NORTH, SOUTH, SOUTH.replace("REMARKS", "")])
    assert (found.titles, found.headings) == (("WATER OFFICE",), ("CHARGES",))
    assert set(found.labels) == {
        ProposedLabel("Account", shape=r"[A-Z]{2}-\d{4,5}"),
        ProposedLabel("Date", is_date=True),
        ProposedLabel("Docket No", shape=r"\d{2}-\d{2,4}"),
        ProposedLabel("Pages"),
        ProposedLabel("Status"),
    }
    source = schema_source("water", found)
    compile(source, "water.py", "exec")
    assert r'After("Account:"), Identifier(r"[A-Z]{2}-\d{4,5}")]' in source
    assert "Identifier" not in schema_source("water", propose([NORTH]))


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (["NM-4471", "NM-512"], r"[A-Z]{2}-\d{3,4}"),
        (["1303141", "1315144"], r"\d{7}"),
        (["A 12/345 B", "C 99/1 D"], r"[A-Z] \d{2}/\d{1,3} [A-Z]"),
        (["No.1234", "No.99"], ""),
        # One value proves no shape, and neither do counts, prose, sums or identifiers built in different ways.
        (["NM-4471", "NM-4471"], ""),
        (["12", "7"], ""),
        (["paid", "overdue"], ""),
        (["$120.50", "$80.00"], ""),
        (["12-345", "12345"], ""),
        (["NM-4471", "NM-5120", "", "", "see below"], ""),
        ([], ""),
        (["", ""], ""),
    ],
)
def test_shapes_of_identifiers(values: list[str], shape: str) -> None:
    assert identifier_shape(values) == shape
    assert all(not shape or re.fullmatch(shape, value) for value in values)
