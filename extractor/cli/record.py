"""``extractor record``: ask a model and keep its answers as cassettes. The only command that records."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.shared.opening import open_session, open_workspace
from extractor.cli.shared.options import (
    Exit,
    ModelOption,
    OnlyLettersOption,
    ReaskOption,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    print_err,
)
from extractor.errors import ExtractorError, LetterError, TransportError, UsageError
from extractor.letters.letter import LetterFile, find_letters, letter_in, letters_in
from extractor.loops import run_here
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.bulk import GIVE_UP_AFTER
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.workspace.session import Session, find_prompt, prompts_known
from extractor.workspace.tapes import REPLAY, open_tape

if TYPE_CHECKING:
    from extractor.models.cassettes import Tape
    from extractor.models.cassettes.status import Condition

ALL = "all"
# A rough measure, of English text and JSON alike.
BYTES_PER_TOKEN = 4


NoteOption = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", help="What answered, for the recorded: block.")
]
RepeatOption = Annotated[
    int, typer.Option("--repeat", min=1, max=99, metavar="N", help="Keep N recordings of each letter.")
]


def record_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Letters; default: the workspace's.", metavar="[PATH...]")
    ] = None,
    model: ModelOption = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt", metavar="P", help="Prompt version, e.g. imr@v1; may be repeated; all means every one."
        ),
    ] = None,
    base_url: UrlOption = None,
    letter: OnlyLettersOption = None,
    endpoint: NoteOption = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only letters without a cassette.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Only letters whose cassette no longer plays.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Record every letter again, even if its cassette is fresh.")
    ] = False,
    repeat: RepeatOption = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be asked, and ask nothing.")] = False,
    reask: ReaskOption = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Letters in flight at once.")] = 4,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask a model about letters and keep the traffic as cassettes, for replay without a network.

    Without --missing, --stale or --all: letters whose cassette is missing, or does not answer what
    would be asked now. So an interrupted recording goes on with the same command (but for --all,
    which begins again). Each cassette is written when its letter is done, in place of an older one;
    keys and account ids never reach it. A failed letter keeps its old cassette.

    --repeat 2 keeps two recordings of each letter and asks only for those that are missing or stale, so
    a second one can be made later, by another reader, with a --note of its own.

    Exit code 0 if all letters that had to be asked are recorded, 4 if some are not.

    Example: extractor record --model openai/NAME --prompt imr@v1 --dry-run
    """
    from extractor.models.cassettes.scrub import secrets_in

    if everything and (missing or stale):
        raise UsageError("--all asks every letter", hint="leave out --missing and --stale")
    if secret := next(secrets_in(endpoint or ""), None):
        raise UsageError(f"--note holds what looks like a secret ({secret.partition(': ')[2]})", hint="leave it out")
    sessions = _sessions(workspace, letter_type, model, prompt or [], base_url, reask, dry_run)
    files = _letters(paths, letter, sessions[0])
    both = missing == stale
    job = _Job(endpoint, _Wanted(missing or both, stale or both, everything), range(1, repeat + 1))
    try:
        run_here(job.run(files, sessions, concurrency, dry_run))
    except KeyboardInterrupt:
        go_on = "begins again" if everything else "goes on from here"
        print_err(f"{job.recorded} of {job.of_letters} recorded; the same command {go_on}")
        raise
    if not dry_run:
        print_err(f"{job.recorded} of {job.of_letters} recorded; fresh before: {job.fresh}")
    left = job.unreadable or (not dry_run and job.recorded < len(job.tasks))
    raise typer.Exit(Exit.INCOMPLETE if left else Exit.FINE)


def _sessions(
    workspace: Path | None,
    letter_type: str | None,
    model: str | None,
    prompts: Sequence[str],
    base_url: str | None,
    reask: int,
    dry_run: bool,
) -> list[Session]:
    """One session a prompt version, all with one model. A broken prompt is reported before anything is asked."""
    found = open_workspace(workspace)
    name = model or os.environ.get("EXTRACTOR_MODEL") or found.config.default_model or OFFLINE
    if name == OFFLINE or name.startswith(REPLAY):
        raise UsageError(f"{name} answers are not recorded", hint="name a model: --model openai/NAME")
    wanted = prompts_known(found, letter_type) if ALL in prompts else list(dict.fromkeys(prompts))
    versions = [find_prompt(found, letter_type, each) for each in (wanted or (None,))]
    first = open_session(
        found.root, letter_type, name, versions[0].id, base_url=base_url, reasks=reask, recording=True, replay=dry_run
    )
    return [replace(first, plan=replace(first.plan, prompt=version)) for version in versions]


def _letters(paths: list[Path] | None, ids: list[str] | None, session: Session) -> list[LetterFile]:
    bundled = session.workspace.config.letter_types[session.plan.letter_type.name].letters
    if not paths and not bundled:
        raise UsageError("no letters named", hint="name letters, or set `letters` in workspace.toml")
    found = find_letters(paths or [session.workspace.root / str(bundled)], notify=print_err)
    files = [part for file in found for part, _ in letters_in(file, session.plan.letter_type.starts)]
    if ids:
        known = {file.id for file in files}
        if unknown := [each for each in ids if each not in known]:
            raise UsageError(f"no letter {unknown[0]!r}", hint=f"known: {', '.join(sorted(known)[:20])}")
        files = [file for file in files if file.id in ids]
    return files


