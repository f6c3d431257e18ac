"""How numbers and values are written: one home for every page, table and sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.display import values


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: values.number(12345), "12,345"),
        (lambda: values.number(-0.655, 2), "\u22120.66"),
        (lambda: values.number(None), "not reported"),
        (lambda: values.signed(3), "+3"),
        (lambda: values.signed(-0.65, 2), "\u22120.65"),
        (lambda: values.signed(0), "0"),
        (lambda: values.signed(-0.001, 2), "0.00"),
        (lambda: values.signed(None), ""),
        (lambda: values.percent(1.0), "100.0%"),
        (lambda: values.percent(0.99999), "99.9%"),
        (lambda: values.percent(0.00001), "0.1%"),
        (lambda: values.percent(0.0), "0.0%"),
        (lambda: values.rough_percent(0.1129), "11%"),
        (lambda: values.rough_percent(0.003), "0.3%"),
        (lambda: values.percent(9999 / 10000), "99.9%"),
        (lambda: values.percent(0.9999, 0), "99%"),
        (lambda: values.percent_of(9999, 10000), "99.9%"),
        (lambda: values.percent_of(10000, 10000), "100.0%"),
        (lambda: values.percent_of(0, 0), "none"),
        (lambda: values.rough_percent(0.999), "99%"),
        (lambda: values.p_value(0.03125), "p = 0.031"),
        (lambda: values.p_value(0.0625), "p = 0.063"),
        (lambda: values.p_value(0.05), "p = 0.050"),
        (lambda: values.p_value(0.0499), "p = 0.0499"),
        (lambda: values.p_value(0.05004), "p = 0.05004"),
        (lambda: values.p_value(0.9999), "p > 0.999"),
        (lambda: values.p_value(0.0), "p < 0.001"),
        (lambda: values.p_value(1.0), "p = 1.000"),
        (lambda: values.money(None), "not reported"),
        (lambda: values.money(0.0), "$0.00"),
        (lambda: values.money(0.04312), "$0.0431"),
        (lambda: values.money(1234.5), "$1,234.50"),
        (lambda: values.money(Decimal("5.5")), "$5.50"),
        (lambda: values.money(0.00012), "$0.00012"),
        (lambda: values.plural(1, "letter"), "1 letter"),
        (lambda: values.plural(1200, "letter"), "1,200 letters"),
        (lambda: values.interval(-1.21, 0.09, 2), "[\u22121.21, +0.09]"),
        (lambda: values.interval(0.004, 0.5, 2), "[+0.004, +0.50]"),
        (lambda: values.interval(0, 0.5, 2), "[0.00, +0.50]"),
        (lambda: values.interval(None, None, 2), ""),
        (lambda: values.some(["a", "b", "c"], 2), "a, b and 1 more"),
        (lambda: values.shortened(None), "-"),
        (lambda: values.shortened("x" * 70), "x" * 59 + "\u2026"),
    ],
)
def test_numbers(call, expected):
    assert call() == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, ""),
        ([], ""),
        ("", ""),
        ("Upheld", "Upheld"),
        (46, "46"),
        (False, "false"),
        ([{"first": 177, "last": 179}, {"first": 301, "last": 301}], "177\u2013179, 301"),
        (["a", "b"], "a, b"),
        ({"b": 1}, '{"b": 1}'),
    ],
)
def test_values(found, expected):
    assert values.value_text(found) == expected


@pytest.mark.parametrize(
    ("text", "other", "marked"),
    [
        ("Chronic Pain Guidelines", "Chronic Pain", ["Guidelines"]),
        ("301, 340", "301", [", 340"]),
        ("As medical necessity", "As the medical necessity", []),
        ("upheld", "overturned", []),
        ("a X c Y", "a b c d", ["X", "Y"]),
        ("same", "same", []),
        ("", "gone", []),
    ],
)
def test_words_that_are_not_the_golds_are_marked(text, other, marked):
    parts = list(values.differing(text, other))
    assert "".join(part for part, _ in parts) == text
    assert [part for part, differs in parts if differs] == marked


def test_very_long_texts_are_not_compared_by_words():
    long = "word " * 5000
    assert list(values.differing(long, long + "more")) == [(long, False)]


@given(st.integers(1, 10**7), st.integers(0, 2), st.data())
def test_only_all_is_all_and_only_nothing_is_nothing(total, digits, data):
    count = data.draw(st.integers(0, total))
    text = values.percent(count / total, digits)
    assert (float(text[:-1]) == 100) == (count == total)
    assert (float(text[:-1]) == 0) == (count == 0)


@given(st.floats(1e-9, 1, exclude_max=True))
def test_a_printed_p_lies_on_its_own_side_of_the_level(p):
    printed = float(values.p_value(p).split()[-1])
    if p >= 0.001:
        assert (printed <= 0.05) == (p <= 0.05) or abs(p - 0.05) < 1e-8


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("", "the answer"),
        ("/header/case_number", "header, case number"),
        ("/decisions/0/outcome", "decision 1, outcome"),
        ("/decisions/2", "decision 3"),
        ("/decisions/9/maximus/citations/1/pages/0", "decision 10, maximus, citation 2, page 1"),
        ("/0", "0"),
        ("/a~1b/0", "a/b 1"),
    ],
)
def test_places_are_counted_as_people_count(pointer: str, name: str) -> None:
    assert values.place_name(pointer) == name
