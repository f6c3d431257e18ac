"""How much gets past the checks: ``RESULTS.md``, made by one command.

    python -m benchmarks.results [--lent DIR] [--write RESULTS.md]

For every set of letters with hand-made gold and every recorded set of answers: wrong values that passed,
letters sent to a person, the share of right values that were admitted, each with an exact interval. Beside
it the published checkers of ``benchmarks/field_checkers.py`` on the same answers, where they are installed.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from scipy.stats import beta

from benchmarks.field_checkers import Checker, installed_checkers, printed_values
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.scores.scoring import Leaf, score
from extractor.lettertypes.lettertype import LetterType
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
OURS = "Letterproof"
LEVEL = 0.95


@dataclass(frozen=True)
class AnswerSet:
    """One set of recorded answers to the letters of one type: a prompt version and a model."""

    letter_type: str
    prompt: str
    model: str


@dataclass
class Tally:
    """What became of the answers of one set. ``values`` are those that gold holds."""

    letters: int = 0
    accepted: int = 0
    failed: int = 0
    needless: int = 0
    values: int = 0
    right: int = 0
    right_admitted: int = 0
    wrong: int = 0
    wrong_protected: int = 0
    escaped: int = 0
    escaped_protected: int = 0
    withheld: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class CheckerTally:
    """One checker on the printed values of the same answers."""

    values: int = 0
    wrong: int = 0
    wrong_admitted: int = 0
    right_admitted: int = 0
    letters_flagged: int = 0


def interval(part: int, whole: int) -> tuple[float, float]:
    """The exact two-sided interval of a share (Clopper and Pearson 1934); (0, 1) for a share of nothing."""
    if not whole:
        return 0.0, 1.0
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, part, whole - part + 1)) if part else 0.0
    high = float(beta.ppf(1 - tail, part + 1, whole - part)) if part < whole else 1.0
    return low, high


def share(part: int, whole: int) -> str:
    """A count, its share, and the interval of the share."""
    if not whole:
        return "0 of 0"
    low, high = interval(part, whole)
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %, {100 * low:.1f} to {100 * high:.1f})"


def recorded_sets(workspace: Workspace) -> Iterator[AnswerSet]:
    """Every prompt version and model that has cassettes in the workspace."""
    for name in sorted(workspace.config.letter_types):
        root = workspace.root / workspace.config.cassettes / name
        for prompt in sorted(root.glob(f"{name}@*")):
            for model in sorted(each for each in prompt.iterdir() if any(each.glob("*.yaml"))):
                yield AnswerSet(name, prompt.name, _model_of(model))


def _model_of(folder: Path) -> str:
    head = next(folder.glob("*.yaml")).read_text("utf-8")[:4000]
    return next(line.split(":", 1)[1].strip() for line in head.splitlines() if line.strip().startswith("model:"))


def records_of(answers: AnswerSet, letters: Path, out: Path) -> list[dict[str, Any]]:
    """The records that a run makes of the recorded answers, first answers only."""
    words = ["run", str(letters), "--type", answers.letter_type, "--prompt", answers.prompt, "--out", str(out)]
    words += ["--model", f"replay:{answers.model}", "--reask", "0"]
    ran = subprocess.run(
        [sys.executable, "-m", "extractor", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(f"extractor {' '.join(words)}\n{ran.stderr[-2000:]}")
    return [json.loads(line) for line in (out / "records.jsonl").read_text("utf-8").splitlines()]


def tally(letter_type: LetterType, gold: Mapping[str, Gold], records: Iterable[Mapping[str, Any]]) -> Tally:
    """Hold the records of one set against gold."""
    total = Tally()
    for record in records:
        if record["letter_id"] not in gold:
            continue
        leaves = score(letter_type.schema, gold[record["letter_id"]], record["answer"])
        _count(total, letter_type, record, leaves)
    return total


def _count(total: Tally, letter_type: LetterType, record: Mapping[str, Any], leaves: Sequence[Leaf]) -> None:
    is_accepted = record["status"] == "accepted"
    withheld = record.get("withheld") or {}
    errors = [leaf for leaf in leaves if leaf.is_error and not _is_withheld(leaf, withheld)]
    protected = [leaf for leaf in errors if letter_type.is_protected(leaf.answer_path or leaf.path)]
    matches = sum(leaf.status == "match" for leaf in leaves)
    total.letters += 1
    total.accepted += is_accepted
    total.failed += record["status"] == "failed"
    total.needless += record["status"] == "needs_review" and not protected
    total.values += sum(leaf.status in ("match", "wrong", "omitted", "failed") for leaf in leaves)
    total.right += matches
    total.right_admitted += matches if is_accepted else 0
    total.withheld += len(withheld)
    total.wrong += len(errors)
    total.wrong_protected += len(protected)
    if is_accepted:
        total.escaped += len(errors)
        total.escaped_protected += len(protected)
        total.examples += [f"{record['letter_id']} {leaf.path}: {leaf.status}" for leaf in errors]


def _is_withheld(leaf: Leaf, withheld: Mapping[str, Any]) -> bool:
    """A value taken out is no wrong value: the record keeps what was answered, and that it is open."""
    return leaf.status == "omitted" and (leaf.answer_path in withheld or leaf.path in withheld)


def check_with(
    checker: Checker, letter_type: LetterType, gold: Mapping[str, Gold], records: Iterable[Mapping[str, Any]]
) -> CheckerTally:
    """One published checker on the printed, non-null values of the same answers."""
    total = CheckerTally()
    for record in records:
        one = gold.get(record["letter_id"])
        if one is None or record["answer"] is None:
            continue
        answer = _with_withheld(record)
        wrong = [
            leaf.answer_path
            for leaf in score(letter_type.schema, one, answer)
            if leaf.status in ("wrong", "invented") and leaf.answer_path
        ]
        values = printed_values(answer, one.letter.text)
        admitted = checker.admitted(values, one.letter.text)
        for value, is_admitted in zip(values, admitted, strict=True):
            is_wrong = any(value.path == path or value.path.startswith(f"{path}/") for path in wrong)
            total.values += 1
            total.wrong += is_wrong
            total.wrong_admitted += is_wrong and is_admitted
            total.right_admitted += is_admitted and not is_wrong
        total.letters_flagged += not all(admitted)
    return total


class OwnChecker:
    """The same question put to this project's records: is the value used without a person looking?"""

    name = OURS
    package = "letterproof"
    cannot_express = "see docs/findings.md: what no check can see"

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._by_sha = {record["letter_sha256"]: record for record in records}
        self._current: Mapping[str, Any] = {}

    def admitted(self, values: Sequence[Any], text: str) -> list[bool]:
        from extractor.letters.letter import letter_from_text

        record = self._by_sha[letter_from_text("letter", text).sha256]
        flagged = [f["path"] for f in record["findings"] if f["severity"] == "error"]
        taken_out = list(record.get("withheld") or {})
        return [not any(_touches(path, one.path) for path in (*flagged, *taken_out)) for one in values]


