"""``extractor eval run``, ``rescore`` and ``history``: make runs, rescore them, list them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from extractor.cli.eval.common import (
    FieldOption,
    GoldOption,
    How,
    LettersOption,
    MappingOption,
    OutOption,
    RepeatOption,
    RunModelOption,
    RunPart,
    SetOption,
    TagOption,
    make_run,
    open_bench,
    rendered,
    write,
)
from extractor.cli.shared.options import (
    Exit,
    JsonOption,
    OnlyLettersOption,
    ReaskOption,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    print_err,
    print_json,
)
from extractor.display.values import number, percent_of, signed
from extractor.errors import UsageError
from extractor.evaluation.bench import AskOptions, Bench
from extractor.evaluation.breakdown import Breakdown
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.repeats import Spread
from extractor.evaluation.reports.figures import trend
from extractor.evaluation.reports.formats import as_junit, as_markdown, as_text
from extractor.evaluation.reports.parts import Grid, run_parts
from extractor.evaluation.scored_run import Run

FormatOption = Annotated[
    str,
    typer.Option(
        "--format", metavar="F", help="How to write it: text, md, json, html (one self-contained page) or junit."
    ),
]


def run_command(
    prompts: Annotated[
        list[str] | None,
        typer.Argument(help="Prompt versions, e.g. imr@v1; default: the workspace's.", metavar="[PROMPT...]"),
    ] = None,
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    letter: OnlyLettersOption = None,
    tag: TagOption = None,
    field: FieldOption = None,
    base_url: UrlOption = None,
    reask: ReaskOption = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=512, help="Letters in flight at once.")] = 8,
    repeat: RepeatOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask a live model again where an earlier run's answers are kept.")
    ] = False,
    letters: LettersOption = None,
    gold: GoldOption = None,
    mapping: MappingOption = None,
    form: FormatOption = "text",
    out: OutOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Score prompt versions against gold, and keep each run under runs/TYPE.

    Without --model the recorded answers are replayed: no network, no key, the same bytes each time.
    A live model's answers are kept, so a run that broke off asks only what is missing, and the same
    run made again asks nothing (--fresh asks again). A letter that got no reply is not a wrong answer: the run
    is then incomplete (exit code 4, or 3 for missing cassettes).

    Where letters have several recordings, each letter counts once, with their mean; the spread between
    recordings and the values that flicker are listed.

    Example: extractor eval run imr@v1 imr@v2 --set smoke
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    part = RunPart(letter or (), tag or (), field or ())
    bench = part.of_bench(bench)
    how = How(model, base_url, reask, AskOptions(concurrency, repeat, fresh))
    if form in ("html", "json", "junit") and len(prompts or ()) > 1:
        raise UsageError(f"--format {form} is for one prompt", hint="name one, or use eval compare for two")
    found = [make_run(bench, how, prompt) for prompt in prompts or (None,)]
    write(out, "\n".join(report(part.of_run(run, bench), bench, form) for run, _ in found))
    raise typer.Exit(max((code for _, code in found), default=Exit.FINE))


def report(run: Run, bench: Bench, form: str) -> str:
    """A run in one format."""
    spread, breakdown = bench.spread(run), bench.breakdown(run)
    texts = {gold.letter.id: gold.letter.text for gold in bench.golds}
    truths = {gold.letter.id: gold for gold in bench.golds}
    return rendered(
        form,
        {
            "text": lambda: as_text(run_parts(run, spread, breakdown)),
            "md": lambda: as_markdown(run_parts(run, spread, breakdown)),
            "json": lambda: (
                json.dumps({**as_json(run, spread), "breakdown": asdict(breakdown)}, ensure_ascii=False, indent=2)
                + "\n"
            ),
            "html": lambda: _page(run, texts, truths, spread, breakdown),
            "junit": lambda: as_junit(run, run.about["prompt"] or run.about["model"]),
        },
    )


def _page(run: Run, texts: dict[str, str], truths: dict[str, Gold], spread: Spread | None, breakdown: Breakdown) -> str:
    # The template engine is slow to load, and only pages need it.
    from extractor.evaluation.reports.html import render_run

    return render_run(run, texts, truths, spread, breakdown)


def as_json(run: Run, spread: Spread | None = None) -> dict[str, Any]:
    """A run as plain JSON values."""
    errors = [
        {
            "letter_id": letter.letter_id,
            "recording": letter.recording,
            "path": leaf.path,
            "status": leaf.status,
            "gold": leaf.gold,
            "got": leaf.got,
        }
        for letter in run.letters
        for leaf in letter.errors
    ]
    head = {"id": run.id, "complete": run.complete, "about": run.about, "summary": run.summary}
    return {**head, "unanswered": run.unanswered, "errors": errors, "spread": spread and asdict(spread)}


def rescore_command(
    runs: Annotated[list[str], typer.Argument(help="Run ids or folders.", metavar="RUN...")],
    set_name: SetOption = ALL,
    letters: LettersOption = None,
    gold: GoldOption = None,
    mapping: MappingOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Rescore the kept answers of runs with today's gold and scorer. No model is called.

    Needed after gold was corrected: runs scored with different gold are not compared.

    Example: extractor eval rescore gold--imr@v1--openai__NAME--1a2b3c4d
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    for name in runs:
        old = bench.find(name)
        if old is None:
            raise UsageError(f"no run {name!r}", hint="see extractor eval history for the runs there are")
        new = bench.rescored(old)
        bench.keep(new)
        before, after = old.summary["errors"], new.summary["errors"]
        print(f"{new.id}: {before} errors before, {after} now")
        if gone := sorted(set(old.about["gold"]) - set(new.about["gold"])):
            print_err(f"  gold no longer exists for: {', '.join(gone)}")


def history_command(
    set_name: Annotated[str | None, typer.Option("--set", metavar="NAME", help="Only runs of this set.")] = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json_: JsonOption = False,
) -> None:
    """List the kept runs, oldest first, with dates and the trend of each set and model.

    Example: extractor eval history --set gold
    """
    bench = open_bench(workspace, letter_type)
    heads = [head for head in bench.heads() if set_name in (None, head["about"]["set"])]
    if as_json_:
        print_json(heads)
        return
    if not heads:
        print("no runs yet; make one: extractor eval run")
        return
    print(as_text(_history_parts(heads)))


def _history_parts(heads: list[dict[str, Any]]) -> Iterator[str | Grid]:
    grid = Grid(
        (
            "made",
            "run",
            "letters",
            "errors/letter",
            "change",
            "precision",
            "recall",
            "right",
            "silent (protected + other)",
            "cost USD",
        )
    )
    grid.right = frozenset(range(2, 10))
    series: dict[tuple[str, str], list[float]] = {}
    for head in heads:
        s = head["summary"]
        left = f" (+{len(head['unanswered'])} unanswered)" if head["unanswered"] else ""
        cost = "" if s["cost_usd"] is None else f"{s['cost_usd']:.4f}"
        ratios = (
            percent_of(*s["precision"]),
            percent_of(*s["recall"]),
            f"{number(s['letters_right'][0])}/{number(s['letters_right'][1])}",
        )
        before = series.setdefault((head["about"]["set"], head["about"]["model"]), [])
        errors = s["errors"] / s["letters"] if s["letters"] else 0.0
        figures = (
            number(errors, 2),
            signed(errors - before[-1], 2) if before else "",
            *ratios,
            f"{number(s['silent_errors'])} + {number(s.get('silent_other_errors', 0))}",
            cost,
        )
        before.append(errors)
        grid.rows.append((head["made"], head["id"], f"{number(s['letters'])}{left}", *figures))
    yield grid
    yield "change: in errors per letter, from the run before it of the same set and model"
    for (name, model), values in series.items():
        if len(values) > 1:
            yield f"trend of {name}, {model}: {trend(values)} ({number(values[0], 2)} to {number(values[-1], 2)})"
