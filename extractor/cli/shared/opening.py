"""The workspace and the session that a command's options describe."""

from __future__ import annotations

from pathlib import Path

from extractor.cli.shared.options import print_err, print_once
from extractor.errors import UsageError
from extractor.runs.plan import DEFAULT_REASKS
from extractor.workspace.second import SecondModel
from extractor.workspace.session import Session, plan_spec, with_second_model
from extractor.workspace.workspace import Workspace


def open_workspace(folder: Path | None) -> Workspace:
    """The named workspace, or the nearest one above the current folder, which is then announced."""
    if folder:
        return Workspace(folder)
    found = Workspace.find()
    if found.root != Path.cwd().resolve():
        print_once(f"using the workspace {found.root}, whose code is executed")
    return found


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
    second: SecondModel | None = None,
) -> Session:
    """The session that a command's options describe. Raises subclasses of ``UsageError`` that list valid names."""
    workspace = open_workspace(folder)
    spec = plan_spec(
        workspace,
        letter_type=letter_type,
        model=model,
        prompt=prompt,
        base_url=base_url,
        replay=replay,
        reasks=reasks,
        notify=print_err,
    )
    if second is not None:
        spec = with_second_model(spec, workspace, second)
    return spec.open(recording=recording, keyless=keyless)


def second_model(model: str | None, prompt: str | None, base_url: str | None) -> SecondModel | None:
    """What the options of a second model describe. Raises ``UsageError`` for some of them without a model."""
    if model is None and (prompt or base_url):
        raise UsageError("--second-prompt and --second-base-url need a second model", hint="add --second-model M")
    return None if model is None else SecondModel(model, prompt, base_url)
