"""Primitives of readers: dates in the letters' spellings, page lists, lines put together."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.reading import find_dates, read_pages, squeeze
from extractor.spans import Span


def pages_of(text: str) -> list[tuple[int, int]]:
    return [(page.first, page.last) for page in read_pages(text, Span(0, len(text)))]


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("301, 340.  Decision", [(301, 301), (340, 340)]),
        ("177-179.", [(177, 179)]),
        ("114 -117", [(114, 117)]),
        ("114- 117", [(114, 117)]),
        ("9, 16-18", [(9, 9), (16, 18)]),
        ("303\n\n-305.", [(303, 305)]),
        ("303-\n305", [(303, 305)]),
        ("303\u2013305", [(303, 305)]),
        ("30 to 34", [(30, 34)]),
        ("22,67,68", [(22, 22), (67, 67), (68, 68)]),
        ("113 and 114", [(113, 113), (114, 114)]),
        ("74, and 80", [(74, 74), (80, 80)]),
        ("92 of 127, 33", [(92, 92), (33, 33)]),
        ("78-9", [(78, 79)]),
        ("47, page 48", [(47, 47), (48, 48)]),
        ("40-42, Chronic", [(40, 42)]),
        ("12; 14", [(12, 12), (14, 14)]),
        ("121.  \n\nDecision", [(121, 121)]),
        ("12345", []),
        ("3.3.9", []),
        ("ten", []),
        ("", []),
    ],
)
def test_page_lists(text: str, pages: list[tuple[int, int]]) -> None:
    assert pages_of(text) == pages


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 30)), min_size=1, max_size=8), st.data())
def test_any_printed_page_list_is_read_back(ranges: list[tuple[int, int]], data: st.DataObject) -> None:
    wanted = [(first, first + more) for first, more in ranges]
    dash = data.draw(st.sampled_from(["-", " -", "- ", "-\n", "\u2013", "\n-"]))
    joint = data.draw(st.sampled_from([", ", ",", ",\n", " and ", "; ", ", and "]))
    printed = joint.join(str(first) if first == last else f"{first}{dash}{last}" for first, last in wanted)
    text = printed + data.draw(st.sampled_from([".", ".  Decision based on", "", " (pdf)"]))
    found = read_pages(text, Span(0, len(text)))
    assert [(page.first, page.last) for page in found] == wanted
    for page in found:
        assert page.span.of(text).startswith(str(page.first))
        assert page.span.of(text).endswith(str(page.last))


@given(st.text(alphabet="0123456789-,. and\nof()pgP", max_size=60))
def test_any_text_is_read_without_harm(text: str) -> None:
    at = 0
    for page in read_pages(text, Span(0, len(text))):
        assert at <= page.span.start < page.span.end <= len(text)
        at = page.span.end


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 10-13-16.", ["2016-10-13"]),
        ("on 10-16-2016, and", ["2016-10-16"]),
        ("10/14/ 2016", ["2016-10-14"]),
        ("8/24/11", ["2011-08-24"]),
        ("06/03/78", ["1978-06-03"]),
        ("October 24, 2016", ["2016-10-24"]),
        ("Sept. 4, 2007", ["2007-09-04"]),
        ("October\n24,\n2016", ["2016-10-24"]),
        ("2016-10-14", ["2016-10-14"]),
        ("10-282016", ["2016-10-28"]),
        ("1020-16", ["2016-10-20"]),
        ("02/30/2016", []),
        ("13/13/2016", []),
        ("L4-5, 24-48 hours, 1/2 tablet", []),
        ("10/14/2016 and 11/16/2016", ["2016-10-14", "2016-11-16"]),
        ("320.5/30/16mg", []),
    ],
)
def test_dates(text: str, dates: list[str]) -> None:
    found = list(find_dates(text, Span(0, len(text))))
    assert [each.value.isoformat() for each in found] == dates


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31)))
def test_every_spelling_of_a_date_means_the_same(day: date) -> None:
    for spelling in ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%B %d, %Y", "%b. %d, %Y", "%Y-%m-%d"):
        text = f"injured on {day.strftime(spelling)}."
        [found] = find_dates(text, Span(0, len(text)))
        assert found.value == day, text


@pytest.mark.parametrize(
    ("raw", "one_line"),
    [
        ("Electro-\ndiagnostic  testing", "Electro-diagnostic testing"),
        ("LUMBAR\n\nBRACE", "LUMBAR BRACE"),
        ("Low Back - MRI", "Low Back - MRI"),
        ("Low Back -\nMRI", "Low Back - MRI"),
        (" and-\r\n or ", "and-or"),
    ],
)
def test_squeeze(raw: str, one_line: str) -> None:
    assert squeeze(raw) == one_line
