"""Gold: letters with answers read by hand, as pairs of files of the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from extractor.errors import WorkspaceError
from extractor.evaluation.gold.shape import Node
from extractor.letters.letter import Letter, LetterFile, find_letters, letter_in
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import value_at


@dataclass(frozen=True)
class GoldView:
    """The part of an answer that gold of another shape covers.

    ``nodes``: its leaves and lists of records, as the scorer walks them. ``project`` brings a whole
    answer into that form. ``sha256``: hex digest of what defines it.
    """

    nodes: tuple[Node, ...]
    project: Callable[[Mapping[str, Any]], dict[str, Any]]
    sha256: str


@dataclass(frozen=True)
class Gold:
    """One letter with its correct answer.

    ``reviewed``: who read it (role and date). ``debatable``: why a leaf could be argued about, by
    path. ``also_accepted``: equally correct values, by path; written before any model's
    answer was seen. ``view``: the part of an answer that this gold covers, for gold of another shape;
    ``None`` is all of it.
    """

    file: LetterFile
    letter: Letter
    answer: dict[str, Any]
    reviewed: list[dict[str, str]] = field(default_factory=list)
    debatable: dict[str, str] = field(default_factory=dict)
    also_accepted: dict[str, list[Any]] = field(default_factory=dict)
    view: GoldView | None = None

    @cached_property
    def sha256(self) -> str:
        """Hex digest of everything that decides a score, including the letter's text."""
        view = self.view.sha256 if self.view else None
        parts = [self.letter.id, self.letter.sha256, self.answer, self.also_accepted, view]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def load_gold(letters: Path, gold: Path, letter_type: LetterType) -> list[Gold]:
    """All pairs of ``letters/<id>.txt`` and ``gold/<id>.json``, by id.

    Raises ``WorkspaceError`` for gold without its letter, gold that is not valid against the
    schema, and gold without a reviewer.
    """
    files = {file.id: file for file in find_letters([letters])}
    found: list[Gold] = []
    for path in sorted(gold.glob("*.json")):
        if path.stem not in files:
            raise WorkspaceError(
                f"{path} has no letter {path.stem}.txt in {letters}", hint="add the letter, or remove the gold"
            )
        found.append(_gold(path, files[path.stem], letter_type))
    if not found:
        raise WorkspaceError(f"no gold in {gold}", hint="gold is <letter id>.json with reviewed and answer")
    return found


def _gold(path: Path, file: LetterFile, letter_type: LetterType) -> Gold:
    try:
        data = json.loads(path.read_text("utf-8"))
        letter_type.schema.model_validate_json(json.dumps(data["answer"]))
        if not data["reviewed"]:
            raise KeyError("reviewed")
        also = data.get("also_accepted", {})
        for pointer in also:
            value_at(data["answer"], pointer)
        return Gold(file, letter_in(file), data["answer"], data["reviewed"], data.get("debatable", {}), also)
    except ValidationError as error:
        places = ", ".join("/".join(map(str, each["loc"])) for each in error.errors()[:5])
        raise WorkspaceError(
            f"{path} is not valid against the schema at: {places}", hint="correct the gold file"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        raise WorkspaceError(f"{path} is not a gold file: {error!r}", hint="it holds reviewed and answer") from error
