"""``extractor record``: ask a model and keep its answers as cassettes. The only command that records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.common import (
    Exit,
    ModelOption,
    PromptOption,
    ReaskOption,
    Session,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    open_session,
    open_tape,
    say,
)
from extractor.errors import ExtractorError, UsageError
from extractor.letter import LetterFile, find_letters, read_letter
from extractor.pipeline import extract


def record_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Letters; default: the workspace's.", metavar="[PATH...]")
    ] = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    letter: Annotated[
        list[str] | None, typer.Option("--letter", metavar="ID", help="Only this letter; may be repeated.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="What answered, for the recorded: block.")
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only letters without a cassette.")] = False,
    reask: ReaskOption = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Letters in flight at once.")] = 4,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask a model about letters and keep the traffic as cassettes, for replay without a network.

    Each letter's cassette is written when the letter is done, in place of an older one. Keys and
    account ids never reach a cassette.

    Example: extractor record --model openai/NAME --prompt imr@v1 --missing
    """
    session = open_session(workspace, letter_type, model, prompt, base_url=base_url, reasks=reask, recording=True)
    if session.plan.prompt is None:
        raise UsageError("offline answers are not recorded", hint="name a model: --model openai/NAME")
    files = _wanted(paths, letter, session, missing)
    failures = asyncio.run(_record_all(files, session, endpoint or base_url, concurrency))
    say(f"{len(files) - failures} of {len(files)} letters recorded")
    raise typer.Exit(Exit.INCOMPLETE if failures else Exit.FINE)


def _wanted(paths: list[Path] | None, ids: list[str] | None, session: Session, missing: bool) -> list[LetterFile]:
    bundled = session.workspace.config.letter_types[session.plan.letter_type.name].letters
    if not paths and not bundled:
        raise UsageError("no letters named", hint="name letters, or set `letters` in workspace.toml")
    files = find_letters(paths or [session.workspace.root / str(bundled)])
    if ids:
        known = {file.id for file in files}
        if unknown := [each for each in ids if each not in known]:
            raise UsageError(f"no letter {unknown[0]!r}", hint=f"known: {', '.join(sorted(known)[:20])}")
        files = [file for file in files if file.id in ids]
    if missing:
        files = [
            file
            for file in files
            if not open_tape(session.workspace, session.plan, file.id, "", mode="replay").path.exists()
        ]
    return files


async def _record_all(files: list[LetterFile], session: Session, endpoint: str | None, concurrency: int) -> int:
    waiting = iter(files)
    failures = 0

    async def work() -> None:
        nonlocal failures
        for file in waiting:
            try:
                record = await _record_one(file, session, endpoint)
                say(f"{file.id}: {record['status']}")
            except ExtractorError as error:
                failures += 1
                say(f"{file.id}: {error}")

    try:
        await asyncio.gather(*(work() for _ in range(concurrency)))
    finally:
        await session.plan.model.aclose()
    return failures


async def _record_one(file: LetterFile, session: Session, endpoint: str | None) -> dict[str, object]:
    letter = read_letter(file)
    with open_tape(session.workspace, session.plan, letter.id, letter.sha256, mode="record", endpoint=endpoint):
        return await extract(letter, session.plan)
