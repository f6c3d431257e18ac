"""The inbox: a folder of requests that wait for answers written by hand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from extractor.file_names import file_name
from extractor.files import work_folder
from extractor.json_text import StrictJSONError, strict_json
from extractor.models.desk.conformity import Schema, mismatches
from extractor.models.desk.pages import (
    ABANDONED,
    ANSWER,
    DRAFT,
    PROBLEMS,
    UNCHECKED,
    draft_file,
    readable,
    round_of,
    schema_of,
)
from extractor.models.desk.server import DeskRequest, error_reply, to_bytes
from extractor.models.names import DESK_MODEL
from extractor.models.replies import NO_ANSWER_YET

# How often an answer is looked for: at once, then less and less often (s).
_POLL, _SLOWEST_POLL = 0.05, 0.5
# A file that does not fit is reported after it has not changed for so long: an editor may still be writing it (s).
_SETTLED = 0.5
# A client that asks again is answered after so long, so that it ends soon when it is stopped (s).
_RETURNING = 20.0
# Others are held for most of the time that they wait themselves, or for that of a client that does not say (s).
_SHARE, _UNKNOWN = 0.8, 100.0
_MOST_PROBLEMS = 50
_CHAT = "/v1/chat/completions"


class Inbox:
    """A folder of requests that wait for answers.

    A request goes to ``folder/<n>-<letter id>-r<round>-<sha12>/`` as ``request.json``, ``request.md`` (how to answer,
    what was asked, the fields of the answer) and, where its schema is known, ``answer.draft.json``; the same body
    again goes to the same folder. Clients other than Letterproof give no letter id. An ``answer.json`` that fits the
    schema is the answer, untouched; else ``answer.problems.md`` says what is wrong with it, and the request goes on
    waiting. ``answer.unchecked.json`` is sent whatever it holds. The desk counts no tokens, so a reply has no usage.

    A client that is still without an answer after ``wait_seconds`` (default: what it says it waits, less a fifth) gets
    status 503, and finds its answer when it asks again; Letterproof asks again by itself. A request that nobody
    has waited for since ``grace_seconds`` is marked with ``abandoned.txt``. ``on_event`` gets a line for each
    thing that happens; none holds anything of a letter but its id.
    """

    def __init__(
        self,
        folder: Path,
        wait_seconds: float | None = None,
        grace_seconds: float = 60.0,
        on_event: Callable[[str], object] = str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._inbox = folder
        self._wait = wait_seconds
        self._grace = grace_seconds
        self._on_event = on_event
        self._lock = threading.Lock()
        self._open: dict[str, _OpenRequest] = {}
        for each in folder.glob("[!.]*/request.json"):
            # Of a desk that was closed: whoever asked is gone, or will ask again.
            _mark_abandoned(each.parent)

    def reply(self, request: DeskRequest) -> tuple[int, bytes]:
        """The answer to a request, or status 503 if none was written in time."""
        if request.path != _CHAT:
            return error_reply(404, "not_found")
        asked = json.loads(request.body)
        if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
            raise ValueError("no chat request")
        waiting = self._opened(request, asked)
        with waiting.waited_for():
            answer = waiting.answer(time.monotonic() + self._seconds(request), request.is_open)
        if answer is None:
            return error_reply(503, NO_ANSWER_YET, f"no {ANSWER} in {waiting.folder.name} yet")
        return 200, to_bytes(_completion(asked, answer))

    def _seconds(self, request: DeskRequest) -> float:
        """For how long a client is kept waiting."""
        most = _UNKNOWN if request.timeout is None else _SHARE * request.timeout
        if self._wait is not None:
            return self._wait
        return min(most, _RETURNING) if request.letter_id else most

    def _opened(self, request: DeskRequest, asked: dict[str, Any]) -> _OpenRequest:
        sha = hashlib.sha256(request.body).hexdigest()[:12]
        with self._lock:
            folder = next(self._inbox.glob(f"[!.]*-{sha}"), None) or self._new_folder(request, asked, sha)
            if folder.name not in self._open:
                self._open[folder.name] = _OpenRequest(folder, schema_of(asked), self._grace, self._on_event)
            return self._open[folder.name]

    def _new_folder(self, request: DeskRequest, asked: dict[str, Any], sha: str) -> Path:
        page = readable(asked, request.letter_id).encode("utf-8", "replace")
        draft = draft_file(asked)
        numbers = [path.name.partition("-")[0] for path in self._inbox.glob("[!.]*-*")]
        taken = max((int(number) for number in numbers if number.isdecimal()), default=0)
        letter = f"{file_name(request.letter_id)}-" if request.letter_id else ""
        folder = self._inbox / f"{taken + 1:04d}-{letter}r{round_of(asked)}-{sha}"
        # It appears whole: a folder without its request would never get one.
        with work_folder(self._inbox, f"{taken + 1:04d}-{sha}") as work:
            (work / "request.json").write_bytes(request.body)
            if draft is not None:
                (work / DRAFT).write_bytes(draft)
            (work / "request.md").write_bytes(page)
            work.rename(folder)
        self._on_event(f"{folder.name}: waits for {ANSWER}")
        return folder


class _OpenRequest:
    """The folder of one request: its answer file, and who waits for it."""

    def __init__(self, folder: Path, schema: Schema | None, grace: float, on_event: Callable[[str], object]) -> None:
        self.folder = folder
        self._schema = schema
        self._grace = grace
        self._on_event = on_event
        self._lock = threading.Lock()
        self._waiters = 0
        self._alarm: threading.Timer | None = None
        self._sent = False
        self._seen: bytes | None = None
        self._since = 0.0
        self._reported: bytes | None = None

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Somebody waits for the answer while the block runs."""
        with self._lock:
            self._waiters += 1
            if self._alarm:
                self._alarm.cancel()
            with suppress(OSError):
                (self.folder / ABANDONED).unlink(missing_ok=True)
        try:
            yield
        finally:
            with self._lock:
                self._waiters -= 1
                if not self._waiters and not self._sent:
                    self._alarm = threading.Timer(self._grace, self._abandon)
                    self._alarm.daemon = True
                    self._alarm.start()

    def _abandon(self) -> None:
        with self._lock:
            if not self._waiters and not self._sent and _mark_abandoned(self.folder):
                self._on_event(f"{self.folder.name}: abandoned, nobody waits for an answer any more")

    def answer(self, until: float, is_open: Callable[[], bool]) -> str | None:
        """The text of the answer; ``None`` if there was none by ``until``, or the client is gone."""
        pause = _POLL
        while True:
            with self._lock:
                found = self._look()
                if found is not None:
                    if not self._sent:
                        self._on_event(f"{self.folder.name}: answered")
                    self._sent = True
                    return found
            if time.monotonic() > until or not is_open():
                return None
            time.sleep(min(pause, max(until - time.monotonic(), _POLL)))
            pause = min(1.2 * pause, _SLOWEST_POLL)

    def _look(self) -> str | None:
        """The answer, if it is written and fits."""
        unchecked = _content(self.folder / UNCHECKED)
        found = unchecked or _content(self.folder / ANSWER)
        if not found or found != self._seen:
            # Twice the same: the writer may still be at it.
            self._seen, self._since = found, time.monotonic()
            return None
        if not unchecked and found == self._reported:
            return None
        problems = [] if unchecked else problems_of(found, self._schema)
        if not problems:
            (self.folder / PROBLEMS).unlink(missing_ok=True)
            return found.decode("utf-8-sig", "replace")
        if time.monotonic() - self._since >= _SETTLED:
            self._reported = found
            (self.folder / PROBLEMS).write_text(_page_of(problems), "utf-8", "replace")
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            self._on_event(f"{self.folder.name}: {ANSWER} not sent, {count}, see {PROBLEMS}")
        return None


