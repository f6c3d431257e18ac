"""Paragraphs, items, bullets, sentences and lines of a section."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.spans import Span
from extractor.lettertypes.places import UNITS, Unit
from extractor.lettertypes.units import units


def _units(text: str, unit: Unit, marks: tuple[Span, ...] = ()) -> list[str]:
    section = Span(0, len(text)).trimmed(text)  # as a form gives it
    return [" ".join(span.of(text).split()) for span in units(text, section, unit, marks)]


@pytest.mark.parametrize(
    ("unit", "text", "found"),
    [
        ("paragraph", "One.\n\nTwo\nlines of it.\n \n\nThree.", ["One.", "Two lines of it.", "Three."]),
        ("paragraph", "A claim is denied.\nAnother claim is denied.", ["A claim is denied.", "Another claim is denied."]),
        ("paragraph", "\u2022 A point.\n\n3. A number.", ["A point.", "A number."]),
        ("item", "1. One.\n\n2. Two,\n\nstill two.\n\n3. Three.", ["One.", "Two, still two.", "Three."]),
        ("item", "1. One.\n2. Two.\n2. Two again.\n4. Four.", ["One.", "Two.", "Two again.", "Four."]),
        ("item", "1. Under\n38. This is no item.\n2. Two.", ["Under 38. This is no item.", "Two."]),
        ("item", "The issues are:\n1. One.\n2. Two.", ["One.", "Two."]),
        ("item", "A first one.\n\n1. One.", ["A first one.", "One."]),
        ("item", "1. One.\n\nA paragraph of its own.", ["One.", "A paragraph of its own."]),
        ("item", "1. One:\n\n(a) a part.\n\n(b) a part.", ["One: (a) a part. (b) a part."]),
        ("item", "Not numbered.\n\nNeither.", ["Not numbered.", "Neither."]),
        ("bullet", "These:\n\u2022 One,\nwrapped\n* Two\n- Three", ["One, wrapped", "Two", "Three"]),
        ("sentence", "It is denied. The other is granted.\n\nA third.", ["It is denied.", "The other is granted.", "A third."]),
        ("sentence", "Under 38 U.S.C. \u00a7 1110 it is denied.", ["Under 38 U.S.C. \u00a7 1110 it is denied."]),
        ("sentence", "Dr. A. Holt of St. Paul and J. Doe v. Brown, No. 3. Yes.", ["Dr. A. Holt of St. Paul and J. Doe v. Brown, No. 3.", "Yes."]),
        ("sentence", "He said \"no.\" She left.", ["He said \"no.\"", "She left."]),
        ("item", "  1. One.\n\n  2. Two.", ["One.", "Two."]),
        ("item", "\f1. One.\n\f2. Two.", ["One.", "Two."]),
        ("sentence", "   1. It is denied.\n\n   2. It is granted.", ["It is denied.", "It is granted."]),
        ("bullet", "  \u2022 One\n  \u2022 Two", ["One", "Two"]),
        ("line", "one\n\ntwo\n____\n", ["one", "two"]),
        ("paragraph", "____\n\n(   )", []),
    ],
)  # fmt: skip
def test_units_of_a_section(unit: Unit, text: str, found: list[str]) -> None:
    assert _units(text, unit) == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("The oars were lost,", "which is sad.", 1),
        ("The oars were lost", "At sea they go.", 1),
        ("The oars were lost.", "The mast was old.", 2),
    ],
)
def test_a_page_mark_does_not_end_an_unfinished_paragraph(before: str, after: str, found: int) -> None:
    mark = " " * 15
    text = f"{before}\n\n{mark}\n\n{after}"
    start = len(before) + 2
    assert len(_units(text, "paragraph", (Span(start, start + len(mark)),))) == found


@given(st.text(alphabet="Ab1.\n \t\u2022(:;-", max_size=80), st.sampled_from(UNITS))
def test_units_are_in_order_trimmed_and_never_overlap(text: str, unit: Unit) -> None:
    found = units(text, Span(0, len(text)), unit)
    assert all(span.of(text).strip() == span.of(text) != "" for span in found)
    assert all(one.end <= following.start for one, following in pairwise(found))
