"""How strongly each leaf of a letter type is checked: what proves it, what passes unflagged, what nobody checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from extractor.evaluation.scores.planted import identity, mistakes_in, verdict_on
from extractor.evaluation.stats import exact_bounds
from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import Judged, SchemaField, Unchecked, Verbatim, fields_of
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import as_uncertain
from extractor.pointers import field_path


@dataclass
class LeafStrength:
    """One leaf, over all correct answers.

    ``levels``: how often each proof level was reached. ``silent`` of the ``planted`` mistakes raised no
    finding at all. ``false_alarms``: errors on the true values. ``unchecked``: what no check covers, in plain words.
    """

    path: str
    protected: bool
    unchecked: str = ""
    levels: Counter[str] = field(default_factory=Counter)
    planted: int = 0
    silent: int = 0
    false_alarms: int = 0

    @property
    def bounds(self) -> tuple[float, float]:
        """Exact 95% bounds of the share of mistakes that pass unflagged."""
        return exact_bounds(self.silent, self.planted)

    def as_dict(self) -> dict[str, Any]:
        low, high = self.bounds
        return {**vars(self), "levels": dict(self.levels.most_common()), "silent_low": low, "silent_high": high}


def measure_strength(
    letter_type: LetterType, answers: Iterable[tuple[Letter, Mapping[str, Any]]]
) -> dict[str, LeafStrength]:
    """Every leaf of the schema, in its order, measured on correct answers and on mistakes planted in them."""
    leaves = {
        path: LeafStrength(path, letter_type.is_protected("/" + path), unchecked)
        for path, unchecked in _leaves(letter_type.schema, "")
    }
    for letter, answer in answers:
        reading = letter_type.read(letter)
        uncertain = as_uncertain(reading)
        untouched, doubted = verdict_on(letter_type, answer, reading), verdict_on(letter_type, answer, uncertain)
        for path, level in untouched.proof.items():
            leaves[field_path(path)].levels[level] += 1
        for finding in untouched.findings:
            if finding.severity == "error" and finding.blame == "answer" and field_path(finding.path) in leaves:
                leaves[field_path(finding.path)].false_alarms += 1
        for _, mistake in mistakes_in(letter_type, letter_type.planters, answer, reading):
            true, used = (doubted, uncertain) if mistake.uncertain else (untouched, reading)
            known = {identity(finding) for finding in true.findings}
            found = verdict_on(letter_type, mistake.answer, used).findings
            leaf = leaves[field_path(mistake.paths[0])]
            leaf.planted += 1
            leaf.silent += all(identity(finding) in known for finding in found)
    return leaves


def _leaves(schema: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    """Every leaf and list of records, with what nobody checks of it."""
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}".lstrip("/")
        if spec.kind != "group":
            yield here, _unchecked(spec)
        if spec.model is not None:
            yield from _leaves(spec.model, here)


def _unchecked(spec: SchemaField) -> str:
    marker = spec.marker
    if isinstance(marker, Unchecked):
        return f"the value: {marker.why}"
    if isinstance(marker, Judged):
        return f"whether the words in {marker.quote} bear the judgment out"
    if isinstance(marker, Verbatim) and not marker.whole:
        missing = "whether one is left out" if spec.many else "whether these are the words that were meant"
        return f"{missing}, beyond what the reader finds"
    return ""
