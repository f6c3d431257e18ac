"""A model behind an endpoint: asked, asked again where that can help, and read.

Every provider goes through here, so trying again, pausing and stopping are decided in one place.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import httpx2
from pydantic import BaseModel
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from extractor.errors import ModelError, TransportError, UsageError
from extractor.models.limits import Call, Limiter
from extractor.models.llm.failures import (
    REFUSED,
    CallError,
    EndpointLabel,
    error_response,
    lost,
    own_error,
    parsed,
    refused,
    settings_error,
    unanswered,
)
from extractor.models.llm.route import open_client
from extractor.models.model import Question, Reply
from extractor.models.replies import ReplyError, error_status, is_unanswered, other_model, read_reply

# A pause that no run waits for, in seconds: a quota of hours or days is used up.
_TOO_LONG = 600.0
# After so many of the longest pauses without one answer (10 minutes by default), a refusal is final.
_STARVED = 10
# After so many letters that were refused with the same words, and none that was not, the rest would be too.
_ALIKE = 3
# The shortest pause before another try, in seconds, so that an endpoint which names none is not flooded.
_SHORTEST = 0.25
_OVERLOADED = frozenset({503, 529})


@dataclass(frozen=True)
class Patience:
    """How long to wait for an endpoint, and for how much.

    ``timeout``: seconds without a byte. ``deadline``: seconds for one whole call, even while bytes arrive; 0 is
    twice the timeout. ``tries``: calls in all for one question. ``max_wait``: the longest pause between
    two of them, in seconds. ``max_reply_bytes``: the largest reply, packed and unpacked. ``desk_wait``: seconds to wait
    for an answer that is written by hand at an answer desk.

    Raises ``UsageError`` for what is not a positive number.
    """

    timeout: float = 120.0
    tries: int = 5
    max_wait: float = 60.0
    deadline: float = 0.0
    max_reply_bytes: int = 4_000_000
    desk_wait: float = 7 * 86_400.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
            if not good or (value == 0 and name in ("timeout", "tries", "max_reply_bytes")):
                raise UsageError(f"{name} must be a positive number", hint="see docs/providers.md", code="params")

    @property
    def whole_call(self) -> float:
        """Seconds for one whole call."""
        return self.deadline or 2 * self.timeout


class Endpoint(Protocol):
    """One provider's wire: how a question becomes a request, how it is sent, how its reply is read.

    Neither tries again nor keeps a connection.
    """

    @property
    def place(self) -> EndpointLabel: ...

    @property
    def model(self) -> str:
        """The model's name at the endpoint."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that may change an answer. Holds no key."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What ``send`` raises when a call fails; one with a ``response`` is an HTTP status."""
        ...

    def prepare(self, schema: type[BaseModel], instructions: str) -> Callable[[Question], Any]:
        """What makes requests of questions; all that does not change from letter to letter is done here."""
        ...

    def connect(self, http: httpx2.AsyncClient, timeout: httpx2.Timeout) -> Any:
        """The provider's client, with retries of its own switched off. Closing ``http`` closes it."""
        ...

    async def send(self, client: Any, request: Any, letter_id: str) -> httpx2.Response:
        """``letter_id`` never leaves this machine."""
        ...

    def read(self, completion: Mapping[str, Any]) -> Reply:
        """The answer's raw text and what it cost. Raises ``ReplyError``; never reads the text itself."""
        ...


@runtime_checkable
class Recorder(Protocol):
    """A transport that answers from recordings, or lets requests out by the client it is given."""

    live: httpx2.AsyncClient | None

    @property
    def replays(self) -> bool: ...


