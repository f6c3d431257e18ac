"""The forms of the determination: one row of a table each, and the one that a letter has."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.forms import written
from tests.support.imr import IMR, bundled, module, read

FORMS = module("forms")


@pytest.mark.parametrize(
    ("letter_id", "form"),
    [
        ("form-2013", "2013"),
        ("dwc-2014-000", "2014-15"),
        ("page-break-in-range", "2014-15"),
        ("ocr-faults", "2014-15"),
        ("all-overturned", "2016-17"),
        ("twelve-decisions", "2016-17"),
        # Both labels: more citations are of the later form.
        ("lost-hyphens", "2016-17"),
        # Neither side cites a page or a section.
        ("dwc-2014-004", "2014-17"),
    ],
)
def test_the_form_is_part_of_the_reading(letter_id: str, form: str) -> None:
    assert IMR.read(bundled(letter_id)).form == form


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("2014", {"2014-15", "2014-17"}),
        ("2016", {"2016-17", "2014-17"}),
        ("winter", {"winter 2013-14"}),
        ("2013", {"2013"}),
    ],
)
def test_generated_letters_of_every_form(made: str, expected: set[str]) -> None:
    texts = ["\n\n".join(written(made, Random(number), f"R{number:08d}", holes=False)[0]) for number in range(8)]
    assert {read(text).form for text in texts} <= expected


def test_the_type_lists_its_forms() -> None:
    assert IMR.forms == tuple(form.name for form in FORMS.FORMS)
    assert len(set(IMR.forms)) == len(FORMS.FORMS) == 5
    assert read("no letter").form == ""
