"""Everything that can go wrong on the wire: its code, its cost, and the record."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from extractor.errors import ModelError, TransportError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.lettertype import LetterType
from extractor.models.llm.failures import retry_after
from extractor.models.model import Usage
from extractor.models.replies import ReplyError
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.workspace.workspace import Workspace
from tests.support.asking import EVERY_WIRE, KEY, WIRES, Wire, call, question
from tests.support.loopback import Asked, Canned, ask_once, completion, endpoint, message, refusal
from tests.support.toy import NOTES, right_answer, write_toy

SECRET = "The patient is John Q. Public"
RIGHT = json.dumps(right_answer(NOTES["red"]))
WRONG = RIGHT.replace("Red Cart", "Blue Van")
SHAPELESS = '{"carrier": "Red Cart"}'
DOUBLED = RIGHT.replace('{"carrier"', '{"carrier": "Blue Van", "carrier"', 1)
HTML = Canned(200, b"<html>502 Bad Gateway</html>", {"Content-Type": "text/html"})
BROKEN = Canned(200, b'{"id": "x", "choices": [{"mess')
CUT = replace(message(RIGHT), cut=20)
RESET = Canned(reset=True)
LOCAL = "This model's maximum context length is 8192 tokens"
FILTER = "Azure has filtered this: content_filter"
GOOD = message(RIGHT)
SOON = formatdate(time.time() - 9, usegmt=True)

# What the endpoint sends, one reply after the other and the last for ever; what comes of the letter;
# how many calls were made; and the transport tries of each attempt, an attempt being a reply that is
# kept: a re-ask is an attempt of its own. 3 tries, 1 re-ask. "raises": no record, another run may get one.
TABLE: dict[str, tuple[list[Canned], str, int, list[int]]] = {
    "a right answer": ([GOOD], "accepted", 1, [1]),
    # The endpoint refuses.
    "context too long": ([refusal(400, "context_length_exceeded", SECRET)], "failed: context_length", 1, []),
    "context too long, local server": ([refusal(400, "", LOCAL)], "failed: context_length", 1, []),
    "request too large": ([refusal(413)], "failed: context_length", 1, []),
    "bad request": ([refusal(400, "invalid_value", SECRET)], "failed: bad_request", 1, []),
    "unprocessable": ([refusal(422)], "failed: bad_request", 1, []),
    "the letter is filtered": ([refusal(400, "content_filter")], "failed: content_filter", 1, []),
    "wrong key": ([refusal(401, "invalid_api_key", KEY)], "raises: auth", 1, []),
    "payment required": ([refusal(402)], "raises: quota", 1, []),
    "forbidden": ([refusal(403)], "raises: forbidden", 1, []),
    "unknown model": ([refusal(404, "model_not_found")], "raises: unknown_model", 1, []),
    "no quota left": ([refusal(429, "insufficient_quota", retry_after="1")], "raises: quota", 1, []),
    # The endpoint refuses for now.
    "408, then right": ([refusal(408), GOOD], "accepted", 2, [2]),
    "408": ([refusal(408)], "raises: timeout", 3, []),
    "409, then right": ([refusal(409), GOOD], "accepted", 2, [2]),
    "409": ([refusal(409)], "raises: server", 3, []),
    "429 with seconds, then right": ([refusal(429, retry_after="0"), GOOD], "accepted", 2, [2]),
    "429 with a date, then right": ([refusal(429, retry_after=SOON), GOOD], "accepted", 2, [2]),
    "429 without a word, then right": ([refusal(429), GOOD], "accepted", 2, [2]),
    "429": ([refusal(429, "rate_limit_exceeded")], "raises: rate_limited", 3, []),
    "500, then right": ([refusal(500), GOOD], "accepted", 2, [2]),
    "500": ([refusal(500)], "raises: server", 3, []),
    "500, 503, then right": ([refusal(500), refusal(503), GOOD], "accepted", 3, [3]),
    "502 with a page": ([Canned(502, HTML.body, HTML.headers)], "raises: server", 3, []),
    # The connection, or what is in between.
    "reset": ([RESET], "raises: unreachable", 3, []),
    "reset, then right": ([RESET, GOOD], "accepted", 2, [2]),
    "no answer in time": ([replace(GOOD, delay=1.0)], "raises: timeout", 3, []),
    "stuck in the middle": ([replace(GOOD, stall=1.0)], "raises: timeout", 3, []),
    "hung up in the middle": ([CUT], "raises: unreachable", 3, []),
    "half a body": ([BROKEN], "raises: truncated_body", 3, []),
    "an empty body": ([Canned(200, b"")], "raises: truncated_body", 3, []),
    "broken twice, then right": ([BROKEN, CUT, GOOD], "accepted", 3, [3]),
    "a web page": ([HTML], "raises: bad_gateway_body", 3, []),
    "a list": ([Canned(200, b"[]")], "raises: bad_gateway_body", 3, []),
    "wrongly declared compression": (
        [replace(GOOD, headers={"Content-Encoding": "gzip"})],
        "raises: unreachable",
        3,
        [],
    ),
    # Replies that are no answer: paid for, kept, and not asked again.
    "no choices": ([completion([])], "failed: empty_choices", 1, [1]),
    "choices null": ([Canned(200, b'{"choices": null}')], "failed: empty_choices", 1, [1]),
    "refusal": ([message(None, refusal=SECRET)], "failed: refusal", 1, [1]),
    "filtered with content": ([message(SECRET, "content_filter")], "failed: content_filter", 1, [1]),
    "filtered with a right answer": ([message(RIGHT, "content_filter")], "failed: content_filter", 1, [1]),
    "filtered without content": ([message(None, "content_filter")], "failed: content_filter", 1, [1]),
    "cut off at the token limit": ([message(RIGHT[:20], "length")], "failed: truncated", 1, [1]),
    "two tool calls": ([message(None, tool_calls=[call(RIGHT), call(RIGHT)])], "failed: two_tool_calls", 1, [1]),
    "no content": ([message(None)], "failed: no_answer", 1, [1]),
    "blank content": ([message(" \n")], "failed: no_answer", 1, [1]),
    "content is no text": ([completion([{"message": {"content": 3}}])], "failed: no_answer", 1, [1]),
    "no message": ([completion([{"finish_reason": "stop"}])], "failed: no_answer", 1, [1]),
    "a call without arguments": ([message(None, tool_calls=[{"id": "c"}])], "failed: no_answer", 1, [1]),
    "500, then cut off": ([refusal(500), message("{", "length")], "failed: truncated", 2, [2]),
    # Answers that do not hold: asked again, once.
    "doubled keys": ([message(DOUBLED)], "failed: invalid_answer", 2, [1, 1]),
    "doubled keys, then right": ([message(DOUBLED), GOOD], "accepted", 2, [1, 1]),
    "words around": ([message(f"Here you are:\n{RIGHT}\nAnything else?")], "failed: invalid_answer", 2, [1, 1]),
    # One wrapper is taken off, not two, and nothing else.
    "fenced": ([message(f"```json\n{RIGHT}\n```")], "accepted", 1, [1]),
    "behind thoughts": ([message(f"<think>Is it {{}}?\n</think>\n{RIGHT}")], "accepted", 1, [1]),
    "behind thoughts without their beginning": ([message(f"Hm.</think>{RIGHT}")], "accepted", 1, [1]),
    "behind a byte order mark": ([message(f"\ufeff{RIGHT}")], "accepted", 1, [1]),
    "fenced behind thoughts": ([message(f"<think></think>```\n{RIGHT}\n```"), GOOD], "accepted", 2, [1, 1]),
    "a doubled key in a fence": ([message(f"```\n{DOUBLED}\n```")], "failed: invalid_answer", 2, [1, 1]),
    # Answers in other places.
    "in parts": (
        [message([{"type": "text", "text": RIGHT[:9]}, {"type": "text", "text": RIGHT[9:]}])],
        "accepted",
        1,
        [1],
    ),
    "where the thoughts should be": ([message("", reasoning_content=RIGHT)], "accepted", 1, [1]),
    "the same by another name": ([message(None, reasoning=RIGHT)], "accepted", 1, [1]),
    "thoughts alone": ([message(None, reasoning="Is it red?")], "failed: no_answer", 1, [1]),
    "arguments that are an object": (
        [message(None, tool_calls=[call(right_answer(NOTES["red"]))])],
        "accepted",
        1,
        [1],
    ),
    "cut off by another name": ([message(RIGHT[:20], "model_length")], "failed: truncated", 1, [1]),
    "no JSON": ([message("The carrier is Red Cart.")], "failed: invalid_answer", 2, [1, 1]),
    "another shape": ([message(SHAPELESS)], "failed: invalid_answer", 2, [1, 1]),
    "valid nonsense": ([message(WRONG)], "needs_review", 2, [1, 1]),
    "valid nonsense, then right": ([message(WRONG), GOOD], "accepted", 2, [1, 1]),
    # Tries and re-asks do not eat up each other.
    "trouble both times": (
        [refusal(429, retry_after="0"), RESET, message(WRONG), refusal(500), BROKEN, GOOD],
        "accepted",
        6,
        [3, 3],
    ),
    "the re-ask fails": ([message(WRONG), refusal(500)], "needs_review", 4, [1]),
    "the re-ask is refused": ([message(WRONG), message(None, refusal=SECRET)], "needs_review", 2, [1, 1]),
}


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> LetterType:
    return Workspace(write_toy(tmp_path_factory.mktemp("toy"), "failures")).letter_type()


async def outcome(wire: Wire, url: str, parcels: LetterType, **params: Any) -> tuple[str, list[int], str]:
    """What comes of a letter, the tries of its attempts, and every word of its record."""
    model = wire.at(url, **params)
    letter = letter_from_text(NOTES["red"], letter_id="red")
    try:
        record = await extract(letter, Plan(parcels, model))
    except TransportError as error:
        return f"raises: {error.code}", [], f"{error} {error.__cause__}"
    finally:
        await model.aclose()
    tries = [attempt.transport_tries for attempt in record.attempts]
    text = record.as_json()
    return f"failed: {record.error.code}" if record.error else record.status, tries, text


@pytest.mark.parametrize(("replies", "end", "calls", "tries"), TABLE.values(), ids=list(TABLE))
def test_the_table(parcels: LetterType, replies: list[Canned], end: str, calls: int, tries: list[int]) -> None:
    timeout = 0.3 if any(each.delay or each.stall for each in replies) else 5.0
    with endpoint(replies) as server:
        found = asyncio.run(outcome(WIRES["openai"], server.url, parcels, timeout=timeout))
    assert (found[0], len(server.asked), found[1]) == (end, calls, tries)
    assert not any(private in found[2] for private in (SECRET, "John", KEY))
    assert len(found[2]) < 2000


def test_tries_of_one_question_send_the_same_bytes(parcels: LetterType) -> None:
    with endpoint([refusal(500), BROKEN, message(WRONG), RESET, GOOD]) as server:
        asyncio.run(outcome(WIRES["openai"], server.url, parcels))
    first, again = ({asked.raw for asked in group} for group in (server.asked[:3], server.asked[3:]))
    assert (len(first), len(again), len(first | again)) == (1, 1, 2)


# ---- the same on every provider's client -----------------------------------------------------

LOST = {
    "reset": ({"reset": True}, "unreachable"),
    "no answer in time": ({"delay": 1.0}, "timeout"),
    "stuck in the middle": ({"stall": 1.0}, "timeout"),
    "hung up in the middle": ({"cut": 20}, "unreachable"),
    "half a body": ({"body": b'{"a": ['}, "truncated_body"),
    "wrongly declared compression": ({"headers": {"Content-Encoding": "gzip"}}, "unreachable"),
    "HTML of a gateway": ({"status": 502, "body": b"<html>"}, "server"),
    "timed out in a gateway": ({"status": 504, "body": b""}, "server"),
    "slow down": ({"status": 429, "body": b"{}", "headers": {"Retry-After": "0"}}, "rate_limited"),
}


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize(("changes", "code"), LOST.values(), ids=list(LOST))
@pytest.mark.sample(9)
def test_a_lost_call_is_made_again_and_named(wire: Wire, changes: dict[str, Any], code: str) -> None:
    good = wire.reply("json_schema")
    bad = replace(good, **changes)
    with endpoint([bad, good]) as server:
        reply = asyncio.run(ask_once(wire.open(server, timeout=0.3), question()))
    assert (reply.text, reply.transport_tries, len(server.asked)) == ('{"n": 1}', 2, 2)
    with endpoint([bad]) as server, pytest.raises(TransportError) as caught:
        asyncio.run(ask_once(wire.open(server, timeout=0.3, tries=2), question(SECRET)))
    error = caught.value
    assert (error.code, len(server.asked), error.__cause__) == (code, 2, None)
    assert error.hint
    assert not any(private in str(error) for private in ("John", KEY))


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_an_address_where_nobody_listens(wire: Wire) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(TransportError, match=r"cannot reach http://127\.0\.0\.1") as caught:
        asyncio.run(ask_once(wire.at(url), question()))
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_the_hint_names_the_key_that_is_wrong(wire: Wire) -> None:
    with endpoint([Canned(401, b'{"error": {"message": "no"}}')]) as server, pytest.raises(TransportError) as caught:
        asyncio.run(ask_once(wire.open(server), question()))
    assert (caught.value.code, len(server.asked)) == ("auth", 1)
    assert wire.key_variable in caught.value.hint


def test_identifiers_are_reported_but_no_sentence() -> None:
    with endpoint([refusal(400, "invalid_value", SECRET)]) as server, pytest.raises(ModelError) as caught:
        asyncio.run(ask_once(WIRES["openai"].open(server), question()))
    assert "(openai/m: HTTP 400, code=invalid_value, type=error)" in str(caught.value)


def test_an_unusable_reply_keeps_what_was_paid_for() -> None:
    with endpoint([refusal(500), message('{"a": ', "length")]) as server, pytest.raises(ReplyError) as caught:
        asyncio.run(ask_once(WIRES["openai"].open(server), question()))
    kept = caught.value.reply
    assert (kept.text, kept.finish, kept.transport_tries, kept.usage) == ('{"a": ', "length", 2, Usage(100, 10, 64))


# ---- pauses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "max_wait", "at_least", "at_most"),
    [
        ({"retry_after_ms": "250"}, 60, 0.25, 2),
        ({"retry_after": "0.2"}, 60, 0.2, 2),
        ({"retry_after": "30"}, 0.1, 0.1, 2),
        ({"retry_after_ms": "0", "retry_after": "30"}, 60, 0, 2),
        ({"retry_after": "in two seconds"}, 60, 0.9, 4),
    ],
)
def test_the_endpoint_says_how_long_to_wait(
    headers: dict[str, str], max_wait: float, at_least: float, at_most: float
) -> None:
    def script(number: int, _: Asked) -> Canned:
        sent = {k: formatdate(time.time() + 2, usegmt=True) if v[:2] == "in" else v for k, v in headers.items()}
        return refusal(429, **sent) if number == 0 else GOOD

    with endpoint(script) as server:
        reply = asyncio.run(ask_once(WIRES["openai"].open(server, max_wait=max_wait), question()))
    assert at_least <= reply.seconds < at_most
    assert reply.transport_tries == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", None), ("soon", None), ("2", 2.0), ("-1", None), ("Fri, 01 Jan 2021 00:00:00 GMT", 0.0)],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}) == seconds


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_stop_ends_the_pause_and_the_tries(wire: Wire) -> None:
    async def stopped(model: Any) -> float:
        started = time.perf_counter()
        asking = asyncio.create_task(ask_once(model, question()))
        while not server.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        model.stop_retrying()
        with pytest.raises(TransportError):
            await asking
        return time.perf_counter() - started

    with endpoint([Canned(429, b"{}", {"Retry-After": "30"})]) as server:
        assert asyncio.run(stopped(wire.open(server, max_wait=60))) < 5
    assert len(server.asked) <= 2
