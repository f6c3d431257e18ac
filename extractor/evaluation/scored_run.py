"""Eval runs: a plan asked about a set of letters with gold, scored, and kept as files.

A run's folder holds ``run.json`` (what was run, and the figures), ``predictions.jsonl`` (the
records) and ``leaves.jsonl`` (every scored leaf). Nothing in them depends on the clock: the same
answers to the same letters give the same bytes and the same folder name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Any

from extractor.engine import ENGINE
from extractor.errors import RecordError, UsageError
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scores import scoring
from extractor.evaluation.scores.scoring import Leaf, Pages, score
from extractor.evaluation.scores.summary import LetterScore, summarise
from extractor.file_names import file_name
from extractor.files import text_of, whole_file
from extractor.lettertypes.lettertype import LetterType
from extractor.runs.plan import Plan
from extractor.runs.record import Record

RUN, PREDICTIONS, LEAVES = "run.json", "predictions.jsonl", "leaves.jsonl"
_ID = 8


@dataclass(frozen=True)
class Run:
    """One eval run. ``about`` is everything that decides its figures, ``predictions`` the records as they are kept.

    ``letters`` and ``predictions`` go together, one pair an answer; a letter with several recordings has as many.
    Letters in ``unanswered`` have no answer yet, with the reason: the run is incomplete.
    """

    about: Mapping[str, Any]
    letters: tuple[LetterScore, ...]
    predictions: tuple[Record, ...]
    summary: Mapping[str, Any]
    unanswered: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Name of the run's folder: set, prompt, model, and a hash of everything that went in and came out."""
        predictions = [_prediction_line(record) for record in self.predictions]
        content = json.dumps([self.about, predictions, sorted(self.unanswered)], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:_ID]
        names = (self.about["set"], self.about["prompt"] or "no-prompt", self.about["model"])
        return "--".join((*map(file_name, names), digest))

    @property
    def complete(self) -> bool:
        return not self.unanswered

    @cached_property
    def by_letter(self) -> dict[str, tuple[LetterScore, ...]]:
        """The scores of each letter, one for each of its recordings, in order."""
        found: dict[str, list[LetterScore]] = {}
        for letter in self.letters:
            found.setdefault(letter.letter_id, []).append(letter)
        return {letter_id: tuple(scores) for letter_id, scores in found.items()}

    @cached_property
    def recordings(self) -> int:
        """The most answers that were scored of one letter."""
        return max(map(len, self.by_letter.values()), default=1)


def about(plan: Plan, golds: Sequence[Gold], set_name: str) -> dict[str, Any]:
    """The settings that decide a run's figures, everything but the answers."""
    return {
        "set": set_name,
        "letter_type": plan.letter_type.name,
        "prompt": plan.prompt.id if plan.prompt else None,
        "prompt_sha256": plan.prompt.sha256 if plan.prompt else None,
        "schema_sha256": plan.letter_type.schema_sha256,
        "model": plan.model.name,
        "params": {key: value for key, value in plan.model.params.items() if key != "base_url"},
        "reasks": plan.reasks,
        "engine": ENGINE,
        "checks_version": plan.letter_type.checks_version,
        "scorer": scoring.VERSION,
        "gold": {gold.letter.id: gold.sha256 for gold in golds},
        **({"examples": list(plan.prompt.front.examples)} if plan.prompt and plan.prompt.front.examples else {}),
    }


def answer_name(letter_id: str, recording: int) -> str:
    """``letter``, or for a further recording ``letter (recording 2)``."""
    return letter_id if recording == 1 else f"{letter_id} (recording {recording})"


def letter_of(name: str) -> str:
    """The letter of an ``answer_name``."""
    return name.partition(" (recording ")[0]


def scored(
    letter_type: LetterType,
    golds: Sequence[Gold],
    records: Iterable[Record],
    settings: Mapping[str, Any],
    unanswered: Mapping[str, str] | None = None,
    made: Iterable[tuple[int, float | None]] | None = None,
) -> Run:
    """Score records against gold. Letters without a record are unanswered, and in no figure.

    ``made`` has the number of each record among those of its letter, where letters have several, and the
    seconds that its calls took, where that is known; else each is the only one.
    """
    by_id: dict[str, list[tuple[int, float | None, Record]]] = {}
    for record, (number, seconds) in zip(records, made or repeat((1, None)), strict=False):
        by_id.setdefault(record.letter_id, []).append((number, seconds or None, _without_times(record)))
    answers = [
        (_letter(record, score(letter_type.schema, gold, record.answer), number, took), record)
        for gold in golds
        for number, took, record in sorted(by_id.get(gold.letter.id, ()), key=itemgetter(0))
    ]
    letters = tuple(letter for letter, _ in answers)
    lost = unanswered or {}
    missing = [gold.letter.id for gold in golds if gold.letter.id not in by_id]
    return Run(
        settings,
        letters,
        tuple(record for _, record in answers),
        summarise(letters, letter_type.is_protected),
        {**dict.fromkeys(missing, "no answer"), **lost},
    )


