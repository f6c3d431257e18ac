"""The ledger: what it keeps, how it grows from version to version, and who may look or write."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import LedgerError
from extractor.models.model import Reply, Usage
from extractor.models.offline import OfflineModel
from extractor.models.prompts import load_prompt
from extractor.runs.ledger import Keys, Ledger, LedgerEntry, LedgerView, keys_of, plan_key, running
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.workspace.workspace import Workspace
from tests.support.toy import put, write_toy

KEYS = Keys("ask", "check")


def record(letter_id: str, status: str = "accepted", **more: Any) -> Record:
    usage = {"input_tokens": 100, "output_tokens": 10, "cached_tokens": 64}
    data = {
        "letter_id": letter_id,
        "letter_sha256": None,
        "letter_type": "parcel",
        "status": status,
        "attempts": [{}],
        "usage": usage,
        "cost_usd": 0.01,
        "error": None,
        **more,
    }
    return Record.from_dict(data)


def texts(ledger: LedgerView, keys: Keys = KEYS, since: int = 0) -> list[str]:
    return [reply.text for reply in ledger.replies(keys, since)]


# ---- keys ------------------------------------------------------------------------------------


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    root = write_toy(tmp_path / "toy")
    put(root / "prompts/parcel/v2.md", "---\ntitle: B\nwhy: C\n---\nRead the note.\n")
    prompt = load_prompt(root / "prompts/parcel", "parcel@v1", "parcel")
    return Plan(Workspace(root).letter_type(), OfflineModel(), prompt)


@pytest.mark.parametrize(
    ("what", "ask", "check"),
    [
        ("nothing", False, False),
        ("prompt", True, True),
        ("model", True, True),
        ("params", True, True),
        ("schema", True, True),
        ("checks", False, True),
        ("reasks", False, True),
    ],
)
def test_what_asks_anew_and_what_only_checks_anew(
    plan: Plan, tmp_path: Path, what: str, ask: bool, check: bool
) -> None:
    other = changed(plan, what, tmp_path / "toy")
    before, after = keys_of("sha", plan), keys_of("sha", other)
    assert (before.ask != after.ask, before.check != after.check) == (ask, check)
    assert (plan_key(plan) != plan_key(other)) == ask
    assert keys_of("other", plan).ask != before.ask


def test_another_version_of_the_engine_checks_anew_and_does_not_ask(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys_of("sha", plan)
    monkeypatch.setattr("extractor.runs.ledger.keys.ENGINE", "another")
    after = keys_of("sha", plan)
    assert after.ask == before.ask
    assert after.check != before.check


def changed(plan: Plan, what: str, root: Path) -> Plan:
    class Other(OfflineModel):
        name = "other" if what == "model" else OfflineModel.name
        params = {"temperature": 1} if what == "params" else {}  # type: ignore[assignment]

    kind = plan.letter_type
    if what == "prompt":
        return replace(plan, prompt=load_prompt(root / "prompts/parcel", "parcel@v2", "parcel"))
    if what == "schema":
        kind = replace(kind)
        kind.__dict__["schema_sha256"] = "other"
    if what == "checks":
        kind = replace(kind, checks_version=kind.checks_version + 1)
    return replace(plan, letter_type=kind, model=Other(), reasks=2 if what == "reasks" else plan.reasks)


# ---- rounds of replies -------------------------------------------------------------------------


def test_replies_come_back_in_order_and_of_the_newest_round(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.store_reply(KEYS, Reply("a1"))
        ledger.store_reply(KEYS, Reply("a2", Usage(1, 2), "stop", 3, 0.5, "truncated"))
        assert texts(ledger) == ["a1", "a2"]
        assert ledger.replies(KEYS)[1] == Reply("a2", Usage(1, 2), "stop", 3, 0.5, "truncated")
        # Run 7 asks again: what came before does not count for it.
        assert texts(ledger, since=7) == []
        ledger.store_reply(KEYS, Reply("b1"), since=7)
        assert (texts(ledger, since=7), texts(ledger)) == (["b1"], ["b1"])
        # What is added later belongs to the newest round.
        ledger.store_reply(KEYS, Reply("b2"))
        assert texts(ledger) == ["b1", "b2"]
        assert texts(ledger, Keys("other", "")) == []


# ---- runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "ended", "left", "second", "since"),
    [
        ("all", False, 3, "all", 1),
        ("all", True, 3, "all", 1),
        ("all", True, 0, "all", 2),
        ("failed", False, 3, "all", 2),
        ("nothing", False, 3, "all", 2),
        ("failed", False, 3, "failed", 1),
    ],
)
def test_a_run_cut_short_is_gone_on_with(
    tmp_path: Path, first: str, ended: bool, left: int, second: str, since: int
) -> None:
    with Ledger(tmp_path) as ledger:
        assert ledger.begin("plan", first, {}) == 1
        ledger.save_state({"left": left}, ended=ended)
        assert ledger.since("plan", second) == since
        assert ledger.since("another plan", second) == 2
        assert ledger.begin("plan", second, {}) == since
        assert ledger.run == 2


# ---- counting ----------------------------------------------------------------------------------


def test_what_is_counted(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin("plan", "nothing", {})
        ledger.store_record(record("a"), Keys("1", "1"))
        ledger.store_record(record("copy of a"), Keys("1", "1"))
        ledger.store_record(record("b", "needs_review"), Keys("2", "2"))
        ledger.store_record(record("c", cost_usd=None), Keys("3", "3"))
        ledger.store_record(
            record("d", "failed", attempts=[], usage={}, cost_usd=0.0, error={"code": "empty", "message": "empty"}),
            Keys("4", "4"),
        )
        assert ledger.counts() == {"accepted": 3, "needs_review": 1, "failed": 1}
        assert ledger.errors() == {"empty": 1}
        assert ledger.entry("b") == LedgerEntry("2", "needs_review", 1)
        assert ledger.entry("z") is None
        totals = ledger.totals()
        assert (totals.asked, totals.unpriced, totals.usd) == (3, 1, Decimal("0.02"))
        assert totals.usage == Usage(300, 30, 192)
        assert ledger.unpriced().letter_id == "c"
        took = ledger.took("b", Keys("2", ""))
        assert took
        assert (took.usage.input_tokens, took.usd) == (100, Decimal("0.01"))
        assert ledger.took("b", Keys("3", "")) is None
        assert ledger.took("d", Keys("4", "")) is None


def test_only_the_letters_of_this_run_are_handled(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for name in "abc":
            ledger.store_record(record(name), Keys(name, name))
    with Ledger(tmp_path) as ledger:
        ledger.handled("a")
        ledger.store_record(record("d", "failed"), Keys("d", "d"))
        assert ledger.handled_counts() == {"accepted": 1, "failed": 1}
        assert ledger.handled_totals().asked == 2
        assert [each.letter_id for each in ledger.handled_records(9)] == ["d", "a"]
        assert [each.letter_id for each in ledger.handled_records(1)] == ["d"]


@pytest.mark.parametrize("text", ["plain", "naïve “quotes” 医", "line\u2028end", "half \ud800 a character", "\x00\x1f"])
def test_any_text_is_one_line(text: str) -> None:
    made = record("a", answer={"got": text})
    line = made.as_json()
    assert "\n" not in line
    assert Record.from_json(line.encode()) == made


def test_which_files_hold_a_letter_of_a_status(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for name in ("a", "b#2", "c/d.pdf", "e$", "f0"):
            ledger.store_record(record(name, "failed"), Keys(name, name))
        held = [name for name in ("a", "b", "c", "e", "f", "g") if ledger.holds(name, "failed")]
        assert held == ["a", "b", "c"]
        assert not ledger.holds("a", "accepted")


# ---- from version to version ---------------------------------------------------------------------


def old_ledger(folder: Path) -> None:
    """A ledger as the first version wrote it."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute(
            "CREATE TABLE letters (letter_id TEXT PRIMARY KEY, ask_key TEXT NOT NULL, check_key TEXT NOT NULL,"
            " status TEXT NOT NULL, record TEXT NOT NULL)"
        )
        db.execute(
            "CREATE TABLE replies (ask_key TEXT NOT NULL, number INTEGER NOT NULL, reply TEXT NOT NULL,"
            " PRIMARY KEY (ask_key, number))"
        )
        for name in "ba":
            db.execute(
                "INSERT INTO letters VALUES (?, ?, ?, ?, ?)",
                (name, f"ask {name}", f"check {name}", "accepted", record(name).as_json()),
            )
        db.execute(
            "INSERT INTO replies VALUES ('ask a', 1, ?)", (json.dumps({"text": "{}", "usage": {"input_tokens": 9}}),)
        )
        db.execute("PRAGMA user_version = 1")
        db.commit()


