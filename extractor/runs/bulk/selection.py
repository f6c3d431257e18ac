"""Which of the letters a run takes: some of them, by status, by chance, by shard, or the first."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from extractor.errors import UsageError
from extractor.letters.letter import LetterFile
from extractor.lettertypes.findings import Status
from extractor.runs.ledger import LedgerView
from extractor.settings import require_one_of, require_whole


@dataclass(frozen=True)
class Selection:
    """First ``only`` letters whose record has this status, of these a ``sample``, of it one ``shard``, then the first.

    ``sample`` letters are chosen by the hash of ``seed`` and letter id: the same for any order of
    the list, and a larger sample holds the smaller one. ``shard`` is ``(i, n)``, i from 1 to n: the
    n shards of a list are disjoint and make up the whole. Raises ``UsageError`` for values that
    cannot be used.
    """

    only: str | None = None
    sample: int | None = None
    seed: int = 0
    shard: tuple[int, int] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        require_one_of("only", self.only, get_args(Status))
        require_whole("sample", self.sample, 0)
        require_whole("seed", self.seed)
        require_whole("limit", self.limit, 0)
        if self.shard is not None and not _is_shard(self.shard):
            raise UsageError(f"shard: {self.shard!r} cannot be used", hint="allowed: (i, n) with i from 1 to n")

    @staticmethod
    def shard_of(text: str) -> tuple[int, int]:
        """``2/4`` as ``(2, 4)``. Raises ``UsageError``."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        part, parts = (int(match[1]), int(match[2])) if match else (0, 0)
        if not _is_shard((part, parts)):
            raise UsageError(
                f"{text!r} is not a shard", hint="write i/n with i from 1 to n, e.g. --shard 1/4 ... --shard 4/4"
            )
        return part, parts


def _is_shard(shard: object) -> bool:
    if not isinstance(shard, tuple) or len(shard) != 2 or not all(isinstance(each, int) for each in shard):
        return False
    part, parts = shard
    return bool(1 <= part <= parts)


def select(files: Sequence[LetterFile], selection: Selection, folder: Path | None) -> Sequence[LetterFile]:
    """The chosen letters, in the order of ``files``. Raises ``LedgerError`` if ``only`` finds no run in ``folder``."""
    if selection.only:
        if folder is None:
            raise UsageError("letters are chosen by their status in a folder", hint="name the folder of the run")
        with LedgerView(folder) as ledger:
            files = [file for file in files if ledger.holds(file.id, selection.only)]
    if selection.sample is not None:
        chosen = heapq.nsmallest(selection.sample, files, key=lambda file: (_hash(file.id, selection.seed), file.id))
        files = sorted(chosen, key=lambda file: (file.id, str(file.path)))
    if selection.shard:
        part, parts = selection.shard
        files = [file for file in files if _hash(file.id) % parts == part - 1]
    return files if selection.limit is None else files[: selection.limit]


def _hash(letter_id: str, seed: int | None = None) -> int:
    text = letter_id if seed is None else f"{seed}\x00{letter_id}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
