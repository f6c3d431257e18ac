"""Wrong values that need no person are taken out of the answer; all others stay errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import Withheld, status_of
from extractor.validator.checks import check
from extractor.validator.withholding import restore, withhold
from tests.support.imr import IMR, bundled, gold

LETTER = "dwc-2014-000"
READING = IMR.read(bundled(LETTER))
D = "/decisions/0"


def withheld(change: Callable[[dict[str, Any]], Any], letter: str = LETTER) -> tuple[dict[str, Any], Any, str]:
    """The rest of a changed correct answer, what was withheld, and the status."""
    answer = gold(letter)
    change(answer)
    instance = IMR.schema.model_validate_json(json.dumps(answer))
    reading = IMR.read(bundled(letter))
    rest, verdict = withhold(IMR, instance, check(IMR, instance, reading))
    return rest.model_dump(mode="json"), verdict, status_of(verdict.findings)


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        *way, last = path.split("/")[1:]
        place: Any = answer
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = value

    return change


def test_a_true_answer_is_left_alone() -> None:
    rest, verdict, status = withheld(lambda answer: None)
    assert (rest, verdict.withheld, status) == (gold(LETTER), {}, "accepted")


@pytest.mark.parametrize(
    ("path", "wrong", "code"),
    [
        ("/worker/age", 99, "value_differs"),
        ("/reviewer/specialties", ["Astrology"], "not_in_text"),
        ("/reviewer/states", [], "list_item_missing"),
        (f"{D}/claims_administrator/basis", "both", "value_differs"),
        (f"{D}/verdict", "The request is medically necessary.", "not_in_text"),
        (f"{D}/rationale_pages", [{"first": 907, "last": 907}], "list_item_extra"),
    ],
)
def test_a_wrong_value_that_is_not_protected_is_withheld(path: str, wrong: Any, code: str) -> None:
    rest, verdict, status = withheld(put(path, wrong))
    assert status == "accepted"
    assert {each.code for each in verdict.withheld.values()} == {code}
    assert any(finding.code == code and finding.severity == "warning" for finding in verdict.findings)
    expected = gold(LETTER)
    put(path, [] if isinstance(wrong, list) else None)(expected)
    assert rest == expected


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (f"{D}/outcome", "overturned"),
        (f"{D}/item", "Something else"),
        (f"{D}/maximus/citations/0/pages", [{"first": 1, "last": 1}]),
        ("/ur_date", "2001-01-01"),
        ("/decisions", []),
    ],
)
def test_what_is_protected_goes_to_a_person(path: str, wrong: Any) -> None:
    answer = gold(LETTER)
    put(path, wrong)(answer)
    rest, verdict, status = withheld(put(path, wrong))
    assert (rest, verdict.withheld, status) == (answer, {}, "needs_review")


def test_only_the_wrong_elements_of_a_list_are_withheld() -> None:
    good = gold("mixed-outcomes")["diagnoses"]
    assert len(good) > 1
    rest, verdict, status = withheld(put("/diagnoses", [good[0], "an invented illness", *good[1:]]), "mixed-outcomes")
    assert (rest["diagnoses"], status) == (good, "accepted")
    assert verdict.withheld == {"/diagnoses/1": Withheld("an invented illness", "not_in_text")}
    assert len(verdict.evidence["/diagnoses"]) == len(good)


def test_a_judgment_goes_with_its_quote() -> None:
    rest, verdict, status = withheld(put(f"{D}/reason_quote", "words that nobody wrote in this letter"))
    assert (rest["decisions"][0]["reason"], rest["decisions"][0]["reason_quote"], status) == (None, None, "accepted")
    assert set(verdict.withheld) == {f"{D}/reason", f"{D}/reason_quote"}


def test_a_leaf_that_cannot_be_null_takes_the_certain_reading() -> None:
    path = f"{D}/maximus/citations/0/source"
    true = gold(LETTER)["decisions"][0]["maximus"]["citations"][0]["source"]
    wrong = "mtus" if true == "non_mtus" else "non_mtus"
    rest, verdict, status = withheld(put(path, wrong))
    assert (rest, status) == (gold(LETTER), "accepted")
    assert verdict.withheld == {path: Withheld(wrong, "value_differs")}
    assert [finding.code for finding in verdict.findings if finding.path == path] == ["value_differs", "from_reading"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [("/worker/age", 99), ("/diagnoses", ["an invented illness"]), (f"{D}/verdict", "It is medically necessary.")],
)
def test_what_was_withheld_can_be_put_back_and_is_withheld_again(path: str, wrong: Any) -> None:
    answer = gold(LETTER)
    put(path, wrong)(answer)
    rest, verdict, _ = withheld(put(path, wrong))
    assert restore(rest, verdict.withheld) == answer
    again, second, _ = withheld(lambda given: given.update(restore(rest, verdict.withheld)))
    assert (again, second) == (rest, verdict)


def test_putting_back_passes_over_places_that_are_gone() -> None:
    kept = {"a": 1, "list": [1, 2]}
    gone = {"/b/c": Withheld(1, "x"), "/list/x": Withheld(1, "x"), "/a": Withheld(2, "x"), "/list/1": Withheld(9, "x")}
    assert restore(deepcopy(kept), gone) == {"a": 1, "list": [1, 9, 2]}


def test_letters_of_another_kind_have_nothing_to_withhold() -> None:
    reading = IMR.read(letter_from_text("Dear Sir", letter_id="x"))
    instance = IMR.schema.model_validate_json(json.dumps(gold(LETTER)))
    verdict = check(IMR, instance, reading)
    assert withhold(IMR, instance, verdict) == (instance, verdict)
