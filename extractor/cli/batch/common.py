"""Shared by the batch commands: the options of the last ``write``, and the open run folder."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.shared.opening import open_session, open_workspace
from extractor.cli.shared.options import print_err
from extractor.errors import UsageError
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.batch import Batch, BatchOptions, Book
from extractor.runs.bulk.output import Output
from extractor.runs.ledger import Ledger
from extractor.runs.ledger.beside import refuse_foreign_records
from extractor.workspace.session import Session
from extractor.workspace.tapes import REPLAY

if TYPE_CHECKING:
    from extractor.models.llm.batches import BatchClient

OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run.")]
_PROGRESS_EVERY = 1_000


def model_named(workspace: Path | None, model: str | None) -> str:
    """The model to ask. Raises ``UsageError`` for one that has no endpoint."""
    name = model or os.environ.get("EXTRACTOR_MODEL") or open_workspace(workspace).config.default_model or OFFLINE
    if name == OFFLINE or name.startswith(REPLAY):
        raise UsageError(f"{name} asks nobody", hint="name a model: --model openai/NAME")
    return name


def options_of(session: Session, reasks: int) -> BatchOptions:
    """The settings of a ``write`` that later commands need."""
    plan = session.plan
    assert plan.prompt is not None
    address = plan.model.params.get("base_url")
    root = str(session.workspace.root)
    return BatchOptions(root, plan.letter_type.name, plan.model.name, plan.prompt.id, address, reasks)


def session_of(options: BatchOptions, workspace: Path | None, base_url: str | None = None, *, keyless: bool) -> Session:
    """The session of the last ``write``."""
    return open_session(
        workspace or Path(options.workspace),
        options.letter_type,
        options.model,
        options.prompt,
        base_url=base_url or options.base_url,
        reasks=options.reasks,
        keyless=keyless,
    )


@contextmanager
def opened(out: Path, session: Session, *, new: bool = False) -> Iterator[Batch]:
    """The open run folder; ``new`` creates what is missing."""
    from extractor.models.llm.batches import BatchWire

    wire = BatchWire(session.plan.model)
    refuse_foreign_records(out)
    ledger = Ledger(out)
    with ledger, Book(out, new=new) as book, Output(out, ledger) as output:
        yield Batch(session.plan.recognized_only(), wire, ledger, output, book)


@contextmanager
def at_endpoint(out: Path, base_url: str | None, workspace: Path | None) -> Iterator[tuple[Book, BatchClient]]:
    """The book of a run folder, and a client for the endpoint it was written for."""
    from extractor.models.llm.batches import BatchClient, BatchWire

    with Book(out) as book:
        session = session_of(book.options(), workspace, base_url, keyless=False)
        with BatchClient(BatchWire(session.plan.model)) as client:
            yield book, client


def write_arguments(options: BatchOptions, paths: Iterable[Path], out: Path) -> str:
    """The arguments that repeat a ``write``, quoted for a shell."""
    words = [*map(str, paths), "--out", str(out), "--model", options.model, "--prompt", options.prompt]
    words += ["--type", options.letter_type, "--workspace", options.workspace]
    words += ["--base-url", options.base_url] if options.base_url else []
    words += ["--reask", str(options.reasks)]
    return shlex.join(words)


def progress(letters: int) -> None:
    """Print the number of letters every 1,000 letters."""
    if letters % _PROGRESS_EVERY == 0:
        print_err(f"{letters:,} letters")


def word(out: Path) -> str:
    """A folder, quoted for a shell."""
    return shlex.quote(str(out))


def listed(parts: Mapping[str, object]) -> str:
    """The parts whose value is true, separated by commas."""
    return ", ".join(part for part, so in parts.items() if so)


def by_code(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))


def counted(number: int, one: str, many: str = "") -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {many or one + 's'}"
