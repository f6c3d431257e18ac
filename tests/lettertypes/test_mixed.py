"""Mixed folders: each letter to the type whose landmarks it bears."""

from __future__ import annotations

from typing import Annotated

import pytest

from extractor.errors import LetterError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.declaration import letter_type
from extractor.lettertypes.evidence import StrictModel, Verbatim
from extractor.lettertypes.form import Form
from extractor.lettertypes.mixed import starts_of, type_of
from extractor.lettertypes.places import After
from tests.support.bva import BVA, OWN, OWN_IDS
from tests.support.claims import LETTER, LETTER_TYPE
from tests.support.imr import IMR, ROOT, decision, imr_letter


class Bill(StrictModel):
    total: Annotated[str | None, Verbatim("letter"), After("Total:")]


BILL = letter_type("bill", Bill, Form(landmarks=("INVOICE",)))
KINDS = [IMR, BVA, LETTER_TYPE, BILL]
DECISION = (OWN / "letters" / "panel-of-three.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (imr_letter(decision("Cane")), "imr"),
        (DECISION, "bva"),
        (
            DECISION.replace("Board of Veterans' Appeals", "BOARD OF VETERANS\u2019 APPEALS").replace("\n", "\r\n"),
            "bva",
        ),
        (LETTER, "claims"),
        ("INVOICE\nTotal: $5", "bill"),
        # A letter that only speaks of another kind.
        ("INVOICE\nTotal: $5\nfor a hearing before the Board of Veterans' Appeals, Docket No. 12-34 567", "bill"),
    ],
)
def test_a_letter_goes_to_the_type_that_recognizes_it(text: str, name: str) -> None:
    assert type_of(letter_from_text(text, letter_id="x"), KINDS).name == name


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("Dear Sir,\nthank you for the cake.", "no_letter_type", ["imr", "bva", "claims", "bill"]),
        (DECISION.replace("ORDER", "OUTCOME"), "no_letter_type", ["bva"]),
        ("INVOICE\nTotal: $5\n\n" + LETTER, "several_letter_types", ["claims", "bill"]),
    ],
)
def test_none_or_two_is_an_error_that_names_them(text: str, code: str, named: list[str]) -> None:
    with pytest.raises(LetterError) as raised:
        type_of(letter_from_text(text, letter_id="x"), KINDS)
    assert raised.value.code == code
    assert all(name in raised.value.message for name in named)
    assert "cake" not in str(raised.value)


@pytest.mark.parametrize("folder", ["imr", "bva"])
def test_every_bundled_letter_is_of_its_own_type(folder: str) -> None:
    for path in sorted((ROOT / "eval" / folder / "letters").glob("*.txt")):
        assert type_of(letter_from_text(path.read_bytes().decode(), letter_id=path.stem), [IMR, BVA]).name == folder


def test_letters_of_two_types_in_one_text_are_cut_apart() -> None:
    starts = starts_of([IMR, BVA, BILL])
    assert starts is not None
    text = f"{DECISION}\n\n{imr_letter(decision('Cane'))}"
    assert len(starts(text)) == 2
    assert starts_of([BILL]) is None
    assert OWN_IDS
