"""Every fault of ``cassettes/imr/faults`` through the real pipeline: what becomes of the letter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from extractor.errors import CassetteError, ExtractorError, TransportError
from extractor.models.cassettes.scrub import secrets_in
from extractor.models.cassettes.tapefile import Persister
from tests.support.faults import FOLDER, LETTER, play, refresh
from tests.support.imr import LETTERS

NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
CITATION = "/decisions/0/claims_administrator/citations/0"
# One finding: the quoted verdict is the letter's own, so the outcome alone is wrong.
OUTCOME = {"value_differs /decisions/0/outcome"}
PAGE = {f"list_item_extra {CITATION}/pages/0"}

# No answer at all: the letter stays unanswered, and the next run asks it again. Code, and calls that were made.
LOST = {
    "server-error": ("server", 2),
    "gateway-html": ("server", 2),
    "rate-limit": ("rate_limited", 2),
    "quota": ("quota", 1),
    "key-refused": ("auth", 1),
    "web-page": ("bad_gateway_body", 2),
}

# A record: status, code of its error, findings of the answer that was kept, calls of each attempt.
RECORDS: dict[str, tuple[str, str | None, set[str], list[int]]] = {
    # The endpoint recovers.
    "server-error-then-200": ("accepted", None, set(), [2]),
    "rate-limit-then-200": ("accepted", None, set(), [2]),
    "body-cut-off-then-200": ("accepted", None, set(), [2]),
    # The request is refused.
    "context-length": ("failed", "context_length", set(), []),
    "bad-request": ("failed", "bad_request", set(), []),
    "content-filter-refused": ("failed", "content_filter", set(), []),
    # A reply, but no answer.
    "no-choices": ("failed", "empty_choices", set(), [1]),
    "no-content": ("failed", "no_answer", set(), [1]),
    "refusal": ("failed", "refusal", set(), [1]),
    "content-filter": ("failed", "content_filter", set(), [1]),
    "content-filter-with-text": ("failed", "content_filter", set(), [1]),
    "length": ("failed", "truncated", set(), [1]),
    "two-tool-calls": ("failed", "two_tool_calls", set(), [1]),
    # An answer that is not valid, then one that is.
    "text-for-tool-call": ("accepted", None, set(), [1]),
    "arguments-not-json": ("accepted", None, set(), [1, 1]),
    "invalid-json": ("accepted", None, set(), [1, 1]),
    "prose-around-json": ("accepted", None, set(), [1, 1]),
    "doubled-key": ("accepted", None, set(), [1, 1]),
    "wrong-type": ("accepted", None, set(), [1, 1]),
    "unknown-key": ("accepted", None, set(), [1, 1]),
    "prose-twice": ("failed", "invalid_answer", {"schema "}, [1, 1]),
    # A valid answer that is wrong.
    "flipped-outcome": ("accepted", None, set(), [1, 1]),
    "other-sides-page": ("accepted", None, set(), [1, 1]),
    "flipped-outcome-twice": ("needs_review", None, OUTCOME, [1, 1]),
    # A second round that does harm: the first answer is kept.
    "second-is-worse": ("needs_review", None, PAGE, [1, 1]),
    "second-is-refused": ("needs_review", None, OUTCOME, [1, 1]),
    "second-is-lost": ("needs_review", None, OUTCOME, [1]),
}


def test_every_fault_is_expected_here() -> None:
    assert sorted(LOST | RECORDS) == NAMES


@pytest.mark.parametrize("name", LOST)
def test_no_answer_comes(name: str) -> None:
    error, tape = play(FOLDER / f"{name}.yaml")
    assert isinstance(error, TransportError)
    assert (error.code, len(tape.asked)) == LOST[name]
    assert (tape.refused, tape.unplayed) == (None, 0)


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.sample(12)
def test_what_becomes_of_the_letter(name: str) -> None:
    record, tape = play(FOLDER / f"{name}.yaml")
    assert not isinstance(record, ExtractorError)
    findings = {f"{each['code']} {each['path']}" for each in record["findings"] if each["severity"] != "info"}
    code = record["error"] and record["error"]["code"]
    calls = [attempt["transport_tries"] for attempt in record["attempts"]]
    assert (record["status"], code, findings, calls) == RECORDS[name]
    assert (tape.refused, tape.unplayed) == (None, 0)
    assert (record["answer"] is None) == (record["status"] == "failed")
    # Tokens are counted, also those of a refusal; of calls that failed nobody knows any.
    tokens = [attempt["usage"]["input_tokens"] for attempt in record["attempts"]]
    assert set(tokens) <= {3300}
    assert record["usage"]["input_tokens"] == (sum(tokens) if tokens else None)


def test_the_first_round_is_what_the_second_round_was_about() -> None:
    for name, errors in (("flipped-outcome", [1, 0]), ("other-sides-page", [1, 0]), ("second-is-worse", [1, 4])):
        record, _ = play(FOLDER / f"{name}.yaml")
        assert isinstance(record, dict)
        assert [attempt["errors"] for attempt in record["attempts"]] == errors
    kept, _ = play(FOLDER / "second-is-worse.yaml")
    assert isinstance(kept, dict)
    assert [decision["outcome"] for decision in kept["answer"]["decisions"]] == ["upheld"]
    assert kept["answer"]["worker"]["age"] == 56


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sample(10)
def test_a_fault_says_that_it_was_made_and_why(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    _, responses, head = Persister.load_cassette(str(path))
    assert (head["synthetic"], head["letter"], head["calls"]) == (True, LETTER, len(responses))
    assert re.fullmatch(r"[A-Z].{15,}\.", head["why"])
    assert list(secrets_in(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("name", ["second-is-worse", "rate-limit"])
def test_no_error_text_quotes_the_letter(name: str) -> None:
    made, _ = play(FOLDER / f"{name}.yaml")
    message = str(made) if isinstance(made, ExtractorError) else " ".join(each["message"] for each in made["findings"])
    letter = (LETTERS / f"{LETTER}.txt").read_text("utf-8")
    assert [words for words in re.findall(r"(?:[a-z]{3,} ){4}", letter) if words in message] == []


@pytest.mark.parametrize("name", ["rate-limit-then-200", "second-is-worse", "arguments-not-json"])
@pytest.mark.sample(1)
def test_requests_can_be_rewritten_and_replies_stay(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copy(FOLDER / f"{name}.yaml", tmp_path))
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("You read one letter", "You read many letters").replace("found these mistakes", "found")
    )
    error, _ = play(path)
    assert isinstance(error, CassetteError)
    assert error.code == "stale_cassette"
    refresh(path)
    assert path.read_text("utf-8") == text


def test_a_fault_with_too_many_or_too_few_replies_is_refused(tmp_path: Path) -> None:
    path = Path(shutil.copy(FOLDER / "rate-limit.yaml", tmp_path))
    text = path.read_text("utf-8")
    call = text[text.index("- request:") : text.rindex("...")]
    path.write_text(text.replace(call, call + call).replace("calls: 2", "calls: 4"))
    with pytest.raises(AssertionError, match="2 of its replies are asked for"):
        refresh(path)
