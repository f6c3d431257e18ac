"""``extractor review``, ``extractor gold from-review`` and what ``extractor export`` makes of a review."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from extractor.evaluation.gold import load_gold
from extractor.review.desk import Desk
from extractor.review.queue import key_of
from tests.reviews import desk_of, kind_of, lines, lost, write_run
from tests.toy import NOTES, cli, put


def do(desk: Desk, letter_id: str, **told: Any) -> None:
    desk.refresh()
    entry = desk.entry(key_of(letter_id))
    assert entry
    seen = desk.seen(entry)
    desk.act(seen, {**told, "version": seen.version})


def corrected(root: Path) -> Path:
    """Blue is corrected and accepted, red accepted with its error, slow rejected."""
    out = write_run(root, {"blue": lost, "red": lost})
    desk = desk_of(root)
    do(desk, "blue", act="correct", path="/parcels/0/state", text="delivered")
    do(desk, "blue", act="comment", path="/parcels/1/on", note="no date is told")
    do(desk, "blue", act="accept")
    do(desk, "red", act="accept")
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
    ("words", "told"),
    [
        (["nowhere"], "no run in nowhere"),
        (["{out}"], "--letters PATH"),
        (["{out}", "--letters", "{root}/empty"], "no letters in"),
        (["{out}", "--letters", "{root}/other"], "none of the run's letters is in"),
        (["{out}", "--letters", "{root}/letters", "--name", " "], "--name"),
        (["{out}", "--letters", "{root}/letters", "--name", "a\nb"], "--name"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, words: list[str], told: str) -> None:
    out = write_run(tmp_path)
    (tmp_path / "empty").mkdir()
    put(tmp_path / "other" / "green.txt", NOTES["blue"])
    filled = [word.format(out=out, root=tmp_path) for word in words]
    ran = cli("review", *filled, "--workspace", tmp_path)
    assert ran.code == 2
    assert told in ran.err


def test_the_mailed_page_holds_all_and_changes_nothing(tmp_path: Path) -> None:
    out = corrected(tmp_path)
    before = (out / "review.jsonl").read_bytes()
    page = tmp_path / "page.html"
    ran = cli("review", out, "--letters", tmp_path / "letters", "--html", page, "--workspace", tmp_path)
    assert (ran.code, ran.out) == (0, f"{page}\n")
    html = page.read_text("utf-8")
    assert "connect-src 'none'; form-action 'none'" in unescape(html)
    assert re.findall(r"<(?:form|input|select|textarea|img|link|iframe)", html) == []
    assert re.findall(r"""(?:src|href)=["'](?!#)""", html) == []
    assert "Blue Van" in html
    assert "was <del>lost</del>, by Ada" in html
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
    assert data["comments"] == {"/parcels/1/on": ["no date is told"]}
    again = cli(*words, "--force", "--json")
    assert again.json == [
        {"letter_id": "blue", "name": "blue", "refused": "there is gold of this name already"},
        {"letter_id": "red", "name": "red", "refused": None},
    ]
    assert json.loads((to / "gold" / "blue.json").read_text("utf-8")) == data


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
    with (out / "letters.csv").open(encoding="utf-8", newline="") as file:
        letters = {row["letter_id"]: row for row in csv.DictReader(file)}
    told = {name: (row["status"], row["review"], row["reviewed_by"], row["corrected"]) for name, row in letters.items()}
    assert told == {
        "blue": ("accepted", "accepted", "Ada", "/parcels/0/state"),
        "red": ("accepted", "accepted", "Ada", ""),
        "slow": ("needs_review", "rejected", "Ada", ""),
    }
    assert letters["blue"]["findings"] == ""
    assert letters["red"]["findings"] == "value_differs"
    with (out / "parcels.csv").open(encoding="utf-8", newline="") as file:
        states = [row["parcels.state"] for row in csv.DictReader(file)]
    assert states == ["delivered", "lost", "lost", "lost"]
    assert [line["number"] for line in lines(out) if line["letter_id"] == "blue"] == [1, 2, 3]


def test_the_run_itself_is_untouched(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    before = (out / "records.jsonl").read_bytes()
    do(desk_of(tmp_path), "blue", act="correct", path="/parcels/0/state", text="delivered")
    assert (out / "records.jsonl").read_bytes() == before
    assert sorted(os.listdir(out)) == sorted({*os.listdir(out), "review.jsonl"})
