"""Asking a model: what goes over the wire, what comes back, and every way it can fail."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from extractor.errors import LetterTypeError, ModelError, ModelNameError, TransportError, UsageError
from extractor.evidence import Record
from extractor.letter import Letter
from extractor.llm import ChatModel, Patience, _retry_after, open_model
from extractor.models import Correction, Question, Reply, Usage
from extractor.reading import nothing_read
from extractor.wire import ReplyError, strict_schema
from tests.loopback import Asked, Canned, Endpoint, ask_once, completion, endpoint, message, refusal


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Part(Record):
    """A part."""

    title: Annotated[str, Field(min_length=1, max_length=9)]
    side: Side | None


class Whole(Record):
    kind: Literal["whole"]
    main: Annotated[Part, Field(description="the main part")]
    parts: list[Part]
    default: int | None


def question(letter: str = "Dear reader", corrections: tuple[Correction, ...] = ()) -> Question:
    reading = nothing_read(Letter("a", letter), "")
    return Question("a", letter, "Fill the schema.\n", Whole, reading, corrections)


def model_at(url: str, **options: Any) -> ChatModel:
    patience: dict[str, Any] = {"tries": 3, "max_wait": 0.01, "timeout": 5.0}
    patience |= {name: options.pop(name) for name in patience if name in options}
    given: dict[str, Any] = {"patience": Patience(**patience), **options}
    return ChatModel("openai/m", model="m", base_url=url, api_key="sk-secret-000111222", **given)


def ask(server: Endpoint, asked: Question | None = None, **options: Any) -> Reply:
    return asyncio.run(ask_once(model_at(server.url, **options), asked or question()))


# ---- the request -----------------------------------------------------------------------------


def test_the_request_as_a_whole() -> None:
    with endpoint([message()]) as server:
        reply = ask(server, params={"temperature": 0, "seed": 7})
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].headers["content-type"] == "application/json"
    assert server.asked[0].headers["authorization"] == "Bearer sk-secret-000111222"
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


LETTERS = {
    "template signs": "{{ letter }} {% of %} {# gone #} ${x} %s {0} \\n",
    "carriage returns": "one\r\ntwo\rthree\n\r\n",
    "blanks at the ends": "  \t indented\n trailing  \n \n\n ",
    "control characters": "a\x00b\x01c\x0bd\x0ce\x1bf\x7fg\x85h\u2028i",
    "beyond ASCII": "naïve — “quotes” ‘single’ \ufeff \u00a0 👩\u200d⚕️ 医",
    "quotes": '"""\'\\" \\u0041 ``` </s> <|im_end|>',
    "half a character": "before \ud800 after",
    "JSON": '{"outcome": "Overturned", "outcome": "Upheld"}',
}


@pytest.mark.parametrize("mode", ["json_schema", "json_schema_loose", "tools", "json"])
def test_the_letter_is_one_message_byte_for_byte(mode: str) -> None:
    async def ask_all(url: str) -> None:
        model = model_at(url, mode=mode)
        for letter in LETTERS.values():
            await model.ask(question(letter))
        await model.aclose()

    with endpoint([message(None, tool_calls=[call("{}")]) if mode == "tools" else message()]) as server:
        asyncio.run(ask_all(server.url))
    for (name, letter), asked in zip(LETTERS.items(), server.asked, strict=True):
        system, user = asked.body["messages"]
        assert user == {"role": "user", "content": letter}, name
        assert (system["role"], system["content"][:17]) == ("system", "Fill the schema.\n")


def test_corrections_follow_the_letter() -> None:
    with endpoint([message()]) as server:
        ask(server, question(corrections=(Correction('{"n":', "broken"), Correction("{}", "n is missing"))))
    assert [(m["role"], m["content"]) for m in server.asked[0].body["messages"][1:]] == [
        ("user", "Dear reader"),
        ("assistant", '{"n":'),
        ("user", "broken"),
        ("assistant", "{}"),
        ("user", "n is missing"),
    ]


