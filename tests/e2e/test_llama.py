"""A real server, a real grammar and random weights: answers of the right shape with nothing in them.

llama.cpp decodes under the schema that the engine sent, so every answer is valid; the model knows
nothing, so every answer is wrong, and the validator must say so of each. Lengths are sent along:
without them the grammar lets empty strings pass, which the schema does not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from extractor.letters.letter import Letter, letter_from_text
from extractor.models.llm import ChatModel, Patience
from extractor.models.model import Reply
from extractor.models.prompts import load_prompt
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from tests.support.imr import IMR, LETTERS, ROOT, bundled, decision, imr_letter

# A wheel that does not load on this machine is as good as none.
pytest.importorskip("xllamacpp", exc_type=ImportError)
pytest.importorskip("gguf", exc_type=ImportError)

from tests.e2e.noise_model import CONTEXT, token, write_noise_model
from tests.e2e.server import llama_server

# The first test of a seed waits for all its answers; about 40 s each where this was written.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PROMPT = load_prompt(ROOT / "prompts" / "imr", "imr@v1", IMR.name)
# A token is a character here: several times what an answer takes.
MAX_TOKENS = 8000
BUILT = {
    "built-plain": imr_letter(),
    "built-two": imr_letter(decision("MRI of the left knee"), decision("Norco 10-325 MG #60", "Overturned")),
    "built-headless": imr_letter(decision(rationale="None."), header="", summary="The patient is a 40-year-old man."),
}


@dataclass
class Asking:
    """One letter through the pipeline: its record, the raw replies and the requests as they were sent."""

    record: dict[str, Any]
    replies: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)


class Overheard(httpx2.AsyncHTTPTransport):
    """The ordinary transport; it keeps what goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        return await super().handle_async_request(request)


def ask(url: str, letter: Letter, *, reasks: int = 0, **params: Any) -> Asking:
    overheard = Overheard()
    model = ChatModel(
        "openai/noise",
        model="noise",
        api_key="none",
        base_url=url,
        mode="json_schema_lengths",
        params={"max_tokens": MAX_TOKENS, "seed": 1, **params},
        transport=overheard,
        patience=Patience(timeout=300, tries=1),
    )
    replies: list[Reply] = []

    async def once() -> dict[str, Any]:
        try:
            return (await extract(letter, Plan(IMR, model, PROMPT, reasks), on_reply=replies.append)).as_dict()
        finally:
            await model.aclose()

    return Asking(asyncio.run(once()), replies, overheard.requests)


def letters() -> list[Letter]:
    # The real ones: a token is a character here, and all would take minutes.
    found = [bundled(path.stem) for path in sorted(LETTERS.glob("dwc-2014-*.txt"))]
    return found + [letter_from_text(text, letter_id=name) for name, text in BUILT.items()]


@dataclass(frozen=True)
class Noise:
    """A running server and its answers to all letters."""

    url: str
    asked: dict[str, Asking]

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        return {name: asking.record for name, asking in self.asked.items()}


@pytest.fixture(scope="module", params=[0, 1], ids=["weights0", "weights1"])
def noise(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noise]:
    with server(tmp_path_factory.mktemp("noise"), request.param) as url:
        yield Noise(url, {letter.id: ask(url, letter, seed=n) for n, letter in enumerate(letters())})


def server(folder: Path, seed: int) -> AbstractContextManager[str]:
    return llama_server(write_noise_model(folder / "noise.gguf", seed), context=CONTEXT)


# ---- noise of the right shape ------------------------------------------------------------------


def test_every_answer_is_valid(noise: Noise) -> None:
    assert len(noise.records) >= 5
    wrong = {name: record["error"] for name, record in noise.records.items() if record["answer"] is None}
    assert wrong == {}
    for name, asking in noise.asked.items():
        IMR.schema.model_validate_json(asking.replies[0].text)
        assert [f for f in asking.record["findings"] if f["code"] == "schema"] == [], name


def test_the_whole_letter_and_prompt_reached_the_model(noise: Noise) -> None:
    for letter in letters():
        record = noise.records[letter.id]
        (attempt,) = record["attempts"]
        assert (attempt["finish"], attempt["transport_tries"]) == ("stop", 1)
        assert record["usage"]["input_tokens"] >= len(PROMPT.text) + len(letter.text)
        assert 0 < record["usage"]["output_tokens"] < MAX_TOKENS


def test_the_answers_are_not_merely_empty(noise: Noise) -> None:
    decisions = [d for record in noise.records.values() for d in record["answer"]["decisions"]]
    assert decisions
    assert any(value is not None for record in noise.records.values() for value in record["answer"]["header"].values())


def test_no_noise_is_accepted(noise: Noise) -> None:
    assert {name: record["status"] for name, record in noise.records.items()} == dict.fromkeys(
        noise.records, "needs_review"
    )


def test_each_answer_is_blamed(noise: Noise) -> None:
    blamed = {
        name: sum(f["severity"] == "error" and f["blame"] == "answer" for f in record["findings"])
        for name, record in noise.records.items()
    }
    assert min(blamed.values()) > 0, blamed


# ---- what else a real server does --------------------------------------------------------------


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("more"), 0) as address:
        yield address


def test_a_reask_carries_the_answer_and_what_is_wrong_with_it(url: str) -> None:
    asking = ask(url, bundled("dwc-2014-001"), reasks=1)
    first, second = (request["messages"] for request in asking.requests)
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[:2] == first
    assert second[2]["content"] == asking.replies[0].text
    assert "A check of your answer" in second[3]["content"]
    before, after = (reply.usage.input_tokens or 0 for reply in asking.replies)
    assert after >= before + len(asking.replies[0].text) + len(second[3]["content"])
    assert len(asking.record["attempts"]) == 2
    assert asking.record["status"] == "needs_review"


def test_a_date_that_no_calendar_has_passes_the_grammar_only(url: str) -> None:
    # Never null, strings of one character, and in them 3 before 1 before the rest: such a date is 31 November.
    bias = [[token('"'), 90], [token("3"), 60], [token("1"), 30]]
    asking = ask(url, bundled("dwc-2014-001"), logit_bias=bias)
    assert '"3333-11-31"' in asking.replies[0].text
    assert (asking.record["status"], asking.record["error"]["code"]) == ("failed", "invalid_answer")
    findings = asking.record["findings"]
    assert {(f["code"], f["severity"], f["blame"]) for f in findings} == {("schema", "error", "answer")}
    assert {f["path"] for f in findings} == {
        *(f"/header/{name}" for name in ("date_assigned", "date_of_injury", "decision_date")),
        *(f"/header/{name}" for name in ("ur_denial_date", "application_received")),
        "/worker/date_of_injury",
        "/ur_date",
    }


def test_an_answer_cut_off_at_max_tokens(url: str) -> None:
    asking = ask(url, bundled("dwc-2014-001"), max_tokens=50)
    assert (asking.record["status"], asking.record["error"]["code"]) == ("failed", "truncated")
    assert asking.record["answer"] is None
    assert asking.record["usage"]["output_tokens"] == 50
    assert [attempt["finish"] for attempt in asking.record["attempts"]] == ["length"]


def test_a_letter_longer_than_the_context(url: str) -> None:
    letter = letter_from_text(imr_letter(decision(rationale="The pain goes on. " * (CONTEXT // 18))), letter_id="long")
    asking = ask(url, letter)
    assert (asking.record["status"], asking.record["error"]["code"]) == ("failed", "context_length")
    assert asking.record["attempts"] == []
    assert len(asking.requests) == 1
