"""What the eval commands share: letters with gold, runs made or loaded, and where they lie."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.options import Exit, open_session, open_workspace, say
from extractor.display.terminal import raw_stream
from extractor.errors import CassetteError, UsageError, WorkspaceError
from extractor.evaluation.evaluate import evaluate
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.gold.mapping import load_foreign, load_mapping
from extractor.evaluation.gold.sets import ALL, FILE, choose, load_sets
from extractor.evaluation.scored_run import RUN, Run, load, save
from extractor.files import output_file
from extractor.letters.letter import find_letters
from extractor.lettertypes.lettertype import LetterType
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.bulk import Summary
from extractor.workspace.session import Session
from extractor.workspace.workspace import Workspace

RUNS = "runs"
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
class Bench:
    """Letters with gold, chosen, and the folder where runs of them are kept."""

    workspace: Workspace
    letter_type: LetterType
    golds: list[Gold]
    set_name: str
    folder: Path

    @property
    def runs(self) -> Path:
        """Runs hold letters' words: beside the workspace's committed folders, never inside them."""
        return self.workspace.root / RUNS / self.letter_type.name


def open_bench(
    workspace: Path | None,
    letter_type: str | None,
    set_name: str = ALL,
    *,
    letters: Path | None = None,
    gold: Path | None = None,
    mapping: Path | None = None,
) -> Bench:
    """The workspace's gold, or letters and gold from elsewhere. Raises ``UsageError`` kinds."""
    found = open_workspace(workspace)
    kind = found.letter_type(letter_type)
    folder = eval_folder(found, kind.name)
    if letters is None and gold is None:
        if mapping is not None:
            raise UsageError("--mapping needs --letters and --gold", hint="name the folders it is for")
        config = found.config.letter_types[kind.name]
        golds = load_gold(found.root / str(config.letters), found.root / str(config.gold), kind)
        return Bench(found, kind, choose(golds, set_name, load_sets(folder / FILE)), set_name, folder)
    if letters is None or gold is None:
        raise UsageError("--letters and --gold go together", hint="name both folders; they may be the same one")
    if set_name != ALL:
        raise UsageError("--set is for the workspace's own gold", hint="leave it out with --letters and --gold")
    if mapping is None:
        golds = load_gold(letters, gold, kind)
    else:
        golds = load_foreign(find_letters([letters]), gold, load_mapping(mapping, kind))
    return Bench(found, kind, golds, letters.resolve().name, folder)


def eval_folder(workspace: Workspace, letter_type: str) -> Path:
    """The folder that holds gold, sets, gates, baselines and runs. Raises ``WorkspaceError`` if there is no gold."""
    config = workspace.config.letter_types[letter_type]
    if not config.letters or not config.gold:
        raise WorkspaceError("this letter type has no gold", hint="set `letters` and `gold` in workspace.toml")
    return (workspace.root / config.gold).parent


@dataclass(frozen=True)
class How:
    """How runs that are not there yet are made."""

    workspace: Path | None
    letter_type: str | None
    model: str | None = None
    base_url: str | None = None
    reasks: int = 1
    concurrency: int = 8


def make_run(bench: Bench, how: How, prompt: str | None) -> tuple[Run, Exit]:
    """Ask, or replay, and score; the run is saved. The exit code is not 0 if letters have no answer."""
    offline = how.model == OFFLINE
    session = open_session(
        how.workspace,
        how.letter_type,
        how.model or OFFLINE,
        None if offline else prompt,
        base_url=how.base_url,
        replay=how.model is None,
        reasks=how.reasks,
    )
    run, summary = asyncio.run(_evaluate(bench, how, session))
    folder = save(run, bench.runs)
    say(f"run {run.id}: {folder}")
    if summary.interrupted:
        return run, Exit.INTERRUPTED
    if run.complete:
        return run, Exit.FINE
    first = next(iter(summary.unanswered.values()), None)
    say(f"{len(run.unanswered)} letters have no answer. First: {first}")
    return run, Exit.CASSETTES if isinstance(first, CassetteError) else Exit.INCOMPLETE


async def _evaluate(bench: Bench, how: How, session: Session) -> tuple[Run, Summary]:
    model = session.plan.model
    live = not session.replaying and model.name != OFFLINE
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return await evaluate(
                session.plan,
                bench.golds,
                bench.set_name,
                bench.runs / ".work" if live else Path(scratch),
                concurrency=how.concurrency,
                around=session.tape if session.replaying else None,
                on_progress=_told,
            )
        finally:
            await model.aclose()


def _told(summary: Summary) -> None:
    if sys.stderr.isatty():
        stream = raw_stream(sys.stderr)
        stream.write(f"\r{summary.done} of {summary.total} letters")
        if summary.done == summary.total:
            stream.write("\n")
        stream.flush()
    elif summary.done % _EVERY == 0:
        say(f"{summary.done} of {summary.total} letters")


def resolve(bench: Bench, how: How, spec: str) -> tuple[Run, Exit]:
    """A run by its folder or id, else made: ``offline``, or a prompt version over the recorded answers.

    Raises ``UsageError`` for a live model: that costs money, and is asked for with ``eval run``.
    """
    for folder in (bench.runs / spec, Path(spec)):
        if (folder / RUN).is_file():
            run = load(folder)
            return run, Exit.FINE if run.complete else Exit.INCOMPLETE
    if spec == OFFLINE:
        return make_run(bench, How(how.workspace, how.letter_type, OFFLINE), None)
    if how.model is not None and not how.model.startswith("replay:"):
        raise UsageError(
            f"comparing asks no model, and there is no run {spec!r}",
            hint=f"make it with: extractor eval run {spec} --model {how.model}; then name the run",
        )
    return make_run(bench, how, spec)


def write(out: Path | None, text: str) -> None:
    """The report, to a file or to stdout."""
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    with output_file(out, "name another --out file", parents=True) as file:
        file.write(text.encode("utf-8", "replace"))
    say(f"written: {out}")


Renderer = Callable[[], str]


def rendered(kind: str, renderers: dict[str, Renderer]) -> str:
    """The report in one of its formats. Raises ``UsageError`` for an unknown one."""
    if kind not in renderers:
        raise UsageError(f"no format {kind!r}", hint=f"known: {', '.join(renderers)}")
    return renderers[kind]()
