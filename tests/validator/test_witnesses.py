"""The table of verdicts: what follows from what the reading and the quote say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extractor.validator.verdict import PROOF_LEVELS
from extractor.validator.witnesses import TABLE, Quoted, View, rule

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "verdicts.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("view", "quoted", "level", "blame"),
    [
        (View.AGREES, Quoted.NOT_ASKED, "place", None),
        (View.AGREES, Quoted.PROVES, "place+quote", None),
        (View.AGREES, Quoted.ABSENT, "place", None),
        (View.AGREES, Quoted.ELSEWHERE, "place", None),
        (View.DIFFERS, Quoted.NOT_ASKED, None, "answer"),
        (View.DIFFERS, Quoted.PROVES, None, "unclear"),
        (View.DIFFERS, Quoted.ABSENT, None, "answer"),
        (View.DIFFERS, Quoted.ELSEWHERE, None, "answer"),
        (View.UNCERTAIN, Quoted.NOT_ASKED, None, None),
        (View.UNCERTAIN, Quoted.PROVES, "quote", None),
        (View.UNCERTAIN, Quoted.ABSENT, None, "unclear"),
        (View.UNCERTAIN, Quoted.ELSEWHERE, None, "unclear"),
        (View.NONE, Quoted.NOT_ASKED, None, None),
        (View.NONE, Quoted.PROVES, "quote", None),
        (View.NONE, Quoted.ABSENT, None, "answer"),
        (View.NONE, Quoted.ELSEWHERE, None, "answer"),
    ],
)
def test_the_table(view: View, quoted: Quoted, level: str | None, blame: str | None) -> None:
    assert rule(view, quoted) == (level, blame)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == {(view, quoted) for view in View for quoted in Quoted}


def test_the_page_has_every_row_and_every_level() -> None:
    rows = re.findall(r"^\| (agrees|differs|is uncertain|has no view) \| (.*?) \|", PAGE, re.MULTILINE)
    assert len(set(rows)) == len(View) * 3  # missing and elsewhere share a row
    for level, meaning in PROOF_LEVELS.items():
        assert f"| `{level}` | {meaning} |" in PAGE
