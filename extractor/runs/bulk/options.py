"""How a run handles its letters, and where it stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_args

from extractor.letters.letter import LetterFile
from extractor.letters.workers.engines import ENGINES, LOCAL
from extractor.lettertypes.findings import Status
from extractor.models.limits import Bounds
from extractor.runs.bulk.summary import GRACE, REFUSED_FOR, Summary
from extractor.runs.ledger import AGAIN
from extractor.settings import require_number, require_one_of, require_whole

# Opened around the asking of one letter, given its file and the hash of its text: its cassette.
Around = Callable[[LetterFile, str], AbstractContextManager[Any]]
OnProgress = Callable[[Summary], None]


@dataclass(frozen=True)
class Options:
    """How a run handles its letters, and where it stops.

    ``again``: which finished letters are asked once more, one of ``ledger.AGAIN``. ``only``: letters whose
    record has this status; of files that hold several letters, the others are left out. ``bounds``: how many in
    flight, how many calls and tokens a minute.

    ``ask_unrecognized``: whether a language model is asked about letters that their type's reader does not recognize;
    without it they fail as ``not_a_letter``, and cost nothing.

    Where it stops: before its answers cost more than ``max_cost`` in USD; after ``max_minutes``, with ``grace``
    seconds for the calls in flight before they are cancelled; at ``max_failures`` failed letters; when an
    endpoint has done nothing but refuse for ``refused_for`` seconds.

    ``engine``: where PDF files and scans are read, one of ``engines.ENGINES``; ``scheduler``: address of its
    scheduler. ``all_letters``: the run is over all letters of its paths, so that the others of its folder may have
    no file any more. ``labels`` are kept with the run's state in the ledger. ``on_beat`` is called twice a second,
    also while every call waits; ``on_record`` with the id of each letter that has its record, also of one that had
    it before.
    Raises ``UsageError`` for values that cannot be used.
    """

    again: str = "nothing"
    only: str | None = None
    bounds: Bounds = field(default_factory=Bounds)
    max_cost: Decimal | None = None
    max_minutes: float | None = None
    max_failures: int | None = None
    grace: float = GRACE
    refused_for: float = REFUSED_FOR
    engine: str = LOCAL
    scheduler: str | None = None
    all_letters: bool = False
    ask_unrecognized: bool = False
    labels: Mapping[str, Any] = field(default_factory=dict)
    on_beat: OnProgress | None = None
    on_record: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        require_one_of("again", self.again, AGAIN)
        require_one_of("engine", self.engine, ENGINES)
        require_one_of("only", self.only, get_args(Status))
        require_number("max_cost", self.max_cost, 0)
        if self.max_cost is not None:
            # A float would not add up with what calls cost.
            object.__setattr__(self, "max_cost", Decimal(str(self.max_cost)))
        require_number("max_minutes", self.max_minutes, 0)
        require_whole("max_failures", self.max_failures, 1)
        require_number("grace", self.grace, 0)
        require_number("refused_for", self.refused_for, 0)
