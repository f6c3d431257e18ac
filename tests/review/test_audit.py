"""An audit: a sample of accepted letters, read blind, and what it proves."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from extractor.errors import LedgerError, UsageError
from extractor.review.acts import Author
from extractor.review.audit import Audit, audits, draw
from extractor.review.pages import letter_page, queue_page
from extractor.review.queue import Query
from extractor.review.review import Desk
from extractor.runs.ledger import LedgerView
from tests.support.reviews import do, kind_of, lines, lost, spoil, write_run
from tests.support.toy import cli

LETTERS = {f"{folder}/n{i}": f"PARCEL NOTE of Van {i}\nPARCEL {i}: lost\n" for folder in "ab" for i in range(3)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, {"a/n0": lambda answer: answer.update(carrier="Red Cart")}, LETTERS)
    return tmp_path


def sample(root: Path, size: int, seed: int = 1) -> Audit:
    with LedgerView(root / "out") as view:
        return draw(root / "out", kind_of(root), view.records(), size, seed, "Ada")


def desk_of_audit(root: Path, audit: Audit) -> Desk:
    return Desk(root / "out", kind_of(root), [[root / "letters"]], "Ada", audit=audit)


def test_a_seed_draws_the_same_accepted_letters_and_never_flagged_ones(root: Path) -> None:
    audit = sample(root, 3)
    ids = [each.letter_id for each in audit.letters]
    assert (len(ids), audit.population, audit.name) == (3, 5, "1")
    assert "a/n0" not in ids
    assert sample(root, 3) == audit
    other = sample(root, 3, seed=2)
    assert (other.name, [each.letter_id for each in other.letters] != ids) == ("2", True)
    assert len(sample(root, 60, seed=3).letters) == 5
    assert [each.name for each in audits(root / "out")] == ["1", "2", "3"]
    assert audit.groups["folder"] == {"a": 2, "b": 3}
    assert (
        cli(
            "export", root / "out", "--rows", "letters", "--out", root / "out" / "audits.jsonl", "--workspace", root
        ).code
        == 2
    )
    with (root / "out" / "audits.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(LedgerError, match=r"line 4 of .*audits.jsonl"):
        audits(root / "out")


def test_a_run_without_accepted_letters_is_not_audited(tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost}, {"blue": "PARCEL NOTE of A\nPARCEL 1: delivered\n"})
    with pytest.raises(UsageError, match="no letter of this run is accepted"):
        sample(tmp_path, 5)


def test_the_auditor_sees_neither_status_nor_what_others_did(root: Path) -> None:
    plain = Desk(root / "out", kind_of(root), [[root / "letters"]], "Bob")
    do(plain, "a/n0", act="correct", path="/carrier", text="Van 0")
    do(plain, "a/n0", act="accept")
    desk = desk_of_audit(root, sample(root, 6))
    assert len(desk.queue.entries) == 6
    html = queue_page(desk, Query()).html
    for entry in desk.queue.entries:
        html += letter_page(desk, desk.letter_of(entry), Query()).html
    body = "".join(part.partition("<script>")[0] for part in html.split("<body")[1:])
    for word in ("Bob", "accepted by", "needs review", "not_in_text", "No check found", "passed the checks"):
        assert word not in body, word
    assert ">Van 0<" in body, "with the correction that the table has"


def test_wrong_letters_and_values_are_counted_and_bounded(root: Path) -> None:
    desk = desk_of_audit(root, sample(root, 4))
    first, second, third, fourth = (entry.letter_id for entry in desk.queue.entries)
    do(desk, first, act="accept")
    do(desk, second, act="correct", path="/parcels/0/state", text="delivered")
    do(desk, second, act="accept")
    do(desk, third, act="reject", reason="unreadable")
    do(desk, fourth, act="correct", path="/carrier", text="Van")
    do(desk, fourth, act="undo")
    ran = cli("audit", "report", root / "out", "--by", "folder", "--workspace", root, "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    counts = ("sampled", "replaced", "rejected", "wrong_values", "wrong_protected_values")
    assert [found[name] for name in counts] == [4, 0, 1, 1, 0]
    assert found["letters"] == {
        "population": 5, "judged": 3, "wrong": 2, "highest_share": pytest.approx(0.983048, abs=1e-6),
        "most_wrong": 4, "most_wrong_share": 0.8, "more_to_halve": None,
    }  # fmt: skip
    assert sorted(found["wrong_letters"]) == sorted([second, third])
    assert {name: bound["population"] for name, bound in found["groups"]["folder"].items()} == {"a": 2, "b": 3}
    do(desk, fourth, act="accept")
    text = cli("audit", "report", root / "out", "--workspace", root).out
    assert "4 of 4 sampled letters read, of 5 accepted" in text
    assert "2 letters wrong, 1 of them rejected; 1 value wrong, 0 of them protected" in text
    assert {line["audit"] for line in lines(root / "out")} == {"1"}


def test_a_letter_that_the_run_read_again_is_left_out(root: Path) -> None:
    desk = desk_of_audit(root, sample(root, 5))
    do(desk, "b/n1", act="accept")
    spoil(root, "b/n1", lambda answer: answer.update(carrier=None))
    found = cli("audit", "report", root / "out", "--workspace", root, "--json").json
    assert (found["replaced"], found["letters"]["judged"]) == (1, 0)


def test_tables_have_what_the_audit_found(root: Path) -> None:
    desk = desk_of_audit(root, sample(root, 5))
    do(desk, "b/n1", act="accept")
    do(desk, "b/n2", act="correct", path="/carrier", text="Boat")
    do(desk, "b/n2", act="reject", reason="incomplete")
    assert cli("export", root / "out", "--workspace", root, "--rows", "letters").code == 0
    with (root / "out" / "letters.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["letter_id"]: (row["audit"], row["reject_reason"]) for row in csv.DictReader(file)}
    assert (rows["b/n1"], rows["b/n2"], rows["a/n1"]) == (("right", ""), ("wrong", "incomplete"), ("", ""))


def test_a_report_needs_an_audit(root: Path) -> None:
    assert "there is no audit in" in cli("audit", "report", root / "out", "--workspace", root).err
    sample(root, 2)
    assert "nothing is proven yet" in cli("audit", "report", root / "out", "--workspace", root).out
    assert "there is no audit 7" in cli("audit", "report", root / "out", "--audit", "7", "--workspace", root).err


def test_acts_of_an_audit_are_undone_there_alone(root: Path) -> None:
    desk = desk_of_audit(root, sample(root, 5))
    do(desk, "b/n1", act="accept")
    assert desk.author == Author("Ada", audit="1")
    with pytest.raises(UsageError, match="no act of yours"):
        Desk(root / "out", kind_of(root), [[root / "letters"]], "Ada").undo_last()
    [undone] = desk.undo_last()
    assert (undone.letter_id, undone.undoes, undone.audit) == ("b/n1", 1, "1")