def _touches(flagged: str, path: str) -> bool:
    """A finding on a value, or on any list or record that holds it; one on the whole letter touches all."""
    return path == flagged or path.startswith(f"{flagged}/") or flagged.startswith(f"{path}/")


def _with_withheld(record: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as it was given, with the values that were taken out put back."""
    answer: dict[str, Any] = json.loads(json.dumps(record["answer"]))
    for path, taken in (record.get("withheld") or {}).items():
        at: Any = answer
        *steps, last = path.strip("/").split("/")
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[int(last) if isinstance(at, list) else last] = taken["value"]
    return answer


# ---- the page --------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def own_row(name: str, total: Tally) -> list[str]:
    """One set of answers, as a row."""
    return [
        name,
        f"{total.letters}",
        share(total.escaped_protected, total.wrong_protected),
        share(total.escaped, total.wrong),
        share(total.letters - total.accepted - total.failed, total.letters),
        f"{total.needless}",
        f"{total.failed}",
        share(total.right_admitted, total.right),
        f"{total.withheld}",
    ]


OWN_HEAD = (
    "answers",
    "letters",
    "wrong protected values that passed",
    "all wrong values that passed",
    "letters sent to a person",
    "of these with every protected value right",
    "failed",
    "right values admitted",
    "withheld",
)
FIELD_HEAD = ("checker", "wrong values admitted", "right values admitted", "letters with a value for a person")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="write the page to this file as well")
    parser.add_argument(
        "--field", type=int, default=25, metavar="N", help="letters for the other checkers (%(default)s)"
    )
    options = parser.parse_args(arguments)
    page = "".join(_page(options.field))
    print(page)
    if options.write:
        options.write.write_text(page, "utf-8")


def _page(field_letters: int) -> Iterator[str]:
    workspace = Workspace(ROOT)
    checkers, notes = installed_checkers()
    yield "# Results\n\n"
    yield (
        f"Made on {date.today():%Y-%m-%d} by `python -m benchmarks.results --write RESULTS.md` with Python "
        f"{platform.python_version()}. Intervals are exact at 95 % (Clopper and Pearson). First answers only: nothing "
        "was asked again. A wrong value passes if it is in an accepted record.\n\n"
    )
    for name in sorted(workspace.config.letter_types):
        yield from _type_section(workspace, name, checkers, field_letters)
    yield "## The other checkers\n\n"
    yield "".join(f"- {note}\n" for note in notes)
    yield "".join(f"- {one.name} cannot express: {one.cannot_express}.\n" for one in checkers)


def _type_section(workspace: Workspace, name: str, checkers: Sequence[Checker], most: int) -> Iterator[str]:
    config = workspace.config.letter_types[name]
    if not config.letters or not config.gold:
        return
    letter_type = workspace.letter_type(name)
    letters = workspace.root / config.letters
    gold = {one.file.id: one for one in load_gold(letters, workspace.root / config.gold, letter_type)}
    yield f"## `{name}`: {len(gold)} letters with gold\n\n"
    rows, sets = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number, answers in enumerate(each for each in recorded_sets(workspace) if each.letter_type == name):
            records = records_of(answers, letters, Path(scratch, str(number)))
            sets.append((answers, records))
            total = tally(letter_type, gold, records)
            rows.append(own_row(f"`{answers.prompt}`, {answers.model}", total))
            for example in total.examples:
                print(f"escaped: {answers.prompt} {answers.model}: {example}", file=sys.stderr)
    yield table(OWN_HEAD, rows) + "\n"
    for answers, records in sets:
        yield f"### Checkers on `{answers.prompt}`, {answers.model}\n\n"
        some = records[:most]
        own = [OwnChecker(some), *checkers]
        tallies = [(one, check_with(one, letter_type, gold, some)) for one in own]
        yield (
            table(
                FIELD_HEAD,
                [
                    [
                        one.name,
                        share(found.wrong_admitted, found.wrong),
                        share(found.right_admitted, found.values - found.wrong),
                        f"{found.letters_flagged} of {len(some)}",
                    ]
                    for one, found in tallies
                ],
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