def _without_times(record: Record) -> Record:
    """A record without what differs between two runs that gave the same answers."""
    return replace(record, attempts=tuple(replace(attempt, seconds=0.0) for attempt in record.attempts))


def _letter(record: Record, leaves: Sequence[Leaf], recording: int, seconds: float | None) -> LetterScore:
    return LetterScore(
        letter_id=record.letter_id,
        status=record.status,
        leaves=tuple(leaves),
        blames=frozenset(finding.blame for finding in record.errors),
        flagged_paths=frozenset(finding.path for finding in record.errors),
        withheld={path: each.value for path, each in record.withheld.items()},
        attempts=record.attempts,
        usage=record.usage,
        cost_usd=record.cost_usd,
        error=record.error.code if record.error else None,
        recording=recording,
        seconds=seconds,
    )


# ---- files ------------------------------------------------------------------------------------


def save(run: Run, root: Path) -> Path:
    """Write a run's files below ``root``; equal runs are one folder."""
    folder = root / run.id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    head: dict[str, Any] = {"id": run.id, "about": run.about, "summary": run.summary, "unanswered": run.unanswered}
    if run.recordings > 1:
        head["recordings"] = [letter.recording for letter in run.letters]
    if any(letter.seconds for letter in run.letters):
        head["seconds"] = [letter.seconds for letter in run.letters]
    leaves = [{**_answer_key(one), **_leaf_line(leaf)} for one in run.letters for leaf in one.leaves]
    _write(folder / RUN, json.dumps(head, ensure_ascii=False, indent=1) + "\n")
    _write(folder / PREDICTIONS, _lines(map(_prediction_line, run.predictions)))
    _write(folder / LEAVES, _lines(leaves))
    return folder


def load(folder: Path) -> Run:
    """A saved run, with the leaves as they were scored then. Raises ``UsageError`` if it is no run's folder."""
    try:
        head = json.loads(text_of(folder / RUN))
        records = [Record.from_json(line) for line in text_of(folder / PREDICTIONS).splitlines()]
        leaves: dict[tuple[str, int], list[Leaf]] = {}
        for line in text_of(folder / LEAVES).splitlines():
            leaf = json.loads(line)
            leaves.setdefault((leaf.pop("letter_id"), leaf.pop("recording", 1)), []).append(_leaf(leaf))
        numbers = head.get("recordings") or [1] * len(records)
        seconds = head.get("seconds") or [None] * len(records)
        letters = [
            _letter(record, leaves.get((record.letter_id, number), []), number, took)
            for record, number, took in zip(records, numbers, seconds, strict=True)
        ]
        return Run(head["about"], tuple(letters), tuple(records), head["summary"], head["unanswered"])
    except (OSError, ValueError, KeyError, TypeError, RecordError) as error:
        hint = "see extractor eval history for the runs there are"
        raise UsageError(f"{folder} does not hold an eval run", hint=hint) from error


def latest(root: Path) -> list[Path]:
    """Folders of saved runs, in the order they were written."""
    return sorted(
        (each.parent for each in root.glob(f"*/{RUN}") if each.is_file()),
        key=lambda each: (each / RUN).stat().st_mtime_ns,
    )


def _prediction_line(record: Record) -> dict[str, Any]:
    line = record.as_dict()
    for attempt in line["attempts"]:
        del attempt["seconds"]
    return line


def _answer_key(letter: LetterScore) -> dict[str, Any]:
    numbered = {"recording": letter.recording} if letter.recording > 1 else {}
    return {"letter_id": letter.letter_id, **numbered}


def _leaf_line(leaf: Leaf) -> dict[str, Any]:
    # Without the deep copies of asdict: the line is written at once.
    line = {**vars(leaf), "pages": leaf.pages and vars(leaf.pages)}
    return {key: value for key, value in line.items() if key not in ("pages", "debatable") or value}


def _leaf(line: Mapping[str, Any]) -> Leaf:
    pages = line.get("pages")
    return Leaf(**{**line, "pages": Pages(**pages) if pages else None})


def _lines(values: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n" for value in values)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and private: records hold letters' words. What is there already keeps its date."""
    if path.is_file() and path.read_bytes() == text.encode():
        return
    with whole_file(path) as file:
        file.write(text.encode())
