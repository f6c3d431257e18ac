"""``extractor eval gate``, ``bless`` and ``leaks``: what may land."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.eval.common import Bench, How, RunModelOption, SetOption, open_bench, resolve
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_json, say
from extractor.evaluation.gate import GATES, Line, as_baseline, baseline_path, judge, load_baseline, load_gates
from extractor.evaluation.gold.leaks import Leak, find_leaks
from extractor.evaluation.gold.sets import ALL, FILE, load_form
from extractor.files import output_file
from extractor.workspace.session import prompts_known

BASELINES = "baselines"


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
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold prompt versions against gates.toml and the blessed baseline; replays, asks nothing.

    Facts, not p values: a leaf that was right under the baseline and is wrong now is named. Prompts
    that hold words of letters with gold fail too.

    Exit code 0 passed, 1 a line of the gate failed, 3 stale or missing cassettes.

    Example: extractor eval gate imr@v2
    """
    whole = open_bench(workspace, letter_type)
    gates = load_gates(gates_file or whole.folder / GATES)
    bench = open_bench(workspace, letter_type, gates.set)
    how = How(workspace, letter_type, model or gates.model)
    default = bench.workspace.config.letter_types[bench.letter_type.name].default_prompt
    told: dict[str, list[Line]] = {}
    for prompt in prompts or gates.prompts or (default,):
        run, code = resolve(bench, how, prompt)
        if code is not Exit.FINE:
            raise typer.Exit(code)
        path = baseline_file or baseline_path(bench.folder / BASELINES, run.about)
        baseline = load_baseline(path)
        if baseline is None:
            say(f"no baseline at {path}: only the floors are judged; bless one with extractor eval bless {prompt}")
        told[prompt] = [
            *judge(run, gates, baseline, bench.letter_type.is_protected),
            _leak_line(_leaks(whole, [prompt])),
        ]
    if as_json:
        print_json({prompt: [line.__dict__ for line in lines] for prompt, lines in told.items()})
    else:
        _print(told)
    passed = all(line.passed for lines in told.values() for line in lines)
    raise typer.Exit(Exit.FINE if passed else Exit.LOOK)


def _print(told: dict[str, list[Line]]) -> None:
    for prompt, lines in told.items():
        for line in lines:
            print(f"{prompt}  {'pass' if line.passed else 'FAIL'}  {line.name}: {line.told}")


def _leak_line(leaks: list[Leak]) -> Line:
    where = "; ".join(f"{leak.letter_id}: {leak.words}" for leak in leaks[:5])
    told = f"the prompt holds words of letters it is scored on: {where}" if leaks else "no words of letters with gold"
    return Line("leaks", not leaks, told)


def bless_command(
    run: Annotated[str, typer.Argument(help="A run id or folder, or a prompt version (replayed).", metavar="RUN")],
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a run the baseline of its set and model: from now on the gate holds others against it.

    Never done by itself. The file under eval/TYPE/baselines holds figures and paths, no letter's
    words; commit it.

    Example: extractor eval bless imr@v2
    """
    bench = open_bench(workspace, letter_type, set_name)
    found, code = resolve(bench, How(workspace, letter_type, model), run)
    if code is not Exit.FINE:
        raise typer.Exit(code)
    path = baseline_path(bench.folder / BASELINES, found.about)
    before = load_baseline(path)
    with output_file(path, private=False, parents=True) as file:
        file.write((json.dumps(as_baseline(found), indent=1, sort_keys=True) + "\n").encode())
    told = f"; before: {before['run']} with {before['summary']['errors']} errors" if before else ""
    print(f"{path}: {found.id} with {found.summary['errors']} errors{told}")


def leaks_command(
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for words of letters with gold in every prompt version and in the schema's descriptions.

    Eight words in a row are a leak; phrases of the form itself stand in sets.toml under [form].
    Exit code 1 if there is one.

    Example: extractor eval leaks --type imr
    """
    bench = open_bench(workspace, letter_type)
    prompts = prompts_known(bench.workspace, letter_type)
    found = _leaks(bench, prompts)
    if as_json:
        print_json([leak.__dict__ for leak in found])
    else:
        for leak in found:
            print(f"{leak.prompt} holds words of {leak.letter_id}: {leak.words}")
        print(f"{len(prompts)} prompts and the schema against {len(bench.golds)} letters: {len(found)} leaks")
    raise typer.Exit(Exit.LOOK if found else Exit.FINE)


def _leaks(bench: Bench, prompts: Iterable[str]) -> list[Leak]:
    config = bench.workspace.config.letter_types[bench.letter_type.name]
    folder = bench.workspace.root / config.prompts
    texts = {
        prompt: (folder / f"{prompt.partition('@')[2]}.md").read_text("utf-8") for prompt in prompts if "@" in prompt
    }
    texts["schema"] = json.dumps(bench.letter_type.json_schema)
    return find_leaks(texts, bench.golds, load_form(bench.folder / FILE))
