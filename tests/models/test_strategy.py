"""The skeleton strategy: the reading's table, what is asked of a model, and the record made of both."""

from __future__ import annotations

import asyncio
import json

import pytest

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import status_of
from extractor.models.model import Reply
from extractor.models.offline import values
from extractor.models.strategy import Plain, RowsError, Skeleton
from extractor.models.wire import letter_messages, strict_schema
from extractor.runs.judging import judge
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from tests.support.imr import IMR, bundled, decision, imr_letter

SKELETON = Skeleton(IMR)
LETTER = bundled("dwc-2014-002")
READING = IMR.read(LETTER)


def rest(decisions: int = 2, disputed=(), **changes) -> dict:
    """A reply that leaves every judgment open."""
    one = {"verdict": None, "treatment_category": None, "reason": None, "reason_quote": None}
    return {
        "disputed": list(disputed),
        "diagnoses": [],
        "ur_date": None,
        "decisions": [dict(one) for _ in range(decisions)],
        **changes,
    }


def answered(reply: dict):
    return SKELETON.answer(json.dumps(reply), READING)[:2]


def test_only_what_needs_a_mind_is_asked():
    schema = strict_schema(SKELETON.schema, lengths=False)
    assert list(schema["properties"]) == ["disputed", "diagnoses", "ur_date", "decisions"]
    inner = schema["$defs"]["DecisionRest"]["properties"]
    assert list(inner) == ["verdict", "treatment_category", "reason", "reason_quote"]


def test_the_table_has_a_numbered_row_for_each_part():
    rows = SKELETON.notes(READING).split("\n")
    assert [row.split(": ", 1)[0] for row in rows][:4] == [
        "[1] header",
        "[2] reviewer",
        "[3] worker",
        "[4] decisions/0",
    ]
    assert json.loads(rows[3].split(": ", 1)[1])["outcome"] == "upheld"
    assert '"pages": [{"first": 301, "last": 301}, {"first": 340, "last": 340}]' in "\n".join(rows)
    assert not any("ur_date" in row for row in rows), "what is asked is not given away"


def test_the_reading_fills_the_rest():
    quote = "there is no evidence to support its use in chronic pain"
    reply = rest()
    reply["decisions"][0] |= {"reason": "guideline_does_not_recommend", "reason_quote": quote}
    whole, findings = answered(reply)
    assert whole.decisions[0].reason_quote == quote
    known = values(IMR.schema, READING.root)
    assert whole.decisions[1].maximus.model_dump() == known["decisions"][1]["maximus"]
    assert whole.worker.age == 37
    assert [finding.code for finding in findings] == ["skeleton"]


def test_a_disputed_row_sends_the_letter_to_a_person():
    attempt = judge(Reply(json.dumps(rest(disputed=[12, 12, 0, 99]))), SKELETON, IMR, READING)
    disputes = [(f.code, f.path, f.got, f.blame) for f in attempt.verdict.findings if f.code == "skeleton_disputed"]
    assert disputes == [
        ("skeleton_disputed", "/decisions/1/maximus/citations/0", 12, "unclear"),
        ("skeleton_disputed", "", 0, "unclear"),
        ("skeleton_disputed", "", 99, "unclear"),
    ]
    assert status_of(attempt.verdict.findings) == "needs_review"


@pytest.mark.parametrize("decisions", [0, 1, 3])
def test_a_reply_must_have_one_entry_for_each_decision(decisions):
    with pytest.raises(RowsError, match=f"2 decisions, the reply {decisions}"):
        answered(rest(decisions))
    attempt = judge(Reply(json.dumps(rest(decisions))), SKELETON, IMR, READING)
    assert attempt.answer is None
    assert [(f.code, f.blame) for f in attempt.verdict.findings] == [("schema", "answer")]


@pytest.mark.parametrize(
    "broken",
    [
        {**rest(), "worker": {}},
        {key: value for key, value in rest().items() if key != "diagnoses"},
        rest(disputed=["2"]),
    ],
)
def test_a_reply_of_another_shape_is_no_answer(broken):
    with pytest.raises(ValueError, match="validation error"):
        answered(broken)


def test_a_quote_that_is_not_in_the_rationale_is_still_caught():
    reply = rest()
    reply["decisions"][0] |= {"reason": "other", "reason_quote": "words that occur nowhere in it"}
    attempt = judge(Reply(json.dumps(reply)), SKELETON, IMR, READING)
    assert ("not_in_text", "/decisions/0/reason_quote") in [(f.code, f.path) for f in attempt.verdict.findings]


class Recorder:
    """A model that keeps its questions and gives one reply."""

    name = "openai/none"

    def __init__(self, reply: dict) -> None:
        self.params: dict = {}
        self.reply = reply
        self.asked: list = []

    async def ask(self, question):
        self.asked.append(question)
        return Reply(json.dumps(self.reply))

    def stop_retrying(self):
        pass

    async def aclose(self):
        pass


def test_letter_and_table_are_two_messages_and_the_letter_is_unchanged(monkeypatch):
    monkeypatch.setattr(Plan, "strategy", SKELETON)
    letter = letter_from_text(imr_letter(decision("MRI  of\tthe {{neck}}")).replace("\n", "\r\n"), letter_id="odd")
    model = Recorder(rest(1))
    record = asyncio.run(extract(letter, Plan(IMR, model, None, reasks=0)))
    messages = letter_messages(model.asked[0])
    assert [message["role"] for message in messages] == ["user", "user"]
    assert messages[0]["content"] == letter.text
    assert messages[1]["content"].startswith("[1] header: ")
    assert "skeleton" in [finding.code for finding in record.findings]


def test_the_plain_strategy_adds_nothing():
    plain = Plain(IMR)
    assert plain.notes(READING) == ""
    assert plain.schema is IMR.schema
