"""Tables: every cell keeps its value, no cell is a formula, no file is half written."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
import weakref
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from extractor.errors import UsageError
from extractor.lettertypes.evidence import Covers, Scored, Stated, StrictModel, Unchecked, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import nothing_read
from extractor.runs import record as records
from extractor.runs.export import (
    ALL,
    BOTH,
    FORMATS,
    LETTERS,
    Reviewed,
    formats,
    sheets,
    tables_of,
    targets,
    write_tables,
)
from extractor.runs.ledger import Ledger
from tests.support.imr import IMR
from tests.support.toy import cli, put, write_toy

W, S = Verbatim(within="all"), Stated(within="all")


class Pages(StrictModel):
    first: int
    last: int


class Source(StrictModel):
    title: Annotated[str, W]
    names: Annotated[list[str], W]
    pages: Annotated[list[Pages], Stated(within="all"), Scored("ranges")]
    year: Annotated[int | None, S]


class Item(StrictModel):
    name: Annotated[str | None, W]
    day: Annotated[date | None, S]
    sources: Annotated[list[Source], Covers(key="title")]


class Head(StrictModel):
    number: Annotated[int | None, S]
    share: Annotated[float | None, S]
    sure: Annotated[bool | None, S]
    kind: Annotated[Literal["a", "b"] | None, S]
    either: Annotated[int | str | None, Unchecked("for the test")]


class Whole(StrictModel):
    head: Head
    status: Annotated[str | None, W]
    names: Annotated[list[str], W]
    items: Annotated[list[Item], Covers(key="name")]


TYPE = LetterType("whole", Whole, read=lambda letter: nothing_read(letter, "a test"))
HEAD = {"number": None, "share": None, "sure": None, "kind": None, "either": None}


def answer(**values: Any) -> dict[str, Any]:
    return {"head": HEAD, "status": None, "names": [], "items": [], **values}


def item(name: str | None = "x", **values: Any) -> dict[str, Any]:
    return {"name": name, "day": None, "sources": [], **values}


def finding(code: str, path: str) -> dict[str, Any]:
    return {"code": code, "path": path, "severity": "error", "blame": "answer", "message": "wrong"}


def record(letter_id: str = "one", given: dict[str, Any] | None = None, **more: Any) -> Reviewed:
    data = {
        "letter_id": letter_id,
        "letter_sha256": "ab",
        "letter_type": "whole",
        "status": "accepted",
        "answer": given,
        "findings": [],
        "model": "m",
        "prompt": None,
        "schema_sha256": TYPE.schema_sha256,
        "usage": {"input_tokens": 7, "output_tokens": None},
        "cost_usd": 0.25,
        "error": None,
        **more,
    }
    return Reviewed(records.Record.from_dict(data))


def export(folder: Path, to: str, *records: Reviewed, rows: str = BOTH) -> list[Path]:
    goals = targets(folder, to, tables_of(TYPE, rows))
    write_tables(records, TYPE, to, goals)
    return [goal.path for goal in goals]


def in_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def in_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(path: Path, number: int = 1) -> list[list[tuple[str, str]]]:
    """Type and value of each cell that is written, as written in the file; formulas have no place in it."""
    with zipfile.ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    assert list(tree.iter(f"{_NS}f")) == []
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row.iter(f"{_NS}c")]
        for row in tree.iter(f"{_NS}row")
    ]


# ---- columns ------------------------------------------------------------------------------------


def test_columns_are_the_fields_of_the_schema() -> None:
    items, letters = tables_of(TYPE)
    assert [(column.name, column.kind) for column in items.columns] == [
        ("letter_id", "text"),
        ("status", "text"),
        ("row", "integer"),
        ("error_count", "integer"),
        ("findings", "text"),
        ("withheld", "text"),
        ("items.name", "text"),
        ("items.day", "date"),
        ("items.sources.title", "text"),
        ("items.sources.names", "text"),
        ("items.sources.pages", "text"),
        ("items.sources.year", "text"),
        ("letter_error_count", "integer"),
        ("letter_findings", "text"),
        ("letter_withheld", "text"),
        ("head.number", "integer"),
        ("head.share", "number"),
        ("head.sure", "boolean"),
        ("head.kind", "text"),
        ("head.either", "text"),
        ("answer.status", "text"),
        ("names", "text"),
        ("review", "text"),
        ("reviewed_by", "text"),
        ("corrected", "text"),
        ("reject_reason", "text"),
        ("open_errors", "text"),
        ("audit", "text"),
        ("model", "text"),
        ("prompt", "text"),
        ("source", "text"),
        ("letter_sha256", "text"),
    ]
    assert [column.name for column in letters.columns] == [
        "letter_id", "status", "error", "error_message", "error_count", "findings", "withheld",
        "head.number", "head.share", "head.sure", "head.kind", "head.either", "answer.status", "names", "items",
        "review", "reviewed_by", "corrected", "reject_reason", "open_errors", "audit",
        "model", "prompt", "source", "letter_sha256", "input_tokens", "output_tokens", "cost_usd",
    ]  # fmt: skip


def test_columns_of_the_imr_letter() -> None:
    """A contract: who reads these tables names these columns."""
    decisions, letters = tables_of(IMR)
    assert decisions.name == "decisions"
    kinds = {column.name: column.kind for column in decisions.columns}
    assert len(kinds) == len(decisions.columns)
    assert (
        kinds
        | {
            "header.case_number": "text",
            "header.date_of_injury": "date",
            "worker.age": "integer",
            "reviewer.states": "text",
            "decisions.item": "text",
            "decisions.outcome": "text",
            "decisions.maximus.citations.pages": "text",
            "decisions.rationale_pages": "text",
        }
        == kinds
    )
    assert "decisions" in {column.name for column in letters.columns}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (BOTH, ["items", LETTERS]),
        (ALL, ["items", LETTERS, "findings", "evidence"]),
        ("items", ["items"]),
        (LETTERS, [LETTERS]),
        ("evidence", ["evidence"]),
    ],
)
def test_tables_asked_for(wanted: str, names: list[str]) -> None:
    assert [table.name for table in tables_of(TYPE, wanted)] == names


def test_an_unknown_table() -> None:
    with pytest.raises(UsageError, match="items, letters, findings, evidence, both, all"):
        tables_of(TYPE, "decisions")


def test_a_letter_type_without_lists_has_one_table() -> None:
    flat = LetterType("flat", Head, read=TYPE.read)
    assert [table.name for table in tables_of(flat)] == [LETTERS]


# ---- cells --------------------------------------------------------------------------------------

A, B, C = (
    {
        "title": "A",
        "names": ["x, y", "z"],
        "pages": [{"first": 177, "last": 179}, {"first": 301, "last": 301}],
        "year": 1,
    },
    {"title": "B", "names": [], "pages": [], "year": None},
    {"title": "C", "names": ["w"], "pages": [{"first": 2, "last": 2}], "year": None},
)


@pytest.mark.parametrize(
    ("column", "values", "cell"),
    [
        ("items.name", item(None), None),
        ("items.day", item(day="2016-02-29"), "2016-02-29"),
        ("items.sources.title", item(sources=[]), None),
        ("items.sources.title", item(sources=[A, B, C]), "A | B | C"),
        ("items.sources.names", item(sources=[A, B, C]), "x, y; z |  | w"),
        ("items.sources.pages", item(sources=[A]), "177-179, 301"),
        ("items.sources.pages", item(sources=[A, B, C]), "177-179, 301 |  | 2"),
        ("items.sources.pages", item(sources=[B, B]), None),
        ("items.sources.year", item(sources=[A, B]), "1 | "),
    ],
)
def test_cells_of_a_row(tmp_path: Path, column: str, values: dict[str, Any], cell: str | None) -> None:
    [path] = export(tmp_path, "jsonl", record(given=answer(items=[values])), rows="items")
    assert [row[column] for row in in_jsonl(path)] == [cell]


@pytest.mark.parametrize(
    ("column", "values", "cell"),
    [
        ("names", answer(names=["a", "b; c"]), "a; b; c"),
        ("names", answer(names=[]), None),
        ("answer.status", answer(status="mine"), "mine"),
        ("head.number", answer(head={**HEAD, "number": -3}), -3),
        ("head.share", answer(head={**HEAD, "share": 0.5}), 0.5),
        ("head.share", answer(head={**HEAD, "share": 2}), 2),
        ("head.sure", answer(head={**HEAD, "sure": False}), False),
        ("head.either", answer(head={**HEAD, "either": "5"}), "5"),
        ("items", answer(items=[item(), item()]), 2),
        ("items", answer(), 0),
        ("items", None, None),
        ("status", answer(status="mine"), "accepted"),
        ("cost_usd", None, 0.25),
        ("input_tokens", None, 7),
        ("output_tokens", None, None),
    ],
)
def test_cells_of_a_letter(tmp_path: Path, column: str, values: dict[str, Any] | None, cell: Any) -> None:
    [path] = export(tmp_path, "jsonl", record(given=values), rows=LETTERS)
    assert [row[column] for row in in_jsonl(path)] == [cell]


def test_findings_are_on_their_row(tmp_path: Path) -> None:
    findings = [
        finding("whole", ""), finding("b", "/items/1/sources/0/title"), finding("b", "/items/1"), finding("a", "/items/0/day"),
        finding("missing", "/items"), finding("head", "/head/number"), finding("beyond", "/items/7/name"), finding("c", "/items/10"),
    ]  # fmt: skip
    rows, letters = export(tmp_path, "jsonl", record(given=answer(items=[item(), item()]), findings=findings))
    elsewhere = "whole; missing; head; beyond; c"
    assert [(row["row"], row["findings"], row["error_count"], row["letter_findings"]) for row in in_jsonl(rows)] == [
        (1, "a", 1, elsewhere),
        (2, "b", 2, elsewhere),
    ]
    assert {row["letter_error_count"] for row in in_jsonl(rows)} == {5}
    assert [(row["error_count"], row["findings"]) for row in in_jsonl(letters)] == [
        (8, "whole; b; a; missing; head; beyond; c")
    ]


def test_a_failed_letter_is_a_row_of_letters_alone(tmp_path: Path) -> None:
    failed = record("bad", None, status="failed", error={"code": "refusal", "message": "the model refused"})
    rows, letters = export(tmp_path, "csv", failed, record("good", answer(items=[item()])))
    assert [row["letter_id"] for row in in_csv(rows)] == ["good"]
    rows_of_letters = [
        (row["letter_id"], row["status"], row["error"], row["error_message"], row["items"]) for row in in_csv(letters)
    ]
    assert rows_of_letters == [("bad", "failed", "refusal", "the model refused", ""), ("good", "accepted", "", "", "1")]


def test_a_review_has_its_columns(tmp_path: Path) -> None:
    reviewed = replace(record(given=answer(items=[item()])), review="accepted", reviewed_by="Ada", corrected="/status")
    for path in export(tmp_path, "csv", reviewed):
        [row] = in_csv(path)
        assert (row["review"], row["reviewed_by"], row["corrected"]) == ("accepted", "Ada", "/status")


# ---- hostile cells ------------------------------------------------------------------------------

HOSTILE = [
    ("=1+1", "'=1+1"),
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ("+1-555-0100", "'+1-555-0100"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\n=1", "'\n=1"),
    ('"=1', '"=1'),
    ("'=1", "'=1"),
    (" =1", " =1"),
    ("a,b\r\nc", "a,b\r\nc"),
    ("a\rb", "a\rb"),
    ('say "no"', 'say "no"'),
    ("Ärztin 診断 🩺 é", "Ärztin 診断 🩺 é"),
    ("\u202eevil", "\u202eevil"),
    ("a\x00b\x07c", "a\x00b\x07c"),
    ("_x0041_", "_x0041_"),
    ("<b>&amp;</b>", "<b>&amp;</b>"),
    ("007", "'007"),
    ("1e5", "'1e5"),
    ("9-11", "'9-11"),
    ("177-179, 301", "177-179, 301"),
    ("http://example.invalid/" + "x" * 3000, "http://example.invalid/" + "x" * 3000),
    ("TRUE", "'TRUE"),
]


@pytest.mark.parametrize(("text", "cell"), HOSTILE)
def test_csv_holds_no_formula_and_loses_nothing(tmp_path: Path, text: str, cell: str) -> None:
    rows, letters = export(tmp_path, "csv", record(given=answer(names=[text], items=[item(text), item("next")])))
    assert [row["items.name"] for row in in_csv(rows)] == [cell, "next"]
    assert [row["names"] for row in in_csv(letters)] == [cell]


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_other_formats_hold_the_text_itself(tmp_path: Path, to: str) -> None:
    texts = [text for text, _ in HOSTILE]
    [path] = export(tmp_path, to, record(given=answer(items=[item(text) for text in texts])), rows="items")
    read = in_jsonl(path) if to == "jsonl" else parquet.read_table(path).to_pylist()
    assert [row["items.name"] for row in read] == texts


@pytest.mark.parametrize(("text", "cell"), HOSTILE)
@pytest.mark.sample(8)
def test_xlsx_cells_are_texts(tmp_path: Path, text: str, cell: str) -> None:
    [path] = export(tmp_path, "xlsx", record(given=answer(items=[item(text)])), rows="items")
    # Control characters, and what looks like their escape, are escaped in a file of xlsx.
    escaped = text.replace("_x0041_", "_x005F_x0041_")
    for sign in "\x00\x07\r":
        escaped = escaped.replace(sign, f"_x{ord(sign):04X}_")
    assert ("inlineStr", escaped) in sheet(path)[1]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_csv(text: str) -> None:
    file = io.BytesIO()
    with formats.FORMATS["csv"].open(file, tables_of(TYPE, LETTERS), Path()) as [write]:
        write([text, "next"])
    _, [first, second] = csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""))
    assert second == "next"
    assert first in (text, f"'{text}")
    assert not first.startswith(("=", "+", "-", "@", "\t", "\r"))


# ---- types --------------------------------------------------------------------------------------

TYPED = answer(
    head={"number": 5, "share": 0.5, "sure": True, "kind": "a", "either": 5}, items=[item(day="2016-02-29"), item(day="1850-01-01")]
)  # fmt: skip


def test_xlsx_is_typed(tmp_path: Path) -> None:
    [path] = export(tmp_path, "xlsx", record(given=TYPED))
    head, first, second = sheet(path, 1)
    names = [name for _, name in head]
    assert first[names.index("row")] == ("n", "1")
    assert ("n", "42429") in first  # 2016-02-29
    assert ("inlineStr", "1850-01-01") in second  # before the first day of xlsx
    assert {("n", "5"), ("n", "0.5"), ("b", "1"), ("inlineStr", "a")} <= set(first)
    with zipfile.ZipFile(path) as book:
        assert b'name="items"' in book.read("xl/workbook.xml")
        assert b'name="letters"' in book.read("xl/workbook.xml")


def test_parquet_is_typed(tmp_path: Path) -> None:
    [path] = export(tmp_path, "parquet", record(given=TYPED), rows="items")
    table = parquet.read_table(path)
    types = {field.name: str(field.type) for field in table.schema}
    assert types | {
        "row": "int64", "items.day": "date32[day]", "head.number": "int64", "head.share": "double",
        "head.sure": "bool", "head.kind": "string", "head.either": "string", "items.name": "string",
    } == types  # fmt: skip
    assert table.column("items.day").to_pylist() == [date(2016, 2, 29), date(1850, 1, 1)]
    assert table.column("head.either").to_pylist() == ["5", "5"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(2**53, "n"), (2**53 + 1, "inlineStr"), (-(10**30), "inlineStr"), (0, "n"), (-1, "n")],
)
def test_large_numbers_keep_their_digits_in_xlsx(tmp_path: Path, number: int, kind: str) -> None:
    [path] = export(tmp_path, "xlsx", record(given=answer(head={**HEAD, "number": number})), rows=LETTERS)
    _, row = sheet(path)
    assert any(found == kind and int(value) == number for found, value in row if value.lstrip("-").isdigit())


def test_a_number_too_large_for_parquet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too large for parquet"):
        export(tmp_path, "parquet", record(given=answer(head={**HEAD, "number": 10**30})), rows=LETTERS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "units"),
    [("x" * 32_767, 32_767), ("x" * 32_768, 32_767), ("🩺" * 16_383, 32_766), ("🩺" * 20_000, 32_766)],
)
def test_a_cell_of_xlsx_has_its_size(tmp_path: Path, text: str, units: int) -> None:
    [path] = export(tmp_path, "xlsx", record(given=answer(names=[text])), rows=LETTERS)
    [cell] = [value for _, value in sheet(path)[1] if len(value) > 1000]
    assert len(cell.encode("utf-16-le")) // 2 <= units
    assert cell == text or (cell.endswith(" [cut]") and text.startswith(cell.removesuffix(" [cut]")))


def test_xlsx_is_ready_to_be_read(tmp_path: Path) -> None:
    """Widths that hold a date, at most a screen's half; a heading that stays in sight, with filters."""
    given = answer(items=[item("x" * 300, day="2016-02-29"), item("short")])
    [path] = export(tmp_path, "xlsx", record(given=given), rows="items")
    with zipfile.ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    widths = {
        number: float(column.get("width", 0))
        for column in tree.iter(f"{_NS}col")
        for number in range(int(column.get("min", 0)) - 1, int(column.get("max", 0)))
    }
    names = [name for _, name in sheet(path)[0]]
    assert sorted(widths) == list(range(len(names)))
    assert 11 <= widths[names.index("items.day")] < 20
    assert 45 < widths[names.index("items.name")] < 55
    [pane] = tree.iter(f"{_NS}pane")
    assert (pane.get("state"), pane.get("topLeftCell")) == ("frozen", "B2")
    [filters] = tree.iter(f"{_NS}autoFilter")
    assert filters.get("ref", "").startswith("A1:")
    assert filters.get("ref", "").endswith("3")


