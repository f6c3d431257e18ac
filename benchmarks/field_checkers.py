"""Published checkers of extracted values behind one interface: which values of an answer does each admit?

Each checker gets every non-null value of an answer in the form that suits it best: a date or page range as
the letter prints it, in the order of the letter's parts. Values that no letter prints (``basis``, ``source``,
``treatment_category``, ``reason``) are not given. A checker that is not installed is named and skipped:

    pip install langextract groundgate fieldproof llmground gtrex verifydoc

Each runs at its defaults and, where it has stricter settings, at the strictest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from typing import Any, Protocol

from benchmarks.peers import _CLASSES, _ISO, _as_printed, printable


@dataclass(frozen=True)
class PrintedValue:
    """One value of an answer: its JSON pointer, and the words in which the letter would print it."""

    path: str
    words: str
    is_number: bool = False


class Checker(Protocol):
    """One way to decide which values to trust."""

    name: str
    package: str
    cannot_express: str

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        """For each value, whether it would be used without a person looking."""
        ...


def printed_values(answer: Mapping[str, Any], text: str) -> list[PrintedValue]:
    """Every value that a letter prints, in the order of the letter's parts."""
    return list(_walk(printable(answer), "", text, "-"))


def _walk(value: Any, path: str, text: str, mark: str) -> Iterator[PrintedValue]:
    if isinstance(value, Mapping) and set(value) == {"first", "last"}:
        words = str(value["first"]) if value["first"] == value["last"] else f"{value['first']}-{value['last']}"
        yield PrintedValue(path, words, value["first"] == value["last"])
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name not in _CLASSES:
                yield from _walk(one, f"{path}/{name}", text, "/" if name == "header" else mark)
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _walk(one, f"{path}/{i}", text, mark)
    elif isinstance(value, str) and _ISO.fullmatch(value):
        yield PrintedValue(path, _as_printed(date.fromisoformat(value), text, mark))
    elif value is not None:
        yield PrintedValue(path, str(value), isinstance(value, int))


class LangextractChecker:
    """langextract's aligner: a value is admitted if it is given a span."""

    package = "langextract"
    cannot_express = "nulls, which record a value belongs to, which section, typed values"

    def __init__(self, *, strict: bool) -> None:
        from langextract.core.data import Extraction
        from langextract.resolver import WordAligner

        self.name = "langextract, exact only" if strict else "langextract"
        self._extraction: Callable[..., Any] = Extraction
        self._aligner: Callable[[], Any] = WordAligner
        self._settings = {"enable_fuzzy_alignment": False, "accept_match_lesser": False} if strict else {}

    def aligned(self, values: Sequence[PrintedValue], text: str) -> list[Any]:
        """The extractions with their character intervals."""
        group = [self._extraction("value", one.words) for one in values]
        return [one for found in self._aligner().align_extractions([group], text, **self._settings) for one in found]

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        return [one.char_interval is not None for one in self.aligned(values, text)]


class GroundgateChecker:
    """groundgate over langextract's spans, its documented way of use: a value is admitted if the outcome is."""

    package = "groundgate"
    cannot_express = "dates, lists of records, nulls, which section"

    def __init__(self, *, strict: bool) -> None:
        from groundgate import admit

        self._admit: Callable[..., Any] = admit
        self._aligner = LangextractChecker(strict=strict)
        self._policy = {"reanchor": False} if strict else None
        self.name = "groundgate, exact spans, no re-anchoring" if strict else "groundgate"

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        plain = unicodedata.normalize("NFC", text)
        candidates = []
        fields = {}
        for i, (value, found) in enumerate(zip(values, self._aligner.aligned(values, plain), strict=True)):
            fields[f"f{i}"] = {"type": "number" if value.is_number else "string"}
            candidate: dict[str, Any] = {"id": i, "field": f"f{i}", "value": value.words}
            if found.char_interval is not None:
                start, end = found.char_interval.start_pos, found.char_interval.end_pos
                at = len(plain[:start].encode())
                span = {"start": at, "end": at + len(plain[start:end].encode()), "text": plain[start:end]}
                candidate["evidence"] = [span]
            candidates.append(candidate)
        if not candidates:
            return []
        receipt = self._admit(plain, {"fields": fields}, candidates, self._policy)
        return [one.outcome == "admitted" for one in receipt.decisions]


