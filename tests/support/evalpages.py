"""Runs with whole records (answers, evidence, findings), scored by the real scorer, for tests of the HTML report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

from extractor.evaluation.compare import compare
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.reports.html import render_compare, render_run
from extractor.evaluation.scored_run import Run, scored
from extractor.letters.letter import Letter, LetterFile
from extractor.lettertypes.evidence import Covers, Scored, Stated, StrictModel, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import nothing_read
from extractor.runs.record import Record as LetterRecord
from tests.support.evals import ABOUT


class Range(StrictModel):
    first: int
    last: int


class Parcel(StrictModel):
    number: Annotated[str, Verbatim(within="line", whole=True)]
    state: Annotated[str, Verbatim(within="line")]
    pages: Annotated[list[Range], Stated(within="line"), Scored("ranges")]


class Note(StrictModel):
    carrier: Annotated[str | None, Verbatim(within="note", whole=True)]
    marks: Annotated[list[str], Verbatim(within="note", whole=True)]
    parcels: Annotated[list[Parcel], Covers(key="number")]


NOTE = LetterType(
    name="toy",
    schema=Note,
    read=lambda letter: nothing_read(letter, "no reader"),
    protected=frozenset({"parcels/state", "parcels/pages"}),
)

Answer = dict[str, Any]


def note(*parcels: tuple[str, str, str], carrier: str | None = "Blue Van", marks: Iterable[str] = ()) -> Answer:
    """An answer; parcels are (number, state, pages like ``3-4``)."""
    return {
        "carrier": carrier,
        "marks": list(marks),
        "parcels": [{"number": n, "state": s, "pages": [*_ranges(pages)]} for n, s, pages in parcels],
    }


def _ranges(pages: str) -> Iterator[dict[str, int]]:
    for each in pages.split():
        first, _, last = each.partition("-")
        yield {"first": int(first), "last": int(last or first)}


def text_of(answer: Answer) -> str:
    """A letter that states the answer's values."""
    lines = [f"PARCEL NOTE of {answer['carrier'] or 'nobody'}", *answer["marks"]]
    for parcel in answer["parcels"]:
        pages = ", ".join(f"{each['first']}-{each['last']}" for each in parcel["pages"])
        lines.append(f"PARCEL {parcel['number']}: {parcel['state']}, pages {pages or 'none'}")
    return "\n".join(lines) + "\n"


def gold(letter_id: str, answer: Answer, text: str | None = None, **more: Any) -> Gold:
    letter = Letter(letter_id, text_of(answer) if text is None else text)
    more.setdefault("reviewed", [{"role": "test author", "date": "2026-01-02"}])
    return Gold(LetterFile(letter_id, Path(f"{letter_id}.txt")), letter, answer, **more)


def run(
    golds: Iterable[Gold], answers: Mapping[str, Answer | None], *, missing: Iterable[str] = (), **about: Any
) -> Run:
    """A run in which letters get these answers, the others the right one; ``None`` is no valid answer."""
    golds = list(golds)
    records = [
        _record(each, answers.get(each.letter.id, each.answer)) for each in golds if each.letter.id not in set(missing)
    ]
    return scored(NOTE, golds, records, {**ABOUT, "gold": {each.letter.id: each.sha256 for each in golds}, **about})


def _record(true: Gold, answer: Answer | None) -> LetterRecord:
    failed = answer is None
    text = true.letter.text
    findings = [_finding(path, text) for path, value in _leaves(answer or {}) if str(value) not in text]
    usage = {"input_tokens": 1200, "output_tokens": None}
    record = {
        "letter_type": "note",
        "letter_id": true.letter.id,
        "letter_sha256": true.letter.sha256,
        "status": "failed" if failed else "needs_review" if findings else "accepted",
        "answer": answer,
        "evidence": {path: [_span(text, str(value))] for path, value in _leaves(answer or {}) if str(value) in text},
        "findings": findings,
        "attempts": [{"usage": usage, "finish": "stop", "transport_tries": 1, "findings": 0, "errors": len(findings)}],
        "usage": usage,
        "cost_usd": None,
        "error": {"code": "refused", "message": "the model refused"} if failed else None,
    }
    return LetterRecord.from_dict(record)


