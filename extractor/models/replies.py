"""What comes back from an endpoint: a completion, and in it the raw text of an answer.

A reply may have any shape. One that no parser expects is a failure of that reply alone: it has a
code, keeps what came, and the letters beside it go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from extractor.errors import ModelError
from extractor.models.model import Reply, Usage

# More than any model takes or gives in one call; larger counts are no counts.
_MOST_TOKENS = 1_000_000_000
_LONGEST_FINISH = 60
_LONGEST_NAME = 200
# How servers of the OpenAI shape name an answer that was cut off.
_CUT_OFF = frozenset({"length", "model_length", "max_tokens"})
# What may follow a model's name in the name of one of its versions: -2025-08-07, -20250807, -001, -preview-05-06,
# @20250807, :latest. A word such as -mini is another model.
_VERSION = re.compile(r"(?:[-@:](?:\d{2,8}|v\d+|latest|preview|exp))+(?::0)?")


class ReplyError(ModelError):
    """The endpoint answered, but with nothing that can be used. It may have cost tokens.

    ``reply`` keeps what came back (a cut-off answer, a refusal, an odd body) and its usage. Codes:
    ``empty_choices``, ``refusal``, ``content_filter``, ``truncated``, ``two_tool_calls``, ``no_answer``,
    ``malformed``, ``too_large``.
    """

    def __init__(self, code: str, reply: Reply) -> None:
        message, hint = unusable(code)
        super().__init__(message, hint=hint, code=code)
        self.reply = reply


_UNUSABLE = {
    "empty_choices": (
        "the endpoint answered without any choice",
        "ask again; if it stays, look at the endpoint's own log",
    ),
    "refusal": ("the model refused to answer", "try another model, or read this letter by hand"),
    "content_filter": (
        "the endpoint's content filter stopped the answer",
        "try another model, or read this letter by hand",
    ),
    "truncated": (
        "the answer was cut off at the token limit",
        "raise the limit in params of the model in workspace.toml (max_tokens, max_completion_tokens or "
        "max_output_tokens, as the endpoint calls it), or the context of your own server",
    ),
    "two_tool_calls": ("the model gave more than one answer (several tool calls)", "use the mode json_schema"),
    "no_answer": ("the model's message holds no answer", "try another mode: json_schema, json_schema_loose, tools"),
    "too_large": (
        "the reply is larger than any answer",
        "look at the endpoint's own log; max_reply_bytes of the model in workspace.toml is the limit",
    ),
    "malformed": ("the reply does not have the shape of a completion", "look at the endpoint's own log and version"),
}


def unusable(code: str) -> tuple[str, str]:
    """What a code of an unusable reply means, and what to do about it."""
    return _UNUSABLE.get(code, (f"the model's reply cannot be used: {code}", "ask again with --retry failed"))


def read_reply(read: Callable[[Mapping[str, Any]], Reply], completion: Mapping[str, Any]) -> Reply:
    """What a provider's parser finds in a completion.

    Raises ``ReplyError``; where its parser met a shape it does not know, with the code ``malformed``.
    An unusable reply without a text keeps the whole completion as its text.
    """
    try:
        return read(completion)
    except ReplyError as failure:
        failure.reply = replace(failure.reply, text=failure.reply.text or as_text(completion))
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise malformed(as_text(completion)) from None


def malformed(text: str, usage: Usage | None = None) -> ReplyError:
    """The error for a reply in no known shape; ``text`` is what came."""
    return ReplyError("malformed", Reply(text, usage or Usage(), "malformed"))


# The HTTP status that an error body means, by the words it names itself with; the first that fits.
_NAMED_ERRORS = (
    (402, re.compile(r"insufficient.?(quota|credit|fund)|billing|payment")),
    (429, re.compile(r"rate.?limit|too.?many.?requests|resource.?exhausted|slow.?down|throttl")),
    (503, re.compile(r"overload|unavailable|capacity")),
    (401, re.compile(r"authenticat|api.?key|unauthorized")),
    (403, re.compile(r"permission|forbidden")),
    (404, re.compile(r"not.?found")),
    (400, re.compile(r"invalid.?(request|argument|value|param)|bad.?request|context.?length|content.?filter")),
)
_UNNAMED = 502


def error_status(completion: Mapping[str, Any]) -> int | None:
    """The HTTP status of an error sent in place of an answer; ``None`` if there is no such error.

    Gateways send errors of the endpoint behind them with status 200. One that gives no status and no
    known name is the gateway's own trouble (502).
    """
    choices = completion.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    error = completion.get("error") if not first else first.get("error") if isinstance(first, dict) else None
    if not error or completion.get("content") or completion.get("candidates"):
        return None
    named = error if isinstance(error, dict) else {"message": error}
    for value in (*(named.get(key) for key in ("code", "status", "status_code")), completion.get("code")):
        number = int(value) if isinstance(value, str) and re.fullmatch("[45][0-9]{2}", value) else value
        if type(number) is int and 400 <= number <= 599:
            return number
    words = " ".join(str(named.get(key))[:200] for key in ("code", "type", "status", "message")).lower()
    return next((status for status, name in _NAMED_ERRORS if name.search(words)), _UNNAMED)


# How the answer desk says that an answer is still to be written.
NO_ANSWER_YET = "no_answer_yet"


def is_unanswered(status: int, body: str) -> bool:
    """Whether an answer desk has no answer yet: nothing failed, and asking again is what it expects."""
    return status == 503 and NO_ANSWER_YET in body[:1_000]


def as_text(value: Any) -> str:
    """A JSON value as text; empty if it nests too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def read_completion(completion: Mapping[str, Any]) -> Reply:
    """The answer's raw text in a chat completion, and what it cost. Raises ``ReplyError``; never parses the answer."""
    usage = _usage(completion.get("usage"))
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ReplyError("empty_choices", Reply("", usage, "none"))
    message = choices[0].get("message")
    message = message if isinstance(message, dict) else {}
    finish = finish_reason(choices[0].get("finish_reason"), "stop")
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise malformed("", usage)
    reply = Reply(_text(message, calls), usage, finish, model=model_name(completion.get("model")))
    if refusal := message.get("refusal"):
        text = refusal if isinstance(refusal, str) else as_text(refusal)
        raise ReplyError("refusal", Reply(text, usage, finish))
    if finish == "content_filter":
        raise ReplyError("content_filter", reply)
    return one_answer(reply, calls, cut_off=finish in _CUT_OFF)


