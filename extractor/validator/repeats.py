"""An answer that is given again against the reading: the readers disagree, and a person looks.

A value that the model repeats when it is asked again, and that is printed in its own section, is as
good a reading as the reader's. It is never replaced by what the reading wants.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from extractor.lettertypes.findings import Finding
from extractor.pointers import is_within, value_at
from extractor.validator.verdict import Verdict

_MESSAGE = "given again when asked again, and printed in its section, but the reader reads something else"


def settle_repeats(
    first: tuple[BaseModel, Verdict], second: tuple[BaseModel, Verdict], given: frozenset[str] | None = None
) -> tuple[Verdict, Verdict]:
    """Both verdicts, with what both answers insist on blamed on nobody.

    ``given``: the paths that the second answer really gave, if it is the first one with a patch.
    """
    (one, before), (other, after) = first, second
    mine, yours = one.model_dump(mode="json"), other.model_dump(mode="json")
    both = before.in_place.keys() & after.in_place.keys()
    if given is not None:
        both = {path for path in both if any(is_within(path, each) for each in given)}
    repeated = {path for path in both if _equal(mine, yours, path)}
    return _unclear(before, repeated), _unclear(after, repeated)


def _equal(one: object, other: object, path: str) -> bool:
    try:
        return bool(value_at(one, path) == value_at(other, path))
    except LookupError:  # a record that only one of them has
        return False


def _unclear(verdict: Verdict, paths: set[str]) -> Verdict:
    def settled(finding: Finding) -> Finding:
        if finding.path in paths and finding.blame == "answer" and finding.severity == "error":
            return replace(finding, blame="unclear", message=_MESSAGE)
        return finding

    return replace(verdict, findings=[settled(finding) for finding in verdict.findings])
