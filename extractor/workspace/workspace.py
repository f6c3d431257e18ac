"""The workspace: a folder with ``workspace.toml``, prompts, schemas, gold and cassettes.

Workspace code is executed: use only workspaces you trust. It is mounted as a private package
named after the workspace, so that its modules import each other relatively, pickle, and stay
separate from any other workspace in the same process. Only this module loads it.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
import tomllib
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.errors import ExtractorError, LetterTypeError, WorkspaceError
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import AUTO
from extractor.models import prices
from extractor.models.local.weights import file_of
from extractor.models.names import LOCAL, is_local

MARKER = "workspace.toml"
_File = TypeVar("_File", bound=BaseModel)


class LetterTypeConfig(BaseModel):
    """Paths of one letter type's parts, relative to the workspace."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="dotted module that holds LETTER_TYPE, e.g. schemas.imr")
    prompts: str = Field(description="folder of prompt versions, e.g. prompts/imr")
    default_prompt: str = Field(description="used when --prompt is not given, e.g. imr@v1")
    letters: str | None = Field(None, description="the letters that have gold, e.g. eval/imr/letters")
    gold: str | None = Field(None, description="the answers read by hand, e.g. eval/imr/gold")


class ModelConfig(BaseModel):
    """Settings of one model; sent only if given."""

    model_config = ConfigDict(extra="forbid")

    base_url: str | None = Field(None, description="address of an OpenAI-compatible server")
    mode: str = Field("json_schema", description="json_schema, json_schema_lengths, json_schema_loose, tools or json")
    timeout: float = Field(120.0, description="seconds for one call; 3600 for a local model")
    params: dict[str, Any] = Field(default_factory=dict, description="request parameters, e.g. temperature")


class WorkspaceConfig(BaseModel):
    """``workspace.toml``."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="private package name of the workspace's code", pattern=r"^[a-z][a-z0-9_]*$")
    default_letter_type: str
    default_model: str | None = None
    replay_model: str | None = None
    cassettes: str = "cassettes"
    prices: str | None = Field(None, description="what tokens cost; default: prices.toml if there is one")
    letter_types: dict[str, LetterTypeConfig]
    models: dict[str, ModelConfig] = Field(default_factory=dict)

    def settings_of(self, model: str) -> ModelConfig:
        """The settings of a model; those of a local one are found by its file's name, whatever folder it is in."""
        names = (model, f"{LOCAL}/{file_of(model)}") if is_local(model) else (model,)
        found = next((self.models[name] for name in names if name in self.models), None)
        return found or ModelConfig.model_validate({})


