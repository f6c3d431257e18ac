"""Batch files of OpenAI's shape: the lines of requests and replies, and the endpoints that work them off.

Letters do not come by here one at a time: a file of requests goes up, a batch is started over it,
and hours later its files of results are fetched. Nothing is paid for but what a batch answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import httpx2
import openai
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from extractor.errors import ModelNameError, TransportError, UsageError
from extractor.models.llm.chat import OPENAI_URL, ChatEndpoint
from extractor.models.llm.failures import CallError, EndpointLabel, lost, parsed, refused
from extractor.models.llm.retrying import Patience, RetryingModel
from extractor.models.llm.route import open_sync_client
from extractor.models.model import Model, Question, Reply
from extractor.models.replies import ReplyError, as_text, error_status, other_model, read_reply, token_count
from extractor.models.wire import dump

URL: Literal["/v1/chat/completions"] = "/v1/chat/completions"
# A batch whose start got no reply is among the newest: how many pages of 100 to search for it.
_PAGES = 10
_CODE = re.compile(r"[\w.\-]{1,60}")
_T = TypeVar("_T")


class BatchWire:
    """One model's requests and replies as lines of batch files.

    Raises ``ModelNameError`` for a model whose requests are not OpenAI's.
    """

    def __init__(self, model: Model) -> None:
        endpoint = model._endpoint if isinstance(model, RetryingModel) else None
        if not isinstance(model, RetryingModel) or not isinstance(endpoint, ChatEndpoint):
            hint = "name a model of OpenAI's shape, e.g. openai/NAME, or use extractor run"
            raise ModelNameError(f"batch files are OpenAI's, and {model.name} is not", hint=hint)
        self.model, self.endpoint = model, endpoint

    def request(self, custom_id: str, question: Question) -> bytes:
        """One line of a request file; its body is byte for byte what the model would be sent."""
        body: bytes = self.model._request(question)
        head = dump({"custom_id": custom_id, "method": "POST", "url": URL})
        return head.removesuffix(b"}") + b',"body":' + body + b"}\n"

    def reply(self, response: Any, error: Any) -> Reply:
        """The reply in the two parts of a result line, as ``run`` would have returned it.

        A reply without an answer (a refusal, a cut-off text) has its ``error`` set. Raises
        ``TransportError`` where asking again may help, another ``ModelError`` where it will not.
        """
        if not isinstance(response, dict):
            raise _not_done(error)
        status, body = response.get("status_code"), response.get("body")
        if type(status) is not int or not 100 <= status <= 599:
            raise _not_done(error)
        if not 200 <= status < 300:
            # vLLM puts the error beside an empty body.
            content = as_text(error if body is None else body).encode("utf-8", "replace")
            raise refused(httpx2.Response(status, content=content), self.endpoint.place).error
        if not isinstance(body, dict):
            message, hint = "the result has no body", "run the same letters again"
            raise TransportError(message, hint=hint, code="bad_gateway_body")
        if (status := error_status(body)) is not None:
            content = as_text(body).encode("utf-8", "replace")
            raise refused(httpx2.Response(status, content=content), self.endpoint.place, inside=True).error
        try:
            reply = read_reply(self.endpoint.read, body)
            return replace(reply, model=other_model(self.endpoint.model, reply.model))
        except ReplyError as failure:
            return replace(failure.reply, error=failure.code)


def _not_done(error: Any) -> TransportError:
    named = error.get("code") if isinstance(error, dict) else None
    code = named if isinstance(named, str) and _CODE.fullmatch(named) else "batch_error"
    return TransportError(f"the batch did not answer ({code})", hint="ask again", code=code)


@dataclass(frozen=True)
class BatchJob:
    """A batch as the endpoint reports it: how many requests it has, has answered, and has failed to answer.

    ``problems``: why it was not started, by code and line.
    """

    id: str
    status: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_id: str | None = None
    error_id: str | None = None
    problems: tuple[str, ...] = ()


class BatchClient(AbstractContextManager["BatchClient"]):
    """The Files and Batches endpoints of one model. Calls that may help if made again are made again.

    Every method raises ``TransportError`` or ``ModelError`` if the endpoint does not do it, and
    ``UsageError`` if it has no such endpoints.
    """

    def __init__(self, wire: BatchWire) -> None:
        endpoint, patience = wire.endpoint, wire.model._patience
        if endpoint.azure and endpoint.api_version:
            hint = "leave out api_version: batches are at the address without a dated version"
            raise UsageError(f"{endpoint.name} has its batches elsewhere", hint=hint)
        self._place, self._patience = endpoint.place, patience
        self._backoff = wait_random_exponential(multiplier=0.5, max=patience.max_wait)
        timeout = httpx2.Timeout(patience.timeout, connect=min(patience.timeout, 15.0))
        # For every call: a whole client cannot leave one out.
        self._headers: dict[str, str | openai.Omit] = {}
        if endpoint.azure:
            self._headers = {"api-key": endpoint.api_key, "Authorization": openai.omit}
        self._client = openai.OpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url or OPENAI_URL,
            max_retries=0,
            timeout=timeout,
            http_client=open_sync_client(timeout, patience.max_reply_bytes),
        )

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def upload(self, path: Path) -> str:
        """Send a request file; its id at the endpoint."""

        def send() -> str:
            with path.open("rb") as file:
                create = self._client.files.with_raw_response.create
                raw = create(file=(path.name, file), purpose="batch", extra_headers=self._headers)
            return self._id(self._body(raw))

        return self._call(send)

    def start(self, upload_id: str, *, maybe_started: bool = False) -> BatchJob:
        """Start a batch over an uploaded file.

        ``maybe_started``: an earlier try may have got through without a reply; then the batch
        that it started is found and no other is started. The same holds between tries of this call.
        """
        tried = maybe_started

        def begin() -> BatchJob:
            nonlocal tried
            if tried and (found := self._find(upload_id)):
                return found
            tried = True
            create, headers = self._client.batches.with_raw_response.create, self._headers
            raw = create(input_file_id=upload_id, endpoint=URL, completion_window="24h", extra_headers=headers)
            return self._job(self._body(raw))

        return self._call(begin)

    def job(self, batch_id: str) -> BatchJob:
        """The current state of a batch."""
        retrieve = self._client.batches.with_raw_response.retrieve
        return self._call(lambda: self._job(self._body(retrieve(batch_id, extra_headers=self._headers))))

    def download(self, file_id: str, to: BinaryIO) -> None:
        """Write a file of the endpoint into an open one, from its beginning."""

        def fetch() -> None:
            to.seek(0)
            to.truncate()
            content = self._client.files.with_streaming_response.content
            with content(file_id, extra_headers=self._headers) as response:
                for part in response.iter_bytes(1 << 16):
                    to.write(part)

        self._call(fetch)

    def _find(self, upload_id: str) -> BatchJob | None:
        """The batch over an uploaded file, unless it was refused, which costs nothing."""
        after: str | openai.Omit = openai.omit
        for _ in range(_PAGES):
            raw = self._client.batches.with_raw_response.list(limit=100, after=after, extra_headers=self._headers)
            body = self._body(raw)
            listed = body.get("data")
            rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
            for each in rows:
                if each.get("input_file_id") == upload_id and each.get("status") != "failed":
                    return self._job(each)
            if not rows or not body.get("has_more"):
                break
            after = self._id(rows[-1])
        return None

    def _call(self, once: Callable[[], _T]) -> _T:
        """What ``once`` gives; a call that fails is made again where that can help."""
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallError) and error.again),
            stop=stop_after_attempt(self._patience.tries),
            wait=self._pause,
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt, _as_ours(self._place, self._patience):
                    result = once()
        except CallError as failed:
            # Not chained: the client's own errors quote requests and replies.
            raise failed.error from None
        return result

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallError) and error.pause is not None:
            return min(error.pause, self._patience.max_wait)
        return self._backoff(state)

    def _body(self, raw: Any) -> dict[str, Any]:
        return parsed(raw.http_response, self._place)

    def _id(self, body: Mapping[str, Any]) -> str:
        if not isinstance(body.get("id"), str) or not body["id"]:
            message, hint = "the endpoint's reply names no id", f"check the address{self._place.advice}"
            raise CallError(TransportError(message, hint=hint, code="bad_gateway_body"))
        return str(body["id"])

    def _job(self, body: Mapping[str, Any]) -> BatchJob:
        counts = _part(body, "request_counts")
        problems = _part(body, "errors").get("data")
        return BatchJob(
            self._id(body),
            _name(body, "status") or "unknown",
            **{name: token_count(counts, name) or 0 for name in ("total", "completed", "failed")},
            output_id=_name(body, "output_file_id"),
            error_id=_name(body, "error_file_id"),
            problems=tuple(_problem(each) for each in problems[:20]) if isinstance(problems, list) else (),
        )


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _name(body: Mapping[str, Any], key: str) -> str | None:
    return body[key] if isinstance(body.get(key), str) and body[key] else None


def _problem(body: Any) -> str:
    """By identifiers alone: the endpoint's words may quote a letter."""
    code, line = (body.get("code"), body.get("line")) if isinstance(body, dict) else (None, None)
    named = code if isinstance(code, str) and _CODE.fullmatch(code) else "refused"
    return f"{named} in line {line}" if isinstance(line, int) else named


@contextmanager
def _as_ours(place: EndpointLabel, patience: Patience) -> Iterator[None]:
    """The client's errors as ``CallError``."""
    try:
        yield
    except openai.APIStatusError as error:
        if error.status_code in (404, 405, 501):
            hint = (
                f"check the address{place.advice}; if it has none, work off the request files with its own tool, "
                "and read the results: extractor batch read RESULT --out DIR"
            )
            raise UsageError(f"{place.address} knows no such file, batch, or batches at all", hint=hint) from None
        raise refused(error.response, place) from None
    except (openai.OpenAIError, httpx2.HTTPError) as error:
        raise lost(error, place, patience.timeout) from None
