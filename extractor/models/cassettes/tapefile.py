"""The file format of a recording: readable YAML, JSON bodies as structure, lossless.

A prompt is written as lines and an answer as a tree, so a reviewer can read the file and its diffs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]
from vcr.request import Request  # type: ignore[import-untyped]

from extractor.errors import CassetteError
from extractor.files import output_file

# A literal block would lose these, or an editor would: blanks before a line end, control characters.
_UNSAFE = re.compile("[ \t]\n|[ \t]\\Z|\\A\\s|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff\ufffe\uffff]")
# Every tape that counts its calls ends so: half a file can be good YAML.
_END = b"\n...\n"
_TAGS = {"$lines", "$json", "$escaped", "$plain"}


def to_tree(value: Any) -> Any:
    """JSON in the form written to a tape; ``from_tree`` gives it back unchanged.

    A text that a YAML block cannot hold becomes ``{$lines: [...]}``, JSON inside a text
    ``{$json: ...}``, a text with characters that YAML lacks ``{$escaped: ...}``.
    """
    if isinstance(value, dict):
        tree = {key: to_tree(inner) for key, inner in value.items()}
        return {"$plain": tree} if len(value) == 1 and _TAGS & set(value) else tree
    if isinstance(value, list):
        return [to_tree(inner) for inner in value]
    return _text_to_tree(value) if isinstance(value, str) else value


def _text_to_tree(text: str) -> Any:
    if _SURROGATE.search(text):
        return {"$escaped": json.dumps(text)}
    if text[:1] in ("{", "["):
        value = parsed_json(text.encode())
        if isinstance(value, dict | list) and json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text:
            return {"$json": to_tree(value)}
    if "\n" in text and _UNSAFE.search(text):
        return {"$lines": text.split("\n")}
    return text


def from_tree(tree: Any) -> Any:
    """The inverse of ``to_tree``."""
    if isinstance(tree, list):
        return [from_tree(inner) for inner in tree]
    if not isinstance(tree, dict):
        return tree
    tag = next(iter(tree)) if len(tree) == 1 else ""
    match tag:
        case "$lines":
            return "\n".join(tree[tag])
        case "$escaped":
            return json.loads(tree[tag])
        case "$json":
            return json.dumps(from_tree(tree[tag]), separators=(",", ":"), ensure_ascii=False)
        case "$plain":
            return {key: from_tree(inner) for key, inner in tree[tag].items()}
    return {key: from_tree(inner) for key, inner in tree.items()}


def _body_to_tree(body: bytes) -> dict[str, Any]:
    value = parsed_json(body)
    try:
        if value is not None:
            return {"json": to_tree(value)}
    except RecursionError:
        # JSON nested this deep is not a real request or reply.
        return {"base64": base64.b64encode(body).decode()}
    try:
        return {"text": _text_to_tree(body.decode())}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _body_from_tree(tree: Mapping[str, Any]) -> bytes:
    if "json" in tree:
        return to_json(from_tree(tree["json"]))
    if "base64" in tree:
        return base64.b64decode(tree["base64"])
    return str(from_tree(tree["text"])).encode()


def to_json(value: Any) -> bytes:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":")).encode()


def parsed_json(body: bytes) -> Any:
    """A JSON value, or ``None`` if it is not JSON or would not survive a round trip (a duplicate key)."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key given twice")
        return dict(pairs)

    try:
        return json.loads(body, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None


def _dumped(tree: dict[str, Any]) -> bytes:
    """The file's bytes, proven to come back the same; what YAML cannot carry goes in as base64."""
    try:
        data = _yaml(tree)
        if _load(data) == tree:
            return data
    except (yaml.YAMLError, UnicodeError, RecursionError):
        pass
    for interaction in tree["interactions"]:
        for side in interaction.values():
            side["body"] = {"base64": base64.b64encode(_body_from_tree(side["body"])).decode()}
    return _yaml(tree)


def _yaml(tree: dict[str, Any]) -> bytes:
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, explicit_end=True)
    return text.encode()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _load(data: bytes) -> Any:
    # The C loader is 20 times faster and as safe.
    return yaml.load(data.decode(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


class _BrokenError(ValueError):
    pass


def _reason(error: Exception) -> str:
    """Why a file is not a tape, without quoting its contents."""
    where = getattr(error, "problem_mark", None)
    if where:
        return f"no YAML, line {where.line + 1}"
    match error:
        case _BrokenError():
            return str(error)
        case OSError():
            return str(error.strerror)
        case yaml.YAMLError() | UnicodeDecodeError():
            return "no YAML text"
    return "it holds no recorded calls"


def answers_sha256(responses: Sequence[Mapping[str, Any]]) -> str:
    """Hex digest of all responses of a tape, ignoring the spacing and key order of JSON: a seal on its answers."""
    answers = [[each["status"]["code"], _canonical(each["body"]["string"])] for each in responses]
    return hashlib.sha256(json.dumps(answers).encode()).hexdigest()


def _canonical(body: bytes) -> str:
    value = parsed_json(body)
    if value is None:
        return base64.b64encode(body).decode()
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class TapeSerializer:
    """A cassette of vcrpy's as the bytes of a tape, and back."""

    @staticmethod
    def serialize(tape: Mapping[str, Any]) -> bytes:
        pairs = zip(tape["requests"], tape["responses"], strict=True)
        tree = {
            "recorded": tape.get("metadata") or {},
            "interactions": [{"request": _request_to_tree(r), "response": _response_to_tree(s)} for r, s in pairs],
        }
        return _dumped(tree)

    @staticmethod
    def deserialize(data: bytes) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Requests, responses and the ``recorded:`` block. Raises an error of YAML or of Python's for anything else."""
        if not data.strip():
            raise _BrokenError("it is empty")
        if not data.endswith(b"\n"):
            raise _BrokenError("it ends in the middle of a line")
        tape = _load(data)
        recorded = dict(tape.get("recorded") or {})
        if "calls" in recorded and not data.endswith(_END):
            raise _BrokenError("its end is missing")
        requests = [i["request"] for i in tape["interactions"]]
        responses = [i["response"] for i in tape["interactions"]]
        if recorded.get("calls", len(requests)) != len(requests):
            raise _BrokenError(f"it should hold {recorded['calls']} calls, not {len(requests)}")
        played = [{**r, "body": {"string": _body_from_tree(r["body"])}} for r in responses]
        if recorded.get("answers_sha256") not in (None, answers_sha256(played)):
            raise _BrokenError("its answers are not the recorded ones: they do not fit answers_sha256 in its head")
        asked = [Request(r["method"], r["uri"], _body_from_tree(r["body"]), r["headers"]) for r in requests]
        return asked, played, recorded


class Persister:
    """vcrpy's way to a file. Reads all or raises ``CassetteError``; writes all or nothing."""

    @staticmethod
    def load_cassette(path: str, serializer: Any = TapeSerializer) -> tuple[list[Any], list[Any], dict[str, Any]]:
        try:
            requests, responses, recorded = serializer.deserialize(Path(path).read_bytes())
        except (OSError, yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            hint = "take it back from version control, or record it again"
            raise CassetteError(f"{path}: {_reason(error)}", hint=hint, code="broken_cassette") from None
        return requests, responses, recorded

    @staticmethod
    def save_cassette(path: str, tape: Mapping[str, Any], serializer: Any = TapeSerializer) -> None:
        data = serializer.serialize(tape)
        with output_file(Path(path), parents=True) as file:
            file.write(data)


class NewTapePersister(Persister):
    """The same for a new recording, which takes the place of an older one unread."""

    @staticmethod
    def load_cassette(path: str, serializer: Any = TapeSerializer) -> tuple[list[Any], list[Any], dict[str, Any]]:
        raise CassetteNotFoundError


def _request_to_tree(request: Any) -> dict[str, Any]:
    headers = dict(sorted(request.headers.items()))
    return {"method": request.method, "uri": request.uri, "headers": headers, "body": _body_to_tree(request.body)}


def _response_to_tree(response: Any) -> dict[str, Any]:
    return {**response, "body": _body_to_tree(response["body"]["string"])}
