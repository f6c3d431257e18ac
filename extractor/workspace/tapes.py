"""Cassettes of a session: where they are stored, and which one belongs to a letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.engine import ENGINE
from extractor.errors import UsageError
from extractor.file_names import file_name
from extractor.letters.letter import LetterFile
from extractor.models.names import LOCAL, provider_and_model
from extractor.models.offline import NAME as OFFLINE
from extractor.models.prompts import load_prompt
from extractor.runs.plan import DEFAULT_REASKS, Plan
from extractor.settings import wrong_kind
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.models.cassettes import Tape

# Before a model's name: answer from its cassettes.
REPLAY = "replay:"


def refuse_unknown_model(name: object) -> None:
    """Raise ``UsageError`` kinds for what is no model's name; whether there is such a model is found out later."""
    if not isinstance(name, str):
        raise wrong_kind("model", "str", name)
    if (bare := name.removeprefix(REPLAY)) != OFFLINE:
        provider_and_model(bare)


def cassette_root(workspace: Workspace, letter_type: str) -> Path:
    """The folder of one letter type's cassettes."""
    return workspace.root / workspace.config.cassettes / letter_type


def open_tape(
    workspace: Workspace,
    plan: Plan,
    file: LetterFile,
    letter_sha256: str,
    *,
    mode: str = "replay",
    endpoint: str | None = None,
    words: Sequence[str] = (),
    recording: int = 1,
) -> Tape:
    """The cassette of one letter under a plan; ``words`` are further words of the command that records it.

    ``recording``: which of several recordings of the letter, from 1.
    """
    from extractor.models.cassettes import Tape

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
        cassette_root(workspace, plan.letter_type.name),
        file.id,
        plan.prompt.id,
        plan.model.name,
        mode=mode,
        recorded=recorded,
        words=[*reask, *words, *_where(workspace, plan.letter_type.name, file)],
        recording=recording,
    )


def recordings(workspace: Workspace, plan: Plan) -> Callable[[LetterFile], list[int]]:
    """A function that gives the numbers of a letter's recordings under a plan; ``[1]`` also where none exists yet."""
    from extractor.models.cassettes.tape import recordings_in, tape_path

    assert plan.prompt is not None
    root = cassette_root(workspace, plan.letter_type.name)
    known = recordings_in(tape_path(root, plan.prompt.id, plan.model.name, "x").parent)
    return lambda file: known.get(file_name(file.id), [1])


@cache
def _versions(model: str) -> dict[str, str]:
    """The libraries that shape a request."""
    provider = model.partition("/")[0]
    sdk = {"anthropic": "anthropic", "gemini": "google-genai"}.get(provider, "openai")
    decoder = ("xllamacpp",) if provider == LOCAL and find_spec("xllamacpp") else ()
    return {name: version(name) for name in (sdk, "instructor", "pydantic", *decoder)}


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


def only_recorded(workspace: Workspace, letter_type: str | None, prompt: str | None) -> str:
    """The model that has cassettes for this prompt; of several, the workspace's ``replay_model``.

    Raises ``UsageError`` if there is none, or more than one.
    """
    from extractor.models.cassettes.status import model_folders

    kind = workspace.letter_type_name(letter_type)
    chosen = prompt or workspace.config.letter_types[kind].default_prompt
    recorded = [each.model for each in model_folders(cassette_root(workspace, kind), chosen)]
    if len(recorded) == 1:
        return recorded[0]
    if workspace.config.replay_model in recorded:
        return workspace.config.replay_model
    if not recorded:
        load_prompt(workspace.prompt_folder(kind), chosen, kind)
        raise UsageError(
            f"no answers are recorded for {chosen}",
            hint=f"record some: extractor record --prompt {chosen} --model openai/NAME; or name a --model to ask",
        )
    raise UsageError(
        f"answers of several models are recorded for {chosen}: {', '.join(REPLAY + name for name in recorded)}",
        hint="name one with --model, or set replay_model in workspace.toml",
    )
