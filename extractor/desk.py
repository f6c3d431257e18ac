"""An answer desk: an OpenAI-compatible endpoint on this machine whose answers are written by hand.

Every request lies down in a folder as something to read, and waits there for a file. So a prompt
can be tried, a tape recorded or a fault played without any model.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
MAX_BODY = 20_000_000
_MODEL = "desk"


def serve(inbox: Path, port: int, wait_seconds: float = 100.0) -> None:
    """Serve ``http://127.0.0.1:PORT/v1`` until interrupted; see ``desk``."""
    server = desk(inbox, port, wait_seconds)
    try:
        server.serve_forever()
    finally:
        server.server_close()


def desk(inbox: Path, port: int = 0, wait_seconds: float = 100.0) -> ThreadingHTTPServer:
    """The server, bound to the loopback address only and not yet serving; port 0 takes any free one.

    A request goes to ``inbox/<n>-<sha12>/`` as ``request.json`` and ``request.md``; the same body again
    goes to the same folder. The text of ``answer.json`` there is the answer, untouched. If none comes
    within ``wait_seconds``, the client is told to come again (503).
    """
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = type("DeskHandler", (_Handler,), {"desk": _Desk(inbox, wait_seconds)})
    return _Server(("127.0.0.1", port), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A whole run may knock at once.
    request_queue_size = 128


class _Desk:
    """The inbox folder."""

    def __init__(self, inbox: Path, wait_seconds: float) -> None:
        self._inbox = inbox
        self._wait = wait_seconds
        self._lock = threading.Lock()

    def answer(self, body: bytes, request: dict[str, Any]) -> str | None:
        """The answer to a request, or ``None`` if nobody wrote one in time."""
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
        with self._lock:
            known = next(self._inbox.glob(f"*-{sha}"), None)
            if known:
                return known
            numbers = [path.name.partition("-")[0] for path in self._inbox.glob("*-*")]
            taken = max((int(number) for number in numbers if number.isdecimal()), default=0)
            folder = self._inbox / f"{taken + 1:04d}-{sha}"
            folder.mkdir(mode=0o700)
            (folder / "request.json").write_bytes(body)
            (folder / "request.md").write_bytes(readable(request).encode("utf-8", "replace"))
            return folder


def readable(request: dict[str, Any]) -> str:
    """A request for the eye: the messages in order, then the schema and the other settings."""
    parts = [f"# Request to {request.get('model')}\n"]
    for message in request.get("messages") or []:
        content = message.get("content")
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        parts.append(f"## {message.get('role')}\n\n{_fenced(text)}\n")
    for key, value in request.items():
        if key not in ("messages", "model"):
            parts.append(f"## {key}\n\n{_fenced(json.dumps(value, indent=2, ensure_ascii=False))}\n")
    return "\n".join(parts)


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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk: _Desk

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/v1/models":
            self._send(200, {"object": "list", "data": [{"id": _MODEL, "object": "model"}]})
        else:
            self._error(404, "not_found")

    def do_POST(self) -> None:
        length = self.headers.get("content-length") or ""
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._error(413, "body_length")
            return
        body = self.rfile.read(int(length))
        if self.path.partition("?")[0] != "/v1/chat/completions":
            self._error(404, "not_found")
            return
        try:
            request = json.loads(body)
            answer = self.desk.answer(body, request) if isinstance(request["messages"], list) else None
        except (ValueError, TypeError, KeyError, AttributeError):
            self._error(400, "bad_request")
            return
        if answer is None:
            self._error(503, "no_answer_yet")
        else:
            self._send(200, _completion(request, answer))

    def _error(self, status: int, code: str) -> None:
        self._send(status, {"error": {"code": code, "message": code}})

    def _send(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        # A client that gave up waiting finds its answer when it asks again.
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the inbox shows what came."""
