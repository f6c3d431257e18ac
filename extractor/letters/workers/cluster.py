"""Reading by the workers of a Dask cluster. Files go there as bytes, readings come back as JSON.

Each thread of this process waits for one file, so as many files are under way as there are threads, and a reading
is taken, and kept, the moment it is finished: a worker that dies later costs none.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, KilledWorker, LocalCluster, Security, get_worker

from extractor.errors import EngineError, LetterError, UsageError
from extractor.letters.documents import Document
from extractor.letters.workers.processes import MAX_WORKERS, current_cancellation
from extractor.letters.workers.reader_version import reader_version
from extractor.letters.workers.remote import OtherVersionError, document_of, read_on_worker

# A file that was begun by so many workers which then died is to blame.
MOST_TRIES = 2
# The scheduler also gives up files that only waited at workers which died.
_MOST_SUBMITTED = 4
# Files under way for each thread of the cluster: one is read while the next one travels.
_PER_THREAD = 2
# Of a cluster whose workers come when there is work, none may be there yet.
_FEWEST, _MOST = 8, 512
_CONNECT_SECONDS = 30
_LOOK_SECONDS = 1.0
_LISTED = 3
_SETTINGS = {
    # A file is one argument; the head process bounds how many there are.
    "distributed.admin.large-graph-warning-threshold": "1 GiB",
    "distributed.scheduler.allowed-failures": MOST_TRIES - 1,
}
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
Task = Callable[[str, bytes, str], bytes]


class ClusterReader:
    """A ``PageReader`` that has a cluster's workers do ``task``; may be called from any thread.

    Raises ``LetterError`` for a file that cannot be read, also ``worker_crashed`` for one that ended two workers;
    ``EngineError`` if the scheduler is gone, ``UsageError`` for a worker with another version.
    """

    def __init__(self, client: Client, task: Task = read_on_worker) -> None:
        self._client, self._task = client, task
        self._version = reader_version()
        self._topic = f"letterproof-{uuid4().hex}"
        self._waiting: dict[str, _Wait] = {}
        client.subscribe_topic(self._topic, self._on_begin)

    @classmethod
    @contextmanager
    def connected(cls, scheduler: str | None) -> Iterator[ClusterReader]:
        """A reader on the cluster at an address, or named by a scheduler file, or else on one started here."""
        with dask.config.set(_SETTINGS):
            if scheduler is None:
                with _local_cluster() as cluster, Client(cluster) as client:
                    yield cls._checked(client)
                return
            with _client(scheduler) as client:
                yield cls._checked(client)

    @classmethod
    def _checked(cls, client: Client) -> ClusterReader:
        reader = cls(client)
        reader.refuse_other_versions()
        return reader

    @property
    def side_by_side(self) -> int:
        """How many files are worth being under way."""
        threads: int = sum(self._client.nthreads().values())
        return min(_MOST, max(_FEWEST, _PER_THREAD * threads))

    def refuse_other_versions(self) -> None:
        """Raise ``UsageError`` if a worker's readers are not those of this process. Later workers say so themselves."""
        try:
            versions = self._client.run(reader_version)
        except Exception as error:  # whatever a worker without this package raises
            raise UsageError(
                f"a worker of the cluster cannot load letterproof ({type(error).__name__})",
                hint="install the same letterproof[dask,ocr] on every worker",
            ) from error
        others = {address: version for address, version in versions.items() if version != self._version}
        if others:
            raise self._other_version(others)

    def __call__(self, kind: str, data: bytes, name: str) -> Document:
        wait = _Wait()
        self._waiting[wait.token] = wait
        try:
            with current_cancellation().covers(wait, name):
                for number in range(_MOST_SUBMITTED):
                    reply = self._reply(f"{wait.token}-{number}", wait, (kind, data), name)
                    if reply is not None:
                        return document_of(reply, name)
                    if wait.begun >= MOST_TRIES:
                        break
            raise LetterError(
                f"reading {name} ended {MOST_TRIES} workers of the cluster",
                code="worker_crashed",
                hint="print it to a new PDF; or run it again without --engine dask",
            )
        except OtherVersionError as error:
            raise self._other_version(dict([error.args])) from None
        finally:
            self._waiting.pop(wait.token, None)

    def _reply(self, key: str, wait: _Wait, file: tuple[str, bytes], name: str) -> bytes | None:
        """What a worker sent; ``None`` if workers died over this file, or beside it."""
        kind, data = file
        try:
            future = self._client.submit(
                _noted, self._task, self._topic, wait.token, kind, data, self._version, key=key, pure=False
            )
        except Exception as error:  # the client is closed, or its connection
            raise _lost() from error
        try:
            future.add_done_callback(lambda _: wait.done.set())
            while not wait.done.wait(_LOOK_SECONDS):
                if self._client.status not in ("running", "connecting"):
                    raise _lost()
            wait.done.clear()
            if wait.cancelled:
                raise LetterError(f"reading {name} was cancelled", code="cancelled", hint="run again")
            return None if wait.begun > MOST_TRIES else _result(future, name)
        finally:
            if future.done():
                future.release()
            else:
                future.cancel()

    def _on_begin(self, event: tuple[float, Any]) -> None:
        """A worker began a file: at the third beginning of one, two workers died over it."""
        wait = self._waiting.get(str(event[1]))
        if wait is not None:
            wait.begun += 1
            if wait.begun > MOST_TRIES:
                wait.done.set()

    def _other_version(self, others: dict[str, str]) -> UsageError:
        listed = "; ".join(f"{address}: {version}" for address, version in list(others.items())[:_LISTED])
        return UsageError(
            f"{len(others)} of the cluster's workers read with another version: {listed}",
            hint=f"install there what is here: {self._version}",
        )


class _Wait:
    """What one thread waits for: a file that ``begun`` workers have begun."""

    def __init__(self) -> None:
        self.token = f"letterproof-{uuid4().hex}"
        self.done = threading.Event()
        self.begun = 0
        self.cancelled = False

    def kill(self) -> None:
        """End the waiting, for a cancellation."""
        self.cancelled = True
        self.done.set()


def _result(future: Any, name: str) -> bytes | None:
    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        return None
    if error is not None:
        raise LetterError(
            f"the cluster could not read {name} ({type(error).__name__})",
            code="worker_crashed",
            hint="run again without --engine dask",
        )
    try:
        # If its worker died just now, it is read again.
        reply = future.result()
    except Exception as gone:
        raise _lost() from gone
    return reply if isinstance(reply, bytes) else b""


def _noted(task: Task, topic: str, token: str, kind: str, data: bytes, version: str) -> bytes:
    """Runs on a worker: report the beginning, then do the task."""
    get_worker().log_event(topic, token)
    return task(kind, data, version)


def _local_cluster() -> LocalCluster:
    """A worker for each core of this machine, on connections that no other user can join, and without secrets."""
    return LocalCluster(
        n_workers=MAX_WORKERS,
        threads_per_worker=1,
        dashboard_address=None,
        protocol="tls://",
        security=Security.temporary(),
        env={name: "" for name in os.environ if _SECRET.search(name)},
    )


def _client(scheduler: str) -> Client:
    try:
        if scheduler.endswith(".json"):
            return Client(scheduler_file=scheduler, timeout=_CONNECT_SECONDS)
        return Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {scheduler}", hint="start one (dask scheduler), and check the address"
        ) from error


def _lost() -> EngineError:
    return EngineError(
        "the connection to the Dask scheduler is lost", hint="start it, and run the same command again: it continues"
    )