class RetryingModel:
    """A ``Model`` that asks one endpoint. ``name`` is what records call it.

    With a ``limiter``, each call waits for its turn there, and a refusal (429) makes all calls pause;
    it does not count as a try of the letter that met it.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        patience: Patience = Patience(),
    ) -> None:
        self.name = name
        self._endpoint = endpoint
        self._transport = transport
        self._patience = patience
        self._timeout = httpx2.Timeout(patience.timeout, connect=min(patience.timeout, 15.0))
        self._backoff = wait_random_exponential(multiplier=0.5, max=patience.max_wait)
        self._prepared: dict[tuple[type[BaseModel], str], Callable[[Question], Any]] = {}
        self._http: httpx2.AsyncClient | None = None
        self._client: Any = None
        self._failures: tuple[type[Exception], ...] = (*endpoint.errors, TimeoutError)
        self._succeeded = False
        self._refused_alike: Counter[str] = Counter()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.limiter: Limiter | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Everything that may change an answer, as records and recordings keep it. Holds no key."""
        return self._endpoint.settings

    async def ask(self, question: Question) -> Reply:
        """One answer, sent again only where sending again can help.

        ``seconds`` are those from the first call on, pauses included; not the wait for its turn.

        Raises ``TransportError`` when the endpoint cannot be reached or keeps failing, ``ModelError``
        when it refuses this request or answers with nothing usable (``ReplyError``, which keeps
        the usage), ``LetterTypeError`` for a schema that cannot be sent, and passes on what a
        transport of ours raises (``CassetteError``).
        """
        request = self._request(question)
        size = len(request) if isinstance(request, bytes) else len(question.instructions) + len(question.letter)
        started, tries, call = 0.0, 0, None
        try:
            async for attempt in self._retrying():
                with attempt:
                    tries += 1
                    call = await self._turn(size, question)
                    started = started or time.perf_counter()
                    completion = await self._send(request, call, question.letter_id)
                    while completion is None:
                        await self._wait_at_desk(started)
                        call = await self._turn(size, question)
                        completion = await self._send(request, call, question.letter_id)
            reply = read_reply(self._endpoint.read, completion or {})
            reply = replace(reply, model=other_model(self._endpoint.model, reply.model))
        except CallError as failed:
            # Not chained: the client's own errors quote requests and replies.
            raise self._hopeless(failed.error) from None
        except ReplyError as unusable:
            unusable.reply = replace(unusable.reply, transport_tries=tries, seconds=time.perf_counter() - started)
            self._took(call, unusable.reply)
            raise
        self._took(call, reply)
        return replace(reply, transport_tries=tries, seconds=time.perf_counter() - started)

    async def _turn(self, size: int, question: Question) -> Call | None:
        return await self.limiter.permit(size, started=bool(question.corrections)) if self.limiter else None

    def stop_retrying(self) -> None:
        """From now on a call that fails is not made again, and pauses before another try end."""
        self._stopping.set()

    async def aclose(self) -> None:
        """Close the connections; the model can be used again afterwards."""
        http, self._http, self._client = self._http, None, None
        await _close(http)
        if isinstance(self._transport, Recorder):
            live, self._transport.live = self._transport.live, None
            await _close(live)

    async def _wait_at_desk(self, started: float) -> None:
        """Before asking again for an answer that is still to be written. Raises ``TransportError`` if that is over."""
        await self._sleep(_SHORTEST)
        if self._stopping.is_set() or time.perf_counter() - started > self._patience.desk_wait:
            raise unanswered(self._endpoint.place)

    def _request(self, question: Question) -> Any:
        key = (question.schema, question.instructions)
        if key not in self._prepared:
            self._prepared[key] = self._endpoint.prepare(*key)
        return self._prepared[key](question)

    def _retrying(self) -> AsyncRetrying:
        refusals = 0

        def enough(state: RetryCallState) -> bool:
            nonlocal refusals
            refusals += self._holds_all(state)
            if self._refused(state) and self._starved:
                return True
            return state.attempt_number - refusals >= self._patience.tries

        return AsyncRetrying(
            retry=retry_if_exception(self._again), sleep=self._sleep, stop=enough, wait=self._pause, reraise=True
        )

    def _again(self, error: BaseException) -> bool:
        if not isinstance(error, CallError) or not error.again or self._stopping.is_set():
            return False
        return (error.pause or 0.0) <= _TOO_LONG

    def _holds_all(self, state: RetryCallState) -> bool:
        """Whether the last call was refused and the limiter handles the pause."""
        return self.limiter is not None and self._refused(state) and not self._starved

    @staticmethod
    def _refused(state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return isinstance(error, CallError) and error.error.code == REFUSED

    @property
    def _starved(self) -> bool:
        return self.limiter is not None and self.limiter.starved(_STARVED * self._patience.max_wait)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _pause(self, state: RetryCallState) -> float:
        if self._holds_all(state):
            return 0.0
        if isinstance(self._transport, Recorder) and self._transport.replays:
            # What was waited for once need not be waited for again.
            return 0.0
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallError) and error.pause is not None:
            return min(max(error.pause, _SHORTEST), self._patience.max_wait)
        return self._backoff(state)

    async def _send(self, request: Any, call: Call | None, letter_id: str) -> dict[str, Any] | None:
        """The completion; ``None`` if it is an answer desk's, and still to be written."""
        client = await self._client_here()
        try:
            async with asyncio.timeout(self._patience.whole_call):
                response = await self._endpoint.send(client, request, letter_id)
            return self._completion(response, call)
        except self._failures as error:
            answered = error_response(error)
            if answered is None or not is_unanswered(answered.status_code, answered.text):
                raise self._failed(error, call) from None
            if call and self.limiter:
                self.limiter.unanswered(call)
            return None
        finally:
            if call and self.limiter:
                self.limiter.done(call)

    def _failed(self, error: Exception, call: Call | None) -> Exception:
        """A client's exception as one of our errors; the limiter learns from it."""
        if (ours := own_error(error)) is not None:
            return ours
        if (answered := error_response(error)) is not None:
            failed = refused(answered, self._endpoint.place)
            if failed.error.code == "bad_request":
                failed.error = settings_error(failed.error, answered, self._endpoint.settings, self.name)
            self._learn(call, answered, failed)
            return failed
        if call and self.limiter:
            self.limiter.lost(call)
        return lost(error, self._endpoint.place, self._seconds(error))

    def _hopeless(self, error: ModelError) -> ModelError:
        """The error of one letter; of the whole run, if the first letters were all refused with the same words."""
        if self._succeeded or error.code not in ("bad_request", "settings"):
            return error
        self._refused_alike[error.message] += 1
        if self._refused_alike[error.message] < _ALIKE:
            return error
        message = f"the first {_ALIKE} letters were refused alike: {error.message}"
        return TransportError(message, hint=error.hint, code="settings")

    def _completion(self, response: httpx2.Response, call: Call | None) -> dict[str, Any]:
        """What a response holds. An error inside a 200, as gateways send it, is the error it names."""
        try:
            completion = parsed(response, self._endpoint.place)
        except (CallError, ReplyError):
            self._answered(call, response)
            raise
        status = error_status(completion)
        if status is None:
            self._answered(call, response)
            return completion
        named = httpx2.Response(status, headers=response.headers, content=response.content)
        failed = refused(named, self._endpoint.place, inside=True)
        self._learn(call, named, failed)
        raise failed

    def _answered(self, call: Call | None, response: httpx2.Response) -> None:
        self._succeeded = True
        if call and self.limiter:
            self.limiter.answered(call, response.headers)

    def _learn(self, call: Call | None, response: httpx2.Response, failed: CallError) -> None:
        """The limiter learns from an HTTP status that is not a success."""
        if call is None or self.limiter is None:
            return
        longest = self._patience.max_wait
        if failed.error.code == REFUSED:
            self.limiter.refused(call, response.headers, failed.pause, longest)
        elif response.status_code in _OVERLOADED:
            self.limiter.overloaded(call, response.headers, failed.pause, longest)
        else:
            self.limiter.answered(call, response.headers, min(failed.pause or 0.0, longest))

    def _took(self, call: Call | None, reply: Reply) -> None:
        taken, given = reply.usage.input_tokens, reply.usage.output_tokens
        if call and self.limiter and taken is not None and given is not None:
            self.limiter.took(call, taken + given)

    async def _client_here(self) -> Any:
        # Connections belong to the loop that opened them: a client of another loop only fails.
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            old, self._http, self._loop = self._http, self._open_http(), loop
            self._client = self._endpoint.connect(self._http, self._timeout)
            await _close(old)
        return self._client

    def _seconds(self, error: BaseException) -> float:
        """How long was waited for a call that timed out: the deadline's own error has no cause."""
        passed_deadline = type(error) is TimeoutError and error.__cause__ is not None
        return self._patience.whole_call if passed_deadline else self._patience.timeout

    def network(self) -> httpx2.AsyncBaseTransport | None:
        """What carries requests out; ``None`` for the network."""
        return None

    def _open_http(self) -> httpx2.AsyncClient:
        largest = self._patience.max_reply_bytes
        if isinstance(self._transport, Recorder):
            # What is recorded goes out by the same route as what is not.
            self._transport.live = open_client(self._timeout, largest, transport=self.network(), raw=True)
        return open_client(self._timeout, largest, transport=self._transport or self.network())


async def _close(http: httpx2.AsyncClient | None) -> None:
    if http is not None:
        # Connections of a loop that is gone cannot be closed: they end with it.
        with suppress(RuntimeError):
            await http.aclose()


def check_settings(mode: str, modes: Collection[str], params: Mapping[str, Any], ours: Collection[str]) -> None:
    """Raise ``UsageError`` for a mode the provider has not, or a parameter that only the engine may set."""
    if mode not in modes:
        raise UsageError(f"unknown mode {mode!r}", hint=f"known modes: {', '.join(modes)}", code="mode")
    taken = sorted(set(ours) & set(params))
    if taken:
        raise UsageError(f"these parameters are set by the engine: {', '.join(taken)}", code="params")
