"""What the tests of the model wire share: a schema, a question, and each provider's wire."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal
from unittest import mock

import pytest
from pydantic import Field

from extractor.errors import ModelNameError
from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import StrictModel
from extractor.lettertypes.reading import nothing_read
from extractor.models.llm import RetryingModel, modes_of, open_model
from extractor.models.model import Correction, Question, Reply
from extractor.models.replies import ReplyError
from tests.support.loopback import (
    Asked,
    Canned,
    Endpoint,
    ask_once,
    claude,
    endpoint,
    function_call,
    gemini,
    message,
    tool_use,
)

KEY = "sk-secret-000111222"
SECRET = "The patient is John Q. Public"


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Part(StrictModel):
    """A part."""

    title: Annotated[str, Field(min_length=1, max_length=9)]
    side: Side | None


class Whole(StrictModel):
    kind: Literal["whole"]
    main: Annotated[Part, Field(description="the main part")]
    parts: list[Part]
    default: int | None


def question(letter: str = "Dear reader", corrections: tuple[Correction, ...] = ()) -> Question:
    reading = nothing_read(Letter("a", letter), "")
    return Question("a", letter, "Fill the schema.\n", Whole, reading, corrections=corrections)


def call(arguments: Any) -> dict[str, Any]:
    """A tool call of a chat completion."""
    return {"id": "c", "type": "function", "function": {"name": "Whole", "arguments": arguments}}


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


@dataclass(frozen=True)
class Wire:
    """How one provider is asked and answers: ``answer`` and ``tool`` make a reply of an answer."""

    model: str
    key_variable: str
    path: str
    answer: Callable[[str], Canned]
    tool: Callable[[str], Canned]
    messages: Callable[[Asked], list[tuple[str, str]]]
    modes: tuple[str, ...] = ("json_schema", "tools", "json")

    def reply(self, mode: str, answer: str = '{"n": 1}') -> Canned:
        return (self.tool if mode == "tools" else self.answer)(answer)

    def open(self, server: Endpoint, mode: str = "json_schema", **params: Any) -> RetryingModel:
        """The model at a loopback server."""
        return self.at(self.url(server), mode, **params)

    def at(self, url: str, mode: str = "json_schema", **params: Any) -> RetryingModel:
        """The model at an address."""
        settings = {"tries": 3, "max_wait": 0.01, "timeout": 5.0, "mode": mode, **params}
        with mock.patch.dict(os.environ, {self.key_variable: KEY}):
            return open_model(self.model, base_url=url, params=settings)

    def url(self, server: Endpoint) -> str:
        return server.url if self.model.startswith("openai") else server.root


def _chat_messages(asked: Asked) -> list[tuple[str, str]]:
    return [(each["role"], each["content"]) for each in asked.body["messages"][1:]]


def _anthropic_messages(asked: Asked) -> list[tuple[str, str]]:
    return [(each["role"], each["content"]) for each in asked.body["messages"]]


def _gemini_messages(asked: Asked) -> list[tuple[str, str]]:
    names = {"user": "user", "model": "assistant"}
    return [(names[each["role"]], part["text"]) for each in asked.body["contents"] for part in each["parts"]]


def _chat_tool(answer: str) -> Canned:
    return message(None, "tool_calls", tool_calls=[call(answer)])


_CHAT_MODES = ("json_schema", "json_schema_lengths", "json_schema_loose", "tools", "json")
WIRES = {
    "openai": Wire(
        "openai/m", "OPENAI_API_KEY", "/v1/chat/completions", message, _chat_tool, _chat_messages, _CHAT_MODES
    ),
    "azure": Wire(
        "azure/m",
        "AZURE_OPENAI_API_KEY",
        "/openai/v1/chat/completions",
        message,
        _chat_tool,
        _chat_messages,
        _CHAT_MODES,
    ),
    "anthropic": Wire(
        "anthropic/m",
        "ANTHROPIC_API_KEY",
        "/v1/messages",
        lambda text: claude({"type": "text", "text": text}),
        lambda answer: claude(tool_use(json.loads(answer)), stop="tool_use"),
        _anthropic_messages,
    ),
    "gemini": Wire(
        "gemini/m",
        "GEMINI_API_KEY",
        "/v1beta/models/m:generateContent",
        lambda text: gemini({"text": text}),
        lambda answer: gemini(function_call(json.loads(answer))),
        _gemini_messages,
    ),
}


def _case(name: str) -> Any:
    try:
        modes_of(WIRES[name].model)
    except ModelNameError as missing:
        return pytest.param(WIRES[name], id=name, marks=pytest.mark.skip(missing.message))
    return pytest.param(WIRES[name], id=name)


# To parametrize over; a provider whose SDK is not installed is skipped.
EVERY_WIRE = [_case(name) for name in WIRES]
EVERY_MODE = [
    pytest.param(*case.values, mode, id=f"{case.id}-{mode}", marks=case.marks)
    for case in EVERY_WIRE
    for mode in case.values[0].modes
]


# ---- one question, one answer ------------------------------------------------------------------


def asked(wire: Wire, reply: Canned, mode: str = "json_schema", **params: Any) -> Asked:
    """The one request that a question becomes."""
    with endpoint([reply]) as server:
        asyncio.run(ask_once(wire.open(server, mode, **params), question()))
    [only] = server.asked
    return only


def ask(wire: Wire, reply: Canned, asked_of: Question | None = None, mode: str = "json_schema", **params: Any) -> Reply:
    with endpoint([reply]) as server:
        return asyncio.run(ask_once(wire.open(server, mode, **params), asked_of or question()))


def fails(wire: Wire, reply: Canned, code: str, calls: int) -> None:
    """A reply leads to this error after this many calls, and nothing private is disclosed."""
    with endpoint([reply]) as server, pytest.raises(Exception, match=r"\w") as caught:
        asyncio.run(ask_once(wire.open(server), question(SECRET)))
    error: Any = caught.value
    assert (error.code, len(server.asked)) == (code, calls)
    assert error.hint
    assert error.__cause__ is None
    assert not any(private in str(error) for private in ("John", KEY))
    if isinstance(error, ReplyError) and code != "empty_choices" and b"usage" in reply.body:
        assert error.reply.usage.output_tokens == 10
