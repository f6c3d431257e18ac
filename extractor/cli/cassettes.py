"""``extractor cassettes``: the state of the recordings."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
        bool, typer.Option("--strict", help="Exit code 3 unless what must be recorded is, and all of it is fresh.")
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

    Every letter must be recorded for a prompt and model that has a baseline, and for the workspace's
    replay_model. Other models and further recordings may be recorded in part: each is a line of its own.
    A prompt version without any recording fails with --strict, and so does a cassette without a hash of
    its answers.

    Example: extractor cassettes status --strict
    """
    words = [] if workspace is None else ["--workspace", str(workspace)]
    words += [] if letter_type is None else ["--type", letter_type]
    survey = _Survey(open_workspace(workspace), letter_type, words)
    rows = run_here(survey.rows(prompt, model and model.removeprefix(REPLAY)))
    partly, never = _partly_recorded(rows), survey.never_recorded(prompt, model)
    if as_json:
        lacking = {"partly_recorded": [asdict(each) for each in partly], "never_recorded": never}
        print_json({"total": dict(_counts(rows)), **lacking, "cassettes": [row.as_dict() for row in rows]})
    else:
        _print(rows, partly, never)
    bad = never or any(row.is_bad for row in rows)
    raise typer.Exit(Exit.CASSETTES if strict and bad else Exit.FINE)


def seal_command(letter_type: TypeOption = None, workspace: WorkspaceOption = None) -> None:
    """Write the hash of its answers into each cassette that has none. Nothing else of it changes.

    For cassettes recorded by a version that wrote no hash; a hash that does not fit is never replaced.

    Example: extractor cassettes seal --type imr
    """
    from extractor.models.cassettes.status import FAULTS, seal

    found = open_workspace(workspace)
    root = cassette_root(found, found.letter_type_name(letter_type))
    paths = [path for path in sorted(root.rglob("*.yaml")) if path.relative_to(root).parts[0] != FAULTS]
    print(f"{sum(map(seal, paths))} of {len(paths)} cassettes sealed")


@dataclass(frozen=True)
class Row:
    """One cassette, existing or missing. ``lines`` explain why it is not fresh, ``command`` fixes it.

    ``required``: whether it must exist. ``sealed``: whether its head has a hash of its answers.
    """

    letter: str
    prompt: str
    model: str
    path: Path
    state: str
    lines: tuple[str, ...] = ()
    command: str = ""
    secrets: tuple[str, ...] = ()
    recording: int = 1
    required: bool = True
    sealed: bool = True

    @property
    def is_bad(self) -> bool:
        """Whether a strict status fails for it."""
        return bool(self.secrets) or not self.sealed or (self.state != "fresh" and not self.is_left_out)

    @property
    def is_left_out(self) -> bool:
        """Whether it is missing where nothing has to be recorded."""
        return self.state == "missing" and not self.required

    @property
    def what(self) -> str:
        numbered = f", recording {self.recording}" if self.recording > 1 else ""
        return f"letter {self.letter} x prompt {self.prompt} x model {self.model}{numbered}"

    def as_dict(self) -> dict[str, Any]:
        identity = {"letter": self.letter, "prompt": self.prompt, "model": self.model, "recording": self.recording}
        identity["path"] = str(self.path)
        lines = [line.removeprefix("  ") for line in self.lines]
        why = {"state": self.state, "lines": lines, "secrets": list(self.secrets), "command": self.command}
        return {**identity, **why, "required": self.required, "sealed": self.sealed}


@dataclass(frozen=True)
class PartlyRecorded:
    """A prompt and model that only some letters are recorded for, which is enough; ``command`` records the others."""

    prompt: str
    model: str
    recording: int
    recorded: int
    letters: int
    command: str

    def __str__(self) -> str:
        numbered = f", recording {self.recording}" if self.recording > 1 else ""
        return (
            f"partly recorded: prompt {self.prompt} x model {self.model}{numbered}: {self.recorded} of {self.letters} "
            f"letters\n  record the others with: {self.command}"
        )


