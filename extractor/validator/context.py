"""What all leaves of one check share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Severity
from extractor.lettertypes.lettertype import LetterType
from extractor.validator.claims import Claims
from extractor.validator.verdict import Verdict


@dataclass(frozen=True)
class Unbound:
    """A list that the reader knows no parts for: the words that each of its elements takes of ``region``.

    ``whole``: its elements may be whole paragraphs. ``severity``: that of a paragraph between them that none takes.
    """

    path: str
    claims: Claims
    region: Span
    severity: Severity
    whole: bool = False


@dataclass(frozen=True)
class Context:
    """What all leaves of one check share.

    ``quotes``: by path, the words a stated value rests on; ``None`` where none were asked for.
    ``resting_on``: by the path of a judgment, the path of its quote.
    """

    letter_type: LetterType
    letter: Letter
    verdict: Verdict
    quotes: Mapping[str, str] | None = None
    resting_on: dict[str, str] = field(default_factory=dict)
    unbound: list[Unbound] = field(default_factory=list)
