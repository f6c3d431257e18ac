"""Several run folders made into one: the shards of a run, or runs of different letters."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import LedgerError
from extractor.runs.bulk.output import Output
from extractor.runs.ledger import Ledger, LedgerView
from extractor.runs.ledger.beside import RECORDS, refuse_foreign_records
from extractor.runs.ledger.merge import absorb
from extractor.runs.ledger.view import FILE

_WORK = "merge.part"


@dataclass(frozen=True)
class Merged:
    """``letters`` by folder; ``counts`` of all letters by status; ``conflicts``: different records in two folders."""

    letters: dict[str, int]
    counts: Counter[str]
    conflicts: tuple[str, ...]


def merge_runs(folders: Sequence[Path], out: Path) -> Merged:
    """Join the ledgers and records of ``folders`` in the new folder ``out``; the folders stay as they are.

    For a letter that is in two of them, the newer record is taken. ``out`` appears whole or not
    at all, and another run can continue it. Raises ``LedgerError``.
    """
    ages = [_newest(folder) for folder in folders]
    work = out / _WORK
    if Ledger.exists(out):
        _begin_again(work, out, folders)
    if Ledger.exists(out):
        raise LedgerError(f"{out} holds a run already", hint="name a new folder")
    refuse_foreign_records(out)
    shutil.rmtree(work, ignore_errors=True)
    letters: dict[str, int] = {}
    conflicts: list[str] = []
    with Ledger(work) as ledger:
        # The oldest first: the newest source's replies become the newest round.
        for folder in [folder for _, folder in sorted(zip(ages, folders, strict=True), key=lambda each: each[0])]:
            done = absorb(ledger, folder)
            letters[str(folder)] = done.letters
            conflicts += done.conflicts
        counts = ledger.counts()
        state = {"letters": counts.total(), "done": counts.total(), "left": 0, "merged": list(letters), **counts}
        ledger.begin("", "nothing", state)
        with Output(work, ledger):
            pass
        ledger.save_state(state, ended=True)
    try:
        # The ledger first: with it alone the folder is whole, its records are made from it.
        for name in (FILE, RECORDS):
            (work / name).replace(out / name)
        shutil.rmtree(work)
    except OSError as error:
        raise LedgerError(f"cannot write {out}: {error.strerror}", hint="name another --out folder") from error
    return Merged({str(folder): letters[str(folder)] for folder in folders}, counts, tuple(sorted(set(conflicts))))


def _begin_again(work: Path, out: Path, folders: Sequence[Path]) -> None:
    """Remove what a merge of the same folders made in ``out``, if it was killed at its end and nothing ran since."""
    if not work.exists():
        return
    with LedgerView(out) as ledger:
        last = ledger.latest()
    if last and sorted(last.state.get("merged", ())) == sorted(map(str, folders)):
        # The ledger last: without it nothing identifies the records' runs.
        for name in (RECORDS, FILE):
            (out / name).unlink(missing_ok=True)


def _newest(folder: Path) -> float:
    """When the newest record of a folder was made. Raises ``LedgerError`` if there is no run."""
    if not Ledger.exists(folder):
        raise LedgerError(f"no run in {folder}", hint="name the --out folders of runs")
    with Ledger(folder):  # brings an older version's up to date; raises if a run is active
        pass
    with LedgerView(folder) as ledger:
        return ledger.extent()[1]
