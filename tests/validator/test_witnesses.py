"""The table of verdicts: the verdict on each combination of reading and quote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extractor.validator.verdict import PROOF_LEVELS
from extractor.validator.witnesses import TABLE, QuoteWitness, ReadingWitness, rule

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "verdicts.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("view", "quoted", "level", "blame"),
    [
        (ReadingWitness.AGREES, QuoteWitness.NOT_ASKED, "place", None),
        (ReadingWitness.AGREES, QuoteWitness.PROVES, "place+quote", None),
        (ReadingWitness.AGREES, QuoteWitness.ABSENT, "place", None),
        (ReadingWitness.AGREES, QuoteWitness.ELSEWHERE, "place", None),
        (ReadingWitness.DIFFERS, QuoteWitness.NOT_ASKED, None, "answer"),
        (ReadingWitness.DIFFERS, QuoteWitness.PROVES, None, "unclear"),
        (ReadingWitness.DIFFERS, QuoteWitness.ABSENT, None, "answer"),
        (ReadingWitness.DIFFERS, QuoteWitness.ELSEWHERE, None, "answer"),
        (ReadingWitness.UNCERTAIN, QuoteWitness.NOT_ASKED, None, None),
        (ReadingWitness.UNCERTAIN, QuoteWitness.PROVES, "quote", None),
        (ReadingWitness.UNCERTAIN, QuoteWitness.ABSENT, None, "unclear"),
        (ReadingWitness.UNCERTAIN, QuoteWitness.ELSEWHERE, None, "unclear"),
        (ReadingWitness.NONE, QuoteWitness.NOT_ASKED, None, None),
        (ReadingWitness.NONE, QuoteWitness.PROVES, "quote", None),
        (ReadingWitness.NONE, QuoteWitness.ABSENT, None, "answer"),
        (ReadingWitness.NONE, QuoteWitness.ELSEWHERE, None, "answer"),
    ],
)
def test_the_table(view: ReadingWitness, quoted: QuoteWitness, level: str | None, blame: str | None) -> None:
    assert rule(view, quoted) == (level, blame)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == {(view, quoted) for view in ReadingWitness for quoted in QuoteWitness}


def test_the_page_has_every_row_and_every_level() -> None:
    rows = re.findall(r"^\| (agrees|differs|is uncertain|has no view) \| (.*?) \|", PAGE, re.MULTILINE)
    assert len(set(rows)) == len(ReadingWitness) * 3  # missing and elsewhere share a row
    for level, meaning in PROOF_LEVELS.items():
        assert f"| `{level}` | {meaning} |" in PAGE