def _partly_recorded(rows: Sequence[Row]) -> list[PartlyRecorded]:
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        if row.state not in ("orphan", "fault"):
            groups.setdefault((row.prompt, row.model, row.recording), []).append(row)
    found = []
    for (prompt, model, recording), members in groups.items():
        if missing := [row for row in members if row.is_left_out]:
            command = _for_all_letters(missing[0])
            count = len(members) - len(missing)
            found.append(PartlyRecorded(prompt, model, recording, count, len(members), command))
    return found


def _for_all_letters(row: Row) -> str:
    return row.command.replace(f" --letter {shlex.quote(row.letter)}", "", 1)


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
        required = self._required()
        for name, folder in self._pairs(prompt, model):
            # A model that is named is expected, also before its first recording.
            must = model is not None or (name, folder.model) in required or self._is_replayed(folder.model)
            rows += [replace(row, required=must and row.required) for row in await self._played(name, folder)]
        return rows + list(self._others({row.path for row in rows}, prompt, model))

    def never_recorded(self, prompt: str | None, model: str | None) -> dict[str, str]:
        """The prompt versions without any recording, and the command that makes one."""
        from extractor.models.cassettes.status import model_folders

        known = prompts_known(self.workspace, self.type)
        lacking = [name for name in known if prompt in (None, name) and not model_folders(self.root, name)]
        name = model or self.workspace.config.replay_model or "openai/NAME"
        return {
            each: shlex.join(["extractor", "record", "--prompt", each, "--model", name, *self.words])
            for each in (lacking if model is None or prompt is None else ())
        }

    def _is_replayed(self, model: str) -> bool:
        """Whether commands that name no model may replay this one."""
        return self.workspace.config.replay_model in (None, "", model)

    def _required(self) -> set[tuple[str, str]]:
        """The prompts and models that have a baseline."""
        from extractor.evaluation.gate import BASELINES, load_baseline

        gold = self.workspace.config.letter_types[self.type].gold
        paths = sorted((self.workspace.root / gold).parent.joinpath(BASELINES).glob("*.json")) if gold else []
        found = [load_baseline(path) for path in paths]
        return {(each["about"]["prompt"], each["about"]["model"]) for each in found if each}

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
        address = "" if self.workspace.config.settings_of(folder.model).base_url else folder.address
        words = [*self.words, *(["--base-url", address] if address else [])]
        try:
            numbers = recordings(self.workspace, session.plan)
            examples = session.plan.prompt.front.examples if session.plan.prompt else ()
            letters = [file for file in self.letters if file.id not in examples]
            most = max((number for file in letters for number in numbers(file)), default=1)
            return [
                await self._row(file, replace(session, recording=number), words)
                for number in range(1, most + 1)
                for file in letters
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
        return Row(
            file.id,
            plan.prompt.id,
            plan.model.name,
            tape.path,
            how.state,
            how.lines,
            command,
            secrets,
            session.recording,
            # Every letter needs its first recording, and may have more.
            required=session.recording == 1,
            sealed=how.state in ("missing", "broken") or "answers_sha256" in tape.head,
        )

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


def _print(rows: Sequence[Row], partly: Sequence[PartlyRecorded], never: Mapping[str, str]) -> None:
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
    for each in partly:
        print(each)
    for prompt, command in never.items():
        print(f"never recorded: prompt {prompt}\n  record it with: {command}")
    if unsealed := sum(not row.sealed for row in rows):
        print(f"{unsealed} cassettes hold no hash of their answers\n  add it with: extractor cassettes seal")
    print(", ".join(f"{count} {state}" for state, count in _counts(rows).items()))


def _print_group(rows: Sequence[Row]) -> None:
    """Why each one is not fresh and the command that fixes it; last, one command that fixes all."""
    for row in rows:
        if row.state in _COLUMNS[1:] and not row.is_left_out:
            print("\n".join([f"{row.state}: {row.what}", *row.lines, f"  fix it with: {row.command}"]))
        if row.secrets:
            print("\n".join([f"looks like a secret: {row.what}", f"  {row.path}", *(f"  {s}" for s in row.secrets)]))
            print(f"  revoke it where it is valid, then: {row.command}")
    to_record = [row for row in rows if row.state in _COLUMNS[1:-1] and not row.is_left_out]
    if len(to_record) > 1:
        print(f"fix all of these with: {_for_all_letters(to_record[0])}")
