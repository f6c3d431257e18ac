"""What a second model's agreement clears, and what it lets through, over letters with gold. No model is asked.

    python -m benchmarks.second_model --model openai/A --prompt imr@v1 --second-model openai/B

Recorded answers of both are replayed. Prints, as Markdown or with ``--json``: letters for a person before and
after, findings cleared, and how many cleared values are not what the gold says. Two rows say what to expect at
worst: a second model that repeats the first one's answers, and every planted mistake made by both models.

Without two recorded models, two prompts of one can be used to try it: they are not independent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.errors import CassetteError
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.json_text import json_line
from extractor.lettertypes.findings import Finding, status_of
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import value_at
from extractor.runs.answers import as_given
from extractor.validator.agreement import Opinion, counterparts, settle
from extractor.validator.checks import check
from extractor.validator.verdict import Verdict
from extractor.validator.withholding import withhold
from extractor.workspace.session import PlanSpec, plan_spec
from extractor.workspace.workspace import Workspace

_NAMED = 20


@dataclass
class Tally:
    """``before`` and ``after``: letters for a person, and open errors. ``wrong`` names cleared values unlike gold."""

    letters: int = 0
    asked: int = 0
    letters_before: int = 0
    letters_after: int = 0
    errors_before: int = 0
    cleared: int = 0
    wrong: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "wrong": len(self.wrong), "named": self.wrong[:_NAMED]}


def answers_of(spec: PlanSpec, golds: Sequence[Gold]) -> dict[str, Any]:
    """Each letter's recorded answer, as the model gave it; a letter without a recording has none."""
    session = spec.open()

    async def replay() -> dict[str, Any]:
        found = {}
        for gold in golds:
            try:
                record = await session.extract(gold.file, gold.letter)
            except CassetteError:
                continue
            if record.answer is not None:
                found[gold.letter.id] = as_given(record.as_dict())
        await session.plan.aclose()
        return found

    return asyncio.run(replay())


def measure(kind: LetterType, golds: Iterable[Gold], first: Mapping[str, Any], second: Mapping[str, Any]) -> Tally:
    """What the second answers clear of the findings on the first ones."""
    tally = Tally()
    for gold in golds:
        if gold.letter.id in first and gold.letter.id in second:
            _look(tally, kind, gold, first[gold.letter.id], second[gold.letter.id])
    return tally


def measure_planted(kind: LetterType, golds: Iterable[Gold]) -> Tally:
    """What happens to mistakes that both models make alike: each planted one, in both answers."""
    tally = Tally()
    for gold in golds:
        reading = kind.read(gold.letter)
        for planter in kind.planters.values():
            for mistake in planter(gold.answer, reading):
                _look(tally, kind, gold, mistake.answer, mistake.answer)
    return tally


def _look(tally: Tally, kind: LetterType, gold: Gold, first: Any, second: Any) -> None:
    reading = kind.read(gold.letter)
    one, other = (
        Opinion(name, answer, check(kind, answer, reading))
        for name, answer in (("first", _filled(kind, first)), ("second", _filled(kind, second)))
    )
    tally.letters += 1
    if not _goes_to_a_person(kind, one, one.verdict):
        return
    after = settle(kind, reading, one, other)
    tally.asked += 1
    tally.letters_before += 1
    tally.letters_after += _goes_to_a_person(kind, one, after)
    tally.errors_before += len(_errors(one.verdict.findings))
    for finding in after.findings:
        if finding.code == "models_agree":
            tally.cleared += 1
            if not _is_right(kind, gold, one, finding.path):
                tally.wrong.append(f"{gold.letter.id} {finding.path}")


def _filled(kind: LetterType, answer: Any) -> Any:
    return kind.schema.model_validate_json(json_line(answer))


def _goes_to_a_person(kind: LetterType, one: Opinion, verdict: Verdict) -> bool:
    return status_of(withhold(kind, one.answer, verdict)[1].findings) == "needs_review"


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _is_right(kind: LetterType, gold: Gold, one: Opinion, path: str) -> bool:
    """Whether a value is the gold's, or one that the gold accepts as well."""
    leaf = counterparts(one.answer, _filled(kind, gold.answer)).get(path)
    if leaf is None:
        return False
    given = value_at(json.loads(one.answer.model_dump_json()), path)
    return leaf.is_same or given in gold.also_accepted.get(leaf.other_path, ())


def _rows(tallies: Mapping[str, Tally]) -> Iterator[str]:
    yield "| second answers | letters | for a person | after | open errors | cleared | cleared though wrong |"
    yield "|---|---|---|---|---|---|---|"
    for name, each in tallies.items():
        yield (
            f"| {name} | {each.letters} | {each.letters_before} | {each.letters_after} | {each.errors_before}"
            f" | {each.cleared} | {len(each.wrong)} |"
        )
    for name, each in tallies.items():
        for wrong in each.wrong[:_NAMED]:
            yield f"\n{name}: cleared though wrong: {wrong}"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt")
    parser.add_argument("--second-model", required=True)
    parser.add_argument("--second-prompt")
    parser.add_argument("--reask", type=int, default=1)
    parser.add_argument("--workspace", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--letters", type=Path, help="default: the letters of the workspace that have gold")
    parser.add_argument("--gold", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    workspace = Workspace(args.workspace)
    name = workspace.letter_type_name(None)
    kind, config = workspace.letter_type(name), workspace.config.letter_types[name]
    letters = args.letters or workspace.root / (config.letters or "")
    golds = load_gold(letters, args.gold or workspace.root / (config.gold or ""), kind)
    spec = plan_spec(workspace, model=args.model, prompt=args.prompt, replay=True, reasks=args.reask)
    other = plan_spec(
        workspace, model=args.second_model, prompt=args.second_prompt or spec.prompt, replay=True, reasks=0
    )
    first, second = answers_of(spec, golds), answers_of(other, golds)
    tallies = {
        f"{other.model} ({other.prompt})": measure(kind, golds, first, second),
        "the first ones again": measure(kind, golds, first, first),
        "planted mistakes, made by both": measure_planted(kind, golds),
    }
    if args.json:
        print(json.dumps({each: tally.as_dict() for each, tally in tallies.items()}, indent=2))
    else:
        print("\n".join(_rows(tallies)))


if __name__ == "__main__":
    main()
