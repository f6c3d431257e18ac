"""Findings on the letter itself, independent of the answer: how its file was read, and suspicious text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.injection import is_instruction
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.validator.suspicious_text import suspicious_places

# Tesseract's confidence in a word. Of the wrong words measured in headings and page lists nearly all lie below.
SURE = 92.0


def findings_on_letter(letter_type: LetterType, reading: Reading) -> list[Finding]:
    """What is suspicious in the letter's text, and what happened when its file was read."""
    suspicious = (*suspicious_places(reading.letter, letter_type.enum_values), *reading.oddities)
    return [
        *(Finding(odd.code, "", odd.severity, "letter", odd.message, span=odd.span) for odd in suspicious),
        *_file_notes(reading.letter, letter_type.enum_values),
    ]


def _file_notes(letter: Letter, values: tuple[str, ...]) -> Iterator[Finding]:
    for note in letter.notes:
        yield Finding(note.code, "", note.severity, "unclear", note.message, span=note.span)
        if note.words and is_instruction(note.words, values):
            message = "words hidden in the file address the machine that reads it"
            yield Finding("odd_instruction", "", "error", "letter", message, span=note.span)


def unsure_words(letter_type: LetterType, letter: Letter, evidence: Mapping[str, Sequence[Span]]) -> Iterator[Finding]:
    """Protected leaves that rest on words of which OCR was not sure: no other check can detect such a misreading."""
    if not letter.was_guessed:
        return
    for path, spans in evidence.items():
        if not letter_type.is_protected(path):
            continue
        known = ((letter.confidence(span), span) for span in spans)
        doubtful = [(sure, span) for sure, span in known if sure is not None and sure < SURE]
        if doubtful:
            sure, span = min(doubtful)
            message = f"OCR is only {sure:.0f} % sure of a word that this value rests on; compare it with the page"
            yield Finding("unsure_value", path, "error", "unclear", message, span=span)
