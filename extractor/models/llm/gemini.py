"""Gemini's ``POST /v1beta/models/NAME:generateContent``. Needs the extra ``gemini``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx2
from google import genai
from google.genai import errors, types
from instructor import Mode
from instructor.v2.core.providers import Provider
from instructor.v2.core.registry import mode_registry
from pydantic import BaseModel, ValidationError

from extractor.errors import UsageError
from extractor.models.llm.chat import url_without_secrets
from extractor.models.llm.failures import EndpointLabel
from extractor.models.llm.retrying import check_settings
from extractor.models.model import Question, Reply, Usage
from extractor.models.replies import ReplyError, as_text, finish_reason, malformed, model_name, one_answer, token_count
from extractor.models.wire import letter_messages, strict_schema

GEMINI_URL = "https://generativelanguage.googleapis.com"
MODES = ("json_schema", "tools", "json")
_OURS = frozenset(
    {
        *("system_instruction", "tools", "tool_config", "response_mime_type", "response_schema"),
        *("response_json_schema", "http_options", "should_return_http_response", "automatic_continuation"),
        *("automatic_function_calling", "candidate_count"),
    }
)
_CUT_OFF = frozenset({"MAX_TOKENS", "CONTINUATION"})
_FILTERED = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION"),
        *("PUP_LIMITED_DISABLED", "MODEL_ARMOR"),
    }
)
# What the endpoint's JSON Schema knows; see GenerateContentConfig.response_json_schema of the SDK.
_KNOWN = frozenset(
    {
        *("$defs", "$ref", "type", "format", "description", "enum", "items", "minItems", "maxItems"),
        *("minimum", "maximum", "anyOf", "properties", "additionalProperties", "required"),
    }
)

# At debug level the client logs whole requests, and with them letters.
logging.getLogger("google_genai").setLevel(logging.WARNING)


@dataclass(frozen=True)
class GeminiEndpoint:
    """One model of Google's Gemini API, or behind a gateway at ``base_url``.

    ``params`` are fields of the SDK's ``GenerateContentConfig``. Raises ``UsageError`` for others.
    """

    name: str
    model: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    mode: str = "json_schema"
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self.mode, MODES, dict.fromkeys(self._given().model_fields_set), _OURS)

    @property
    def place(self) -> EndpointLabel:
        return EndpointLabel(self.name, url_without_secrets(self.base_url or GEMINI_URL), "GEMINI_API_KEY")

    @property
    def settings(self) -> dict[str, Any]:
        where = {"base_url": url_without_secrets(self.base_url)} if self.base_url else {}
        return {"mode": self.mode, **where, **self.params}

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        # The SDK passes on what its transport raises.
        return (errors.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError)

    def prepare(self, schema: type[BaseModel], instructions: str) -> Callable[[Question], types.GenerateContentConfig]:
        config = self._shape(schema, instructions)

        def request(question: Question) -> types.GenerateContentConfig:
            # The SDK's own contents are checked and rebuilt, and refuse half a character; these go as they are.
            options = types.HttpOptions(extra_body={"contents": contents(question)})
            return config.model_copy(update={"http_options": options})

        return request

    def connect(self, http: httpx2.AsyncClient, timeout: httpx2.Timeout) -> genai.Client:
        # Without retry_options the SDK does not try again on this path.
        options = types.HttpOptions(
            base_url=self.base_url or GEMINI_URL,
            api_version="v1beta",
            timeout=int((timeout.read or 0) * 1000) or None,
            httpx_async_client=http,
        )
        return genai.Client(api_key=self.api_key, vertexai=False, http_options=options)

    async def send(self, client: genai.Client, request: types.GenerateContentConfig, letter_id: str) -> httpx2.Response:
        reply = await client.aio.models.generate_content(model=self.model, contents="-", config=request)
        body = reply.sdk_http_response.body if reply.sdk_http_response else None
        return httpx2.Response(200, content=body or "")

    def read(self, completion: Mapping[str, Any]) -> Reply:
        return read_content(completion)

    def _given(self) -> types.GenerateContentConfig:
        try:
            return types.GenerateContentConfig(**self.params)
        except ValidationError as error:
            wrong = ", ".join(sorted({str(each["loc"][0]) for each in error.errors()}))
            hint = "write them as the fields of GenerateContentConfig, e.g. temperature, max_output_tokens, seed"
            raise UsageError(f"these parameters do not fit Gemini: {wrong}", hint=hint, code="params") from None

    def _shape(self, schema: type[BaseModel], instructions: str) -> types.GenerateContentConfig:
        """The request but for its contents. instructor gets no letter, and no instructions: it would add to them."""
        system, strict = instructions, gemini_schema(strict_schema(schema, lengths=False))
        mode = Mode.TOOLS if self.mode == "tools" else Mode.JSON
        shape = mode_registry.get_handlers(Provider.GENAI, mode).request_handler
        # An empty list keeps it from switching the endpoint's safety settings.
        _, fields = shape(schema, {"messages": [{"role": "user", "content": "-"}], "safety_settings": []})
        config: types.GenerateContentConfig = fields["config"]
        changes: dict[str, Any] = {"response_schema": None, "safety_settings": None}
        if self.mode == "tools":
            declared = config.tools[0].function_declarations[0]  # type: ignore[index,union-attr]
            declared.parameters, declared.parameters_json_schema = None, strict
        elif self.mode == "json_schema":
            changes["response_json_schema"] = strict
        else:
            ask_in_words = mode_registry.get_handlers(Provider.OPENAI, Mode.JSON).request_handler
            _, worded = ask_in_words(schema, {"messages": [{"role": "system", "content": instructions}]})
            system = worded["messages"][0]["content"]
        given = self._given()
        return config.model_copy(
            update={
                **changes,
                **{name: getattr(given, name) for name in given.model_fields_set},
                "system_instruction": system,
                "should_return_http_response": True,
                "automatic_continuation": False,
            }
        )


def contents(question: Question) -> list[dict[str, Any]]:
    """The messages of one letter in Gemini's words."""
    roles = {"user": "user", "assistant": "model"}
    return [{"role": roles[each["role"]], "parts": [{"text": each["content"]}]} for each in letter_messages(question)]


