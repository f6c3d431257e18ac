"""Withheld values are counted wherever a run is described: summary, status, tables, evals, review."""

from __future__ import annotations

import asyncio
import copy
import csv
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import LedgerError
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scored_run import scored
from extractor.evaluation.scores.summary import LetterScore
from extractor.letters.letter import LetterFile
from extractor.lettertypes.findings import Withheld
from extractor.models.model import Question, Reply
from extractor.pointers import value_at
from extractor.review.fields import Field, record_view
from extractor.review.queue import entry_of
from extractor.review.state import State
from extractor.runs.export import Reviewed, tables_of
from extractor.runs.ledger import Keys, Ledger, LedgerView
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from tests.support.evals import is_protected, leaf
from tests.support.imr import IMR, bundled, gold
from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import cli, put

LETTER = bundled("partly-authorized")
TRUE = gold(LETTER.id)
ABOUT = {"set": "t", "prompt": None, "model": "m"}
QUOTE = "/decisions/0/reason_quote"


def changed(**values: Any) -> dict[str, Any]:
    """The true answer with other values, by path with ``__`` for ``/``."""
    answer = copy.deepcopy(TRUE)
    for path, value in values.items():
        *way, name = path.split("__")
        place = answer
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[name] = value
    return answer


WRONG = changed(header__priority="Urgent", decisions__0__reason_quote="words that nobody wrote in this letter")
PROTECTED = changed(header__decision_date="2001-02-03")


class Constant:
    """A model that gives one answer."""

    name = "openai/constant"

    def __init__(self, answer: dict[str, Any]) -> None:
        self.params: dict[str, Any] = {}
        self.reply = json.dumps(answer)

    async def ask(self, question: Question) -> Reply:
        return Reply(self.reply)

    def stop_retrying(self) -> None: ...

    async def aclose(self) -> None: ...


def record(answer: dict[str, Any], *, strict: bool = False, letter_id: str = LETTER.id) -> Record:
    made = asyncio.run(extract(LETTER, Plan(IMR, Constant(answer), reasks=0, strict=strict)))
    return replace(made, letter_id=letter_id)


def test_what_is_withheld_here() -> None:
    assert set(record(WRONG).withheld) == {"/header/priority", QUOTE, "/decisions/0/reason"}
    assert record(WRONG).status == "accepted"
    assert (record(WRONG, strict=True).withheld, record(WRONG, strict=True).status) == ({}, "needs_review")


# ---- ledger and status -----------------------------------------------------------------------------


def test_the_ledger_counts_values_and_letters(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.store_record(record(WRONG, letter_id="old"), Keys("1", "1"))
    with Ledger(tmp_path) as ledger:
        for name, answer in (("a", WRONG), ("b", TRUE), ("c", PROTECTED)):
            ledger.store_record(record(answer, letter_id=name), Keys(name, name))
        assert ledger.handled_withheld() == (3, 1)
        assert ledger.withheld() == (6, 2)
    done = cli("status", tmp_path)
    assert "6 values are withheld in 2 letters" in done.out
    assert cli("status", tmp_path, "--json").json["withheld"] == {"values": 6, "letters": 2}


def third_version(folder: Path) -> Path:
    """A ledger as the third version wrote it: no count in the letters' rows."""
    with Ledger(folder) as ledger:
        for name, answer in (("a", WRONG), ("b", TRUE)):
            ledger.store_record(record(answer, letter_id=name), Keys(name, name))
    old = "letter_id, ask_key, check_key, status, run, at, error, attempts, input_tokens, output_tokens,"
    old += " cached_tokens, reasoning_tokens, cache_write_tokens, cost_e8"
    with closing(sqlite3.connect(folder / "run.db")) as db:
        from extractor.runs.ledger.rows import prepare

        prepare(db)
        db.execute("ALTER TABLE letters DROP COLUMN withheld")
        db.execute(f"UPDATE letters SET checksum = checksum_of({old})")
        db.execute("PRAGMA user_version = 3")
        db.commit()
    return folder


def test_a_ledger_of_the_third_version_is_counted_too(tmp_path: Path) -> None:
    with Ledger(third_version(tmp_path)) as ledger:
        assert ledger.withheld() == (3, 1)
        ledger.check()
    with LedgerView(tmp_path) as view:
        assert view.withheld() == (3, 1)


def test_a_row_that_was_damaged_before_stays_damaged(tmp_path: Path) -> None:
    third_version(tmp_path)
    with closing(sqlite3.connect(tmp_path / "run.db")) as db:
        db.execute("UPDATE letters SET status = 'failed' WHERE letter_id = 'b'")
        db.commit()
    with Ledger(tmp_path), LedgerView(tmp_path) as view, pytest.raises(LedgerError, match="letter b has changed"):
        view.withheld()


# ---- the command line ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "status", "withheld"),
    [([], 0, "accepted", {"values": 3, "letters": 1}), (["--strict"], 1, "needs_review", {"values": 0, "letters": 0})],
)
def test_a_run_reports_what_it_withheld(
    tmp_path: Path, options: list[str], code: int, status: str, withheld: dict[str, int]
) -> None:
    put(tmp_path / f"letters/{LETTER.id}.txt", LETTER.text)

    def script(number: int, asked: Asked) -> Canned:
        return message(json.dumps(WRONG))

    with endpoint(script) as server:
        words = ["run", tmp_path / "letters", "--out", tmp_path / "out", "--model", "openai/m"]
        words += ["--base-url", server.url, "--reask", "0", *options]
        ran = cli(*words)
        report = cli(*words, "--json").json
    assert (ran.code, report[status], report["withheld"]) == (code, 1, withheld), (ran, report)
    assert ("3 values are withheld in 1 letter:" in ran.out) == (not options)
    assert ("withheld: not_in_text" in ran.out) == (not options)
    exported = cli("export", tmp_path / "out", "--to", "csv", "--rows", "letters", "--out", tmp_path / "t.csv")
    assert exported.code == 0, exported.err
    [row] = csv.DictReader((tmp_path / "t.csv").read_text("utf-8-sig").splitlines())
    expected = "" if options else "header.priority; decisions.reason_quote; decisions.reason"
    assert set(row["withheld"].split("; ")) == set(expected.split("; "))


