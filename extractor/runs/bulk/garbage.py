"""Python's search for objects that only hold each other, made rare while letters are under way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A letter's reading is thousands of objects, none of them garbage while it is in flight. With Python's own
# thresholds a sixth of a run's CPU goes into looking through them; with these a fiftieth, and a few MB.
_THRESHOLDS = (50_000, 5, 5)


@contextmanager
def rarely_searched() -> Iterator[None]:
    """Around a run; the thresholds are the caller's own again afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
