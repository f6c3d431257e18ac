"""The extra ``eval``: scipy, which is imported only where a figure needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from extractor.errors import UsageError


@contextmanager
def needs_scipy() -> Iterator[None]:
    """Around an import of scipy. Raises ``UsageError`` that names the extra if it cannot be imported."""
    try:
        yield
    except ImportError as missing:
        raise UsageError(
            "scores and comparisons need scipy, which cannot be imported",
            hint="pip install 'letterproof[eval]'",
        ) from missing
