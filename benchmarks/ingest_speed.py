"""What reading a page costs: milliseconds and megabytes, in this process, in a worker, and with pdftotext.

    python -m benchmarks.ingest_speed [--rounds N] [FOLDER]

Reads the PDFs of a folder, else the bundled letters typeset. Each way is measured in a fresh
process; a figure is the median of the rounds. Needs the extra `dev`; rows whose program is missing are left out.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from extractor.letters.workers.processes import close_workers, read_pdf

LETTERS = Path(__file__).resolve().parent.parent / "eval" / "imr" / "letters"


def bare_text(files: list[bytes]) -> int:
    """The library's own text of each page, in this process: no places, no rows, no look at the page."""
    import pypdfium2

    pages = 0
    for data in files:
        with pypdfium2.PdfDocument(data) as pdf:
            for page in pdf:
                page.get_textpage().get_text_range()
                pages += 1
    return pages


def in_process(files: list[bytes]) -> int:
    """All that ``read_pdf`` does, in this process."""
    from extractor.letters.pages.pdfpages import read

    return sum(len(read(data, "letter.pdf", lambda: None).pages) for data in files)


def in_worker(files: list[bytes]) -> int:
    """``read_pdf``."""
    return sum(len(read_pdf(data, "letter.pdf").pages) for data in files)


def pdftotext(files: list[bytes]) -> int:
    """One call of the program for each file, through pipes."""
    pages = 0
    for data in files:
        done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=data, capture_output=True, check=True)
        pages += done.stdout.count(b"\f")
    return pages


def scanned(files: list[bytes]) -> int:
    """``read_pdf`` on the first letter as pictures at 200 dots an inch."""
    from tests.support.makepdf import pictures, scan_pdf

    return in_worker([scan_pdf(pictures(files[0], 200))])


WAYS: Mapping[str, Callable[[list[bytes]], int]] = {
    "pypdfium2's own text, in process": bare_text,
    "in process": in_process,
    "in a worker": in_worker,
    "pdftotext -layout, a process a file": pdftotext,
    "scan at 200 dpi, in a worker": scanned,
}


def measure(name: str, files: list[bytes]) -> dict[str, float]:
    """CPU and wall ms a page, ms until the first file is read, and peak MB of the process that reads.

    What a worker spends on starting is spread over its pages; what this process spends on imports is not counted.
    """
    way, started = WAYS[name], time.perf_counter()
    first = way(files[:1])
    until_first, own, wall = time.perf_counter() - started, _cpu(resource.RUSAGE_SELF), time.perf_counter()
    pages = way(files)
    wall, own = time.perf_counter() - wall, _cpu(resource.RUSAGE_SELF) - own
    close_workers()  # so that what they took is counted
    others = resource.RUSAGE_CHILDREN
    reader = others if _cpu(others) > own else resource.RUSAGE_SELF
    return {
        "cpu": 1000 * (own / pages + _cpu(others) / (first + pages)),
        "wall": 1000 * wall / pages,
        "first": 1000 * until_first,
        "mb": resource.getrusage(reader).ru_maxrss / 1024,
        "pages": pages,
    }


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _typeset() -> list[bytes]:
    from tests.support.makepdf import typeset

    return [typeset(path.read_bytes().decode(), "Page {n}") for path in sorted(LETTERS.glob("*.txt"))]


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("folder", nargs="?", type=Path, help="PDFs to read; default: the bundled letters, typeset")
    options = words.parse_args()
    files = [path.read_bytes() for path in sorted(options.folder.glob("*.pdf"))] if options.folder else _typeset()
    names = [
        name
        for name in WAYS
        if ("pdftotext" not in name or shutil.which("pdftotext")) and ("scan" not in name or shutil.which("tesseract"))
    ]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.NamedTemporaryFile(suffix=".pickle") as kept:
        kept.write(pickle.dumps(files))
        kept.flush()
        for _ in range(options.rounds):  # round by round, so that a slow minute of the machine hits all
            for name in names:
                line = [sys.executable, "-m", "benchmarks.ingest_speed", "--measure", name, kept.name]
                done = subprocess.run(line, capture_output=True, text=True, check=True)
                found[name].append(json.loads(done.stdout))
    print("| way | pages | CPU ms a page | wall ms a page | ms until the first file is read | peak MB of the reader |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, rounds in found.items():
        row = [statistics.median(each[key] for each in rounds) for key in ("pages", "cpu", "wall", "first", "mb")]
        print(f"| {name} | {row[0]:.0f} | {row[1]:.1f} | {row[2]:.1f} | {row[3]:.0f} | {row[4]:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], pickle.loads(Path(sys.argv[3]).read_bytes()))))
    else:
        main()
