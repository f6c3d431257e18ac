"""Gold: letters with answers read by hand, as pairs of files of the same name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from extractor.errors import WorkspaceError
from extractor.letter import Letter, find_letters, read_letter
from extractor.lettertype import LetterType


@dataclass(frozen=True)
class Gold:
    """One letter with its true answer, who read it (role and date), and what could be argued about."""

    letter: Letter
    answer: dict[str, Any]
    reviewed: list[dict[str, str]] = field(default_factory=list)
    debatable: dict[str, str] = field(default_factory=dict)


def load_gold(letters: Path, gold: Path, letter_type: LetterType) -> list[Gold]:
    """All pairs of ``letters/<id>.txt`` and ``gold/<id>.json``, by id.

    Raises ``WorkspaceError`` for gold without its letter, gold that is not valid against the
    schema, and gold that does not say who reviewed it.
    """
    files = {file.id: file for file in find_letters([letters])}
    found: list[Gold] = []
    for path in sorted(gold.glob("*.json")):
        if path.stem not in files:
            raise WorkspaceError(
                f"{path} has no letter {path.stem}.txt in {letters}", hint="add the letter, or remove the gold"
            )
        found.append(_gold(path, read_letter(files[path.stem]), letter_type))
    if not found:
        raise WorkspaceError(f"no gold in {gold}", hint="gold is <letter id>.json with reviewed and answer")
    return found


def _gold(path: Path, letter: Letter, letter_type: LetterType) -> Gold:
    try:
        data = json.loads(path.read_text("utf-8"))
        letter_type.schema.model_validate_json(json.dumps(data["answer"]))
        if not data["reviewed"]:
            raise KeyError("reviewed")
        return Gold(letter, data["answer"], data["reviewed"], data.get("debatable", {}))
    except ValidationError as error:
        places = ", ".join("/".join(map(str, each["loc"])) for each in error.errors()[:5])
        raise WorkspaceError(
            f"{path} is not valid against the schema at: {places}", hint="mend the gold file"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(f"{path} is not a gold file: {error!r}", hint="it holds reviewed and answer") from error
