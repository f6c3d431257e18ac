"""Ask one plan about letters with gold, or replay its recorded answers, and score what comes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import CassetteError, ExtractorError, TransportError, UsageError
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scored_run import Run, about, scored
from extractor.runs import bulk
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import failed_record


@dataclass(frozen=True)
class Evaluated:
    """A scored run; ``unanswered`` holds why letters have no answer, ``interrupted`` whether it was broken off."""

    run: Run
    unanswered: Mapping[str, ExtractorError] = field(default_factory=dict)
    interrupted: bool = False


async def replay(
    plan: Plan, golds: Sequence[Gold], set_name: str, *, concurrency: int = 8, around: bulk.Around | None = None
) -> Evaluated:
    """Score answers that cost nothing: recorded ones (``around`` opens each letter's cassette), or the baseline's.

    Works on the letters as gold has read them; nothing is written. Letters without a recording are
    ``unanswered`` in the run, never scored as wrong. Raises ``UsageError`` for what would fail for every letter.
    """
    unanswered: dict[str, ExtractorError] = {}
    gate = asyncio.Semaphore(concurrency)

    async def one(gold: Gold) -> Record | None:
        async with gate:
            try:
                with around(gold.file, gold.letter.sha256) if around else nullcontext():
                    return await extract(gold.letter, plan)
            except UsageError:
                raise
            except (TransportError, CassetteError) as error:
                unanswered[gold.letter.id] = error
                return None
            except Exception as error:  # a defect met by one letter must not cost the others
                crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
                return failed_record(gold.letter.id, plan, crash, gold.letter.sha256)

    records = [record for record in await asyncio.gather(*map(one, golds)) if record is not None]
    codes = {letter_id: unanswered[letter_id].code for letter_id in sorted(unanswered)}
    run = scored(plan.letter_type, golds, records, about(plan, golds, set_name), codes)
    return Evaluated(run, unanswered)


async def evaluate(
    plan: Plan,
    golds: Sequence[Gold],
    set_name: str,
    work: Path,
    *,
    concurrency: int = 8,
    around: bulk.Around | None = None,
    on_progress: bulk.OnProgress | None = None,
) -> Evaluated:
    """Ask a live model about every letter and score what came.

    ``work`` is where the ledger is kept: answers that were paid for stay there, and the same run
    started again asks only what is missing. Letters that could not be asked are ``unanswered`` in
    the run: never scored as wrong. Raises what ``bulk.run`` raises.
    """
    settings = about(plan, golds, set_name)
    folder = work / hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    summary = await bulk.run(
        [gold.file for gold in golds],
        plan,
        folder,
        concurrency=concurrency,
        around=around,
        on_progress=on_progress,
    )
    wanted = {gold.letter.id for gold in golds}
    unanswered = {letter_id: error.code for letter_id, error in summary.unanswered.items()}
    with (folder / bulk.RECORDS).open(encoding="utf-8") as lines:
        records = [record for record in map(Record.from_json, lines) if record.letter_id in wanted - set(unanswered)]
    run = scored(plan.letter_type, golds, records, settings, unanswered)
    return Evaluated(run, summary.unanswered, summary.interrupted)
