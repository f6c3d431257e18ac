"""``extractor doctor``: what works here, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field

from extractor.cli.shared.extras import Extra, extras
from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import Exit, JsonOption, ModelOption, UrlOption, WorkspaceOption, print_json
from extractor.engine import ENGINE
from extractor.errors import ExtractorError, ModelNameError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.reading import nothing_read
from extractor.loops import run_here
from extractor.models.model import Question
from extractor.models.names import is_desk, is_local
from extractor.workspace.session import prompts_known
from extractor.workspace.tapes import REPLAY, cassette_root
from extractor.workspace.workspace import ModelConfig

_LIBRARIES = ("pydantic", "openai", "instructor", "tenacity", "vcrpy", "typer")
# As extractor.models.llm has them; asking it would import the model SDKs.
_KEYS = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
# What goes wrong in one mode so would go wrong in the others.
_EVERY_MODE = frozenset(
    {
        "auth",
        "forbidden",
        "quota",
        "rate_limited",
        "timeout",
        "unreachable",
        "moved",
        "certificate",
        "proxy",
        "unanswered",
        "local_model",
        "params",
        "settings",
        "model_name",
    }
)


class Probe(BaseModel):
    """What the endpoint is asked to fill when it is probed: a fixed word, a length, a null."""

    model_config = ConfigDict(extra="forbid")

    word: Literal["ready"]
    sign: Annotated[str, Field(min_length=1, max_length=20, description="any short word")]
    number: int | None


def doctor_command(
    model: ModelOption = None,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check what works: Python, libraries, extras, workspace, prompts, cassettes, and with --model the endpoint.

    With --model one tiny request is sent to the endpoint in each structured-output mode (no letter
    leaves the machine), to find out which modes work there and what to write in workspace.toml.

    Example: extractor doctor --model openai/NAME --base-url http://127.0.0.1:8000/v1
    """
    rows: list[dict[str, Any]] = [
        _row("python", sys.version_info >= (3, 11), platform.python_version(), "Python 3.11 or newer is needed"),
        _row("letterproof", ENGINE != "unknown", ENGINE, "install it: pip install -e ."),
        *(_library(name) for name in _LIBRARIES),
        *map(_extra, extras()),
    ]
    config = ModelConfig.model_validate({})
    try:
        rows += _workspace_rows(workspace)
        config = open_workspace(workspace, or_bundled=True).config.settings_of(model or "")
    except ExtractorError as error:
        rows.append(_row("workspace", False, error.message, error.hint))
    rows += [{"what": key, "ok": None, "is": "set" if os.environ.get(key) else "not set", "do": ""} for key in _KEYS]
    if model and model != "offline":
        rows += _endpoint_rows(model, config.model_copy(update={"base_url": base_url or config.base_url}))
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            mark = {True: "ok  ", False: "FAIL", None: "    "}[row["ok"]]
            print(f"{mark} {row['what']}: {row['is']}", *row["do"].splitlines(), sep="\n       ")
    raise typer.Exit(Exit.LOOK if any(row["ok"] is False for row in rows) else Exit.FINE)


def _row(what: str, ok: bool, found: str, advice: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "is": found, "do": "" if ok else advice}


def _library(name: str) -> dict[str, Any]:
    try:
        return _row(name, True, version(name), "")
    except PackageNotFoundError:
        return _row(name, False, "not installed", "pip install -e . -c constraints.txt")


def _extra(extra: Extra) -> dict[str, Any]:
    """An extra that is not installed is no failure: it may not be wanted."""
    what = f"extra {extra.name} ({extra.purpose})"
    if extra.missing:
        return {"what": what, "ok": None, "is": f"missing: {', '.join(extra.missing)}", "do": extra.install}
    return {"what": what, "ok": True, "is": ", ".join(extra.found), "do": ""}


def _workspace_rows(workspace: Any) -> list[dict[str, Any]]:
    found = open_workspace(workspace, or_bundled=True)
    rows = [_row("workspace", True, f"{found.config.name} in {found.root}", "")]
    for name in found.config.letter_types:
        kind = found.letter_type(name)
        tapes = len(list(cassette_root(found, name).rglob("*.yaml")))
        summary = f"{len(kind.json_schema.get('$defs', {})) + 1} records in its schema, {tapes} cassettes"
        rows.append(_row(f"letter type {name}", True, summary, ""))
        rows.append(
            _row(
                f"prompts of {name}",
                bool(prompts_known(found, name)),
                ", ".join(prompts_known(found, name)),
                "add v1.md",
            )
        )
    return rows


