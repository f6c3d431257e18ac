"""``extractor eval gate``, ``bless`` and ``leaks``: what may land."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.eval.common import (
    How,
    OutOption,
    RunModelOption,
    SetOption,
    open_bench,
    rendered,
    resolve,
    write,
)
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.display.values import plural, some
from extractor.errors import UsageError
from extractor.evaluation.bench import Bench
from extractor.evaluation.gate import (
    GATES,
    GateLine,
    as_baseline,
    baseline_path,
    is_worse,
    judge,
    load_baseline,
    load_gates,
)
from extractor.evaluation.gold.leaks import Leak, find_leaks
from extractor.evaluation.gold.sets import ALL, FILE, load_form
from extractor.evaluation.reports.gate_report import gate_junit, gate_markdown, gate_text
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
    --strict. No format holds letters' words.

    Exit code 0 passed, 1 a line of the gate failed, 2 the named baseline or gates file does not exist,
    3 stale or missing cassettes.

    Example: extractor eval gate imr@v2 --strict
    """
    whole = open_bench(workspace, letter_type)
    gates = load_gates(gates_file or whole.folder / GATES)
    bench = open_bench(workspace, letter_type, gates.set)
    how = How(model or gates.model)
    default = bench.workspace.config.letter_types[bench.letter_type.name].default_prompt
    if baseline_file and not baseline_file.is_file():
        raise UsageError(f"no baseline {baseline_file}", hint="leave --baseline out, or bless a run first")
    found: dict[str, list[GateLine]] = {}
    for prompt in prompts or gates.prompts or (default,):
        run, code = resolve(bench, how, prompt)
        if code is not Exit.FINE:
            raise typer.Exit(code)
        path = baseline_file or baseline_path(bench.folder / BASELINES, run.about)
        baseline = load_baseline(path)
        if baseline is None:
            print_err(
                f"no baseline at {path}: only the floors are judged; bless one with extractor eval bless {prompt}"
            )
        lines = judge(run, gates, baseline, bench.letter_type.is_protected)
        found[prompt] = [*lines, _leak_line(_leaks(whole, [prompt]))]
    report = rendered(
        "json" if as_json else form,
        {
            "text": lambda: gate_text(found, strict=strict),
            "md": lambda: gate_markdown(found, strict=strict),
            "json": lambda: json.dumps(_as_json(found, strict), ensure_ascii=False, indent=2),
            "junit": lambda: gate_junit(found, strict=strict),
        },
    )
    write(out, report)
    passed = all(line.holds(strict=strict) for lines in found.values() for line in lines)
    raise typer.Exit(Exit.FINE if passed else Exit.LOOK)


def _as_json(found: dict[str, list[GateLine]], strict: bool) -> dict[str, list[dict[str, Any]]]:
    return {
        prompt: [{**asdict(line), "passed": line.holds(strict=strict)} for line in lines]
        for prompt, lines in found.items()
    }


def _leak_line(leaks: list[Leak]) -> GateLine:
    letters = sorted({leak.letter_id for leak in leaks})
    detail = f"the prompt holds words of letters it is scored on: {some(letters)}; see extractor eval leaks"
    return GateLine("leaks", not leaks, detail if leaks else "no words of letters with gold")


def bless_command(
    run: Annotated[str, typer.Argument(help="A run id or folder, or a prompt version (replayed).", metavar="RUN")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why a worse run is blessed; kept in the baseline.")
    ] = "",
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a run the baseline of its set and model: from now on the gate holds others against it.

    Never done automatically. A run that is worse than the baseline needs a --reason. The file under
    eval/TYPE/baselines holds figures and paths, no letter's words; commit it, with the edits that the
    command names.

    Example: extractor eval bless imr@v2
    """
    bench = open_bench(workspace, letter_type, set_name)
    found, code = resolve(bench, How(model), run)
    if code is not Exit.FINE:
        raise typer.Exit(code)
    path = baseline_path(bench.folder / BASELINES, found.about)
    before = load_baseline(path)
    worse = is_worse(found, before, bench.letter_type.is_protected) if before else ""
    if worse and not reason.strip():
        raise UsageError(f"this run is worse than the baseline: {worse}", hint="give a reason with --reason TEXT")
    text = json.dumps(as_baseline(found, reason.strip()), indent=1, sort_keys=True)
    with output_file(path, private=False, parents=True) as file:
        file.write((text + "\n").encode())
    earlier = f"; before: {before['run']} with {plural(before['summary']['errors'], 'error')}" if before else ""
    print(f"{path}: {found.id} with {plural(found.summary['errors'], 'error')}{earlier}")
    for edit in _further_edits(bench, found.about["prompt"]):
        print(f"  also edit {edit}")


def _further_edits(bench: Bench, prompt: str | None) -> Iterator[str]:
    """What else has to change for the blessed prompt to be the one that is used, gated and never edited."""
    if prompt is None:
        return
    config = bench.workspace.config.letter_types[bench.letter_type.name]
    gates, released = bench.folder / GATES, bench.workspace.root / config.prompts / "released.toml"
    if config.default_prompt != prompt:
        yield f'workspace.toml: default_prompt = "{prompt}"'
    if gates.is_file() and prompt not in load_gates(gates).prompts:
        yield f'{gates}: prompts = ["{prompt}"]'
    if released.is_file() and prompt.partition("@")[2] not in released.read_text("utf-8"):
        yield f"{released}: the hash of {prompt}, so that it is not edited later"


def leaks_command(
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for words of letters with gold in every prompt version and in the schema's descriptions.

    Eight words in a row are a leak; phrases of the form itself are listed in sets.toml under [form].
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
