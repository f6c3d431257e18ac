"""What goes wrong between us and an endpoint, as errors of ours.

An HTTP status, a lost connection, a reply that is not JSON: each with a stable code, whether another
call may help, and the pause the endpoint asked for. The providers' error bodies differ only in the
names of a few keys, so one reading serves all.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from extractor.errors import ExtractorError, ModelError, TransportError
from extractor.models.replies import malformed


@dataclass(frozen=True)
class EndpointLabel:
    """How messages name an endpoint; ``advice`` ends the hint where the address may be wrong."""

    name: str
    address: str
    key_variable: str
    advice: str = ""


class CallError(Exception):
    """One call that failed: the error to report, whether another call may help, and the pause asked for (s)."""

    def __init__(self, error: ModelError, *, again: bool = False, pause: float | None = None) -> None:
        super().__init__(error.code)
        self.error = error
        self.again = again
        self.pause = pause


# ---- the endpoint refuses --------------------------------------------------------------------

# The code of: not so fast.
REFUSED = "rate_limited"
# Codes by HTTP status, where the status alone is enough.
_STATUS = {
    401: ("auth", "the endpoint does not accept the key", "check {key} and that it belongs to this address"),
    402: ("quota", "the account's quota is used up", "check the plan and billing of this key"),
    403: ("forbidden", "the key may not use this model", "check the project and region this key is for"),
    404: ("unknown_model", "the endpoint knows no such model or path", "check the model name{advice}"),
    408: ("timeout", "the endpoint gave up waiting", "try again later, or lower --concurrency"),
    409: ("server", "the endpoint reported a conflict", "try again later"),
    429: (REFUSED, "the endpoint kept asking to slow down", "run again later, or give a lower --rpm"),
}
_AGAIN = frozenset({408, 409, 429})
# Words in the body that mean another status than the one they came with.
_MEANT = (
    (402, re.compile(r"insufficient_quota|billing_error|credit balance is too low|PerDayPer")),
    (401, re.compile(r"API_KEY_INVALID|API key not valid")),
)
_TOO_LONG = re.compile(
    r"(?i)context[ _-](length|size|window)|maximum context|too many tokens|exceeds?_context"
    r"|prompt is too long|exceeds the maximum number of tokens"
)
_FILTERED = re.compile(r"content_filter")
_NO_PARAMETERS = frozenset({"mode", "base_url", "api_version"})
_ABOUT_SCHEMA = re.compile(r"(?i)response_format|json_schema|\bschema\b|output_config|responseJsonSchema|grammar")
_IDENTIFIER = re.compile(r"[\w.\-\[\]]{1,60}")
_RETRY_DELAY = re.compile(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"')


def refused(response: httpx2.Response, place: EndpointLabel, *, inside: bool = False) -> CallError:
    """An HTTP status as our error. Only identifiers of the endpoint's text are kept: it may quote the letter.

    ``inside``: the status was named in the body of a response that called itself a success.
    """
    status, body = response.status_code, response.text
    kind = "error inside HTTP 200, like" if inside else "HTTP"
    where = f"{place.name}: {kind} {status}" + _identifiers(body)
    pause = retry_after(response.headers)
    if pause is None and (delay := _RETRY_DELAY.search(body)):
        pause = float(delay[1])
    if 400 <= status < 500:
        status = next((meant for meant, words in _MEANT if words.search(body)), status)
    if status in _STATUS:
        code, message, hint = _STATUS[status]
        hint = hint.format(key=place.key_variable, advice=place.advice)
        return CallError(
            TransportError(f"{message} ({where})", hint=hint, code=code), again=status in _AGAIN, pause=pause
        )
    if 300 <= status < 400:
        message, hint = "the address points somewhere else", "use the address it points to; nothing was sent there"
        return CallError(TransportError(f"{message} ({where})", hint=hint, code="moved"))
    if status >= 500:
        failing = TransportError(f"the endpoint failed ({where})", hint="try again later", code="server")
        return CallError(failing, again=True, pause=pause)
    if status == 413 or _TOO_LONG.search(body):
        hint = "use a model with a longer context, or lower max_tokens"
        return CallError(ModelError(f"letter and prompt are too long ({where})", hint=hint, code="context_length"))
    if _FILTERED.search(body):
        hint = "try another model, or read this letter by hand"
        return CallError(
            ModelError(f"the content filter refused the letter ({where})", hint=hint, code="content_filter")
        )
    hint = "check the parameters; which modes the endpoint knows: extractor doctor --model " + place.name
    return CallError(ModelError(f"the endpoint refused the request ({where})", hint=hint, code="bad_request"))


def unanswered(place: EndpointLabel) -> CallError:
    """An answer desk where the answer of a request has not been written."""
    message = f"no answer file was written at the answer desk for this letter ({place.name})"
    hint = "save answer.json in the request's folder in the inbox, and run the same command again"
    return CallError(TransportError(message, hint=hint, code="unanswered"))


def settings_error(error: ModelError, response: httpx2.Response, settings: Mapping[str, Any], model: str) -> ModelError:
    """A ``bad_request`` with the setting to change in its hint, where the endpoint's words name one of ``settings``."""
    words, line = response.text[:20_000], f'[models."{model}"] in workspace.toml'
    named = next((name for name in settings if name not in _NO_PARAMETERS and re.search(rf"\b{name}\b", words)), None)
    if named == "max_tokens" and "max_completion_tokens" in words:
        hint = f"write max_completion_tokens in place of max_tokens in params under {line}"
    elif named:
        hint = f"change or remove {named} in params under {line}"
    elif _ABOUT_SCHEMA.search(words):
        hint = f"set another mode under {line}; extractor doctor --model {model} finds one that works"
        return ModelError(error.message, hint=hint, code=error.code)
    else:
        return error
    return ModelError(f"the endpoint refuses the parameter {named}: {error.message}", hint=hint, code="settings")


