"""One tape: the recording of one letter x prompt x model.

vcrpy keeps the interactions; a transport of our own, chosen by a ContextVar, decides which tape a
request belongs to. Nothing is patched, so any number of letters may be in flight at once.
"""

from __future__ import annotations

import logging
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from contextvars import ContextVar, Token
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
from vcr import VCR  # type: ignore[import-untyped]
from vcr.patch import PATCHER_NAMES  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from extractor.errors import CassetteError, UsageError
from extractor.file_names import file_name
from extractor.models.cassettes.matching import MATCHERS, changes, same_body
from extractor.models.cassettes.scrub import keys_sent, scrubbed_request, scrubbed_response
from extractor.models.cassettes.tapefile import (
    NewTapePersister,
    Persister,
    TapeSerializer,
    answers_sha256,
    parsed_json,
)
from extractor.models.replies import error_status, is_unanswered

# vcrpy logs whole interactions at info level, and with them letters.
logging.getLogger("vcr").setLevel(logging.WARNING)

_CURRENT: ContextVar[Tape | None] = ContextVar("tape", default=None)


# Between a letter's name and the number of a further recording of it; ``file_name`` never writes it.
_REPEAT = "___"
_NUMBERED = re.compile(rf"(?P<letter>.+){_REPEAT}(?P<recording>[1-9][0-9]*)\Z", re.DOTALL)


def tape_path(root: Path, prompt: str, model: str, letter_id: str, recording: int = 1) -> Path:
    """The path of a tape: ``root/prompt/model/letter.yaml``, each name as ``file_name`` writes it.

    Further recordings of a letter are beside the first: ``letter___2.yaml``, ``letter___3.yaml``.
    """
    numbered = "" if recording == 1 else f"{_REPEAT}{recording}"
    return root / file_name(prompt) / file_name(model) / f"{file_name(letter_id)}{numbered}.yaml"


def letter_and_recording(stem: str) -> tuple[str, int]:
    """The written name of a tape's letter, and the number of the recording, from the name of its file."""
    match = _NUMBERED.match(stem)
    return (match["letter"], int(match["recording"])) if match else (stem, 1)


def recordings_in(folder: Path) -> dict[str, list[int]]:
    """The numbers of the recordings in the folder of one prompt and model, by the letter's written name."""
    found: dict[str, list[int]] = {}
    for path in folder.glob("*.yaml"):
        letter, recording = letter_and_recording(path.stem)
        found.setdefault(letter, []).append(recording)
    return {letter: sorted(numbers) for letter, numbers in found.items()}


def transport() -> TapeTransport:
    """A transport that answers from, or records to, the tape that is open around the request."""
    return TapeTransport()


def address_of(head: Mapping[str, Any], requests: Sequence[Any]) -> str:
    """The base URL that a recording was given, by its ``recorded:`` block; empty for the provider's own."""
    if "versions" in head or not requests:
        return str(head.get("base_url") or "")
    # Older tapes have it in their requests alone.
    base, found, _ = requests[0].uri.partition("/chat/completions")
    return base if found and base != "https://api.openai.com/v1" else ""


@dataclass(frozen=True)
class Refusal:
    """Why a tape could not answer: ``kind`` is missing, stale, used_up or broken; ``lines`` give details."""

    kind: str
    lines: tuple[str, ...]


class _Abandoned(Exception):
    """Ends a recording that is not to be kept."""


