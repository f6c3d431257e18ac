"""A verdict: the evidence for an answer, the findings on it, and how strongly each leaf is proven."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding, ProofLevel, Withheld

PROOF_LEVELS: dict[ProofLevel, str] = {
    "place+quote": "The reader reads the same value at its place, and the model's quote proves it too.",
    "place": "The reader reads the same value at its place in the letter.",
    "quote": "The words the model quotes are in place and give the value; the reader has no view, or an uncertain one.",
    "words": "The value's own words are in the right part of the letter; no reader confirms them.",
    "judged": "The quote it rests on is in the letter; the judgment itself is the model's.",
    "nothing": "Nothing in the letter was found that proves it.",
}


@dataclass
class Verdict:
    """What checking one answer gives.

    ``evidence``: raw spans by JSON pointer. ``findings``: in the answer's order. ``proof``: the level
    of each leaf, and of each list of records. ``withheld``: by JSON pointer, values taken out of the
    answer.
    ``in_place``: by JSON pointer, where a value that is not what the reader reads is printed in its own section.
    """

    evidence: dict[str, list[Span]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    proof: dict[str, ProofLevel] = field(default_factory=dict)
    withheld: dict[str, Withheld] = field(default_factory=dict)
    in_place: dict[str, list[Span]] = field(default_factory=dict)
