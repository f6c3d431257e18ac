"""Settings that an endpoint refuses, and a quota that is used up: the run stops, and the line to change is named."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelError
from extractor.letters.letter import find_letters
from extractor.runs.bulk import run
from extractor.runs.plan import Plan
from extractor.workspace.workspace import Workspace
from tests.support.asking import WIRES, question
from tests.support.loopback import Canned, ask_once, endpoint, message, refusal
from tests.support.toy import only_notes, write_toy

MAX_TOKENS = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
SCHEMA = "Invalid schema for response_format: 'minLength' is not permitted"
WORDS = {
    "a parameter": ("Unsupported value: 'temperature' does not support 0", "settings", "change or remove temperature"),
    "a parameter by another name": (MAX_TOKENS, "settings", "max_completion_tokens in place of max_tokens"),
    "the schema": (SCHEMA, "bad_request", "set another mode"),
    "something else": ("no", "bad_request", "check the parameters"),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_setting_to_change_is_named(name: str) -> None:
    words, code, hint = WORDS[name]
    model = {"temperature": 0, "max_tokens": 9}
    with endpoint([refusal(400, "", words)]) as server, pytest.raises(ModelError) as caught:
        asyncio.run(ask_once(WIRES["openai"].open(server, **model), question()))
    assert (caught.value.code, len(server.asked)) == (code, 1)
    assert hint in caught.value.hint
    assert "openai/m" in caught.value.hint


def run_ten(root: Path, replies: Any) -> tuple[Any, int]:
    """A run over ten letters, one at a time, and how many calls were made."""
    workspace = Workspace(write_toy(root, "settings"))
    only_notes(root, [f"n{i}" for i in range(10)])

    async def once(url: str) -> Any:
        model = WIRES["openai"].at(url, temperature=0)
        try:
            plan = Plan(workspace.letter_type(), model, reasks=0)
            return await run(find_letters([root / "letters"]), plan, root / "out", concurrency=1)
        finally:
            await model.aclose()

    with endpoint(replies) as server:
        summary = asyncio.run(once(server.url))
        return summary, len(server.asked)


REFUSED = refusal(400, "unsupported_value", "'temperature' is not supported")


def test_the_same_refusal_of_the_first_letters_stops_the_run(tmp_path: Path) -> None:
    summary, calls = run_ten(tmp_path, [REFUSED])
    assert (summary.stopped, calls, summary.left) == ("endpoint", 3, 8)
    [error] = summary.unanswered.values()
    assert error.code == "settings"
    assert "temperature" in error.hint


def test_after_a_success_it_is_the_letter(tmp_path: Path) -> None:
    summary, calls = run_ten(tmp_path, [message(), REFUSED])
    assert (summary.stopped, calls, summary.left) == ("", 10, 0)


@pytest.mark.parametrize(
    "reply",
    [refusal(429, "insufficient_quota"), refusal(402), Canned(body=b'{"error": {"code": "insufficient_quota"}}')],
    ids=["429", "402", "inside a success"],
)
def test_a_used_up_quota_ends_a_run_at_once(tmp_path: Path, reply: Canned) -> None:
    summary, calls = run_ten(tmp_path, [reply])
    assert (summary.stopped, calls, summary.left) == ("endpoint", 1, 10)
