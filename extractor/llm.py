"""Language models behind an OpenAI-compatible chat endpoint.

The only module that knows openai, instructor and tenacity. Each does one thing here: instructor
shapes the request for a mode, openai sends it, tenacity decides whether to send it again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from instructor import Mode
from instructor.v2.core.providers import Provider
from instructor.v2.core.registry import mode_registry
from pydantic import BaseModel
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from extractor.errors import ExtractorError, ModelError, ModelNameError, TransportError, UsageError
from extractor.models import Question, Reply
from extractor.wire import ReplyError, Template, read_completion, strict_schema

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"

# How the schema is asked for, and which of instructor's request shapes that is. With lengths: for
# local servers whose grammars run on without minLength and maxLength; OpenAI may refuse them.
MODES = {
    "json_schema": Mode.JSON_SCHEMA,
    "json_schema_lengths": Mode.JSON_SCHEMA,
    "json_schema_loose": Mode.JSON_SCHEMA,
    "tools": Mode.TOOLS,
    "json": Mode.JSON,
}
_OURS = frozenset({"model", "messages", "response_format", "tools", "tool_choice", "stream", "n"})

# At debug level the client logs whole requests, and with them letters.
logging.getLogger("openai").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Patience:
    """How long to go on: ``timeout`` is seconds without a byte, ``tries`` is calls in all for one question,
    ``max_wait`` is the longest pause between two of them, in seconds.
    """

    timeout: float = 120.0
    tries: int = 5
    max_wait: float = 60.0


class ChatModel:
    """A model that answers through ``POST /chat/completions``.

    ``model`` is its name at the endpoint; ``base_url=None`` means the provider's own endpoint.
    ``params`` go into every request as they are. Raises ``UsageError`` for an unknown mode, or for
    a parameter that only the engine may set.
    """

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
        patience: Patience = Patience(),
    ) -> None:
        if mode not in MODES:
            raise UsageError(f"unknown mode {mode!r}", hint=f"known modes: {', '.join(MODES)}", code="mode")
        taken = sorted(_OURS & set(params or {}))
        if taken:
            raise UsageError(f"these parameters are set by the engine: {', '.join(taken)}", code="params")
        self.name = name
        self._model = model
        self._key = api_key
        self._base_url = base_url
        self._mode = mode
        self._params = dict(params or {})
        self._transport = transport
        self._patience = patience
        self._backoff = wait_random_exponential(multiplier=0.5, max=patience.max_wait)
        self._templates: dict[tuple[type[BaseModel], str], Template] = {}
        self._client: openai.AsyncOpenAI | None = None
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Everything that may change an answer, as records and recordings keep it. Holds no key."""
        where = {"base_url": shown_url(self._base_url)} if self._base_url else {}
        return {"mode": self._mode, **where, **self._params}

    async def ask(self, question: Question) -> Reply:
        """One answer, sent again only where sending again can help. ``seconds`` include the pauses.

        Raises ``TransportError`` when the endpoint cannot be reached or keeps failing, ``ModelError``
        when it refuses this request or answers with nothing usable (``ReplyError``, which keeps
        the usage), ``LetterTypeError`` for a schema that cannot be sent, and passes on what a
        transport of ours raises (``CassetteError``).
        """
        body = self._template(question).body(question)
        started = time.perf_counter()
        tries = 0
        try:
            async for attempt in self._retrying():
                with attempt:
                    tries += 1
                    completion = await self._send(body)
            reply = read_completion(completion)
        except _CallError as failed:
            # Not chained: the client's own errors quote requests and replies.
            raise failed.error from None
        except ReplyError as unusable:
            unusable.reply = replace(unusable.reply, transport_tries=tries, seconds=time.perf_counter() - started)
            raise
        return replace(reply, transport_tries=tries, seconds=time.perf_counter() - started)

    def stop_retrying(self) -> None:
        """From now on a call that fails is not made again, and pauses before another try end."""
        self._stopping.set()

    async def aclose(self) -> None:
        """Close the connections; the model can be used again afterwards."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.close()

    def _template(self, question: Question) -> Template:
        key = (question.schema, question.instructions)
        if key not in self._templates:
            fields, system = self._shape(*key)
            self._templates[key] = Template.of({"model": self._model, **self._params, **fields}, system)
        return self._templates[key]

    def _shape(self, schema: type[BaseModel], instructions: str) -> tuple[dict[str, Any], str]:
        """The request's schema part and system text. The letter is not here yet: instructor never sees it."""
        shape = mode_registry.get_handlers(Provider.OPENAI, MODES[self._mode]).request_handler
        messages = [{"role": "system", "content": instructions}]
        _, fields = shape(schema, {"messages": messages})
        system = fields.pop("messages")[0]["content"]
        strict = strict_schema(schema, lengths=self._mode == "json_schema_lengths")
        if self._mode == "tools":
            fields["tools"][0]["function"]["parameters"] = strict
        elif self._mode != "json":
            # instructor sends the bare schema and never asks for strict decoding.
            sent = fields["response_format"]["json_schema"]
            sent["schema"] = strict
            if self._mode != "json_schema_loose":
                sent["strict"] = True
        return fields, system

    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(self._again),
            sleep=self._sleep,
            stop=stop_after_attempt(self._patience.tries),
            wait=self._pause,
            reraise=True,
        )

    def _again(self, error: BaseException) -> bool:
        return isinstance(error, _CallError) and error.again and not self._stopping.is_set()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _CallError) and error.pause is not None:
            return min(error.pause, self._patience.max_wait)
        return self._backoff(state)

    async def _send(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        try:
            response = await self._client_here().post(
                "/chat/completions", cast_to=httpx2.Response, content=body, options={"headers": headers}
            )
        except openai.APIStatusError as error:
            raise _refused(error, self.name) from None
        except openai.OpenAIError as error:
            ours = _own_error(error)
            if ours is not None:
                raise ours from None
            raise _lost(error, shown_url(self._base_url or OPENAI_URL), self._patience.timeout) from None
        return _parsed(response.content, _retry_after(response.headers))

    def _client_here(self) -> openai.AsyncOpenAI:
        # Connections belong to the loop that opened them: a client of another loop only fails.
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            timeout = httpx2.Timeout(self._patience.timeout, connect=min(self._patience.timeout, 15.0))
            transport = self._transport
            self._client = openai.AsyncOpenAI(
                api_key=self._key,
                base_url=self._base_url or OPENAI_URL,
                max_retries=0,
                timeout=timeout,
                http_client=openai.DefaultAsyncHttpxClient(transport=transport) if transport else None,
            )
            self._loop = loop
        return self._client


# ---- names -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Provider:
    key_variable: str
    base_url: str | None


_PROVIDERS = {
    "openai": _Provider("OPENAI_API_KEY", OPENAI_URL),
    "openai-compatible": _Provider("OPENAI_API_KEY", None),
}


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    params: Mapping[str, Any] | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    replay: bool = False,
) -> ChatModel:
    """The model called ``provider/name``, with its key from the environment.

    ``base_url`` (else ``OPENAI_BASE_URL``) names an OpenAI-compatible server; such a server may
    need no key. ``params`` go into every request, but for ``mode``, ``timeout``, ``tries`` and
    ``max_wait``, which are ours. ``replay`` says that ``transport`` answers from recordings, so no
    key is needed. Raises ``ModelNameError``.
    """
    provider_name, _, model = name.partition("/")
    provider = _PROVIDERS.get(provider_name)
    if provider is None or not model:
        known = ", ".join(f"{each}/NAME" for each in _PROVIDERS)
        raise ModelNameError(f"unknown model {name!r}", hint=f"known: offline, replay:NAME, {known}")
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if base_url is None and provider.base_url is None:
        raise ModelNameError(f"model {name!r} needs an address", hint="pass --base-url http://HOST:PORT/v1")
    if base_url is not None and not _is_url(base_url):
        raise ModelNameError("the base URL is no http(s) address", hint="write it as http://HOST:PORT/v1")
    wire = dict(params or {})
    mode = wire.pop("mode", "json_schema")
    patience = Patience(**{name: wire.pop(name) for name in ("timeout", "tries", "max_wait") if name in wire})
    key = _key(provider, name, needed=base_url is None and not replay)
    return ChatModel(
        name,
        model=model,
        api_key=key,
        base_url=base_url,
        mode=mode,
        params=wire,
        transport=transport,
        patience=patience,
    )