def test_a_ledger_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    old_ledger(tmp_path / "out")
    with pytest.raises(LedgerError, match="older version"):
        LedgerView(tmp_path / "out")
    for _ in range(2):
        with Ledger(tmp_path / "out") as ledger:
            assert [each.letter_id for each in ledger.records()] == ["a", "b"]
            assert ledger.is_done("a", Keys("ask a", "check a"))
            assert not ledger.is_done("a", Keys("ask a", "other"))
            assert texts(ledger, Keys("ask a", "")) == ["{}"]
            assert ledger.totals().usd == Decimal("0.02")
            assert ledger.latest() is None
    assert LedgerView(tmp_path / "out").counts() == {"accepted": 2}


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger._write("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer version"):
        Ledger(tmp_path)
    with pytest.raises(LedgerError, match="newer version"):
        LedgerView(tmp_path)


@pytest.mark.parametrize("content", [b"", b"this is no database, but it is long enough to be read as one" * 40])
def test_no_ledger(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LedgerError, match="no run in"):
        LedgerView(tmp_path)
    (tmp_path / "run.db").write_bytes(content)
    with pytest.raises(LedgerError):
        LedgerView(tmp_path)
    if content:
        with pytest.raises(LedgerError, match="cannot use"):
            Ledger(tmp_path)


