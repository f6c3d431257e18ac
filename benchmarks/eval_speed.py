"""How long scoring, comparing and replaying take, and how that grows with the letters.

    python benchmarks/eval_speed.py [LETTERS ...]        default: 100 300 1000

Letters come from the seeded generator beside this file; each is scored twice (the baseline's answers,
and the same with one mistake a letter), the two runs are compared, and the recorded answers of as many
letters are replayed from cassettes, through the whole client.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.letters import make  # noqa: E402
from extractor.evaluation.compare import compare  # noqa: E402
from extractor.evaluation.evaluate import RecordedAnswers, evaluate, replay  # noqa: E402
from extractor.evaluation.gold.gold import Gold  # noqa: E402
from extractor.evaluation.scored_run import Run, about, scored  # noqa: E402
from extractor.letters.letter import LetterFile, letter_in  # noqa: E402
from extractor.models.cassettes import Tape, transport  # noqa: E402
from extractor.models.llm import open_model  # noqa: E402
from extractor.models.prompts import load_prompt  # noqa: E402
from extractor.runs.plan import Plan  # noqa: E402
from extractor.runs.record import Record  # noqa: E402
from extractor.workspace.workspace import Workspace  # noqa: E402
from tests.support.loopback import endpoint, message  # noqa: E402

MODEL = "openai/benchmark"


def letters(folder: Path, number: int) -> list[Gold]:
    """So many generated letters of both forms, with 1 to 6 decisions and known answers."""
    golds = []
    for i in range(number):
        made = make(1 + i % 6, seed=i)
        path = folder / f"l{i:05}.txt"
        path.write_text(made.text, "utf-8", newline="")
        file = LetterFile(path.stem, path)
        golds.append(Gold(file, letter_in(file), made.answer))
    return golds


def record_of(gold: Gold, answer: dict[str, Any]) -> Record:
    """The record that a model with this answer would have left."""
    return Record(gold.letter.id, gold.letter.sha256, "imr", "accepted", answer)


def with_mistake(answer: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    wrong = copy.deepcopy(answer)
    decision = chance.choice(wrong["decisions"])
    decision["outcome"] = "upheld" if decision["outcome"] == "overturned" else "overturned"
    return wrong


def score_and_compare(plan: Plan, golds: list[Gold]) -> tuple[float, float]:
    """Seconds of CPU to score two runs, and to compare them."""
    chance, settings = random.Random(1), about(plan, golds, "benchmark")
    runs: list[Run] = []
    given = ([gold.answer for gold in golds], [with_mistake(gold.answer, chance) for gold in golds])
    started = time.process_time()
    for answers in given:
        records = [record_of(gold, answer) for gold, answer in zip(golds, answers, strict=True)]
        runs.append(scored(plan.letter_type, golds, records, settings))
    middle = time.process_time()
    found = compare(*runs, plan.letter_type.is_protected)
    assert found.counts == {"fixed": 0, "broke": len(golds), "changed": 0}, found.counts
    return middle - started, time.process_time() - middle


def plan_of(workspace: Workspace, base_url: str | None = None) -> Plan:
    """The plain prompt over a model whose traffic is recorded, or replayed without an address."""
    model = open_model(MODEL, base_url=base_url, transport=transport(), replay=base_url is None)
    return Plan(workspace.letter_type("imr"), model, load_prompt(ROOT / "prompts/imr", "imr@v1", "imr"), reasks=0)


async def through_tapes(plan: Plan, golds: list[Gold], root: Path, work: Path, mode: str) -> float:
    """Seconds to ask about all letters, check and score them, each around its own tape."""
    started = time.perf_counter()

    def around(file: LetterFile, sha: str) -> Tape:
        return Tape(root, file.id, "imr@v1", MODEL, mode=mode)

    if mode == "replay":
        recorded = RecordedAnswers(lambda file: (1,), lambda number: around)
        found = await replay(plan, golds, "benchmark", recordings=recorded)
    else:
        found = await evaluate(plan, golds, "benchmark", [work], around=around)
    await plan.model.aclose()
    run = found.run
    if not run.complete:
        sys.exit(f"{mode}: {len(run.unanswered)} letters have no answer")
    assert run.summary["errors"] == 0, run.summary
    return time.perf_counter() - started


def record(workspace: Workspace, golds: list[Gold], root: Path, work: Path) -> None:
    """Record correct answers from an endpoint on this machine."""
    answers = {gold.letter.text: json.dumps(gold.answer) for gold in golds}
    with endpoint(lambda number, asked: message(answers[asked.body["messages"][1]["content"]])) as server:
        asyncio.run(through_tapes(plan_of(workspace, server.url), golds, root, work, "record"))


def main(sizes: list[int]) -> None:
    workspace = Workspace(ROOT)
    print("| letters | decisions | score two runs, CPU s | compare, CPU s | replay, s | replay, ms a letter |")
    print("|---:|---:|---:|---:|---:|---:|")
    for number in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            golds = letters(folder, number)
            seconds, comparing = score_and_compare(plan_of(workspace), golds)
            record(workspace, golds, folder / "tapes", folder / "recording")
            replaying = asyncio.run(
                through_tapes(plan_of(workspace), golds, folder / "tapes", folder / "replaying", "replay")
            )
            decisions = sum(len(gold.answer["decisions"]) for gold in golds)
            each = 1000 * replaying / number
            print(f"| {number} | {decisions} | {seconds:.2f} | {comparing:.2f} | {replaying:.1f} | {each:.1f} |")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100, 300, 1000])
