"""Scanned letters: how much of them OCR reads wrongly, and how much of that reaches the IMR reader.

    python -m benchmarks.ingest_scans [--letters ID ...] [--only CONDITION ...]

Letters with gold are typeset to PDF, made into pictures, damaged in ways that scanners, copiers and
faxes damage them, and read again. What the IMR reader finds in the damaged letter is held against
what it finds in the letter's own text. Needs the extras `dev` and `ocr` and the program tesseract.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageFilter

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.letter import Letter, letter_from_text, letter_of
from extractor.letters.spans import fold
from extractor.letters.workers.processes import MAX_WORKERS, read_image, read_pdf
from extractor.lettertypes.findings import status_of
from extractor.models.offline import fill
from extractor.validator.checks import check
from extractor.workspace.workspace import Workspace
from tests.support import makepdf

ROOT = Path(__file__).resolve().parent.parent
LETTERS = ROOT / "eval" / "imr" / "letters"
IMR = Workspace(ROOT).letter_type("imr")
# Letters that are not about damaged text themselves.
CLEAN = (
    "all-overturned", "dwc-2014-000", "dwc-2014-001", "dwc-2014-002", "dwc-2014-003", "dwc-2014-004", "form-2013",
    "mixed-outcomes", "outcome-own-line", "pages-in-both", "partly-authorized", "twelve-decisions",
)  # fmt: skip
FOOTER = "Final Determination Letter for IMR Case Number CM14-0012347   {n}"


# Headings of one decision are at least so alike; those of a letter's decisions among each other are less.
_ALIKE = 0.8

# A damaged file and what reads it. Made in the main thread: the PDF library must not run in others.
File = tuple[Callable[[bytes, str], Document], bytes]


def _scan(dpi: int, damage: Callable[[Image.Image], Image.Image] = lambda image: image) -> Callable[[bytes], File]:
    return lambda pdf: (read_pdf, makepdf.scan_pdf([damage(page) for page in makepdf.pictures(pdf, dpi)], dpi))


def _blurred_jpeg(pdf: bytes) -> File:
    pages = [page.filter(ImageFilter.GaussianBlur(0.8)) for page in makepdf.pictures(pdf, 150)]
    return read_image, makepdf.tiff(pages, (150, 150), "jpeg")


def _very_bad_fax(pdf: bytes) -> File:
    pages = [page.resize((page.width * 62 // 100, page.height * 62 // 100)) for page in makepdf.pictures(pdf, 200)]
    pages = [makepdf.speckled(page, 0.02).point(lambda v: 255 * (v > 150)) for page in pages]
    return read_image, makepdf.tiff(pages, (124, 124))


CONDITIONS: Mapping[str, Callable[[bytes], File]] = {
    "born-digital": lambda pdf: (read_pdf, pdf),
    "200 dpi": _scan(200),
    "150 dpi": _scan(150),
    "100 dpi": _scan(100),
    "200 dpi, skewed 2 degrees": _scan(200, makepdf.skewed),
    "150 dpi, skewed 2 degrees": _scan(150, makepdf.skewed),
    "200 dpi, speckled": _scan(200, makepdf.speckled),
    "150 dpi, speckled": _scan(150, makepdf.speckled),
    "200 dpi, grain": _scan(200, makepdf.noisy),
    "200 dpi, copied twice": _scan(200, lambda page: makepdf.copied(makepdf.copied(page))),
    "200 dpi, faded": _scan(200, makepdf.faded),
    "200 dpi, upside down": _scan(200, lambda page: page.rotate(180)),
    "150 dpi, blurred, JPEG": _blurred_jpeg,
    "fax, fine (204 x 196)": lambda pdf: (read_image, makepdf.fax_tiff(pdf)),
    "fax, standard (204 x 98)": lambda pdf: (read_image, makepdf.fax_tiff(pdf, fine=False)),
    "fax, very bad": _very_bad_fax,
}


@dataclass
class Score:
    """What one condition did to all letters."""

    errors: int = 0
    characters: int = 0
    right: Counter[str] = field(default_factory=Counter)
    printed: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    silent: int = 0
    letters: int = 0
    accepted: int = 0
    poor: int = 0
    pages: int = 0
    unread: int = 0
    seconds: float = 0.0


# ---- what counts -------------------------------------------------------------------------------


class Record(NamedTuple):
    """What the offline model makes of a letter: heading, outcome and cited pages by decision, and the header's values.

    ``doubted`` are the paths that have a finding.
    """

    decisions: list[dict[str, Any]]
    header: dict[str, Any]
    status: str
    doubted: frozenset[str]


def record(letter: Letter) -> Record:
    """The record that a run with the offline model would write."""
    reading = IMR.read(letter)
    if not reading.recognized:
        return Record([], {}, "needs_review", frozenset())
    answer = fill(IMR.schema, reading.root)
    findings = check(IMR, answer, reading).findings
    values = answer.model_dump(mode="json")
    decisions = [{name: _plain(value) for name, value in _leaves(decision)} for decision in values["decisions"]]
    header = {name: _plain(value) for name, value in values["header"].items()}
    return Record(decisions, header, status_of(findings), frozenset(finding.path for finding in findings))


def _leaves(decision: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "headings", decision["item"]
    yield "outcomes", decision["outcome"]
    for side in ("claims_administrator", "maximus"):
        for number, citation in enumerate((decision[side] or {}).get("citations") or ()):
            if citation["pages"]:
                yield f"pages {side} {number}", citation["pages"]
    if decision["rationale_pages"]:
        yield "pages rationale", decision["rationale_pages"]


def _plain(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def judge(score: Score, truth: Record, got: Record) -> None:
    """Count what became of a scanned letter's values.

    A wrong value is silent where its record is accepted: nobody is asked to look at it. Decisions are
    held against each other in order where they are as many, else each against the one most like it.
    """
    wrong = 0
    score.letters += 1
    score.accepted += got.status == "accepted"
    left = list(got.decisions)
    for number, expected in enumerate(truth.decisions):
        score.printed.update(name.split()[0] for name in expected)
        if len(truth.decisions) == len(got.decisions):
            alike = got.decisions[number]
        else:
            alike = max(left, key=lambda other: _likeness(expected, other), default={})
            if alike and _likeness(expected, alike) > _ALIKE:
                left.remove(alike)
            else:  # a decision lost
                alike = {}
        for name in expected.keys() | alike.keys():
            if expected.get(name) == alike.get(name):
                score.right[name.split()[0]] += 1
            else:
                wrong += 1
    if len(truth.decisions) != len(got.decisions):
        wrong += len(left)
    for name, value in truth.header.items():
        score.printed["header"] += value is not None
        if value is not None and got.header.get(name) == value:
            score.right["header"] += 1
        elif value != got.header.get(name):
            wrong += 1
    score.wrong += wrong
    if got.status == "accepted":
        score.silent += wrong


def _likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return SequenceMatcher(None, one["headings"] or "", other["headings"] or "", autojunk=False).ratio()


def errors_between(truth: str, read: str) -> tuple[int, int]:
    """Characters wrong, missing or invented, and how many there are; whitespace is one blank."""
    one, other = " ".join(truth.split()), " ".join(read.split())
    wrong = 0
    for kind, i, j, k, m in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        wrong += max(j - i, m - k) if kind != "equal" else 0
    return wrong, len(one)


# ---- running -----------------------------------------------------------------------------------


def run(condition: Callable[[bytes], File], texts: Mapping[str, str]) -> Score:
    """All letters under one condition."""
    score = Score()

    def one(file: File) -> tuple[Document | None, float]:
        reader, data = file
        started = time.perf_counter()
        try:
            return reader(data, "letter"), time.perf_counter() - started
        except LetterError:
            return None, 0.0

    files = [condition(makepdf.typeset(text, FOOTER)) for text in texts.values()]
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        for text, (document, seconds) in zip(texts.values(), pool.map(one, files), strict=True):
            score.seconds += seconds
            if document is None:
                score.unread += 1
                continue
            count(score, text, document)
    return score


def count(score: Score, text: str, document: Document) -> None:
    """Add one letter, read from its damaged file."""
    wrong, characters = errors_between(makepdf.single_spaced(text), _without_footers(document.text))
    score.errors += wrong
    score.characters += characters
    score.pages += len(document.pages)
    score.poor += sum(note.code == "poor_scan" for note in document.notes)
    judge(score, record(letter_from_text(text, letter_id="letter")), record(letter_of("letter", document)))


def _without_footers(text: str) -> str:
    """The text without the last line of each page, if it is anything like the footer."""
    return "\n".join(re.sub(r"\n[^\n]*(?:Final|Case)[^\n]*\d\s*\Z", "", page) for page in text.split("\f"))


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("--letters", nargs="*", default=CLEAN)
    words.add_argument("--only", nargs="*", default=list(CONDITIONS), help="conditions; default all")
    options = words.parse_args()
    texts = {name: (LETTERS / f"{name}.txt").read_bytes().decode() for name in options.letters}
    heads = ("condition", "wrong characters", "outcomes", "headings", "cited pages", "header", "wrong values",
             "of them in accepted records", "letters accepted", "poor pages", "s a page")  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|---{'|---:' * (len(heads) - 1)}|")
    for name in options.only:
        print(row(name, run(CONDITIONS[name], texts)), flush=True)


def row(name: str, score: Score) -> str:
    """One line of the table."""
    cells = [
        name + (f" ({score.unread} letters not read)" if score.unread else ""),
        f"{100 * score.errors / max(1, score.characters):.2f} %",
        *(f"{score.right[kind]}/{score.options[kind]}" for kind in ("outcomes", "headings", "pages", "header")),
        str(score.wrong),
        str(score.silent),
        f"{score.accepted}/{score.letters}",
        f"{score.poor}/{score.pages}",
        f"{score.seconds / max(1, score.pages):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
