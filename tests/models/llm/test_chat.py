"""Asking an OpenAI-shaped endpoint: what goes over the wire, and over which connections."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import threading
import zlib
from dataclasses import replace
from typing import Any

import pytest

from extractor.errors import TransportError, UsageError
from extractor.models.llm import ChatModel, Patience, open_model
from extractor.models.llm.chat import ChatEndpoint
from extractor.models.model import Correction, Reply, Usage
from extractor.models.wire import letter_messages, strict_schema
from tests.support.asking import EVERY_WIRE, KEY, LETTERS, Whole, Wire, call, question
from tests.support.loopback import Asked, Canned, Endpoint, ask_once, endpoint, message


def model_at(url: str, **options: Any) -> ChatModel:
    given: dict[str, Any] = {"patience": Patience(tries=3, max_wait=0.01, timeout=5.0), **options}
    return ChatModel("openai/m", model="m", base_url=url, api_key=KEY, **given)


def ask(server: Endpoint, letter: str = "Dear reader", **options: Any) -> Reply:
    return asyncio.run(ask_once(model_at(server.url, **options), question(letter)))


# ---- the request -----------------------------------------------------------------------------


def test_the_request_as_a_whole() -> None:
    with endpoint([message()]) as server:
        reply = ask(server, params={"temperature": 0, "seed": 7})
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].headers["content-type"] == "application/json"
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    schema = strict_schema(Whole, lengths=False)
    assert server.asked[0].body == {
        "model": "m",
        "temperature": 0,
        "seed": 7,
        "response_format": {"type": "json_schema", "json_schema": {"name": "Whole", "schema": schema, "strict": True}},
        "messages": [
            {"role": "system", "content": "Fill the schema.\n"},
            {"role": "user", "content": "Dear reader"},
        ],
    }
    assert (reply.text, reply.finish, reply.transport_tries) == ('{"n": 1}', "stop", 1)
    assert reply.usage == Usage(100, 10, 64)
    assert 0 < reply.seconds < 5


@pytest.mark.parametrize("mode", ["json_schema", "json_schema_lengths", "json_schema_loose", "tools", "json"])
def test_the_bytes_of_a_request_are_head_and_letter(mode: str) -> None:
    """Recordings depend on them: compact, in ASCII, keys in this order, the letter last."""
    letter = "".join(LETTERS.values())
    with endpoint([message(tool_calls=[call("{}")]) if mode == "tools" else message()]) as server:
        ask(server, letter, mode=mode, params={"temperature": 0})
    raw = server.asked[0].raw
    assert raw == json.dumps(json.loads(raw), separators=(",", ":")).encode("ascii")
    assert raw.startswith(b'{"model":"m","temperature":0,')
    assert raw.endswith(b',{"role":"user","content":' + json.dumps(letter).encode() + b"}]}")
    assert list(server.asked[0].body)[-1] == "messages"


def test_only_the_end_of_the_request_changes_from_letter_to_letter() -> None:
    with endpoint([message()]) as server:
        for letter in ("first", "second"):
            ask(server, letter)
    heads = {asked.raw[: asked.raw.rindex(b'{"role":"user"')] for asked in server.asked}
    assert len(heads) == 1


@pytest.mark.parametrize(
    ("mode", "strict", "where"),
    [
        ("json_schema", True, ("response_format", "json_schema", "schema")),
        ("json_schema_lengths", True, ("response_format", "json_schema", "schema")),
        ("json_schema_loose", None, ("response_format", "json_schema", "schema")),
        ("tools", None, ("tools", 0, "function", "parameters")),
        ("json", None, None),
    ],
)
def test_modes(mode: str, strict: bool | None, where: tuple[Any, ...] | None) -> None:
    answer = message(None, "tool_calls", tool_calls=[call('{"n": 1}')]) if mode == "tools" else message()
    with endpoint([answer]) as server:
        assert ask(server, mode=mode).text == '{"n": 1}'
    body: Any = server.asked[0].body
    if where is None:
        assert body["response_format"] == {"type": "json_object"}
        assert '"kind"' in body["messages"][0]["content"]
        return
    assert body.get("response_format", {}).get("json_schema", {}).get("strict") is strict
    for key in where:
        body = body[key]
    assert body == strict_schema(Whole, lengths="lengths" in mode)


@pytest.mark.parametrize("options", [{"mode": "strict"}, {"params": {"messages": []}}])
def test_options_that_cannot_be_used(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        model_at("http://127.0.0.1:1/v1", **options)


# ---- connections -----------------------------------------------------------------------------


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_twenty_letters_at_once_each_get_their_own_answer(wire: Wire) -> None:
    def echo(_: int, asked: Asked) -> Canned:
        return wire.answer(wire.messages(asked)[0][1])

    async def all_at_once(model: Any) -> list[Reply]:
        replies = await asyncio.gather(*(model.ask(question(f"letter {i}")) for i in range(20)))
        await model.aclose()
        return replies

    with endpoint(echo) as server:
        replies = asyncio.run(all_at_once(wire.open(server)))
    assert [each.text for each in replies] == [f"letter {i}" for i in range(20)]


def test_three_hundred_calls_are_under_way_at_once() -> None:
    """No call waits for another's connection: the endpoint answers none before all have come."""
    count = 300
    everyone = threading.Barrier(count)

    def script(_: int, __: Asked) -> Canned:
        everyone.wait(60)
        return message()

    async def all_at_once(model: ChatModel) -> list[Reply]:
        replies = await asyncio.gather(*(model.ask(question(f"letter {i}")) for i in range(count)))
        await model.aclose()
        return replies

    with endpoint(script) as server:
        replies = asyncio.run(all_at_once(model_at(server.url, patience=Patience(tries=1, timeout=60))))
    assert [each.transport_tries for each in replies] == [1] * count
    assert len(server.asked) == count


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_reply_is_unpacked(wire: Wire, name: str, pack: Any) -> None:
    def script(_: int, asked: Asked) -> Canned:
        assert name in asked.headers["accept-encoding"]
        plain = wire.reply("json_schema")
        return replace(plain, body=pack(plain.body), headers={"Content-Encoding": name})

    with endpoint(script) as server:
        assert asyncio.run(ask_once(wire.open(server), question())).text == '{"n": 1}'


