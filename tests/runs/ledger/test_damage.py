"""A ledger that was changed, cut or emptied behind our back: refused, or every record is as it was. Never in silence."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from extractor.errors import LedgerError
from extractor.models.model import Reply
from extractor.runs.bulk.merge import merge_runs
from extractor.runs.bulk.output import Output
from extractor.runs.ledger import Keys, Ledger, LedgerView
from extractor.runs.ledger.beside import RECORDS, refuse_foreign_records
from extractor.runs.record import Record
from tests.support.toy import cli, write_toy

LETTERS = 40
FLIPS = 100
CUTS = 30
COPIES = 20


def record(number: int) -> Record:
    usage = {"input_tokens": 100, "output_tokens": 10, "cached_tokens": 64}
    data = {
        "letter_id": f"letter-{number:03}",
        "letter_sha256": None,
        "letter_type": "parcel",
        "status": "accepted",
        "answer": {"words": ["as it was found"] * 20, "number": number},
        "attempts": [{}],
        "usage": usage,
        "cost_usd": 0.01,
        "error": None,
    }
    return Record.from_dict(data)


def keep(ledger: Ledger, output: Output, number: int) -> None:
    keys = Keys(f"ask {number}", f"check {number}")
    ledger.store_reply(keys, Reply(f"reply {number}"))
    line = ledger.store_record(record(number), keys)
    output.add(record(number).letter_id, line, replaces=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder."""
    folder = tmp_path_factory.mktemp("run") / "out"
    with Ledger(folder) as ledger, Output(folder, ledger) as output:
        for number in range(LETTERS):
            keep(ledger, output, number)
    assert sorted(path.name for path in folder.iterdir()) == [RECORDS, "run.db", "run.lock"]
    return folder


def copied(folder: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def lines(folder: Path) -> list[str]:
    return (folder / RECORDS).read_text("utf-8").splitlines()


def resume(folder: Path) -> None:
    """What every command that writes a run folder does first and last."""
    refuse_foreign_records(folder)
    with Ledger(folder) as ledger:
        ledger.begin("plan", "nothing", {})
        with Output(folder, ledger) as output:
            output.rewrite()
            for number in range(LETTERS):
                assert ledger.entry(f"letter-{number:03}") in (None, (f"check {number}", "accepted", 0))
                assert [reply.text for reply in ledger.replies(Keys(f"ask {number}", ""))] in ([], [f"reply {number}"])
        ledger.save_state({}, ended=True)


def refused(act: Callable[[], object]) -> str:
    """The error of an act that may be refused; empty if it was not."""
    found: LedgerError | None = None
    try:
        act()
    except LedgerError as error:
        found = error
    assert found is None or found.hint
    return found.message if found else ""


def test_flipped_bytes(whole: Path, tmp_path: Path) -> None:
    chance, before, size = random.Random(19), lines(whole), (whole / "run.db").stat().st_size
    found = 0
    for _ in range(FLIPS):
        folder = copied(whole, tmp_path / "flipped")
        data = bytearray((folder / "run.db").read_bytes())
        data[chance.randrange(size)] ^= 1 << chance.randrange(8)
        (folder / "run.db").write_bytes(data)
        found += bool(refused(lambda folder=folder: resume(folder)))  # type: ignore[misc]
        assert lines(folder) == before
    # The rest hit bytes that hold nothing.
    assert found > FLIPS // 3


def test_a_flipped_byte_of_a_record_is_named(whole: Path, tmp_path: Path) -> None:
    folder = copied(whole, tmp_path / "flipped")
    data = (folder / "run.db").read_bytes()
    where = data.index(b'"letter_id":"letter-007"')
    place = data.index(b"as it was found", where)
    (folder / "run.db").write_bytes(data[:place] + b"at" + data[place + 2 :])
    assert "record of letter letter-007 has changed" in refused(lambda: resume(folder))
    with LedgerView(folder) as view, pytest.raises(LedgerError, match="letter-007"):
        list(view.records())
    with LedgerView(folder) as view:
        assert view.counts() == {"accepted": LETTERS}
    assert "letter-007" in refused(lambda: merge_runs([folder], tmp_path / "merged"))


def test_a_changed_status_is_no_count(whole: Path, tmp_path: Path) -> None:
    folder = copied(whole, tmp_path / "changed")
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute("UPDATE letters SET status = 'failed' WHERE letter_id = 'letter-003'")
        db.commit()
    with LedgerView(folder) as view:
        for count in (view.counts, view.totals, view.errors, lambda: view.entry("letter-003")):
            with pytest.raises(LedgerError, match="letter-003"):
                count()


@pytest.mark.parametrize("by", ["page", "byte"])
def test_a_ledger_cut_short(whole: Path, tmp_path: Path, by: str) -> None:
    chance, before, data = random.Random(4), lines(whole), (whole / "run.db").read_bytes()
    for _ in range(CUTS):
        folder = copied(whole, tmp_path / "cut")
        size = chance.randrange(len(data))
        (folder / "run.db").write_bytes(data[: size - size % 4096 if by == "page" else size])
        refused(lambda folder=folder: resume(folder))  # type: ignore[misc]
        assert lines(folder) == before


def emptied_file(folder: Path) -> None:
    (folder / "run.db").write_bytes(b"")


def emptied_tables(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "run.db")) as db:
        for table in ("letters", "records", "replies", "facts"):
            db.execute(f"DELETE FROM {table}")
        db.commit()


