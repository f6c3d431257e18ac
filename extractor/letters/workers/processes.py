"""Reader processes: files that may be hostile are opened in a separate process, never in this one.

The PDF library must not run in threads, takes gigabytes for some small files and ends its process
when it gets none. So a few worker processes, kept for the next file, read one file at a time within
limits of memory and time; one that dies or hangs is an error of that file and of no other.
A file's bytes go through a pipe and never touch the disk; what comes back is plain JSON.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.workers.frames import read_frame, unpacked, write_frame


class WorkerLimits(NamedTuple):
    """What one file may take: bytes of address space, seconds without a heartbeat, seconds in total."""

    memory: int = 1 << 30
    step: float = 90.0
    total: float = 900.0


LIMITS = WorkerLimits()
# One for each core that this process may use.
MAX_WORKERS = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
# A worker is replaced after so many files, so that nothing a library keeps can pile up.
FILES_PER_WORKER = 500
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "LANG")
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from extractor.letters.workers.worker import main; main()"
)


class _Killable(Protocol):
    def kill(self) -> None: ...


class Cancellation:
    """Ends what one thread has a reader process do; ``cancel`` may be called from any thread.

    The file that is being read, and every later one of that thread, then fails with code ``cancelled``.
    """

    def __init__(self) -> None:
        self.requested = False
        self._lock = threading.Lock()
        self._worker: _Killable | None = None

    def cancel(self) -> None:
        """End the reader process that the thread waits for, and start no other."""
        with self._lock:
            self.requested = True
            if self._worker:
                self._worker.kill()

    @contextlib.contextmanager
    def covers_this_thread(self) -> Iterator[None]:
        """Within, everything this thread reads can be cancelled."""
        before = _cancellation.set(self)
        try:
            yield
        finally:
            _cancellation.reset(before)

    @contextlib.contextmanager
    def covers(self, worker: _Killable, name: str) -> Iterator[None]:
        """Within, ``cancel`` ends this worker. Raises ``LetterError`` if it was called before."""
        with self._lock:
            self.check(name)
            self._worker = worker
        try:
            yield
        finally:
            with self._lock:
                self._worker = None

    def check(self, name: str) -> None:
        """Raise ``LetterError`` if this was cancelled."""
        if self.requested:
            raise LetterError(f"reading {name} was cancelled", code="cancelled", hint="run again")


_cancellation: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


def current_cancellation() -> Cancellation:
    """What can cancel the reading of this thread."""
    return _cancellation.get() or Cancellation()


def read_pdf(data: bytes, name: str) -> Document:
    """A PDF as a document: the words that its pages show, row by row, with their places.

    Pages without usable text are read by OCR where that is installed. ``name`` is what errors call
    the file. Raises ``LetterError`` with code ``empty``, ``damaged``, ``encrypted``,
    ``too_many_pages``, ``too_large``, ``no_text``, ``garbage_text``, ``timeout``, ``worker_crashed`` or
    ``cancelled``.
    """
    return read_in_process("pdf", data, name)


def read_image(data: bytes, name: str) -> Document:
    """A TIFF (of any number of pages), PNG or JPEG file as a document, by OCR.

    ``name`` is what errors call the file. Raises ``LetterError`` with code ``ocr_missing`` where the
    extra ``ocr`` or the program tesseract is not installed, ``empty``, ``damaged``,
    ``too_many_pages``, ``too_large``, ``no_text``, ``timeout``, ``worker_crashed`` or ``cancelled``.
    """
    return read_in_process("image", data, name)


def read_in_process(task: str, data: bytes, name: str, limits: WorkerLimits = LIMITS) -> Document:
    """Have a worker do ``task`` with a file's bytes; ``name`` is what errors call the file.

    May be called from any thread; waits for a free worker. Raises ``LetterError``: what the task
    raises, ``timeout`` where a limit of time was reached, ``worker_crashed`` where the process died.
    """
    return unpacked(_answer({"task": task, "name": name}, data, limits)["document"])


def attached_to(data: bytes, name: str, limits: WorkerLimits = LIMITS) -> list[tuple[str, bytes]]:
    """The names and bytes of the files attached to a PDF, taken out by a worker. Raises as ``read_in_process`` does."""
    reply = _answer({"task": "attached", "name": name}, data, limits)
    return [(each, b64decode(file)) for each, file in reply["files"]]


def draw_in_process(
    task: str, data: bytes, name: str, page: int, turned: int = 0, limits: WorkerLimits = LIMITS
) -> tuple[bytes, int]:
    """Have a worker draw a 0-based page of a file that is ``turned`` by so many clockwise quarters.

    Returns the upright page as PNG, ``b""`` if there is no such page, and how many pages there are. Raises as
    ``read_in_process`` does.
    """
    reply = _answer({"task": task, "name": name, "page": page, "turned": turned}, data, limits)
    return b64decode(reply["png"]), reply["pages"]


def _answer(order: dict[str, Any], data: bytes, limits: WorkerLimits) -> dict[str, Any]:
    name = order["name"]
    cancellation = current_cancellation()
    with _free:
        cancellation.check(name)
        worker, fresh = _pool.take(limits)
        try:
            reply = _asked(worker, order, data, cancellation)
        except _Ended as ended:
            if ended.timed_out or fresh:
                raise ended.as_error(name, limits) from None
            # Earlier files may be to blame: the file gets a fresh worker.
            worker = _Worker(limits)
            try:
                reply = _asked(worker, order, data, cancellation)
            except _Ended as again:
                raise again.as_error(name, limits) from None
        _pool.give_back(worker)
    if "error" in reply:
        raise LetterError(reply["error"]["message"], code=reply["error"]["code"], hint=reply["error"]["hint"])
    return reply


def _asked(worker: _Worker, order: dict[str, Any], data: bytes, cancellation: Cancellation) -> dict[str, Any]:
    try:
        with cancellation.covers(worker, order["name"]):
            return worker.ask(order, data)
    except BaseException:
        worker.end()
        cancellation.check(order["name"])
        raise


def close_workers() -> None:
    """End all idle workers. They end by themselves with this process; the next file starts new ones."""
    _pool.close()


class _Ended(Exception):
    """A worker's process is gone: killed for its time, or by itself."""

    def __init__(self, timed_out: str, status: int) -> None:
        super().__init__(timed_out, status)
        self.timed_out = timed_out
        self.status = status

    def as_error(self, name: str, limits: WorkerLimits) -> LetterError:
        if self.timed_out:
            hint = "print it to a new PDF, or split it; a file made to keep programs busy looks like this too"
            return LetterError(f"{name} was given up after {self.timed_out}", code="timeout", hint=hint)
        try:
            how = signal.Signals(-self.status).name
        except ValueError:
            how = f"exit code {self.status}"
        message = (
            f"reading {name} ended the reader's process ({how}), as files do that need over {limits.memory >> 20} MB"
        )
        return LetterError(
            message, code="worker_crashed", hint="print it to a new PDF; if that fails too, leave it out"
        )


