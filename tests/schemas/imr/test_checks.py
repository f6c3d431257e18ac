"""The validator on IMR answers: hand-made gold passes, one planted mistake is found at its own place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import status_of
from extractor.validator.checks import check
from tests.support.imr import (
    GOLD,
    IMR,
    RATIONALE,
    bundled,
    bundled_ids,
    codes,
    decision,
    findings_on,
    gold,
    imr_letter,
    module,
)

ALL = sorted(path.stem for path in GOLD.glob("*.json"))
# Letters of the prose forms with their decisions: guideline paragraphs are not taken apart.
PROSE = {
    "form-2013": 2,
    "numbered-shockwave-2013": 1,
    "numbered-shoulder-2013": 3,
    "winter-five-requests": 5,
    "winter-knee-mri": 1,
    "winter-opioids": 3,
}


def _unread(decisions: int) -> list[tuple[str, str]]:
    return [
        ("unread", f"/decisions/{i}/{side}/{leaf}")
        for i in range(decisions)
        for side in ("claims_administrator", "maximus")
        for leaf in ("basis", "citations")
    ]


# What the letters contradict themselves, how scans left them, and what the reader leaves to a person.
KNOWN = {
    "dwc-2014-001": [("imr_source_contradicts", "/decisions/0/claims_administrator/citations/0/source")],
    "dwc-2014-002": [("imr_page_outside_chapter", "/decisions/1/maximus/citations/0/pages/1")],
    **{letter_id: _unread(many) for letter_id, many in PROSE.items()},
    "injected-instructions": [*[("odd_instruction", "")] * 3, ("imr_stray_outcome", "")],
    "injury-date-contradicts": [("imr_injury_date_contradicts", "/header/date_of_injury")],
    "lost-hyphens": [("imr_page_list_mended", "/decisions/0/maximus/citations/0/pages")],
    "ocr-faults": [
        ("imr_page_list_mended", "/decisions/0/claims_administrator/citations/0/pages"),
        ("imr_page_list_mended", "/decisions/0/maximus/citations/0/pages"),
        ("imr_page_list_mended", "/decisions/1/claims_administrator/citations/0/pages"),
    ],
    "outcome-contradicts-rationale": [("imr_outcome_against_rationale", "/decisions/1/outcome")],
    "source-contradicts": [
        ("imr_source_contradicts", "/decisions/0/claims_administrator/citations/0/source"),
        ("imr_page_outside_chapter", "/decisions/1/maximus/citations/0/pages/1"),
        ("imr_page_range_backwards", "/decisions/2/maximus/citations/0/pages/0"),
    ],
    "wrist-studies-and-splint": [("imr_injury_date_contradicts", "/header/date_of_injury")],
}

Answer = dict[str, Any]


@pytest.mark.parametrize("letter_id", bundled_ids())
def test_gold_has_no_finding_but_the_letters_own_contradictions(letter_id: str) -> None:
    assert codes(bundled(letter_id), gold(letter_id)) == KNOWN.get(letter_id, [])


@pytest.mark.parametrize("letter_id", bundled_ids())
def test_every_value_of_gold_is_proven_or_declared_unchecked(letter_id: str) -> None:
    letter = bundled(letter_id)
    answer = gold(letter_id)
    reading = IMR.read(letter)
    verdict = check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), reading)
    for path in _leaves(answer):
        if not path.endswith("/treatment_category") and (reading.took_apart(path) or path in verdict.evidence):
            assert verdict.evidence[path], path
    for spans in verdict.evidence.values():
        assert all(0 <= span.start < span.end <= len(letter.text) for span in spans)


def _leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}/{key}")]
    if isinstance(value, list) and value and isinstance(value[0], dict) and "first" not in value[0]:
        return [leaf for i, inner in enumerate(value) for leaf in _leaves(inner, f"{path}/{i}")]
    return [path] if value not in (None, []) else []


def _set(*steps: Any) -> Callable[[Answer], None]:
    """A change of one answer: the last step is the value, those before it the way."""
    *way, last, value = steps

    def change(answer: Answer) -> None:
        place: Any = answer
        for step in way:
            place = place[step]
        place[last] = value

    return change


def _swap_sides(answer: Answer) -> None:
    one = answer["decisions"][0]
    one["claims_administrator"], one["maximus"] = one["maximus"], one["claims_administrator"]


PAGES = ("maximus", "citations", 0, "pages")
D = "decisions"


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (_set(D, 0, "outcome", "overturned"), "value_differs", "/decisions/0/outcome"),
        (_set(D, 0, *PAGES, [{"first": 177, "last": 177}]), "list_item_missing", "/decisions/0/maximus/citations/0/pages"),
        (_set(D, 0, *PAGES, [{"first": 177, "last": 180}]), "list_item_extra", "/decisions/0/maximus/citations/0/pages/0"),
        (_set(D, 2, *PAGES, [{"first": 177, "last": 179}]), "list_item_extra", "/decisions/2/maximus/citations/0/pages/0"),
        (_set(D, 0, *PAGES, [{"first": 8, "last": 8}]), "list_item_extra", "/decisions/0/maximus/citations/0/pages/0"),
        (_set(D, 0, *PAGES, []), "list_item_missing", "/decisions/0/maximus/citations/0/pages"),
        (_swap_sides, "list_item_extra", "/decisions/0/claims_administrator/citations/0/pages/0"),
        (lambda a: a[D].pop(1), "record_missing", "/decisions"),
        (lambda a: a[D].append(copy.deepcopy(a[D][0])), "record_doubled", "/decisions/5"),
        (lambda a: a[D].reverse(), "record_order", "/decisions"),
        (_set(D, 3, "item", "TENS/EMS rental x 2 month"), "not_in_text", "/decisions/3/item"),
        (_set(D, 3, "item", "TENS/EMS rental"), "value_differs", "/decisions/3/item"),
        (_set(D, 0, "item", "Thoracic X-ray"), "not_in_text", "/decisions/0/item"),
        (_set(D, 0, "verdict", "the request is medically necessary."), "not_in_text", "/decisions/0/verdict"),
        (_set(D, 0, "verdict", None), "null_but_stated", "/decisions/0/verdict"),
        (_set(D, 2, "verdict", "As the medical necessity has not been established, the request is not medically necessary."),
         "not_in_text", "/decisions/2/verdict"),
        (_set(D, 0, "reason_quote", None), "quote_missing", "/decisions/0/reason_quote"),
        (_set(D, 0, "reason", None), "judgement_missing", "/decisions/0/reason"),
        (_set(D, 0, "reason_quote", "the request is"), "quote_too_short", "/decisions/0/reason_quote"),
        (_set(D, 0, "reason_quote", "was documentation of any red flags for serious pathology"),
         "not_in_text", "/decisions/0/reason_quote"),
        (_set(D, 0, "claims_administrator", "basis", "outside_mtus"), "value_differs",
         "/decisions/0/claims_administrator/basis"),
        (_set(D, 0, "maximus", "citations", 0, "source", "non_mtus"), "value_differs",
         "/decisions/0/maximus/citations/0/source"),
        (_set(D, 0, "maximus", "citations", 0, "title", "ACOEM Chapter 12 Low Back Complaints"), "not_in_text",
         "/decisions/0/maximus/citations/0/title"),
        (_set("worker", "age", 75), "value_differs", "/worker/age"),
        (_set("worker", "age", None), "null_but_stated", "/worker/age"),
        (_set("worker", "sex", "male"), "value_differs", "/worker/sex"),
        (_set("worker", "date_of_injury", "2014-07-25"), "value_differs", "/worker/date_of_injury"),
        (_set("header", "date_of_injury", "2014-07-24"), "not_stated", "/header/date_of_injury"),
        (_set("header", "case_number", "CM14-0000001"), "not_in_text", "/header/case_number"),
        (_set("reviewer", "specialties", ["Preventive Medicine"]), "list_item_missing", "/reviewer/specialties"),
        (_set("reviewer", "states", ["California", "Texas"]), "not_in_text", "/reviewer/states/1"),
        (_set("diagnoses", 0, "lumbar fracture"), "not_in_text", "/diagnoses/0"),
    ],
)  # fmt: skip
def test_one_planted_mistake(change: Callable[[Answer], Any], code: str | None, path: str) -> None:
    answer = gold("dwc-2014-003")
    change(answer)
    found = codes(bundled("dwc-2014-003"), answer)
    assert (code, path) in found


@pytest.mark.parametrize(
    ("text", "code", "path", "severity"),
    [
        (imr_letter(decision(outcome="Overturned")), "imr_outcome_against_rationale", "/decisions/0/outcome", "error"),
        (imr_letter(summary="A 57 year old female with an industrial injury on 10-14-2015."),
         "imr_injury_date_contradicts", "/header/date_of_injury", "error"),
        (imr_letter(summary="A 57 year old female. The Utilization Review dated 11-19-16, denied it."),
         "imr_ur_date_contradicts", "/ur_date", "warning"),
        (imr_letter(header="Date of Injury: 10/14/2016\nDecision Date: 10/13/2016", summary="A 57 year old female."),
         "imr_dates_out_of_order", "/header/decision_date", "error"),
        (imr_letter(summary="A 57 year old female. The Utilization Review dated 11-16-3016, denied it."),
         "imr_dates_out_of_order", "/ur_date", "error"),
        (imr_letter(decision(mx="Decision based on MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 340.")),
         "imr_page_outside_chapter", "/decisions/0/maximus/citations/0/pages/0", "error"),
        (imr_letter(decision(mx="Decision based on MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 305-301.")),
         "imr_page_range_backwards", "/decisions/0/maximus/citations/0/pages/0", "error"),
        (imr_letter(decision(ca="Decision based on Non-MTUS Citation MTUS: ACOEM.")),
         "imr_source_contradicts", "/decisions/0/claims_administrator/citations/0/source", "warning"),
    ],
)  # fmt: skip
def test_a_letter_that_contradicts_itself_is_blamed_itself(text: str, code: str, path: str, severity: str) -> None:
    [found] = [finding for finding in findings_on(text) if finding.code == code]
    assert (found.path, found.severity, found.blame) == (path, severity, "letter")
    assert found.span is not None
    assert status_of(findings_on(text)) == ("needs_review" if severity == "error" else "accepted")


@pytest.mark.parametrize("letter_id", bundled_ids())
def test_no_true_value_is_blamed_on_the_answer(letter_id: str) -> None:
    answer = IMR.schema.model_validate_json(json.dumps(gold(letter_id)))
    found = check(IMR, answer, IMR.read(bundled(letter_id))).findings
    assert [(f.code, f.path) for f in found if f.blame == "answer"] == []
    unclear = {f.path.split("/")[1] for f in found if f.severity == "error" and f.blame == "unclear"}
    assert unclear == ({"decisions"} if letter_id in PROSE else set())


def test_the_letters_own_contradiction_gives_one_finding() -> None:
    text = imr_letter(decision(outcome="Overturned"))
    assert [(f.code, f.blame) for f in findings_on(text)] == [("imr_outcome_against_rationale", "letter")]
    other = "The records do not show a red flag, and the request is not medically necessary."
    text = imr_letter(decision(outcome="Overturned", rationale=f"{other} {RATIONALE}"))
    found = findings_on(text, lambda answer: answer["decisions"][0].update(verdict=other))
    assert [(f.code, f.blame) for f in found] == [
        ("imr_verdict_against_outcome", "unclear"), ("imr_outcome_against_rationale", "letter"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quote", "code"),
    [
        ("this request is not medically necessary.", None),
        ("medically necessary.", "quote_too_short"),
        ("show a red flag. As such, this", "quote_cut"),
    ],
)
def test_a_quote_keeps_its_negation(quote: str, code: str | None) -> None:
    def change(answer: Answer) -> None:
        answer["decisions"][0].update(reason="other", reason_quote=quote)

    found = [f.code for f in findings_on(imr_letter(), change) if f.path.endswith("quote")]
    assert (code in found) if code else found == []


def test_a_faithful_answer_to_a_good_letter_has_no_finding() -> None:
    assert findings_on(imr_letter()) == []


def test_an_unfaithful_answer_is_blamed_and_not_the_letter() -> None:
    text = imr_letter(summary="A 57 year old female with an industrial injury on 10-14-2015.")
    found = findings_on(text, lambda answer: answer["worker"].update(date_of_injury="2015-10-15"))
    assert [(f.code, f.path, f.blame) for f in found] == [("value_differs", "/worker/date_of_injury", "answer")]


def test_the_older_forms_end_with_a_person() -> None:
    text = imr_letter(
        "1. The request for Norco is not medically necessary and appropriate.\n\n"
        "The Claims Administrator based its decision on the ODG.\n\n"
        "The Physician Reviewer's decision rationale: No."
    )
    found = findings_on(text)
    assert {(f.code, f.blame) for f in found} == {("unread", "unclear")}
    assert status_of(found) == "needs_review"


def test_nothing_may_be_filled_in_for_a_text_that_is_no_such_letter() -> None:
    letter = letter_from_text("A shopping list: Upheld eggs.", letter_id="x")
    answer = IMR.schema.model_validate_json(json.dumps(gold("dwc-2014-000")))
    [found] = check(IMR, answer, IMR.read(letter)).findings
    assert (found.code, found.severity, found.blame) == ("not_a_letter", "error", "letter")


@pytest.mark.parametrize(
    ("sentence", "points"),
    [
        ("Recommendation is for denial.", "upheld"),
        ("Recommendation is for certification.", "overturned"),
        (
            "Although the records are not ideal, in that no scale was used, the request is medically necessary.",
            "overturned",
        ),
        ("Although therapy is medically necessary, the request is not medically necessary.", "upheld"),
        ("The MRI is not medically necessary, although the therapy is medically necessary.", None),
        ("As such, this request is not medically necessary.", "upheld"),
        ("The request was not medically necessary.", "upheld"),
        ("Therefore the request is determined to not be medically necessary.", "upheld"),
        ("This is determined to be not medically necessary.", "upheld"),
        ("The request is not-medically necessary.", "upheld"),
        ("The request is notmedically necessary.", "upheld"),
        ("It is not a medical necessity for this patient at this time.", "upheld"),
        ("The request cannot be considered medically necessary.", "upheld"),
        ("Medical necessity is not established.", "upheld"),
        ("The medical necessity of this request has not been established.", "upheld"),
        (
            "The medical necessity of the 2 x 5 weeks of PT/OT for the neck, 20% cream and a brace has not been established.",
            "upheld",
        ),
        ("The medical necessity of the MRI, 1.5 Tesla, has been established.", "overturned"),
        ("This does not appear to be medically necessary.", "upheld"),
        ("It is not indicated as medically necessary.", "upheld"),
        ("The request is noncertified.", "upheld"),
        ("The request would not be supported.", "upheld"),
        ("This is not medically appropriate.", "upheld"),
        ("Therefore, the request is medically necessary.", "overturned"),
        ("None of the requested services are medically necessary.", "upheld"),
        ("Therefore, no additional therapy is medically necessary.", "upheld"),
        ("Neither the brace nor the pump is medically necessary.", "upheld"),
        ("None of the red flags is present, and the request is medically necessary.", None),
        ("There is no contraindication, and the request is medically necessary.", "overturned"),
        ("MRI with no contrast is medically necessary.", "overturned"),
        ("MRI of the left knee without contrast is medically necessary.", "overturned"),
        ("The requested evaluation is considered medically necessary and appropriate.", "overturned"),
        ("Medical necessity has been established.", "overturned"),
        ("This medical necessity decision should not be interpreted as a recommendation to stop opioids.", None),
        ("The patient has back pain.", None),
        ("The first part is medically necessary, but the second is not medically necessary.", None),
        ("", None),
    ],
)
def test_polarity(sentence: str, points: str | None) -> None:
    assert module("verdict").polarity(sentence) == points


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_schema_valid_answer_is_checked_without_harm_and_twice_the_same(data: st.DataObject) -> None:
    answer = gold(data.draw(st.sampled_from(ALL)))
    words = st.one_of(st.text(min_size=1, max_size=20), st.sampled_from(["Upheld", "301", "California", "is not"]))
    for one in answer["decisions"]:
        one["item"] = data.draw(words)
        one["verdict"] = data.draw(st.none() | words)
        one["maximus"]["citations"] = [
            {"source": "mtus", "title": data.draw(words), "sections": [], "pages": [{"first": 9, "last": 1}]}
        ]
    letter = bundled(data.draw(st.sampled_from(ALL)))
    instance = IMR.schema.model_validate_json(json.dumps(answer))
    first, second = (check(IMR, instance, IMR.read(letter)) for _ in range(2))
    assert first == second
    assert status_of(first.findings) == "needs_review"


@pytest.mark.parametrize(
    ("pages", "status"),
    [([(344, 345), (345, 345)], "accepted"), ([(344, 345)], "accepted"), ([(345, 345)], "needs_review")],
)
def test_a_page_inside_a_range_already_named_may_be_left_out(pages: list[tuple[int, int]], status: str) -> None:
    text = imr_letter(
        decision(rationale=f"The MTUS, pages 344-345, differs. The MTUS, page 345, adds this. {RATIONALE}")
    )
    named = [{"first": first, "last": last} for first, last in pages]
    assert status_of(findings_on(text, lambda answer: answer["decisions"][0].update(rationale_pages=named))) == status
