"""Three witnesses for a value, and what follows from what they say: the one table of verdicts.

The answer gives a value. The reading may read the same value at its place, another one, or have no
view. A quote, where one is asked for, may prove the value in its own place or not. ``docs/verdicts.md``
explains the table to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from extractor.lettertypes.findings import Blame, ProofLevel


class View(Enum):
    """The reading's view of a value."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCERTAIN = "uncertain"
    NONE = "no view"


class Quoted(Enum):
    """What the quoted words do for the value."""

    NOT_ASKED = "not asked for"
    PROVES = "proves it in its place"
    ABSENT = "missing"
    ELSEWHERE = "elsewhere, or says something else"


class Ruling(NamedTuple):
    """``level``: how the value is proven; or ``blame``: whose fault it is that it is not.

    Both are ``None`` where only the value's own words can decide.
    """

    level: ProofLevel | None = None
    blame: Blame | None = None


_WORDS_DECIDE = Ruling()

TABLE: Mapping[tuple[View, Quoted], Ruling] = {
    (View.AGREES, Quoted.NOT_ASKED): Ruling("place"),
    (View.AGREES, Quoted.PROVES): Ruling("place+quote"),
    (View.AGREES, Quoted.ABSENT): Ruling("place"),
    (View.AGREES, Quoted.ELSEWHERE): Ruling("place"),
    (View.DIFFERS, Quoted.NOT_ASKED): Ruling(blame="answer"),
    (View.DIFFERS, Quoted.PROVES): Ruling(blame="unclear"),
    (View.DIFFERS, Quoted.ABSENT): Ruling(blame="answer"),
    (View.DIFFERS, Quoted.ELSEWHERE): Ruling(blame="answer"),
    (View.UNCERTAIN, Quoted.NOT_ASKED): _WORDS_DECIDE,
    (View.UNCERTAIN, Quoted.PROVES): Ruling("quote"),
    (View.UNCERTAIN, Quoted.ABSENT): Ruling(blame="unclear"),
    (View.UNCERTAIN, Quoted.ELSEWHERE): Ruling(blame="unclear"),
    (View.NONE, Quoted.NOT_ASKED): _WORDS_DECIDE,
    (View.NONE, Quoted.PROVES): Ruling("quote"),
    (View.NONE, Quoted.ABSENT): Ruling(blame="answer"),
    (View.NONE, Quoted.ELSEWHERE): Ruling(blame="answer"),
}


def rule(view: View, quoted: Quoted) -> Ruling:
    """The row of the table for what the two witnesses say."""
    return TABLE[view, quoted]