def _identifiers(text: str) -> str:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    body = body[0] if isinstance(body, list) and body else body
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    parts = ((key, error.get(key)) for key in ("code", "type", "param", "status"))
    return "".join(f", {k}={v}" for k, v in parts if isinstance(v, str) and _IDENTIFIER.fullmatch(v))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait; ``None`` if it names no time."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", value):
            return float(value) * unit
        try:
            moment = parsedate_to_datetime(value)
            seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, LookupError, OverflowError, OSError):
            continue
        return max(0.0, seconds)
    return None


# ---- no response, or half of one ------------------------------------------------


def lost(error: BaseException, place: EndpointLabel, timeout: float) -> CallError:
    """A connection that failed as our error."""
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain(error)):
        message = f"the certificate of {place.address} is not trusted"
        hint = "set SSL_CERT_FILE to the file of the certificate authority that signed it"
        return CallError(TransportError(message, hint=hint, code="certificate"))
    if _timed_out(error):
        message, hint = f"no answer from {place.address} within {timeout:g} s", "raise the timeout"
        failure = TransportError(message, hint=f"{hint}, or lower --concurrency", code="timeout")
        return CallError(failure, again=True)
    message = f"cannot reach {place.address}, or it hung up"
    failure = TransportError(message, hint="check the address and the network", code="unreachable")
    return CallError(failure, again=True)


def _timed_out(error: BaseException) -> bool:
    # The aiohttp transport calls every lost connection a ConnectTimeout, so the SDKs call it a
    # timeout: the root cause shows whether one expired.
    causes = list(chain(error))
    return isinstance(causes[-1], httpx2.TimeoutException) or any(isinstance(each, TimeoutError) for each in causes)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def own_error(error: BaseException) -> ExtractorError | None:
    """The error of ours that a client has wrapped, such as a transport's ``CassetteError``."""
    return next((each for each in chain(error) if isinstance(each, ExtractorError)), None)


def error_response(error: BaseException) -> httpx2.Response | None:
    """The response whose status a client has wrapped."""
    return next((each.response for each in chain(error) if isinstance(each, httpx2.HTTPStatusError)), None)


def parsed(response: httpx2.Response, place: EndpointLabel) -> dict[str, Any]:
    """A reply as JSON, a key given twice kept twice (``Doubled``).

    One that broke off or came from a gateway is a fault of the connection: ``CallError``, to be sent
    again. An object that arrived whole and is not JSON would arrive the same way again: ``ReplyError``, which keeps it.
    """
    body, pause = response.content, retry_after(response.headers)
    try:
        completion = json.loads(body, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as wrong:
        completion = None
        if body.lstrip()[:1] in (b"{", b""):
            if not _broke_off(wrong):
                raise malformed(body.decode("utf-8", "replace")) from None
            message = "the reply broke off in the middle"
            hint = "try again; if it stays, look for a proxy in between"
            broken = TransportError(message, hint=hint, code="truncated_body")
            raise CallError(broken, again=True, pause=pause) from None
    if not isinstance(completion, dict):
        hint = f"check the address: a proxy or a web page answered{place.advice}"
        error = TransportError("the reply is no JSON object", hint=hint, code="bad_gateway_body")
        raise CallError(error, again=True, pause=pause)
    return completion


def _broke_off(wrong: Exception) -> bool:
    """Whether a text stopped being JSON only at its end."""
    if not isinstance(wrong, json.JSONDecodeError):
        return False
    return wrong.msg.startswith("Unterminated string") or not wrong.doc[wrong.pos :].strip()


class Doubled(dict[str, Any]):
    """An object that gives one key twice; ``items``, and with it ``json.dumps``, gives all of them.

    Anthropic and Gemini send an answer as an object, not as text: what is wrong with it must not
    be lost before it is checked.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)
