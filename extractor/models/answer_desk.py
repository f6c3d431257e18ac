"""An answer desk: an endpoint on this machine whose answers are written by hand, or were recorded.

The inbox writes each request to a folder and waits for an answer file there, so a prompt can be
tried, a tape recorded or a fault simulated without a model. Recordings answer every request at once,
for load tests of a whole run.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from vcr.request import Request  # type: ignore[import-untyped]

from extractor import loopback
from extractor.errors import UsageError
from extractor.files import work_folder
from extractor.models.cassettes.matching import body_sha, changes, endpoint_of
from extractor.models.cassettes.tapefile import Persister

POLL_SECONDS = 0.05
MAX_BODY = 20_000_000
_MODEL = "desk"
_CHAT = "/v1/chat/completions"


class Source(Protocol):
    """Where answers come from."""

    def reply(self, path: str, body: bytes) -> tuple[int, bytes]:
        """HTTP status and JSON body for one request. Raises ``ValueError`` for anything but a chat request."""
        ...


def desk(source: Source, port: int = 0) -> ThreadingHTTPServer:
    """The server, bound to the loopback address only and not yet serving; port 0 takes any free one."""
    handler = type("DeskHandler", (_Handler,), {"source": source})
    return _Server(("127.0.0.1", port), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A whole run may connect at once.
    request_queue_size = 512


# ---- answers written by hand -----------------------------------------------------------------


class Inbox:
    """A folder of requests that wait for answers.

    A request goes to ``folder/<n>-r<round>-<sha12>/`` as ``request.json``, ``request.md`` (how to answer, then what
    was asked) and, where its schema is known, ``draft.json`` (the shape of an answer, to copy and fill in);
    the same body again goes to the same folder. Round 2 and later send back what was wrong. The text of
    ``answer.json`` there is the answer, untouched. The desk counts no tokens, so a reply has no usage. If no answer
    comes within ``wait_seconds``, the client gets status 503, and finds its answer when it asks again.
    """

    def __init__(self, folder: Path, wait_seconds: float = 100.0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._inbox = folder
        self._wait = wait_seconds
        self._lock = threading.Lock()

    def reply(self, path: str, body: bytes) -> tuple[int, bytes]:
        if path != _CHAT:
            return _error(404, "not_found")
        request = json.loads(body)
        if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
            raise ValueError("no chat request")
        answer = self._answer(body, request)
        return _error(503, "no_answer_yet") if answer is None else (200, _json(_completion(request, answer)))

    def _answer(self, body: bytes, request: dict[str, Any]) -> str | None:
        """The answer to a request, or ``None`` if none was written in time."""
        path = self._folder(body, request) / "answer.json"
        end = time.monotonic() + self._wait
        before: bytes | None = None
        while True:
            found = path.read_bytes() if path.is_file() else None
            # Twice the same: the writer may still be at it.
            if found and found == before:
                return found.decode("utf-8", "replace")
            if time.monotonic() > end:
                return None
            before = found
            time.sleep(POLL_SECONDS)

    def _folder(self, body: bytes, request: dict[str, Any]) -> Path:
        sha = hashlib.sha256(body).hexdigest()[:12]
        page = readable(request).encode("utf-8", "replace")
        draft = draft_answer(request)
        with self._lock:
            known = next(self._inbox.glob(f"*-{sha}"), None)
            if known:
                return known
            numbers = [path.name.partition("-")[0] for path in self._inbox.glob("*-*")]
            taken = max((int(number) for number in numbers if number.isdecimal()), default=0)
            folder = self._inbox / f"{taken + 1:04d}-r{_round(request)}-{sha}"
            # It appears whole: a folder without its request would never get one.
            with work_folder(self._inbox, folder.name) as work:
                (work / "request.json").write_bytes(body)
                if draft is not None:
                    (work / "draft.json").write_text(json.dumps(draft, indent=2) + "\n", "utf-8")
                (work / "request.md").write_bytes(page)
                work.rename(folder)
            return folder


def readable(request: dict[str, Any]) -> str:
    """A request for the eye: the messages in order and what each is, then the schema and the other settings."""
    messages = request.get("messages") or []
    number = _round(request)
    again = f", asked again (round {number})" if number > 1 else ""
    parts = [f"# Request to {request.get('model')}{again}\n", _HOW_TO_ANSWER]
    before: list[str] = []
    for message in messages:
        role = str(message.get("role"))
        content = message.get("content")
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        parts.append(f"## {role}: {_what(role, before)}\n\n{_fenced(text)}\n")
        before.append(role)
    for key, value in request.items():
        if key not in ("messages", "model"):
            parts.append(f"## {key}\n\n{_fenced(json.dumps(value, indent=2, ensure_ascii=False))}\n")
    return "\n".join(parts)


_HOW_TO_ANSWER = """\
How to answer: read the prompt and the letter below. Write the answer as one JSON object into `answer.json` in this
folder, with every key of the schema at the end of this page and no others. `draft.json`, if it is here, has the
shape: copy it, fill it in, and save it as `answer.json` when it is done. The file is sent unchanged.
"""


def _round(request: dict[str, Any]) -> int:
    """1 for a first question, 2 and more where former answers are sent back."""
    roles = [message.get("role") for message in request.get("messages") or []]
    return 1 + int(roles.count("assistant"))


def draft_answer(request: dict[str, Any]) -> Any:
    """An answer in the shape of a request's schema, with nothing filled in; ``None`` if it has no schema."""
    try:
        if request.get("tools"):
            schema = request["tools"][0]["function"]["parameters"]
        else:
            schema = request["response_format"]["json_schema"]["schema"]
        return _draft(schema, schema.get("$defs", {}), 0)
    except (LookupError, TypeError, AttributeError):
        return None