def test_only_the_end_of_the_request_changes_from_letter_to_letter() -> None:
    with endpoint([message()]) as server:
        for letter in ("first", "second"):
            ask(server, question(letter))
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


def call(arguments: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": "Whole", "arguments": arguments}}


# ---- the schema ------------------------------------------------------------------------------


def test_the_strict_schema() -> None:
    part = {
        "type": "object",
        "description": "A part.",
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 9},
            "side": {"anyOf": [{"$ref": "#/$defs/Side"}, {"type": "null"}]},
        },
        "required": ["title", "side"],
    }
    assert strict_schema(Whole, lengths=True) == {
        "type": "object",
        "additionalProperties": False,
        "$defs": {"Part": part, "Side": {"type": "string", "enum": ["left", "right"]}},
        "properties": {
            "kind": {"type": "string", "const": "whole"},
            "main": {**part, "description": "the main part"},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            "default": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["kind", "main", "parts", "default"],
    }


def test_lengths_are_kept_for_local_grammars_only() -> None:
    title = strict_schema(Whole, lengths=False)["$defs"]["Part"]["properties"]["title"]
    assert title == {"type": "string"}


class WithDefault(Record):
    a: int = 1


class WithMap(Record):
    a: dict[str, int]


class WithSet(Record):
    a: set[int]


class WithTuple(Record):
    a: tuple[int, str]


class WithAny(Record):
    a: Any


class WithLookaround(Record):
    model_config = ConfigDict(regex_engine="python-re")
    a: Annotated[str, Field(pattern=r"^a(?!b)")] | None


class WithBytes(Record):
    a: bytes


class Loose(BaseModel):
    a: int


class Cat(Record):
    kind: Literal["cat"]


class Dog(Record):
    kind: Literal["dog"]


class WithDiscriminator(Record):
    a: Annotated[Cat | Dog, Field(discriminator="kind")]


class Endless(Record):
    inner: Annotated[Endless, Field(description="itself")]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (WithDefault, "may be left out: a"),
        (WithMap, "allows unknown keys"),
        (WithSet, "uniqueItems"),
        (WithTuple, "prefixItems"),
        (WithAny, "has no type"),
        (WithLookaround, "lookaround"),
        (WithBytes, "format 'binary'"),
        (Loose, "allows unknown keys"),
        (WithDiscriminator, "discriminator, oneOf"),
        (Endless, "cannot be sent"),
    ],
)
def test_what_strict_decoding_cannot_express_is_refused_by_name(schema: type[BaseModel], said: str) -> None:
    with pytest.raises(LetterTypeError, match=said):
        strict_schema(schema, lengths=True)


# ---- failures --------------------------------------------------------------------------------

SECRET = "The patient is John Q. Public"
HTML = Canned(200, b"<html>502 Bad Gateway</html>", {"Content-Type": "text/html"})
BROKEN = Canned(200, b'{"id": "x", "choices": [{"mess')
CUT = Canned(200, message().body, cut=20)
SLOW = Canned(200, message().body, delay=0.6)
TOO_LONG = refusal(400, "context_length_exceeded", SECRET)
TOO_LONG_LOCAL = refusal(400, "", "This model's maximum context length is 8192 tokens")

