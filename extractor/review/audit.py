"""Audits: a random sample of accepted letters is read by a person who sees neither status nor findings.

``audits.jsonl`` in the run folder holds the samples, one line each, written once. What the auditor did is in
the log like every other act, marked with the audit's name; the result is counted from there.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from extractor.errors import LedgerError, UsageError
from extractor.files import refuse_odd_files, whole_file
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import field_path, is_within
from extractor.review.log import CHANGES, DECISIONS, now
from extractor.review.reviews import Reviews
from extractor.review.state import State, answer_sha256, changed_paths
from extractor.runs.record import Record

FILE = "audits.jsonl"
# What a report may be broken down by, and the value of a record.
GROUPINGS = ("form", "model", "prompt", "folder")


@dataclass(frozen=True)
class Sampled:
    """One letter of a sample, with the hash of the answer that was accepted and the groups it is in."""

    letter_id: str
    answer_sha256: str
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Audit:
    """A sample of the accepted letters of a run, in the order in which they are read.

    ``population`` counts the letters it was drawn from, ``groups`` those of each group.
    """

    name: str
    letter_type: str
    seed: int
    at: str
    by: str
    population: int
    groups: Mapping[str, Mapping[str, int]]
    letters: tuple[Sampled, ...]

    @cached_property
    def answers(self) -> Mapping[str, str]:
        """The hash of each sampled letter's answer."""
        return {each.letter_id: each.answer_sha256 for each in self.letters}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Audit:
        """An audit from plain JSON data. Raises ``KeyError`` or ``TypeError`` for data that is none."""
        return cls(**{**data, "letters": tuple(Sampled(**each) for each in data["letters"])})


def draw(folder: Path, kind: LetterType, records: Iterable[Record], size: int, seed: int, by: str) -> Audit:
    """A new sample of ``size`` accepted letters, stored in the run folder; one drawn alike before is continued.

    Raises ``UsageError`` if no letter is accepted, or the file cannot be written.
    """
    known = audits(folder)
    for audit in known:
        if (audit.letter_type, audit.seed, len(audit.letters)) == (kind.name, seed, min(size, audit.population)):
            return audit
    reviews = Reviews(folder)
    accepted: dict[str, Sampled] = {}
    for record in records:
        if record.letter_type == kind.name and reviews.reviewed(record).record.status == "accepted":
            accepted[record.letter_id] = Sampled(record.letter_id, answer_sha256(record), _groups(record))
    if not accepted:
        raise UsageError("no letter of this run is accepted", hint="run letters, or review those that are flagged")
    # Sorted first: the order of a ledger must not decide what a seed draws.
    chosen = random.Random(seed).sample(sorted(accepted), min(size, len(accepted)))  # noqa: S311
    audit = Audit(
        name=str(len(known) + 1),
        letter_type=kind.name,
        seed=seed,
        at=now(),
        by=by,
        population=len(accepted),
        groups={name: dict(Counter(each.groups[name] for each in accepted.values())) for name in GROUPINGS},
        letters=tuple(accepted[letter_id] for letter_id in chosen),
    )
    with whole_file(folder / FILE) as file:
        for each in (*known, audit):
            file.write(json.dumps(asdict(each)).encode() + b"\n")
    return audit


def audits(folder: Path) -> list[Audit]:
    """The audits of a run folder, oldest first. Raises ``LedgerError`` if their file is damaged."""
    refuse_odd_files(folder)
    path = folder / FILE
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"cannot read {path}: {error.strerror}", hint="make it readable") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(Audit.from_dict(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"line {number} of {path} is not a sample of an audit", hint="restore the file from a copy"
            ) from error
    return found


def _groups(record: Record) -> dict[str, str]:
    folder, _, name = record.letter_id.rpartition("/")
    found = {"form": record.form, "model": record.model, "prompt": record.prompt, "folder": folder if name else ""}
    return {name: found[name] or "none" for name in GROUPINGS}


# ---- one letter ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judgment:
    """What an audit found on one letter.

    ``wrong``: paths of values the auditor changed, each once, though not changed back. ``protected``: those of
    them where an error does the most harm. ``is_rejected``: the letter is wrong as a whole.
    """

    wrong: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    is_rejected: bool = False

    @property
    def is_right(self) -> bool:
        return not (self.wrong or self.is_rejected)


def audited(state: State, name: str) -> State:
    """A letter's state as its auditor sees it: nothing that was done outside the audit."""
    own = tuple(act for act in state.live if act.audit == name)
    return State(version=state.version, live=own, undone=state.undone)


def judgment(kind: LetterType, state: State, audit: Audit) -> Judgment | None:
    """What an audit found on a letter; ``None`` as long as it is not decided there.

    A value that someone corrected outside the audit after the sample was drawn was wrong, too.
    """
    own = audited(state, audit.name)
    decision = next((act for act in reversed(own.live) if act.act in (*DECISIONS, *CHANGES)), None)
    if decision is None or decision.act not in ("accept", "reject"):
        return None
    wrong = tuple(changed_paths([act for act in state.changes if act.audit == audit.name or act.at > audit.at]))
    protected = tuple(path for path in wrong if _is_protected(kind, path))
    return Judgment(wrong, protected, decision.act == "reject")


def verdict(kind: LetterType, state: State, samples: Sequence[Audit], record: Record) -> str | None:
    """``right`` or ``wrong``, by the latest audit that judged a record's present answer; else ``None``."""
    for audit in reversed(samples):
        if audit.letter_type == kind.name and audit.answers.get(record.letter_id) == answer_sha256(record):
            found = judgment(kind, state, audit)
            if found:
                return "right" if found.is_right else "wrong"
    return None


def _is_protected(kind: LetterType, path: str) -> bool:
    """Whether a changed value is protected, or a record that was added or removed holds one that is."""
    names = field_path(path)
    return kind.is_protected(path) or any(is_within(f"/{each}", f"/{names}") for each in kind.protected)
