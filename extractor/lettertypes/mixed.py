"""Mixed folders: which of several letter types a letter is of, by the landmarks that their readers know."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.errors import LetterError
from extractor.letters.letter import Letter, Starts
from extractor.lettertypes.lettertype import LetterType

# In place of a letter type's name on the command line, and in the record of a letter that has none.
AUTO = "auto"
UNASSIGNED = "unassigned"
# Codes of the errors that ``type_of`` raises.
NONE_FITS, SEVERAL_FIT = "no_letter_type", "several_letter_types"


def type_of(letter: Letter, kinds: Sequence[LetterType]) -> LetterType:
    """The one of ``kinds`` that recognizes a letter. Raises ``LetterError`` if none or more than one does."""
    readings = {kind.name: kind.read(letter) for kind in kinds}
    fitting = [kind for kind in kinds if readings[kind.name].recognized]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(kind.name for kind in fitting)
        raise LetterError(
            f"this letter fits several letter types: {names}",
            hint="name one with --type, or give the types landmarks that only their own letters have",
            code=SEVERAL_FIT,
        )
    notes = "; ".join(f"{name}: {reading.note}" for name, reading in readings.items())
    raise LetterError(
        f"this letter fits no letter type of the workspace ({notes})",
        hint="leave it out, name a type with --type, or describe its type: docs/letter-type.md",
        code=NONE_FITS,
    )


def only_or_type_of(letter: Letter, kinds: Sequence[LetterType]) -> LetterType:
    """The only one of ``kinds``, or the one that recognizes a letter. Raises ``LetterError`` as ``type_of``."""
    return kinds[0] if len(kinds) == 1 else type_of(letter, kinds)


def starts_of(kinds: Sequence[LetterType]) -> Starts | None:
    """Where letters of any of ``kinds`` begin in a text that may hold several; ``None`` if no type knows."""
    known = [kind.starts for kind in kinds if kind.starts]
    if len(known) < 2:
        return known[0] if known else None
    return lambda text: sorted({at for starts in known for at in starts(text)})
