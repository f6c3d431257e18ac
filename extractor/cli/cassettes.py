"""``extractor cassettes``: the state of the recordings."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from extractor.cli.record import tape_condition
from extractor.cli.shared.opening import open_session, open_workspace
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.errors import ModelNameError, UsageError
from extractor.letters.letter import LetterFile, find_letters
from extractor.loops import run_here
from extractor.workspace.session import Session, prompts_known
from extractor.workspace.tapes import REPLAY, cassette_root, recordings
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.models.cassettes.status import ModelFolder

_COLUMNS = ("fresh", "stale", "missing", "broken", "unplayed", "orphan")  # as cassettes.status.STATES


def status_command(
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 3 unless all are fresh and nothing looks like a secret.")
    ] = False,
    prompt: Annotated[str | None, typer.Option("--prompt", metavar="P", help="Only this prompt version.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="M", help="Only this model, openai/NAME.")] = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every cassette still answers what would be asked now. Sends no request.

    Each letter that has gold is played against its cassette, for every prompt version and model
    that has a folder of cassettes: fresh, stale, missing, broken, or unplayed (it holds calls
    that are no longer made). An orphan is a cassette whose letter, prompt or model is gone. What
    looks like a key, an account id, a cookie or a home folder is named by its line.

    Example: extractor cassettes status --strict
    """
    words = [] if workspace is None else ["--workspace", str(workspace)]
    words += [] if letter_type is None else ["--type", letter_type]
    survey = _Survey(open_workspace(workspace), letter_type, words)
    rows = run_here(survey.rows(prompt, model and model.removeprefix(REPLAY)))
    if as_json:
        print_json({"total": dict(_counts(rows)), "cassettes": [row.as_dict() for row in rows]})
    else:
        _print(rows)
    bad = any(row.state != "fresh" or row.secrets for row in rows)
    raise typer.Exit(Exit.CASSETTES if strict and bad else Exit.FINE)


@dataclass(frozen=True)
class Row:
    """One cassette, existing or missing. ``lines`` explain why it is not fresh, ``command`` fixes it."""

    letter: str
    prompt: str
    model: str
    path: Path
    state: str
    lines: tuple[str, ...] = ()
    command: str = ""
    secrets: tuple[str, ...] = ()
    recording: int = 1

    @property
    def what(self) -> str:
        numbered = f", recording {self.recording}" if self.recording > 1 else ""
        return f"letter {self.letter} x prompt {self.prompt} x model {self.model}{numbered}"

    def as_dict(self) -> dict[str, Any]:
        identity = {"letter": self.letter, "prompt": self.prompt, "model": self.model, "recording": self.recording}
        identity["path"] = str(self.path)
        lines = [line.removeprefix("  ") for line in self.lines]
        why = {"state": self.state, "lines": lines, "secrets": list(self.secrets), "command": self.command}
        return {**identity, **why}


