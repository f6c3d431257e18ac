"""What commands share: option declarations, exit codes, and putting a plan together."""

from __future__ import annotations

import enum
import json
import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extractor.errors import ModelNameError, UsageError
from extractor.letter import LetterFile
from extractor.models import Model
from extractor.offline import NAME as OFFLINE
from extractor.offline import OfflineModel
from extractor.prompts import Prompt, known_prompts, load_prompt
from extractor.records import ENGINE, Plan
from extractor.workspace import ModelConfig, Workspace

if TYPE_CHECKING:
    from extractor.cassettes import Tape

REPLAY = "replay:"


class Exit(enum.IntEnum):
    """Exit codes; a contract."""

    FINE = 0
    LOOK = 1
    USAGE = 2
    CASSETTES = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", metavar="DIR", help="Workspace folder; default: found upward from here.")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", metavar="NAME", help="Letter type; default: the workspace's.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="M",
        help="offline, openai/NAME, or replay:openai/NAME (recorded answers). "
        "Default: EXTRACTOR_MODEL, then workspace.toml, then offline.",
    ),
]
PromptOption = Annotated[str | None, typer.Option("--prompt", metavar="P", help="Prompt version, e.g. imr@v1.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Address of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1."
    ),
]
ReplayOption = Annotated[bool, typer.Option("--replay", help="Answer from cassettes; no network, no key.")]
ReaskOption = Annotated[
    int, typer.Option("--reask", min=0, max=5, help="How often findings are sent back to the model.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")]


def say(text: str) -> None:
    """Talk goes to stderr; stdout is data."""
    print(text, file=sys.stderr)


def open_workspace(folder: Path | None) -> Workspace:
    """The named workspace, or the nearest above the current folder."""
    return Workspace(folder) if folder else Workspace.find()


@dataclass(frozen=True)
class Session:
    """A workspace and the plan made of the options."""

    workspace: Workspace
    plan: Plan
    replaying: bool = False

    def tape(self, file: LetterFile, letter_sha256: str) -> AbstractContextManager[Tape]:
        """The cassette of one letter, to be opened around its asking."""
        return open_tape(self.workspace, self.plan, file.id, letter_sha256, mode="replay")


def open_session(
    folder: Path | None,
    letter_type: str | None,
    model: str | None,
    prompt: str | None,
    *,
    base_url: str | None = None,
    replay: bool = False,
    reasks: int = 1,
    recording: bool = False,
) -> Session:
    """Resolve workspace, letter type, model and prompt. Raises ``UsageError`` kinds that list what is known."""
    workspace = open_workspace(folder)
    kind = workspace.letter_type(letter_type)
    name = _model_name(workspace, model)
    if name.startswith(REPLAY):
        name, replay = name[len(REPLAY) :], True
    if name == OFFLINE and replay:
        name = _only_recorded(workspace, letter_type, prompt)
    if name == OFFLINE:
        if base_url or prompt:
            raise ModelNameError("--base-url and --prompt need a model", hint="add --model openai/NAME")
        return Session(workspace, Plan(kind, OfflineModel(), None, reasks=0))
    chosen = find_prompt(workspace, letter_type, prompt)
    opened = _chat_model(workspace, name, base_url, taped=replay or recording, replay=replay)
    return Session(workspace, Plan(kind, opened, chosen, reasks), replay)


def _model_name(workspace: Workspace, model: str | None) -> str:
    name = model or os.environ.get("EXTRACTOR_MODEL") or workspace.config.default_model
    if name:
        return name
    say("no model named: using offline, the baseline that reads without a language model (see --model)")
    return OFFLINE


def find_prompt(workspace: Workspace, letter_type: str | None, prompt: str | None) -> Prompt:
    """The named prompt version, or the letter type's default."""
    kind = workspace.letter_type_name(letter_type)
    config = workspace.config.letter_types[kind]
    return load_prompt(workspace.root / config.prompts, prompt or config.default_prompt, kind)


def _chat_model(workspace: Workspace, name: str, base_url: str | None, *, taped: bool, replay: bool) -> Model:
    # Importing the model SDKs costs seconds; the offline path never pays them.
    from extractor.cassettes import transport
    from extractor.llm import open_model

    config = workspace.config.models.get(name) or ModelConfig.model_validate({})
    settings = {**config.params, "mode": config.mode, "timeout": config.timeout}
    return open_model(
        name,
        base_url=base_url or config.base_url,
        params=settings,
        transport=transport() if taped else None,
        replay=replay,
    )


def cassette_root(workspace: Workspace, letter_type: str) -> Path:
    """The folder of one letter type's cassettes."""
    return workspace.root / workspace.config.cassettes / letter_type


def open_tape(
    workspace: Workspace, plan: Plan, letter_id: str, letter_sha256: str, *, mode: str, endpoint: str | None = None
) -> Tape:
    """The cassette of one letter under a plan."""
    from extractor.cassettes import Tape

    assert plan.prompt is not None
    recorded = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "endpoint": endpoint or "not said",
        "letter_sha256": letter_sha256,
        "prompt_sha256": plan.prompt.sha256,
        "schema_sha256": plan.letter_type.schema_sha256,
        "params": {key: value for key, value in plan.model.params.items() if key != "base_url"},
        "engine": ENGINE,
    }
    return Tape(
        cassette_root(workspace, plan.letter_type.name),
        letter_id,
        plan.prompt.id,
        plan.model.name,
        mode=mode,
        recorded=recorded,
    )


def _only_recorded(workspace: Workspace, letter_type: str | None, prompt: str | None) -> str:
    """The one model that has cassettes for this prompt."""
    kind = workspace.letter_type_name(letter_type)
    chosen = prompt or workspace.config.letter_types[kind].default_prompt
    folder = cassette_root(workspace, kind) / chosen
    recorded = sorted(each.name.replace("__", "/", 1) for each in folder.glob("*") if each.is_dir())
    if len(recorded) == 1:
        return recorded[0]
    listed = ", ".join(REPLAY + name for name in recorded) or "none"
    raise UsageError(
        f"--replay needs a model: recorded for {chosen}: {listed}", hint="name one with --model replay:NAME"
    )


def prompts_known(workspace: Workspace, letter_type: str | None = None) -> list[str]:
    """Ids of a letter type's prompt versions."""
    kind = workspace.letter_type_name(letter_type)
    return known_prompts(workspace.root / workspace.config.letter_types[kind].prompts, kind)


def print_json(value: Any) -> None:
    """One JSON value on stdout, readable."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
