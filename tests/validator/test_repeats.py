"""A value that is given again against the reading, and is printed in its section, needs review."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from extractor.models.model import Question, Reply
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from tests.support.imr import IMR, bundled, gold

LETTER = bundled("partly-authorized")
DATES = gold(LETTER.id)["header"]
OTHER_DATE = DATES["date_assigned"]


class Scripted:
    """A model that gives these answers, one after the other."""

    name = "openai/scripted"

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.params: dict[str, Any] = {}
        self.replies = [Reply(json.dumps(answer)) for answer in answers]
        self.asked = 0

    async def ask(self, question: Question) -> Reply:
        self.asked += 1
        return self.replies[self.asked - 1]

    def stop_retrying(self) -> None: ...

    async def aclose(self) -> None: ...


def answer(**header: Any) -> dict[str, Any]:
    true = gold(LETTER.id)
    return {**true, "header": {**true["header"], **header}}


def run(*answers: dict[str, Any], reasks: int = 1) -> tuple[Record, int]:
    model = Scripted(*answers)
    return asyncio.run(extract(LETTER, Plan(IMR, model, reasks=reasks))), model.asked


@pytest.mark.parametrize(
    ("first", "second", "blame", "status"),
    [
        (OTHER_DATE, OTHER_DATE, "unclear", "needs_review"),  # printed in the header, and insisted on
        ("2001-02-03", "2001-02-03", "answer", "needs_review"),  # printed nowhere
        (OTHER_DATE, "2001-02-03", "answer", "needs_review"),  # not insisted on
        (OTHER_DATE, DATES["decision_date"], None, "accepted"),  # corrected
    ],
)
def test_who_is_blamed_after_a_second_answer(first: str, second: str, blame: str | None, status: str) -> None:
    record, asked = run(answer(decision_date=first), answer(decision_date=second))
    own = {f.blame for f in record.findings if f.path == "/header/decision_date" and f.severity == "error"}
    assert (own - {"letter"}, record.status, asked) == ({blame} if blame else set(), status, 2)


def test_what_is_insisted_on_is_not_asked_a_third_time() -> None:
    record, asked = run(*[answer(decision_date=OTHER_DATE)] * 3, reasks=2)
    assert asked == 2
    assert record.answer is not None
    assert record.answer["header"]["decision_date"] == OTHER_DATE
