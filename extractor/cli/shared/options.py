"""What commands share: option declarations, exit codes, and putting a plan together."""

from __future__ import annotations

import enum
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from extractor.errors import ModelNameError, UsageError
from extractor.letters.letter import LetterFile
from extractor.models.model import Model
from extractor.models.offline import NAME as OFFLINE
from extractor.models.offline import OfflineModel
from extractor.models.prompts import Prompt, known_prompts, load_prompt
from extractor.runs.plan import ENGINE, Plan
from extractor.workspace.workspace import ModelConfig, Workspace

if TYPE_CHECKING:
    from extractor.models.cassettes import Tape

REPLAY = "replay:"
DEFAULT_REASKS = 1


class Exit(enum.IntEnum):
    """Exit codes; a contract.

    FINE: nothing to do. LOOK: the work ran, and a person should look (findings, failed letters, a failed gate).
    USAGE: wrong usage, or a broken workspace. CASSETTES: stale or missing cassettes. INCOMPLETE: letters could
    not be asked, or a limit stopped the run. INTERNAL: a defect of this program. INTERRUPTED: stopped by the user.
    """

    FINE = 0
    LOOK = 1
    USAGE = 2
    CASSETTES = 3
    INCOMPLETE = 4
    INTERNAL = 70
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
    """The named workspace, or the nearest above the current folder; of one found above, say that it is used."""
    if folder:
        return Workspace(folder)
    found = Workspace.find()
    if found.root not in (*_announced, Path.cwd().resolve()):
        _announced.append(found.root)
        say(f"using the workspace {found.root}, whose code is executed")
    return found


# Workspaces of this command that were announced: once is enough.
_announced: list[Path] = []


def new_command() -> None:
    """Forget what an earlier command of this process has announced."""
    _announced.clear()


@dataclass(frozen=True)
class Session:
    """A workspace and the plan made of the options."""

    workspace: Workspace
    plan: Plan
    replaying: bool = False

    def tape(self, file: LetterFile, letter_sha256: str) -> AbstractContextManager[Tape]:
        """The cassette of one letter, to be opened around its asking."""
        return open_tape(self, file, letter_sha256)


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
    keyless: bool = False,
) -> Session:
    """Resolve workspace, letter type, model and prompt. Raises ``UsageError`` kinds that list what is known.

    ``keyless``: the model will not be asked, so it needs no key.
    """
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
    opened = _chat_model(workspace, name, base_url, taped=replay or recording, replay=replay or keyless)
    tariff = workspace.tariff(opened.name, opened.params)
    return Session(workspace, Plan(kind, opened, chosen, reasks, tariff), replay)


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
    from extractor.models.cassettes import transport
    from extractor.models.llm import open_model

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
    session: Session,
    file: LetterFile,
    letter_sha256: str,
    *,
    mode: str = "replay",
    endpoint: str | None = None,
    words: Sequence[str] = (),
) -> Tape:
    """The cassette of one letter under a session's plan; ``words`` are further words of the command that records it."""
    from extractor.models.cassettes import Tape

    plan = session.plan
    assert plan.prompt is not None
    params = dict(plan.model.params)
    address = params.pop("base_url", None)
    recorded = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "endpoint": endpoint or address or "the provider's own",
        "letter": file.id,
        "letter_sha256": letter_sha256,
        "prompt": plan.prompt.id,
        "prompt_sha256": plan.prompt.sha256,
        "schema_sha256": plan.letter_type.schema_sha256,
        "model": plan.model.name,
        **({"base_url": address} if address else {}),
        "params": params,
        "reask": plan.reasks,
        "engine": ENGINE,
        "versions": _versions(plan.model.name),
    }
    reask = () if plan.reasks == DEFAULT_REASKS else ("--reask", str(plan.reasks))
    return Tape(
        cassette_root(session.workspace, plan.letter_type.name),
        file.id,
        plan.prompt.id,
        plan.model.name,
        mode=mode,
        recorded=recorded,
        words=[*reask, *words, *_where(session.workspace, plan.letter_type.name, file)],
    )


@cache
def _versions(model: str) -> dict[str, str]:
    """The libraries that shape a request."""
    sdk = {"anthropic": "anthropic", "gemini": "google-genai"}.get(model.partition("/")[0], "openai")
    return {name: version(name) for name in (sdk, "instructor", "pydantic")}


def _where(workspace: Workspace, letter_type: str, file: LetterFile) -> list[str]:
    """The path under which a command finds this letter by this id; nothing for the workspace's own letters."""
    own = workspace.config.letter_types[letter_type].letters
    path = file.path.resolve()
    inside = sum(step.name.count("/") + 1 for step in file.inside)
    above = file.id.count("/") - inside
    if inside and above <= 0:
        return [str(path)]
    folder = [*path.parents][: above + 1][-1]
    if own and (workspace.root / own).resolve() == folder.resolve():
        return []
    return [str(path if path.stem == file.id else folder)]


def _only_recorded(workspace: Workspace, letter_type: str | None, prompt: str | None) -> str:
    """The one model that has cassettes for this prompt."""
    from extractor.models.cassettes.status import model_folders

    kind = workspace.letter_type_name(letter_type)
    chosen = prompt or workspace.config.letter_types[kind].default_prompt
    recorded = [each.model for each in model_folders(cassette_root(workspace, kind), chosen)]
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
