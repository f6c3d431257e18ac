"""``extractor batch write`` and ``read``: request files out, result files in. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.batch.common import (
    OutOption,
    by_code,
    counted,
    listed,
    model_named,
    opened,
    options_of,
    progress,
    same_words,
    session_of,
    word,
)
from extractor.cli.shared.bill import Bill
from extractor.cli.shared.options import (
    Exit,
    JsonOption,
    ModelOption,
    PromptOption,
    ReaskOption,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    open_session,
    print_err,
    print_json,
)
from extractor.cli.shared.outcome import STATUSES
from extractor.errors import UsageError
from extractor.letters.letter import find_letters
from extractor.runs.batch import ENDED, Book, FileRow, Limits, ReadSummary, WriteSummary, read_results, write_requests
from extractor.runs.bulk import RECORDS

_MB = 1_000_000


def write_command(
    paths: Annotated[list[Path], typer.Argument(help="Letter files, or folders that hold them.", metavar="PATH...")],
    out: OutOption,
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    reask: ReaskOption = 1,
    again: Annotated[
        bool, typer.Option("--again", help="Also what stands unanswered in older files; these are then not needed.")
    ] = False,
    max_requests: Annotated[int, typer.Option(min=1, help="Requests in one file at most.")] = Limits.requests,
    max_megabytes: Annotated[float, typer.Option(min=0.001, help="Size of one file at most.")] = (Limits.bytes / _MB),
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write files of exactly the requests that run would send (DIR/batch/requests-0001.jsonl ...).

    Letters that are done in DIR are skipped, equal letters are asked once, and what stands in an
    older file is not written twice. Given again after the answers were read, it writes the second
    round: corrections, for letters whose answer has findings that go back to the model (--reask),
    and what was refused or expired. No key is needed.

    Example: extractor batch write letters/ --out out --model openai/NAME
    """
    files = find_letters(paths, notify=print_err)
    name = model_named(workspace, model)
    session = open_session(workspace, letter_type, name, prompt, base_url=base_url, reasks=reask, keyless=True)
    options = options_of(session, reask)
    limits = Limits(max_requests, int(max_megabytes * _MB))
    with opened(out, session, new=True) as work:
        found = [path.resolve() for path in paths]
        told = asyncio.run(write_requests(work, files, found, options, limits=limits, again=again, on_letter=progress))
    if as_json:
        print_json({**vars(told), "files": {str(path): count for path, count in told.files.items()}})
    else:
        _print_written(told)
        if told.files:
            print_err(f"next: extractor batch submit --out {word(out)}, or give the files to the endpoint's own tool")
            print_err(f"  then: extractor batch read RESULT --out {word(out)}")
        elif told.waiting:
            print_err("nothing new to ask; --again writes what stands unanswered in older files")
    raise typer.Exit(Exit.LOOK if told.unreadable or told.too_large else Exit.FINE)


def _print_written(told: WriteSummary) -> None:
    for path, count in told.files.items():
        print(f"{path}: {counted(count, 'request')}, {path.stat().st_size / _MB:,.1f} MB")
    corrections = f" ({told.corrections:,} with corrections)" if told.corrections else ""
    parts = {
        f"{told.written:,} to ask{corrections}": told.written,
        f"{told.equal:,} equal to one of these": told.equal,
        f"{told.waiting:,} in older files": told.waiting,
        f"{told.done:,} done already": told.done,
        f"{told.finished:,} finished from stored answers": told.finished,
        f"{told.unreadable:,} cannot be read": told.unreadable,
        f"{told.too_large:,} larger than a file may be (extractor run asks them)": told.too_large,
    }
    print(f"{counted(told.letters, 'letter')}: {listed(parts)}")


def read_command(
    out: OutOption,
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="Result files; default: all that were fetched.", metavar="[RESULT...]"),
    ] = None,
    letters: Annotated[
        list[Path] | None,
        typer.Option("--letters", metavar="PATH", help="Where the letters are now, if they were moved; repeatable."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read result files: the same checks, ledger and records as run.

    Takes OpenAI's output and error files and those of vLLM's run-batch, in any order, half-filled,
    doubled or cut off. Reading a file again changes nothing. Every answer is kept before it is
    checked, also one to an old prompt. What is left is named with the next command.

    Exit code 0 if all are accepted, 1 if some need a look, 4 if some letters are left.

    Example: extractor batch read results.jsonl --out out
    """
    with Book(out) as book:
        options = book.options()
        files = results or [book.folder / name for row in book.files() if row.fetched for name in row.results]
    if not files:
        raise UsageError("no result files", hint=f"name them, or: extractor batch fetch --out {word(out)}")
    session = session_of(options, workspace, keyless=True)
    with opened(out, session) as work:
        told = asyncio.run(read_results(work, files, letters=letters, on_letter=progress))
        counts, bill = work.ledger.handled_counts(), Bill(session.plan)
        bill.take(work.ledger.handled_totals(), work.ledger.unpriced())
        rows, command = work.book.files(), same_words(options, work.book.last_paths(), out)
    if as_json:
        by_status = {status: counts.get(status, 0) for status in STATUSES}
        print_json({**vars(told), "left": told.left, **by_status, **bill.as_dict(), "file": str(out / RECORDS)})
    else:
        _print_lines(told)
        statuses = ", ".join(f"{counts.get(status, 0):,} {status}" for status in STATUSES)
        print(f"{counted(told.letters, 'letter')}: {statuses}. Records: {out / RECORDS}")
        if line := bill.line():
            print(line)
    _say_left(told, rows, command, out)
    look = counts.get("needs_review") or counts.get("failed")
    raise typer.Exit(Exit.INCOMPLETE if told.left else Exit.LOOK if look else Exit.FINE)


def _print_lines(told: ReadSummary) -> None:
    parts = {
        f"{told.answers:,} answers": True,
        f"{told.doubled:,} answered before": told.doubled,
        f"{told.errors.total():,} errors ({by_code(told.errors)})": told.errors,
        f"{told.faults['foreign']:,} of other requests": told.faults["foreign"],
        f"{told.faults['broken']:,} that are no result": told.faults["broken"],
        f"{told.faults['cut']:,} cut off at the end": told.faults["cut"],
    }
    print(f"{counted(told.lines, 'line')}: {listed(parts)}")


def _say_left(told: ReadSummary, rows: Sequence[FileRow], command: str, out: Path) -> None:
    left = {
        f"{told.unanswered:,} without an answer": told.unanswered,
        f"{told.failed.total():,} to be asked again ({by_code(told.failed)})": told.failed,
        f"{told.corrections:,} with findings that go back to the model": told.corrections,
        f"{told.changed:,} changed since they were asked": told.changed,
        f"{told.gone:,} not found any more (--letters)": told.gone,
        f"{told.other:,} asked with another prompt, model or schema": told.other,
    }
    if not told.left:
        return
    print_err(f"left: {listed(left)}")
    for step in _next_steps(told, rows, command, out):
        print_err(f"next: {step}")


def _next_steps(told: ReadSummary, rows: Sequence[FileRow], command: str, out: Path) -> Iterator[str]:
    under_way = any(row.batch_id and row.status not in ENDED for row in rows)
    unfetched = any(row.status in ENDED and not row.fetched for row in rows)
    if under_way or unfetched:
        yield f"extractor batch fetch --out {word(out)}"
    if told.corrections or told.failed or told.changed or told.other:
        yield f"extractor batch write {command}"
    if told.unanswered and not under_way and not unfetched:
        yield f"extractor batch write {command} --again (if no more results will come)"
    yield f"or ask what is left at once: extractor run {command}"
