"""``extractor doctor``: what works here, and what to do about what does not."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import typer
from pydantic import BaseModel, ConfigDict

from extractor.cli.common import (
    REPLAY,
    Exit,
    JsonOption,
    ModelOption,
    UrlOption,
    WorkspaceOption,
    cassette_root,
    open_workspace,
    print_json,
    prompts_known,
)
from extractor.errors import ExtractorError, ModelNameError, TransportError
from extractor.letter import letter_from_text
from extractor.models import Question
from extractor.reading import nothing_read
from extractor.records import ENGINE

_LIBRARIES = ("pydantic", "openai", "instructor", "tenacity", "vcrpy", "typer")


class Probe(BaseModel):
    """What the endpoint is asked to fill when it is probed."""

    model_config = ConfigDict(extra="forbid")

    word: Literal["ready"]


def doctor_command(
    model: ModelOption = None,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what works: Python, libraries, workspace, prompts, cassettes, and with --model the endpoint.

    With --model one tiny request is sent to the endpoint in each structured-output mode (no letter
    leaves the machine), to tell which modes work there.

    Example: extractor doctor --model openai/NAME --base-url http://127.0.0.1:8000/v1
    """
    rows: list[dict[str, Any]] = [
        _row("python", sys.version_info >= (3, 11), platform.python_version(), "Python 3.11 or newer is needed"),
        _row("letterproof", ENGINE != "unknown", ENGINE, "install it: pip install -e ."),
        *(_library(name) for name in _LIBRARIES),
    ]
    try:
        rows += _workspace_rows(workspace)
    except ExtractorError as error:
        rows.append(_row("workspace", False, error.message, error.hint))
    key = "OPENAI_API_KEY"
    rows.append({"what": key, "ok": None, "is": "set" if os.environ.get(key) else "not set", "do": ""})
    if model and model != "offline":
        rows += _endpoint_rows(model, base_url)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            mark = {True: "ok  ", False: "FAIL", None: "    "}[row["ok"]]
            print(f"{mark} {row['what']}: {row['is']}" + (f"\n       {row['do']}" if row["do"] else ""))
    raise typer.Exit(Exit.LOOK if any(row["ok"] is False for row in rows) else Exit.FINE)


def _row(what: str, ok: bool, found: str, advice: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "is": found, "do": "" if ok else advice}


def _library(name: str) -> dict[str, Any]:
    try:
        return _row(name, True, version(name), "")
    except PackageNotFoundError:
        return _row(name, False, "not installed", "pip install -e . -c constraints.txt")


def _workspace_rows(workspace: Any) -> list[dict[str, Any]]:
    found = open_workspace(workspace)
    rows = [_row("workspace", True, f"{found.config.name} in {found.root}", "")]
    for name in found.config.letter_types:
        kind = found.letter_type(name)
        tapes = len(list(cassette_root(found, name).rglob("*.yaml")))
        told = f"{len(kind.json_schema.get('$defs', {})) + 1} records in its schema, {tapes} cassettes"
        rows.append(_row(f"letter type {name}", True, told, ""))
        rows.append(
            _row(
                f"prompts of {name}",
                bool(prompts_known(found, name)),
                ", ".join(prompts_known(found, name)),
                "add v1.md",
            )
        )
    return rows


def _endpoint_rows(model: str, base_url: str | None) -> list[dict[str, Any]]:
    from extractor.llm import MODES, open_model

    if model.startswith(REPLAY):
        return [_row(model, True, "answers from cassettes; nothing to probe", "")]
    rows = []
    for mode in MODES:
        try:
            opened = open_model(model, base_url=base_url, params={"mode": mode, "tries": 1, "timeout": 60.0})
            reply = asyncio.run(_probe(opened))
            Probe.model_validate_json(reply)
            rows.append(_row(f"{model} in mode {mode}", True, "answers as asked", ""))
        except (ModelNameError, TransportError) as error:
            # Not a matter of the mode: asking in the others would fail the same way.
            return [*rows, _row(model, False, error.message, error.hint)]
        except ExtractorError as error:
            rows.append(_row(f"{model} in mode {mode}", False, f"{error.code}: {error.message}", error.hint))
        except ValueError:
            rows.append(_row(f"{model} in mode {mode}", False, "answers, but not in the schema", "use another mode"))
    return rows


async def _probe(model: Any) -> str:
    letter = letter_from_text("probe", "Fill the schema with the word ready.")
    question = Question(
        letter.id, letter.text, "Answer in the given JSON schema.", Probe, nothing_read(letter, "probe")
    )
    try:
        return str((await model.ask(question)).text)
    finally:
        await model.aclose()
