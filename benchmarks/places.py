"""What declared places add: planted mistakes that are caught with the schema and quotes alone, and with places.

    python -m benchmarks.places [LETTERS...]

Every mistake that the schema makes possible is planted in the gold of ``bva`` (and in the readings of further
letters), as a quoted prompt would bring it: each other value with its true quote, the wrong one with words that
do say it elsewhere in the letter, or else with the true value's own. It is checked against three readings: one
that knows no place, one with the sections and what stands behind labels, and the full one. The first two are
the full reading with the rest taken out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from extractor.evaluation.bench import Bench
from extractor.evaluation.scores.planted import identity, mistakes_in, verdict_on
from extractor.evaluation.scores.planted_quotes import Quotes, stated_leaf, true_quotes, wrong_quote
from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.lettertype import LetterType, Mistake
from extractor.lettertypes.places import After, Agreeing, Place
from extractor.lettertypes.reading import Block, Reading
from extractor.pointers import value_at
from extractor.validator.checks import Verdict
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Count:
    """``caught``: a new error; ``silent``: no new finding of any kind; ``blamed``: errors on true answers."""

    planted: int = 0
    caught: int = 0
    silent: int = 0
    blamed: int = 0


def without_places(letter_type: LetterType, reading: Reading) -> Reading:
    """The reading of a type that declares what proves its leaves, and no place."""
    return replace(reading, root=Block(Span(0, len(reading.letter.text))), oddities=())


def with_labels(letter_type: LetterType, reading: Reading) -> Reading:
    """The reading of a type that declares its headings, and of its places only those behind labels."""
    return replace(reading, root=_labelled(letter_type.schema, reading.root))


def as_it_is(letter_type: LetterType, reading: Reading) -> Reading:
    """The reading by all places."""
    return reading


LEVELS = {"no place": without_places, "headings and labels": with_labels, "all places": as_it_is}


def _labelled(schema: type[BaseModel], block: Block) -> Block:
    specs = {spec.name: spec for spec in fields_of(schema)}
    facts = {name: fact for name, fact in block.facts.items() if _is_label(specs[name].place)}
    groups = {
        name: [_labelled(specs[name].model, inner) for inner in blocks]  # type: ignore[arg-type]
        for name, blocks in block.blocks.items()
        if specs[name].kind == "group"
    }
    return replace(block, facts=facts, blocks=groups)


def _is_label(place: Place | None) -> bool:
    return isinstance(place, After) or (
        isinstance(place, Agreeing) and all(isinstance(inner, After) for inner in place.places)
    )


def quotes_for(
    letter_type: LetterType, letter: Letter, answer: Mapping[str, Any], mistake: Mistake, verdict: Verdict
) -> Quotes:
    """What a model that makes this mistake would quote."""
    schema, path = letter_type.schema, mistake.paths[0]
    true = true_quotes(schema, letter, verdict.evidence)
    leaf = stated_leaf(schema, path)
    if leaf is None:
        return dict(_moved(answer, mistake.answer, true))
    if value_at(mistake.answer, path) in (None, [], False):
        return {where: words for where, words in true.items() if where != path}
    evidence = verdict.evidence.get(path)
    words = wrong_quote(schema, letter, mistake, leaf, evidence[0].start if evidence else 0) or true.get(path)
    return {**true, **({path: words} if words else {})}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], quotes: Quotes) -> Iterator[tuple[str, str]]:
    """The quotes of records that were moved, doubled or left out, at the records' new places."""
    moved: dict[str, list[str]] = {}
    for name, records in after.items():
        if isinstance(records, list) and records and isinstance(records[0], dict):
            for i, record in enumerate(records):
                old = next((j for j, one in enumerate(before[name]) if one == record), None)
                if old is not None:
                    moved.setdefault(f"/{name}/{old}/", []).append(f"/{name}/{i}/")
    for path, words in quotes.items():
        prefix = "/".join(path.split("/")[:3]) + "/"
        if path.count("/") < 3 or not prefix.split("/")[2].isdigit():
            yield path, words
        for new in moved.get(prefix, ()):
            yield path.replace(prefix, new, 1), words


def measure(letter_type: LetterType, answers: list[tuple[Letter, Mapping[str, Any]]]) -> dict[str, Count]:
    """The counts of each level over all answers."""
    counts = {level: Count() for level in LEVELS}
    for letter, answer in answers:
        full = letter_type.read(letter)
        verdict = verdict_on(letter_type, answer, full)
        true = true_quotes(letter_type.schema, letter, verdict.evidence)
        planted = [
            (mistake, quotes_for(letter_type, letter, answer, mistake, verdict))
            for _, mistake in mistakes_in(letter_type, letter_type.planters, answer, full)
        ]
        for level, reduced in LEVELS.items():
            reading, count = reduced(letter_type, full), counts[level]
            untouched = verdict_on(letter_type, answer, reading, true).findings
            known = {identity(finding) for finding in untouched}
            count.blamed += sum(f.severity == "error" and f.blame == "answer" for f in untouched)
            for mistake, quotes in planted:
                found = verdict_on(letter_type, mistake.answer, reading, quotes).findings
                new = [finding for finding in found if identity(finding) not in known]
                count.planted += 1
                count.silent += not new
                count.caught += any(f.severity == "error" and f.blame != "letter" for f in new)
    return counts


def main() -> None:
    """Print the table."""
    bench = Bench.of_workspace(Workspace(ROOT), "bva", "gold")
    answers = bench.true_answers([Path(word) for word in sys.argv[1:]], print)
    print(f"{len(answers)} correct answers, {len(bench.golds)} of them gold.\n")
    print("| declared | planted | caught | pass without any finding | errors blamed on correct answers |")
    print("|---|--:|--:|--:|--:|")
    for level, count in measure(bench.letter_type, list(answers)).items():
        caught, silent = (f"{100 * part / count.planted:.1f} %" for part in (count.caught, count.silent))
        print(f"| {level} | {count.planted:,} | {caught} | {silent} | {count.blamed} |")


if __name__ == "__main__":
    main()
