"""Three witnesses for a value, and the verdict on each combination.

The answer gives a value. The reading may read the same value at its place, another one, or have no
view. A quote, where one is asked for, may prove the value in its own place or not. ``docs/verdicts.md``
explains the table to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from extractor.lettertypes.findings import Blame, ProofLevel


class ReadingWitness(Enum):
    """The reading's view of a value."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCERTAIN = "uncertain"
    NONE = "no view"


class QuoteWitness(Enum):
    """What the quoted words do for the value."""

    NOT_ASKED = "not asked for"
    PROVES = "proves it in its place"
    ABSENT = "missing"
    ELSEWHERE = "elsewhere, or gives another value"


class Ruling(NamedTuple):
    """``level``: how the value is proven; or ``blame``: whose fault it is that it is not.

    Both are ``None`` where only the value's own words can decide.
    """

    level: ProofLevel | None = None
    blame: Blame | None = None


_WORDS_DECIDE = Ruling()

TABLE: Mapping[tuple[ReadingWitness, QuoteWitness], Ruling] = {
    (ReadingWitness.AGREES, QuoteWitness.NOT_ASKED): Ruling("place"),
    (ReadingWitness.AGREES, QuoteWitness.PROVES): Ruling("place+quote"),
    (ReadingWitness.AGREES, QuoteWitness.ABSENT): Ruling("place"),
    (ReadingWitness.AGREES, QuoteWitness.ELSEWHERE): Ruling("place"),
    (ReadingWitness.DIFFERS, QuoteWitness.NOT_ASKED): Ruling(blame="answer"),
    (ReadingWitness.DIFFERS, QuoteWitness.PROVES): Ruling(blame="unclear"),
    (ReadingWitness.DIFFERS, QuoteWitness.ABSENT): Ruling(blame="answer"),
    (ReadingWitness.DIFFERS, QuoteWitness.ELSEWHERE): Ruling(blame="answer"),
    (ReadingWitness.UNCERTAIN, QuoteWitness.NOT_ASKED): _WORDS_DECIDE,
    (ReadingWitness.UNCERTAIN, QuoteWitness.PROVES): Ruling("quote"),
    (ReadingWitness.UNCERTAIN, QuoteWitness.ABSENT): Ruling(blame="unclear"),
    (ReadingWitness.UNCERTAIN, QuoteWitness.ELSEWHERE): Ruling(blame="unclear"),
    (ReadingWitness.NONE, QuoteWitness.NOT_ASKED): _WORDS_DECIDE,
    (ReadingWitness.NONE, QuoteWitness.PROVES): Ruling("quote"),
    (ReadingWitness.NONE, QuoteWitness.ABSENT): Ruling(blame="answer"),
    (ReadingWitness.NONE, QuoteWitness.ELSEWHERE): Ruling(blame="answer"),
}


def rule(view: ReadingWitness, quoted: QuoteWitness) -> Ruling:
    """The row of the table for two witnesses."""
    return TABLE[view, quoted]