def new_ledger(folder: Path) -> None:
    (folder / "run.db").unlink()
    with Ledger(folder):
        pass


def fewer_letters(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "run.db")) as db:
        for table in ("letters", "records"):
            db.execute(f"DELETE FROM {table} WHERE letter_id > 'letter-003'")
        db.commit()


def no_record(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.execute("DELETE FROM records WHERE letter_id = 'letter-003'")
        db.execute("DELETE FROM facts")
        db.commit()


def no_ledger(folder: Path) -> None:
    (folder / "run.db").unlink()


@pytest.mark.parametrize("spoil", [emptied_file, emptied_tables, new_ledger, fewer_letters, no_record, no_ledger])
def test_a_ledger_that_knows_less_is_refused(whole: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = copied(whole, tmp_path / "less")
    spoil(folder)
    assert refused(lambda: resume(folder))
    assert lines(folder) == lines(whole)
    # As the error advises: with the file moved away, the run goes on with what the ledger knows.
    if spoil is fewer_letters:
        assert "letter-004 and 35 more" in refused(lambda: resume(folder))
        (folder / RECORDS).rename(folder / "kept.jsonl")
        resume(folder)
        assert lines(folder) == lines(whole)[:4]


def test_a_lost_log(whole: Path, tmp_path: Path) -> None:
    """Killed before the log went into the file; then the log was lost."""
    folder, killed = tmp_path / "out", tmp_path / "killed"
    with Ledger(folder) as ledger, Output(folder, ledger) as output:
        for number in range(LETTERS):
            keep(ledger, output, number)
        copied(folder, killed)
    assert (killed / "run.db-wal").stat().st_size
    before = lines(killed)
    (killed / "run.db-wal").unlink()
    assert refused(lambda: resume(killed))
    assert lines(killed) == before


@pytest.mark.slow
def test_copies_made_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """File by file, in any order, while the run writes: the copy goes on, or is refused."""
    chance, usable = random.Random(7), 0
    for number in range(COPIES):
        folder, copy = tmp_path / f"out-{number}", tmp_path / f"copy-{number}"
        copy.mkdir()
        names = ["run.db", "run.db-wal", RECORDS]
        chance.shuffle(names)
        moments = sorted(chance.sample(range(LETTERS), 3))
        with Ledger(folder) as ledger, Output(folder, ledger) as output:
            ledger._db.execute(f"PRAGMA wal_autocheckpoint={chance.choice([1, 5, 4000])}")
            for letter in range(LETTERS):
                keep(ledger, output, letter)
                if letter in moments:
                    name = names[moments.index(letter)]
                    if (folder / name).exists():
                        shutil.copy(folder / name, copy / name)
        before, whole = lines(copy), lines(folder)
        if not refused(lambda copy=copy: resume(copy)):  # type: ignore[misc]
            usable += 1
            assert set(before) <= set(lines(copy)) <= set(whole)
        else:
            assert lines(copy) == before
    assert usable > 0


@pytest.mark.parametrize("line", ["no json", "{}", "[1]", '{"letter_id": 7}', '"x"', "[" * 100_000])
def test_a_foreign_line_beside_the_ledger(whole: Path, tmp_path: Path, line: str) -> None:
    folder = copied(whole, tmp_path / "foreign")
    with (folder / RECORDS).open("a") as file:
        file.write(line + "\n")
    assert f"{RECORDS}:{LETTERS + 1} is no record" in refused(lambda: resume(folder))
    assert lines(folder)[-1] == line


def test_half_a_line_is_what_a_kill_leaves(whole: Path, tmp_path: Path) -> None:
    folder = copied(whole, tmp_path / "half")
    with (folder / RECORDS).open("a") as file:
        file.write('{"letter_id":"letter-9')
    resume(folder)
    assert lines(folder) == lines(whole)


def test_every_command_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_toy(tmp_path))
    assert cli("run", "letters", "--out", "out").code == 0
    fewer = "DELETE FROM {} WHERE letter_id = 'red'"
    with closing(sqlite3.connect("out/run.db")) as db:
        for table in ("letters", "records"):
            db.execute(fewer.format(table))
        db.commit()
    before = (tmp_path / "out" / RECORDS).read_bytes()
    for words in (["run", "letters", "--out", "out"], ["export", "out"], ["merge", "out", "--out", "new"]):
        ran = cli(*words)
        assert (ran.code, "no record of red" in ran.err) == (2, True), words
    assert (tmp_path / "out" / RECORDS).read_bytes() == before
    assert [json.loads(line)["letter_id"] for line in before.splitlines()] == ["blue", "red", "slow"]


# ---- sizes and times as they were ----------------------------------------------------------------


def statement(sql: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "run.db")) as db:
            db.executescript(sql)

    return spoil


