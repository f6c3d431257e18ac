"""Ask one plan about letters with gold, or replay its recorded answers, and score what comes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from extractor.errors import CassetteError, ExtractorError, TransportError, UsageError
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scored_run import Run, about, answer_name, scored
from extractor.letters.letter import LetterFile
from extractor.runs import bulk
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import failed_record


@dataclass(frozen=True)
class Evaluated:
    """A scored run; ``unanswered`` holds why letters have no answer, ``interrupted`` whether it was broken off.

    ``reused`` answers were kept by an earlier run with the same settings and not asked for now.
    """

    run: Run
    unanswered: Mapping[str, ExtractorError] = field(default_factory=dict)
    interrupted: bool = False
    reused: int = 0


@dataclass(frozen=True)
class RecordedAnswers:
    """Which recordings of each letter are replayed, and what is opened around one of them: its cassette."""

    numbers: Callable[[LetterFile], Sequence[int]]
    around: Callable[[int], bulk.Around]


# A record, the number of its recording, and the seconds that its calls took, if that is known.
ScoredAnswer = tuple[Record, tuple[int, float | None]]


async def replay(
    plan: Plan, golds: Sequence[Gold], set_name: str, *, concurrency: int = 8, recordings: RecordedAnswers | None = None
) -> Evaluated:
    """Score answers that cost nothing: recorded ones, or without ``recordings`` the baseline's.

    Works on the letters as gold has read them; nothing is written. Letters without a recording are
    ``unanswered`` in the run, never scored as wrong. Raises ``UsageError`` for what would fail for every letter.
    """
    unanswered: dict[str, ExtractorError] = {}
    gate = asyncio.Semaphore(concurrency)

    async def one(gold: Gold, number: int) -> ScoredAnswer | None:
        async with gate:
            try:
                with recordings.around(number)(gold.file, gold.letter.sha256) if recordings else nullcontext() as tape:
                    record = await extract(gold.letter, plan)
                    # How fast a replay is depends on this machine; how long the model took is in the recording.
                    seconds = tape.head.get("seconds") if tape else None
                    return record, (number, seconds)
            except UsageError:
                raise
            except (TransportError, CassetteError) as error:
                unanswered[answer_name(gold.letter.id, number)] = error
                return None
            except Exception as error:  # a defect met by one letter must not cost the others
                crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
                return failed_record(gold.letter.id, plan, crash, gold.letter.sha256), (number, None)

    asked = [(gold, number) for gold in golds for number in (recordings.numbers(gold.file) if recordings else (1,))]
    answers = [each for each in await asyncio.gather(*(one(gold, number) for gold, number in asked)) if each]
    codes = {name: unanswered[name].code for name in sorted(unanswered)}
    return Evaluated(_scored(plan, golds, set_name, answers, codes), unanswered)


def _scored(
    plan: Plan,
    golds: Sequence[Gold],
    set_name: str,
    answers: Sequence[ScoredAnswer],
    unanswered: Mapping[str, str],
) -> Run:
    records, made = [record for record, _ in answers], [how for _, how in answers]
    return scored(plan.letter_type, golds, records, about(plan, golds, set_name), unanswered, made)


def ledger_folders(
    work: Path, plan: Plan, golds: Sequence[Gold], set_name: str, *, repeat: int = 1, fresh: bool = False
) -> list[Path]:
    """Where the answers of a live run are kept below ``work``, one folder for each time the letters are asked.

    They depend on what is asked alone, so that the same run begun again continues, and no answer is paid for
    twice. ``fresh``: answers that are there already are set aside, in folders named ``.before-1`` and so on.
    """
    settings = about(plan, golds, set_name)
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    folders = [work / (name if number == 1 else f"{name}-{number}") for number in range(1, repeat + 1)]
    for folder in folders if fresh else ():
        if folder.exists():
            past = (folder.with_name(f"{folder.name}.before-{n}") for n in count(1))
            folder.rename(next(each for each in past if not each.exists()))
    return folders


async def evaluate(
    plan: Plan,
    golds: Sequence[Gold],
    set_name: str,
    folders: Sequence[Path],
    *,
    concurrency: int = 8,
    around: bulk.Around | None = None,
    on_progress: bulk.OnProgress | None = None,
) -> Evaluated:
    """Ask a live model about every letter, once for each of ``folders``, and score what came.

    The folders are those of ``ledger_folders``: answers that were paid for stay there, and the same run
    started again asks only what is missing. Letters that could not be asked are ``unanswered`` in
    the run: never scored as wrong. Raises what ``bulk.run`` raises.
    """
    wanted = {gold.letter.id for gold in golds}
    answers: list[ScoredAnswer] = []
    unanswered: dict[str, ExtractorError] = {}
    reused, interrupted = 0, False
    for number, folder in enumerate(folders, start=1):
        summary = await bulk.run(
            [gold.file for gold in golds],
            plan,
            folder,
            concurrency=concurrency,
            around=around,
            on_progress=on_progress,
        )
        reused += summary.before.total()
        unanswered |= {answer_name(letter_id, number): error for letter_id, error in summary.unanswered.items()}
        with (folder / bulk.RECORDS).open(encoding="utf-8") as lines:
            found = [record for record in map(Record.from_json, lines) if record.letter_id in wanted]
        answers += [
            (record, (number, sum(attempt.seconds for attempt in record.attempts)))
            for record in found
            if record.letter_id not in summary.unanswered
        ]
        if interrupted := summary.interrupted:
            break
    codes = {name: error.code for name, error in unanswered.items()}
    return Evaluated(_scored(plan, golds, set_name, answers, codes), unanswered, interrupted, reused)
