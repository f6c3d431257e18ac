"""``extractor eval compare``: what differs between runs, over all letters."""

from __future__ import annotations

import json
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
    RunPart,
    SetOption,
    TagOption,
    open_bench,
    rendered,
    resolve,
    write,
)
from extractor.cli.shared.options import OnlyLettersOption, ReaskOption, TypeOption, WorkspaceOption
from extractor.errors import UsageError
from extractor.evaluation.bench import AskOptions, Bench
from extractor.evaluation.compare import Comparison
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.reports.formats import as_markdown, as_text
from extractor.evaluation.reports.parts import compare_parts, table_parts
from extractor.evaluation.reports.sentences import (
    compare_detail,
    compare_headline,
    compare_notes,
    compare_warnings,
)
from extractor.evaluation.scored_run import Run
from extractor.evaluation.table import RunTable


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(help="Prompt versions (replayed), `offline`, or run ids and folders.", metavar="A B [C...]"),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="M", help="replay:openai/NAME; repeated: each prompt with each of the models."),
    ] = None,
    set_name: SetOption = ALL,
    letter: OnlyLettersOption = None,
    tag: TagOption = None,
    field: FieldOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="KIND", help="List only flips that broke, fixed or changed.")
    ] = None,
    reask: ReaskOption = 1,
    repeat: RepeatOption = None,
    letters: LettersOption = None,
    gold: GoldOption = None,
    mapping: MappingOption = None,
    form: Annotated[
        str, typer.Option("--format", metavar="F", help="How to write it: text, md, json or html.")
    ] = "text",
    out: OutOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Which of two prompts is better, by how much, how certain that is, and which letters broke.

    Paired by letter: exact sign-flip test and its interval on errors per letter, exact McNemar test on
    letters fully right, and every value that flipped with gold and both answers. Three or more runs
    are each compared with the first; with several models, prompts within each model and models within
    each prompt, and whether a change of prompt does the same with each model; p values are adjusted
    (Holm). No model is called: prompt versions are replayed from cassettes, with all recordings of a
    letter, and the letter as the unit of every test. Letters that one run has no answer to are left
    out, with a warning; the exit code is then 4, or 3 for missing cassettes.

    Replays are kept under runs/TYPE in the workspace. They hold text of letters.

    Example: extractor eval compare imr@v1 imr@v2 --format html --out compare.html
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    models: list[str | None] = [*model] if model else [None]
    if len(runs) * len(models) < 2:
        raise UsageError("name at least two runs to compare", hint="for example: extractor eval compare imr@v1 imr@v2")
    if unknown := set(only or []) - {"broke", "fixed", "changed"}:
        raise UsageError(f"no kind of flips {min(unknown)!r}", hint="known: broke, fixed, changed")
    part = RunPart(letter or (), tag or (), field or ())
    bench = part.of_bench(bench)
    found = [
        resolve(bench, How(each, reasks=reask, asking=AskOptions(repeat=repeat)), spec)
        for spec in runs
        for each in (models if bench.find(spec) is None else models[:1])
    ]
    write(out, _report([part.of_run(run, bench) for run, _ in found], bench, form, only or []))
    raise typer.Exit(max(code for _, code in found))


def _report(runs: list[Run], bench: Bench, form: str, only: list[str]) -> str:
    if len(runs) > 2:
        many = bench.compare_many(runs)
        return rendered(
            form,
            {
                "text": lambda: as_text(table_parts(many)),
                "md": lambda: as_markdown(table_parts(many)),
                "json": lambda: _json(many.as_dict()),
                "html": lambda: _table_page(many),
            },
        )
    two = bench.compare_runs(runs[0], runs[1])
    texts = {gold.letter.id: gold.letter.text for gold in bench.golds}
    truths = {gold.letter.id: gold for gold in bench.golds}
    sentences_of = {
        "headline": compare_headline(two),
        "warnings": compare_warnings(two),
        "detail": compare_detail(two),
        "notes": compare_notes(two),
    }
    return rendered(
        form,
        {
            "text": lambda: as_text(compare_parts(two, only)),
            "md": lambda: as_markdown(compare_parts(two, only)),
            "json": lambda: _json({**sentences_of, **two.as_dict()}),
            "html": lambda: _page(two, runs, texts, truths),
        },
    )


def _page(two: Comparison, runs: list[Run], texts: dict[str, str], truths: dict[str, Gold]) -> str:
    # The template engine is slow to load, and only pages need it.
    from extractor.evaluation.reports.html import render_compare

    return render_compare(two, runs[0], runs[1], texts, truths)


def _table_page(many: RunTable) -> str:
    from extractor.evaluation.reports.html import render_table

    return render_table(many)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
