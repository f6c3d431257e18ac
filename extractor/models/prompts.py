"""Prompt versions: Markdown files with front matter. A released version never changes.

``imr@v1`` is the file ``v1.md`` in the letter type's prompt folder. Its text after the front
matter is sent unchanged; nothing is rendered into it. The hashes of released versions are in
``released.toml`` beside them.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from extractor.errors import PromptError

RELEASED = "released.toml"
_FRONT = re.compile(r"\A---\r?\n(?P<front>.*?)\r?\n---\r?\n(?P<text>.*)\Z", re.DOTALL)


class FrontMatter(BaseModel):
    """The front matter of a prompt.

    ``corrections``: whether findings are answered with the ``whole`` answer again, or with a ``patch`` that
    holds only the values in question. ``examples``: ids of letters with gold that the text uses as examples; they are
    not scored.
    """

    model_config = ConfigDict(extra="forbid")

    title: str
    why: str
    strategy: Literal["plain", "skeleton", "quoted"] = "plain"
    corrections: Literal["whole", "patch"] = "whole"
    examples: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _patches_are_plain(self) -> FrontMatter:
        if self.corrections == "patch" and self.strategy != "plain":
            raise ValueError("corrections: patch needs strategy: plain")
        return self


@dataclass(frozen=True)
class Prompt:
    """One prompt version: ``id`` (``imr@v1``), the text sent, and the hash of that text and of how it asks."""

    id: str
    front: FrontMatter
    text: str

    @cached_property
    def sha256(self) -> str:
        # How a prompt asks belongs to it as much as its words.
        how = "" if self.front.strategy == "plain" else f"\x00{self.front.strategy}"
        how += "" if self.front.corrections == "whole" else f"\x00{self.front.corrections}"
        how += f"\x00{sorted(self.front.examples)}" if self.front.examples else ""
        return hashlib.sha256((self.text + how).encode()).hexdigest()


def known_prompts(folder: Path, letter_type: str) -> list[str]:
    """Ids of all versions in a prompt folder, oldest first."""
    versions = sorted((path.stem for path in folder.glob("*.md")), key=_natural)
    return [f"{letter_type}@{version}" for version in versions]


def _natural(version: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", version)]


def load_prompt(folder: Path, prompt_id: str, letter_type: str) -> Prompt:
    """Load one version of a letter type's prompts.

    Raises ``PromptError`` if it is unknown, broken, or was edited after its release.
    """
    _, _, version = prompt_id.partition("@")
    path = folder / f"{version}.md"
    known = known_prompts(folder, letter_type)
    if prompt_id not in known:
        raise PromptError(f"no prompt {prompt_id!r} in {folder}", hint=_how_to_add(prompt_id, letter_type, known))
    prompt = _read(path, prompt_id)
    released = _released(folder).get(version)
    if released and released != prompt.sha256:
        raise PromptError(
            f"{path} was edited after its release",
            hint=f"undo the edit and write your change as a new version beside {path.name}",
        )
    return prompt


def _how_to_add(prompt_id: str, letter_type: str, known: list[str]) -> str:
    names = f"known: {', '.join(known) or '(none)'}"
    kind, _, version = prompt_id.partition("@")
    if kind != letter_type or not re.fullmatch(r"[\w-]+", version):
        return names
    command = f"extractor record --prompt {prompt_id} --model openai/NAME"
    return f"{names}; a new version is a file {version}.md there, recorded with: {command}"


def load_draft(path: Path, letter_type: str) -> Prompt:
    """A prompt that has no version yet, from its file; its id is ``TYPE@draft-NAME``.

    Raises ``PromptError`` if there is no such file, or it is broken.
    """
    return _read(path, f"{letter_type}@draft-{path.stem}")


def _read(path: Path, prompt_id: str) -> Prompt:
    match = _FRONT.match(_text(path))
    if not match:
        raise PromptError(f"{path} has no front matter", hint="begin it with --- title and why --- lines")
    try:
        front = FrontMatter.model_validate(yaml.safe_load(match["front"]))
    except (yaml.YAMLError, ValidationError) as error:
        raise PromptError(f"the front matter of {path} is broken: {error}", hint="it needs title and why") from error
    return Prompt(prompt_id, front, match["text"].strip() + "\n")


def _released(folder: Path) -> dict[str, str]:
    path = folder / RELEASED
    if not path.is_file():
        return {}
    try:
        return {str(version): str(sha) for version, sha in tomllib.loads(_text(path))["sha256"].items()}
    except (tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise PromptError(f"{path} is broken: {error}", hint="it holds [sha256] with one line a version") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"cannot read {path}: {error}", hint="save it as UTF-8 text") from error
