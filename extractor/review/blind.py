"""Letters that two people review without sight of each other's acts: who agrees, and what then counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractor.review.log import CHANGES, DECISIONS, Act
from extractor.review.state import State, changed_paths, fold


@dataclass(frozen=True)
class Track:
    """What one person did on a letter in a blind review, once it is accepted or rejected there."""

    by: str
    state: State

    @property
    def outcome(self) -> str:
        """Equal for two people who decide alike and leave the same answer."""
        return json.dumps([self.state.decided, _effect(self.state.changes)], sort_keys=True)


def own_acts(acts: Sequence[Act], by: str) -> list[Act]:
    """The acts on a letter that a blind reviewer sees."""
    return [act for act in acts if act.blind and act.by == by]


def tracks(acts: Sequence[Act], answer_sha256: str) -> list[Track]:
    """The people who are done with a letter in a blind review, in the order in which they began."""
    names = dict.fromkeys(act.by for act in acts if act.blind)
    found = [Track(name, fold(own_acts(acts, name), answer_sha256)) for name in names]
    return [track for track in found if track.state.decided in ("accepted", "rejected")]


def settled(acts: Sequence[Act], answer_sha256: str) -> State:
    """The state of a letter that counts.

    An act that everybody sees goes before blind ones: it is the third one that settles a difference. Without one,
    two or more people who agree have decided; one person alone has not, nor have people who differ.
    """
    if not acts:  # most letters of a large queue
        return State()
    state = fold([act for act in acts if not act.blind], answer_sha256)
    done = tracks(acts, answer_sha256)
    if len(done) < 2:
        return state
    names = tuple(track.by for track in done)
    if any(act.act in (*DECISIONS, *CHANGES) for act in state.live):
        return replace(state, blind_by=names)
    if len({track.outcome for track in done}) == 1:
        return replace(state, live=done[0].state.live, blind_by=names, agreed=True)
    return replace(state, blind_by=names, differing=True)


def _effect(changes: Sequence[Act]) -> object:
    """What changes amount to: the values changed, without those that were changed back."""
    if any(act.act != "correct" for act in changes):
        return [[act.act, act.path, act.new] for act in changes]
    last = {act.path: act.new for act in changes}
    return {path: last[path] for path in changed_paths(changes)}
