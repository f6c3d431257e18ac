"""The order of the queue: what needs a person most comes first."""

from __future__ import annotations

import pytest

from extractor.lettertypes.findings import Finding
from extractor.review.queue import load
from extractor.runs.record import Failure, Record
from tests.support.evalpages import NOTE, note


def record(letter_id: str, status: str, *findings: Finding) -> Record:
    failed = status == "failed"
    return Record(
        letter_id=letter_id,
        letter_sha256="0" * 64,
        letter_type="toy",
        status=status,
        answer=None if failed else note(("12", "lost", "")),
        findings=findings,
        error=Failure("refused", "the model refused") if failed else None,
    )


def finding(blame: str, path: str = "/carrier", severity: str = "error") -> Finding:
    return Finding("value_differs", path, severity, blame, "the letter says something else here")


WRONG = record("z-wrong", "needs_review", finding("answer"))
FAILED = record("y-failed", "failed")
ODD = record("x-odd", "needs_review", finding("letter"))
FINE = record("a-fine", "accepted")


@pytest.mark.parametrize(
    "records", [[WRONG, FAILED, ODD, FINE], [FINE, ODD, FAILED, WRONG], [FAILED, WRONG, FINE, ODD]]
)
def test_wrong_answers_come_first_then_odd_letters_then_failed_ones(records):
    queue = load(NOTE, records)
    assert [entry.letter_id for entry in queue.entries] == ["z-wrong", "x-odd", "y-failed", "a-fine"]


def test_of_wrong_answers_those_on_protected_fields_come_first():
    protected = record("z", "needs_review", finding("answer", "/parcels/0/state"))
    queue = load(NOTE, [WRONG, protected])
    assert [entry.letter_id for entry in queue.entries] == ["z", "z-wrong"]
