"""Anthropic's ``POST /v1/messages``. Needs the extra ``anthropic``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
from instructor import Mode
from instructor.v2.core.providers import Provider
from instructor.v2.core.registry import mode_registry
from pydantic import BaseModel

from extractor.models.llm.chat import url_without_secrets
from extractor.models.llm.failures import EndpointLabel
from extractor.models.llm.retrying import check_settings
from extractor.models.model import Question, Reply, Usage
from extractor.models.replies import ReplyError, as_text, finish_reason, model_name, one_answer, token_count
from extractor.models.wire import Template, strict_schema

ANTHROPIC_URL = "https://api.anthropic.com"
MODES = ("json_schema", "tools", "json")
# The endpoint wants one. Beyond some 21,000 it may be busy for longer than a connection lasts
# without streaming, and the SDK itself refuses; no letter's answer comes near it.
MAX_TOKENS = 16_000
_OURS = frozenset({"model", "messages", "system", "tools", "tool_choice", "stream"})
_CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})

# At debug level the client logs whole requests, and with them letters.
logging.getLogger("anthropic").setLevel(logging.WARNING)


@dataclass(frozen=True)
class MessagesEndpoint:
    """One model of Anthropic's, or behind a gateway at ``base_url``; ``params`` as in ``ChatEndpoint``."""

    name: str
    model: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    mode: str = "json_schema"
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self.mode, MODES, self.params, _OURS)

    @property
    def place(self) -> EndpointLabel:
        return EndpointLabel(self.name, url_without_secrets(self.base_url or ANTHROPIC_URL), "ANTHROPIC_API_KEY")

    @property
    def settings(self) -> dict[str, Any]:
        where = {"base_url": url_without_secrets(self.base_url)} if self.base_url else {}
        return {"mode": self.mode, **where, "max_tokens": MAX_TOKENS, **self.params}

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (anthropic.AnthropicError,)

    def prepare(self, schema: type[BaseModel], instructions: str) -> Callable[[Question], bytes]:
        fields = self._shape(schema, instructions)
        # What comes before this mark, tools included, is kept by the endpoint from letter to letter.
        fields["system"][-1]["cache_control"] = {"type": "ephemeral"}
        return Template.of({"model": self.model, "max_tokens": MAX_TOKENS, **self.params, **fields}).body

    def connect(self, http: httpx2.AsyncClient, timeout: httpx2.Timeout) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(
            api_key=self.api_key,
            base_url=self.base_url or ANTHROPIC_URL,
            max_retries=0,
            timeout=timeout,
            http_client=http,
            # An environment variable could make it report letters.
            open_telemetry=False,
        )

    async def send(self, client: anthropic.AsyncAnthropic, request: bytes, letter_id: str) -> httpx2.Response:
        return await client.post("/v1/messages", cast_to=httpx2.Response, content=request)

    def read(self, completion: Mapping[str, Any]) -> Reply:
        return read_message(completion)

    def _shape(self, schema: type[BaseModel], instructions: str) -> dict[str, Any]:
        """The request but for its messages. Without the letter: instructor never gets it."""
        messages = [{"role": "system", "content": instructions}]
        if self.mode == "json_schema":
            # instructor 1.17 looks for a parameter that the SDK has no more and falls back to asking in words.
            sent = anthropic.transform_schema(strict_schema(schema, lengths=False))
            config = {**self.params.get("output_config", {}), "format": {"type": "json_schema", "schema": sent}}
            return {"system": [{"type": "text", "text": instructions}], "output_config": config}
        mode = Mode.TOOLS if self.mode == "tools" else Mode.JSON
        shape = mode_registry.get_handlers(Provider.ANTHROPIC, mode).request_handler
        _, fields = shape(schema, {**self.params, "messages": messages})
        del fields["messages"]
        if self.mode == "tools":
            fields["tools"][0] = {**fields["tools"][0], "input_schema": strict_schema(schema, lengths=False)}
        return dict(fields)


def read_message(message: Mapping[str, Any]) -> Reply:
    """The answer's raw text and what it cost. Raises ``ReplyError``; never reads the text itself."""
    usage = _usage(message.get("usage"))
    content = message.get("content")
    finish = finish_reason(message.get("stop_reason"), "end_turn")
    if not isinstance(content, list):
        raise ReplyError("empty_choices", Reply("", usage, finish))
    blocks = [block for block in content if isinstance(block, dict)]
    calls = [block for block in blocks if block.get("type") == "tool_use"]
    reply = Reply(_text(blocks, calls), usage, finish, model=model_name(message.get("model")))
    if finish == "refusal":
        raise ReplyError("refusal", reply)
    return one_answer(reply, calls, cut_off=finish in _CUT_OFF)


def _text(blocks: list[dict[str, Any]], calls: list[dict[str, Any]]) -> str:
    if calls:
        return as_text(calls[0]["input"]) if "input" in calls[0] else ""
    texts = (block.get("text") for block in blocks if block.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


def _usage(usage: Any) -> Usage:
    """Tokens as the other providers count them: what was written to and read from the cache was read."""
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    fresh, read, written = (token_count(usage, name) for name in names)
    taken = [each for each in (fresh, read, written) if each is not None]
    details = usage.get("output_tokens_details") if isinstance(usage, dict) else None
    return Usage(
        sum(taken) if taken else None,
        token_count(usage, "output_tokens"),
        cached_tokens=read,
        reasoning_tokens=token_count(details, "thinking_tokens"),
        cache_write_tokens=written,
    )
