"""``extractor eval leaks``: words of letters with gold in prompts and schema."""

from __future__ import annotations

import typer

from extractor.cli.eval.common import open_bench
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.display.values import plural


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
    prompts = bench.prompts
    found = bench.leaks(prompts)
    if as_json:
        print_json([leak.__dict__ for leak in found])
    else:
        for leak in found:
            print(f"{leak.prompt} holds words of {leak.letter_id}: {leak.words}")
        held = f"{plural(len(prompts), 'prompt')} and the schema against {plural(len(bench.golds), 'letter')}"
        print(f"{held}: {plural(len(found), 'leak')}")
    raise typer.Exit(Exit.LOOK if found else Exit.FINE)
