"""Chapters of guidelines whose page ranges are known (data, not code: ``guidelines.toml``)."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from extractor.lettertypes.page_lists import CitedWork, works_from

_chapters = cache(lambda: works_from(Path(__file__).with_name("guidelines.toml")))


@lru_cache(maxsize=1024)
def chapter_of(title: str) -> CitedWork | None:
    """The chapter that a citation's title names, if its pages are known for certain."""
    return next((chapter for pattern, chapter in _chapters() if pattern.search(title)), None)
