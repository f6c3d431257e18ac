"""A second model for what was flagged: who is asked, what is kept, what it costs, and that nothing is paid twice."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest

from extractor.errors import ModelError, TransportError
from extractor.letters.letter import Letter, LetterFile, letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Stated, StrictModel, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Reading
from extractor.models.model import Question, Reply, Usage
from extractor.models.replies import ReplyError
from extractor.runs.answers import check_answer, recheck
from extractor.runs.bulk import Options, run
from extractor.runs.ledger import LedgerView
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import SecondAnswer
from tests.support.plans import tariff
from tests.support.toy import put

_NAME = re.compile(r"NAME: ([\w. ]+)")


class Memo(StrictModel):
    name: Annotated[str | None, Verbatim(within="memo", whole=True)]
    sent: Annotated[date | None, Stated(within="memo")]


def read_memo(letter: Letter) -> Reading:
    """Reads every name a sentence too far where the letter states SWALLOW."""
    whole = Span(0, len(letter.text))
    found = _NAME.search(letter.text)
    assert found
    end = found.end(1) if "SWALLOW" in letter.text else found.start(1) + len(found[1].split(".")[0])
    span = Span(found.start(1), end)
    facts = {"name": Fact(span.of(letter.text), (span,)), "sent": Fact(None)}
    return Reading(letter, Block(whole, {"memo": whole}, facts))


MEMO = LetterType("memo", Memo, read_memo, protected=("name", "sent"))
GOOD = "NAME: Anna. Vale\n"
SWALLOWED = "NAME: Anna. Vale\nSWALLOW\n"
RIGHT = {"name": "Anna", "sent": None}


@dataclass
class Fake:
    """Answers every question with ``answer``; an exception is raised. ``asked`` lists letters and corrections."""

    name: str
    answer: Callable[[Question], Any]
    usage: Usage = field(default_factory=lambda: Usage(1_000, 100))
    params: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def ask(self, question: Question) -> Reply:
        self.asked.append((question.letter_id, len(question.corrections)))
        given = self.answer(question)
        if isinstance(given, Exception):
            raise given
        return Reply(json.dumps(given), self.usage)

    def stop_retrying(self) -> None:
        """It never tries again."""

    async def aclose(self) -> None:
        """It holds nothing open."""


def always(given: Any) -> Callable[[Question], Any]:
    return lambda question: given


def plan_of(first: Any, second: Any, *, reasks: int = 1) -> Plan:
    """Two models at different prices; an answer costs 0.0028 and 0.0056 USD."""
    one = Fake("openai/a", first if callable(first) else always(first))
    other = Fake("other/b", second if callable(second) else always(second))
    plan = Plan(MEMO, one, reasks=reasks, tariff=tariff("2", "8"))
    return replace(plan, second=Plan(MEMO, other, tariff=tariff("4", "16")))


def models(plan: Plan) -> tuple[Any, Any]:
    assert plan.second
    return plan.model, plan.second.model


def record_of(plan: Plan, text: str) -> Any:
    return asyncio.run(extract(letter_from_text(text, letter_id="memo"), plan)).as_dict()


# ---- one letter --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "second", "status", "asked"),
    [
        pytest.param(GOOD, RIGHT, RIGHT, "accepted", 0, id="nothing is flagged"),
        pytest.param(SWALLOWED, RIGHT, RIGHT, "accepted", 1, id="both agree against the reader"),
        pytest.param(SWALLOWED, RIGHT, {"name": "Anna. Vale", "sent": None}, "needs_review", 1, id="they disagree"),
        pytest.param(GOOD, {"name": "Bob", "sent": None}, {"name": "Bob", "sent": None}, "needs_review", 1, id="not in the letter"),
        pytest.param(SWALLOWED, RIGHT, {"nome": "Anna"}, "needs_review", 1, id="no valid second answer"),
        pytest.param(SWALLOWED, RIGHT, ModelError("no", code="bad_request"), "needs_review", 1, id="it fails"),
        pytest.param(SWALLOWED, RIGHT, TransportError("no", code="timeout"), "needs_review", 1, id="it is down"),
        pytest.param(SWALLOWED, {"nome": "Anna"}, RIGHT, "failed", 0, id="no valid first answer"),
    ],
)  # fmt: skip
def test_who_is_asked_and_what_comes_of_it(text: str, first: Any, second: Any, status: str, asked: int) -> None:
    plan = plan_of(first, second)
    assert record_of(plan, text)["status"] == status
    assert models(plan)[1].asked == [("memo", 0)] * asked  # once, and without a word of what was found


def test_both_answers_are_kept_and_priced() -> None:
    record = record_of(plan_of(RIGHT, {"name": "Anna. Vale", "sent": None}), SWALLOWED)
    assert record["answer"] == RIGHT
    assert record["second"] == {
        "model": "other/b", "prompt": None, "prompt_sha256": None, "answer": {"name": "Anna. Vale", "sent": None},
        "values": {"/name": "Anna. Vale"}, "error": None,
    }  # fmt: skip
    assert [(each["model"], each["cost_usd"]) for each in record["attempts"]] == [
        ("openai/a", 0.0028), ("openai/a", 0.0028), ("other/b", 0.0056),
    ]  # fmt: skip
    assert record["cost_usd"] == 0.0112
    assert record["usage"]["input_tokens"] == 3_000


def test_why_there_is_no_second_answer() -> None:
    refused = ReplyError("refusal", Reply("", Usage(1_000, 100)))
    record = record_of(plan_of(RIGHT, refused, reasks=0), SWALLOWED)
    assert (record["second"]["answer"], record["second"]["error"]["code"]) == (None, "refusal")
    assert record["cost_usd"] == 0.0084  # a refusal has cost tokens
    down = record_of(plan_of(RIGHT, TransportError("no", code="timeout"), reasks=0), SWALLOWED)
    assert (down["second"]["error"]["code"], down["cost_usd"]) == ("timeout", 0.0028)


def test_a_letter_that_is_not_flagged_has_no_second_answer() -> None:
    record = record_of(plan_of(RIGHT, RIGHT), GOOD)
    assert "second" not in record
    assert "model" not in record["attempts"][0]


# ---- records are checked again -------------------------------------------------------------------


def test_a_record_that_agreement_cleared_is_checked_again() -> None:
    letter = letter_from_text(SWALLOWED, letter_id="memo")
    record = asyncio.run(extract(letter, plan_of(RIGHT, RIGHT)))
    assert recheck(record, letter, MEMO) == record
    alone = replace(record, second=None)
    assert recheck(alone, letter, MEMO).status == "needs_review"


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (SecondAnswer("other/b", answer=RIGHT), "accepted"),
        (SecondAnswer("openai/a", answer=RIGHT), "needs_review"),
        (SecondAnswer("other/b", answer={"nome": 1}), "needs_review"),
        (SecondAnswer("other/b"), "needs_review"),
        (None, "needs_review"),
    ],
)
def test_whose_agreement_counts(second: SecondAnswer | None, status: str) -> None:
    letter = letter_from_text(SWALLOWED, letter_id="memo")
    assert check_answer(RIGHT, letter, MEMO, model="openai/a", second=second).status == status


# ---- many letters --------------------------------------------------------------------------------


def memos(folder: Path, *texts: str) -> list[LetterFile]:
    return [LetterFile(f"{n}", put(folder / f"{n}.txt", text)) for n, text in enumerate(texts)]


def run_in(folder: Path, files: list[LetterFile], plan: Plan, max_cost: str | None = None) -> Any:
    options = Options(max_cost=Decimal(max_cost) if max_cost else None)
    return asyncio.run(run(files, plan, folder / "out", options=options, concurrency=1))


def kept(folder: Path) -> list[tuple[str, str, bool]]:
    with LedgerView(folder / "out") as view:
        return [(each.letter_id, each.status, each.second is not None) for each in view.records()]


def test_a_run_asks_the_second_model_only_about_what_is_flagged(tmp_path: Path) -> None:
    plan = plan_of(RIGHT, RIGHT)
    summary = run_in(tmp_path, memos(tmp_path, GOOD, SWALLOWED, GOOD + "more\n"), plan)
    assert kept(tmp_path) == [("0", "accepted", False), ("1", "accepted", True), ("2", "accepted", False)]
    assert [letter_id for letter_id, _ in models(plan)[1].asked] == ["1"]
    assert (summary.calls, summary.usd) == (5, Decimal("0.0168"))
    assert summary.totals.usd == Decimal("0.0168")


def test_nothing_is_paid_twice(tmp_path: Path) -> None:
    files = memos(tmp_path, SWALLOWED)
    down = plan_of(RIGHT, TransportError("no", code="timeout"))
    assert run_in(tmp_path, files, down).unanswered.keys() == {"0"}
    assert kept(tmp_path) == []
    up = plan_of(RIGHT, RIGHT)
    assert run_in(tmp_path, files, up).counts == {"accepted": 1}
    again = plan_of(RIGHT, RIGHT)
    assert run_in(tmp_path, files, again).skipped == 1
    # Another price only: the record is made again from stored replies.
    assert again.second
    dearer = replace(again, second=replace(again.second, tariff=tariff("40", "160")))
    assert run_in(tmp_path, files, dearer).counts == {"accepted": 1}
    asked = [len(model.asked) for plan in (down, up, again) for model in models(plan)]
    assert asked == [2, 1, 0, 1, 0, 0]
    with LedgerView(tmp_path / "out") as view:
        assert [each.cost_usd for each in view.records()] == [0.0616]


def test_a_second_model_can_be_added_to_a_finished_run(tmp_path: Path) -> None:
    files = memos(tmp_path, GOOD, SWALLOWED)
    alone = replace(plan_of(RIGHT, RIGHT), second=None)
    run_in(tmp_path, files, alone)
    assert kept(tmp_path) == [("0", "accepted", False), ("1", "needs_review", False)]
    plan = plan_of(RIGHT, RIGHT)
    run_in(tmp_path, files, plan)
    assert kept(tmp_path) == [("0", "accepted", False), ("1", "accepted", True)]
    assert [model.asked for model in models(plan)] == [[], [("1", 0)]]


def test_letters_of_equal_text_share_both_answers(tmp_path: Path) -> None:
    plan = plan_of(RIGHT, RIGHT)
    run_in(tmp_path, memos(tmp_path, SWALLOWED, SWALLOWED), plan)
    assert kept(tmp_path) == [("0", "accepted", True), ("1", "accepted", True)]
    assert [len(model.asked) for model in models(plan)] == [2, 1]


@pytest.mark.parametrize("max_cost", ["0.0030", "0.0060", "0.0100", "0.0200", "1"])
def test_the_budget_counts_both_models(tmp_path: Path, max_cost: str) -> None:
    files = memos(tmp_path, *(f"{SWALLOWED}{number}\n" for number in range(6)))
    plan = plan_of(RIGHT, RIGHT)
    for model in models(plan):
        model.params["max_tokens"] = 100
        model.usage = Usage(100, 100)
    summary = run_in(tmp_path, files, plan, max_cost)
    assert summary.usd <= Decimal(max_cost)
    assert bool(summary.left) == (summary.stopped == "max_cost") == (max_cost != "1")
    paid = sum(each.cost_usd or 0 for each in records(tmp_path))
    assert paid <= float(summary.usd)


def records(folder: Path) -> list[Any]:
    with LedgerView(folder / "out") as view:
        return list(view.records())
