"""Replies of any shape: each is an answer, or a failure of its own letter that keeps what came."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import ModelError
from extractor.letters.letter import find_letters, letter_from_text, letter_in
from extractor.lettertypes.lettertype import LetterType
from extractor.models.cassettes import body_sha
from extractor.models.cassettes.tapefile import Persister
from extractor.models.limits import limit_headers
from extractor.models.llm.batches import BatchWire
from extractor.models.llm.failures import CallError, EndpointLabel, parsed, refused, retry_after
from extractor.models.model import Reply
from extractor.models.replies import ReplyError, read_reply
from extractor.models.strategy import Plain
from extractor.runs.bulk import run
from extractor.runs.judging import judge
from extractor.runs.ledger import Ledger, keys_of
from extractor.runs.plan import Plan
from extractor.workspace.workspace import Workspace
from tests.support.asking import EVERY_WIRE, WIRES, Wire, call
from tests.support.hostile import ODD_VALUES, as_bytes, mutated
from tests.support.loopback import Canned, claude, endpoint, gemini, message, tool_use
from tests.support.toy import NOTES, write_toy

PLACE = EndpointLabel("openai/m", "http://127.0.0.1:9/v1", "OPENAI_API_KEY")
DEEP = b"[" * 100_000 + b"]" * 100_000
GOOD: dict[str, list[dict[str, Any]]] = {
    "openai": [
        json.loads(message().body),
        json.loads(message(None, "tool_calls", tool_calls=[call('{"n": 1}')]).body),
    ],
    "anthropic": [json.loads(claude().body), json.loads(claude(tool_use({"n": 1}), stop="tool_use").body)],
    "gemini": [
        json.loads(gemini().body),
        json.loads(gemini({"functionCall": {"name": "Whole", "args": {"n": 1}}}).body),
    ],
}
GOOD["azure"] = GOOD["openai"]


def storable(reply: Reply) -> None:
    """Whether the ledger can keep a reply."""
    json.dumps(vars(reply) | {"usage": vars(reply.usage)}).encode("ascii")
    assert isinstance(reply.text, str)
    assert len(reply.finish) <= 60
    assert all(count is None or 0 <= count < 2**62 for count in reply.usage.as_dict().values())


@pytest.mark.parametrize("wire", EVERY_WIRE)
@given(data=st.data())
def test_any_reply_is_an_answer_or_a_failure_of_its_own(wire: Wire, data: st.DataObject) -> None:
    name = next(each for each, known in WIRES.items() if known is wire)
    reply = data.draw(st.sampled_from(GOOD[name]).flatmap(mutated))
    read = wire.at("http://127.0.0.1:9")._endpoint.read
    try:
        storable(read_reply(read, parsed(httpx2.Response(200, content=as_bytes(reply)), PLACE)))
    except ReplyError as failure:
        storable(failure.reply)
    except CallError:
        assert not isinstance(reply, dict)


@given(
    response=st.one_of(
        ODD_VALUES,
        st.fixed_dictionaries({"status_code": st.sampled_from([200, 400, 429, 500]) | ODD_VALUES, "body": ODD_VALUES}),
        mutated(GOOD["openai"][0]).map(lambda body: {"status_code": 200, "body": body}),
    ),
    error=ODD_VALUES,
)
def test_any_result_of_a_batch_is_an_answer_or_a_failure_of_its_own(response: Any, error: Any) -> None:
    wire = BatchWire(WIRES["openai"].at("http://127.0.0.1:9/v1"))
    with suppress(ModelError):
        storable(wire.reply(response, error))


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> LetterType:
    return Workspace(write_toy(tmp_path_factory.mktemp("toy"), "hostile_texts")).letter_type()


@given(text=st.text() | ODD_VALUES.map(json.dumps))
def test_any_text_is_judged(parcels: LetterType, text: str) -> None:
    reading = parcels.read(letter_from_text(NOTES["red"], letter_id="red"))
    attempt = judge(Reply(text), Plain(parcels), parcels, reading)
    assert attempt.answer is None
    assert attempt.verdict.findings


@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit-requests", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"]),
        st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 400 + "s", "\u0661s", "1e9"]),
    )
)
def test_any_header_is_read(headers: dict[str, str]) -> None:
    found = limit_headers(headers)
    assert all(seconds is None or seconds < 1e13 for seconds in (found.requests_reset, found.tokens_reset))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Mon, 01 Jan 2026 99:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +999999", None),
        ("9" * 400, None),
        ("\u0665", None),
        (",", None),
        ("1e3", None),
    ],
)
def test_pauses_that_nobody_can_mean(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"error": ' + DEEP + b"}",
        b'{"error": {"code": ["x"]}}',
        b'{"error": "x"}',
        b"\xff\xfe{",
        b"[]",
        b"9" * 5000,
    ],
)
@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_an_error_of_any_shape_is_its_status(wire: Wire, body: bytes) -> None:
    assert refused(httpx2.Response(400, content=body), PLACE).error.code == "bad_request"
    assert refused(httpx2.Response(503, content=body), PLACE).error.code == "server"


# ---- a run, and a tape -------------------------------------------------------------------------

MALFORMED = {
    "nesting": b'{"choices": ' + DEEP + b"}",
    "tool calls are an object": message(None, tool_calls={"a": 1}).body,
    "tool calls are a number": message(None, tool_calls=7).body,
    "a number too long": b'{"n": ' + b"9" * 5000 + b"}",
    "no JSON inside": b'{"choices": [}]}',
    "no UTF-8": b'{"a": "\xff\xfe"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=list(MALFORMED))
def test_an_odd_reply_is_paid_for_once_and_the_others_are_kept(tmp_path: Path, body: bytes) -> None:
    workspace = Workspace(write_toy(tmp_path, "hostile"))
    files = find_letters([tmp_path / "letters"])

    async def once(url: str) -> Any:
        model = WIRES["openai"].at(url)
        try:
            return await run(files, Plan(workspace.letter_type(), model, reasks=0), tmp_path / "out", concurrency=1)
        finally:
            await model.aclose()

    with endpoint(lambda number, _: Canned(200, body) if number == 0 else message()) as server:
        first = asyncio.run(once(server.url))
        asked = len(server.asked)
        again = asyncio.run(once(server.url))
    assert (asked, len(server.asked)) == (len(files), len(files))
    assert (first.left, again.skipped) == (0, len(files))
    record = json.loads((tmp_path / "out" / "records.jsonl").read_text().splitlines()[0])
    assert (record["status"], record["error"]["code"]) == ("failed", "malformed")
    plan = Plan(workspace.letter_type(), WIRES["openai"].at(server.url), reasks=0)
    with Ledger(tmp_path / "out") as ledger:
        replies = [ledger.replies(keys_of(letter_in(file).sha256, plan))[0] for file in files]
    assert [reply.text for reply in replies if reply.error == "malformed"] == [_text(body)]


def _text(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def test_a_tape_keeps_any_body(tmp_path: Path) -> None:
    from vcr.request import Request  # type: ignore[import-untyped]

    bodies = [DEEP, b"[" * 600 + b"]" * 600, *MALFORMED.values()]
    requests = [Request("POST", "http://x/chat/completions", body, {}) for body in bodies]
    responses = [{"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}} for body in bodies]
    path = str(tmp_path / "tape.yaml")
    Persister.save_cassette(path, {"requests": requests, "responses": responses, "metadata": {"calls": len(bodies)}})
    loaded, played, _ = Persister.load_cassette(path)
    for body, request, response in zip(bodies, loaded, played, strict=True):
        assert body_sha(request.body) == body_sha(response["body"]["string"]) == body_sha(body)
