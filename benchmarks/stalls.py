"""What reading costs a run that waits for a model: the longest stall of the event loop, and how soon Ctrl-C is heard.

    python -m benchmarks.stalls [--scans N]

A run asks a model that takes a moment for every letter, over scans, PDFs and plain text. A ticker in the same
loop measures how late it is called; a second run is interrupted while it reads. Needs the extras `dev` and
`ocr` and the program tesseract.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from extractor.letters.letter import find_letters
from extractor.letters.workers.processes import close_workers
from extractor.lettertypes.evidence import StrictModel, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import nothing_read
from extractor.models.model import Question, Reply
from extractor.runs import bulk
from extractor.runs.plan import Plan
from tests.support import makepdf

ROOT = Path(__file__).resolve().parent.parent
LETTERS = ROOT / "eval" / "imr" / "letters"
TICK = 0.002
IN_FLIGHT = 32


class Answer(StrictModel):
    """One leaf is enough: what is measured is the way to the question."""

    name: Annotated[str | None, Verbatim(within="letter")]


LETTER_TYPE = LetterType("any", Answer, lambda letter: nothing_read(letter, "not read"))


@dataclass
class SlowModel:
    """Answers every letter after 200 ms, without keeping the processor."""

    name: str = "benchmark/slow"
    params: dict[str, Any] = field(default_factory=dict)

    async def ask(self, question: Question) -> Reply:
        await asyncio.sleep(0.2)
        return Reply('{"name": null}')

    def stop_retrying(self) -> None:
        """It never tries again."""

    async def aclose(self) -> None:
        """It holds nothing open."""


async def ticking(stalls: list[float]) -> None:
    """How much later than asked for each call of this ticker comes, in seconds."""
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        stalls.append(time.perf_counter() - due)


async def run(folder: Path, out: Path, heard: Callable[[], None] | None = None) -> tuple[float, float, int]:
    """Wall seconds of a run, its longest stall in seconds, and how many letters it finished."""
    stalls = [0.0]
    ticker = asyncio.create_task(ticking(stalls))
    began = time.perf_counter()
    plan = Plan(LETTER_TYPE, SlowModel())
    summary = await bulk.run(find_letters([folder]), plan, out, concurrency=IN_FLIGHT, on_interrupt=heard)
    ticker.cancel()
    return time.perf_counter() - began, max(stalls), summary.statuses.total()


def interrupted(folder: Path, out: Path, after: float) -> tuple[float, float]:
    """Seconds from Ctrl-C until the run hears it, and until it has ended."""
    sent = heard = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    def hear() -> None:
        nonlocal heard
        heard = time.perf_counter()

    timer = threading.Timer(after, interrupt)
    timer.start()
    asyncio.run(run(folder, out, hear))
    timer.join()
    return heard - sent, time.perf_counter() - sent


def write_letters(folder: Path, scans: int) -> None:
    """``scans`` scanned pages, as many PDFs and ten times as many plain letters."""
    texts = [path.read_text("utf-8") for path in sorted(LETTERS.glob("dwc-2014-*.txt"))]
    (folder / "scans").mkdir(parents=True)
    (folder / "mixed").mkdir()
    for number in range(scans):
        pdf = makepdf.typeset(texts[number % len(texts)])
        picture = makepdf.tiff(makepdf.pictures(pdf, 200)[:1], (200, 200))
        (folder / f"scans/scan{number}.tif").write_bytes(picture)
        (folder / f"mixed/scan{number}.tif").write_bytes(picture)
        (folder / f"mixed/print{number}.pdf").write_bytes(pdf)
        for copy in range(10):
            text = f"Copy {copy} of letter {number}\n{texts[number % len(texts)]}"
            (folder / f"mixed/{number}-{copy}.txt").write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--scans", type=int, default=6, metavar="N", help="scanned pages (default: 6)")
    scans = parser.parse_args().scans
    print("| run | letters | wall s | longest stall ms | Ctrl-C heard after ms | ended after ms |")
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_letters(folder, scans)
        for name in ("scans", "mixed"):
            wall, stall, letters = asyncio.run(run(folder / name, folder / f"out-{name}"))
            close_workers()
            heard, ended = interrupted(folder / name, folder / f"out-{name}-interrupted", min(1.0, wall / 3))
            close_workers()
            figures = f"{wall:.1f} | {1e3 * stall:,.0f} | {1e3 * heard:,.0f} | {1e3 * ended:,.0f}"
            print(f"| {name} | {letters} | {figures} |")


if __name__ == "__main__":
    main()
