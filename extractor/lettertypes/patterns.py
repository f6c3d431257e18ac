"""The patterns of a declared letter type: phrases that scans may have spoilt, and searches that end.

A declared type brings its own regular expressions, and one of them may never end on some letter.
So every search has a time limit, and a pattern that met it is named instead of stopping the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import regex

from extractor.errors import LetterTypeError
from extractor.letters.spans import Span
from extractor.lettertypes.reading import scanned

# Seconds for one pattern in one letter. A sound pattern needs milliseconds even in a long letter.
LIMIT = 2.0

_OPTIONAL = re.compile(r"\[([^\]]*)\]")


class SlowPatternError(Exception):
    """A pattern did not end within ``LIMIT``; ``pattern`` is its source."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.pattern = pattern


def phrase(text: str) -> str:
    """The pattern of a heading or label: its words as scans print them, and ``[...]`` around optional letters.

    >>> bool(re.fullmatch(phrase("FINDING[S] OF FACT"), "FINDING OF  FACT"))
    True
    """
    # re.split with one group yields mandatory and optional parts in turn.
    return "".join(
        f"(?:{_piece(part)})?" if i % 2 else _piece(part) for i, part in enumerate(_OPTIONAL.split(text)) if part
    )


def _piece(part: str) -> str:
    before = r"\s*" if part[0].isspace() else ""
    after = r"\s*" if part[-1].isspace() and part.strip() else ""
    return before + scanned(part) + after


def phrases(texts: str | Iterable[str]) -> str:
    """One pattern for several wordings of the same heading or label."""
    return "|".join(phrase(text) for text in ([texts] if isinstance(texts, str) else texts))


@lru_cache(maxsize=2048)
def compiled(source: str) -> Any:
    """``source`` as a pattern in which ``^`` and ``$`` are the ends of lines.

    Raises ``LetterTypeError`` if it is no regular expression.
    """
    try:
        return regex.compile(source, regex.MULTILINE)
    except regex.error as error:
        raise LetterTypeError(f"{source!r} is not a regular expression: {error}") from error


@dataclass
class Searches:
    """All searches in one letter. ``slow`` names the patterns that met the time limit; they are not tried again."""

    text: str
    slow: set[str] = field(default_factory=set)

    def all(self, source: str, within: Span) -> Iterator[Any]:
        """The matches of ``source`` inside ``within``, in order. Raises ``SlowPatternError``."""
        if source in self.slow:
            raise SlowPatternError(source)
        try:
            yield from compiled(source).finditer(self.text, within.start, within.end, timeout=LIMIT)
        except TimeoutError as error:
            self.slow.add(source)
            raise SlowPatternError(source) from error

    def first(self, source: str, within: Span) -> Any | None:
        """The first match of ``source`` inside ``within``. Raises ``SlowPatternError``."""
        return next(self.all(source, within), None)
