"""``extractor eval gate``: what may land."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.eval.common import (
    How,
    OutOption,
    RunModelOption,
    open_bench,
    rendered,
    resolve,
    write,
)
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err
from extractor.display.values import some
from extractor.errors import UsageError
from extractor.evaluation.bench import Bench
from extractor.evaluation.gate import (
    BASELINES,
    GATES,
    GateLine,
    Gates,
    baseline_path,
    judge,
    load_baseline,
    load_gates,
)
from extractor.evaluation.gold.leaks import Leak
from extractor.evaluation.gold.sets import ALL, TEST
from extractor.evaluation.reports.gate_report import gate_junit, gate_markdown, gate_text


def gate_command(
    prompts: Annotated[
        list[str] | None,
        typer.Argument(
            help="Prompt versions; default: those of gates.toml, else the workspace's.", metavar="[PROMPT...]"
        ),
    ] = None,
    model: RunModelOption = None,
    gates_file: Annotated[
        Path | None, typer.Option("--gates", metavar="FILE", help="Default: eval/TYPE/gates.toml.")
    ] = None,
    baseline_file: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Default: the blessed one of this set and model.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail also where the gate judges less than it did, or by other rules.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="F", help="How to write it: text, md, json or junit.")
    ] = "text",
    out: OutOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold prompt versions against gates.toml and the blessed baseline; replays, calls no model.

    Facts, not p values: a value that was right under the baseline and is wrong now is named. Prompts
    that hold words of letters with gold fail too. A letter that is gone, changed gold, another scorer,
    schema, checks or re-ask setting, and a missing baseline are lines of their own, which fail with
    --strict. Models that gates.toml has floors for are judged beside the workspace's. No format holds
    letters' words.

    Exit code 0 passed, 1 a line of the gate failed, 2 the named baseline or gates file does not exist,
    3 stale or missing cassettes.

    Replays are kept under runs/TYPE in the workspace. They hold text of letters.

    Example: extractor eval gate imr@v2 --strict
    """
    whole = open_bench(workspace, letter_type)
    gates = load_gates(gates_file or whole.folder / GATES)
    if baseline_file and not baseline_file.is_file():
        raise UsageError(f"no baseline {baseline_file}", hint="leave --baseline out, or bless a run first")
    default = whole.workspace.config.letter_types[whole.letter_type.name].default_prompt
    models = [model] if model else [gates.model, *(f"replay:{name}" for name in gates.models)]
    found = {
        " ".join(filter(None, (prompt, each if len(models) > 1 else None))): _lines(
            whole, gates.for_model(each), prompt, each, baseline_file
        )
        for prompt in prompts or gates.prompts or (default,)
        for each in models
    }
    write(out, _report(found, "json" if as_json else form, strict))
    passed = all(line.holds(strict=strict) for lines in found.values() for line in lines)
    raise typer.Exit(Exit.FINE if passed else Exit.LOOK)


def _lines(whole: Bench, gates: Gates, prompt: str, model: str | None, baseline_file: Path | None) -> list[GateLine]:
    """The lines of the gate for one prompt. Exits where a letter has no answer."""
    # Where the gold has halves, prompts are written with the one and judged by the other.
    bench = whole.of_set(TEST if gates.set == ALL and whole.has_halves else gates.set)
    run, code = resolve(bench, How(model), prompt)
    if code is not Exit.FINE:
        raise typer.Exit(code)
    path = baseline_file or baseline_path(bench.folder / BASELINES, run.about)
    baseline = load_baseline(path)
    if baseline is None:
        print_err(f"no baseline at {path}: only the floors are judged; bless one with extractor eval bless {prompt}")
    lines = judge(run, gates, baseline, bench.letter_type.is_protected)
    return [*lines, _leak_line(whole.leaks([prompt]))]


def _report(found: dict[str, list[GateLine]], form: str, strict: bool) -> str:
    return rendered(
        form,
        {
            "text": lambda: gate_text(found, strict=strict),
            "md": lambda: gate_markdown(found, strict=strict),
            "json": lambda: json.dumps(_as_json(found, strict), ensure_ascii=False, indent=2),
            "junit": lambda: gate_junit(found, strict=strict),
        },
    )


def _as_json(found: dict[str, list[GateLine]], strict: bool) -> dict[str, list[dict[str, Any]]]:
    return {
        prompt: [{**asdict(line), "passed": line.holds(strict=strict)} for line in lines]
        for prompt, lines in found.items()
    }


def _leak_line(leaks: list[Leak]) -> GateLine:
    letters = sorted({leak.letter_id for leak in leaks})
    detail = f"the prompt holds words of letters it is scored on: {some(letters)}; see extractor eval leaks"
    return GateLine("leaks", not leaks, detail if leaks else "no words of letters with gold")
