"""``extractor eval compare`` and ``show``: what differs between runs, over all letters or in one."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from extractor.cli.eval.common import (
    GoldOption,
    How,
    LettersOption,
    MappingOption,
    OutOption,
    RunModelOption,
    SetOption,
    open_bench,
    rendered,
    resolve,
    write,
)
from extractor.cli.shared.options import JsonOption, ReaskOption, TypeOption, WorkspaceOption, print_json
from extractor.display.values import shortened
from extractor.errors import UsageError
from extractor.evaluation.bench import Bench
from extractor.evaluation.compare import Comparison, compare, compare_many
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.reports.formats import as_markdown, as_text
from extractor.evaluation.reports.parts import Grid, Part, compare_parts, table_parts
from extractor.evaluation.reports.sentences import (
    compare_detail,
    compare_headline,
    compare_notes,
    compare_warnings,
    names_of,
)
from extractor.evaluation.scored_run import Run
from extractor.runs.record import Record


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(help="Prompt versions (replayed), `offline`, or run ids and folders.", metavar="A B [C...]"),
    ],
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="KIND", help="List only flips that broke, fixed or changed.")
    ] = None,
    reask: ReaskOption = 1,
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
    are each compared with the first, p values adjusted (Holm). No model is called: prompt versions are
    replayed from cassettes. Letters that one run has no answer to are left out, with a warning; the
    exit code is then 4, or 3 for missing cassettes.

    Example: extractor eval compare imr@v1 imr@v2 --format html --out compare.html
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    if len(runs) < 2:
        raise UsageError("comparing needs two runs", hint="name two: extractor eval compare imr@v1 imr@v2")
    if unknown := set(only or []) - {"broke", "fixed", "changed"}:
        raise UsageError(f"no kind of flips {min(unknown)!r}", hint="known: broke, fixed, changed")
    how = How(model, reasks=reask)
    found = [resolve(bench, how, spec) for spec in runs]
    write(out, _report([run for run, _ in found], bench, form, only or []))
    raise typer.Exit(max(code for _, code in found))


def _report(runs: list[Run], bench: Bench, form: str, only: list[str]) -> str:
    protected = bench.letter_type.is_protected
    if len(runs) > 2:
        many = compare_many(runs, protected)
        return rendered(
            form,
            {
                "text": lambda: as_text(table_parts(many)),
                "md": lambda: as_markdown(table_parts(many)),
                "json": lambda: _json(many.as_dict()),
            },
        )
    two = compare(runs[0], runs[1], protected)
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


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def show_command(
    letter: Annotated[str, typer.Argument(help="Id of a letter with gold.", metavar="LETTER")],
    runs: Annotated[list[str], typer.Argument(help="One run or two, as in eval compare.", metavar="A [B]")],
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    text: Annotated[bool, typer.Option("--text/--no-text", help="Print the letter's text above.")] = True,
    letters: LettersOption = None,
    gold: GoldOption = None,
    mapping: MappingOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """One letter: its text, and every leaf that is wrong or differs, with gold and the answers.

    Example: extractor eval show mixed-outcomes imr@v1 imr@v2
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    one = next((each for each in bench.golds if each.letter.id == letter), None)
    if one is None:
        known = ", ".join(each.letter.id for each in bench.golds[:30])
        raise UsageError(f"no letter {letter!r} with gold in this set", hint=f"known: {known}")
    how = How(model)
    found = [resolve(bench, how, spec)[0] for spec in runs]
    rows = _rows(letter, found)
    if as_json:
        answers = {run.id: record.as_dict() if (record := _prediction(run, letter)) else None for run in found}
        print_json(
            {"letter_id": letter, "gold": one.answer, "debatable": one.debatable, "runs": answers, "differs": rows}
        )
        return
    parts: list[Part] = [one.letter.text.strip("\n")] if text else []
    names = names_of(*(run.about for run in found))
    for name, run in zip(names, found, strict=True):
        parts.append(f"{name}: {_outcome(_prediction(run, letter))}")
    grid = Grid(("path", "gold", *(f"{name}" for name in names)))
    grid.rows = [
        (row["path"], shortened(row["gold"]), *(f"{shortened(a['got'])} ({a['status']})" for a in row["runs"]))
        for row in rows
    ]
    parts.append(grid if grid.rows else "No leaf is wrong in any of these runs.")
    parts += [f"debatable {path}: {why}" for path, why in one.debatable.items()]
    print(as_text(iter(parts)))


def _rows(letter: str, runs: list[Run]) -> list[dict[str, Any]]:
    """Leaves of one letter that some run gets wrong."""
    scores = [
        {leaf.path: leaf for each in run.letters if each.letter_id == letter for leaf in each.leaves} for run in runs
    ]
    paths = dict.fromkeys(path for leaves in scores for path, leaf in leaves.items() if leaf.is_error)
    rows = []
    for path in paths:
        leaves = [each.get(path) for each in scores]
        gold = next(leaf.gold for leaf in leaves if leaf)
        answers = [
            {"status": leaf.status, "got": leaf.got} if leaf else {"status": "absent", "got": None} for leaf in leaves
        ]
        rows.append({"path": path, "gold": gold, "runs": answers})
    return rows


def _prediction(run: Run, letter: str) -> Record | None:
    return next((each for each in run.predictions if each.letter_id == letter), None)


def _outcome(record: Record | None) -> str:
    if record is None:
        return "no answer yet"
    errors = "".join(f"; {error.code} at {error.path or '/'} ({error.blame})" for error in record.errors)
    return f"{record.status}, {len(record.attempts)} attempts{errors}"
