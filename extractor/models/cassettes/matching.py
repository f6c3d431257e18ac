"""Which recorded request is the one asked now, and what differs if none is."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from typing import Any

from extractor.models.cassettes.tapefile import parsed_json

# Where the providers' requests hold the letter, and where the schema.
_LETTER = {"messages", "contents", "input"}
_SCHEMA = {"response_format", "tools", "output_config", "generationConfig"}
# How many changed lines of one part are shown, and how many characters of each.
_MOST_LINES = 6
_WIDTH = 150


def body_sha(body: bytes) -> str:
    """Hex digest of a JSON body, ignoring spacing, escapes and key order; of the bytes if it is not JSON."""
    value = parsed_json(body)
    canonical = body if value is None else json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()


def same_method(a: Any, b: Any) -> bool:
    return bool(a.method == b.method)


def same_path(a: Any, b: Any) -> bool:
    # Not the host, nor the folder a gateway puts in front: a recording plays whatever address the endpoint has today.
    return endpoint_of(a) == endpoint_of(b)


def endpoint_of(request: Any) -> list[str]:
    """The last two parts of a request's path, e.g. ``chat`` and ``completions``."""
    return str(request.path).split("/")[-2:]


def same_body(a: Any, b: Any) -> bool:
    return a.body == b.body or body_sha(a.body) == body_sha(b.body)


# By the names under which vcrpy knows them.
MATCHERS = {"same_method": same_method, "same_path": same_path, "same_body": same_body}


def changes(old: Any, new: Any) -> list[str]:
    """What differs between two requests, in lines. Of a letter or an answer only how much, never the text."""
    if not same_method(old, new) or not same_path(old, new):
        return [f"  {old.method} {old.path} recorded, {new.method} {new.path} now"]
    before, after = parsed_json(old.body), parsed_json(new.body)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ["  the body changed"]
    lines: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        a, b = before.get(key), after.get(key)
        if a == b:
            continue
        if key in _LETTER:
            lines += _message_changes(key, a or [], b or [])
        elif isinstance(a, dict | list) or isinstance(b, dict | list):
            label = f"{key} (schema)" if key in _SCHEMA else key
            lines += _line_changes(label, "\n".join(_leaves(a)), "\n".join(_leaves(b)))
        else:
            lines.append(f"  {key}: {a!r} recorded, {b!r} now")
    return lines


def _message_changes(key: str, old: list[Any], new: list[Any]) -> list[str]:
    lines: list[str] = []
    for i, (a, b) in enumerate(zip(old, new, strict=False)):
        if a != b:
            private = b.get("role") != "system"
            lines += _line_changes(f"{key}[{i}] ({b.get('role')})", _text(a), _text(b), private)
    if len(old) != len(new):
        lines.append(f"  {key}: {len(old)} recorded, {len(new)} now")
    return lines


def _text(message: Any) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else "\n".join(_leaves(message))


def _leaves(value: Any, path: str = "") -> list[str]:
    """A tree as one line for each leaf, so that a difference names its place; a text as its lines."""
    if isinstance(value, dict) and value:
        return [line for key in sorted(value) for line in _leaves(value[key], f"{path}/{key}")]
    if isinstance(value, list) and value:
        return [line for i, inner in enumerate(value) for line in _leaves(inner, f"{path}/{i}")]
    if isinstance(value, str) and "\n" in value:
        return [f"{path}: {line}" for line in value.split("\n")]
    return [f"{path}: {json.dumps(value)}"]


def _line_changes(where: str, old: str, new: str, private: bool = False) -> list[str]:
    before, after = old.split("\n"), new.split("\n")
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    hunks = [(before[i:j], after[k:n]) for step, i, j, k, n in steps if step != "equal"]
    count = sum(len(gone) + len(come) for gone, come in hunks)
    shown = [] if private else [line for gone, come in hunks for line in _hunk(gone, come)][:_MOST_LINES]
    return [f"  {where}: {count} changed lines", *shown]


def _hunk(gone: list[str], come: list[str]) -> list[str]:
    # Of two long lines the part that differs is shown, or they would look the same.
    starts = [len(os.path.commonprefix(pair)) for pair in zip(gone, come, strict=False)]  # noqa: RUF071
    starts += [0] * (max(len(gone), len(come)) - len(starts))
    return [
        f"    {sign}{_part(line, start)}"
        for sign, lines in (("-", gone), ("+", come))
        for line, start in zip(lines, starts, strict=False)
    ]


def _part(line: str, start: int) -> str:
    if len(line) <= _WIDTH:
        return line
    first = max(0, start - 40)
    end = first + _WIDTH
    return ("..." if first else "") + line[first:end] + ("..." if end < len(line) else "")