FAILURES: dict[str, tuple[Canned, type[ModelError], str, int]] = {
    "context too long": (TOO_LONG, ModelError, "context_length", 1),
    "context too long, local server": (TOO_LONG_LOCAL, ModelError, "context_length", 1),
    "request too large": (refusal(413), ModelError, "context_length", 1),
    "bad request": (refusal(400, "invalid_value", SECRET), ModelError, "bad_request", 1),
    "unprocessable": (refusal(422), ModelError, "bad_request", 1),
    "filtered before the model": (refusal(400, "content_filter"), ModelError, "content_filter", 1),
    "wrong key": (refusal(401, "invalid_api_key", "sk-secret-000111222"), TransportError, "auth", 1),
    "forbidden": (refusal(403), TransportError, "forbidden", 1),
    "unknown model": (refusal(404, "model_not_found"), TransportError, "unknown_model", 1),
    "no quota": (refusal(429, "insufficient_quota"), TransportError, "quota", 1),
    "slow down": (refusal(429, "rate_limit_exceeded"), TransportError, "rate_limited", 3),
    "server timeout": (refusal(408), TransportError, "timeout", 3),
    "conflict": (refusal(409), TransportError, "server", 3),
    "server error": (refusal(500), TransportError, "server", 3),
    "bad gateway": (Canned(502, HTML.body, HTML.headers), TransportError, "server", 3),
    "web page": (HTML, TransportError, "bad_gateway_body", 3),
    "a list": (Canned(200, b"[]"), TransportError, "bad_gateway_body", 3),
    "broken JSON": (BROKEN, TransportError, "truncated_body", 3),
    "empty body": (Canned(200, b""), TransportError, "truncated_body", 3),
    "connection cut": (CUT, TransportError, "unreachable", 3),
    "no answer in time": (SLOW, TransportError, "timeout", 3),
    "no choices": (completion([]), ReplyError, "empty_choices", 1),
    "choices null": (Canned(200, b'{"choices": null}'), ReplyError, "empty_choices", 1),
    "refusal": (message(None, refusal=SECRET), ReplyError, "refusal", 1),
    "filtered after the model": (message(SECRET, "content_filter"), ReplyError, "content_filter", 1),
    "cut at the token limit": (message('{"a": ', "length"), ReplyError, "truncated", 1),
    "two tool calls": (message(None, tool_calls=[call("{}"), call("{}")]), ReplyError, "two_tool_calls", 1),
    "no content": (message(None), ReplyError, "no_answer", 1),
    "blank content": (message(" \n"), ReplyError, "no_answer", 1),
    "content is no text": (completion([{"message": {"content": 3}}]), ReplyError, "no_answer", 1),
    "no message": (completion([{"finish_reason": "stop"}]), ReplyError, "no_answer", 1),
    "a call without arguments": (message(None, tool_calls=[{"id": "c"}]), ReplyError, "no_answer", 1),
}


@pytest.mark.parametrize(("reply", "kind", "code", "calls"), FAILURES.values(), ids=list(FAILURES))
def test_failures(reply: Canned, kind: type[ModelError], code: str, calls: int) -> None:
    with endpoint([reply]) as server, pytest.raises(ModelError) as caught:
        ask(server, question(SECRET), timeout=0.2 if reply is SLOW else 5.0)
    error = caught.value
    assert (type(error), error.code, len(server.asked)) == (kind, code, calls)
    assert error.hint
    assert len(str(error)) < 400
    for private in (SECRET, "John", "sk-secret"):
        assert private not in str(error)
    assert error.__cause__ is None


def test_an_address_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

    with pytest.raises(TransportError, match=r"cannot reach http://127\.0\.0\.1") as caught:
        asyncio.run(ask_once(model_at(url), question()))
    assert caught.value.code == "unreachable"


def test_an_unusable_reply_keeps_what_was_paid_for() -> None:
    with endpoint([refusal(500), message('{"a": ', "length")]) as server, pytest.raises(ReplyError) as caught:
        ask(server)
    kept = caught.value.reply
    assert (kept.text, kept.finish, kept.transport_tries, kept.usage) == ('{"a": ', "length", 2, Usage(100, 10, 64))


# ---- trying again ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "replies",
    [
        [refusal(429), message()],
        [refusal(500), refusal(503), message()],
        [BROKEN, CUT, message()],
    ],
    ids=["one 429", "two 5xx", "broken twice"],
)
def test_what_passes_is_tried_again_and_counted(replies: list[Canned]) -> None:
    with endpoint(replies) as server:
        assert ask(server).transport_tries == len(replies)
    assert len(server.asked) == len(replies)
    assert len({asked.raw for asked in server.asked}) == 1


