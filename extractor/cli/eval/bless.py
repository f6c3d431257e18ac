"""``extractor eval bless``: make a run the baseline of the gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from extractor.cli.eval.common import (
    How,
    RunModelOption,
    SetOption,
    open_bench,
    resolve,
)
from extractor.cli.shared.options import Exit, TypeOption, WorkspaceOption
from extractor.display.values import plural
from extractor.errors import UsageError
from extractor.evaluation.bench import Bench
from extractor.evaluation.gate import (
    BASELINES,
    GATES,
    as_baseline,
    baseline_path,
    is_worse,
    load_baseline,
    load_gates,
)
from extractor.evaluation.gold.sets import ALL
from extractor.files import output_file


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
    gates, released = bench.folder / GATES, bench.workspace.prompt_folder(bench.letter_type.name) / "released.toml"
    if config.default_prompt != prompt:
        yield f'workspace.toml: default_prompt = "{prompt}"'
    if gates.is_file() and prompt not in load_gates(gates).prompts:
        yield f'{gates}: prompts = ["{prompt}"]'
    if released.is_file() and prompt.partition("@")[2] not in released.read_text("utf-8"):
        yield f"{released}: the hash of {prompt}, so that it is not edited later"
