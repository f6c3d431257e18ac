"""How often results on the test half of the gold have been looked at: a test set wears out by being looked at."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from extractor.evaluation.scored_run import Run
from extractor.files import whole_file

FILE = "looks.json"
# From so many different runs on, what was chosen by the test half was fitted to it.
MANY = 5


@dataclass(frozen=True)
class Looks:
    """How many different runs over letters of the test half were made, and the day of the first."""

    runs: int
    since: str

    @property
    def are_many(self) -> bool:
        return self.runs >= MANY


def count_look(folder: Path, run: Run, test: Collection[str]) -> Looks | None:
    """Note that a run was made; ``None`` if it has no letter of the test half. The same run again is no new look.

    The file in ``folder`` holds ids of runs and days. One that cannot be read is begun again.
    """
    if not set(run.by_letter) & set(test):
        return None
    path = folder / FILE
    known = _known(path)
    if run.id not in known:
        known[run.id] = datetime.now(UTC).strftime("%Y-%m-%d")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(path) as file:
            file.write((json.dumps(known, indent=1) + "\n").encode())
    return Looks(len(known), min(known.values()))


def _known(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {str(run): str(day) for run, day in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
