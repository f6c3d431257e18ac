"""A request as a person reads it: the page, the fields of the answer, and a draft to fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.models.desk.conformity import Schema, resolved, type_name

ANSWER = "answer.json"
UNCHECKED = "answer.unchecked.json"
DRAFT = "answer.draft.json"
PROBLEMS = "answer.problems.md"
ABANDONED = "abandoned.txt"
# Records nest in records; a schema that refers to itself ends here.
_DEEPEST = 12


def readable(request: Mapping[str, Any], letter_id: str = "") -> str:
    """A request for the eye: how to answer, the messages in order and what each is, the fields, then the schema."""
    messages = request.get("messages") or []
    number = round_of(request)
    about = f" about {_one_line(letter_id)}" if letter_id else ""
    again = f", asked again (round {number})" if number > 1 else ""
    parts = [f"# Request to {request.get('model')}{about}{again}\n", _HOW_TO_ANSWER]
    before: list[str] = []
    for message in messages:
        role = str(message.get("role"))
        content = message.get("content")
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        parts.append(f"## {role}: {_what(role, before)}\n\n{_fenced(text)}\n")
        before.append(role)
    if (schema := schema_of(request)) is not None:
        fields = "\n".join(_fields(schema, schema.get("$defs", {}), 0))
        parts.append(f"## The fields of the answer\n\n{_FIELDS}\n\n{fields}\n")
    for key, value in request.items():
        if key not in ("messages", "model"):
            parts.append(f"## {key}\n\n{_fenced(json.dumps(value, indent=2, ensure_ascii=False))}\n")
    return "\n".join(parts)


_HOW_TO_ANSWER = f"""\
## How to answer

1. Read the prompt and the letter below. In a second round, the former answer and what was found wrong follow.
2. Copy `{DRAFT}`, which has every key, and fill in its values. `null` means: the letter does not say.
   A list of records holds one empty record: copy it for each, or leave the list empty (`[]`).
3. Save it as `{ANSWER}` in this folder. It is one JSON object with every key of the schema and no others.

It is checked before it is sent. If it is not JSON or does not fit the schema, it is not sent, and
`{PROBLEMS}` says why; correct `{ANSWER}` and save it again. What passes is sent as it is.
To send something else, unchecked (a refusal, a broken answer), save it as `{UNCHECKED}` instead.
There is no hurry: whoever asked keeps waiting. `{ABANDONED}` in this folder means that nobody waits any more.
"""
_FIELDS = "In the order of the schema, which follows in full."


def round_of(request: Mapping[str, Any]) -> int:
    """1 for a first question, 2 and more where former answers are sent back."""
    roles = [message.get("role") for message in request.get("messages") or []]
    return 1 + int(roles.count("assistant"))


def schema_of(request: Mapping[str, Any]) -> Schema | None:
    """The schema that an answer to a request has to fit; ``None`` if the request has none."""
    try:
        if request.get("tools"):
            found = request["tools"][0]["function"]["parameters"]
        else:
            found = request["response_format"]["json_schema"]["schema"]
    except (LookupError, TypeError, AttributeError):
        return None
    return found if isinstance(found, dict) else None


def draft_answer(request: Mapping[str, Any]) -> Any:
    """An answer with every key of a request's schema and null for every value; ``None`` if it has no schema.

    In a later round it is the former answer, where that has the keys of the schema.
    """
    schema = schema_of(request)
    if schema is None:
        return None
    former = _former_answer(request)
    if isinstance(former, dict) and former.keys() == schema.get("properties", {}).keys():
        return former
    try:
        return _draft(schema, schema.get("$defs", {}), 0)
    except (LookupError, TypeError, AttributeError):
        return None


def draft_file(request: Mapping[str, Any]) -> bytes | None:
    """The draft as the content of a file."""
    draft = draft_answer(request)
    if draft is None:
        return None
    return (json.dumps(draft, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _former_answer(request: Mapping[str, Any]) -> Any:
    texts = [each.get("content") for each in request.get("messages") or [] if each.get("role") == "assistant"]
    try:
        return json.loads(texts[-1]) if texts else None
    except (TypeError, ValueError, RecursionError):
        return None


def _draft(node: Schema, defs: Mapping[str, Schema], depth: int) -> Any:
    node = resolved(node, defs)
    if "anyOf" in node:
        records = [each for each in (resolved(one, defs) for one in node["anyOf"]) if each.get("type") == "object"]
        if len(records) > 1:
            # One of several kinds of record: their common keys, and no kind chosen.
            return dict.fromkeys(records[0].get("properties", {}))
        return _draft(records[0], defs, depth) if records else None
    if "const" in node:
        return node["const"]
    if node.get("type") == "object" and depth < _DEEPEST:
        return {name: _draft(inner, defs, depth + 1) for name, inner in node.get("properties", {}).items()}
    if node.get("type") == "array":
        entry = _draft(node.get("items", {}), defs, depth + 1)
        return [entry] if isinstance(entry, dict) else []
    return None


def _fields(node: Schema, defs: Mapping[str, Schema], depth: int) -> Iterator[str]:
    """The fields of a record, one line each, those of records inside indented below it."""
    for name, inner in node.get("properties", {}).items():
        found = resolved(inner, defs)
        about = inner.get("description") or found.get("description")
        kind = _kind(found, defs)
        yield f"{'  ' * depth}- `{name}`: {kind}" + (f". {_one_line(about)}" if isinstance(about, str) else "")
        for record in _records_in(found, defs):
            if depth < _DEEPEST:
                yield from _fields(record, defs, depth + 1)


def _kind(node: Schema, defs: Mapping[str, Schema]) -> str:
    node = resolved(node, defs)
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_kind(each, defs) for each in node["anyOf"]))
    if node.get("type") == "array":
        return f"list of {_kind(node.get('items', {}), defs)}"
    return "record" if node.get("type") == "object" else type_name(node)


def _records_in(node: Schema, defs: Mapping[str, Schema]) -> Iterator[Schema]:
    node = resolved(node, defs)
    if node.get("type") == "object":
        yield node
    for inner in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else ())):
        yield from _records_in(inner, defs)


def _what(role: str, before: list[str]) -> str:
    """What a message is, by its role and the roles before it."""
    if role == "assistant":
        return "the former answer"
    if role != "user":
        return "the prompt"
    if "assistant" in before:
        return "what was found wrong with it"
    return "notes to the letter" if "user" in before else "the letter"


def _fenced(text: str) -> str:
    # Longer than any fence inside, so that a letter cannot end it.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
