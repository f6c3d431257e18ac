"""Gemini's wire: what is sent, what comes back, and what goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from extractor.models.model import Usage
from extractor.models.replies import ReplyError
from tests.support.asking import EVERY_WIRE, KEY, SECRET, Wire, ask, asked, fails, question
from tests.support.loopback import (
    Canned,
    ask_once,
    endpoint,
    function_call,
    gemini,
    gemini_body,
    gemini_refusal,
)

GEMINI = [case for case in EVERY_WIRE if case.id == "gemini"]


@pytest.mark.parametrize("wire", GEMINI)
def test_a_request_to_gemini(wire: Wire) -> None:
    body = asked(wire, gemini(), temperature=0).body
    schema = body["generationConfig"].pop("responseJsonSchema")
    assert schema["properties"]["kind"] == {"type": "string", "enum": ["whole"]}
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Dear reader"}]}],
        "systemInstruction": {"role": "user", "parts": [{"text": "Fill the schema.\n"}]},
        "generationConfig": {"temperature": 0, "responseMimeType": "application/json"},
    }


@pytest.mark.parametrize("wire", GEMINI)
def test_a_function_of_gemini(wire: Wire) -> None:
    body = asked(wire, gemini(function_call({"n": 1})), "tools").body
    [declared] = body["tools"][0]["functionDeclarations"]
    assert declared["name"] == "Whole"
    assert declared["parameters_json_schema"]["required"] == ["kind", "main", "parts", "default"]
    assert "parameters" not in declared
    chosen = {"mode": "ANY", "allowedFunctionNames": ["Whole"]}
    assert body["toolConfig"] == {"functionCallingConfig": chosen}


@pytest.mark.parametrize("wire", GEMINI)
def test_gemini_is_asked_once_whatever_it_answers(wire: Wire) -> None:
    # The SDK would follow a continuation with calls that nobody counts.
    part = {"content": {"parts": [{"text": "{"}]}, "finishReason": "CONTINUATION", "continuationToken": "eA=="}
    with endpoint([gemini_body(candidates=[part])]) as server, pytest.raises(ReplyError) as caught:
        asyncio.run(ask_once(wire.open(server), question()))
    assert (caught.value.code, len(server.asked)) == ("truncated", 1)


REPLIES_OF_GEMINI = {
    "two parts": (gemini({"text": '{"n":'}, {"text": " 1}"}), '{"n": 1}'),
    "thoughts first": (gemini({"text": "hm", "thought": True}, {"text": "{}"}), "{}"),
    "an empty call": (gemini(function_call({})), "{}"),
    "doubled keys": (
        Canned(body=gemini(function_call({"n": 1})).body.replace(b'{"n": 1}', b'{"n": 1, "n": 2}')),
        '{"n": 1, "n": 2}',
    ),
}


@pytest.mark.parametrize("wire", GEMINI)
@pytest.mark.parametrize(("reply", "text"), REPLIES_OF_GEMINI.values(), ids=list(REPLIES_OF_GEMINI))
def test_replies_of_gemini(wire: Wire, reply: Canned, text: str) -> None:
    assert ask(wire, reply).text == text


@pytest.mark.parametrize("wire", GEMINI)
def test_tokens_of_gemini(wire: Wire) -> None:
    assert ask(wire, gemini()).usage == Usage(100, 10, cached_tokens=64, reasoning_tokens=4)
    bare = Canned(body=b'{"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}')
    assert ask(wire, bare).usage == Usage()


def quota(identifier: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": identifier}]}


SOON = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.005s"}
DAILY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
MINUTE = quota("GenerateContentInputTokensPerModelPerMinute-FreeTier")
LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
NO_KEY = "API key not valid. Please pass a valid API key."
FAILURES_OF_GEMINI: dict[str, tuple[Canned, str, int]] = {
    "too long": (gemini_refusal(400, "INVALID_ARGUMENT", LONG), "context_length", 1),
    "bad request": (gemini_refusal(400, "INVALID_ARGUMENT", SECRET), "bad_request", 1),
    "wrong key": (gemini_refusal(400, "INVALID_ARGUMENT", NO_KEY), "auth", 1),
    "unauthenticated": (gemini_refusal(401, "UNAUTHENTICATED", KEY), "auth", 1),
    "forbidden": (gemini_refusal(403, "PERMISSION_DENIED"), "forbidden", 1),
    "unknown model": (gemini_refusal(404, "NOT_FOUND"), "unknown_model", 1),
    "slow down": (gemini_refusal(429, "RESOURCE_EXHAUSTED", "quota", MINUTE, SOON), "rate_limited", 3),
    "slow down, by header": (gemini_refusal(429, "RESOURCE_EXHAUSTED", retry_after="1"), "rate_limited", 3),
    "used up for today": (gemini_refusal(429, "RESOURCE_EXHAUSTED", "quota", DAILY, SOON), "quota", 1),
    "server error": (gemini_refusal(500), "server", 3),
    "overloaded": (gemini_refusal(503, "UNAVAILABLE"), "server", 3),
    "malformed": (Canned(200, b'{"candidates": ['), "truncated_body", 3),
    "a web page": (Canned(200, b"<html>"), "bad_gateway_body", 3),
    "no candidates": (Canned(200, b"{}"), "empty_choices", 1),
    "blocked letter": (gemini_body(promptFeedback={"blockReason": "PROHIBITED_CONTENT"}), "content_filter", 1),
    "blocked answer": (gemini({"text": SECRET}, finish="SAFETY"), "content_filter", 1),
    "blocked answer, empty": (gemini_body(candidates=[{"finishReason": "SPII"}]), "content_filter", 1),
    "malformed call": (gemini_body(candidates=[{"finishReason": "MALFORMED_FUNCTION_CALL"}]), "no_answer", 1),
    "a call without arguments": (gemini({"functionCall": {"name": "Whole"}}), "no_answer", 1),
    "cut off": (gemini({"text": '{"n":'}, finish="MAX_TOKENS"), "truncated", 1),
    "two calls": (gemini(function_call({"n": 1}), function_call({"n": 2})), "two_tool_calls", 1),
}


@pytest.mark.parametrize("wire", GEMINI)
@pytest.mark.parametrize(("reply", "code", "calls"), FAILURES_OF_GEMINI.values(), ids=list(FAILURES_OF_GEMINI))
@pytest.mark.sample(8)
def test_failures_of_gemini(wire: Wire, reply: Canned, code: str, calls: int) -> None:
    fails(wire, reply, code, calls)


@pytest.mark.parametrize("wire", GEMINI)
def test_gemini_says_in_its_body_how_long_to_wait(wire: Wire) -> None:
    later = {**SOON, "retryDelay": "30s"}
    with endpoint([gemini_refusal(429, "RESOURCE_EXHAUSTED", "quota", MINUTE, later), gemini()]) as server:
        # A pause of our own would be half a second at most.
        assert asyncio.run(ask_once(wire.open(server, max_wait=0.6), question())).seconds >= 0.6