class _Worker:
    """One reader process."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.limits = limits
        self.files = 0
        kept = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter with fixed arguments
            [sys.executable, "-P", "-c", _START, json.dumps(sys.path), json.dumps(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, "OMP_THREAD_LIMIT": "1"},
            start_new_session=True,  # Ctrl-C is for this process; and its children can be ended with it
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Send a file, wait for the answer. Raises ``_Ended``; whatever is raised, the worker is then gone."""
        self.files += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = _Watch(self)
        try:
            with watch:
                write_frame(self._process.stdin, json.dumps(order).encode())
                write_frame(self._process.stdin, data)
                while (frame := read_frame(self._process.stdout)) == b"":
                    watch.begin_step()
        except (OSError, EOFError):
            self.end()
            raise _Ended(watch.reached, self._process.returncode) from None
        except BaseException:
            self.end()
            raise
        reply: dict[str, Any] = json.loads(frame)
        return reply

    def end(self) -> None:
        """End the process and what it started, and wait for it."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what was not yet written has no reader any more
                    pipe.close()

    def kill(self) -> None:
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()


class _Watch:
    """Kills a worker when a step, or the whole, takes longer than its limit."""

    def __init__(self, worker: _Worker) -> None:
        self.reached = ""
        self._worker = worker
        self._total = self._timer(worker.limits.total)
        self._step = self._timer(worker.limits.step)

    def begin_step(self) -> None:
        self._step.cancel()
        self._step = self._timer(self._worker.limits.step)
        self._step.start()

    def __enter__(self) -> None:
        self._total.start()
        self._step.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._total.cancel()
        self._step.cancel()

    def _timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._fire, [f"{seconds:g} seconds"])
        timer.daemon = True
        return timer

    def _fire(self, reached: str) -> None:
        self.reached = reached
        self._worker.kill()


class _Pool:
    """Idle workers, the last used first."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def take(self, limits: WorkerLimits) -> tuple[_Worker, bool]:
        """A worker with these limits, and whether it is new."""
        with self._lock:
            for worker in reversed(self._idle):
                if worker.limits == limits:
                    self._idle.remove(worker)
                    if worker.alive:
                        return worker, False
                    worker.end()
                    break
        return _Worker(limits), True

    def give_back(self, worker: _Worker) -> None:
        if worker.files >= FILES_PER_WORKER:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)
            surplus = self._idle.pop(0) if len(self._idle) > MAX_WORKERS else None
        if surplus:
            surplus.end()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()


_pool = _Pool()
_free = threading.BoundedSemaphore(MAX_WORKERS)


def _start_over() -> None:
    """In a forked child: the parent's workers are not its own."""
    global _pool, _free
    _pool = _Pool()
    _free = threading.BoundedSemaphore(MAX_WORKERS)


atexit.register(close_workers)
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_start_over)
