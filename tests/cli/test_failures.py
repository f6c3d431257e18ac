"""Many letters that failed for one reason are one entry, and each of them is named."""

from __future__ import annotations

import pytest

from extractor.cli.shared.failures import failure_lines

OCR = "is a picture, and OCR is not installed; apt-get install tesseract-ocr"


def test_a_few_have_a_line_each() -> None:
    failed = {"a/scan-1": f"scan-1.png {OCR}", "b": "b.txt is empty; remove it"}
    assert list(failure_lines(failed, 200)) == [f"  a/scan-1: scan-1.png {OCR}", "  b: b.txt is empty; remove it"]


def test_many_of_one_reason_are_one_entry() -> None:
    failed = {f"in/scan-{n}": f"scan-{n}.png {OCR}" for n in range(25)} | {"b": "b.txt is empty; remove it"}
    reason, names, other = failure_lines(failed, 1_000)
    assert reason == f"  25 letters: the file {OCR}"
    assert names.split() == [f"in/scan-{n}," for n in range(24)] + ["in/scan-24"]
    assert other == "  b: b.txt is empty; remove it"


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    failed = {f"scan-{n}": f"scan-{n}.png {OCR}" for n in range(25)}
    assert max(map(len, failure_lines(failed, width))) <= width


def test_a_letter_id_cannot_move_the_cursor() -> None:
    assert list(failure_lines({"a\x1b[2J": "it is empty"}, 80)) == ["  a\\u001b[2J: it is empty"]
