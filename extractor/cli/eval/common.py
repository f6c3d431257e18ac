"""What the eval commands share: letters with gold, runs made or loaded, and where they are kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from extractor import Summary
from extractor.api import DEFAULT_REASKS
from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import Exit, print_err
from extractor.display.terminal import raw_stream
from extractor.display.values import plural
from extractor.errors import CassetteError, UsageError
from extractor.evaluation.bench import AskOptions, Bench
from extractor.evaluation.evaluate import Evaluated
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.scored_run import Run
from extractor.evaluation.selection import only_fields, only_letters
from extractor.files import output_file

_EVERY = 100

SetOption = Annotated[str, typer.Option("--set", metavar="NAME", help="Set of letters, from sets.toml; gold is all.")]
LettersOption = Annotated[
    Path | None, typer.Option("--letters", metavar="DIR", help="Letters outside the workspace; with --gold.")
]
GoldOption = Annotated[
    Path | None, typer.Option("--gold", metavar="DIR", help="Gold of those letters: <letter id>.json each.")
]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="How gold of another shape maps onto the schema.")
]
TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only letters with this tag of sets.toml; repeated: with all of them."),
]
FieldOption = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="F", help="Only this field, e.g. decisions/outcome or header; may be repeated."),
]
RepeatOption = Annotated[
    int | None,
    typer.Option(
        "--repeat",
        min=1,
        max=99,
        metavar="N",
        help="Ask each letter N times; of recorded answers, use the first N of each letter. Default: once, and all.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the report here instead of to stdout.")
]
RunModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="M",
        help="offline, replay:openai/NAME or openai/NAME. Default: the recorded answers of the only recorded model.",
    ),
]


@dataclass(frozen=True)
class How:
    """Settings for runs that do not exist yet."""

    model: str | None = None
    base_url: str | None = None
    reasks: int = DEFAULT_REASKS
    asking: AskOptions = field(default_factory=AskOptions)


def open_bench(
    workspace: Path | None,
    letter_type: str | None,
    set_name: str = ALL,
    *,
    letters: Path | None = None,
    gold: Path | None = None,
    mapping: Path | None = None,
) -> Bench:
    """The bench of the named workspace, or of the nearest one above. Raises ``UsageError`` kinds."""
    opened = open_offline(workspace, letter_type, or_bundled=False)
    return opened.bench(set_name, letters=letters, gold=gold, mapping=mapping)


@dataclass(frozen=True)
class RunPart:
    """The part of each run that is reported: letters, tags and fields; empty is all."""

    letters: Sequence[str] = ()
    tags: Sequence[str] = ()
    fields: Sequence[str] = ()

    def of_bench(self, bench: Bench) -> Bench:
        """The bench over these letters alone. Raises ``UsageError`` for unknown letters and tags."""
        return bench.of_letters(self.letters, self.tags)

    def of_run(self, run: Run, bench: Bench) -> Run:
        """The run over the letters of the bench, and these fields. Raises ``UsageError`` for an unknown field."""
        is_protected = bench.letter_type.is_protected
        if self.letters or self.tags:
            run = only_letters(run, {gold.letter.id for gold in bench.golds}, is_protected)
        return only_fields(run, self.fields, is_protected) if self.fields else run


def make_run(bench: Bench, how: How, prompt: str | None) -> tuple[Run, Exit]:
    """Ask, or replay, and score; the run is kept. The exit code is not 0 if letters have no answer."""
    found = bench.evaluate(
        prompt,
        how.model,
        base_url=how.base_url,
        reasks=how.reasks,
        asking=how.asking,
        on_progress=_print_progress,
    )
    if found.reused:
        total = len(found.run.letters)
        print_err(
            f"{found.reused} of {plural(total, 'answer')} kept by an earlier run and used again; ask anew: --fresh"
        )
    return _kept(bench, found)


def _kept(bench: Bench, found: Evaluated) -> tuple[Run, Exit]:
    run = found.run
    print_err(f"run {run.id}: {bench.keep(run)}")
    if (looks := bench.count_look(run)) and looks.are_many:
        print_err(
            f"the test half has been looked at with {looks.runs} different runs since {looks.since}: what is chosen by "
            "it is fitted to it; write prompts with --set development, and add letters to the test half"
        )
    if found.interrupted:
        return run, Exit.INTERRUPTED
    if run.complete:
        return run, Exit.FINE
    first = next(iter(found.unanswered.values()), None)
    print_err(f"{plural(len(run.unanswered), 'letter has', 'letters have')} no answer. First: {first}")
    return run, Exit.CASSETTES if isinstance(first, CassetteError) else Exit.INCOMPLETE


def _print_progress(summary: Summary) -> None:
    if sys.stderr.isatty():
        stream = raw_stream(sys.stderr)
        stream.write(f"\r{summary.done} of {summary.total} letters")
        if summary.done == summary.total:
            stream.write("\n")
        stream.flush()
    elif summary.done % _EVERY == 0:
        print_err(f"{summary.done} of {summary.total} letters")


def resolve(bench: Bench, how: How, spec: str) -> tuple[Run, Exit]:
    """A run by its folder or id, else made: ``offline``, or a prompt version over the recorded answers.

    Raises ``UsageError`` for a live model: that costs money, and is asked for with ``eval run``.
    """
    if (run := bench.find(spec)) is not None:
        return run, Exit.FINE if run.complete else Exit.INCOMPLETE
    return _kept(bench, bench.replayed(spec, how.model, reasks=how.reasks, repeat=how.asking.repeat))


def write(out: Path | None, text: str) -> None:
    """The report, to a file or to stdout."""
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    with output_file(out, "name another --out file", parents=True) as file:
        file.write(text.encode("utf-8", "replace"))
    print_err(f"written: {out}")


Renderer = Callable[[], str]


def rendered(kind: str, renderers: dict[str, Renderer]) -> str:
    """The report in one of its formats. Raises ``UsageError`` for an unknown one."""
    if kind not in renderers:
        raise UsageError(f"no format {kind!r}", hint=f"known: {', '.join(renderers)}")
    return renderers[kind]()