def one_answer(reply: Reply, calls: Sequence[Any], *, cut_off: bool) -> Reply:
    """The reply, if it holds one whole answer; ``calls`` are its tool calls. Raises ``ReplyError``."""
    if cut_off:
        raise ReplyError("truncated", reply)
    if len(calls) > 1:
        raise ReplyError("two_tool_calls", reply)
    if not reply.text.strip():
        raise ReplyError("no_answer", reply)
    return reply


def finish_reason(value: Any, default: str) -> str:
    """Why the model stopped, as the endpoint names it; ``default`` if it does not."""
    if isinstance(value, str):
        return value[:_LONGEST_FINISH] or default
    return default if value is None else "unknown"


def model_name(value: Any) -> str:
    """The model that answered, as the endpoint names it, on one line; empty if it does not."""
    name = value[:_LONGEST_NAME] if isinstance(value, str) else ""
    return "".join(each if each.isprintable() else "?" for each in name)


def other_model(asked: str, answered: str) -> str:
    """The name of the model that answered, if it is not the one that was asked; else empty.

    A dated version of the model and its name with or without a publisher are the same model.
    """
    wanted, given = (name.casefold().removeprefix("models/") for name in (asked, answered))
    same = given == wanted or given.endswith(f"/{wanted}") or wanted.endswith(f"/{given}")
    dated = given.startswith(wanted) and _VERSION.fullmatch(given, len(wanted))
    return "" if same or dated or not given else answered


def token_count(counts: Any, name: str) -> int | None:
    """One count of a usage block; ``None`` if it is missing or not a count."""
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _text(message: Mapping[str, Any], calls: Sequence[Any]) -> str:
    if calls:
        function = calls[0].get("function") if isinstance(calls[0], dict) else None
        text = function.get("arguments") if isinstance(function, dict) else None
        # Some servers send the arguments as an object.
        return as_text(text) if isinstance(text, dict) else text if isinstance(text, str) else ""
    text = _joined(message.get("content"))
    if text.strip():
        return text
    # Some servers put the whole answer of a model that thinks where its thoughts should be.
    thoughts = (_joined(message.get(key)) for key in ("reasoning_content", "reasoning"))
    return next((each for each in thoughts if _is_object(each)), text)


def _joined(content: Any) -> str:
    """A message's text, which may come in parts."""
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict) and part.get("type", "text") == "text")
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def unwrapped(text: str) -> tuple[str, str] | None:
    """A JSON object without the one wrapper around it, and what the wrapper was; ``None`` if it has none.

    A wrapper is a byte order mark, a block of thoughts in front, or a code fence around the whole.
    """
    for wrapper, pattern in _WRAPPERS.items():
        if (match := pattern.fullmatch(text)) and _is_object(match[1]):
            return match[1], wrapper
    return None


_WRAPPERS = {
    "a byte order mark": re.compile(r"\s*\ufeff(.*)", re.DOTALL),
    "a block of thoughts": re.compile(r"\s*(?:<think(?:ing)?>)?(?:(?!</think).)*</think(?:ing)?>(.*)", re.DOTALL),
    "a code fence": re.compile(r"\s*```[a-zA-Z]*[ \t]*\r?\n(.*)\n[ \t]*```\s*", re.DOTALL),
}


def _usage(usage: Any) -> Usage:
    taken, given, total = (token_count(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if taken is not None and given is not None and total is not None:
        # Some endpoints count hidden thinking in the total alone; it is billed as output.
        given = max(given, total - taken)
    details = usage if isinstance(usage, dict) else {}
    prompt, completion = details.get("prompt_tokens_details"), details.get("completion_tokens_details")
    return Usage(
        taken,
        given,
        cached_tokens=_first_count((prompt, "cached_tokens"), *((usage, name) for name in _CACHE_READ)),
        reasoning_tokens=token_count(completion, "reasoning_tokens"),
        cache_write_tokens=_first_count(*((prompt, name) for name in _CACHE_WRITE), (usage, _CACHE_CREATED)),
    )


# How gateways in front of other providers name what was read from a cache or written to it.
_CACHE_READ = ("cache_read_input_tokens", "prompt_cache_hit_tokens")
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_tokens")
_CACHE_CREATED = "cache_creation_input_tokens"


def _first_count(*places: tuple[Any, str]) -> int | None:
    """The first count that is given."""
    return next((count for counts, name in places if (count := token_count(counts, name)) is not None), None)
