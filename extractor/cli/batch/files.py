"""``extractor batch write`` and ``read``: request files out, result files in. Nothing is sent."""

from __future__ import annotations

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
    session_of,
    word,
    write_arguments,
)
from extractor.cli.shared.opening import open_session
from extractor.cli.shared.options import (
    Exit,
    JsonOption,
    ModelOption,
    PromptOption,
    ReaskOption,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    print_err,
    print_json,
)
from extractor.cli.shared.outcome import STATUSES
from extractor.errors import UsageError
from extractor.letters.letter import find_letters
from extractor.loops import run_here
from extractor.runs.batch import ENDED, Book, FileRow, Limits, ReadSummary, WriteSummary, read_results, write_requests
from extractor.runs.bill import Bill
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
        bool,
        typer.Option("--again", help="Also write unanswered requests of older files, which are then obsolete."),
    ] = False,
    max_requests: Annotated[int, typer.Option(min=1, help="Requests in one file at most.")] = Limits.requests,
    max_megabytes: Annotated[float, typer.Option(min=0.001, help="Size of one file at most.")] = (Limits.bytes / _MB),
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write exactly the requests that run would send to files (DIR/batch/requests-0001.jsonl ...).

    Letters that are done in DIR are skipped, identical letters are asked once, and requests in an
    older file are not written twice. Run again after the answers were read, it writes the second
    round: corrections for letters whose answer has findings that go back to the model (--reask),
    and requests that were refused or expired. No API key is needed.

    Example: extractor batch write letters/ --out out --model openai/NAME
    """
    files = find_letters(paths, notify=print_err)
    name = model_named(workspace, model)
    session = open_session(workspace, letter_type, name, prompt, base_url=base_url, reasks=reask, keyless=True)
    options = options_of(session, reask)
    limits = Limits(max_requests, int(max_megabytes * _MB))
    with opened(out, session, new=True) as work:
        found = [path.resolve() for path in paths]
        summary = run_here(write_requests(work, files, found, options, limits=limits, again=again, on_letter=progress))
    if as_json:
        print_json({**vars(summary), "files": {str(path): count for path, count in summary.files.items()}})
    else:
        _print_written(summary)
        if summary.files:
            print_err(f"next: extractor batch submit --out {word(out)}, or give the files to the endpoint's own tool")
            print_err(f"  then: extractor batch read RESULT --out {word(out)}")
        elif summary.waiting:
            print_err("nothing new to ask; --again also writes requests that are unanswered in older files")
    raise typer.Exit(Exit.LOOK if summary.unreadable or summary.unrecognized or summary.too_large else Exit.FINE)


def _print_written(summary: WriteSummary) -> None:
    for path, count in summary.files.items():
        print(f"{path}: {counted(count, 'request')}, {path.stat().st_size / _MB:,.1f} MB")
    corrections = f" ({summary.corrections:,} with corrections)" if summary.corrections else ""
    parts = {
        f"{summary.written:,} to ask{corrections}": summary.written,
        f"{summary.equal:,} equal to one of these": summary.equal,
        f"{summary.waiting:,} in older files": summary.waiting,
        f"{summary.done:,} done already": summary.done,
        f"{summary.finished:,} finished from stored answers": summary.finished,
        f"{summary.unreadable:,} cannot be read": summary.unreadable,
        f"{summary.unrecognized:,} not of this letter type": summary.unrecognized,
        f"{summary.too_large:,} larger than the file limit (use extractor run for these)": summary.too_large,
    }
    print(f"{counted(summary.letters, 'letter')}: {listed(parts)}")


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
    duplicated or cut off. Reading a file again changes nothing. Every answer is stored before it is
    checked, even one to an old prompt. Ends with what is left to do and the command for it.

    Exit code 0 if all are accepted, 1 if some need a look, 4 if some letters are unfinished.

    Example: extractor batch read results.jsonl --out out
    """
    with Book(out) as book:
        options = book.options()
        files = results or [book.folder / name for row in book.files() if row.fetched for name in row.results]
    if not files:
        raise UsageError("no result files", hint=f"name them, or: extractor batch fetch --out {word(out)}")
    session = session_of(options, workspace, keyless=True)
    with opened(out, session) as work:
        summary = run_here(read_results(work, files, letters=letters, on_letter=progress))
        counts, bill = work.ledger.handled_counts(), Bill(session.plan)
        bill.take(work.ledger.handled_totals(), work.ledger.unpriced())
        rows, command = work.book.files(), write_arguments(options, work.book.last_paths(), out)
    if as_json:
        by_status = {status: counts.get(status, 0) for status in STATUSES}
        print_json({**vars(summary), "left": summary.left, **by_status, **bill.as_dict(), "file": str(out / RECORDS)})
    else:
        _print_lines(summary)
        statuses = ", ".join(f"{counts.get(status, 0):,} {status}" for status in STATUSES)
        print(f"{counted(summary.letters, 'letter')}: {statuses}. Records: {out / RECORDS}")
        if line := bill.line():
            print(line)
    _report_left(summary, rows, command, out)
    look = counts.get("needs_review") or counts.get("failed")
    raise typer.Exit(Exit.INCOMPLETE if summary.left else Exit.LOOK if look else Exit.FINE)


def _print_lines(summary: ReadSummary) -> None:
    parts = {
        f"{summary.answers:,} answers": True,
        f"{summary.doubled:,} answered before": summary.doubled,
        f"{summary.errors.total():,} errors ({by_code(summary.errors)})": summary.errors,
        f"{summary.faults['foreign']:,} of other requests": summary.faults["foreign"],
        f"{summary.faults['broken']:,} that are not results": summary.faults["broken"],
        f"{summary.faults['cut']:,} cut off at the end": summary.faults["cut"],
    }
    print(f"{counted(summary.lines, 'line')}: {listed(parts)}")


def _report_left(summary: ReadSummary, rows: Sequence[FileRow], command: str, out: Path) -> None:
    left = {
        f"{summary.unanswered:,} without an answer": summary.unanswered,
        f"{summary.failed.total():,} to be asked again ({by_code(summary.failed)})": summary.failed,
        f"{summary.corrections:,} with findings that go back to the model": summary.corrections,
        f"{summary.changed:,} changed since they were asked": summary.changed,
        f"{summary.gone:,} not found any more (--letters)": summary.gone,
        f"{summary.other:,} asked with another prompt, model or schema": summary.other,
    }
    if not summary.left:
        return
    print_err(f"left: {listed(left)}")
    for step in _next_steps(summary, rows, command, out):
        print_err(f"next: {step}")


def _next_steps(summary: ReadSummary, rows: Sequence[FileRow], command: str, out: Path) -> Iterator[str]:
    under_way = any(row.batch_id and row.status not in ENDED for row in rows)
    unfetched = any(row.status in ENDED and not row.fetched for row in rows)
    if under_way or unfetched:
        yield f"extractor batch fetch --out {word(out)}"
    if summary.corrections or summary.failed or summary.changed or summary.other:
        yield f"extractor batch write {command}"
    if summary.unanswered and not under_way and not unfetched:
        yield f"extractor batch write {command} --again (if no more results will come)"
    yield f"or ask what is left at once: extractor run {command}"
