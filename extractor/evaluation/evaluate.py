"""Run one plan over letters with gold: the same bulk run as for any folder, then the scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scored_run import Run, about, scored
from extractor.runs import bulk
from extractor.runs.plan import Plan


async def evaluate(
    plan: Plan,
    golds: Sequence[Gold],
    set_name: str,
    work: Path,
    *,
    concurrency: int = 8,
    around: bulk.Around | None = None,
    on_progress: bulk.OnProgress | None = None,
) -> tuple[Run, bulk.Summary]:
    """Ask about every letter and score what came.

    ``work`` is where a live run's ledger lies: answers that were paid for are kept there, and the
    same run started again asks only what is missing. Letters that could not be asked are
    ``unanswered`` in the run: never scored as wrong. Raises what ``bulk.run`` raises.
    """
    said = about(plan, golds, set_name)
    folder = work / hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    summary = await bulk.run(
        [gold.file for gold in golds],
        plan,
        folder,
        concurrency=concurrency,
        around=around,
        on_progress=on_progress,
    )
    wanted = {gold.letter.id for gold in golds}
    with (folder / bulk.RECORDS).open(encoding="utf-8") as lines:
        records = [record for record in map(json.loads, lines) if record["letter_id"] in wanted]
    unanswered = {letter_id: error.code for letter_id, error in summary.unanswered.items()}
    records = [record for record in records if record["letter_id"] not in unanswered]
    return scored(plan.letter_type, golds, records, said, unanswered), summary
