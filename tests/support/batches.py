"""A loopback endpoint of OpenAI's Files and Batches, and result files made without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Asked, Canned, Script, served

Line = dict[str, Any]


def requests_in(*paths: Path) -> list[Line]:
    """The lines of request files; every one must be whole."""
    lines = []
    for path in paths:
        data = path.read_bytes()
        assert data.endswith(b"\n")
        lines += [json.loads(line) for line in data.splitlines()]
    return lines


def result(request: Line, script: Script, number: int = 0) -> Line:
    """One request's line in OpenAI's result files."""
    reply = script(number, Asked(request["url"], {}, json.dumps(request["body"]).encode()))
    response = {"status_code": reply.status, "request_id": f"req_{number}", "body": json.loads(reply.body)}
    return {"id": f"batch_req_{number}", "custom_id": request["custom_id"], "response": response, "error": None}


def vllm_result(request: Line, script: Script, number: int = 0) -> Line:
    """Its line in vLLM's run-batch output: an error beside an empty body."""
    line = result(request, script, number)
    response = {**line["response"], "request_id": f"vllm-batch-{number}"}
    bad = response["status_code"] != 200
    error = {"error": {**response["body"]["error"], "code": response["status_code"]}} if bad else None
    return {**line, "id": f"vllm-{number}", "response": {**response, "body": None} if bad else response, "error": error}


def undone(request: Line, code: str = "batch_expired") -> Line:
    """A request that no one got to."""
    error = {"code": code, "message": "This request could not be executed before the completion window expired."}
    return {"id": "batch_req_x", "custom_id": request["custom_id"], "response": None, "error": error}


def put_lines(path: Path, lines: Sequence[Line | str]) -> Path:
    """A result file; a string is written unchanged."""
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


# ---- the endpoint ---------------------------------------------------------------------------------


@dataclass
class _Batch:
    id: str
    upload: str
    left: list[str]
    status: str = "validating"
    output: str | None = None
    errors: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def as_json(self) -> dict[str, Any]:
        problems = {"data": [{"code": "token_limit_exceeded", "message": "x", "param": None, "line": None}]}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "created_at": 1700000000,
            "input_file_id": self.upload,
            "status": self.status,
            "output_file_id": self.output,
            "error_file_id": self.errors,
            "errors": problems if self.status == "failed" else None,
            "request_counts": {"total": self.total, "completed": self.completed, "failed": self.failed},
        }


class BatchServer(ThreadingHTTPServer):
    """``script`` answers requests; ``ways`` gives the states of each batch in turn, one a look; of a batch that
    expires or is cancelled only the first ``reached`` requests are answered.

    ``trouble(method, path)``: a reply in place of the real one, ``None`` for none. With ``deaf`` a
    started batch is not answered: the connection breaks.
    """

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.ways = [["in_progress", "completed"]]
        self.reached = 1
        self.trouble: Callable[[str, str], Canned | None] = lambda method, path: None
        self.deaf = 0
        self.files: dict[str, bytes] = {}
        self.names: list[str] = []
        self.batches: list[_Batch] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these tests hang up on purpose."""

    def add_file(self, data: bytes) -> str:
        self.files[f"file-{len(self.files)}"] = data
        return f"file-{len(self.files) - 1}"

    def start(self, upload: str) -> _Batch:
        way = self.ways[min(len(self.batches), len(self.ways) - 1)]
        self.batches.append(_Batch(f"batch_{len(self.batches)}", upload, list(way)))
        return self.batches[-1]

    def look(self, batch: _Batch) -> _Batch:
        if batch.left:
            batch.status = batch.left.pop(0)
            batch.total = len(self.files[batch.upload].splitlines())
            if batch.status in ("completed", "expired", "cancelled"):
                self._answer(batch)
        return batch

    def _answer(self, batch: _Batch) -> None:
        requests = [json.loads(line) for line in self.files[batch.upload].splitlines()]
        reached = len(requests) if batch.status == "completed" else self.reached
        results = [result(request, self.script, n) for n, request in enumerate(requests[:reached])]
        # In no order, as the provider documents.
        good = [line for line in reversed(results) if line["response"]["status_code"] == 200]
        bad = [line for line in results if line not in good]
        bad += [undone(request, f"batch_{batch.status}") for request in requests[reached:]]
        batch.completed, batch.failed = len(good), len(bad)
        batch.output, batch.errors = (
            self.add_file("".join(json.dumps(line) + "\n" for line in lines).encode()) if lines else None
            for lines in (good, bad)
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BatchServer

    def do_GET(self) -> None:
        self._handle("GET", b"")

    def do_POST(self) -> None:
        self._handle("POST", self.rfile.read(int(self.headers["content-length"])))

    def _handle(self, method: str, data: bytes) -> None:
        path = urlsplit(self.path).path.removeprefix("/v1")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((method, path, headers))
        canned = self.server.trouble(method, path) or self._reply(method, path, data)
        if canned.reset:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(canned.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(canned.body)))
        for name, value in canned.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(canned.body[: canned.cut])
        if canned.cut is not None:
            self.close_connection = True

    def _reply(self, method: str, path: str, data: bytes) -> Canned:
        server = self.server
        match method, path.strip("/").split("/"):
            case "POST", ["files"]:
                return self._upload(data)
            case "POST", ["batches"]:
                batch = server.start(json.loads(data)["input_file_id"])
                if server.deaf:
                    server.deaf -= 1
                    return Canned(reset=True)
                return _json(batch.as_json)
            case "GET", ["batches"]:
                # Two on a page.
                listed = [batch.as_json for batch in reversed(server.batches)]
                after = parse_qs(urlsplit(self.path).query).get("after", [""])[0]
                at = next((n for n, each in enumerate(listed, 1) if each["id"] == after), 0)
                return _json({"object": "list", "data": listed[at : at + 2], "has_more": at + 2 < len(listed)})
            case "GET", ["batches", name]:
                return next(
                    (_json(server.look(each).as_json) for each in server.batches if each.id == name), Canned(404)
                )
            case "GET", ["files", name, "content"]:
                return Canned(body=server.files[name]) if name in server.files else Canned(404)
        return Canned(404)

    def _upload(self, data: bytes) -> Canned:
        form = message_from_bytes(b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n" + data)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}  # type: ignore[union-attr]
        assert parts["purpose"].get_payload() == "batch"
        self.server.names.append(parts["file"].get_filename() or "")
        return _json({"id": self.server.add_file(parts["file"].get_payload(decode=True)), "object": "file"})

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def _json(value: Any) -> Canned:
    return Canned(body=json.dumps(value).encode())


@contextmanager
def batch_endpoint(script: Script) -> Iterator[BatchServer]:
    """A running endpoint of batches."""
    server = BatchServer(script)
    with served(server):
        yield server
