"""Tables of values with a given proof or better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extractor.lettertypes.findings import ProofLevel
from extractor.runs.export import Reviewed, with_proof
from extractor.runs.record import Record
from tests.support.claims import LETTER_TYPE

ITEM = {"sentence": "The boat is paid.", "outcome": "paid", "amount": "5"}
ANSWER = dict.fromkeys(LETTER_TYPE.schema.model_fields) | {
    "claim_number": "AB-1234",
    "items": [ITEM, ITEM],
    "reasons": ["a", "b"],
    "laws": ["12"],
    "copies_to": [],
    "signed_by": [],
    "documents": [],
}
PROOF: dict[str, ProofLevel] = {
    "/claim_number": "place+quote",
    "/items": "nothing",
    "/items/0/sentence": "place",
    "/items/0/outcome": "quote",
    "/items/1/sentence": "words",
    "/reasons": "place",
    "/laws": "words",
}


def shown(least: ProofLevel, **reviewed: Any) -> dict[str, Any]:
    record = Record("x", "0", "claims", "accepted", answer=ANSWER, proof=PROOF)
    answer = with_proof(replace(Reviewed(record), **reviewed), LETTER_TYPE.schema, least).record.answer
    assert answer is not None
    return {
        "claim_number": answer["claim_number"],
        "items": [[one[name] for name in ITEM] for one in answer["items"]],
        "lists": [answer["reasons"], answer["laws"]],
    }


@pytest.mark.parametrize(
    ("least", "number", "items", "lists"),
    [
        ("place+quote", "AB-1234", [[None, None, None], [None, None, None]], [[], []]),
        ("place", "AB-1234", [["The boat is paid.", None, None], [None, None, None]], [["a", "b"], []]),
        ("quote", "AB-1234", [["The boat is paid.", "paid", None], [None, None, None]], [["a", "b"], []]),
        ("words", "AB-1234", [["The boat is paid.", "paid", None], ["The boat is paid.", None, None]], [["a", "b"], ["12"]]),
    ],
)  # fmt: skip
def test_what_is_proven_less_strongly_is_empty(
    least: ProofLevel, number: str, items: list[list[str | None]], lists: list[list[str]]
) -> None:
    assert shown(least) == {"claim_number": number, "items": items, "lists": lists}


def test_an_empty_cell_is_not_taken_for_a_silent_letter() -> None:
    record = Record("x", "0", "claims", "accepted", answer=ANSWER, proof=PROOF)
    left_out = with_proof(Reviewed(record), LETTER_TYPE.schema, "place").record.withheld
    assert set(left_out) == {"/items/0/outcome", "/items/0/amount", "/laws"} | {
        f"/items/1/{name}" for name in ("sentence", "outcome", "amount")
    }
    assert left_out["/laws"].value == ["12"]


@pytest.mark.parametrize("reviewed", [{"review": "accepted"}, {"corrected": "/claim_number"}])
def test_a_letter_that_a_person_reviewed_keeps_its_values(reviewed: dict[str, str]) -> None:
    assert shown("place+quote", **reviewed)["lists"] == [["a", "b"], ["12"]]


def test_a_letter_without_an_answer_stays_as_it_is() -> None:
    failed = Reviewed(Record("x", None, "claims", "failed"))
    assert with_proof(failed, LETTER_TYPE.schema, "place") is failed
