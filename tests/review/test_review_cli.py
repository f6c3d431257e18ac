"""``extractor review``, ``extractor gold from-review`` and what ``extractor export`` makes of a review."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from extractor.cli.review import letter_places
from extractor.errors import UsageError
from extractor.evaluation.gold.gold import load_gold
from extractor.review.review import Desk
from extractor.review.reviews import Reviews
from extractor.runs.ledger.rows import checksum_sql, prepare
from extractor.workspace.workspace import Workspace
from tests.support.reviews import desk_of, do, failing, kind_of, lines, lost, record_of, write_run
from tests.support.toy import MODEL, NOTES, cli, put, write_toy


def corrected(root: Path) -> Path:
    """Blue is corrected and accepted, red accepted with its error, slow rejected."""
    out = write_run(root, {"blue": lost, "red": lost})
    desk = desk_of(root)
    do(desk, "blue", act="correct", path="/parcels/0/state", text="delivered")
    do(desk, "blue", act="comment", path="/parcels/1/on", note="no date is given")
    do(desk, "blue", act="accept")
    do(desk, "red", act="accept", confirmed=True)
    do(desk, "slow", act="reject")
    return out


# ---- review -------------------------------------------------------------------------------------


def test_it_serves_until_interrupted_and_prints_its_address_on_stdout(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    words = ["review", str(out), "--letters", str(tmp_path / "letters"), "--name", "Ada", "--workspace", str(tmp_path)]
    running = subprocess.Popen(
        [sys.executable, "-m", "extractor", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout
    address = running.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}\n", address)
    running.send_signal(signal.SIGINT)
    rest, talk = running.communicate(timeout=30)
    assert (running.returncode, rest) == (0, "")
    assert "0 decided, 1 left to check" in talk


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no run in nowhere"),
        (["{out}", "--letters", "{root}/empty"], "no letters in"),
        (["{out}", "--letters", "{root}/other"], "none of the run's letters is in"),
        (["{out}", "--letters", "{root}/letters", "--name", " "], "--name"),
        (["{out}", "--letters", "{root}/letters", "--name", "a\nb"], "--name"),
    ],
)
def test_an_error_states_what_is_missing(tmp_path: Path, words: list[str], message: str) -> None:
    out = write_run(tmp_path)
    (tmp_path / "empty").mkdir()
    put(tmp_path / "other" / "green.txt", NOTES["blue"])
    filled = [word.format(out=out, root=tmp_path) for word in words]
    ran = cli("review", *filled, "--workspace", tmp_path)
    assert ran.code == 2
    assert message in ran.err


def test_a_run_knows_where_its_letters_lie_until_they_are_moved(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    words = ("review", out, "--html", tmp_path / "page.html", "--workspace", tmp_path)
    assert cli(*words).code == 0
    assert "Blue Van" in (tmp_path / "page.html").read_text("utf-8")
    (tmp_path / "letters").rename(tmp_path / "moved")
    ran = cli(*words)
    assert ran.code == 2
    assert "no such file or folder" in ran.err
    assert "--letters PATH" in ran.err
    assert cli(*words, "--letters", tmp_path / "moved").code == 0


def test_letters_of_several_runs_are_found_in_the_folders_of_each(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    put(tmp_path / "more" / "green.txt", NOTES["red"].replace("Red", "Green"))
    assert cli("run", tmp_path / "more", "--out", out, "--workspace", tmp_path).code in (0, 1)
    desk = Desk(out, kind_of(tmp_path), letter_places(out, Workspace(tmp_path), kind_of(tmp_path), None), "Ada")
    assert [entry.letter_id for entry in desk.queue.entries if desk.letter_of(entry).letter is None] == []
    assert desk.letters.missing == []
    assert len(desk.queue.entries) == 4


def test_letters_of_batch_files_are_found_where_they_were_written_from(tmp_path: Path) -> None:
    root, out = write_toy(tmp_path), tmp_path / "out"
    ran = cli("batch", "write", root / "letters", "--out", out, "--model", MODEL, "--workspace", root)
    assert ran.code == 0, ran.err
    assert letter_places(out, Workspace(root), kind_of(root), None) == [[(root / "letters").resolve()]]


def test_a_run_that_noted_no_place_says_so(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    with closing(sqlite3.connect(out / "run.db")) as db, db:
        prepare(db)
        db.execute("UPDATE runs SET state = '{}'")
        db.execute(f"UPDATE runs SET checksum = {checksum_sql('runs')}")
    ran = cli("review", out, "--workspace", tmp_path)
    assert ran.code == 2
    assert "did not store where its letters are" in ran.err


def test_the_mailed_page_holds_all_and_changes_nothing(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    before = (out / "review.jsonl").read_bytes()
    page = tmp_path / "page.html"
    ran = cli("review", out, "--letters", tmp_path / "letters", "--html", page, "--workspace", tmp_path)
    assert (ran.code, ran.out) == (0, f"{page}\n")
    html = page.read_text("utf-8")
    assert "connect-src 'none'; img-src 'none'; form-action 'none'" in unescape(html)
    assert re.findall(r"<(?:form|input|select|textarea|img|link|iframe)", html) == []
    assert re.findall(r"""(?:src|href)=["'](?!#)""", html) == []
    assert "Blue Van" in html
    assert "was <del>lost</del>, by Ada" in html
    [red] = [each for each in html.split('<details class="one-letter"')[1:] if "<h2>red</h2>" in each]
    assert "the letter says something else here" in red.partition("</summary>")[0]
    assert (out / "review.jsonl").read_bytes() == before
    assert page.stat().st_mode & 0o077 == 0


