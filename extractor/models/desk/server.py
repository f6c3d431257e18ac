"""The desk's server: chat requests from this machine, passed to a source of answers."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote

from extractor import loopback
from extractor.models.names import DESK_MODEL, LETTER_HEADER

MAX_BODY = 20_000_000
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,20})?")


def _always() -> bool:
    return True


@dataclass(frozen=True)
class DeskRequest:
    """One request: ``path`` without its query, and its body.

    ``letter_id`` is given by Letterproof alone, which asks again while there is no answer; else it is empty.
    ``timeout``: for how many seconds the client says it waits, if it does. ``is_open``: whether it still waits.
    """

    path: str
    body: bytes
    letter_id: str = ""
    timeout: float | None = None
    is_open: Callable[[], bool] = _always


class Source(Protocol):
    """Where answers come from."""

    def reply(self, request: DeskRequest) -> tuple[int, bytes]:
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of a reply go out in two writes: without this the second waits for the client's receipt.
    disable_nagle_algorithm = True
    source: Source

    def do_GET(self) -> None:
        if self._refused():
            return
        if self.path.partition("?")[0] == "/v1/models":
            self._send(200, to_bytes({"object": "list", "data": [{"id": DESK_MODEL, "object": "model"}]}))
        else:
            self._send(*error_reply(404, "not_found"))

    def do_POST(self) -> None:
        if self._refused():
            return
        length = self.headers.get("content-length") or ""
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(*error_reply(413, "body_length"))
            return
        body = self.rfile.read(int(length))
        timeout = self.headers.get("x-stainless-read-timeout", "")
        request = DeskRequest(
            self.path.partition("?")[0],
            body,
            unquote(self.headers.get(LETTER_HEADER, "")),
            float(timeout) if _SECONDS.fullmatch(timeout) else None,
            self._is_open,
        )
        try:
            status, data = self.source.reply(request)
        except (ValueError, TypeError, KeyError, AttributeError):
            status, data = error_reply(400, "bad_request")
        self._send(status, data)

    def _is_open(self) -> bool:
        """Whether the client is still connected."""
        before = self.connection.gettimeout()
        self.connection.settimeout(0)
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.connection.settimeout(before)

    def _refused(self) -> bool:
        """Whether a request was turned away: it came from a page in a browser, or through a foreign name."""
        port = self.connection.getsockname()[1]
        why = loopback.refusal(port, lambda name: self.headers.get_all(name, []), "localhost")
        if why:
            # The body was not read, so nothing else can be read from this connection.
            self.close_connection = True
            self._send(*error_reply(403, "refused", why))
        return bool(why)

    def _send(self, status: int, data: bytes) -> None:
        # A client that gave up waiting finds its answer when it asks again.
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the requests are in the inbox."""


def error_reply(status: int, code: str, message: str = "") -> tuple[int, bytes]:
    """An error in the shape of the chat API."""
    return status, to_bytes({"error": {"code": code, "message": message or code}})


def to_bytes(value: dict[str, Any]) -> bytes:
    """A JSON object as the body of a reply."""
    return json.dumps(value).encode()
