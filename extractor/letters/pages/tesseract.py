"""The OCR program: Tesseract, run once a picture, its words with boxes and confidences."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections import Counter
from importlib.util import find_spec
from itertools import groupby, pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from extractor.errors import LetterError
from extractor.letters.pages.layout import TextRun

if TYPE_CHECKING:
    from PIL.Image import Image

SECONDS = 60.0
# Modes of page segmentation: the page as it lies, and after finding out which side of it is up. The latter takes
# a fifth more time, and gives the same words of a page that lies upright.
_AS_IT_LIES, _ANY_SIDE_UP = "3", "1"
_WORD = "5"
INSTALL = (
    "install what reads scans: pip install 'letterproof[ocr]', and the program tesseract "
    "(apt-get install tesseract-ocr; brew install tesseract; choco install tesseract)"
)


class Recognized(NamedTuple):
    """What was read in a picture, in the picture's own pixels; its text is turned by so many clockwise quarters."""

    runs: list[TextRun]
    turned: int

    @property
    def confidence(self) -> float:
        """The mean of the words' confidences (0 to 100); 0 for no words."""
        return fmean(run.confidence or 0.0 for run in self.runs) if self.runs else 0.0


def is_installed() -> bool:
    """Whether scans can be read here."""
    return shutil.which("tesseract") is not None and find_spec("PIL") is not None


def recognized(image: Image, dpi: int, *, any_side_up: bool = False) -> Recognized:
    """The words of a gray picture; of one that may be sideways or upside down with ``any_side_up``.

    Raises ``LetterError`` with code ``ocr_missing``, ``timeout`` or ``ocr_failed``.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise LetterError("the program tesseract is not installed", code="ocr_missing", hint=INSTALL)
    buffer = io.BytesIO()
    image.save(buffer, "PPM")
    mode = _ANY_SIDE_UP if any_side_up else _AS_IT_LIES
    words = [program, "stdin", "stdout", "--psm", mode, "--dpi", str(dpi), "-l", "eng", "tsv"]
    try:
        done = subprocess.run(words, input=buffer.getvalue(), capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        hint = "scan it again, straight and in black and white"
        raise LetterError(f"OCR of a page took over {SECONDS:g} seconds", code="timeout", hint=hint) from None
    if done.returncode:
        hint = "check that `tesseract --list-langs` names eng"
        raise LetterError(f"tesseract ended with code {done.returncode}", code="ocr_failed", hint=hint)
    return parsed(done.stdout.decode("utf-8", "replace"))


def parsed(table: str) -> Recognized:
    """The words of a table in Tesseract's TSV format."""
    lines: list[list[TextRun]] = []
    rows = csv.reader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = (row for row in rows if len(row) == 12 and row[0] == _WORD and row[11].strip())
    for _, group in groupby(words, key=lambda row: row[1:5]):
        lines.append([_run(row) for row in group])
    return Recognized([run for line in lines for run in line], _turned(lines))


def _run(row: list[str]) -> TextRun:
    left, top, width, height = map(int, row[6:10])
    text = "".join(row[11].split())
    return TextRun(text, left, top, left + width, top + height, float(row[10]))


def _turned(lines: list[list[TextRun]]) -> int:
    """Clockwise quarters by which most lines are turned, judged by the direction to the next word."""
    votes: Counter[int] = Counter()
    for line in lines:
        for one, other in pairwise(line):
            across = other.left + other.right - one.left - one.right
            down = other.top + other.bottom - one.top - one.bottom
            if abs(across) >= abs(down):
                votes[0 if across > 0 else 2] += 1
            else:
                votes[1 if down > 0 else 3] += 1
    return votes.most_common(1)[0][0] if votes else 0