# ---- gold ---------------------------------------------------------------------------------------


def test_reviewed_letters_become_gold_that_says_who_and_whose_answer(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    to = tmp_path / "eval" / "parcel"
    words = ("gold", "from-review", out, "--to", to, "--letters", tmp_path / "letters", "--workspace", tmp_path)
    ran = cli(*words)
    assert (ran.code, ran.out) == (1, f"1 of 2 accepted letters are now gold in {to}\n")
    assert "red: open errors: value_differs" in ran.err
    [gold] = load_gold(to / "letters", to / "gold", kind_of(tmp_path))
    assert gold.letter.text == NOTES["blue"]
    assert gold.answer["parcels"][0]["state"] == "delivered"
    [reviewed] = gold.reviewed
    assert (reviewed["name"], reviewed["saw"]) == ("Ada", "the answer of openai/toy, parcel@v1")
    data = json.loads((to / "gold" / "blue.json").read_text("utf-8"))
    assert data["corrected"] == ["/parcels/0/state"]
    assert data["comments"] == {"/parcels/1/on": ["no date is given"]}
    again = cli(*words, "--force", "--json")
    assert again.json == [
        {"letter_id": "blue", "name": "blue", "refused": "there is gold of this name already"},
        {"letter_id": "red", "name": "red", "refused": None},
    ]
    assert json.loads((to / "gold" / "blue.json").read_text("utf-8")) == data
    forced = json.loads((to / "gold" / "red.json").read_text("utf-8"))
    assert (data.get("open_errors"), forced["open_errors"]) == (None, ["value_differs /parcels/0/state"])


def test_gold_of_a_review_is_scored_like_any_other(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    to = tmp_path / "eval"
    assert cli("gold", "from-review", out, "--to", to, "--workspace", tmp_path).code == 1
    config = (tmp_path / "workspace.toml").read_text("utf-8")
    declared = '[letter_types.parcel]\nletters = "eval/letters"\ngold = "eval/gold"\n'
    put(tmp_path / "workspace.toml", config.replace("[letter_types.parcel]\n", declared))
    ran = cli("eval", "run", "--model", "offline", "--workspace", tmp_path)
    assert ran.code == 0, ran.err
    assert "1 of 1 letters fully right" in " ".join(ran.out.split())


def test_gold_of_an_answer_filled_in_by_hand_says_so(tmp_path: Path) -> None:
    out = write_run(tmp_path)
    failing(tmp_path, "blue")
    desk = desk_of(tmp_path)
    do(desk, "blue", act="fill")
    do(desk, "blue", act="accept")
    assert cli("gold", "from-review", out, "--to", tmp_path / "eval", "--workspace", tmp_path).code == 0
    [gold] = load_gold(tmp_path / "eval" / "letters", tmp_path / "eval" / "gold", kind_of(tmp_path))
    assert gold.reviewed[0]["saw"] == "the reader's reading"
    assert gold.answer["parcels"][0]["state"] == "delivered"
    assert json.loads((tmp_path / "eval" / "gold" / "blue.json").read_text("utf-8"))["corrected"] == ["/"]


def test_what_cannot_be_filled_in_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost}, {**NOTES, "no": "A letter of something else.\n"})
    failing(tmp_path, "no")
    failing(tmp_path, "red")
    desk = desk_of(tmp_path)
    with pytest.raises(UsageError, match="there already is an answer"):
        do(desk, "blue", act="fill")
    with pytest.raises(UsageError, match="this is no parcel note"):
        do(desk, "no", act="fill")
    (tmp_path / "letters" / "red.txt").unlink()
    with pytest.raises(UsageError, match="file is gone"):
        do(desk, "red", act="fill")