def _draft(node: dict[str, Any], known: dict[str, Any], depth: int) -> Any:
    if "$ref" in node and depth < 20:
        return _draft(known[node["$ref"].removeprefix("#/$defs/")], known, depth + 1)
    if "const" in node:
        return node["const"]
    if node.get("type") == "object" and depth < 20:
        return {name: _draft(inner, known, depth + 1) for name, inner in node.get("properties", {}).items()}
    return [] if node.get("type") == "array" else None


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


def _completion(request: dict[str, Any], answer: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer}
    finish = "stop"
    if request.get("tools"):
        # A client that offers a tool reads the answer from the call, not from the text.
        function = {"name": request["tools"][0]["function"]["name"], "arguments": answer}
        call = {"id": "call_1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        finish = "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": finish}
    model = request.get("model", _MODEL)
    return {"id": "desk", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}


# ---- recorded answers ------------------------------------------------------------------------


class Recordings:
    """Recorded answers, each given to the request it was recorded for, ``latency`` seconds later.

    Where one request was recorded several times (an endpoint that was busy first), the last answer
    counts. Tapes made by hand are left out. A request that was not recorded gets a 404, and
    ``on_missing`` gets a few lines about it that hold nothing of a letter. Raises ``CassetteError`` for
    a tape that cannot be read, and ``UsageError`` if there is none.
    """

    def __init__(self, folder: Path, latency: float = 0.0, on_missing: Callable[[str], object] = str) -> None:
        self._latency = latency
        self._on_missing = on_missing
        self._requests: list[Any] = []
        self._replies: dict[tuple[str, str], tuple[int, bytes]] = {}
        for path in sorted(folder.rglob("*.yaml")):
            requests, responses, head = Persister.load_cassette(str(path))
            if head.get("synthetic"):
                continue
            for request, response in zip(requests, responses, strict=True):
                self._requests.append(request)
                self._replies[_key(request)] = (response["status"]["code"], response["body"]["string"])
        if not self._requests:
            raise UsageError(f"no recordings in {folder}", hint="name a folder of cassettes, e.g. cassettes/imr")

    def reply(self, path: str, body: bytes) -> tuple[int, bytes]:
        asked = Request("POST", f"http://desk{path}", body, {})
        found = self._replies.get(_key(asked))
        if self._latency:
            time.sleep(self._latency)
        return found or self._missing(asked)

    def _missing(self, asked: Any) -> tuple[int, bytes]:
        nearest = min((changes(each, asked) for each in self._requests), key=len)
        message = "\n".join(
            [f"no recorded answer: body sha256 {body_sha(asked.body)}; the nearest differs in:", *nearest]
        )
        self._on_missing(message)
        return _error(404, "no_recording", message)


def _key(request: Any) -> tuple[str, str]:
    return "/".join(endpoint_of(request)), body_sha(request.body)


# ---- the server ------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of a reply go out in two writes: without this the second waits for the client's receipt.
    disable_nagle_algorithm = True
    source: Source

    def do_GET(self) -> None:
        if self._refused():
            return
        if self.path.partition("?")[0] == "/v1/models":
            self._send(200, _json({"object": "list", "data": [{"id": _MODEL, "object": "model"}]}))
        else:
            self._send(*_error(404, "not_found"))

    def do_POST(self) -> None:
        if self._refused():
            return
        length = self.headers.get("content-length") or ""
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(*_error(413, "body_length"))
            return
        body = self.rfile.read(int(length))
        try:
            status, data = self.source.reply(self.path.partition("?")[0], body)
        except (ValueError, TypeError, KeyError, AttributeError):
            status, data = _error(400, "bad_request")
        self._send(status, data)

    def _refused(self) -> bool:
        """Whether a request was turned away: it came from a page in a browser, or through a foreign name."""
        port = self.connection.getsockname()[1]
        why = loopback.refusal(port, lambda name: self.headers.get_all(name, []), "localhost")
        if why:
            # The body was not read, so nothing else can be read from this connection.
            self.close_connection = True
            self._send(*_error(403, "refused", why))
        return bool(why)

    def _send(self, status: int, data: bytes) -> None:
        # A client that gave up waiting finds its answer when it asks again.
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the requests are in the inbox."""


def _error(status: int, code: str, message: str = "") -> tuple[int, bytes]:
    return status, _json({"error": {"code": code, "message": message or code}})


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
