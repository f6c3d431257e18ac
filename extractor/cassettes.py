"""Recorded answers: one tape per letter x prompt x model, replayed without a network.

vcrpy keeps the interactions; a transport of our own, chosen by a ContextVar, decides which tape a
request belongs to. Nothing is patched, so any number of letters may be under way at once.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx2
from vcr.cassette import Cassette  # type: ignore[import-untyped]
from vcr.filters import decode_response  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]
from vcr.request import Request  # type: ignore[import-untyped]

from extractor.errors import CassetteError
from extractor.tapefile import Persister, parsed_json, to_json

# vcrpy logs whole interactions at info level, and with them letters.
logging.getLogger("vcr").setLevel(logging.WARNING)

_CURRENT: ContextVar[Tape | None] = ContextVar("tape", default=None)


def tape_path(root: Path, prompt: str, model: str, letter_id: str) -> Path:
    """Where a tape lies: ``root/prompt/model/letter.yaml``, with ``/`` in a name written ``__``."""
    prompt, model, letter_id = (re.sub(r"[/\\]", "__", name) for name in (prompt, model, letter_id))
    return root / prompt / model / f"{letter_id}.yaml"


def transport() -> httpx2.AsyncHTTPTransport:
    """A transport that answers from, or records to, the tape that is open around the request."""
    return _TapeTransport()


class Tape:
    """The recording of one letter, asked with one prompt of one model. Open it around the asking.

    ``mode`` is ``replay`` (never opens a connection) or ``record`` (a new tape replaces the old one
    when the block ends well; if it fails, or the last call did not get through, the old one stays).
    ``recorded`` is written first into a new tape: hashes, versions, date, as the caller knows them.

    A request inside the block raises ``CassetteError`` with code ``missing_cassette``,
    ``stale_cassette``, ``used_up_cassette`` or ``broken_cassette``.
    """

    def __init__(
        self,
        root: Path,
        letter_id: str,
        prompt: str,
        model: str,
        *,
        mode: str = "replay",
        recorded: Mapping[str, Any] | None = None,
    ) -> None:
        if mode not in ("replay", "record"):
            raise ValueError(f"unknown mode {mode!r}: replay or record")
        self.path = tape_path(root, prompt, model, letter_id)
        self.recorded = dict(recorded or {})
        self.recording = mode == "record"
        self._what = f"letter {letter_id} x prompt {prompt} x model {model}"
        self._command = f"extractor record --prompt {prompt} --model {model} --letter {letter_id} [PATH of the letters]"
        self._cassette: Any = None
        self._got_through = True
        self._token: Token[Tape | None] | None = None

    def __enter__(self) -> Self:
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)
        if self.recording and kind is None and self._got_through and self._cassette is not None:
            self._cassette._metadata.update(self.recorded)
            self._cassette._save()

    @property
    def unplayed(self) -> int:
        """How many recorded interactions were not asked for in a replay; 0 if nothing was asked at all."""
        tape = self._cassette
        return 0 if tape is None or self.recording else sum(not tape.play_counts[i] for i in range(len(tape)))

    def _open(self) -> Any:
        # Not before the first request: a letter that is never asked needs no tape.
        if self._cassette is None:
            match = (_same_method, _same_path, _same_body)
            mode = RecordMode.ALL if self.recording else RecordMode.NONE
            self._cassette = Cassette(str(self.path), persister=Persister, record_mode=mode, match_on=match)
            if not self.recording:
                if not self.path.is_file():
                    raise self._error("missing", f"  expected at {self.path}", "record it with")
                self._cassette._load()
        return self._cassette

    def replay(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        """The recorded response to ``request``. Raises ``CassetteError``."""
        cassette, asked = self._open(), _scrubbed_request(request, body)
        if cassette.can_play_response_for(asked):
            return _response(cassette.play_response(asked))
        recorded = [each for each, _ in cassette.data]
        if any(_same_body(asked, each) for each in recorded):
            what = f"  {self.path}\n  the same request was recorded {len(recorded)} time(s), and all are played"
            raise self._error("used_up", what, "re-record with")
        changes = min((_changes(each, asked) for each in recorded), key=len, default=["  it holds no interaction"])
        raise self._error("stale", "\n".join([f"  {self.path}", *changes]), "re-record with")

    def record(self, request: httpx2.Request, body: bytes, response: httpx2.Response, data: bytes) -> None:
        """Keep one interaction, scrubbed."""
        self._got_through = response.status_code < 400 or response.status_code in (400, 413, 422)
        secret = request.headers.get("authorization", "").rpartition(" ")[2]
        headers: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            headers.setdefault(name.lower(), []).append(value)
        status = {"code": response.status_code, "message": response.reason_phrase}
        kept = _scrubbed_response({"status": status, "headers": headers, "body": {"string": data}}, secret)
        self._open().append(_scrubbed_request(request, body), kept)

    def lost(self) -> None:
        """The last call did not get through: there is nothing to keep, and the tape is not whole."""
        self._got_through = False

    def _error(self, kind: str, details: str, advice: str) -> CassetteError:
        message = f"{kind.replace('_', ' ')} cassette: {self._what}\n{details}"
        return CassetteError(message, hint=f"{advice}: {self._command}", code=f"{kind}_cassette")


class _TapeTransport(httpx2.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        tape = _CURRENT.get()
        if tape is None:
            hint = "open a Tape around the request"
            raise CassetteError("a request was made while no cassette is open", hint=hint, code="no_cassette")
        body = await request.aread()
        if not tape.recording:
            return tape.replay(request, body)
        # A compressed reply could not be read in the tape.
        request.headers["accept-encoding"] = "identity"
        tape.lost()
        response = await super().handle_async_request(request)
        data = b"".join([chunk async for chunk in response.stream])  # type: ignore[union-attr]
        await response.aclose()
        tape.record(request, body, response, data)
        return httpx2.Response(response.status_code, headers=response.headers, stream=httpx2.ByteStream(data))


def _response(played: Any) -> httpx2.Response:
    headers = [(name, value) for name, values in played["headers"].items() for value in values]
    headers = [(name, value) for name, value in headers if not name.startswith("retry-after")]
    # What was waited for once need not be waited for again.
    headers.append(("retry-after-ms", "0"))
    body = httpx2.ByteStream(played["body"]["string"])
    return httpx2.Response(played["status"]["code"], headers=headers, stream=body)


# ---- scrubbing: what is not on the list is not kept ---------------------------------------------

_RESPONSE_HEADERS = {"content-type", "content-encoding", "retry-after", "retry-after-ms", "openai-processing-ms"}
_SECRET_QUERY = {"key", "api-key", "api_key", "access_token", "token", "sig", "signature"}
# Only in error texts: there providers name the account; in an answer it could be a word of the letter.
_ACCOUNT = re.compile(rb"\b(org|proj|req|sk)([-_])[A-Za-z0-9_*-]*[0-9*][A-Za-z0-9_*-]*")
_GONE = "scrubbed"


def _scrubbed_request(request: httpx2.Request, body: bytes) -> Any:
    url = urlsplit(str(request.url))
    query = urlencode([(k, v) for k, v in parse_qsl(url.query) if k.lower() not in _SECRET_QUERY])
    uri = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, query, ""))
    headers = {k: v for k, v in request.headers.items() if k.lower() == "content-type"}
    return Request(request.method, uri, body, headers)


def _scrubbed_response(response: dict[str, Any], secret: str) -> dict[str, Any]:
    response = decode_response(response)
    body: bytes = response["body"]["string"]
    if response["status"]["code"] >= 400:
        body = _ACCOUNT.sub(rb"\1\2" + _GONE.encode(), body)
    else:
        body = _without_ids(body)
    if len(secret) >= 8:
        body = body.replace(secret.encode(), _GONE.encode())
    headers = {k: v for k, v in sorted(response["headers"].items()) if k in _RESPONSE_HEADERS}
    return {"status": response["status"], "headers": headers, "body": {"string": body}}


def _without_ids(body: bytes) -> bytes:
    """Blank what differs between two equal answers, so that recording again changes nothing."""
    value = parsed_json(body)
    if not isinstance(value, dict) or not {"id", "created"} & set(value):
        return body
    blanks = {"id": _GONE, "created": 0}
    return to_json({key: blanks.get(key, inner) for key, inner in value.items()})


# ---- matching -----------------------------------------------------------------------------------


def body_sha(body: bytes) -> str:
    """Hex digest of a JSON body, however it was spaced, escaped and ordered; of the bytes if it is no JSON."""
    value = parsed_json(body)
    canonical = body if value is None else json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()


def _same_method(a: Any, b: Any) -> bool:
    return bool(a.method == b.method)


def _same_path(a: Any, b: Any) -> bool:
    # Not the host: a recording plays whatever address the endpoint has today.
    return bool(a.path == b.path)


def _same_body(a: Any, b: Any) -> bool:
    return a.body == b.body or body_sha(a.body) == body_sha(b.body)


def _changes(old: Any, new: Any) -> list[str]:
    """What differs between two requests, in lines. Of a letter or an answer only how much, never the text."""
    if (old.method, old.path) != (new.method, new.path):
        return [f"  {old.method} {old.path} recorded, {new.method} {new.path} now"]
    before, after = parsed_json(old.body), parsed_json(new.body)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ["  the body changed"]
    lines: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        a, b = before.get(key), after.get(key)
        if a == b:
            continue
        if key == "messages":
            lines += _message_changes(a or [], b or [])
        elif isinstance(a, dict | list) or isinstance(b, dict | list):
            lines += _line_changes(f"{key} (schema)", "\n".join(_leaves(a)), "\n".join(_leaves(b)))
        else:
            lines.append(f"  {key}: {a!r} recorded, {b!r} now")
    return lines


def _message_changes(old: list[Any], new: list[Any]) -> list[str]:
    lines: list[str] = []
    for i, (a, b) in enumerate(zip(old, new, strict=False)):
        if a != b:
            private = b.get("role") != "system"
            where = f"messages[{i}] ({b.get('role')})"
            lines += _line_changes(where, str(a.get("content")), str(b.get("content")), private)
    if len(old) != len(new):
        lines.append(f"  messages: {len(old)} recorded, {len(new)} now")
    return lines


def _leaves(value: Any, path: str = "") -> list[str]:
    """A tree as one line for each leaf, so that a difference names its place."""
    if isinstance(value, dict) and value:
        return [line for key in sorted(value) for line in _leaves(value[key], f"{path}/{key}")]
    if isinstance(value, list) and value:
        return [line for i, inner in enumerate(value) for line in _leaves(inner, f"{path}/{i}")]
    return [f"{path}: {json.dumps(value)}"]


def _line_changes(where: str, old: str, new: str, private: bool = False) -> list[str]:
    diff = list(difflib.unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=0))[2:]
    changed = [line for line in diff if not line.startswith("@@")]
    shown = [] if private else [f"    {line[:160]}" for line in changed[:6]]
    return [f"  {where}: {len(changed)} changed lines", *shown]
