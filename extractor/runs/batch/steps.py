"""How far a letter's stored replies take it: to its record, or to the next question.

The letter goes through the normal pipeline, with a model that keeps the question instead of sending it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from extractor.errors import ExtractorError, ModelError, TransportError, UsageError
from extractor.letters.letter import Letter
from extractor.models.model import Model, Question, Reply
from extractor.runs.batch.book import Book
from extractor.runs.bulk.output import Output
from extractor.runs.ledger import Keys, Ledger
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import failed_record

if TYPE_CHECKING:
    from extractor.models.llm.batches import BatchWire


class _NotAskedError(TransportError):
    code = "not_asked"


class Deferred:
    """A model that sends nothing: it keeps the question, or raises the error from a result file."""

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self._params = model.params
        self.question: Question | None = None
        self.failure: ModelError | None = None

    @property
    def params(self) -> dict[str, Any]:
        return self._params

    async def ask(self, question: Question) -> Reply:
        if self.failure:
            raise self.failure
        self.question = question
        raise _NotAskedError("the question is written to a file")

    def stop_retrying(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


@dataclass(frozen=True)
class Step:
    """The state of a letter: its record, if a reply or a final failure gives one, and the next question, if any."""

    record: Record | None
    question: Question | None
    crashed: bool = False

    @property
    def final(self) -> bool:
        """Whether the record is the one that ``run`` would keep as done."""
        return self.question is None and not self.crashed

    def keys(self, keys: Keys) -> Keys:
        """The keys to keep the record under: a record that is not final is rebuilt by the next command."""
        return keys if self.final else Keys(keys.ask, "")


@dataclass(frozen=True)
class Batch:
    """One open run folder with its records and its batch files; ``plan``: what its letters have in common."""

    plan: Plan
    wire: BatchWire
    ledger: Ledger
    output: Output
    book: Book
    _model: Deferred = field(init=False)
    _plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        model = Deferred(self.plan.model)
        object.__setattr__(self, "_model", model)
        object.__setattr__(self, "_plan", replace(self.plan, model=model))

    async def step(self, letter: Letter, replies: Sequence[Reply], failure: ModelError | None = None) -> Step:
        """Process one letter with its ``replies``; ``failure`` is the error that came instead of the next one."""
        self._model.question, self._model.failure = None, failure
        # Nothing here waits for anything, and an interrupt is heard where something does.
        await asyncio.sleep(0)
        try:
            record = await extract(letter, self._plan, stored=replies)
        except _NotAskedError:
            return Step(None, self._model.question)
        except UsageError:
            raise
        except Exception as error:  # a defect met by one letter must not cost the others
            crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
            return Step(failed_record(letter.id, self.plan, crash, letter.sha256), None, crashed=True)
        return Step(record, self._model.question)

    def keep(self, record: Record, keys: Keys) -> None:
        """Keep one record, in the ledger first."""
        before = self.ledger.entry(record.letter_id)
        line = self.ledger.store_record(record, keys)
        self.output.add(record.letter_id, line, replaces=before is not None)