def cut(folder: Path) -> None:
    data = (folder / "run.db").read_bytes()
    (folder / "run.db").write_bytes(data[: len(data) * 99 // 100])


def with_times_kept(spoil: Callable[[Path], None], folder: Path) -> None:
    before = {path: path.stat() for path in folder.iterdir()}
    spoil(folder)
    for path, stats in before.items():
        os.utime(path, ns=(stats.st_atime_ns, stats.st_mtime_ns))


DAMAGE = {
    "every second record is gone": (statement("DELETE FROM records WHERE rowid % 2"), r"record of (letter )?blue"),
    "all records are gone": (statement("DELETE FROM records"), r"record of (letter )?blue"),
    "an entry is gone": (statement("DELETE FROM letters WHERE letter_id = 'red'"), "entry of letter red is missing"),
    "a letter is gone": (
        statement("DELETE FROM letters WHERE letter_id = 'red'; DELETE FROM records WHERE letter_id = 'red'"),
        "no record of red",
    ),
    "all letters are gone": (statement("DELETE FROM letters; DELETE FROM records"), "no record of blue and 2 more"),
    "an entry has changed": (
        statement("UPDATE letters SET cost_e8 = 7 WHERE letter_id = 'red'"),
        "entry of letter red",
    ),
    "a record has changed": (
        statement("UPDATE records SET record = replace(record, 'Red', 'Rad') WHERE letter_id = 'red'"),
        "record of letter red has changed",
    ),
    "1 % is cut off": (cut, "run.db"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_that_leaves_the_times_is_refused_by_each_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    spoil, reason = DAMAGE[name]
    monkeypatch.chdir(write_toy(tmp_path))
    assert cli("run", "letters", "--out", "out").code == 0
    before = (tmp_path / "out" / RECORDS).read_bytes()
    with_times_kept(spoil, tmp_path / "out")
    for words in (["run", "letters", "--out", "out"], ["export", "out"], ["merge", "out", "--out", "new"]):
        ran = cli(*words)
        assert (ran.code, re.search(reason, ran.err) is not None) == (2, True), (words, ran)
    assert (tmp_path / "out" / RECORDS).read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "out").glob("*.csv")) == []


def test_records_edited_with_size_and_times_kept_are_made_again(whole: Path, tmp_path: Path) -> None:
    folder = copied(whole, tmp_path / "edited")

    def edit(folder: Path) -> None:
        data = (folder / RECORDS).read_bytes()
        (folder / RECORDS).write_bytes(data.replace(b'"number":7', b'"number":8'))

    with_times_kept(edit, folder)
    assert lines(folder) != lines(whole)
    with Ledger(folder) as ledger, Output(folder, ledger):
        pass
    assert lines(folder) == lines(whole)


def replaced(path: Path) -> None:
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)


def longer(path: Path) -> None:
    with path.open("a") as file:
        file.write("{}\n")


@pytest.mark.parametrize("change", [replaced, longer, Path.unlink])
def test_records_replaced_during_a_run_are_made_again(
    whole: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = copied(whole, tmp_path / "replaced")
    with Ledger(folder) as ledger, Output(folder, ledger) as output:
        change(folder / RECORDS)
        keep(ledger, output, LETTERS)
        more = record(LETTERS).as_json()
    assert lines(folder) == [*lines(whole), more]


def test_an_empty_ledger_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "run.db").touch()
    for words in (["export", str(tmp_path)], ["status", str(tmp_path)]):
        err = cli(*words).err
        assert f"{tmp_path / 'run.db'} is empty\n  restore run.db from a copy" in err
