"""The workspace and the session that a command's options describe."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from extractor import Extractor, SecondModel
from extractor.api import DEFAULT_REASKS
from extractor.cli.shared.options import print_err, print_once
from extractor.errors import UsageError
from extractor.workspace.session import PlanSpec, Session, plan_spec, with_second_model
from extractor.workspace.starter import starter_folder
from extractor.workspace.workspace import Workspace


def open_workspace(folder: Path | None, *, or_bundled: bool = False) -> Workspace:
    """The workspace that is named, by option or ``EXTRACTOR_WORKSPACE``, else the nearest one above the current folder.

    ``or_bundled``: for commands that write nothing into a workspace; without one they use the bundled letter types.
    A workspace that was not named is announced.
    """
    if named := folder or os.environ.get("EXTRACTOR_WORKSPACE"):
        return Workspace(Path(named))
    if or_bundled and Workspace.nearest() is None:
        bundled = Workspace(starter_folder())
        print_once(
            f"no workspace here or above: using the bundled letter types ({', '.join(bundled.letter_type_names)})"
        )
        return bundled
    found = Workspace.find()
    if found.root != Path.cwd().resolve():
        print_once(f"using the workspace {found.root}, whose code is executed")
    return found


def open_offline(
    folder: Path | None, letter_type: str | None, *, strict: bool = False, or_bundled: bool = True
) -> Extractor:
    """For commands that ask no model."""
    return Extractor(
        open_workspace(folder, or_bundled=or_bundled), letter_type=letter_type, model="offline", strict=strict
    )


class ModelChoice(NamedTuple):
    """The options about models that a command was given."""

    model: str | None
    prompt: str | None
    base_url: str | None
    replay: bool
    reasks: int
    strict: bool
    second: SecondModel | None


def open_extractor(folder: Path | None, letter_type: str | None, choice: ModelChoice) -> Extractor:
    """What a command's options describe. Raises subclasses of ``UsageError`` that list valid names."""
    workspace = open_workspace(folder, or_bundled=True)
    model, prompt, base_url, replay, reasks, strict, second = choice
    spec = _spec(workspace, letter_type, model, prompt, base_url=base_url, replay=replay, reasks=reasks)
    if second is not None:
        spec = with_second_model(spec, workspace, second)
    return Extractor.from_spec(replace(spec, strict=strict), workspace)


def open_session(
    folder: Path | None,
    letter_type: str | None,
    model: str | None,
    prompt: str | None,
    *,
    base_url: str | None = None,
    replay: bool = False,
    reasks: int = DEFAULT_REASKS,
    recording: bool = False,
    keyless: bool = False,
) -> Session:
    """As ``open_extractor``, for commands about cassettes and batch files."""
    workspace = open_workspace(folder)
    spec = _spec(workspace, letter_type, model, prompt, base_url=base_url, replay=replay, reasks=reasks)
    return spec.open(recording=recording, keyless=keyless, workspace=workspace)


def _spec(
    workspace: Workspace, letter_type: str | None, model: str | None, prompt: str | None, **more: Any
) -> PlanSpec:
    return plan_spec(workspace, letter_type=letter_type, model=model, prompt=prompt, notify=print_err, **more)


def second_model(model: str | None, prompt: str | None, base_url: str | None) -> SecondModel | None:
    """What the options of a second model describe. Raises ``UsageError`` for some of them without a model."""
    if model is None and (prompt or base_url):
        raise UsageError("--second-prompt and --second-base-url need a second model", hint="add --second-model M")
    return None if model is None else SecondModel(model, prompt, base_url)