class FieldproofChecker:
    """fieldproof's ``verify`` with each value as its own evidence quote: admitted if ``verified``."""

    name = package = "fieldproof"
    cannot_express = "nulls, which record, which section; a value printed twice is always for a person"

    def __init__(self) -> None:
        from fieldproof.document import BBox, Document, Page, Word
        from fieldproof.schemas.base import Evidenced
        from fieldproof.verify import verify
        from pydantic import BaseModel, create_model

        self._make_page = lambda words: Page(
            1, 612.0, 792.0, " ".join(words), list(_placed(words, lambda w, s, e: Word(w, BBox(s, 0, e, 1), s, e)))
        )
        self._document = Document
        self._evidenced: Any = Evidenced
        self._verify: Callable[..., Any] = verify
        self._model: Callable[..., type[BaseModel]] = create_model

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        document = self._document("letter", [self._make_page(text.split())])
        # The package parses a field as a date if "date" is in its name.
        names = [f"f{i}_date" if "date" in one.path.rsplit("/", 1)[-1] else f"f{i}" for i, one in enumerate(values)]
        model = self._model("Values", **dict.fromkeys(names, (self._evidenced[str], ...)))
        filled = {
            name: self._evidenced[str](value=one.words, evidence=[one.words])
            for name, one in zip(names, values, strict=True)
        }
        found = {field.path: field.status.value for field in self._verify(model(**filled), document).fields}
        return [found[name] == "verified" for name in names]


def _placed(words: Sequence[str], make: Callable[[str, int, int], Any]) -> Iterator[Any]:
    at = 0
    for word in words:
        yield make(word, at, at + len(word))
        at += len(word) + 1


class LlmgroundChecker:
    """llmground's ``verify``: admitted if ``grounded``; strictest is its default, fuzzy matches are weak."""

    name = package = "llmground"
    cannot_express = "nulls, which record, which section"

    def __init__(self) -> None:
        from llmground import verify

        self._verify: Callable[..., Any] = verify

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        return [
            all(r.verdict.value in ("grounded", "skipped") for r in self._verify({"v": one.words}, text).results)
            for one in values
        ]


class GtrexChecker:
    """gtrex's ``Verifier`` over each value as a quotation: admitted if grounded under the policy."""

    package = "gtrex"
    cannot_express = "values as such: it certifies quotations; nulls, which record, which section"

    def __init__(self, *, strict: bool) -> None:
        from gtrex import DEFAULT, STRICT, Verifier

        self._verifier: Callable[..., Any] = Verifier
        self._policy = STRICT if strict else DEFAULT
        self.name = "gtrex, STRICT" if strict else "gtrex"

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        verifier = self._verifier(text, self._policy)
        return [bool(verifier.verify(one.words).grounded) for one in values]


class VerifydocChecker:
    """verifydoc's grounding confidence against a threshold: 0.8 is its default, 1.0 the strictest."""

    package = "verifydoc"
    cannot_express = "nulls, which record, which section; it needs a calibration set to do its best"

    def __init__(self, *, strict: bool) -> None:
        from verifydoc.grounding import ground_predictions
        from verifydoc.types import Document, FieldPrediction, Page, Word

        self.name = "verifydoc, threshold 1.0" if strict else "verifydoc, threshold 0.8"
        self._threshold = 1.0 if strict else 0.8
        self._ground: Callable[..., Any] = ground_predictions
        self._prediction: Any = FieldPrediction
        self._make = lambda text: Document(
            doc_id="letter",
            pages=[
                Page(
                    page=0, width=1, height=1, text=text, words=[Word(text=w, bbox=(0, 0, 1, 1)) for w in text.split()]
                )
            ],
        )

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        predictions = [self._prediction(path=one.path, value=one.words) for one in values]
        grounded = self._ground(predictions, self._make(text))
        return [one.grounding is not None and one.grounding.support >= self._threshold for one in grounded]


_CHECKERS: tuple[tuple[str, Callable[[], Checker]], ...] = (
    ("langextract", lambda: LangextractChecker(strict=False)),
    ("langextract", lambda: LangextractChecker(strict=True)),
    ("groundgate", lambda: GroundgateChecker(strict=False)),
    ("groundgate", lambda: GroundgateChecker(strict=True)),
    ("fieldproof", FieldproofChecker),
    ("llmground", LlmgroundChecker),
    ("gtrex", lambda: GtrexChecker(strict=False)),
    ("gtrex", lambda: GtrexChecker(strict=True)),
    ("verifydoc", lambda: VerifydocChecker(strict=False)),
    ("verifydoc", lambda: VerifydocChecker(strict=True)),
)


def installed_checkers() -> tuple[list[Checker], list[str]]:
    """The checkers that can run here, and one line per package: its version, or that it is missing."""
    checkers: list[Checker] = []
    notes: dict[str, str] = {}
    for package, make in _CHECKERS:
        try:
            checkers.append(make())
        except ImportError:
            notes[package] = f"{package}: not installed, skipped"
        else:
            notes[package] = f"{package} {metadata.version(package)}"
    return checkers, list(notes.values())
