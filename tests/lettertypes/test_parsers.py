"""Values out of words: a table for each parser."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from extractor.letters.spans import Span
from extractor.lettertypes.parsers import (
    DATE,
    INTEGER,
    MONEY,
    NAME,
    NUMBER,
    PAGES,
    PERCENT,
    AnyParser,
    Cited,
    Identifier,
    Wording,
)
from extractor.lettertypes.patterns import Searches

DOCKET = Identifier(r"\d{2}-\d{2} ?\d{3}[A-Z]?")
STATUTES = Cited(r"38 U\.S\.C\.(?: ?A\.)?")
OUTCOME = Wording({"granted": "granted|allowed", "denied": "denied"}, behind=r"\b(?:is|are)\s+(?:\w+,?\s+){0,2}?")


def _pages(*ranges: tuple[int, int]) -> list[dict[str, int]]:
    return [{"first": first, "last": last} for first, last in ranges]


@pytest.mark.parametrize(
    ("parser", "words", "values"),
    [
        (DATE, "on 3/4/2020, March 5, 2020 and 2020-03-06", [date(2020, 3, 4), date(2020, 3, 5), date(2020, 3, 6)]),
        (DATE, "13/45/2020 or 2020", []),
        (INTEGER, "12 of twenty-one, one hundred and five, 1,200", [12, 21, 105, 1200]),
        (INTEGER, "3.5 and a4 and 4th", []),
        (INTEGER, "Seven", [7]),
        (NUMBER, "2.5 of 10", [Decimal("2.5"), Decimal(10)]),
        (MONEY, "$1,250.50, $ 3 and 40 dollars", [Decimal("1250.50"), Decimal(3), Decimal(40)]),
        (MONEY, "40 percent", []),
        (PERCENT, "40 percent, 7.5% and 10 per cent", [Decimal(40), Decimal("7.5"), Decimal(10)]),
        (PERCENT, "$40", []),
        (PAGES, "3, 10-12, 114–7 and 20 to 22", _pages((3, 3), (10, 12), (114, 117), (20, 22))),
        (PAGES, "9-4 and 3.14", []),
        (DOCKET, "NO. 08-11 000, 13-22042A", ["08-11 000", "13-22042A"]),
        (DOCKET, "108-11 000", []),
        (STATUTES, "38 U.S.C.A. §§ 1110, 5103A, 5107(b) (West 2002); 38 C.F.R. § 3.303", ["1110", "5103A", "5107(b)"]),
        (STATUTES, "38 U.S.C. § 1155 and 38 U.S.C. §§ 1155, 1160", ["1155", "1160"]),
        (Cited(r"38 C\.F\.R\."), "38 C.F.R. §§ 4.125 (a), 4.130, Diagnostic Codes 9201-9211 (2012)", ["4.125(a)", "4.130"]),
        (Cited(r"38 C\.F\.R\."), "38 C.F.R. §§ 3.307(a)(2), 4.71a", ["3.307(a)(2)", "4.71a"]),
        (Cited("Code"), "Code sections 12-14 and 20", ["12-14", "20"]),
        (OUTCOME, "The appeal is granted; the rest are hereby DENIED.", ["granted", "denied"]),
        (OUTCOME, "It is not granted. A claim denied before is not being allowed.", []),
        (OUTCOME, "The claim is allowed", ["granted"]),
        (NAME, "Mary Ann Holt", ["Mary Ann Holt"]),
        (NAME, "H.M. WALKER", ["H.M. WALKER"]),
        (NAME, "Dr. José O\u2019Hara, M.D.", ["Dr. José O\u2019Hara, M.D."]),
        (NAME, "on behalf of the Board", []),
        (NAME, "Holt", []),
    ],
)  # fmt: skip
def test_values_in_words(parser: AnyParser, words: str, values: list[Any]) -> None:
    text = f"before {words}"
    found = list(parser.search(Searches(text), Span(7, len(text))))
    assert [one.value for one in found] == values
    assert all(7 <= one.span.start < one.span.end <= len(text) for one in found)
