"""What is sent to an endpoint: the schema and the body of a request.

Nothing here opens a connection or imports an LLM package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from extractor.errors import LetterTypeError
from extractor.models.model import Question

# ---- schema ----------------------------------------------------------------------------------

# What strict decoding accepts. Anything else is refused here, with a path, instead of by the
# provider with a bare 400.
_SHAPE = {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs"}
_BOUNDS = {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
_LENGTHS = {"minLength", "maxLength"}
_KEYWORDS = _SHAPE | _BOUNDS | _LENGTHS | {"description", "pattern", "format"}
_NOISE = {"title", "default", "examples"}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
_LOOKAROUND = re.compile(r"\(\?<?[=!]")
_MAX_DEPTH = 40
# Characters of a former reply that a correction sends back; no letter's answer comes near it.
_MOST_SENT_BACK = 100_000


def strict_schema(model: type[BaseModel], *, lengths: bool) -> dict[str, Any]:
    """The JSON schema of ``model`` in the form that strict decoding accepts.

    ``lengths`` keeps ``minLength`` and ``maxLength``: grammars of local servers need them, the
    provider's own endpoint may refuse them. Raises ``LetterTypeError`` for what strict decoding
    cannot express: a field that may be left out, a free-form map, a set, a tuple, ``oneOf`` ...
    """
    raw = model.model_json_schema()
    return _Strict(raw.get("$defs", {}), lengths).node(raw, model.__name__, 0)


@dataclass(frozen=True)
class _Strict:
    defs: Mapping[str, Any]
    lengths: bool

    def node(self, node: Any, path: str, depth: int) -> dict[str, Any]:
        if not isinstance(node, dict) or depth > _MAX_DEPTH:
            raise LetterTypeError(f"{path}: the schema cannot be sent", hint="a shape that strict decoding lacks")
        if "$ref" in node and any(key != "$ref" and key not in _NOISE for key in node):
            # A reference may not have siblings on the wire: put the definition in its place.
            target = self.defs[node["$ref"].removeprefix("#/$defs/")]
            return self.node({**target, **{k: v for k, v in node.items() if k != "$ref"}}, path, depth + 1)
        kept = {k: v for k, v in node.items() if k not in _NOISE and (self.lengths or k not in _LENGTHS)}
        self._refuse(kept, path)
        return {key: self._value(key, value, path, depth + 1) for key, value in kept.items()}

    def _value(self, key: str, value: Any, path: str, depth: int) -> Any:
        if key in ("properties", "$defs"):
            # Names here are ours, not keywords: a property called "title" stays.
            return {name: self.node(inner, f"{path}.{name}", depth) for name, inner in value.items()}
        if key == "items":
            return self.node(value, f"{path}[]", depth)
        if key == "anyOf":
            return [self.node(inner, path, depth) for inner in value]
        return value

    @staticmethod
    def _refuse(node: Mapping[str, Any], path: str) -> None:
        unknown = sorted(set(node) - _KEYWORDS)
        if unknown:
            raise LetterTypeError(
                f"{path}: strict decoding refuses {', '.join(unknown)}",
                hint="use plain types, lists, nested records, Literal and `X | None`; no sets, tuples, dicts",
            )
        if node.get("type") == "object":
            _refuse_object(node, path)
        elif not node.keys() & {"type", "anyOf", "enum", "const", "$ref", "$defs"}:
            raise LetterTypeError(f"{path}: has no type", hint="give it a plain type instead of Any")
        if node.get("format", "date") not in _FORMATS:
            raise LetterTypeError(f"{path}: strict decoding refuses format {node['format']!r}")
        if _LOOKAROUND.search(str(node.get("pattern", ""))):
            raise LetterTypeError(f"{path}: strict decoding refuses lookaround in a pattern")


def _refuse_object(node: Mapping[str, Any], path: str) -> None:
    if node.get("additionalProperties", True) is not False:
        raise LetterTypeError(f"{path}: allows unknown keys", hint='derive it from StrictModel, or set extra="forbid"')
    left_out = [name for name in node.get("properties", {}) if name not in node.get("required", ())]
    if left_out:
        raise LetterTypeError(
            f"{path}: may be left out: {', '.join(left_out)}", hint="write `X | None` without a default"
        )


# ---- request ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Template:
    """The part of a request that does not change from letter to letter, serialised once.

    It ends where the messages of one letter begin, so the endpoint gets the same long prefix
    every time and can reuse it.
    """

    head: bytes

    @classmethod
    def of(cls, fields: Mapping[str, Any], system: Any = None) -> Template:
        """``fields``: all keys of the request but ``messages``; ``system``: what the system message holds, if any."""
        first = [] if system is None else [{"role": "system", "content": system}]
        start = dump({**fields, "messages": first}).removesuffix(b"]}")
        return cls(start + b"," if first else start)

    def body(self, question: Question) -> bytes:
        """The whole request for one letter. The letter is one message of its own, unchanged."""
        return self.head + b",".join(dump(message) for message in letter_messages(question)) + b"]}"


def letter_messages(question: Question) -> list[dict[str, str]]:
    """The messages after the system message: the letter, then former replies and what was wrong with them."""
    messages = [{"role": "user", "content": text} for text in (question.letter, question.notes) if text]
    for correction in question.corrections:
        messages.append({"role": "assistant", "content": correction.reply[:_MOST_SENT_BACK]})
        messages.append({"role": "user", "content": correction.message})
    return messages


def dump(value: Any) -> bytes:
    """Compact JSON in ASCII: any text survives it, even a lone surrogate, which UTF-8 cannot carry."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
