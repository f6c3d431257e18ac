"""Places: where in a letter a value is found, declared in ``Annotated[...]`` beside the marker that proves it.

A place looks in the region that the leaf's marker names (``Verbatim("header")``, ``Stated("record")``).
From the places of a schema the engine derives the reader. A leaf without a place has no fact: the
reader has no view of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Block, Fact

Unit = Literal["paragraph", "item", "bullet", "sentence", "line"]
UNITS: tuple[Unit, ...] = ("paragraph", "item", "bullet", "sentence", "line")


@dataclass(frozen=True)
class After:
    """Behind a label: ``After("DOCKET NO.")``, ``After(("Date:", "Dated:"))``; ``[...]`` holds optional letters.

    The value ends at the end of its line, at the next label of the letter type or at the next table
    cell (a tab, a bar or three blanks). ``to="paragraph"`` reads on to the next empty line. ``until``
    is a pattern that ends it as well. On a list, ``cut`` is the pattern between two values.
    """

    label: str | tuple[str, ...]
    to: Literal["line", "paragraph"] = "line"
    until: str = ""
    cut: str = r"\s*[;,]\s*(?:and\s+)?|\s+and\s+"

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.label,) if isinstance(self.label, str) else self.label


@dataclass(frozen=True)
class Above:
    """On the line above one that ``line`` (a pattern) matches whole: a name above a title.

    Lines without a letter or digit are passed over. Side by side in cells, each cell has its own.
    """

    line: str


@dataclass(frozen=True)
class Below:
    """On the line below one that ``line`` (a pattern) matches whole."""

    line: str


@dataclass(frozen=True)
class Matching:
    """Where ``pattern`` matches: its first group if it has one, else all of it."""

    pattern: str


@dataclass(frozen=True)
class Entire:
    """All of the region or record, up to the pattern ``until`` if there is one."""

    until: str = ""


@dataclass(frozen=True)
class Each:
    """One value or record for each unit of one or several sections, in the letter's order.

    ``unit``: ``paragraph``; ``item`` (numbered where the section is numbered, else each paragraph);
    ``bullet``; ``sentence``; ``line``. ``of``: the sections, by default the one the marker names.
    ``one``: the enum leaf of which a record holds one; a unit with several is cut after each.
    ``unless``: sections that may hold such values in prose; where the letter has one of these and none of
    ``of``, the reader has no view.
    """

    unit: Unit
    of: tuple[str, ...] = ()
    one: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agreeing:
    """The value is stated in several places, which must agree; if not, the letter contradicts itself.

    The first place that has a value counts.
    """

    places: tuple[SimplePlace, ...]

    def __init__(self, *places: SimplePlace) -> None:
        object.__setattr__(self, "places", places)


@dataclass(frozen=True)
class Computed:
    """Where the vocabulary ends: ``read`` is given the letter's text and the region, and returns the fact.

    On a list of records it returns their blocks. A result of ``None`` is no view.
    """

    read: Callable[[str, Span], Fact | tuple[Block, ...] | None]


SimplePlace = After | Above | Below | Matching | Entire
Place = SimplePlace | Each | Agreeing | Computed
PLACES = (After, Above, Below, Matching, Entire, Each, Agreeing, Computed)


def labels_of(place: Place | None) -> tuple[str, ...]:
    """Every label that a place names."""
    if isinstance(place, After):
        return place.labels
    if isinstance(place, Agreeing):
        return tuple(label for inner in place.places for label in labels_of(inner))
    return ()


def patterns_of(place: Place | None) -> tuple[str, ...]:
    """Every regular expression that a place holds, to compile them when the type is loaded."""
    match place:
        case After():
            return (place.until, place.cut)
        case Above() | Below():
            return (place.line,)
        case Matching():
            return (place.pattern,)
        case Entire():
            return (place.until,)
        case Agreeing():
            return tuple(pattern for inner in place.places for pattern in patterns_of(inner))
    return ()