def test_a_sheet_of_xlsx_has_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 4)
    letters = [record(str(n), answer()) for n in range(4)]
    export(tmp_path, "xlsx", *letters[:3], rows=LETTERS)
    before = (tmp_path / "letters.xlsx").read_bytes()
    with pytest.raises(UsageError, match="a sheet of xlsx holds 4 rows"):
        export(tmp_path, "xlsx", *letters, rows=LETTERS)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.xlsx"]
    assert (tmp_path / "letters.xlsx").read_bytes() == before


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", list(FORMATS))
def test_files_are_private_and_alone(tmp_path: Path, to: str) -> None:
    paths = export(tmp_path, to, record(given=TYPED))
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


@pytest.mark.parametrize("to", list(FORMATS))
def test_a_broken_record_leaves_the_old_file(tmp_path: Path, to: str) -> None:
    paths = export(tmp_path, to, record(given=TYPED))
    before = [path.read_bytes() for path in paths]
    with pytest.raises(UsageError, match="the record of two was made with another schema"):
        export(tmp_path, to, record(given=answer()), record("two", answer(), schema_sha256="0"))
    assert [path.read_bytes() for path in paths] == before
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("to", list(FORMATS))
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = export(tmp_path, to, record(given=TYPED))
    before = [path.read_bytes() for path in paths]

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        export(tmp_path, to, record(given=answer()))
    assert [path.read_bytes() for path in paths] == before
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("to", list(FORMATS))
@pytest.mark.sample(1)
def test_ten_thousand_rows_are_kept_only_as_long_as_needed(
    tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: each record is taken once, and at most a row group of rows waits to be written."""
    monkeypatch.setattr(formats, "ROW_GROUP", 100)
    alive, most, taken = 0, 0, 0

    def gone() -> None:
        nonlocal alive
        alive -= 1

    def letters() -> Iterator[Reviewed]:
        nonlocal alive, most, taken
        for number in range(2_000):
            taken += 1
            made = record(f"n{number:05}", answer(items=[item(f"n{i}") for i in range(5)]))
            alive += 1
            most = max(most, alive)
            weakref.finalize(made, gone)
            yield made
            del made

    goals = targets(tmp_path, to, tables_of(TYPE))
    written = write_tables(letters(), TYPE, to, goals)
    assert [(each.table, each.rows) for each in written] == [("items", 10_000), (LETTERS, 2_000)]
    assert taken == 2_000
    assert most <= 3
    if to == "parquet":
        file = parquet.ParquetFile(goals[0].path)
        assert (file.metadata.num_rows, file.metadata.num_row_groups) == (10_000, 100)
    if to == "csv":
        assert [row["letter_id"] for row in in_csv(goals[1].path)] == [f"n{number:05}" for number in range(2_000)]


@pytest.mark.parametrize("to", list(FORMATS))
def test_no_records_make_empty_tables(tmp_path: Path, to: str) -> None:
    rows, *_ = export(tmp_path, to, rows="items")
    if to == "csv":
        assert rows.read_bytes().startswith(b"\xef\xbb\xbfletter_id,status,row,")
    if to == "parquet":
        assert parquet.read_table(rows).num_rows == 0


@pytest.mark.parametrize(
    ("to", "rows", "out", "names"),
    [
        ("csv", BOTH, None, ["items.csv", "letters.csv"]),
        ("csv", "items", None, ["items.csv"]),
        ("csv", BOTH, "t.csv", ["t-items.csv", "t-letters.csv"]),
        ("csv", LETTERS, "t.csv", ["t.csv"]),
        ("xlsx", BOTH, None, ["tables.xlsx"]),
        ("xlsx", LETTERS, None, ["letters.xlsx"]),
        ("sqlite", ALL, None, ["tables.sqlite"]),
        ("xlsx", BOTH, "t.xlsx", ["t.xlsx"]),
    ],
)
def test_where_tables_go(to: str, rows: str, out: str | None, names: list[str]) -> None:
    goals = targets(Path("here"), to, tables_of(TYPE, rows), Path("here", out) if out else None)
    assert [goal.path for goal in goals] == [Path("here", name) for name in names]


# ---- the command --------------------------------------------------------------------------------


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy workspace with a run in ``out``: three notes and an empty letter."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    put(tmp_path / "toy/letters/empty.txt", "")
    assert cli("run", "letters", "--out", "out").code == 1
    return tmp_path / "toy"


def test_export_of_a_run(ran: Path) -> None:
    done = cli("export", "out", "--to", "csv")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"parcels: 4 rows in {Path('out/parcels.csv')}\nletters: 4 rows in {Path('out/letters.csv')}\n"
    rows = [
        (row["letter_id"], row["row"], row["parcels.number"], row["parcels.on"], row["carrier"])
        for row in in_csv(ran / "out/parcels.csv")
    ]
    assert rows == [
        ("blue", "1", "12", "2020-03-04", "Blue Van"),
        ("blue", "2", "13", "", "Blue Van"),
        ("red", "1", "7", "2019-12-31", "Red Cart"),
        ("slow", "1", "12", "", "Slow Boat"),
    ]
    letters = {row["letter_id"]: (row["status"], row["error"]) for row in in_csv(ran / "out/letters.csv")}
    assert letters == {
        "blue": ("accepted", ""),
        "empty": ("failed", "empty"),
        "red": ("accepted", ""),
        "slow": ("accepted", ""),
    }


def test_export_while_a_run_goes_on(ran: Path) -> None:
    with Ledger(ran / "out"):
        assert cli("export", "out", "--rows", "letters").out.startswith("letters: 4 rows")


def test_export_says_it_as_json(ran: Path) -> None:
    done = cli("export", "out", "--rows", "parcels", "--out", "mine.parquet", "--json")
    assert done.json == [{"table": "parcels", "rows": 4, "file": "mine.parquet"}]
    assert parquet.read_table("mine.parquet").num_rows == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["out", "--to", "ods"], "unknown format 'ods'"),
        (["out", "--rows", "decisions"], "letter type parcel has no table 'decisions'"),
        (["letters"], "no run in letters"),
        (["nowhere"], "no run in nowhere"),
        (["out", "--out", "no/such/t.csv"], "cannot write no/such/t-parcels.csv: No such file or directory"),
        (["out", "--rows", "letters", "--to", "csv", "--out", "letters"], "--out letters is a folder"),
        (["out", "--out", "t.tsv"], "t.tsv ends in .tsv, which is no format of tables"),
        (["out", "--out", "t"], "t has no ending that names a format"),
        (["out", "--to", "csv", "--out", "."], "--out . is a folder"),
        (["out", "--to", "csv", "--out", "/"], "--out / is a folder"),
        (["out", "--to", "csv", "--out", ".."], "--out .. is a folder"),
        (["out", "--to", "csv", "--out", "t.xlsx"], "t.xlsx is named like a file of xlsx, and csv is asked for"),
        (["out", "--out", "out/run.db"], "out/run.db is a file of a run"),
        (["out", "--rows", "letters", "--out", "out/review.jsonl"], "out/review.jsonl is a file of a run"),
        (["out", "--type", "post"], "no letter type 'post'"),
    ],
)
def test_what_cannot_be_exported(ran: Path, words: list[str], message: str) -> None:
    before = sorted(ran.glob("[a-q]*/*"))
    found = cli("export", *words)
    assert found.code == 2
    assert message in found.err
    # Whoever looks into the ledger leaves its index beside it.
    assert [path for path in sorted(ran.glob("[a-q]*/*")) if not path.name.startswith("run.db-")] == before


def test_a_changed_schema_is_refused(ran: Path) -> None:
    with Ledger(ran / "out") as ledger:
        assert next(ledger.records()).schema_sha256
    model = ran / "schemas/parcel/model.py"
    model.write_text(model.read_text("utf-8").replace('"delivered", "lost"', '"delivered", "lost", "late"'), "utf-8")
    from tests.support.toy import forget_workspaces

    forget_workspaces()
    done = cli("export", "out")
    assert done.code == 2
    assert "was made with another schema than parcel has now" in done.err


@pytest.mark.parametrize(("to", "library"), [("parquet", "pyarrow"), ("xlsx", "xlsxwriter")])
def test_a_missing_library_names_the_extra(ran: Path, monkeypatch: pytest.MonkeyPatch, to: str, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    done = cli("export", "out", "--to", to)
    assert done.code == 2
    assert f"{to} needs {library}" in done.err
    assert "letterproof[export]" in done.err
