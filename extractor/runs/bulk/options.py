"""How a run handles its letters, and where it stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from extractor.letters.letter import LetterFile
from extractor.models.limits import Bounds
from extractor.runs.bulk.summary import GRACE, REFUSED_FOR, Summary

# Opened around the asking of one letter, given its file and the hash of its text: its cassette.
Around = Callable[[LetterFile, str], AbstractContextManager[Any]]
OnProgress = Callable[[Summary], None]


@dataclass(frozen=True)
class Options:
    """How a run handles its letters, and where it stops.

    ``again``: which finished letters are asked once more, one of ``ledger.AGAIN``. ``only``: letters whose
    record has this status; of files that hold several letters, the others are left out. ``bounds``: how many in
    flight, how many calls and tokens a minute.

    Where it stops: before its answers cost more than ``max_cost`` in USD; after ``max_minutes``, with ``grace``
    seconds for the calls in flight before they are cancelled; at ``max_failures`` failed letters; when an
    endpoint has done nothing but refuse for ``refused_for`` seconds.

    ``labels`` are kept with the run's state in the ledger. ``on_beat`` is called twice a second, also while every
    call waits; ``on_record`` with the id of each letter that has its record, also of one that had it before.
    """

    again: str = "nothing"
    only: str | None = None
    bounds: Bounds = field(default_factory=Bounds)
    max_cost: Decimal | None = None
    max_minutes: float | None = None
    max_failures: int | None = None
    grace: float = GRACE
    refused_for: float = REFUSED_FOR
    labels: Mapping[str, Any] = field(default_factory=dict)
    on_beat: OnProgress | None = None
    on_record: Callable[[str], None] | None = None
