"""Other systems' checks behind one small interface; one that is not installed is named and skipped.

Each gets the values of an answer in the form that suits it best: dates for langextract as the letter
prints them, page ranges as text, values in the order of the letter's parts. Names of
classes that no letter prints (``basis``, ``source``, ``treatment_category``, ``reason``) are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from importlib import metadata
from typing import Any, Protocol
from unittest import mock

Answer = Mapping[str, Any]

_CLASSES = frozenset({"basis", "source", "treatment_category", "reason"})
# Within a decision's rationale: the pages it names and the quoted ground come before the closing verdict.
_LATE = ("reason_quote", "rationale_pages", "verdict")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


class Peer(Protocol):
    """One way to hold an answer's values against a letter."""

    name: str

    def prepared(self, answer: Answer, text: str) -> Any:
        """The answer in this peer's form; not timed."""

    def run(self, prepared: Any, text: str) -> Any:
        """The whole check of one answer; timed."""

    def ungrounded(self, answer: Answer, text: str) -> Counter[str]:
        """The values that it does not ground, each with its grade."""

    def values(self, answer: Answer, text: str) -> int:
        """How many values it is given."""


def printable(answer: Any) -> Any:
    """The answer without the names of classes, and with each record's values in the letter's order."""
    if isinstance(answer, Mapping):
        names = sorted(answer, key=lambda name: _LATE.index(name) + 1 if name in _LATE else 0)
        return {name: printable(answer[name]) for name in names if name not in _CLASSES}
    if isinstance(answer, list):
        return [printable(one) for one in answer]
    return answer


def _strings(value: Any, text: str, mark: str = "-") -> Iterator[str]:
    """Every value as a string a letter may hold, in order; null holds none."""
    if isinstance(value, Mapping) and set(value) == {"first", "last"}:
        yield str(value["first"]) if value["first"] == value["last"] else f"{value['first']}-{value['last']}"
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _strings(one, text, "/" if name == "header" else mark)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, text, mark)
    elif isinstance(value, str) and _ISO.fullmatch(value):
        yield _as_printed(date.fromisoformat(value), text, mark)
    elif value is not None:
        yield str(value)


def _as_printed(day: date, text: str, mark: str) -> str:
    """The spelling that this letter uses for a date, ``mark`` tried first; if it holds none, the first."""
    spellings = [f"{day:%B} {day.day}, {day.year}"]
    for sign in {mark: 1, "/": 1, "-": 1}:
        spellings += [
            f"{month}{sign}{number}{sign}{year}"
            for month, number in ((f"{day:%m}", f"{day:%d}"), (day.month, day.day))
            for year in (day.year, f"{day:%y}")
        ]
    held = (one for one in spellings if re.search(rf"(?<!\d){re.escape(one)}(?!\d)", text))
    return next(held, spellings[1])


class Langextract:
    """langextract's ``WordAligner``: a value is grounded if it is given any span."""

    def __init__(self, *, exact: bool) -> None:
        from langextract.core.data import Extraction
        from langextract.resolver import WordAligner

        self.name = "langextract " + ("exact" if exact else "default")
        self._extraction: Callable[..., Any] = Extraction
        self._aligner: Callable[[], Any] = WordAligner
        self._settings = {"enable_fuzzy_alignment": False, "accept_match_lesser": False} if exact else {}

    def prepared(self, answer: Answer, text: str) -> list[Any]:
        return [self._extraction("value", one) for one in _strings(printable(answer), text)]

    def run(self, prepared: list[Any], text: str) -> list[Any]:
        groups = self._aligner().align_extractions([prepared], text, **self._settings)
        return [one for group in groups for one in group]

    def ungrounded(self, answer: Answer, text: str) -> Counter[str]:
        aligned = self.run(self.prepared(answer, text), text)
        return Counter(one.extraction_text for one in aligned if one.char_interval is None)

    def values(self, answer: Answer, text: str) -> int:
        return len(self.prepared(answer, text))


class Llmground:
    """llmground's ``verify``: a value is grounded if its verdict is; ``weak`` and ``ungrounded`` are not.

    In the planted runs, which are not timed, two things save hours: its verdict on a value depends on
    that value and the text alone, so one value is verified once; and its search for the most similar
    words, which only parts ``weak`` from ``ungrounded``, is left out.
    """

    name = "llmground"

    def __init__(self) -> None:
        from llmground import matchers, verify

        self._verify: Callable[[Any, str], Any] = partial(verify, day_first=False)
        self._matchers = matchers
        self._known: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def prepared(self, answer: Answer, text: str) -> Any:
        return printable(answer)

    def run(self, prepared: Any, text: str) -> Any:
        return self._verify(prepared, text)

    def ungrounded(self, answer: Answer, text: str) -> Counter[str]:
        bad: Counter[str] = Counter()
        with mock.patch.object(self._matchers, "_best_fuzzy_window", return_value=None):
            for name, value in _leaves(printable(answer)):
                key = (name, repr(value), text)
                if key not in self._known:
                    results = self._verify({name: value}, text).results
                    self._known[key] = tuple(str(r.value) for r in results if r.verdict.value in ("weak", "ungrounded"))
                bad.update(self._known[key])
        return bad

    def values(self, answer: Answer, text: str) -> int:
        return sum(value is not None for _, value in _leaves(printable(answer)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name, value


_PEERS: dict[str, tuple[str, Callable[[], Peer]]] = {
    "langextract default": ("langextract", lambda: Langextract(exact=False)),
    "langextract exact": ("langextract", lambda: Langextract(exact=True)),
    "llmground": ("llmground", Llmground),
}


def installed() -> tuple[list[Peer], list[str]]:
    """The peers that can be run here, and a line about each: its version, or that it is missing."""
    peers: list[Peer] = []
    notes: list[str] = []
    for name, (package, make) in _PEERS.items():
        try:
            peers.append(make())
        except ImportError:
            notes.append(f"{name}: skipped, {package} is not installed")
        else:
            notes.append(f"{name}: {package} {metadata.version(package)}")
    return peers, notes
