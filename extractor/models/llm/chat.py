"""Endpoints with ``POST /chat/completions``: OpenAI, Azure, and compatible servers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import openai
from instructor import Mode
from instructor.v2.core.providers import Provider
from instructor.v2.core.registry import mode_registry
from pydantic import BaseModel

from extractor.models.llm.failures import EndpointLabel
from extractor.models.llm.retrying import Patience, RetryingModel, check_settings
from extractor.models.model import Question, Reply
from extractor.models.names import DESK_URL, LETTER_HEADER, is_desk
from extractor.models.replies import read_completion
from extractor.models.wire import Template, strict_schema

OPENAI_URL = "https://api.openai.com/v1"

# How the schema is asked for, and which of instructor's request shapes that is. With lengths: for
# local servers whose grammars run on without minLength and maxLength; OpenAI may refuse them.
MODES = {
    "json_schema": Mode.JSON_SCHEMA,
    "json_schema_lengths": Mode.JSON_SCHEMA,
    "json_schema_loose": Mode.JSON_SCHEMA,
    "tools": Mode.TOOLS,
    "json": Mode.JSON,
}
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_OURS = frozenset({"model", "messages", "response_format", "tools", "tool_choice", "stream", "n"})

# At debug level the client logs whole requests, and with them letters.
logging.getLogger("openai").setLevel(logging.WARNING)


@dataclass(frozen=True)
class ChatEndpoint:
    """One model at one address.

    ``model`` is its name there; ``base_url=None`` means OpenAI's own. ``params`` go into every
    request as they are. With ``api_version`` the address is an Azure deployment's. ``cache_control`` marks the end of
    what all letters share, for gateways to models that cache only what is marked. Raises ``UsageError``
    for an unknown mode, or for a parameter that only the engine may set.
    """

    name: str
    model: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    mode: str = "json_schema"
    params: Mapping[str, Any] = field(default_factory=dict)
    azure: bool = False
    api_version: str | None = None
    cache_control: bool = False

    def __post_init__(self) -> None:
        check_settings(self.mode, MODES, self.params, _OURS)

    @property
    def place(self) -> EndpointLabel:
        key = "AZURE_OPENAI_API_KEY" if self.azure else "OPENAI_API_KEY"
        advice = " and the api_version" if self.azure else "; most addresses end in /v1"
        return EndpointLabel(self.name, url_without_secrets(self._url), key, advice)

    @property
    def _url(self) -> str:
        return self.base_url or (DESK_URL if is_desk(self.name) else OPENAI_URL)

    @property
    def settings(self) -> dict[str, Any]:
        where = {"base_url": url_without_secrets(self.base_url)} if self.base_url else {}
        version = {"api_version": self.api_version} if self.api_version else {}
        marked = {"cache_control": True} if self.cache_control else {}
        return {"mode": self.mode, **where, **version, **marked, **self.params}

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (openai.OpenAIError,)

    def prepare(self, schema: type[BaseModel], instructions: str) -> Callable[[Question], bytes]:
        fields, text = self._shape(schema, instructions)
        system: Any = text
        if self.cache_control:
            system = [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]
        return Template.of({"model": self.model, **self.params, **fields}, system).body

    def connect(self, http: httpx2.AsyncClient, timeout: httpx2.Timeout) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=self.api_key,
            base_url=self._url,
            default_query={"api-version": self.api_version} if self.api_version else None,
            max_retries=0,
            timeout=timeout,
            http_client=http,
        )

    async def send(self, client: openai.AsyncOpenAI, request: bytes, letter_id: str) -> httpx2.Response:
        headers: dict[str, str | openai.Omit] = {"Content-Type": "application/json"}
        if urlsplit(self._url).hostname in _THIS_MACHINE:
            # A file's name may be a patient's: it goes to an answer desk, and nowhere else.
            headers[LETTER_HEADER] = quote(letter_id, safe="")
        if self.azure:
            headers |= {"api-key": self.api_key, "Authorization": openai.omit}
        return await client.post(
            "/chat/completions", cast_to=httpx2.Response, content=request, options={"headers": headers}
        )

    def read(self, completion: Mapping[str, Any]) -> Reply:
        return read_completion(completion)

    def _shape(self, schema: type[BaseModel], instructions: str) -> tuple[dict[str, Any], str]:
        """The request's schema part and system text. Without the letter: instructor never gets it."""
        shape = mode_registry.get_handlers(Provider.OPENAI, MODES[self.mode]).request_handler
        messages = [{"role": "system", "content": instructions}]
        _, fields = shape(schema, {"messages": messages})
        system = fields.pop("messages")[0]["content"]
        strict = strict_schema(schema, lengths=self.mode == "json_schema_lengths")
        if self.mode == "tools":
            fields["tools"][0]["function"]["parameters"] = strict
        elif self.mode != "json":
            # instructor sends the bare schema and never asks for strict decoding.
            sent = fields["response_format"]["json_schema"]
            sent["schema"] = strict
            if self.mode != "json_schema_loose":
                sent["strict"] = True
        return fields, system


class ChatModel(RetryingModel):
    """A model that answers through ``POST /chat/completions``; the arguments are ``ChatEndpoint``'s."""

    def __init__(
        self,
        name: str,
        *,
        model: str,
        api_key: str,
        base_url: str | None = None,
        mode: str = "json_schema",
        params: Mapping[str, Any] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        endpoint = ChatEndpoint(name, model, api_key, base_url, mode, dict(params or {}))
        super().__init__(name, endpoint, transport=transport, patience=patience or Patience())


def azure_url(endpoint: str, deployment: str, api_version: str | None) -> str:
    """Where an Azure resource answers: one address for all deployments, with a dated version one for each."""
    root = endpoint.rstrip("/").removesuffix("/v1").removesuffix("/openai")
    dated = api_version is not None and api_version[:1].isdigit()
    return f"{root}/openai/deployments/{deployment}" if dated else f"{root}/openai/v1"


def url_without_secrets(url: str | None) -> str:
    """An address without user, password or query, fit for messages and records."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