@pytest.mark.parametrize(
    ("headers", "max_wait", "at_least", "at_most"),
    [
        ({"retry_after_ms": "250"}, 60, 0.25, 2),
        ({"retry_after": "0.2"}, 60, 0.2, 2),
        ({"retry_after": "30"}, 0.1, 0.1, 2),
        ({"retry_after_ms": "0", "retry_after": "30"}, 60, 0, 2),
    ],
)
def test_the_endpoint_says_how_long_to_wait(
    headers: dict[str, str], max_wait: float, at_least: float, at_most: float
) -> None:
    with endpoint([refusal(429, **headers), message()]) as server:
        assert at_least <= ask(server, max_wait=max_wait).seconds < at_most


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("", None), ("soon", None), ("2", 2.0), ("-1", None), ("Fri, 01 Jan 2021 00:00:00 GMT", 0.0)],
)
def test_retry_after(said: str, seconds: float | None) -> None:
    assert _retry_after({"retry-after": said}) == seconds


def test_twenty_letters_at_once_each_get_their_own_answer() -> None:
    def echo(_: int, asked: Asked) -> Canned:
        return message(asked.body["messages"][1]["content"])

    async def all_at_once(url: str) -> list[Reply]:
        model = model_at(url)
        replies = await asyncio.gather(*(model.ask(question(f"letter {i}")) for i in range(20)))
        await model.aclose()
        return replies

    with endpoint(echo) as server:
        assert [r.text for r in asyncio.run(all_at_once(server.url))] == [f"letter {i}" for i in range(20)]


def test_one_model_in_two_loops() -> None:
    # The first loop's connection cannot be closed from the second: let the endpoint close it.
    with endpoint([replace(message(), headers={"Connection": "close"})]) as server:
        model = model_at(server.url)
        for _ in range(2):
            asyncio.run(model.ask(question()))
        asyncio.run(model.aclose())
    assert len(server.asked) == 2


# ---- names -----------------------------------------------------------------------------------


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "base_url", "said"),
    [
        ("gpt-x", None, "known: offline"),
        ("other/gpt-x", None, "openai/NAME"),
        ("openai/", None, "unknown model"),
        ("openai/gpt-x", None, "set OPENAI_API_KEY"),
        ("openai-compatible/m", None, "--base-url"),
        ("openai/m", "localhost:8000", "http://HOST:PORT"),
        ("openai/m", "http://:x", "http://HOST:PORT"),
    ],
)
def test_names_that_cannot_be_used(
    name: str, base_url: str | None, said: str, no_environment: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelNameError) as caught:
        open_model(name, base_url=base_url)
    assert said in str(caught.value)


def test_a_key_that_is_no_key_is_not_shown(no_environment: pytest.MonkeyPatch) -> None:
    no_environment.setenv("OPENAI_API_KEY", "sk-gehe\u00efm")
    with pytest.raises(ModelNameError) as caught:
        open_model("openai/m")
    assert "gehe" not in str(caught.value)


def test_a_server_without_a_key(no_environment: pytest.MonkeyPatch) -> None:
    with endpoint([message()]) as server:
        model = open_model("openai/qwen/7b", base_url=server.url, params={"mode": "json", "tries": 1, "top_p": 1})
        asyncio.run(ask_once(model, question()))
    assert model.name == "openai/qwen/7b"
    assert model.params == {"mode": "json", "base_url": server.url, "top_p": 1}
    assert server.asked[0].body["model"] == "qwen/7b"
    assert server.asked[0].headers["authorization"] == "Bearer none"


def test_the_address_may_come_from_the_environment(no_environment: pytest.MonkeyPatch) -> None:
    no_environment.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert open_model("openai-compatible/m").params["base_url"] == "http://127.0.0.1:1/v1"


def test_a_replay_needs_no_key(no_environment: pytest.MonkeyPatch) -> None:
    assert open_model("openai/m", replay=True).params == {"mode": "json_schema"}


def test_the_address_is_recorded_without_its_password() -> None:
    assert model_at("http://user:word@host:1/v1?key=x").params["base_url"] == "http://host:1/v1"


@pytest.mark.parametrize("options", [{"mode": "strict"}, {"params": {"messages": []}}])
def test_options_that_cannot_be_used(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        model_at("http://127.0.0.1:1/v1", **options)