# ---- tables ----------------------------------------------------------------------------------------


def test_tables_name_the_columns_that_are_withheld() -> None:
    found = {}
    for table in tables_of(IMR):
        names = [column.name for column in table.columns]
        found[table.name] = [dict(zip(names, row, strict=True)) for row in table.rows(Reviewed(record(WRONG)))]
    [letter] = found["letters"]
    first, *others = found["decisions"]
    assert letter["withheld"] == "header.priority; decisions.reason_quote; decisions.reason"
    assert (first["withheld"], first["letter_withheld"]) == (
        "decisions.reason_quote; decisions.reason",
        "header.priority",
    )
    assert {(row["withheld"], row["letter_withheld"]) for row in others} <= {(None, "header.priority")}
    assert (letter["header.priority"], first["decisions.reason_quote"]) == (None, None)


# ---- evals -----------------------------------------------------------------------------------------


def test_an_eval_counts_them_as_omitted_and_not_as_silent(tmp_path: Path) -> None:
    file = LetterFile(LETTER.id, put(tmp_path / "letter.txt", LETTER.text))
    [made] = [Gold(file, LETTER, TRUE, [{"role": "test"}])]
    summary = scored(IMR, [made], [record(WRONG)], ABOUT).summary
    # Quotes are not scored: any one that shows the reason is right.
    assert (summary["omitted"], summary["withheld"], summary["silent_other_errors"]) == (2, 2, 0)
    assert summary["withheld_right"] == 1, "the reason was right, and went with its quote"
    # A null where the letter states a value is withheld too: the record names it, so it is not silent.
    nothing = scored(IMR, [made], [record(changed(header__priority=None))], ABOUT).summary
    assert (nothing["withheld"], nothing["withheld_right"], nothing["silent_other_errors"]) == (1, 0, 0)
    assert scored(IMR, [made], [record(TRUE)], ABOUT).summary["withheld"] == 0


@pytest.mark.parametrize(
    ("path", "gold_value", "withheld", "leaves", "right"),
    [
        ("/a", "x", {}, 0, 0),
        ("/a", "x", {"/a": "y"}, 1, 0),
        ("/a", "left-sided", {"/a": "left\u2010sided"}, 1, 1),
        ("/a", 7, {"/a": 7}, 1, 1),
        ("/a", "x", {"/b": "x"}, 0, 0),
        ("/a", "x", {"/ab": "x"}, 0, 0),
        # An element of a list, or all of the list.
        ("/a", "x", {"/a/3": "x", "/a/4": "y"}, 1, 1),
        ("/a", "x", {"/a": ["y", "x"]}, 1, 1),
        ("/a", [{"first": 1, "last": 2}], {"/a": [{"first": 1, "last": 2}]}, 1, 1),
        ("/a", [{"first": 1, "last": 2}], {"/a": [{"first": 1, "last": 3}]}, 1, 0),
    ],
)
def test_which_omitted_values_were_withheld(
    path: str, gold_value: Any, withheld: dict[str, Any], leaves: int, right: int
) -> None:
    omitted = replace(leaf(path, "omitted", gold_value), answer_path=path)
    letter = LetterScore("l", "accepted", (omitted,), withheld=withheld)
    assert (len(letter.withheld_leaves), letter.rightly_given) == (leaves, right)
    assert not is_protected(omitted.field)


# ---- review ----------------------------------------------------------------------------------------


def fields(made: Record) -> dict[str, Field]:
    return {each.path: each for each in record_view(IMR, made, State(), LETTER).fields}


def test_the_review_page_has_what_the_model_gave() -> None:
    shown = fields(record(WRONG))
    assert shown["/header/priority"].withheld == ("Urgent",)
    assert shown["/header/priority"].text == ""
    assert shown[QUOTE].withheld == (value_at(WRONG, QUOTE),)
    assert shown["/header/case_number"].withheld == ()
    elements = replace(record(TRUE), withheld={"/diagnoses/1": Withheld("gout", "not_in_text")})
    assert fields(elements)["/diagnoses"].withheld == ("gout",)


def test_the_queue_finds_letters_with_withheld_values() -> None:
    entry = entry_of(IMR, record(WRONG))
    assert (entry.withheld, "withheld" in entry.codes, entry.flagged) == (3, True, False)
    assert "withheld" not in entry_of(IMR, record(TRUE)).codes