def _key(provider: _Provider, name: str, *, needed: bool) -> str:
    key = os.environ.get(provider.key_variable, "").strip()
    if not key and needed:
        raise ModelNameError(
            f"no key for model {name!r}",
            hint=f"set {provider.key_variable}, or pass --base-url for a server that needs none",
        )
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        raise ModelNameError(f"{provider.key_variable} is not a key", hint="it holds blanks or non-ASCII characters")
    return key or NO_KEY


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def shown_url(url: str | None) -> str:
    """An address without user, password or query, fit for messages and records."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


# ---- failures --------------------------------------------------------------------------------


class _CallError(Exception):
    """One call that failed: the error to report, whether another call may help, and the pause asked for (s)."""

    def __init__(self, error: ModelError, *, again: bool = False, pause: float | None = None) -> None:
        super().__init__(error.code)
        self.error = error
        self.again = again
        self.pause = pause


# Codes by HTTP status, where the status alone says enough.
_STATUS = {
    401: ("auth", "the endpoint does not accept the key", "check OPENAI_API_KEY and that it belongs to this address"),
    402: ("quota", "the account's quota is used up", "check the plan and billing of this key"),
    403: ("forbidden", "the key may not use this model", "check the project and region this key is for"),
    404: (
        "unknown_model",
        "the endpoint knows no such model or path",
        "check the model name; most addresses end in /v1",
    ),
    408: ("timeout", "the endpoint gave up waiting", "try again later, or lower --concurrency"),
    409: ("server", "the endpoint reported a conflict", "try again later"),
    429: ("rate_limited", "the endpoint kept asking to slow down", "lower --concurrency, then run again"),
}
_AGAIN = frozenset({408, 409, 429})
_TOO_LONG = re.compile(r"(?i)context[ _-](length|size|window)|maximum context|too many tokens|exceeds?_context")
_IDENTIFIER = re.compile(r"[\w.\-\[\]]{1,60}")


def _refused(error: openai.APIStatusError, name: str) -> _CallError:
    """An HTTP status as our error. Only identifiers of the endpoint's text are kept: it may quote the letter."""
    status, said = error.status_code, f"{error.code} {error.type} {error.message}"
    where = f"{name}: HTTP {status}" + _identifiers(error)
    pause = _retry_after(error.response.headers)
    if "insufficient_quota" in said:
        status = 402
    if status in _STATUS:
        code, message, hint = _STATUS[status]
        refused = TransportError(f"{message} ({where})", hint=hint, code=code)
        return _CallError(refused, again=status in _AGAIN, pause=pause)
    if status >= 500:
        failing = TransportError(f"the endpoint failed ({where})", hint="try again later", code="server")
        return _CallError(failing, again=True, pause=pause)
    if status == 413 or _TOO_LONG.search(said):
        hint = "use a model with a longer context, or lower max_tokens"
        return _CallError(ModelError(f"letter and prompt are too long ({where})", hint=hint, code="context_length"))
    if "content_filter" in said:
        hint = "try another model, or read this letter by hand"
        return _CallError(
            ModelError(f"the content filter refused the letter ({where})", hint=hint, code="content_filter")
        )
    hint = "check the parameters; if the endpoint cannot decode strictly, set mode to json_schema_loose or tools"
    return _CallError(ModelError(f"the endpoint refused the request ({where})", hint=hint, code="bad_request"))