class _HeadPersister(Persister):
    """Reads a tape and keeps its ``recorded:`` block in ``head``."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._head = head

    def load_cassette(self, path: str, serializer: Any = TapeSerializer) -> Any:  # type: ignore[override]
        requests, responses, recorded = Persister.load_cassette(path, serializer)
        self._head.update(recorded)
        return requests, responses, recorded


class Tape:
    """One recording of one letter, asked with one prompt of one model. Open it around the asking.

    ``mode`` is ``replay`` (never opens a connection) or ``record`` (a new tape replaces the old one
    when the block ends well; if it fails, or the last call did not get through, the old one stays).
    ``recorded`` is written first into a new tape: hashes, versions, date, as the caller knows them.
    ``words`` are further arguments of the command that records this tape, e.g. the letter's path.
    ``recording`` counts the recordings of one letter, prompt and model, from 1.

    A request inside the block raises ``CassetteError`` with code ``missing_cassette``,
    ``stale_cassette``, ``used_up_cassette`` or ``broken_cassette``; ``refused`` keeps the reason. ``asked``
    are the sizes in bytes of the requests so far, ``saved``: a new tape was written.
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
        words: Sequence[str] = (),
        recording: int = 1,
    ) -> None:
        if mode not in ("replay", "record"):
            raise ValueError(f"unknown mode {mode!r}: replay or record")
        self.path = tape_path(root, prompt, model, letter_id, recording)
        self.recorded = {**(recorded or {}), **({"recording": recording} if recording > 1 else {})}
        self.recording = mode == "record"
        self.words = tuple(words)
        self.asked: list[int] = []
        self.refused: Refusal | None = None
        self.saved = False
        self._head: dict[str, Any] = {}
        numbered = f", recording {recording}" if recording > 1 else ""
        self._what = f"letter {letter_id} x prompt {prompt} x model {model}{numbered}"
        again = ("--repeat", str(recording)) if recording > 1 else ()
        self._record = ("extractor", "record", "--prompt", prompt, "--model", model, "--letter", letter_id, *again)
        self._cassette: Any = None
        self._context = ExitStack()
        self._got_through = True
        self._token: Token[Tape | None] | None = None

    def __enter__(self) -> Self:
        if self.recording:
            # A place that cannot be written is found before the model is paid, not after.
            self._try_to_write()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)
        keep = self.recording and kind is None and self._got_through and self._cassette is not None
        try:
            if keep:
                self._save()
            else:
                # An error at its end keeps vcrpy from writing.
                self._context.__exit__(_Abandoned, _Abandoned(), None)
        finally:
            self._context = ExitStack()

    @property
    def unplayed(self) -> int:
        """How many recorded interactions were not asked for in a replay; 0 if nothing was asked at all."""
        tape = self._cassette
        return 0 if tape is None or self.recording else sum(not tape.play_counts[i] for i in range(len(tape)))

    @property
    def head(self) -> dict[str, Any]:
        """The ``recorded:`` block of the file; empty if there is none to be read."""
        try:
            self._open()
            return dict(self._head)
        except CassetteError:
            return {}

    @property
    def command(self) -> str:
        """The command that records this tape."""
        tape, address = self._cassette, ""
        if tape is not None and not self.recording and "--base-url" not in self.words:
            address = address_of(self._head, tape.requests)
        return shlex.join([*self._record, *(["--base-url", address] if address else []), *self.words])

    def _open(self) -> Any:
        # Not before the first request: a letter that is never asked needs no tape.
        if self._cassette is None:
            if not self.recording and not self.path.is_file():
                raise self._error("missing", [f"  expected at {self.path}"], "record it with")
            try:
                self._cassette = self._context.enter_context(self._recorder().use_cassette(str(self.path)))
            except CassetteError as broken:
                raise self._error("broken", [f"  {broken.message}"], "re-record with") from None
        return self._cassette

    def _recorder(self) -> Any:
        """vcrpy, set up for one tape; with every patcher off it touches no library."""
        persister = NewTapePersister if self.recording else _HeadPersister(self._head)
        recorder = VCR(
            serializer="tape",
            record_mode=RecordMode.ALL if self.recording else RecordMode.NONE,
            match_on=list(MATCHERS),
            record_on_exception=False,
            skip_patchers=PATCHER_NAMES,
        )
        recorder.register_serializer("tape", TapeSerializer)
        recorder.register_persister(persister)
        for name, matcher in MATCHERS.items():
            recorder.register_matcher(name, matcher)
        return recorder

    def replay(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        """The recorded response to ``request``. Raises ``CassetteError``."""
        self.asked.append(len(body))
        cassette, asked = self._open(), scrubbed_request(request, body)
        if cassette.can_play_response_for(asked):
            return _response(cassette.play_response(asked))
        recorded = cassette.requests
        if times := sum(same_body(asked, each) for each in recorded):
            line = f"  the same request was recorded {times} time(s), and all are played"
            raise self._error("used_up", [f"  {self.path}", line], "re-record with")
        differs = min((changes(each, asked) for each in recorded), key=len, default=["  it holds no interaction"])
        raise self._error("stale", [f"  {self.path}", *differs], "re-record with")

    def record(self, request: httpx2.Request, body: bytes, response: httpx2.Response, data: bytes) -> None:
        """Keep one interaction, scrubbed; an answer desk's "not yet" is none."""
        if is_unanswered(response.status_code, data[:1_000].decode("utf-8", "replace")):
            return
        self.asked.append(len(body))
        self._got_through = _is_worth_keeping(response.status_code, data)
        headers: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            headers.setdefault(name.lower(), []).append(value)
        status = {"code": response.status_code, "message": response.reason_phrase}
        kept = scrubbed_response({"status": status, "headers": headers, "body": {"string": data}}, keys_sent(request))
        self._open().append(scrubbed_request(request, body), kept)

    def _save(self) -> None:
        sealed = {"calls": len(self._cassette), "answers_sha256": answers_sha256(self._cassette.responses)}
        for key, value in {**self.recorded, **sealed}.items():
            self._cassette.get_metadata(key, value)
        try:
            self._context.close()
        except UsageError as error:
            raise self._unwritable(error.message) from error
        self.saved = True

    def _try_to_write(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".part"):
                pass
        except OSError as error:
            raise self._unwritable(f"cannot write {self.path}: {error.strerror}") from error

    @staticmethod
    def _unwritable(message: str) -> CassetteError:
        hint = "free the disk, or make the folder writable, and record again"
        return CassetteError(message, hint=hint, code="unwritable_cassette")

    def lost(self) -> None:
        """The last call did not get through: there is nothing to keep, and the tape is not whole."""
        self._got_through = False

    def _error(self, kind: str, lines: list[str], advice: str) -> CassetteError:
        self.refused = Refusal(kind, tuple(lines))
        message = "\n".join([f"{kind.replace('_', ' ')} cassette: {self._what}", *lines])
        return CassetteError(message, hint=f"{advice}: {self.command}", code=f"{kind}_cassette")


def _is_worth_keeping(status: int, data: bytes) -> bool:
    """Whether a tape may end with this response: an answer, or a refusal of this very request."""
    body = parsed_json(data)
    if isinstance(body, dict) and 200 <= status < 300:
        status = error_status(body) or status
    return status < 400 or status in (400, 413, 422)


class TapeTransport(httpx2.AsyncBaseTransport):
    """Answers requests from the open tape; while it records, they go out by the client ``live``."""

    live: httpx2.AsyncClient | None = None

    @property
    def replays(self) -> bool:
        """Whether the open tape answers, so that nothing needs to be waited for."""
        tape = _CURRENT.get()
        return tape is not None and not tape.recording

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        tape = _CURRENT.get()
        if tape is None:
            hint = "open a Tape around the request"
            raise CassetteError("a request was made while no cassette is open", hint=hint, code="no_cassette")
        body = await request.aread()
        if not tape.recording:
            return tape.replay(request, body)
        if self.live is None:
            hint = "ask through a model, which has one"
            raise CassetteError("there is no client to record with", hint=hint, code="no_cassette")
        # A compressed reply could not be read in the tape.
        request.headers["accept-encoding"] = "identity"
        tape.lost()
        response = await self.live.send(request)
        data = response.content
        tape.record(request, body, response, data)
        return httpx2.Response(response.status_code, headers=response.headers, stream=httpx2.ByteStream(data))


def _response(played: Any) -> httpx2.Response:
    headers = [(name, value) for name, values in played["headers"].items() for value in values]
    headers = [(name, value) for name, value in headers if not name.startswith("retry-after")]
    # What was waited for once need not be waited for again.
    headers.append(("retry-after-ms", "0"))
    body = httpx2.ByteStream(played["body"]["string"])
    return httpx2.Response(played["status"]["code"], headers=headers, stream=body)
