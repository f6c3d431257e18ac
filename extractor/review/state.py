"""What follows from the log: a letter's review state and final answer. A fold over the log; nothing is stored."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.pointers import place_of
from extractor.review.log import CHANGES, DECISIONS, Act
from extractor.runs.record import Record

_PAST = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}


@dataclass(frozen=True)
class State:
    """The state of one letter after its acts.

    ``version`` counts all acts. ``live`` are those on the present answer that were not undone;
    ``stale`` those on an answer that the run has since replaced: displayed, never applied.
    ``blind_by``: two or more people who are done with the letter in a blind review; ``agreed``: they decided alike,
    which counts; ``differing``: they did not, and no third act has settled it.
    """

    version: int = 0
    live: tuple[Act, ...] = ()
    stale: tuple[Act, ...] = ()
    undone: frozenset[int] = field(default_factory=frozenset)
    blind_by: tuple[str, ...] = ()
    agreed: bool = False
    differing: bool = False

    @property
    def decision(self) -> Act | None:
        """The decision in force: the last one, unless a value was changed after it."""
        for act in reversed(self.live):
            if act.act in DECISIONS:
                return act
            if act.act in (*CHANGES, "evidence"):
                return None
        return None

    @property
    def decided(self) -> str:
        """``accepted``, ``rejected``, ``skipped`` or ``""``."""
        decision = self.decision
        return _PAST[decision.act] if decision else ""

    @property
    def left_open(self) -> tuple[Mapping[str, str], ...]:
        """Errors of the answer that were left when the letter was accepted."""
        decision = self.decision
        return decision.open_errors if decision and decision.act == "accept" else ()

    @property
    def changes(self) -> tuple[Act, ...]:
        """Corrections of values, in order."""
        return tuple(act for act in self.live if act.act in CHANGES)

    @property
    def filled(self) -> bool:
        """Whether a person put an answer where there was none."""
        return any(act.act == "fill" for act in self.changes)

    @property
    def last(self) -> Act | None:
        """The act an undo would revert."""
        return self.live[-1] if self.live else None

    @property
    def by(self) -> tuple[str, ...]:
        """Who decided, or changed a value."""
        if self.agreed:
            return self.blind_by
        acts = [*self.changes, *([self.decision] if self.decision and self.decided != "skipped" else [])]
        return tuple(dict.fromkeys(act.by for act in acts))

    def evidence(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Spans that a person marked, by path; those of values that were changed since are gone."""
        found: dict[str, tuple[tuple[int, int], ...]] = {}
        for act in self.live:
            if act.act == "evidence":
                found[act.path] = act.spans
            elif act.act in CHANGES:
                _forget(found, act)
        return found

    def comments(self) -> dict[str, list[Act]]:
        """Comments by path, in order."""
        found: dict[str, list[Act]] = {}
        for act in self.live:
            if act.act == "comment":
                found.setdefault(act.path, []).append(act)
        return found


def _forget(found: dict[str, Any], act: Act) -> None:
    """Drop marks on a changed value, or in a list whose records have moved."""
    moved = act.path if act.act == "correct" else act.path.rpartition("/")[0]
    for path in [path for path in found if path == moved or path.startswith(f"{moved}/")]:
        del found[path]


def fold(acts: Sequence[Act], answer_sha256: str) -> State:
    """The state of a letter whose answer has this hash. An undo reverts the act it names."""
    undone = {act.undoes for act in acts if act.act == "undo" and act.undoes}
    kept = [act for act in acts if act.act != "undo" and act.number not in undone]
    return State(
        version=len(acts),
        live=tuple(act for act in kept if act.answer_sha256 == answer_sha256),
        stale=tuple(act for act in kept if act.answer_sha256 != answer_sha256),
        undone=frozenset(undone),
    )


def sha256_of(answer: Any) -> str:
    """Hex digest of an answer in canonical form."""
    return hashlib.sha256(json.dumps(answer, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def answer_sha256(record: Record) -> str:
    """Identifies the answer an act applies to; without an answer, the letter."""
    answer = record.answer
    return sha256_of({"letter_sha256": record.letter_sha256} if answer is None else answer)


def final_answer(answer: Any, acts: Iterable[Act]) -> Any:
    """The answer after corrections; ``answer`` itself is never touched."""
    final = copy.deepcopy(answer)
    for act in acts:
        if act.act == "fill":
            final = copy.deepcopy(act.new)
        elif act.act in CHANGES:
            change(final, act.act, act.path, act.new)
    return final


def changed_paths(changes: Sequence[Act]) -> list[str]:
    """The paths whose values differ after all changes."""
    first: dict[str, Act] = {}
    last: dict[str, Act] = {}
    for act in changes:
        first.setdefault(act.path, act)
        last[act.path] = act
    return [path for path, act in last.items() if act.act != "correct" or first[path].old != act.new]


def change(answer: Any, act: str, path: str, new: Any = None) -> Any:
    """Make one change in place; returns the value before. Raises ``LookupError`` if the path leads nowhere."""
    place, key = place_of(answer, path)
    if act == "add":
        place.insert(key, copy.deepcopy(new))
        return None
    old = place[key]
    if act == "remove":
        del place[key]
    else:
        place[key] = copy.deepcopy(new)
    return old