class Workspace:
    """One loaded workspace. Raises ``WorkspaceError`` if its configuration is broken."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        hint = "make a workspace: extractor init DIR"
        self.config = _read(self.root / MARKER, WorkspaceConfig, missing=hint)

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The workspace in ``start`` (default: here) or in the nearest folder above it.

        Its code will be executed, so one above that belongs to another user is refused: anybody may
        put a ``workspace.toml`` into a shared folder such as ``/tmp``. Raises ``WorkspaceError``.
        """
        here = (start or Path.cwd()).resolve()
        folder = cls.nearest(here)
        if folder is None:
            raise WorkspaceError(
                f"no {MARKER} in {here} or above",
                hint="change into a workspace, name one with --workspace, or make one: extractor init DIR",
            )
        if folder != here:
            _refuse_foreign(folder)
        return cls(folder)

    @staticmethod
    def nearest(start: Path | None = None) -> Path | None:
        """The folder of a workspace that is ``start`` (default: here) or above it; ``None`` if there is none."""
        here = (start or Path.cwd()).resolve()
        return next((folder for folder in (here, *here.parents) if _is_file(folder / MARKER)), None)

    def prompt_folder(self, letter_type: str) -> Path:
        """The folder with the prompt versions of a letter type."""
        return self.root / self.config.letter_types[letter_type].prompts

    def letter_type_name(self, name: str | None = None) -> str:
        """``name`` if the workspace has it, else the default. Raises ``WorkspaceError`` listing the known ones."""
        wanted = name or self.config.default_letter_type
        if wanted not in self.config.letter_types:
            raise WorkspaceError(
                f"no letter type {wanted!r} in {self.root / MARKER}",
                hint=f"known: {', '.join(sorted(self.config.letter_types))}",
            )
        return wanted

    @property
    def letter_type_names(self) -> tuple[str, ...]:
        """The names of all letter types, the default one first."""
        first = self.letter_type_name()
        return (first, *sorted(set(self.config.letter_types) - {first}))

    def letter_types(self, name: str | None = None) -> list[LetterType]:
        """The letter type of this name, as ``letter_type``; for ``auto`` all of them, the default first."""
        return [self.letter_type(each) for each in (self.letter_type_names if name == AUTO else (name,))]

    def letter_type(self, name: str | None = None) -> LetterType:
        """Load a letter type's code. Raises ``LetterTypeError`` with the cause if it cannot be used."""
        wanted = self.letter_type_name(name)
        dotted = self.config.letter_types[wanted].code
        try:
            module = importlib.import_module(f"{self._package}.{dotted}")
        except ExtractorError:
            raise
        except ModuleNotFoundError as error:
            raise LetterTypeError(
                f"{dotted} of workspace {self.root} cannot be loaded: {error}", hint="check `code` in workspace.toml"
            ) from error
        except Exception as error:
            raise LetterTypeError(
                f"{dotted} of workspace {self.root} fails: {type(error).__name__}: {error}"
            ) from error
        found = getattr(module, "LETTER_TYPE", None)
        if not isinstance(found, LetterType):
            raise LetterTypeError(
                f"{dotted} of workspace {self.root} has no LETTER_TYPE", hint="define LETTER_TYPE = LetterType(...)"
            )
        if found.name != wanted:
            raise LetterTypeError(
                f"{dotted} of workspace {self.root} calls itself {found.name!r}, workspace.toml calls it {wanted!r}",
                hint="give both the same name",
            )
        return found

    def tariff(self, model: str, params: Mapping[str, Any]) -> prices.Tariff:
        """What ``model`` costs by the workspace's price table. Raises ``WorkspaceError`` if the table is broken."""
        name = self.config.prices or prices.FILE
        table = None
        if self.config.prices or (self.root / name).exists():
            hint = f"correct `prices` in {MARKER}"
            table = _read(self.root / name, prices.PriceTable, missing=hint, parse_float=Decimal)
        return prices.tariff(table, name, model, params)

    @cached_property
    def _package(self) -> str:
        """Mount the root under a private name that does not depend on its path."""
        name = f"_workspace_{self.config.name}"
        mounted = sys.modules.get(name)
        if mounted is None:
            mounted = types.ModuleType(name)
            mounted.__path__ = [str(self.root)]
            sys.modules[name] = mounted
        elif list(mounted.__path__) != [str(self.root)]:
            raise WorkspaceError(
                f"two workspaces are named {self.config.name!r}: {mounted.__path__[0]} and {self.root}",
                hint=f"change `name` in one {MARKER}",
            )
        return name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be entered
        return False


def _refuse_foreign(folder: Path) -> None:
    """Raise ``WorkspaceError`` for a workspace that is neither the user's nor the system administrator's."""
    if not hasattr(os, "geteuid"):
        return
    for path in (folder, folder / MARKER):
        owner = path.stat().st_uid
        if owner not in (os.geteuid(), 0):
            raise WorkspaceError(
                f"{path} belongs to another user (id {owner}), so the code of the workspace is not executed",
                hint=f"if you trust it, name it: --workspace {shlex.quote(str(folder))}",
            )


def _read(path: Path, kind: type[_File], *, missing: str, parse_float: Callable[[str], Any] = float) -> _File:
    try:
        data = tomllib.loads(path.read_text("utf-8"), parse_float=parse_float)
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint=missing) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} is not valid TOML: {error}", hint="correct that line") from error
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = [f"{' -> '.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise WorkspaceError(f"{path} is not valid:\n  " + "\n  ".join(lines), hint="correct these settings") from error


def slug(name: str) -> str:
    """``name`` as a file name: slashes become ``__``, anything unusual a dash."""
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", name.replace("/", "__"))
