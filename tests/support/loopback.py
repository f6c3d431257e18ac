"""A loopback endpoint for tests: scripted replies, and a list of what was asked."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from extractor.models.model import Model, Question, Reply


@dataclass(frozen=True)
class Canned:
    """One reply. ``body`` is sent as it is; ``cut`` closes the connection after that many bytes of it.

    ``delay`` seconds pass before it, ``stall`` seconds in the middle of its body; ``reset`` tears the
    connection down instead of answering. ``endless`` is sent over and over until the client hangs up,
    ``pace`` seconds apart, in place of a body. ``raw`` is sent in place of all this, status line and headers too.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    stall: float = 0.0
    reset: bool = False
    endless: bytes = b""
    pace: float = 0.0
    raw: bytes = b""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.raw)
        return value


Script = Callable[[int, Asked], Canned]


class Endpoint(ThreadingHTTPServer):
    """``script(n, asked)`` gives the reply to the n-th request (from 0)."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.asked: list[Asked] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these tests hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, raw)
        with self.server.lock:
            number = len(self.server.asked)
            self.server.asked.append(asked)
        reply = self.server.script(number, asked)
        time.sleep(reply.delay)
        if reply.reset:
            # Closing with nothing to wait for sends a reset instead of a goodbye.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True
            return
        if reply.raw:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        if reply.endless:
            self._drip(reply)
            return
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        middle = len(reply.body) // 2 if reply.stall else 0
        self.wfile.write(reply.body[:middle])
        time.sleep(reply.stall)
        self.wfile.write(reply.body[middle : reply.cut])
        if reply.cut is not None:
            self.close_connection = True

    def _drip(self, reply: Canned) -> None:
        self.close_connection = True
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(reply.endless)
                time.sleep(reply.pace)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    """A server answers in a thread of its own while the block runs."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def endpoint(script: Script | list[Canned]) -> Iterator[Endpoint]:
    """A running endpoint. A list is played in order, its last reply for ever."""
    replies = script
    server = Endpoint((lambda n, asked: replies[min(n, len(replies) - 1)]) if isinstance(replies, list) else replies)
    with served(server):
        yield server


async def ask_once(model: Model, question: Question) -> Reply:
    """One answer, and no connection left open."""
    try:
        return await model.ask(question)
    finally:
        await model.aclose()


def message(content: Any = '{"n": 1}', finish: str = "stop", **more: Any) -> Canned:
    """A chat completion with one message; ``more`` are further keys of the message."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **more}}
    return completion([choice])


def completion(choices: list[Any]) -> Canned:
    """A chat completion with these choices."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    body = {"id": "chatcmpl-9", "object": "chat.completion", "created": 1700000000, "usage": usage}
    return Canned(body=json.dumps({**body, "choices": choices}).encode())


def refusal(status: int, code: str = "", text: str = "no", **headers: str) -> Canned:
    """An error in the provider's form."""
    error = {"message": text, "type": "error", "param": None, "code": code or None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Canned(status, json.dumps({"error": error}).encode(), named)


# ---- the other providers -------------------------------------------------------------------------


def claude(*blocks: dict[str, Any], stop: str = "end_turn") -> Canned:
    """A reply of ``POST /v1/messages``; without blocks one text."""
    usage = {
        "input_tokens": 30,
        "cache_creation_input_tokens": 6,
        "cache_read_input_tokens": 64,
        "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    body = {"id": "msg_9", "type": "message", "role": "assistant", "usage": usage}
    content = list(blocks) or [{"type": "text", "text": '{"n": 1}'}]
    return Canned(body=json.dumps({**body, "content": content, "stop_reason": stop}).encode())


def tool_use(answer: Any, name: str = "Whole") -> dict[str, Any]:
    """A block of ``claude`` in the mode tools."""
    return {"type": "tool_use", "id": "toolu_9", "name": name, "input": answer}


def claude_refusal(status: int, kind: str = "api_error", text: str = "no", **headers: str) -> Canned:
    """An error in Anthropic's form."""
    body = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_9"}
    return Canned(status, json.dumps(body).encode(), {k.replace("_", "-"): v for k, v in headers.items()})


def gemini(*parts: dict[str, Any], finish: str = "STOP") -> Canned:
    """A reply of ``POST /v1beta/models/NAME:generateContent``; without parts one text."""
    content = {"role": "model", "parts": list(parts) or [{"text": '{"n": 1}'}]}
    return gemini_body(candidates=[{"index": 0, "content": content, "finishReason": finish}])


def gemini_body(**body: Any) -> Canned:
    """Such a reply with these keys and its usage."""
    usage = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 6,
        "thoughtsTokenCount": 4,
        "cachedContentTokenCount": 64,
        "totalTokenCount": 110,
    }
    return Canned(body=json.dumps({**body, "usageMetadata": usage, "responseId": "r9"}).encode())


def function_call(answer: Any, name: str = "Whole") -> dict[str, Any]:
    """A part of ``gemini`` in the mode tools."""
    return {"functionCall": {"name": name, "args": answer}}


def gemini_refusal(status: int, kind: str = "INTERNAL", text: str = "no", *details: Any, **headers: str) -> Canned:
    """An error in Google's form."""
    error = {"code": status, "message": text, "status": kind, "details": list(details)}
    return Canned(status, json.dumps({"error": error}).encode(), {k.replace("_", "-"): v for k, v in headers.items()})
