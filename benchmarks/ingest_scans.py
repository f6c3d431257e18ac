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
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageFilter

from extractor.errors import LetterError
from extractor.ingest.documents import Document
from extractor.ingest.ocr import read_image
from extractor.ingest.pdf import read_pdf
from extractor.ingest.workers import MAX_WORKERS
from extractor.letter import letter_from_text
from extractor.reading import Block
from extractor.spans import Span, fold
from extractor.workspace import Workspace
from tests import makepdf

ROOT = Path(__file__).resolve().parent.parent
LETTERS = ROOT / "eval" / "imr" / "letters"
IMR = Workspace(ROOT).letter_type("imr")
# Letters that are not about damaged text themselves.
CLEAN = (
    "all-overturned", "dwc-2014-000", "dwc-2014-001", "dwc-2014-002", "dwc-2014-003", "dwc-2014-004", "form-2013",
    "mixed-outcomes", "outcome-own-line", "pages-in-both", "partly-authorized", "twelve-decisions",
)  # fmt: skip
FOOTER = "Final Determination Letter for IMR Case Number CM14-0012347   {n}"


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
    told: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    invented: int = 0
    silent: int = 0
    poor: int = 0
    pages: int = 0
    unread: int = 0
    seconds: float = 0.0


class Told(NamedTuple):
    """One value the reader found: what kind it is, where it belongs, what proves it, whether the reader was certain."""

    kind: str
    at: str
    value: Any
    spans: tuple[Span, ...]
    certain: bool


# ---- what counts -------------------------------------------------------------------------------


def decisions(text: str) -> list[list[Told]]:
    """Heading, outcome and cited pages of every decision, as the reader finds them; the heading is the first."""
    blocks = IMR.read(letter_from_text("letter", text)).root.blocks.get("decisions", ())
    return [list(_told(block)) for block in blocks]


def _told(decision: Block) -> Iterator[Told]:
    for name, kind in (("item", "headings"), ("outcome", "outcomes")):
        fact = decision.facts[name]
        yield Told(kind, name, _plain(fact.value), fact.spans, fact.certain and decision.certain)
    for side in ("claims_administrator", "maximus"):
        for guideline in decision.blocks.get(side, ()):
            for number, citation in enumerate(guideline.blocks.get("citations", ())):
                fact = citation.facts.get("pages")
                if fact and fact.value:
                    yield Told("pages", f"{side}/{number}", repr(fact.value), fact.spans, fact.certain)
    fact = decision.facts.get("rationale_pages")
    if fact and fact.value:
        yield Told("pages", "rationale", repr(fact.value), fact.spans, fact.certain)


def _plain(value: Any) -> Any:
    return fold(value).lower() if isinstance(value, str) else value


def judge(score: Score, truth: str, document: Document) -> None:
    """Count what the reader makes of a scanned letter.

    A wrong outcome or page is silent where the reader was certain and no note lies on its words.
    """
    doubted = [note.span for note in document.notes if note.span and note.code in ("unsure_digits", "poor_scan")]
    left = decisions(document.text)
    for expected in decisions(truth):
        score.told.update(told.kind for told in expected)
        alike = max(left, key=lambda got: _likeness(expected, got), default=None)
        if alike is None or _likeness(expected, alike) < 0.8:
            score.lost += 1
            continue
        left.remove(alike)
        known = {(told.at, told.value) for told in expected}
        for got in alike:
            if (got.at, got.value) in known:
                score.right[got.kind] += 1
            elif got.certain and got.kind != "headings" and not _is_doubted(got.spans, doubted):
                score.silent += 1
    score.invented += len(left)


def _likeness(one: list[Told], other: list[Told]) -> float:
    return SequenceMatcher(None, one[0].value, other[0].value, autojunk=False).ratio()


def _is_doubted(spans: Iterable[Span], doubted: Iterable[Span]) -> bool:
    return any(span.start < end and start < span.end for span in spans for start, end in doubted)


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
            truth = makepdf.single_spaced(text)
            wrong, characters = errors_between(truth, _without_footers(document.text))
            score.errors += wrong
            score.characters += characters
            score.pages += len(document.pages)
            score.poor += sum(note.code == "poor_scan" for note in document.notes)
            judge(score, text, document)
    return score


def _without_footers(text: str) -> str:
    """The text without the last line of each page, if it is anything like the footer."""
    return "\n".join(re.sub(r"\n[^\n]*(?:Final|Case)[^\n]*\d\s*\Z", "", page) for page in text.split("\f"))


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("--letters", nargs="*", default=CLEAN)
    words.add_argument("--only", nargs="*", default=list(CONDITIONS), help="conditions; default all")
    told = words.parse_args()
    texts = {name: (LETTERS / f"{name}.txt").read_bytes().decode() for name in told.letters}
    heads = ("condition", "wrong characters", "outcomes", "headings", "cited pages", "decisions lost / invented",
             "wrong in silence", "poor pages", "s a page")  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|---{'|---:' * (len(heads) - 1)}|")
    for name in told.only:
        score = run(CONDITIONS[name], texts)
        row = [
            name + (f" ({score.unread} letters not read)" if score.unread else ""),
            f"{100 * score.errors / max(1, score.characters):.2f} %",
            *(f"{score.right[kind]}/{score.told[kind]}" for kind in ("outcomes", "headings", "pages")),
            f"{score.lost} / {score.invented}",
            str(score.silent),
            f"{score.poor}/{score.pages}",
            f"{score.seconds / max(1, score.pages):.2f}",
        ]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
