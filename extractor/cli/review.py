"""``extractor review``: a person checks what was flagged."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import TypeOption, WorkspaceOption, print_err
from extractor.errors import LedgerError, UsageError
from extractor.files import output_file
from extractor.letters.letter import Starts
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import UNASSIGNED, starts_of
from extractor.runs.ledger import LedgerView
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.review.review import Desk

LettersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--letters",
        metavar="PATH",
        help="The letters of the run, if they were moved: a file or folder; may come more than once.",
    ),
]


def review_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run (its --out).", metavar="DIR")],
    letters: LettersOption = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the reviewer; default: your login name.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page for mailing, and serve nothing.")
    ] = None,
    audit: Annotated[
        int | None,
        typer.Option(
            "--audit", metavar="N", min=1, help="Read a random sample of N accepted letters instead, blind to status."
        ),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="See no act of other reviewers, and let none see yours, until two are done.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Which random sample --audit draws.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; default: one that is free.")] = 0,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Check what was flagged, in a browser: accept, correct, mark evidence, reject, comment.

    Serves on 127.0.0.1 until Ctrl-C and prints the address, which holds a secret; nothing leaves the
    machine. Every act goes to DIR/review.jsonl; records are never changed. Letters are looked for where
    the run read them, or under --letters. PDFs and scans are displayed as pages. --audit measures how wrong
    the accepted letters may be: the sample is kept in DIR, and audit report prints what it proves. --blind gives
    letters to two people who do not see each other's acts: where they agree it counts, where they differ a third
    act without --blind decides, and audit agreement prints how far they agree.

    Example: extractor review out
    """
    desk = _open_desk(folder, letters, name, letter_type, workspace, (audit, seed) if audit else None, blind)
    if missing := len(desk.letters.missing):
        print_err(f"{missing} of {len(desk.queue.entries)} letters were not found; name their folders with --letters")
    if html:
        from extractor.review.mail_page import sheet

        page = sheet(desk)
        with output_file(html) as file:
            file.write(page.encode("utf-8", "replace"))
        print(html)
        return
    _serve(desk, port, browser)


def _open_desk(
    folder: Path,
    letters: list[Path] | None,
    name: str | None,
    letter_type: str | None,
    workspace: Path | None,
    sample: tuple[int, int] | None = None,
    blind: bool = False,
) -> Desk:
    """The desk of a run folder; ``sample``: size and seed of an audit."""
    if sample and blind:
        raise UsageError("--audit and --blind are two kinds of review", hint="name one of them")
    from extractor.review.audit import draw
    from extractor.review.review import Desk

    opened = open_workspace(workspace, or_bundled=True)
    kind = opened.letter_type(letter_type or letter_type_of_run(folder))
    places = letter_places(folder, opened, kind, letters)
    author, drawn = _name(name), None
    if sample:
        with LedgerView(folder) as view:
            # Tables leave these out, too.
            gone = frozenset(view.missing())
            present = (record for record in view.records() if record.letter_id not in gone)
            drawn = draw(folder, kind, present, *sample, author)
    return Desk(folder, kind, places, author, starts_in_run(folder, opened, kind), audit=drawn, blind=blind)


def _serve(desk: Desk, port: int, browser: bool) -> None:
    try:
        from extractor.review.serve import serve
    except ImportError as missing:
        raise UsageError(
            "the review page needs starlette and uvicorn, which cannot be imported",
            hint="pip install 'letterproof[review]', or --html FILE",
        ) from missing

    def opened(address: str) -> None:
        print(address, flush=True)
        print_err(f"reviewing {desk.folder} as {desk.name}; Ctrl-C ends it")
        if browser:
            import webbrowser

            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve(desk, opened, port)
    desk.refresh()
    decided = sum(desk.part(entry) == "done" for entry in desk.queue.entries)
    left = sum(desk.part(entry) == "todo" for entry in desk.queue.entries)
    print_err(f"{decided} decided, {left} left to check; all is in {desk.log.path}")
    if desk.audit:
        from extractor.review.audit_report import report, report_text

        answers = {entry.letter_id: entry.answer_sha256 for entry in desk.queue.entries}
        print_err(report_text(report(desk.audit, desk.kind, desk.log, answers, ())))


def letter_type_of_run(folder: Path) -> str:
    """The letter type of a run's records, the first of several. Raises ``LedgerError`` if ``folder`` is not one."""
    with LedgerView(folder) as view:
        names = [name for name in view.letter_types() if name != UNASSIGNED]
        finished = view.extent()[0]
    if not finished:
        raise LedgerError(f"no letter is finished in {folder}", hint="let the run continue, or name another folder")
    if not names:
        raise LedgerError(f"no letter in {folder} is of a known type", hint="see why: extractor export DIR --to csv")
    if len(names) > 1:
        others = ", ".join(names[1:])
        print_err(f"this run has letters of several types; these are of {names[0]}, --type names another: {others}")
    return names[0]


def starts_in_run(folder: Path, workspace: Workspace, kind: LetterType) -> Starts | None:
    """Where letters begin in the files of a run: by each of its letter types."""
    with LedgerView(folder) as view:
        names = set(view.letter_types())
    known = [workspace.letter_type(name) for name in workspace.letter_type_names if name in names]
    return starts_of(known or [kind])


def letter_places(folder: Path, workspace: Workspace, kind: LetterType, named: list[Path] | None) -> list[list[Path]]:
    """Where to look for a run's letters: the paths given to each run that wrote here, the newest first.

    Raises ``UsageError`` if that is not known.
    """
    if named:
        return [named]
    with LedgerView(folder) as view:
        places = [*view.paths(), *_batch_paths(folder)]
    own = workspace.config.letter_types[kind.name].letters
    if own and (workspace.root / own).is_dir():
        places.append([workspace.root / own])
    if not places:
        raise UsageError(
            "a run of an older version did not store where its letters are",
            hint="name the files or folders that the run was given: --letters PATH",
        )
    return [paths for number, paths in enumerate(places) if paths not in places[:number]]


def _batch_paths(folder: Path) -> list[list[Path]]:
    from extractor.runs.batch.book import Book

    with contextlib.suppress(LedgerError), Book(folder) as book:
        return [book.paths(number) for number in range(book.next_write() - 1, 0, -1)]
    return []


def _name(name: str | None) -> str:
    if name is None:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):  # no login name, e.g. in a container
            raise UsageError("your login name is not known", hint="pass the reviewer's name: --name NAME") from None
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise UsageError(
            "--name must be a name of at most 100 characters", hint="pass the reviewer's name: --name NAME"
        )
    return name.strip()
