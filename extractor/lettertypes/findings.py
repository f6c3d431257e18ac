"""Findings of the validator, their codes, and the status that follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, WithJsonSchema
from pydantic_core import to_jsonable_python

from extractor.letters.spans import Span

Severity = Literal["error", "warning", "info"]
Blame = Literal["answer", "letter", "unclear"]
Status = Literal["accepted", "needs_review", "failed"]
# How a leaf was proven, strongest first.
ProofLevel = Literal["place+quote", "place", "quote", "words", "judged", "nothing"]

CODES: dict[str, str] = {
    "schema": "The reply is not a valid instance of the schema.",
    "too_long": "A text or a list is longer than its field holds, and was cut off.",
    "not_a_letter": "The text is not a letter of this type; nothing may be filled in.",
    "not_in_text": "The value's words are not in the part of the letter where they belong.",
    "value_differs": "The letter states another value in this value's place.",
    "null_but_stated": "The answer is null or empty, but the letter states a value.",
    "not_stated": "The answer gives a value where the letter states none.",
    "list_item_missing": "The letter lists something here that the answer leaves out.",
    "list_item_extra": "The answer lists something here that the letter does not.",
    "list_order": "The list has the right elements in another order than the letter.",
    "record_missing": "A part of the letter is claimed by no record of the answer.",
    "record_extra": "A record of the answer matches no part of the letter.",
    "record_doubled": "Two records of the answer claim the same part of the letter.",
    "record_order": "The records are in another order than the letter's parts.",
    "unclaimed": "A paragraph between two elements of a list is claimed by none of them.",
    "quote_too_short": "The quote is too short to prove anything.",
    "odd_characters": "The value holds invisible or disguised characters that the letter does not have there.",
    "quote_cut": "The quote is cut inside its sentence or name, or leaves out a negation right before it.",
    "quote_elsewhere": "The quote is not in its part of the letter, or does not give the value that rests on it.",
    "quote_missing": "A judgment is given without the words it rests on.",
    "judgement_missing": "Words are quoted for a judgment that is not given.",
    "unproven": "Nothing in the letter was found that proves the value, and nothing that makes it wrong.",
    "unread": "The reader could not read this place for certain; a person should look.",
    "other_text": "The record was made from another text of this letter.",
    "odd_instruction": "The letter's text addresses the machine that reads it.",
    "odd_markup": "The letter's text holds template or HTML markup.",
    "odd_control": "The letter's text holds control characters.",
    "odd_invisible": "The letter's text holds invisible characters, or characters that change its direction.",
    "odd_script": "A word of the letter mixes look-alike letters of several scripts.",
    "decoded_by_guess": "The letter's file does not declare its encoding; it was detected.",
    "mojibake": "Characters of the letter were saved in a wrong encoding earlier; each became two or three others.",
    "hidden_text": "The letter's file holds hidden words; they are left out of the text.",
    "pale_text": "Words of the letter's file are white or tiny; they are part of the text.",
    "redacted_text": "Words under black bars can still be read in the letter's file; they are left out of the text.",
    "tracked_changes": "The letter's file holds tracked changes: insertions are read, deletions are not.",
    "running_lines": "Page headers and footers of the letter's file are kept apart from its text.",
    "comment": "A comment or text box was added on top of a page of the letter's file.",
    "left_out": "Parts of the letter's file, or files beside it in a mail or archive, are not read.",
    "misnamed": "The letter's file is of another kind than its name suggests.",
    "attached": "Files are attached to the letter's PDF; each is a letter of its own.",
    "joined": "The letter's pages lie in several files.",
    "page_missing": "By the names of the letter's files, one of its pages is missing.",
    "split": "The letter's file holds several letters.",
    "unread_page": "A page of the letter is a picture that was not read.",
    "scanned_layer": "A page of the letter is a scan whose words were not verified.",
    "doubtful_text": "The words that a page of the letter carries do not look like prose.",
    "poor_scan": "A page of the letter is hard to read for OCR.",
    "turned_page": "A page of the letter was turned before it was read.",
    "unsure_digits": "OCR is not sure of these digits.",
    "unsure_value": "OCR is not sure of a word that a protected value rests on.",
    "from_reading": "The reading's value replaces a wrong answer, which is kept under `withheld`.",
    "models_agree": "Two models agree on a value printed in its place; the reader read another.",
    "correction_ignored": "A corrected value that was not asked for, or does not fit its field, was ignored.",
    "skeleton": "Only judgments and quotes are a model's; the deterministic reading filled the rest.",
    "skeleton_disputed": "The model disputes a row of the reading that it was given.",
    "wrapped": "The answer came in a code fence, or after reasoning or a byte order mark, which was removed.",
    "other_model": "The endpoint reports that a model other than the requested one answered.",
    "baseline": "The record was filled from the deterministic reading alone, without a language model.",
}


def plain(value: Any) -> Any:
    """``value`` as plain JSON data, by its type: dates as ISO strings, models and dataclasses as objects.

    Decimals become strings, as in the answer itself; what JSON has no form for becomes its text.
    """
    if value is None or type(value) in (str, int, bool):
        return value
    return _finite(to_jsonable_python(value, bytes_mode="base64", fallback=str))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become strings."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list) else value


def _span_as_json(span: Span | None) -> dict[str, int] | None:
    return {"start": span.start, "end": span.end} if span else None


SpanAsJson = Annotated[
    Span | None,
    PlainSerializer(_span_as_json),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"start": {"type": "integer"}, "end": {"type": "integer"}},
                    "required": ["start", "end"],
                    "additionalProperties": False,
                },
                {"type": "null"},
            ]
        },
        mode="serialization",
    ),
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, or one remark, of the validator.

    ``path`` is a JSON pointer into the answer. ``expected`` and ``got`` hold plain JSON values: whatever is
    given becomes its JSON form at once, so a finding can always be written. ``span`` is the place in the
    letter to look at. ``blame``: the answer disagrees with the text, the letter disagrees with itself, or
    the text leaves it open.
    """

    code: str
    path: str
    severity: Severity
    blame: Blame
    message: str
    expected: Any = None
    got: Any = None
    span: SpanAsJson = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "expected", plain(self.expected))
        object.__setattr__(self, "got", plain(self.got))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """A finding from plain JSON data. Raises ``KeyError`` or ``TypeError`` for data that is none."""
        span = data.get("span")
        return cls(**{**data, "span": Span(span["start"], span["end"]) if span else None})

    def as_dict(self) -> dict[str, Any]:
        """The finding in the form of a record's JSON."""
        return {
            "code": self.code,
            "path": self.path,
            "severity": self.severity,
            "blame": self.blame,
            "message": self.message,
            "expected": self.expected,
            "got": self.got,
            "span": _span_as_json(self.span),
        }


@dataclass(frozen=True, slots=True)
class Withheld:
    """A value the model gave and the record does not: ``code`` is the finding code that explains why."""

    value: Any
    code: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", plain(self.value))


def status_of(findings: Iterable[Finding]) -> Status:
    """``needs_review`` if any finding is an error, whoever is to blame; else ``accepted``."""
    return "needs_review" if any(finding.severity == "error" for finding in findings) else "accepted"


def worth_asking_again(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that asking the model again could correct: errors blamed on the answer."""
    return [finding for finding in findings if finding.severity == "error" and finding.blame == "answer"]
