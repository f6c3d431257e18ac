"""The parts that hand-written readers are made of, with the words of letters of another kind."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from extractor.letters.spans import Span
from extractor.lettertypes.dated import dates_beside, dates_in_prose, no_date
from extractor.lettertypes.heading_starts import Headings
from extractor.lettertypes.label_tables import LabelTable
from extractor.lettertypes.layout import Layout
from extractor.lettertypes.listed import comma_names, known_names, names_outside_brackets
from extractor.lettertypes.page_mentions import PagesInProse
from extractor.lettertypes.tops import LetterTop

METER = LabelTable(
    {"meter": r"Meter\s*:", "read_on": r"Read on\s*:", "paid_on": r"Paid on\s*:"}, {"meter": re.compile(r"\bM-\d{3}\b")}
)


def whole(text: str) -> Span:
    return Span(0, len(text))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("Meter: M-123\nRead on: 3/4/2020\n", {"meter": "M-123", "read_on": date(2020, 3, 4), "paid_on": None}),
        # a column of labels, then one of values
        ("Meter:\nRead on:\nM-123\n3/4/2020\n", {"meter": "M-123", "read_on": date(2020, 3, 4), "paid_on": None}),
        ("Meter: M-12\nRead on: n/a\n", {"meter": "?", "read_on": None, "paid_on": None}),
        # another wording of a label
        ("Meter: M-123\nPayment of 3/4/2020\n", {"meter": "M-123", "read_on": "?", "paid_on": "?"}),
    ],
)
def test_a_table_of_labels(table: str, expected: dict[str, Any]) -> None:
    facts = METER.read(table, whole(table))
    assert {name: fact.value if fact.certain else "?" for name, fact in facts.items()} == expected


def test_pages_of_a_manual_and_pages_of_a_logbook() -> None:
    pages = PagesInProse(
        source=re.compile(r"\bmanual\b"),
        other=re.compile(r"\blogbook\b"),
        other_behind=re.compile(r"\bof\s+the\s+logbook\b"),
        acts=re.compile(r"\s+asks\b"),
        passed_over=lambda _: False,
    )
    text = "The manual (page 12) asks for a seal. See page 3 of the logbook. The manual also has pages 14-15."
    found = pages.read(text, whole(text)).pages
    assert (found.value, found.certain) == ([{"first": 12, "last": 12}, {"first": 14, "last": 15}], True)


def test_a_date_by_the_words_of_its_sentence() -> None:
    text = "The seal was broken on 3/4/2020. The bill is of 5/6/2020. It was paid on 5/?/2020."
    dates = dates_in_prose(text, whole(text))
    assert [each.date.value for each in dates_beside(dates, ("bill",), re.compile("bill"))] == [date(2020, 5, 6)]
    paid = dates_beside(dates, ("paid",), re.compile("paid"))
    assert [no_date(paid).certain, no_date([]).certain] == [False, True]


def test_a_heading_that_is_known_by_its_end() -> None:
    headings = Headings(
        re.compile(r": (?:Waived|Due)\Z"), re.compile("Reason:"), re.compile("must be paid"), *[re.compile("(?!)")] * 3
    )
    text = "Reason: It is late and must be paid.\n\nLate fee, second: Waived"
    found = headings.beginning(text, Span(0, text.index(": Waived")), Layout.of(text, [0]))
    assert (text[found.at :], found.certain) == ("Late fee, second: Waived", True)


def test_lists_of_names() -> None:
    text = "Pipes (lead, copper), Seals and valves, Meters,"
    cut = names_outside_brackets(text, whole(text), re.compile(r",\s*(?=[A-Z])"), re.compile("(?!)"))
    assert [span.of(text) for span in cut] == ["Pipes (lead, copper)", "Seals and valves", "Meters"]
    assert comma_names("North, South & East from", Span(0, 24), re.compile(r"\s+from\Z")).value == [
        "North",
        "South & East",
    ]
    known, others = re.compile("North|South"), re.compile(r"\b(?!and\b)\w+")
    listed = [known_names(text, whole(text), known, others) for text in ("North and South", "North, Middle")]
    assert [(fact.value, fact.certain) for fact in listed] == [(["North", "South"], True), (["North"], False)]


def test_a_letter_begins_at_its_letterhead() -> None:
    top = LetterTop(re.compile(r"(?:Meter|Read on):"), re.compile(r"(?:City Water\b.*)?"), fewest=2)
    text = "... is due.\n\nCity Water Works\n\nMeter: M-123\nRead on: 3/4/2020\n\nNOTICE"
    assert top.above(text, Span(0, text.index("NOTICE"))) == text.index("\nCity Water")
    assert top.above(text.replace("Read on", "On"), Span(0, len(text) - 10)) is None