def _endpoint_rows(model: str, config: ModelConfig) -> list[dict[str, Any]]:
    from extractor.models.llm import modes_of

    if model.startswith(REPLAY):
        return [_row(model, True, "answers from cassettes; nothing to probe", "")]
    if is_desk(model):
        return [_row(model, True, "answers are written at an answer desk (extractor desk); nothing to probe", "")]
    try:
        modes = modes_of(model)
    except ModelNameError as unknown:
        return [_row(model, False, unknown.message, unknown.hint)]
    found: dict[str, ExtractorError | None] = {}
    for mode in modes:
        found[mode] = failure = _failure(model, mode, config)
        if failure and failure.code in _EVERY_MODE:
            return [_row(model, False, failure.message, failure.hint)]
    if failure and {each and each.message for each in found.values()} == {failure.message}:
        return [_row(model, False, f"in every mode: {failure.message}", failure.hint)]
    rows = [
        {"what": f"{model} in mode {mode}", "ok": error is None or None, "is": _outcome(error), "do": ""}
        for mode, error in found.items()
    ]
    return [
        *_placement_rows(model, config),
        *rows,
        _advice(model, config, [mode for mode, error in found.items() if error is None]),
    ]


def _placement_rows(model: str, config: ModelConfig) -> list[dict[str, Any]]:
    """What this machine gives a local model."""
    from extractor.models.llm.local import open_model_file

    if not is_local(model):
        return []
    _, place = open_model_file(model, config.params)
    found = f"{place.threads} threads, {place.slots} x {place.context:,} tokens of context"
    return [{"what": f"{model} on this machine", "ok": None, "is": found, "do": ""}]


def _failure(model: str, mode: str, config: ModelConfig) -> ExtractorError | None:
    """Why a mode does not work here; ``None`` if it does."""
    from extractor.models.llm import open_model

    given = config.model_dump(include={"timeout"} & config.model_fields_set)
    settings = {"tries": 2, "max_wait": 5.0, "desk_wait": 0, **config.params, **given, "mode": mode}
    try:
        reply = run_here(_probe(open_model(model, base_url=config.base_url, params=settings)))
        Probe.model_validate_json(reply)
    except ExtractorError as error:
        return error
    except ValueError:
        return ExtractorError("answers, but not in the schema", code="invalid_answer")
    return None


def _outcome(error: ExtractorError | None) -> str:
    return f"{error.code}: {error.message}" if error else "answers as asked"


def _advice(model: str, config: ModelConfig, working: list[str]) -> dict[str, Any]:
    """The mode to use, and how to write it down."""
    from extractor.models.llm import modes_of, url_without_secrets

    what = f"mode for {model}"
    if not working:
        return _row(what, False, "none works", "see the reasons above; try another model, or a newer server")
    best = working[0]
    own_server = model.startswith("openai-compatible/") or (model.startswith("openai/") and config.base_url)
    if own_server and "json_schema_lengths" in working:
        # Without lengths the grammars of such servers run on; OpenAI's own may refuse them.
        best = "json_schema_lengths"
    configured = config.mode if "mode" in config.model_fields_set else modes_of(model)[0]
    if best == configured:
        return _row(what, True, f"{best}, as configured", "")
    where = [f'base_url = "{url_without_secrets(config.base_url)}"'] if config.base_url else []
    lines = ["write into workspace.toml:", f'[models."{model}"]', *where, f'mode = "{best}"']
    return {"what": what, "ok": True, "is": best, "do": "\n".join(lines)}


async def _probe(model: Any) -> str:
    letter = letter_from_text("Fill the schema: the word ready, any sign, and null for the number.", letter_id="probe")
    instructions = "Answer in the given JSON schema."
    question = Question(letter.id, letter.text, instructions, Probe, nothing_read(letter, "probe"))
    try:
        return str((await model.ask(question)).text)
    finally:
        await model.aclose()
