"""Letterproof: folders of messy letters in, strict records out, every value pointing at the words that prove it.

Everything here is loaded when it is first used, so ``import extractor`` takes no time. See docs/python.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.api import Extractor as Extractor
    from extractor.errors import CassetteError as CassetteError
    from extractor.errors import ExtractorError as ExtractorError
    from extractor.errors import IncompleteRunError as IncompleteRunError
    from extractor.errors import LetterError as LetterError
    from extractor.errors import ModelError as ModelError
    from extractor.errors import TransportError as TransportError
    from extractor.errors import UsageError as UsageError
    from extractor.evaluation.bench import Bench as Bench
    from extractor.evaluation.compare import Comparison as Comparison
    from extractor.letters.letter import Letter as Letter
    from extractor.letters.letter import letter_from_text as letter_from_text
    from extractor.letters.single import letter_from_bytes as letter_from_bytes
    from extractor.letters.single import read_letter as read_letter
    from extractor.letters.spans import Span as Span
    from extractor.lettertypes.declaration import letter_type as letter_type
    from extractor.lettertypes.findings import Finding as Finding
    from extractor.lettertypes.findings import Withheld as Withheld
    from extractor.lettertypes.lettertype import LetterType as LetterType
    from extractor.lettertypes.marks import TextMark as TextMark
    from extractor.lettertypes.reading import Reading as Reading
    from extractor.models.limits import Bounds as Bounds
    from extractor.runs.answers import CheckedAnswer as CheckedAnswer
    from extractor.runs.bill import Bill as Bill
    from extractor.runs.bulk import Forecast as Forecast
    from extractor.runs.bulk import Merged as Merged
    from extractor.runs.bulk import Options as Options
    from extractor.runs.bulk import Selection as Selection
    from extractor.runs.bulk import Summary as Summary
    from extractor.runs.bulk import merge_runs as merge_runs
    from extractor.runs.export import Written as Written
    from extractor.runs.record import Attempt as Attempt
    from extractor.runs.record import Evidence as Evidence
    from extractor.runs.record import Failure as Failure
    from extractor.runs.record import Record as Record
    from extractor.runs.record_lines import read_records as read_records
    from extractor.runs.run_state import RunState as RunState
    from extractor.runs.stream import RecordStream as RecordStream
    from extractor.workspace.second import SecondModel as SecondModel
    from extractor.workspace.session import PlanSpec as PlanSpec

# Where each public name lives.
_HOMES = {
    "Attempt": "extractor.runs.record",
    "Bench": "extractor.evaluation.bench",
    "Bill": "extractor.runs.bill",
    "Bounds": "extractor.models.limits",
    "CassetteError": "extractor.errors",
    "CheckedAnswer": "extractor.runs.answers",
    "Comparison": "extractor.evaluation.compare",
    "Evidence": "extractor.runs.record",
    "Extractor": "extractor.api",
    "ExtractorError": "extractor.errors",
    "Failure": "extractor.runs.record",
    "Finding": "extractor.lettertypes.findings",
    "Forecast": "extractor.runs.bulk",
    "IncompleteRunError": "extractor.errors",
    "Letter": "extractor.letters.letter",
    "LetterError": "extractor.errors",
    "LetterType": "extractor.lettertypes.lettertype",
    "Merged": "extractor.runs.bulk",
    "ModelError": "extractor.errors",
    "Options": "extractor.runs.bulk",
    "PlanSpec": "extractor.workspace.session",
    "Reading": "extractor.lettertypes.reading",
    "Record": "extractor.runs.record",
    "RecordStream": "extractor.runs.stream",
    "RunState": "extractor.runs.run_state",
    "SecondModel": "extractor.workspace.second",
    "Selection": "extractor.runs.bulk",
    "Span": "extractor.letters.spans",
    "Summary": "extractor.runs.bulk",
    "TextMark": "extractor.lettertypes.marks",
    "TransportError": "extractor.errors",
    "UsageError": "extractor.errors",
    "Withheld": "extractor.lettertypes.findings",
    "Written": "extractor.runs.export",
    "letter_from_bytes": "extractor.letters.single",
    "letter_from_text": "extractor.letters.letter",
    "letter_type": "extractor.lettertypes.declaration",
    "merge_runs": "extractor.runs.bulk",
    "read_letter": "extractor.letters.single",
    "read_records": "extractor.runs.record_lines",
}

__all__ = [
    "Attempt",
    "Bench",
    "Bill",
    "Bounds",
    "CassetteError",
    "CheckedAnswer",
    "Comparison",
    "Evidence",
    "Extractor",
    "ExtractorError",
    "Failure",
    "Finding",
    "Forecast",
    "IncompleteRunError",
    "Letter",
    "LetterError",
    "LetterType",
    "Merged",
    "ModelError",
    "Options",
    "PlanSpec",
    "Reading",
    "Record",
    "RecordStream",
    "RunState",
    "SecondModel",
    "Selection",
    "Span",
    "Summary",
    "TextMark",
    "TransportError",
    "UsageError",
    "Withheld",
    "Written",
    "letter_from_bytes",
    "letter_from_text",
    "letter_type",
    "merge_runs",
    "read_letter",
    "read_records",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'extractor' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
