"""Reviewed letters as gold: pairs of a letter and the answer a person accepted, with who and when.

The reviewer saw a model's answer, so the gold names that model: it favors it, and is no substitute for
gold read from the letter alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import ExtractorError
from extractor.files import output_file
from extractor.letters.letter import Letter, LetterFile, letter_in
from extractor.lettertypes.lettertype import LetterType
from extractor.review import corrections
from extractor.review.letters import Letters
from extractor.review.reviews import Reviews
from extractor.review.state import State, final_answer
from extractor.runs.record import Record
from extractor.workspace.workspace import slug


@dataclass(frozen=True)
class Pair:
    """One accepted letter: ``written``, or the ``reason`` why not."""

    letter_id: str
    name: str
    reason: str = ""

    @property
    def written(self) -> bool:
        return not self.reason


def write_gold(
    records: Iterable[Record], reviews: Reviews, kind: LetterType, letters: Letters, to: Path, *, force: bool
) -> list[Pair]:
    """Write ``to/letters/NAME.txt`` and ``to/gold/NAME.json`` for every accepted letter.

    A letter is refused, with the reason, if its text is not available, if an error is left that is not the
    letter's own (``force`` lets it pass), or if gold of its name is there already: that is never overwritten.
    Raises ``UsageError`` if a file cannot be written.
    """
    found = []
    for record in records:
        state = reviews.state(record)
        if record.letter_type == kind.name and state.decided == "accepted":
            found.append(_pair(record, state, kind, letters, to, force=force))
    return found


def _pair(record: Record, state: State, kind: LetterType, letters: Letters, to: Path, *, force: bool) -> Pair:
    letter_id = record.letter_id
    name = slug(letter_id)
    letter, note = letters.get(record)
    if letter is None:
        return Pair(letter_id, name, note)
    answer = final_answer(record.answer, state.changes)
    findings = corrections.checked(kind, letter, record, answer).findings
    left = sorted({each.code for each in findings if each.severity == "error" and each.blame != "letter"})
    if left and not force:
        return Pair(letter_id, name, f"open errors: {', '.join(left)} (--force takes it all the same)")
    gold, text = to / "gold" / f"{name}.json", to / "letters" / f"{name}.txt"
    if gold.exists():
        return Pair(letter_id, name, "there is gold of this name already")
    if text.exists() and not _has_text_of(text, name, letter):
        return Pair(letter_id, name, "there is another letter of this name already")
    _write(text, letter.text.encode("utf-8", "surrogatepass"))
    if not _has_text_of(text, name, letter):
        text.unlink()
        return Pair(letter_id, name, "its text cannot be kept as a text file")
    _write(gold, (json.dumps(_gold(record, state, answer), ensure_ascii=False, indent=2) + "\n").encode())
    return Pair(letter_id, name)


def _gold(record: Record, state: State, answer: Any) -> dict[str, Any]:
    decision = state.decision
    assert decision is not None
    source = record.model, record.prompt
    saw = "the reader's reading" if state.filled else f"the answer of {', '.join(filter(None, source))}"
    people = {act.by: act.at for act in state.changes} | {decision.by: decision.at}
    if state.agreed:
        people = dict.fromkeys(state.blind_by, decision.at)
    role = "blind reviewer, agreed" if state.agreed else "resolver" if state.blind_by else "reviewer"
    reviewed = [{"role": role, "name": by, "date": at[:10], "saw": saw} for by, at in people.items()]
    if state.blind_by and not state.agreed:
        blind = ({"role": "blind reviewer", "name": by, "date": decision.at[:10], "saw": saw} for by in state.blind_by)
        reviewed = [*blind, *reviewed]
    comments = {path: [act.note for act in acts] for path, acts in state.comments().items()}
    corrected = list(dict.fromkeys(act.path or "/" for act in state.changes))
    left = [f"{each['code']} {each['path']}" for each in state.left_open]
    return {
        "reviewed": reviewed,
        **({"open_errors": left} if left else {}),
        **({"corrected": corrected} if corrected else {}),
        **({"comments": comments} if comments else {}),
        "debatable": {},
        "also_accepted": {},
        "answer": answer,
    }


def _has_text_of(path: Path, name: str, letter: Letter) -> bool:
    try:
        return letter_in(LetterFile(name, path)).sha256 == letter.sha256
    except ExtractorError:
        return False


def _write(path: Path, data: bytes) -> None:
    with output_file(path, "name another --to folder", parents=True) as file:
        file.write(data)
