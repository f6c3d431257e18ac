"""Chapters of guidelines whose page ranges are known (data, not code: ``guidelines.toml``)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Chapter:
    """Pages ``first`` to ``last``, inclusive."""

    name: str
    first: int
    last: int

    def holds(self, first: int, last: int) -> bool:
        """Whether a page range lies in this chapter."""
        return self.first <= first and last <= self.last


@cache
def _chapters() -> tuple[tuple[re.Pattern[str], Chapter], ...]:
    data = tomllib.loads(Path(__file__).with_name("guidelines.toml").read_text("utf-8"))
    return tuple(
        (re.compile(each["title"], re.IGNORECASE), Chapter(each["name"], each["first"], each["last"]))
        for each in data["chapter"]
    )


@lru_cache(maxsize=1024)
def chapter_of(title: str) -> Chapter | None:
    """The chapter that a citation's title names, if its pages are known for certain."""
    return next((chapter for pattern, chapter in _chapters() if pattern.search(title)), None)
