"""Primitives of readers: dates in the letters' spellings, labels as scans give them, lines put together."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.reading import Block, Fact, Reading, find_dates, scanned, squeeze


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
        ("dated 10-\r\n14-2016,", ["2016-10-14"]),
        ("dated 10-14- \n\n2016,", ["2016-10-14"]),
        ("dated 10-14-\n\n\n\n2016,", ["2016-10-14"]),
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


@pytest.mark.parametrize(
    "label",
    ["Decision rationale", "Decision rationa1e", "Decision rati0nale", "Decislon ratlonale", "Decision  rationale",
     "Decisionrationale", "Decision\nrationale", "Decision ratio nale", "D ecision rationale", "Dccision rationalc"],
)  # fmt: skip
def test_a_label_is_known_as_scans_print_it(label: str) -> None:
    assert re.fullmatch(scanned("Decision rationale"), label)


@pytest.mark.parametrize(
    "words", ["Decision national", "Decisions rationale", "Decision rational", "decision was rational"]
)
def test_other_words_are_no_label(words: str) -> None:
    assert not re.fullmatch(scanned("Decision rationale"), words)


@pytest.mark.parametrize(
    ("phrase", "printed", "same"),
    [
        ("Claims Administrator", "C1aims Adrninistrator", True),
        ("Overturned", "0vertumed", True),
        ("OVERTURNED", "0VERTURNED", True),
        ("IMR ISSUES", "lMR lSSUES", True),
        ("Upheld", "Uphe1d", True),
        ("Upheld", "UPHELD", False),
        ("Upheld", "Up\nheld", False),
    ],
)
def test_look_alikes(phrase: str, printed: str, same: bool) -> None:
    assert bool(re.fullmatch(scanned(phrase), printed)) is same


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/day", True),
        ("/sides", True),
        ("/sides/0/citations", True),
        ("/sides/0/citations/0/pages", True),
        ("/sides/0/citations/7/pages", True),
        ("/others/0/pages", True),
        ("/sides/1/citations", False),
        ("/sides/1/citations/0/title", False),
        ("/alone/title", False),
    ],
)
def test_what_the_reader_took_apart(path: str, read: bool) -> None:
    unsure = Block(Span(0, 1), facts={"pages": Fact([], certain=False)})
    open_, closed = Block(Span(0, 1), blocks={"citations": [unsure]}), Block(Span(0, 1), certain=False)
    reading = Reading(Letter("x", "x"), Block(Span(0, 1), blocks={"sides": [open_, closed], "alone": [closed]}))
    assert reading.took_apart(path) is read