def gemini_schema(node: Mapping[str, Any]) -> dict[str, Any]:
    """A strict schema in the keywords that Gemini knows; what is left out is checked when the answer is read."""
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: gemini_schema(inner) for name, inner in value.items()}
        elif key == "items":
            kept[key] = gemini_schema(value)
        elif key == "anyOf":
            kept[key] = [gemini_schema(inner) for inner in value]
        elif key == "const":
            kept["enum"] = [value]
        elif key in _KNOWN:
            kept[key] = value
    return kept


def read_content(completion: Mapping[str, Any]) -> Reply:
    """The answer's raw text and what it cost. Raises ``ReplyError``; never reads the text itself."""
    usage = _usage(completion.get("usageMetadata"))
    candidates = completion.get("candidates")
    if not isinstance(candidates, list) or not candidates or not isinstance(candidates[0], dict):
        blocked = _dict(completion.get("promptFeedback")).get("blockReason")
        finish = finish_reason(blocked, "none")
        raise ReplyError("content_filter" if blocked else "empty_choices", Reply("", usage, finish))
    finish = finish_reason(candidates[0].get("finishReason"), "STOP")
    parts = _dict(candidates[0].get("content")).get("parts") or []
    if not isinstance(parts, list):
        raise malformed("", usage)
    visible = [part for part in parts if isinstance(part, dict) and not part.get("thought")]
    calls = [_dict(part["functionCall"]) for part in visible if "functionCall" in part]
    reply = Reply(_text(visible, calls), usage, finish, model=model_name(completion.get("modelVersion")))
    if finish in _FILTERED:
        raise ReplyError("content_filter", reply)
    return one_answer(reply, calls, cut_off=finish in _CUT_OFF)


def _text(parts: list[dict[str, Any]], calls: list[dict[str, Any]]) -> str:
    if calls:
        return as_text(calls[0]["args"]) if "args" in calls[0] else ""
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _usage(usage: Any) -> Usage:
    answer, thinking = (token_count(usage, name) for name in ("candidatesTokenCount", "thoughtsTokenCount"))
    # Thinking is billed as output.
    written = [each for each in (answer, thinking) if each is not None]
    return Usage(
        token_count(usage, "promptTokenCount"),
        sum(written) if written else None,
        cached_tokens=token_count(usage, "cachedContentTokenCount"),
        reasoning_tokens=thinking,
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