@pytest.mark.filterwarnings("ignore:Sending a large body")
def test_a_letter_of_two_megabytes_arrives_whole() -> None:
    letter = "long " * 400_000
    with endpoint([message()]) as server:
        ask(server, letter)
    assert server.asked[0].body["messages"][1]["content"] == letter


def test_one_model_in_two_loops() -> None:
    # The first loop's connection cannot be closed from the second: let the endpoint close it.
    with endpoint([replace(message(), headers={"Connection": "close"})]) as server:
        model = model_at(server.url)
        for _ in range(2):
            asyncio.run(model.ask(question()))
        asyncio.run(model.aclose())
    assert len(server.asked) == 2


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_closed_model_leaves_nothing_open_and_can_be_asked_again(wire: Wire) -> None:
    with endpoint([wire.reply("json_schema")]) as server:
        model = wire.open(server)
        for _ in range(2):
            asyncio.run(ask_once(model, question()))
        del model
        # Anything left open would warn here, and warnings are errors.
        gc.collect()
    assert len(server.asked) == 2


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint([message()]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.root)
        monkeypatch.setenv("no_proxy", "")
        asyncio.run(ask_once(model_at("http://model.invalid/v1"), question()))
    assert proxy.asked[0].path == "http://model.invalid/v1/chat/completions"


def test_a_correction_never_sends_back_megabytes() -> None:
    again = question(corrections=(Correction("x" * 3_000_000, "wrong"),))
    assert max(len(each["content"]) for each in letter_messages(again)) == 100_000


def test_a_mark_for_the_prompt_cache_is_where_the_letter_begins() -> None:
    with endpoint([message('{"n": 1}')]) as server:
        model = open_model("openai/m", base_url=server.url, params={"cache_control": True, "temperature": 0})
        asyncio.run(ask_once(model, question("Dear reader")))
        plain = open_model("openai/m", base_url=server.url, params={"temperature": 0})
        asyncio.run(ask_once(plain, question("Dear reader")))
    marked, unmarked = (each.body for each in server.asked)
    text = unmarked["messages"][0]["content"]
    assert marked["messages"][0]["content"] == [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]
    assert {**marked, "messages": marked["messages"][1:]} == {**unmarked, "messages": unmarked["messages"][1:]}
    assert (model.params["cache_control"], plain.params.get("cache_control")) == (True, None)
    with pytest.raises(UsageError, match="cache_control is true or false"):
        open_model("openai/m", base_url=server.url, params={"cache_control": "yes"})


@pytest.mark.parametrize(
    ("name", "url", "carried"),
    [
        ("openai/m", "http://127.0.0.1:9/v1", "a%2F%C3%A9"),
        ("openai/m", "http://localhost:9/v1", "a%2F%C3%A9"),
        ("openai/m", "http://10.0.0.1/v1", None),
        ("openai/m", "http://127.0.0.1.example/v1", None),
        ("openai/m", None, None),
        ("openai/answer-desk", None, "a%2F%C3%A9"),
    ],
)
def test_a_letter_id_never_leaves_this_machine(name: str, url: str | None, carried: str | None) -> None:
    sent: dict[str, Any] = {}

    class Client:
        async def post(self, *_: Any, options: dict[str, Any], **__: Any) -> None:
            sent.update(options["headers"])

    asyncio.run(ChatEndpoint(name, "m", "k", url).send(Client(), b"{}", "a/é"))  # type: ignore[arg-type]
    assert sent.get("x-letter-id") == carried


def test_the_answer_desk_is_on_this_machine_and_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(TransportError, match=r"http://127\.0\.0\.1:8765/v1"):
        asyncio.run(ask_once(open_model("openai/answer-desk", params={"tries": 1}), question()))
