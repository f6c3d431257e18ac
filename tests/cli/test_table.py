"""The table of ``run``: what a person reads at any width."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from extractor.cli.shared.table import print_table
from extractor.runs.record import Failure, Record
from tests.support.imr import IMR
from tests.support.toy import cli, put, write_toy

LONG = "Interferential unit, sixty day rental with supplies, electrodes and a garment for the lumbar spine"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def decision(item: str, outcome: str, ca: list[int], mx: list[int]) -> dict[str, object]:
    def side(pages: list[int]) -> dict[str, object]:
        return {"citations": [{"pages": [{"first": page, "last": page} for page in pages]}]}

    return {"item": item, "outcome": outcome, "claims_administrator": side(ca), "maximus": side(mx)}


RECORDS = [
    Record("scan-7", None, "imr", "failed", error=Failure("empty", "scan-7.pdf is empty", "export it again")),
    Record("two", "0", "imr", "accepted", {"decisions": [decision(LONG, "upheld", [301], [9, 12]),
                                                         decision("MRI", "overturned", [], [])]}),
]  # fmt: skip


def printed(width: int | None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    stream = io.StringIO() if width is None else Screen()
    monkeypatch.setenv("COLUMNS", str(width or 80))
    with contextlib.redirect_stdout(stream):
        print_table(RECORDS, IMR)
    return [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in stream.getvalue().splitlines()]


def test_eighty_columns_take_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(80, monkeypatch) == [
        "failed        scan-7",
        "              scan-7.pdf is empty; export it again",
        "accepted      two",
        "  upheld      Interferential unit, sixty day rental with supplies, electrodes a…",
        "              CA pages 301; MAXIMUS pages 9, 12",
        "  overturned  MRI",
    ]


@pytest.mark.parametrize("width", [200, None], ids=["a wide screen", "a pipe"])
def test_where_it_fits_a_row_is_a_line(width: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    heading, _, failed, first, second = printed(width, monkeypatch)
    assert heading.split() == ["status", "letter", "outcome", "item", "CA", "pages", "MAXIMUS", "pages", "findings"]
    assert failed.split() == ["failed", "scan-7", "scan-7.pdf", "is", "empty;", "export", "it", "again"]
    assert first.split()[:5] == ["accepted", "two", "upheld", "Interferential", "unit,"]
    assert (first.split()[-3:], first.count("…")) == (["301", "9,", "12"], 1)
    assert second.split() == ["overturned", "MRI"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_screen_and_nothing_short_is_lost(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(width, monkeypatch)
    assert max(map(len, lines)) <= width
    for word in ("failed", "accepted", "scan-7", "two", "upheld", "overturned", "301", "9,", "12", "export"):
        assert any(word in line for line in lines), word


def test_failed_letters_come_first_and_each_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = write_toy(tmp_path)
    monkeypatch.chdir(toy)
    put(toy / "letters/zero.txt", "")
    put(toy / "letters/zzz.txt", "")
    ran = cli("run", "letters", "--out", "out")
    rows = [line.split()[:2] for line in ran.out.splitlines()[2:5]]
    assert rows[:2] == [["failed", "zero"], ["failed", "zzz"]]
    status = cli("status", "out").out
    assert "  zero: " in status
    assert "  zzz: " in status
    assert list(cli("status", "out", "--json").json["failed"]) == ["zero", "zzz"]


def test_the_id_of_a_letter_cannot_move_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "RECORDS", [Record("a\x1b[2Jb", None, "imr", "failed")])
    assert not any("\x1b" in line for line in printed(80, monkeypatch) + printed(None, monkeypatch))
