"""The answers that ``benchmarks/results.py`` reports on, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.corpus import printed, truths, write
from extractor.errors import CassetteError, LetterError
from extractor.evaluation.bench import Bench
from extractor.evaluation.gold.gold import Gold, GoldView
from extractor.evaluation.gold.shape import nodes_of
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.summary import LetterScore
from extractor.evaluation.stats import exact_bounds
from extractor.letters.letter import find_letters, letters_in
from extractor.lettertypes.lettertype import LetterType
from extractor.models.cassettes.status import model_folders
from extractor.models.offline import NAME as OFFLINE
from extractor.workspace.tapes import REPLAY, cassette_root
from extractor.workspace.workspace import Workspace


@dataclass(frozen=True)
class AnswerSet:
    """Answers to one set of letters with gold, scored. ``reasks``: how often findings were sent back."""

    name: str
    reasks: int
    run: Run


@dataclass
class SetTally:
    """What became of one set of answers. Values are those that gold covers; ``needless`` letters went to a person
    although every protected value was right.
    """

    letters: int = 0
    accepted: int = 0
    failed: int = 0
    needless: int = 0
    right: int = 0
    right_admitted: int = 0
    wrong: int = 0
    wrong_protected: int = 0
    escaped: int = 0
    escaped_protected: int = 0
    withheld: int = 0
    withheld_right: int = 0
    examples: list[str] = field(default_factory=list)


def share(part: int, whole: int) -> str:
    """A count, its share, and the exact 95 % interval of the share."""
    if not whole:
        return "0 of 0"
    low, high = exact_bounds(part, whole)
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %, {100 * low:.1f} to {100 * high:.1f})"


# ---- sets ------------------------------------------------------------------------------------------


def recorded(workspace: Workspace, bench: Bench, notes: list[str]) -> Iterator[AnswerSet]:
    """Every prompt version and model that is recorded for all letters of a bench, first answers and corrected ones.

    What is recorded only in part is left out with a note.
    """
    root = cassette_root(workspace, bench.letter_type.name)
    for folder in sorted(root.glob(f"{bench.letter_type.name}@*")):
        for model in sorted(each.model for each in model_folders(root, folder.name)):
            name = f"`{folder.name}`, {model}"
            for reasks in (0, 1):
                found = bench.evaluate(folder.name, REPLAY + model, reasks=reasks)
                if found.run.complete:
                    yield AnswerSet(name, reasks, found.run)
                    continue
                stale = any(isinstance(error, CassetteError) for error in found.unanswered.values())
                why = "not recorded" if stale else "without an answer"
                notes.append(f"{name}, {_rounds(reasks)}: {len(found.run.unanswered)} letters are {why}; left out")


def the_reader(bench: Bench, name: str) -> AnswerSet:
    """The baseline's answers: what the deterministic reader alone reads."""
    return AnswerSet(name, 0, bench.evaluate(None, OFFLINE).run)


def _rounds(reasks: int) -> str:
    return "after one correction" if reasks else "first answers"


def lent(workspace: Workspace, folder: Path, mapping: Path) -> Bench:
    """Letters outside the repository with gold of another shape."""
    return Bench.of_folders(workspace, "imr", folder, folder, mapping)


def generated(workspace: Workspace, folder: Path, letters: int, seed: int) -> Bench:
    """Letters of the generator with every mess; gold is what they print."""
    imr = Bench.of_workspace(workspace, "imr")
    write(folder, letters, seed)
    true = {one["letter_id"]: one for one in truths(folder)}
    golds = []
    for file in find_letters([folder / "letters"]):
        for part, letter in letters_in(file, imr.letter_type.starts):
            if not isinstance(letter, LetterError) and part.id in true:
                one = true[part.id]
                golds.append(Gold(part, letter, printed(one["answer"], one["form"]), view=_view(imr, one["form"])))
    return Bench(workspace, imr.letter_type, golds, "generated", imr.folder)


def _view(imr: Bench, form: str) -> GoldView:
    """The part of an answer that a letter of this form prints."""
    return GoldView(nodes_of(imr.letter_type.schema), lambda answer: printed(answer, form), form)


# ---- counting --------------------------------------------------------------------------------------


def tally(letter_type: LetterType, letters: Iterable[LetterScore]) -> SetTally:
    """Hold the scored letters of one set against what was accepted."""
    total = SetTally()
    for one in letters:
        _count(total, letter_type, one)
    return total


def _count(total: SetTally, letter_type: LetterType, one: LetterScore) -> None:
    is_accepted = one.status == "accepted"
    errors = [leaf for leaf in one.errors if leaf not in one.withheld_leaves]
    protected = [leaf for leaf in errors if letter_type.is_protected(leaf.field)]
    matches = sum(leaf.status == "match" for leaf in one.leaves)
    total.letters += 1
    total.accepted += is_accepted
    total.failed += one.is_failed
    total.needless += one.status == "needs_review" and not protected
    total.right += matches + one.rightly_given
    total.right_admitted += matches if is_accepted else 0
    total.withheld += len(one.withheld_leaves)
    total.withheld_right += one.rightly_given
    total.wrong += len(errors)
    total.wrong_protected += len(protected)
    if is_accepted:
        total.escaped += len(errors)
        total.escaped_protected += len(protected)
        total.examples += [f"{one.letter_id} {leaf.path}: {leaf.status}" for leaf in errors]


HEAD = (
    "answers",
    "letters",
    "wrong protected values that passed",
    "all wrong values that passed",
    "letters sent to a person",
    "of these with every protected value right",
    "failed",
    "right values admitted",
    "withheld",
    "of these right",
)


def row(answers: AnswerSet, total: SetTally) -> list[str]:
    """One set of answers as a row under ``HEAD``."""
    return [
        answers.name + (", corrected once" if answers.reasks else ""),
        f"{total.letters}",
        share(total.escaped_protected, total.wrong_protected),
        share(total.escaped, total.wrong),
        share(total.letters - total.accepted - total.failed, total.letters),
        f"{total.needless}",
        f"{total.failed}",
        share(total.right_admitted, total.right),
        f"{total.withheld}",
        f"{total.withheld_right}",
    ]


def plain_records(answers: AnswerSet) -> list[dict[str, Any]]:
    """The records of a set as JSON data."""
    return [json.loads(record.as_json()) for record in answers.run.predictions]
