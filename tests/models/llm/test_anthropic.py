"""Anthropic's wire: what is sent, what comes back, and what goes wrong."""

from __future__ import annotations

import asyncio

import pytest

from extractor.models.model import Usage
from extractor.models.wire import strict_schema
from tests.support.asking import EVERY_WIRE, KEY, SECRET, Whole, Wire, ask, asked, fails, question
from tests.support.loopback import (
    Canned,
    ask_once,
    claude,
    claude_refusal,
    endpoint,
    tool_use,
)

ANTHROPIC = [case for case in EVERY_WIRE if case.id == "anthropic"]


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_a_request_to_anthropic(wire: Wire) -> None:
    body = asked(wire, claude(), temperature=0).body
    sent = body.pop("output_config")["format"]
    assert sent["type"] == "json_schema"
    assert sent["schema"]["required"] == ["kind", "main", "parts", "default"]
    assert body == {
        "model": "m",
        "max_tokens": 16_000,
        "temperature": 0,
        "system": [{"type": "text", "text": "Fill the schema.\n", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Dear reader"}],
    }


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_a_tool_of_anthropic(wire: Wire) -> None:
    body = asked(wire, claude(tool_use({"n": 1})), "tools").body
    [tool] = body["tools"]
    assert tool["input_schema"] == strict_schema(Whole, lengths=False)
    assert body["tool_choice"] == {"type": "tool", "name": "Whole", "disable_parallel_tool_use": True}
    assert body["system"] == [{"type": "text", "text": "Fill the schema.\n", "cache_control": {"type": "ephemeral"}}]


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_only_the_last_system_block_is_marked_for_the_cache(wire: Wire) -> None:
    *first, last = asked(wire, claude(), "json").body["system"]
    assert first == [{"type": "text", "text": "Fill the schema.\n"}]
    assert last["cache_control"] == {"type": "ephemeral"}
    assert '"kind"' in last["text"]


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_only_the_end_of_a_request_to_anthropic_changes(wire: Wire) -> None:
    with endpoint([claude()]) as server:
        for letter in ("first", "second"):
            asyncio.run(ask_once(wire.open(server), question(letter)))
    assert len({each.raw[: each.raw.rindex(b'{"role":"user"')] for each in server.asked}) == 1


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_effort_and_schema_share_a_key(wire: Wire) -> None:
    config = asked(wire, claude(), output_config={"effort": "low"}).body["output_config"]
    assert config["effort"] == "low"
    assert config["format"]["type"] == "json_schema"


REPLIES_OF_ANTHROPIC = {
    "two texts": (claude({"type": "text", "text": '{"n":'}, {"type": "text", "text": " 1}"}), '{"n": 1}'),
    "thoughts first": (claude({"type": "thinking", "thinking": "?"}, {"type": "text", "text": "{}"}), "{}"),
    "words before the call": (claude({"type": "text", "text": "Well:"}, tool_use({"n": 1})), '{"n": 1}'),
    "an empty call": (claude(tool_use({})), "{}"),
    "doubled keys": (
        Canned(body=claude(tool_use({"n": 1})).body.replace(b'{"n": 1}', b'{"n": 1, "n": 2}')),
        '{"n": 1, "n": 2}',
    ),
}


@pytest.mark.parametrize("wire", ANTHROPIC)
@pytest.mark.parametrize(("reply", "text"), REPLIES_OF_ANTHROPIC.values(), ids=list(REPLIES_OF_ANTHROPIC))
def test_replies_of_anthropic(wire: Wire, reply: Canned, text: str) -> None:
    assert ask(wire, reply).text == text


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_tokens_of_anthropic(wire: Wire) -> None:
    expected = Usage(100, 10, cached_tokens=64, reasoning_tokens=4, cache_write_tokens=6)
    assert ask(wire, claude()).usage == expected
    assert ask(wire, Canned(body=b'{"content": [{"type": "text", "text": "{}"}]}')).usage == Usage()


TOO_LONG = "prompt is too long: 208310 tokens > 200000 maximum"
POOR = "Your credit balance is too low to access the Anthropic API."
FAILURES_OF_ANTHROPIC: dict[str, tuple[Canned, str, int]] = {
    "too long": (claude_refusal(400, "invalid_request_error", TOO_LONG), "context_length", 1),
    "too large": (claude_refusal(413, "request_too_large"), "context_length", 1),
    "bad request": (claude_refusal(400, "invalid_request_error", SECRET), "bad_request", 1),
    "no credit": (claude_refusal(400, "invalid_request_error", POOR), "quota", 1),
    "billing": (claude_refusal(403, "billing_error"), "quota", 1),
    "wrong key": (claude_refusal(401, "authentication_error", KEY), "auth", 1),
    "forbidden": (claude_refusal(403, "permission_error"), "forbidden", 1),
    "unknown model": (claude_refusal(404, "not_found_error", "model: m"), "unknown_model", 1),
    "slow down": (claude_refusal(429, "rate_limit_error", retry_after="1"), "rate_limited", 3),
    "server error": (claude_refusal(500), "server", 3),
    "overloaded": (claude_refusal(529, "overloaded_error"), "server", 3),
    "malformed": (Canned(200, b'{"content": ['), "truncated_body", 3),
    "a web page": (Canned(200, b"<html>"), "bad_gateway_body", 3),
    "no content": (Canned(200, b'{"type": "message"}'), "empty_choices", 1),
    "an empty list": (Canned(200, b'{"content": []}'), "no_answer", 1),
    "a blank text": (claude({"type": "text", "text": " \n"}), "no_answer", 1),
    "a call without input": (claude({"type": "tool_use", "id": "t"}), "no_answer", 1),
    "refusal": (claude({"type": "text", "text": SECRET}, stop="refusal"), "refusal", 1),
    "cut off": (claude({"type": "text", "text": '{"n":'}, stop="max_tokens"), "truncated", 1),
    "context full": (claude(stop="model_context_window_exceeded"), "truncated", 1),
    "two tool calls": (claude(tool_use({"n": 1}), tool_use({"n": 2})), "two_tool_calls", 1),
}


@pytest.mark.parametrize("wire", ANTHROPIC)
@pytest.mark.parametrize(("reply", "code", "calls"), FAILURES_OF_ANTHROPIC.values(), ids=list(FAILURES_OF_ANTHROPIC))
@pytest.mark.sample(8)
def test_failures_of_anthropic(wire: Wire, reply: Canned, code: str, calls: int) -> None:
    fails(wire, reply, code, calls)
