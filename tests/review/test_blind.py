"""Two people review the same letters without sight of each other."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from extractor.errors import UsageError
from extractor.review.agreement import kappa
from extractor.review.log import ConflictError
from extractor.review.pages import letter_page, queue_page
from extractor.review.queue import Query
from extractor.review.review import Desk
from extractor.review.reviews import Reviews
from tests.support.reviews import do, kind_of, lost, opened, record_of, write_run
from tests.support.toy import cli

STATE = "/parcels/0/state"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, {"blue": lost, "red": lost})
    return tmp_path


def desk(root: Path, name: str, *, blind: bool = True) -> Desk:
    return Desk(root / "out", kind_of(root), [[root / "letters"]], name, blind=blind)


def correct_and_accept(desk: Desk, letter_id: str = "blue", text: str = "delivered") -> None:
    if text != "lost":
        do(desk, letter_id, act="correct", path=STATE, text=text)
    do(desk, letter_id, act="accept", confirmed=True)


def review_of(root: Path, letter_id: str = "blue") -> tuple[str | None, str | None, str | None]:
    found = Reviews(root / "out").reviewed(record_of(root / "out", letter_id))
    return found.review, found.reviewed_by, found.corrected


def test_neither_sees_the_other_and_one_alone_decides_nothing(root: Path) -> None:
    ada, bob = desk(root, "Ada"), desk(root, "Bob")
    version = opened(bob).version
    correct_and_accept(ada)
    assert opened(bob).version == version
    assert (opened(bob).state.decided, opened(ada).state.decided) == ("", "accepted")
    html = queue_page(bob, Query(part="all")).html + letter_page(bob, opened(bob), Query()).html
    assert "Ada" not in html
    assert review_of(root) == (None, None, None)
    bob.act(opened(bob), {"act": "skip", "version": version})
    with pytest.raises(ConflictError):
        bob.act(opened(bob), {"act": "accept", "version": version, "confirmed": True})
    assert opened(desk(root, "Cy", blind=False)).state.version == 0


def test_people_who_agree_have_decided(root: Path) -> None:
    for name in ("Ada", "Bob"):
        correct_and_accept(desk(root, name))
    assert review_of(root) == ("accepted", "Ada, Bob", STATE)
    cy = desk(root, "Cy", blind=False)
    assert cy.part(opened(cy).entry) == "done"
    with pytest.raises(UsageError, match="nothing to undo"):
        do(cy, act="undo")
    assert cli("gold", "from-review", root / "out", "--to", root / "eval", "--workspace", root).code == 0
    people = json.loads((root / "eval" / "gold" / "blue.json").read_text("utf-8"))["reviewed"]
    assert [(each["name"], each["role"]) for each in people] == [
        ("Ada", "blind reviewer, agreed"),
        ("Bob", "blind reviewer, agreed"),
    ]


def test_a_change_that_was_changed_back_is_no_difference(root: Path) -> None:
    ada = desk(root, "Ada")
    do(ada, act="correct", path="/carrier", text="Red Van")
    do(ada, act="correct", path="/carrier", text="Blue Van")
    correct_and_accept(ada)
    correct_and_accept(desk(root, "Bob"))
    assert review_of(root)[1] == "Ada, Bob"


def test_a_third_act_settles_a_difference(root: Path) -> None:
    correct_and_accept(desk(root, "Ada"))
    correct_and_accept(desk(root, "Bob"), text="lost")
    assert review_of(root) == (None, None, None)
    cy = desk(root, "Cy", blind=False)
    assert cy.part(opened(cy).entry) == "todo"
    html = letter_page(cy, opened(cy), Query()).html
    assert "Ada and Bob read this letter without sight of each other and differ" in html
    assert html.count('data-take-from="Ada"') == html.count('data-take-from="Bob"') == 1
    with pytest.raises(UsageError, match="nobody of this name"):
        do(cy, act="take", path=STATE, **{"from": "Dan"})
    do(cy, act="take", path=STATE, **{"from": "Ada"})
    do(cy, act="accept")
    assert review_of(root) == ("accepted", "Cy", STATE)
    assert cli("gold", "from-review", root / "out", "--to", root / "eval", "--workspace", root).code == 0
    people = json.loads((root / "eval" / "gold" / "blue.json").read_text("utf-8"))["reviewed"]
    assert [(each["name"], each["role"]) for each in people] == [
        ("Ada", "blind reviewer"),
        ("Bob", "blind reviewer"),
        ("Cy", "resolver"),
    ]


def test_undo_takes_back_blind_acts_only_in_the_blind_review(root: Path) -> None:
    ada = desk(root, "Ada")
    do(ada, act="reject", reason="other")
    with pytest.raises(UsageError, match="no act of yours"):
        desk(root, "Ada", blind=False).undo_last()
    assert [act.undoes for act in ada.undo_last()] == [1]


def test_agreement_is_counted_by_field(root: Path) -> None:
    for name, red in (("Ada", "delivered"), ("Bob", "lost")):
        correct_and_accept(desk(root, name))
        correct_and_accept(desk(root, name), "red", red)
        do(desk(root, name), "slow", act="accept")
    ran = cli("audit", "agreement", root / "out", "--workspace", root, "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["letters"], ran.json["alike"]) == (3, 2)
    fields = {each.pop("field"): each for each in ran.json["fields"]}
    assert fields["(decision)"] == {"pairs": 3, "equal": 3, "kappa": None}
    # blue: delivered, lost; red: delivered against lost; slow: lost
    assert fields["parcels/state"] == {"pairs": 4, "equal": 3, "kappa": 0.5}
    assert fields["parcels/number"] == {"pairs": 4, "equal": 4, "kappa": None}
    assert "parcels/state: 3 of 4 equal, kappa 0.50" in cli("audit", "agreement", root / "out", "--workspace", root).out


def test_no_letter_was_read_twice(root: Path) -> None:
    correct_and_accept(desk(root, "Ada"))
    assert "no letter in" in cli("audit", "agreement", root / "out", "--workspace", root).err
    ran = cli("review", root / "out", "--blind", "--audit", "3", "--name", "Ada", "--workspace", root)
    assert "two kinds of review" in ran.err


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        # Cohen's own example shape: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no
        ([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15, 0.4),
        ([("y", "y"), ("n", "n")], 1.0),
        ([("y", "n"), ("n", "y")], -1.0),
        ([("y", "y")] * 9, None),
        ([], None),
    ],
)
def test_cohens_kappa(pairs: list[tuple[str, str]], value: float | None) -> None:
    assert kappa(pairs) == (value if value is None else pytest.approx(value))


def test_tables_name_both(root: Path) -> None:
    for name in ("Ada", "Bob"):
        correct_and_accept(desk(root, name))
    assert cli("export", root / "out", "--workspace", root, "--rows", "letters").code == 0
    with (root / "out" / "letters.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["letter_id"]: row["reviewed_by"] for row in csv.DictReader(file)}
    assert rows == {"blue": "Ada, Bob", "red": "", "slow": ""}