async def tape_condition(
    file: LetterFile, session: Session, words: Sequence[str] = (), *, as_recorded: bool = False
) -> tuple[Condition, Tape]:
    """The state of a letter's tape under a session, of its recording ``session.recording``. Opens no connection.

    The letter goes through the whole pipeline against its tape, so a fresh tape answers every request.
    ``as_recorded``: the number of re-asks is the recording's, not the session's.
    """
    from extractor.models.cassettes.status import condition

    def opened(plan: Plan) -> Tape:
        return open_tape(session.workspace, plan, file, letter.sha256, words=words, recording=session.recording)

    letter = letter_in(file)
    tape = opened(session.plan)
    if as_recorded and tape.head.get("reask", session.plan.reasks) != session.plan.reasks:
        session = replace(session, plan=replace(session.plan, reasks=int(tape.head["reask"])))
        tape = opened(session.plan)
    return await condition(tape, lambda: extract(letter, session.plan)), tape


@dataclass(frozen=True)
class _Wanted:
    """Which letters are to be asked."""

    missing: bool
    stale: bool
    fresh: bool

    def __contains__(self, state: str) -> bool:
        return self.fresh or (self.missing if state == "missing" else self.stale and state != "fresh")


@dataclass(frozen=True)
class _Task:
    """One letter to be asked with one prompt, for one of its recordings, and why."""

    file: LetterFile
    session: Session
    condition: Condition

    @property
    def name(self) -> str:
        assert self.session.plan.prompt is not None
        numbered = f" (recording {self.session.recording})" if self.session.recording > 1 else ""
        return f"{self.session.plan.prompt.id} {self.file.id}{numbered}"


@dataclass
class _Job:
    """One run of the command."""

    endpoint: str | None
    wanted: _Wanted
    numbers: Sequence[int]
    tasks: list[_Task] = field(default_factory=list)
    fresh: int = 0
    unreadable: int = 0
    done: int = 0
    recorded: int = 0
    failures_in_a_row: int = 0

    @property
    def of_letters(self) -> str:
        return f"{len(self.tasks)} {'letters' if len(self.numbers) == 1 else 'recordings'}"

    async def run(self, files: Sequence[LetterFile], sessions: Sequence[Session], workers: int, dry: bool) -> None:
        try:
            for session in sessions:
                for number in self.numbers:
                    for file in files:
                        await self._look(file, replace(session, recording=number))
            if dry:
                _print_plan(self.tasks, self.fresh)
            else:
                await self._ask_all(workers)
        finally:
            await sessions[0].plan.model.aclose()

    async def _look(self, file: LetterFile, session: Session) -> None:
        if session.plan.prompt and file.id in session.plan.prompt.front.examples:
            return
        try:
            how, _ = await tape_condition(file, session)
        except LetterError as error:
            self.unreadable += 1
            print_err(f"{file.id}: {error}")
            return
        self.fresh += how.state == "fresh"
        if how.state in self.wanted:
            self.tasks.append(_Task(file, session, how))

    async def _ask_all(self, workers: int) -> None:
        waiting = iter(self.tasks)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(waiting))
        except ExceptionGroup as failures:
            # An error that stops one worker stops them all; the first one is reported.
            raise failures.exceptions[0] from None
        if self.done < len(self.tasks):
            print_err(f"gave up after {self.failures_in_a_row} failures in a row")

    async def _work(self, waiting: Iterator[_Task]) -> None:
        for task in waiting:
            if self.failures_in_a_row >= GIVE_UP_AFTER:
                return
            try:
                outcome = await self._ask(task)
                self.failures_in_a_row = 0
            except UsageError:
                raise
            except ExtractorError as error:
                outcome = f"not recorded: {error}"
                self.failures_in_a_row += isinstance(error, TransportError)
            self.done += 1
            print_err(f"{self.done} of {len(self.tasks)}: {task.name}: {outcome}")

    async def _ask(self, task: _Task) -> str:
        letter = letter_in(task.file)
        session = task.session
        with open_tape(
            session.workspace,
            session.plan,
            task.file,
            letter.sha256,
            mode="record",
            endpoint=self.endpoint,
            recording=session.recording,
        ) as tape:
            record = await extract(letter, session.plan)
            seconds = sum(attempt.seconds for attempt in record.attempts)
            tape.recorded["seconds"] = round(seconds, 1)
        if not tape.saved:
            raise TransportError("the last call did not get through", hint="run the same command again")
        self.recorded += 1
        return str(record.status)


def _print_plan(tasks: Sequence[_Task], fresh: int) -> None:
    """Print what would be asked, one line per letter, and the total."""
    tokens = [sum(task.condition.asked[:1]) // BYTES_PER_TOKEN for task in tasks]
    for task, each in zip(tasks, tokens, strict=True):
        print(f"{task.name}: {_reason(task.condition)}; {_calls(1, task)}, about {each:,} tokens in for the first")
    for line in _sum(tasks, tokens):
        print(line)
    print(f"Fresh: {fresh}. Nothing was asked.")


def _reason(how: Condition) -> str:
    why = [line.strip() for line in how.lines[1:] if not line.startswith("    ")]
    return f"{how.state} ({'; '.join(why)})" if why and how.state != "missing" else how.state


def _calls(letters: int, task: _Task) -> str:
    most = letters * (1 + task.session.plan.reasks)
    calls = "1 call" if letters == 1 else f"{letters} calls"
    return calls if most == letters else f"{calls}, {most} at most"


def _sum(tasks: Sequence[_Task], tokens: Iterable[int]) -> Iterator[str]:
    if tasks:
        what = "recording" if any(task.session.recording > 1 for task in tasks) else "letter"
        letters = f"1 {what}" if len(tasks) == 1 else f"{len(tasks)} {what}s"
        yield f"{letters} to ask: {_calls(len(tasks), tasks[0])} (tries after a failed call not counted)."
        estimate = f"an estimate, bytes of the requests / {BYTES_PER_TOKEN}"
        yield f"About {sum(tokens):,} tokens in for the first calls: {estimate}."