def _identifiers(error: openai.APIStatusError) -> str:
    parts = ("code", error.code), ("type", error.type), ("param", error.param)
    return "".join(f", {k}={v}" for k, v in parts if isinstance(v, str) and _IDENTIFIER.fullmatch(v))


def _lost(error: openai.OpenAIError, where: str, timeout: float) -> _CallError:
    if isinstance(error, openai.APITimeoutError):
        message, hint = f"no answer from {where} within {timeout:g} s", "raise the timeout, or lower --concurrency"
        return _CallError(TransportError(message, hint=hint, code="timeout"), again=True)
    message = f"cannot reach {where}, or it hung up"
    return _CallError(TransportError(message, hint="check the address and the network", code="unreachable"), again=True)


def _parsed(body: bytes, pause: float | None) -> dict[str, Any]:
    """A reply as JSON. One that broke off or came from a gateway is a fault of the way, so it is asked again."""
    try:
        completion = json.loads(body)
    except ValueError:
        completion = None
        if body.lstrip()[:1] in (b"{", b""):
            message = "the reply broke off in the middle"
            lost = TransportError(
                message, hint="try again; if it stays, look for a proxy in between", code="truncated_body"
            )
            raise _CallError(lost, again=True, pause=pause) from None
    if not isinstance(completion, dict):
        hint = "check the address: a proxy or a web page answered; most addresses end in /v1"
        error = TransportError("the reply is no JSON object", hint=hint, code="bad_gateway_body")
        raise _CallError(error, again=True, pause=pause)
    return completion


def _own_error(error: BaseException) -> ExtractorError | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ExtractorError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait; ``None`` if it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        said = headers.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", said):
            return float(said) * unit
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            continue
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    return None
