"""Findings on the letter itself, whatever the answer says: how its file was read, and what is odd in its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.validator.oddities import odd_places, speaks_to_machines

# Tesseract's confidence in a word. Of the wrong words measured in headings and page lists nearly all lie below.
SURE = 92.0


def noticed(reading: Reading) -> list[Finding]:
    """What is odd in the letter's text, and what was noticed when its file was read."""
    return [
        *(
            Finding(odd.code, "", odd.severity, "letter", odd.message, span=odd.span)
            for odd in (*odd_places(reading.letter), *reading.oddities)
        ),
        *_noted(reading.letter),
    ]


def _noted(letter: Letter) -> Iterator[Finding]:
    for note in letter.notes:
        yield Finding(note.code, "", note.severity, "unclear", note.message, span=note.span)
        if note.words and speaks_to_machines(note.words):
            message = "words that the file hides speak to the machine that reads it"
            yield Finding("odd_instruction", "", "error", "letter", message, span=note.span)


def guessed(letter_type: LetterType, letter: Letter, evidence: Mapping[str, Sequence[Span]]) -> Iterator[Finding]:
    """Protected leaves that rest on words of which OCR was not sure: nothing else can tell such a misreading."""
    if not letter.was_guessed:
        return
    for path, spans in evidence.items():
        told = ((letter.confidence(span), span) for span in spans if letter_type.is_protected(path))
        doubts = [(sure, span) for sure, span in told if sure is not None and sure < SURE]
        if doubts:
            sure, span = min(doubts)
            message = f"OCR is only {sure:.0f} % sure of a word that this value rests on; compare it with the page"
            yield Finding("unsure_value", path, "error", "unclear", message, span=span)