def _leaves(answer: Answer) -> Iterator[tuple[str, Any]]:
    if answer.get("carrier"):
        yield "/carrier", answer["carrier"]
    for i, parcel in enumerate(answer.get("parcels", [])):
        yield f"/parcels/{i}/number", parcel["number"]
        yield f"/parcels/{i}/state", parcel["state"]


def _finding(path: str, text: str) -> dict[str, Any]:
    start = text.find("PARCEL")
    return {
        "code": "not_in_text",
        "path": path,
        "severity": "error",
        "blame": "answer",
        "message": "these words are not there",
        "expected": None,
        "got": None,
        "span": {"start": start, "end": start + len("PARCEL")} if start >= 0 else None,
    }


def _span(text: str, words: str) -> dict[str, Any]:
    start = text.index(words)
    return {"start": start, "end": start + len(words), "letter_page": None, "text": words}


# ---- a small comparison in which every kind of thing happens --------------------------------------


def letters(count: int) -> list[Gold]:
    """Letters ``l00``, ``l01``, ... of two parcels each."""
    return [
        gold(f"l{i:02}", note(("12", "delivered", "3-4 9"), ("13", "lost", ""), marks=["fragile"]))
        for i in range(count)
    ]


def spoilt(
    state: str = "delivered",
    pages: str = "3-4 9",
    carrier: str | None = "Blue Van",
    marks: tuple[str, ...] = ("fragile",),
) -> Answer:
    """The answer to one of ``letters``, with something else in it."""
    return note(("12", state, pages), ("13", "lost", ""), carrier=carrier, marks=marks)


def two_runs(count: int = 8) -> tuple[list[Gold], Run, Run]:
    """Run B corrects most of A's mistakes and breaks a protected value of the last letter; ``l01`` has no answer in A."""
    golds = letters(count)
    wrong: dict[str, Answer | None] = {each.letter.id: spoilt("burnt", carrier="Red Van") for each in golds[:-1]}
    a = run(golds, {**wrong, "l01": None}, prompt="toy@v1")
    b = run(golds, {"l00": spoilt("lost"), golds[-1].letter.id: spoilt(pages="3-4", marks=())}, prompt="toy@v2")
    return golds, a, b


def compare_page(golds: Iterable[Gold], a: Run, b: Run) -> str:
    golds = list(golds)
    texts = {each.letter.id: each.letter.text for each in golds}
    return render_compare(compare(a, b, NOTE.is_protected), a, b, texts, {each.letter.id: each for each in golds})


def run_page(golds: Iterable[Gold], one: Run) -> str:
    golds = list(golds)
    return render_run(
        one, {each.letter.id: each.letter.text for each in golds}, {each.letter.id: each for each in golds}
    )


# ---- reading a page -------------------------------------------------------------------------------


class Page(HTMLParser):
    """A page as its elements: (tag, attributes, text inside)."""

    VOID = frozenset({"meta", "wbr", "col", "input", "br", "line", "circle", "rect"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()
        self.unclosed += [self.elements[i][0] for i in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in self.VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self.elements[self._open[-1]][0] != tag:
            self.unclosed.append(tag)
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        inner = self.elements[self._open[-1]][0] if self._open else ""
        for i in self._open[-1:] if inner in ("style", "script") else self._open:
            self.elements[i][2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str | None], str]]:
        """Attributes and text of every element of this name that has these attributes."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            (found, "".join(text))
            for name, found, text in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def words(self, tag: str, **attributes: str) -> list[str]:
        """Text of the same, blanks made single."""
        return [" ".join(text.split()) for _, text in self.all(tag, **attributes)]