# ---- who may look, who may write -----------------------------------------------------------------


def test_looking_on_while_another_writes(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin("plan", "nothing", {"letters": 2})
        ledger.store_record(record("a"), KEYS)
        with LedgerView(tmp_path) as view:
            assert view.counts() == {"accepted": 1}
            ledger.store_record(record("b"), KEYS)
            assert view.counts() == {"accepted": 2}
            with pytest.raises(sqlite3.OperationalError):
                view._db.execute("DELETE FROM letters")
            latest = view.latest()
            assert latest
            assert (latest.run, latest.ended, latest.state) == (1, None, {"letters": 2})


@pytest.mark.skipif(os.name == "nt", reason="no such locks there")
def test_one_writer_at_a_time_also_of_another_process(tmp_path: Path) -> None:
    assert not running(tmp_path)
    code = f"from pathlib import Path\nfrom extractor.runs.ledger import Ledger\nLedger(Path({str(tmp_path)!r}))"
    with Ledger(tmp_path):
        assert running(tmp_path)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert "another run is using" in done.stderr
    assert not running(tmp_path)
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_record_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.store_record(record("a"), KEYS)
        ledger._db.execute("CREATE TRIGGER no BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(LedgerError, match="no room"):
            ledger.store_record(record("a", "failed"), Keys("ask", "other"))
        assert ledger.entry("a") == LedgerEntry("check", "accepted", 0)
        ledger._db.execute("DROP TRIGGER no")
        ledger.store_record(record("a", "failed"), Keys("ask", "other"))
        assert ledger.entry("a") == LedgerEntry("other", "failed", 0)
