"""Scores: one answer against gold, leaf by leaf."""

from __future__ import annotations

import copy
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.scores.scoring import Pages, score
from extractor.letters.letter import LetterFile, letter_from_text
from extractor.lettertypes.evidence import Covers, Judged, Scored, Stated, StrictModel, Unchecked, Verbatim
from tests.support.imr import IMR
from tests.support.toy import ROOT


class Page(StrictModel):
    first: int
    last: int


class Cited(StrictModel):
    title: Annotated[str, Verbatim("text")]
    pages: Annotated[list[Page], Scored("ranges"), Stated("text")]


class Item(StrictModel):
    name: Annotated[str, Verbatim("text", whole=True)]
    outcome: Annotated[Literal["yes", "no"], Stated("text")]
    cited: Annotated[list[Cited], Covers("title")]
    why: Annotated[str | None, Judged(quote="quote")]
    quote: Annotated[str | None, Verbatim("text"), Scored("shown")]


class Note(StrictModel):
    day: Annotated[date | None, Stated("text")]
    age: Annotated[int | None, Stated("text")]
    names: Annotated[list[str], Verbatim("text")]
    steps: Annotated[list[str], Verbatim("text"), Scored("list")]
    tags: Annotated[list[str], Unchecked("free"), Scored("set")]
    parts: Annotated[list[str], Verbatim("text", whole=True, joined=True)]
    items: Annotated[list[Item], Covers("name")]


def item(name="MRI of the neck", outcome="no", cited=(), why="cost", quote="words of the letter") -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "cited": list(cited), "why": why, "quote": quote}


def cited(title, *pages) -> dict[str, Any]:
    return {"title": title, "pages": [{"first": a, "last": b} for a, b in pages]}


TRUE: dict[str, Any] = {
    "day": "2016-10-14",
    "age": 57,
    "names": ["Pain Management", "Physical Medicine"],
    "steps": ["this", "then that"],
    "tags": ["a", "b"],
    "parts": ["Forearm", "Wrist, and Hand"],
    "items": [
        item(cited=[cited("ACOEM Chapter 8", (177, 179), (301, 301))]),
        item("Brace", "yes", [cited("ODG")], None, None),
    ],
}


def gold(answer=TRUE, also=None) -> Gold:
    letter = letter_from_text("a letter", letter_id="one")
    return Gold(LetterFile("one", None), letter, answer, also_accepted=also or {})


def changed(path: str, value: Any, of: dict[str, Any] = TRUE) -> dict[str, Any]:
    """A copy of ``of`` with the value at a JSON pointer replaced, or removed with ``...``."""
    copied = copy.deepcopy(of)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")[1:]]
    at: Any = copied
    for part in way:
        at = at[part]
    if value is ...:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return copied


def errors(answer, of=None) -> dict[str, str]:
    return {leaf.path: leaf.status for leaf in score(Note, of or gold(), answer) if leaf.is_error}


def test_a_true_answer_has_no_error_and_every_value_matches():
    leaves = score(Note, gold(), TRUE)
    assert {leaf.status for leaf in leaves} == {"match", "absent"}
    assert sum(leaf.status == "match" for leaf in leaves) == 2 + 2 + 2 + 2 + 2 + 2 + 2 + 1 + 2 + 1
    assert not [leaf for leaf in leaves if leaf.field == "items/quote"], "a quote is shown, never scored"


