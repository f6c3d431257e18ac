"""What reads PDF files and pictures: reader processes of this machine, unless a thread is given something else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from extractor.letters.documents import Document
from extractor.letters.workers.processes import read_in_process

# Gets the kind of the file (``pdf`` or ``image``), its bytes, and what errors call it. Raises ``LetterError``.
PageReader = Callable[[str, bytes, str], Document]

_current: ContextVar[PageReader] = ContextVar("page_reader", default=read_in_process)


def read_pages(kind: str, data: bytes, name: str) -> Document:
    """A PDF or picture file as a document, by this thread's reader. Raises ``LetterError`` as ``read_pdf`` does."""
    return _current.get()(kind, data, name)


@contextlib.contextmanager
def pages_read_by(reader: PageReader | None) -> Iterator[None]:
    """Within, this thread's PDF and picture files are read by ``reader``; ``None`` changes nothing."""
    if reader is None:
        yield
        return
    before = _current.set(reader)
    try:
        yield
    finally:
        _current.reset(before)