class _Survey:
    """All cassettes of one letter type. ``words`` are the workspace options for the commands it prints."""

    def __init__(self, workspace: Workspace, letter_type: str | None, words: Sequence[str]) -> None:
        self.workspace = workspace
        self.type = workspace.letter_type_name(letter_type)
        self.root = cassette_root(workspace, self.type)
        self.letters = _gold_letters(workspace, self.type)
        self.words = list(words)

    async def rows(self, prompt: str | None, model: str | None) -> list[Row]:
        """Expected cassettes first, then orphans. Raises ``UsageError`` for a filter that nothing matches."""
        rows: list[Row] = []
        for name, folder in self._pairs(prompt, model):
            rows += await self._played(name, folder)
        return rows + list(self._others({row.path for row in rows}, prompt, model))

    def _pairs(self, prompt: str | None, model: str | None) -> list[tuple[str, ModelFolder]]:
        from extractor.models.cassettes.status import ModelFolder, model_folders

        known = prompts_known(self.workspace, self.type)
        if prompt and prompt not in known:
            raise UsageError(f"no prompt {prompt!r}", hint=f"known: {', '.join(known) or '(none)'}")
        found = [(name, each) for name in known if prompt in (None, name) for each in model_folders(self.root, name)]
        pairs = [(name, each) for name, each in found if model in (None, each.model)]
        if model and not pairs and prompt:
            # Named in full, it is expected, also before its first recording.
            return [(prompt, ModelFolder(model))]
        if model and not pairs:
            models = sorted({each.model for _, each in found})
            raise UsageError(f"nothing recorded of {model!r}", hint=f"recorded: {', '.join(models) or '(none)'}")
        return pairs

    async def _played(self, prompt: str, folder: ModelFolder) -> list[Row]:
        session = self._session(prompt, folder)
        if session is None:
            return []
        configured = self.workspace.config.models.get(folder.model)
        address = folder.address if not (configured and configured.base_url) else ""
        words = [*self.words, *(["--base-url", address] if address else [])]
        try:
            numbers = recordings(self.workspace, session.plan)
            return [
                await self._row(file, replace(session, recording=number), words)
                for file in self.letters
                for number in sorted({1, *numbers(file)})
            ]
        finally:
            await session.plan.model.aclose()

    def _session(self, prompt: str, folder: ModelFolder) -> Session | None:
        """``None`` if no such model can be asked any more."""
        try:
            return open_session(self.workspace.root, self.type, REPLAY + folder.model, prompt)
        except ModelNameError as error:
            if not error.message.startswith("unknown model"):
                raise
            return None

    async def _row(self, file: LetterFile, session: Session, words: Sequence[str]) -> Row:
        how, tape = await tape_condition(file, session, words, as_recorded=True)
        plan = session.plan
        assert plan.prompt is not None
        secrets = _secrets(tape.path)
        command = tape.command
        if how.state == "fresh":
            command = f"{command} --all" if secrets else ""
        model, recording = plan.model.name, session.recording
        return Row(file.id, plan.prompt.id, model, tape.path, how.state, how.lines, command, secrets, recording)

    def _others(self, expected: set[Path], prompt: str | None, model: str | None) -> Iterator[Row]:
        """Cassettes that belong to nothing; and faults with a secret, which belong to the tests."""
        from extractor.file_names import name_of
        from extractor.models.cassettes.status import FAULTS
        from extractor.models.cassettes.tape import letter_and_recording

        for path in sorted(set(self.root.rglob("*.yaml")) - expected):
            *folders, name = path.relative_to(self.root).with_suffix("").parts
            of_prompt, of_model = [*folders, "", ""][:2]
            name, recording = letter_and_recording(name)
            of_model, name = name_of(of_model) or of_model, name_of(name) or name
            if (prompt or of_prompt) != of_prompt or (model or of_model) != of_model:
                continue
            secrets = _secrets(path)
            command = shlex.join(["rm", str(path)])
            if of_prompt != FAULTS:
                yield Row(name, of_prompt, of_model, path, "orphan", (f"  {path}",), command, secrets, recording)
            elif secrets:
                yield Row(name, of_prompt, of_model, path, "fault", (f"  {path}",), command, secrets)


def _gold_letters(workspace: Workspace, letter_type: str) -> list[LetterFile]:
    config = workspace.config.letter_types[letter_type]
    if not config.letters:
        raise UsageError("no letters to play", hint="set `letters` in workspace.toml")
    files = find_letters([workspace.root / config.letters])
    gold = workspace.root / config.gold if config.gold else None
    return [file for file in files if gold is None or (gold / f"{file.id}.json").is_file()]


def _secrets(path: Path) -> tuple[str, ...]:
    from extractor.models.cassettes.status import secrets_of

    return tuple(secrets_of(path)) if path.is_file() else ()


def _counts(rows: Sequence[Row]) -> Counter[str]:
    counts = Counter(dict.fromkeys((*_COLUMNS, "secret"), 0))
    for row in rows:
        counts[row.state] += 1
        counts["secret"] += bool(row.secrets)
    return counts


def _print(rows: Sequence[Row]) -> None:
    table = Table("prompt", "model", *_COLUMNS, "secret", pad_edge=False)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.prompt, row.model), []).append(row)
    for (prompt, model), members in groups.items():
        counts = _counts(members)
        table.add_row(prompt, model, *(str(counts[name]) for name in (*_COLUMNS, "secret")))
    if rows:
        Console(width=140).print(table)
    for members in groups.values():
        _print_group(members)
    print(", ".join(f"{count} {state}" for state, count in _counts(rows).items()))


def _print_group(rows: Sequence[Row]) -> None:
    """Why each one is not fresh and the command that fixes it; last, one command that fixes all."""
    for row in rows:
        if row.state in _COLUMNS[1:]:
            print("\n".join([f"{row.state}: {row.what}", *row.lines, f"  fix it with: {row.command}"]))
        if row.secrets:
            print("\n".join([f"looks like a secret: {row.what}", f"  {row.path}", *(f"  {s}" for s in row.secrets)]))
            print(f"  revoke it where it is valid, then: {row.command}")
    to_record = [row for row in rows if row.state in _COLUMNS[1:-1]]
    if len(to_record) > 1:
        one = to_record[0]
        print(f"fix all of these with: {one.command.replace(f' --letter {shlex.quote(one.letter)}', '', 1)}")
