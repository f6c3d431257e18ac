"""Where PDF files and scans are read: by processes of this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NamedTuple

from extractor.errors import UsageError
from extractor.letters.workers.page_readers import PageReader
from extractor.letters.workers.processes import MAX_WORKERS, read_in_process

LOCAL, DASK = "local", "dask"
ENGINES = (LOCAL, DASK)


class Engine(NamedTuple):
    """What reads, and how many files it is given side by side."""

    reader: PageReader
    side_by_side: int


@contextmanager
def opened_engine(name: str, scheduler: str | None = None) -> Iterator[Engine]:
    """An engine, open. ``scheduler``: address or scheduler file of a Dask cluster; ``None`` starts one here.

    Raises ``UsageError`` for an engine that cannot be used: an unknown name, no scheduler at that address, a
    worker with another version.
    """
    if name == LOCAL:
        if scheduler is not None:
            raise UsageError("a scheduler is of use to the engine dask only", hint="add: --engine dask")
        yield Engine(read_in_process, MAX_WORKERS)
        return
    if name != DASK:
        raise UsageError(f"engine: {name!r} cannot be used", hint=f"allowed: {', '.join(ENGINES)}")
    if find_spec("distributed") is None:
        raise UsageError("the engine dask is not installed", hint="pip install 'letterproof[dask]'")
    from extractor.letters.workers.cluster import ClusterReader

    with ClusterReader.connected(scheduler) as reader:
        yield Engine(reader, reader.side_by_side)
