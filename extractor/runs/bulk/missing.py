"""Records whose letters' files were moved, renamed or removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from extractor.errors import UsageError
from extractor.letters.letter import find_letters, holders_of
from extractor.runs.bulk.options import Options
from extractor.runs.ledger import Ledger


def note_missing(ledger: Ledger, options: Options, *, complete: bool) -> list[str]:
    """Keep in the ledger which records have no letter any more, and give their ids.

    A run over a part of the letters, or one that was cut short, only takes back letters that it found. Letters of
    other folders that earlier runs were given are looked for there.
    """
    others = ledger.unhandled()
    known = ledger.missing()
    paths = [Path(path) for path in options.labels.get("paths", ())]
    if not (options.all_letters and complete and paths):
        found = sorted({*known} & {*others})
    else:
        found = list(_nowhere(others, [each for each in ledger.paths() if each != paths])) if others else []
    if found != known:
        ledger.store_missing(found)
    return found


def _nowhere(letter_ids: list[str], places: list[list[Path]]) -> Iterator[str]:
    """Those letters that no file of these places holds."""
    present: set[str] = set()
    for paths in {tuple(each) for each in places}:
        if there := [path for path in paths if path.exists()]:
            with suppress(UsageError):  # nothing is in it any more
                present.update(file.id for file in find_letters(there))
    for letter_id in letter_ids:
        if letter_id not in present and not any(holder in present for holder in holders_of(letter_id)):
            yield letter_id
