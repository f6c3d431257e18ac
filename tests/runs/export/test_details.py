"""The tables findings and evidence, and the SQLite database that holds every table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import UsageError
from extractor.runs.export import ALL, LETTERS, Reviewed
from tests.runs.export.test_export import answer, export, finding, in_jsonl, item, record

PAGES = {"title": "A", "names": [], "pages": [{"first": 9, "last": 11}, {"first": 20, "last": 20}], "year": None}


def words(text: str, start: int, page: int | None = 2) -> dict[str, Any]:
    return {"start": start, "end": start + len(text), "letter_page": page, "text": text}


GIVEN: dict[str, Any] = {
    "given": answer(status="sent", items=[item("Cane"), item("Walker", sources=[PAGES])]),
    "evidence": {
        "/items/1/name": [words("WALKER", 40)],
        "/items/1/sources/0/pages": [words("9-11", 60), words("20", 66, None)],
        "/items": [words("ITEMS", 1)],
    },
    "proof": {"/items/1/name": "place+quote", "/items/1/sources/0/pages": "place", "/status": "nothing"},
    "source": "letters/one.pdf",
}


def evidence(tmp_path: Path, reviewed: Reviewed) -> list[tuple[Any, ...]]:
    [path] = export(tmp_path, "jsonl", reviewed, rows="evidence")
    names = ("list", "row", "field", "value", "words", "letter_page", "proof", "corrected")
    return [tuple(row[name] for name in names) for row in in_jsonl(path)]


def test_each_value_has_its_words(tmp_path: Path) -> None:
    assert evidence(tmp_path, record(**GIVEN)) == [
        (None, None, "status", "sent", None, None, "nothing", False),
        ("items", 1, "items.name", "Cane", None, None, None, False),
        ("items", 2, "items.name", "Walker", "WALKER", 2, "place+quote", False),
        ("items", 2, "items.sources.title", "A", None, None, None, False),
        ("items", 2, "items.sources.pages", "9-11, 20", "9-11", 2, "place", False),
        ("items", 2, "items.sources.pages", "9-11, 20", "20", None, "place", False),
    ]


@pytest.mark.parametrize(
    ("corrected", "without_words"),
    [
        ("/items/1/name", {"items.name": {2}}),
        ("/status, /items/1/sources/0/pages/1", {"status": {None}, "items.sources.pages": {2}}),
        ("/items/0", {"items.name": {1, 2}, "items.sources.title": {2}, "items.sources.pages": {2}}),
        ("/", {"status": {None}, "items.name": {1, 2}, "items.sources.title": {2}, "items.sources.pages": {2}}),
    ],
)
def test_a_corrected_value_does_not_claim_the_words_of_the_old_one(
    tmp_path: Path, corrected: str, without_words: dict[str, set[int | None]]
) -> None:
    found: dict[str, set[int | None]] = {}
    for _, row, field, _, text, _, proof, is_corrected in evidence(
        tmp_path, replace(record(**GIVEN), corrected=corrected)
    ):
        if is_corrected:
            assert (text, proof) == (None, None)
            found.setdefault(field, set()).add(row)
    assert found == without_words


def test_each_finding_has_its_place(tmp_path: Path) -> None:
    findings = [
        {**finding("list_item_extra", "/items/1/sources/0/pages"), "expected": PAGES["pages"], "got": [{"first": 9, "last": 11}],
         "span": {"start": 3, "end": 8}},
        {**finding("value_differs", "/head/number"), "expected": 5, "got": None, "severity": "warning"},
        finding("record_missing", "/items"),
        finding("not_a_letter", ""),
    ]  # fmt: skip
    made = record(
        given=answer(items=[item(), item()]), findings=findings, withheld={"/head/number": {"value": 4, "code": "x"}}
    )
    [path] = export(tmp_path, "jsonl", made, rows="findings")
    names = ("list", "row", "field", "severity", "code", "expected", "got", "withheld", "span_start")
    assert [tuple(row[name] for name in names) for row in in_jsonl(path)] == [
        ("items", 2, "items.sources.pages", "error", "list_item_extra", "9-11, 20", "9-11", False, 3),
        (None, None, "head.number", "warning", "value_differs", "5", None, True, None),
        ("items", None, "items", "error", "record_missing", None, None, False, None),
        (None, None, None, "error", "not_a_letter", None, None, False, None),
    ]


def test_the_file_of_a_letter_is_in_its_rows(tmp_path: Path) -> None:
    for path in export(tmp_path, "jsonl", record(**GIVEN)):
        assert {row["source"] for row in in_jsonl(path)} == {"letters/one.pdf"}


# ---- sqlite --------------------------------------------------------------------------------------


def test_a_database_has_keys_types_and_full_text(tmp_path: Path) -> None:
    second = record("two", answer(names=["Ärztin"]), findings=[finding("whole", "")])
    [path] = export(tmp_path, "sqlite", record(**GIVEN), second, rows=ALL)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        keys = {table: db.execute(f"PRAGMA foreign_key_list({table})").fetchall() for table in ("items", "evidence")}
        assert {(table, rows[0][2]) for table, rows in keys.items()} == {("items", LETTERS), ("evidence", LETTERS)}
        assert db.execute('SELECT "row", "items.name" FROM items ORDER BY 1').fetchall() == [(1, "Cane"), (2, "Walker")]
        assert db.execute("SELECT count(*), sum(cost_usd) FROM letters").fetchall() == [(2, 0.5)]
        assert db.execute("SELECT count(*) FROM findings").fetchall() == [(1,)]
        searches = {"items": "walker", "letters": "arztin", "evidence": "words: walker", "findings": "wrong"}
        for table, words_wanted in searches.items():
            found = f"SELECT letter_id FROM {table} WHERE rowid IN (SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH ?)"
            assert len(db.execute(found, [words_wanted]).fetchall()) == 1, table


@pytest.mark.parametrize("text", ["half \ud800 a character", "a\x00b", "x" * 100_000, "'); DROP TABLE letters; --"])
@pytest.mark.parametrize("to", ["csv", "jsonl", "sqlite", "xlsx", "parquet"])
def test_any_text_can_be_written(tmp_path: Path, to: str, text: str) -> None:
    [path] = export(tmp_path, to, record(given=answer(status=text)), rows=LETTERS)
    if to == "sqlite":
        with closing(sqlite3.connect(path)) as db:
            [(found,)] = db.execute('SELECT "answer.status" FROM letters').fetchall()
        assert found == text.replace("\ud800", "\ufffd")


def test_a_number_too_large_for_sqlite(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too large for sqlite"):
        export(tmp_path, "sqlite", record(given=answer(head={**answer()["head"], "number": 2**63})), rows=LETTERS)
    assert list(tmp_path.iterdir()) == []
