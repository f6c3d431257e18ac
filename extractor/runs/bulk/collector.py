"""Fewer runs of Python's garbage collector while letters are under way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# The reading of a letter is thousands of objects, none of them garbage while it is in flight. With Python's own
# thresholds the collector takes a sixth of a run's CPU; with these a fiftieth, for a few MB.
_THRESHOLDS = (50_000, 5, 5)


@contextmanager
def infrequent_collection() -> Iterator[None]:
    """Raise the collector's thresholds; the caller's own are restored afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