def test_an_answer_filled_in_is_corrected_taken_back_and_exported(tmp_path: Path) -> None:
    out = write_run(tmp_path)
    failing(tmp_path, "blue")
    desk = desk_of(tmp_path)

    def state() -> tuple[str, str | None, bool]:
        reviewed = Reviews(out).reviewed(record_of(out, "blue"))
        return reviewed.record.status, reviewed.corrected, reviewed.record.answer is not None

    assert state() == ("failed", None, False)
    do(desk, "blue", act="fill")
    assert state() == ("needs_review", "/", True)
    do(desk, "blue", act="correct", path="/parcels/1/state", text="delivered")
    assert state() == ("needs_review", "/, /parcels/1/state", True)
    do(desk, "blue", act="undo")
    do(desk, "blue", act="undo")
    assert state() == ("failed", None, False)
    assert record_of(out, "blue").answer is None


def test_what_was_done_without_an_answer_is_not_done_to_another_text(tmp_path: Path) -> None:
    out = write_run(tmp_path)
    failing(tmp_path, "blue")
    desk = desk_of(tmp_path)
    do(desk, "blue", act="fill")
    do(desk, "blue", act="accept")
    assert Reviews(out).reviewed(record_of(out, "blue")).record.status == "accepted"
    put(tmp_path / "letters" / "blue.txt", NOTES["slow"])
    assert cli("run", tmp_path / "letters", "--out", out, "--workspace", tmp_path).code in (0, 1)
    failing(tmp_path, "blue")
    reviewed = Reviews(out).reviewed(record_of(out, "blue"))
    assert (reviewed.record.status, reviewed.record.answer, reviewed.review) == ("failed", None, None)


def test_a_letter_of_that_name_that_is_another_is_kept(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    other = put(tmp_path / "eval" / "letters" / "blue.txt", "something else\n")
    words = ("gold", "from-review", out, "--to", tmp_path / "eval", "--letters", tmp_path / "letters")
    ran = cli(*words, "--workspace", tmp_path)
    assert "there is another letter of this name" in ran.err
    assert other.read_text("utf-8") == "something else\n"


@pytest.mark.parametrize(
    "text",
    [
        "PARCEL NOTE of A\r\nPARCEL 1: lost\r\n",
        "PARCEL NOTE of \u2019\u00e9\nPARCEL 1: lost",
        "\ufeffPARCEL NOTE of A\nPARCEL 1: lost",
    ],
)
def test_gold_has_the_letters_very_text(tmp_path: Path, text: str) -> None:
    out = write_run(tmp_path, {}, {"sub/a": text, "b": NOTES["blue"]})
    do(desk_of(tmp_path), "sub/a", act="accept")
    words = ("gold", "from-review", out, "--to", tmp_path / "eval", "--letters", tmp_path / "letters")
    assert cli(*words, "--workspace", tmp_path).code == 0
    [gold] = load_gold(tmp_path / "eval" / "letters", tmp_path / "eval" / "gold", kind_of(tmp_path))
    assert (gold.letter.id, gold.letter.text) == ("sub__a", text.removeprefix("\ufeff"))


# ---- export -------------------------------------------------------------------------------------


def test_export_uses_corrected_values_and_says_so(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    assert cli("export", out, "--workspace", tmp_path).code == 0
    with (out / "letters.csv").open(encoding="utf-8-sig", newline="") as file:
        letters = {row["letter_id"]: row for row in csv.DictReader(file)}
    rows = {name: (row["status"], row["review"], row["reviewed_by"], row["corrected"]) for name, row in letters.items()}
    assert rows == {
        "blue": ("accepted", "accepted", "Ada", "/parcels/0/state"),
        "red": ("accepted", "accepted", "Ada", ""),
        "slow": ("needs_review", "rejected", "Ada", ""),
    }
    assert (letters["blue"]["open_errors"], letters["red"]["open_errors"]) == ("", "value_differs /parcels/0/state")
    assert letters["blue"]["findings"] == ""
    assert letters["red"]["findings"] == "value_differs"
    with (out / "parcels.csv").open(encoding="utf-8-sig", newline="") as file:
        states = [row["parcels.state"] for row in csv.DictReader(file)]
    assert states == ["delivered", "lost", "lost", "lost"]
    assert [line["number"] for line in lines(out) if line["letter_id"] == "blue"] == [1, 2, 3]


def test_the_run_itself_is_untouched(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    before = (out / "records.jsonl").read_bytes()
    do(desk_of(tmp_path), "blue", act="correct", path="/parcels/0/state", text="delivered")
    assert (out / "records.jsonl").read_bytes() == before
    assert sorted(os.listdir(out)) == sorted({*os.listdir(out), "review.jsonl"})