def _content(path: Path) -> bytes | None:
    """What a file holds; ``None`` if there is none, or nothing in it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if data.strip() else None


def _mark_abandoned(folder: Path) -> bool:
    """Mark a request without an answer that can be sent as one that nobody waits for; whether it is one."""
    refused = (folder / PROBLEMS).exists()
    if (_content(folder / ANSWER) and not refused) or _content(folder / UNCHECKED):
        return False
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    text = f"Nobody waits for this answer ({when}). An answer written here is sent if the same is asked again.\n"
    with suppress(OSError):
        (folder / ABANDONED).write_text(text, "utf-8")
    return True


def problems_of(data: bytes, schema: Schema | None) -> list[str]:
    """Why an answer file would be refused; empty if it can be sent."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        return [f"it is not UTF-8 text: byte {wrong.start + 1}"]
    try:
        value = strict_json(text)
    except StrictJSONError as wrong:
        return [f"{wrong}{_where(text)}"]
    if not isinstance(value, dict):
        return ["an answer is one JSON object, in braces"]
    found = [f"`{pointer or '/'}`: {wrong}" for pointer, wrong in mismatches(value, schema or {})]
    if len(found) > _MOST_PROBLEMS:
        found[_MOST_PROBLEMS:] = [f"and {len(found) - _MOST_PROBLEMS} more"]
    return found


def _where(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as wrong:
        return f": line {wrong.lineno}, column {wrong.colno}: {wrong.msg}"
    except (ValueError, RecursionError):
        return ""
    return ""


def _page_of(problems: list[str]) -> str:
    listed = "\n".join(f"- {each}" for each in problems)
    return (
        f"# `{ANSWER}` was not sent\n\n{listed}\n\n"
        f"Correct it and save it again. To send it as it is, save it as `{UNCHECKED}`.\n"
    )


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
    model = request.get("model", DESK_MODEL)
    return {"id": "desk", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}
