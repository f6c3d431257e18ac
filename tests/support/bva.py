"""The bundled type of BVA decisions: its letters with gold, and lent decisions where they are present."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from extractor.letters.letter import Letter, letter_from_text
from extractor.lettertypes.reading import Reading
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
BVA = Workspace(ROOT).letter_type("bva")
OWN = ROOT / "eval" / "bva"
OWN_IDS = sorted(path.stem for path in (OWN / "gold").glob("*.json"))
LENT = Path(os.environ.get("LETTERPROOF_BVA", "not-set"))
LENT_IDS = sorted(path.stem for path in LENT.glob("*.txt"))


def letter(path: Path) -> Letter:
    return letter_from_text(path.read_bytes().decode(), letter_id=path.stem)


def own(letter_id: str) -> tuple[Reading, dict[str, Any]]:
    """A letter of the project as read, and its gold."""
    gold = json.loads((OWN / "gold" / f"{letter_id}.json").read_text("utf-8"))["answer"]
    return BVA.read(letter(OWN / "letters" / f"{letter_id}.txt")), gold
