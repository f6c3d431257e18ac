"""What a model is asked again: directions, numbered values, and what its reply then means."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from extractor.lettertypes.findings import CODES, Finding
from extractor.models.model import Question, Reply
from extractor.models.prompts import FrontMatter, Prompt
from extractor.runs.corrections import DIRECTIONS, direction, patch_message
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from tests.support.imr import IMR, bundled, gold

PROMPT = Prompt("imr@v9", FrontMatter(title="T", why="W", corrections="patch"), "Read.\n")
LETTER = bundled("partly-authorized")
TRUE = gold(LETTER.id)
DATES = TRUE["header"]


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (("not_in_text", "/diagnoses/1", None, "gout"), "entry 2 was not found there"),
        (("not_in_text", "/header/case_number", None, "CM1"), "your value was not found there"),
        (("value_differs", "/header/priority", "Standard", "Standard Application"), "fewer of its words"),
        (("value_differs", "/decisions/0/item", "A walker with wheels", "A walker"), "more words"),
        (("value_differs", "/header/decision_date", "2016-10-14", "2016-10-15"), "another value was found there"),
        (("value_differs", "/worker/age", 51, 15), "another value was found there"),
        (("list_item_extra", "/decisions/0/rationale_pages/0", [], 7), "entry 1 was not found there"),
        (("list_item_missing", "/decisions/0/rationale_pages", 7, []), "an entry was found there that your list lacks"),
        (("record_missing", "/decisions", "A walker", None), "a part was found that no entry covers"),
        (("imr_verdict_against_outcome", "/decisions/0/verdict", None, None), "its own message"),
    ],
)
def test_a_direction_says_what_was_found_and_never_the_value(finding: tuple[Any, ...], words: str) -> None:
    code, path, expected, got = finding
    found = direction(Finding(code, path, "error", "answer", "its own message", expected, got))
    assert words in found
    for value in (expected, got):
        assert not value or str(value) not in found


def test_directions_are_for_codes_that_exist() -> None:
    assert set(DIRECTIONS) <= set(CODES)


class Scripted:
    """A model that gives these replies, one after the other, and keeps the questions."""

    name = "openai/scripted"

    def __init__(self, *replies: dict[str, Any] | str) -> None:
        self.params: dict[str, Any] = {}
        self.replies = [reply if isinstance(reply, str) else json.dumps(reply) for reply in replies]
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        return Reply(self.replies[len(self.asked) - 1])

    def stop_retrying(self) -> None: ...

    async def aclose(self) -> None: ...


def run(*replies: dict[str, Any] | str, reasks: int = 1) -> tuple[Record, list[Question]]:
    model = Scripted(*replies)
    record = asyncio.run(extract(LETTER, Plan(IMR, model, PROMPT, reasks=reasks)))
    return record, model.asked


def answer(**header: Any) -> dict[str, Any]:
    return {**TRUE, "header": {**DATES, **header}}


def patch(*values: tuple[int, str, Any]) -> dict[str, Any]:
    return {"values": [{"number": n, "field": field, "value": value} for n, field, value in values]}


TWO_WRONG = answer(decision_date=DATES["date_assigned"], case_number="CM16-0000000")


def test_only_the_values_in_question_are_asked_for() -> None:
    right = patch((1, "case_number", DATES["case_number"]), (2, "decision_date", DATES["decision_date"]))
    record, asked = run(TWO_WRONG, right)
    assert (record.status, record.answer) == ("accepted", TRUE)
    [correction] = asked[1].corrections
    assert json.loads(correction.reply) == TWO_WRONG
    lines = correction.message.split("\n")
    assert lines[1] == "1. /header/case_number (field case_number, in the header): your value was not found there"
    assert lines[2] == "2. /header/decision_date (field decision_date, in the header): another value was found there"
    assert DATES["case_number"] not in correction.message
    assert list(asked[1].schema.model_fields) == ["values"]
    assert asked[0].schema is IMR.schema


@pytest.mark.parametrize(
    ("reply", "blame"),
    [
        # Sent again: the model insists, and the date is printed in the header. A person looks.
        (patch((1, "decision_date", DATES["date_assigned"])), "unclear"),
        # Not sent is not insisted on.
        (patch(), "answer"),
        (patch((2, "decision_date", DATES["date_assigned"])), "answer"),
        # Printed nowhere.
        (patch((1, "decision_date", "2001-02-03")), "answer"),
    ],
)
def test_a_repeated_value_ends_with_a_person_and_never_as_the_reader_has_it(reply: dict[str, Any], blame: str) -> None:
    record, _ = run(answer(decision_date=DATES["date_assigned"]), reply)
    assert record.status == "needs_review"
    found = {f.blame for f in record.findings if f.path == "/header/decision_date" and f.severity == "error"}
    assert found - {"letter"} == {blame}
    assert record.answer is not None
    assert record.answer["header"]["decision_date"] != DATES["decision_date"]


def test_what_was_not_asked_for_is_ignored_and_recorded() -> None:
    reply = patch((1, "decision_date", DATES["decision_date"]), (2, "outcome", "overturned"))
    record, _ = run(answer(decision_date=DATES["date_assigned"]), reply)
    assert (record.status, record.answer) == ("accepted", TRUE)
    assert "correction_ignored" in [finding.code for finding in record.findings]


def test_a_whole_answer_is_asked_for_where_a_decision_is_missing() -> None:
    record, asked = run({**TRUE, "decisions": TRUE["decisions"][:-1]}, TRUE)
    assert (record.status, asked[1].schema) == ("accepted", IMR.schema)
    assert "/decisions: a part was found that no entry covers" in asked[1].corrections[0].message
    assert "the same value again" in asked[1].corrections[0].message


def test_a_broken_patch_leaves_the_first_answer_and_may_be_sent_again() -> None:
    wrong = answer(decision_date=DATES["date_assigned"])
    record, _ = run(wrong, TRUE)
    assert (record.status, record.answer) == ("needs_review", wrong)
    right = patch((1, "decision_date", DATES["decision_date"]))
    record, asked = run(wrong, TRUE, right, reasks=2)
    assert (record.status, record.answer) == ("accepted", TRUE)
    assert "1. /header/decision_date (field decision_date, in the header)" in asked[2].corrections[1].message


def test_a_third_question_keeps_the_words_of_the_second() -> None:
    wrong = TWO_WRONG
    first = patch((1, "case_number", DATES["case_number"]), (2, "decision_date", "2001-02-03"))
    _, asked = run(wrong, first, patch((1, "decision_date", DATES["decision_date"])), reasks=2)
    assert asked[2].corrections[0] == asked[1].corrections[0]
    assert asked[2].corrections[1].message.count("(field ") == 1


def test_findings_on_one_value_make_one_line() -> None:
    findings = [Finding("not_in_text", f"/diagnoses/{i}", "error", "answer", "") for i in (0, 2)]
    message = patch_message(IMR.schema, ["/diagnoses"], findings)
    assert "1. /diagnoses (field diagnoses, in the summary): entry 1 was not found there; entry 3 was not" in message
