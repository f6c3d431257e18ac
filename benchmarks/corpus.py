"""Folders of any number of letters of all forms and with all mess, seeded, and the truth about each.

    python -m benchmarks.corpus DIR --letters 100000 [--seed 1] [--equal 0.07] [--plain-bytes]

``DIR/letters/000/l00000000.txt`` and so on, a thousand letters a folder; ``DIR/truth.jsonl`` has a line a
letter in the order of ids: its form, its mess and the correct answer. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import mess as messes  # noqa: E402
from benchmarks.forms import some_form, written  # noqa: E402

LETTERS, TRUTH = "letters", "truth.jsonl"
_A_FOLDER = 1_000
# What no letter prints: a reader without a model leaves these to a mind.
_JUDGED = frozenset({"treatment_category", "reason", "reason_quote"})
_SIDES = ("claims_administrator", "maximus")
_PROSE = frozenset({"winter", "2013"})


@dataclass(frozen=True)
class Piece:
    """One letter: its id, the bytes of its file, and what is true of it."""

    id: str
    data: bytes
    form: str
    mess: tuple[str, ...]
    answer: Mapping[str, Any]

    @property
    def truth(self) -> str:
        """Its line in the file of truths."""
        line = {"letter_id": self.id, "form": self.form, "mess": self.mess, "answer": self.answer}
        return json.dumps(line, separators=(",", ":"))


def piece(number: int, seed: int = 1, *, equal: float = 0.0, plain_bytes: bool = False) -> Piece:
    """Letter ``number`` of a seed. ``equal`` is the share of letters that repeat an earlier one's bytes."""
    letter_id = f"{number // _A_FOLDER:03d}/l{number:08d}"
    rng = random.Random(f"equal/{seed}/{number}")
    while number and rng.random() < equal:
        number = rng.randrange(number)
        rng = random.Random(f"equal/{seed}/{number}")
    data, form, mess, answer = _made(number, random.Random(f"letter/{seed}/{number}"), plain_bytes=plain_bytes)
    return Piece(letter_id, data, form, mess, answer)


def _made(number: int, rng: random.Random, *, plain_bytes: bool) -> tuple[bytes, str, tuple[str, ...], dict[str, Any]]:
    form = some_form(rng)
    holes = form in ("2014", "winter") and rng.random() < 0.15
    parts, answer = written(form, rng, f"R{number:08d}", holes=holes)
    mess = ["redaction holes"] if holes else []
    for name, applied, share in (
        ("scrambled header", form == "2016", 0.15),
        ("lost hyphens", form in ("2014", "2016"), 0.08),
        ("curly quotes", True, 0.1),
    ):
        if applied and rng.random() < share:
            parts = messes.PARAGRAPHS[name](parts, rng)
            mess.append(name)
    width = messes.some_width(rng)
    lines = messes.lines_of(parts, width)
    if width is None:
        mess.append("a paragraph a line")
    elif rng.random() < 0.3:
        lines = messes.on_pages(lines, rng, answer["header"]["case_number"] or "")
        mess.append("pages")
    setting = rng.choices(("", *messes.SET), (50, 30, 6, 10, 4))[0]
    if form == "2014" and rng.random() < 0.5:
        setting = "doubled lines"
    if setting:
        lines = messes.SET[setting](lines)
        mess.append(setting)
    text = "\n".join(lines) + "\n"
    data = text.encode() if plain_bytes else messes.encoded(text, rng, mess)
    return data, form, tuple(mess), answer


# ---- folders -------------------------------------------------------------------------------------


def write(root: Path, number: int, seed: int = 1, *, equal: float = 0.0, plain_bytes: bool = False) -> Path:
    """So many letters below ``root``, by as many processes as there are cores; the folder of letters."""
    starts = range(0, number, _A_FOLDER)
    jobs = [(root, at, min(at + _A_FOLDER, number), seed, equal, plain_bytes) for at in starts]
    (root / LETTERS).mkdir(parents=True, exist_ok=True)
    pool = ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))
    with pool, (root / TRUTH).open("w", encoding="utf-8") as truths:
        for lines in pool.map(_write_folder, jobs):
            truths.write(lines)
    return root / LETTERS


def _write_folder(job: tuple[Path, int, int, int, float, bool]) -> str:
    root, start, end, seed, equal, plain_bytes = job
    lines = []
    for number in range(start, end):
        made = piece(number, seed, equal=equal, plain_bytes=plain_bytes)
        path = root / LETTERS / f"{made.id}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made.data)
        lines.append(made.truth)
    return "\n".join(lines) + "\n"


def truths(root: Path) -> Iterator[dict[str, Any]]:
    """What is true of each letter, in the order of ids."""
    with (root / TRUTH).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# ---- comparing -----------------------------------------------------------------------------------


def printed(answer: Mapping[str, Any], form: str) -> dict[str, Any]:
    """The values that a letter prints and the reader reads: no judgement, and no guideline stated in prose."""
    left_out = _JUDGED.union(_SIDES if form in _PROSE else ())
    decisions = [{key: one[key] for key in one if key not in left_out} for one in answer["decisions"]]
    return {key: answer[key] for key in answer if key != "diagnoses"} | {"decisions": decisions}


def differs(got: Any, true: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ, list places left out of the path."""
    if isinstance(true, Mapping) and isinstance(got, Mapping):
        for key in true:
            yield from differs(got.get(key), true[key], f"{path}/{key}")
    elif isinstance(true, list) and isinstance(got, list) and len(true) == len(got):
        for one, other in zip(got, true, strict=True):
            yield from differs(one, other, path)
    elif got != true:
        yield path


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--letters", type=int, default=1_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--equal", type=float, default=0.0, help="share of letters that repeat an earlier one")
    words.add_argument("--plain-bytes", action="store_true", help="UTF-8 and line feeds in every file")
    options = words.parse_args()
    started = time.perf_counter()
    write(options.folder, options.letters, options.seed, equal=options.equal, plain_bytes=options.plain_bytes)
    print(f"{options.letters:,} letters in {time.perf_counter() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