ONE_CHANGE = [
    ("a changed day", "/day", "2016-10-15", {"/day": "wrong"}),
    ("a day left out", "/day", None, {"/day": "omitted"}),
    ("another age", "/age", 56, {"/age": "wrong"}),
    ("a flipped outcome", "/items/0/outcome", "yes", {"/items/0/outcome": "wrong"}),
    ("a judgment where gold has none", "/items/1/why", "cost", {"/items/1/why": "invented"}),
    ("another quote is no error", "/items/0/quote", "other words of it", {}),
    ("blanks and dashes fold", "/items/0/name", "MRI  of\nthe neck", {}),
    ("capitals do not", "/items/0/name", "MRI of the Neck", {"/items/0/name": "wrong"}),
    ("a range cut short", "/items/0/cited/0/pages/0", {"first": 177, "last": 178}, {"/items/0/cited/0/pages": "wrong"}),
    ("all pages gone", "/items/0/cited/0/pages", [], {"/items/0/cited/0/pages": "omitted"}),
    ("pages invented", "/items/1/cited/0/pages", [{"first": 3, "last": 3}], {"/items/1/cited/0/pages": "invented"}),
    ("a name too many", "/names/2", "Surgery", {"/names/+0": "invented"}),
    ("a name missing", "/names/0", ..., {"/names/0": "omitted"}),
    ("another name", "/names/0", "Surgery", {"/names/0": "wrong"}),
    ("tags in another order are right", "/tags", ["b", "a"], {}),
    ("sections may be cut elsewhere", "/parts", ["Forearm, Wrist", "Hand"], {}),
    ("but hold the same words", "/parts", ["Forearm", "Wrist"], {"/parts/1": "wrong"}),
    ("names in another order are right", "/names", ["Physical Medicine", "Pain Management"], {}),
    ("steps in another order are not", "/steps", ["then that", "this"], {"/steps/0": "wrong", "/steps/1": "wrong"}),
    ("pages in another order are right", "/items/0/cited/0/pages", [{"first": 301, "last": 301}, {"first": 177, "last": 179}], {}),
    ("other capitals in a heading", "/items/0/name", "MRI OF THE NECK", {"/items/0/name": "wrong"}),
    ("a title cut short", "/items/0/cited/0/title", "ACOEM", {"/items/0/cited/0/title": "wrong"}),
    (
        "an item left out: each of its values",
        "/items/1",
        ...,
        {f"/items/1/{leaf}": "omitted" for leaf in ("name", "outcome", "cited/0/title")},
    ),
    ("an item invented: delete it", "/items/2", item("Walker", "no", [cited("ODG", (3, 5))], "x", None), {"/items/+0/name": "invented"}),
    ("a citation invented: delete it", "/items/1/cited/1", cited("MTUS", (3, 5)), {"/items/1/cited/+0/title": "invented"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "path", "value", "expected"), ONE_CHANGE, ids=[row[0] for row in ONE_CHANGE])
def test_one_change_is_one_status_at_its_place(what, path, value, expected):
    assert errors(changed(path, value)) == expected


def test_all_outcomes_flipped_are_all_wrong():
    answer = changed("/items/1/outcome", "no", changed("/items/0/outcome", "yes"))
    assert errors(answer) == {"/items/0/outcome": "wrong", "/items/1/outcome": "wrong"}


def test_items_in_another_order_are_no_error():
    answer = {**TRUE, "items": TRUE["items"][::-1]}
    assert errors(answer) == {}


def test_items_named_alike_keep_their_order():
    true = {**TRUE, "items": [item("X", "yes"), item("X", "no")]}
    assert errors(true, gold(true)) == {}
    swapped = {**TRUE, "items": [item("X", "no"), item("X", "no")]}
    assert errors(swapped, gold(true)) == {"/items/0/outcome": "wrong"}


def test_a_letter_without_an_answer_fails_on_each_of_its_values():
    leaves = score(Note, gold(), None)
    assert {leaf.status for leaf in leaves} == {"failed"}
    assert len(leaves) == sum(leaf.status == "match" for leaf in score(Note, gold(), TRUE))


@pytest.mark.parametrize(
    ("also", "answer", "expected"),
    [
        ({"/items/0/why": ["benefit"]}, changed("/items/0/why", "benefit"), {}),
        ({"/items/0/why": ["benefit"]}, changed("/items/0/why", "other"), {"/items/0/why": "wrong"}),
        ({"/names": [[]]}, changed("/names", []), {}),
        ({"/names": [["Surgery"]]}, changed("/names", ["Surgery"]), {}),
        ({"/names": [["Surgery"]]}, changed("/names", ["Surgery", "X"]), {"/names/+0": "invented"}),
    ],
)
def test_what_gold_also_accepts_is_right(also, answer, expected):
    assert errors(answer, gold(also=also)) == expected


def test_records_are_paired_by_the_fewest_corrections():
    """Not by their headings: both answers swap two headings, and nothing else."""
    one, other = item("A", "yes", [cited("X", (1, 2))], "cost"), item("B", "no", [cited("Y", (8, 9))], "benefit")
    true = {**TRUE, "items": [one, other]}
    swapped = {**TRUE, "items": [{**one, "name": "B"}, {**other, "name": "A"}]}
    assert errors(swapped, gold(true)) == {"/items/0/name": "wrong", "/items/1/name": "wrong"}
    assert errors({**swapped, "items": swapped["items"][::-1]}, gold(true)) == errors(swapped, gold(true))


def test_of_equally_many_corrections_those_that_keep_the_headings_are_taken():
    true = {**TRUE, "items": [item("A", "yes"), item("B", "no")]}
    flipped = {**TRUE, "items": [item("B", "yes"), item("A", "no")]}
    assert errors(flipped, gold(true)) == {"/items/0/outcome": "wrong", "/items/1/outcome": "wrong"}


B_NO = item("B", "no", [], None)
PAIRING_LIMIT = [
    ("every value wrong: retyped", item("A", "yes", [], None), {"name": "wrong", "outcome": "wrong"}),
    ("as much work either way, and the same heading", item("B", "yes", [cited("X")], "z"), {"outcome": "wrong", "cited/+0/title": "invented", "why": "invented"}),
    ("as much work either way, and another heading", item("A", "no", [cited("X")], "z"), None),
    ("less work to delete it", item("B", "yes", [cited("X"), cited("Y")], "z"), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "answer", "expected"), PAIRING_LIMIT, ids=[row[0] for row in PAIRING_LIMIT])
def test_a_record_is_another_one_when_deleting_it_is_less_work(what, answer, expected):
    """The limit of pairing: all values retyped and one more deleted; beyond, one is omitted, the other invented."""
    found = errors({**TRUE, "items": [answer]}, gold({**TRUE, "items": [B_NO]}))
    if expected is None:
        assert found == {"/items/0/name": "omitted", "/items/0/outcome": "omitted", "/items/+0/name": "invented"}
    else:
        assert found == {f"/items/0/{path}": status for path, status in expected.items()}


def test_an_invented_record_first_leaves_the_others_alone():
    answer = {**TRUE, "items": [item("Walker", "no", [], "cost"), *TRUE["items"]]}
    assert errors(answer) == {"/items/+0/name": "invented"}


ANSWER_PATHS = [
    ("in the order of the gold", TRUE, "/items/1/outcome", "/items/1/outcome"),
    ("records in another order", {**TRUE, "items": TRUE["items"][::-1]}, "/items/1/outcome", "/items/0/outcome"),
    ("an element of a plain list", TRUE, "/names/1", "/names"),
    ("a value left out", changed("/day", None), "/day", "/day"),
    ("a record left out", changed("/items/1", ...), "/items/1/outcome", "/items"),
    ("an invented record", {**TRUE, "items": [item("Walker"), *TRUE["items"]]}, "/items/+0/name", "/items/0/name"),
]


@pytest.mark.parametrize(("what", "answer", "path", "place"), ANSWER_PATHS, ids=[row[0] for row in ANSWER_PATHS])
def test_a_leaf_knows_its_place_in_the_answer(what, answer, path, place):
    [leaf] = [leaf for leaf in score(Note, gold(), answer) if leaf.path == path]
    assert leaf.answer_path == place


DEBATABLE = [
    ("a leaf", "/items/0/why", {"/items/0/why"}),
    ("an element", "/names/1", {"/names/1"}),
    ("a plain list", "/names", {"/names/0", "/names/1"}),
    ("a record", "/items/1", {"/items/1/name", "/items/1/outcome", "/items/1/why", "/items/1/cited/0/title", "/items/1/cited/0/pages"}),
    ("which records there are", "/items", set()),
]  # fmt: skip


@pytest.mark.parametrize(("what", "note", "paths"), DEBATABLE, ids=[row[0] for row in DEBATABLE])
def test_gold_notes_make_leaves_debatable(what, note, paths):
    pair = Gold(
        LetterFile("one", None),
        letter_from_text("a letter", letter_id="one"),
        TRUE,
        debatable={note: "both can be read"},
    )
    assert {leaf.path for leaf in score(Note, pair, TRUE) if leaf.debatable} == paths


def test_a_note_on_a_list_of_records_argues_about_which_there_are():
    pair = Gold(
        LetterFile("one", None), letter_from_text("a letter", letter_id="one"), TRUE, debatable={"/items": "one or two"}
    )
    invented = {**TRUE, "items": [*TRUE["items"], item("Walker")]}
    assert {leaf.path for leaf in score(Note, pair, invented) if leaf.debatable} == {"/items/+0/name"}
    short = changed("/items/1", ...)
    assert {leaf.field for leaf in score(Note, pair, short) if leaf.debatable} >= {"items/name", "items/outcome"}


def test_pages_are_counted_one_by_one_beside_the_leaf():
    answer = changed("/items/0/cited/0/pages/0", {"first": 178, "last": 181})
    leaf = next(leaf for leaf in score(Note, gold(), answer) if leaf.path == "/items/0/cited/0/pages")
    assert (leaf.status, leaf.pages) == ("wrong", Pages(right=3, missing=1, extra=2))


def test_the_paths_of_two_answers_pair_up():
    """What is right has the same path whatever the order or the surplus of an answer."""
    one = {leaf.path for leaf in score(Note, gold(), TRUE)}
    other = {
        leaf.path for leaf in score(Note, gold(), {**TRUE, "items": [item("Z", "no", [], None), *TRUE["items"][::-1]]})
    }
    assert {path for path in other if "+" not in path} == one


@given(st.data())
def test_any_answer_scores_without_an_error_and_itself_is_right(data):
    """Random records: an answer equals itself; errors are bounded by the values on both sides."""
    texts = st.sampled_from(["a", "b c", "b-c", "B c", "x y z"])
    records = st.builds(
        item,
        texts,
        st.sampled_from(["yes", "no"]),
        st.lists(st.builds(cited, texts, st.tuples(st.integers(1, 9), st.integers(1, 9))), max_size=2),
        st.none() | texts,
    )
    notes = st.builds(
        lambda day, age, names, tags, parts, items: {
            "day": day,
            "age": age,
            "names": names,
            "steps": names,
            "tags": tags,
            "parts": parts,
            "items": items,
        },
        st.none() | st.just("2016-01-02"),
        st.none() | st.integers(1, 99),
        st.lists(texts, max_size=3),
        st.lists(texts, max_size=3),
        st.lists(texts, max_size=3),
        st.lists(records, max_size=3),
    )
    true, answer = data.draw(notes), data.draw(notes)
    assert not [leaf for leaf in score(Note, gold(true), true) if leaf.is_error]
    leaves = score(Note, gold(true), answer)
    assert len({leaf.path for leaf in leaves}) == len(leaves)
    values = sum(leaf.status in ("match", "wrong", "omitted") for leaf in leaves)
    assert values == sum(leaf.status == "match" for leaf in score(Note, gold(true), true))


def test_the_bundled_gold_scores_itself_as_right():
    for pair in load_gold(ROOT / "eval/imr/letters", ROOT / "eval/imr/gold", IMR):
        found = score(IMR.schema, pair, copy.deepcopy(pair.answer))
        assert not [leaf for leaf in found if leaf.is_error], pair.letter.id
