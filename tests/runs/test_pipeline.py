"""The way of one letter by example: what is asked how often, which answer is kept, and what each ending makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from extractor.errors import CassetteError, ModelError, TransportError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.models.model import Question, Reply, Usage
from extractor.models.replies import ReplyError
from extractor.runs.corrections import whole_message
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.workspace.workspace import Workspace
from tests.support.toy import NOTES, right_answer, write_toy

LETTER = letter_from_text(NOTES["slow"], letter_id="slow")
RIGHT = right_answer(NOTES["slow"])
ONE_WRONG = {**RIGHT, "carrier": "Fast Boat"}
TWO_WRONG = {**ONE_WRONG, "parcels": []}
NO_JSON = "Here is the answer: {"
DOUBLED = '{"carrier": "a", "carrier": "b", "parcels": []}'


class Script:
    """A model that gives these replies, one after the other, and keeps the questions."""

    name = "openai/script"

    def __init__(self, replies: Iterable[Any]) -> None:
        self.replies = iter(replies)
        self.asked: list[Question] = []

    @property
    def params(self) -> dict[str, Any]:
        return {}

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        reply = next(self.replies)
        if isinstance(reply, Exception):
            raise reply
        text = reply if isinstance(reply, str) else json.dumps(reply)
        return Reply(text, Usage(input_tokens=10, output_tokens=1))

    def stop_retrying(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> LetterType:
    return Workspace(write_toy(tmp_path_factory.mktemp("toy"), "pipeline")).letter_type()


Ask = Callable[..., tuple[Record, Script]]


@pytest.fixture
def ask(parcels: LetterType) -> Ask:
    def one(*replies: Any, reasks: int = 1, stored: Iterable[Reply] = ()) -> tuple[Record, Script]:
        model = Script(replies)
        return asyncio.run(extract(LETTER, Plan(parcels, model, reasks=reasks), stored=stored)), model

    return one


@pytest.mark.parametrize(
    ("replies", "reasks", "status", "calls", "answer"),
    [
        ([RIGHT], 1, "accepted", 1, RIGHT),
        ([ONE_WRONG, RIGHT], 1, "accepted", 2, RIGHT),
        ([ONE_WRONG, TWO_WRONG], 1, "needs_review", 2, ONE_WRONG),
        ([TWO_WRONG, ONE_WRONG], 1, "needs_review", 2, ONE_WRONG),
        ([ONE_WRONG], 0, "needs_review", 1, ONE_WRONG),
        ([ONE_WRONG, ONE_WRONG, RIGHT], 2, "accepted", 3, RIGHT),
        ([NO_JSON, RIGHT], 1, "accepted", 2, RIGHT),
        ([DOUBLED, RIGHT], 1, "accepted", 2, RIGHT),
        ([ONE_WRONG, NO_JSON], 1, "needs_review", 2, ONE_WRONG),
        ([NO_JSON, NO_JSON], 1, "failed", 2, None),
        (["{}", '{"carrier": NaN}'], 1, "failed", 2, None),
        # What comes after a first answer cannot take it away.
        ([ONE_WRONG, TransportError("gone")], 1, "needs_review", 1, ONE_WRONG),
        ([ONE_WRONG, CassetteError("none")], 1, "needs_review", 1, ONE_WRONG),
        ([ONE_WRONG, ModelError("no", code="refusal")], 1, "needs_review", 1, ONE_WRONG),
        ([ModelError("no", code="refusal")], 1, "failed", 0, None),
    ],
)
def test_which_answer_is_kept(
    ask: Ask, replies: list[Any], reasks: int, status: str, calls: int, answer: dict[str, Any] | None
) -> None:
    record, model = ask(*replies, reasks=reasks)
    assert (record.status, len(record.attempts), record.answer) == (status, calls, answer)
    assert len(model.asked) == len(replies)
    assert record.usage.input_tokens == (10 * calls or None)
    assert (record.error is None) == (status != "failed")


@pytest.mark.parametrize("error", [TransportError("gone"), CassetteError("none")])
def test_without_any_answer_another_run_may_ask(ask: Ask, error: Exception) -> None:
    with pytest.raises(type(error)):
        ask(error)


def test_a_refusal_has_cost_tokens_and_is_kept(ask: Ask) -> None:
    refused = ReplyError("refusal", Reply("", Usage(7, 2), finish="refusal"))
    record, _ = ask(refused)
    assert (record.status, record.error and record.error.code, record.usage.input_tokens) == ("failed", "refusal", 7)
    assert [attempt.finish for attempt in record.attempts] == ["refusal"]


def test_stored_replies_come_before_the_model(ask: Ask) -> None:
    stored = [Reply(json.dumps(ONE_WRONG))]
    record, model = ask(RIGHT, stored=stored)
    assert (record.status, len(record.attempts), len(model.asked)) == ("accepted", 2, 1)
    record, model = ask(stored=[*stored, Reply(json.dumps(RIGHT))])
    assert (record.status, model.asked) == ("accepted", [])


def test_what_is_asked(ask: Ask) -> None:
    _, model = ask(ONE_WRONG, RIGHT)
    first, second = model.asked
    assert first.letter == NOTES["slow"]
    assert first.corrections == ()
    [correction] = second.corrections
    assert correction.reply == json.dumps(ONE_WRONG)
    assert "/carrier: not_in_text" in correction.message


def test_a_correction_names_at_most_thirty_findings_and_no_values() -> None:
    many = [
        Finding("not_in_text", f"/a/{i}", "error", "answer", "wrong", "words of the letter", "Fast") for i in range(33)
    ]
    message = whole_message(many)
    assert message.count("not_in_text") == 30
    assert "and 3 more" in message
    assert "words of the letter" not in message
    assert "Fast" not in message
