"""The log of a review and what follows from it: nothing is lost, nothing overwritten, everything can be taken back."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import socket
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LedgerError, UsageError
from extractor.lettertypes.evidence import fields_of
from extractor.pointers import value_at
from extractor.review.corrections import addition, correction, removal
from extractor.review.inputs import Input, known_inputs
from extractor.review.log import Act, ConflictError, Log
from extractor.review.reviews import Reviews
from extractor.review.state import change, final_answer, fold, sha256_of
from extractor.runs.export import Reviewed
from tests.support.imr import IMR
from tests.support.reviews import desk_of, doubled, dropped, kind_of, lost, record_of, write_run

ANSWER: dict[str, Any] = {"carrier": "Blue Van", "parcels": [{"number": "12", "state": "lost", "on": None}]}


def act(name: str, **more: Any) -> Act:
    return Act("blue", 0, name, "", more.pop("by", "Ada"), "l", sha256_of(ANSWER), **more)


def folded(*acts: Act) -> Any:
    return fold([Act(**{**one.__dict__, "number": number}) for number, one in enumerate(acts, 1)], sha256_of(ANSWER))


# ---- the log ------------------------------------------------------------------------------------


def test_an_act_is_on_disk_with_time_name_and_both_values(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(act("correct", path="/carrier", old="Blue Van", new="Red \u2028Van"), 0)
    line = json.loads((tmp_path / "review.jsonl").read_text("utf-8"))
    assert line["at"].endswith("Z")
    logged = {name: line[name] for name in ("letter_id", "number", "act", "by", "path", "old", "new", "letter_sha256")}
    assert logged == {
        "letter_id": "blue", "number": 1, "act": "correct", "by": "Ada",
        "path": "/carrier", "old": "Blue Van", "new": "Red \u2028Van", "letter_sha256": "l",
    }  # fmt: skip
    assert stat.S_IMODE((tmp_path / "review.jsonl").stat().st_mode) == 0o600


def test_an_act_on_an_older_version_is_refused(tmp_path: Path) -> None:
    one, other = Log(tmp_path), Log(tmp_path)
    one.append(act("accept"), 0)
    with pytest.raises(ConflictError) as refused:
        other.append(act("reject", by="Bob"), 0)
    assert [each.act for each in refused.value.since] == ["accept"]
    other.append(act("reject", by="Bob"), 1)
    one.refresh()
    assert [each.by for each in one.of("blue")] == ["Ada", "Bob"]


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    def insist(name: str) -> None:
        log = Log(tmp_path)
        for _ in range(10):
            while True:
                log.refresh()
                try:
                    log.append(act("comment", by=name, note="x"), len(log.of("blue")))
                    break
                except ConflictError:
                    continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(insist, "ABCD"))
    acts = Log(tmp_path).of("blue")
    assert [each.number for each in acts] == list(range(1, 41))


def logged(folder: Path, acts: str = "accept comment reject skip") -> list[bytes]:
    """The lines of a log with these acts."""
    log = Log(folder)
    for number, name in enumerate(acts.split()):
        log.append(act(name, note="a note" if name == "comment" else ""), number)
    return (folder / "review.jsonl").read_bytes().splitlines(keepends=True)


def as_older(line: bytes) -> bytes:
    """A line as versions before the hashes wrote it."""
    values = json.loads(line)
    del values["previous"], values["sha256"]
    return json.dumps(values).encode() + b"\n"


def edited(line: bytes, old: bytes, new: bytes) -> bytes:
    assert old in line
    return line.replace(old, new)


Lines = list[bytes]
DAMAGE: dict[str, tuple[Callable[[Lines], Lines], int]] = {
    "the last line cut off": (lambda ls: [*ls[:3], ls[3][:-9]], 4),
    "no line end": (lambda ls: [*ls[:3], ls[3][:-1]], 4),
    "not JSON": (lambda ls: [ls[0], b"not json\n", *ls[1:]], 2),
    "not UTF-8": (lambda ls: [*ls, b"\xff\xfe\n"], 5),
    "no object": (lambda ls: [b"[]\n", *ls], 1),
    "an object of something else": (lambda ls: [*ls, b'{"act": "accept"}\n'], 5),
    "nested without end": (lambda ls: [*ls, b"[" * 100_000 + b"\n"], 5),
    "an empty line": (lambda ls: [ls[0], b"\n", *ls[1:]], 2),
    "a name edited": (lambda ls: [ls[0], edited(ls[1], b"Ada", b"Bob"), *ls[2:]], 2),
    "an act edited in the last line": (lambda ls: [*ls[:3], edited(ls[3], b'"skip"', b'"accept"')], 4),
    "a hash edited": (lambda ls: [ls[0], edited(ls[1], b'"sha256": "', b'"sha256": "0')[:-4] + b'"}\n', *ls[2:]], 2),
    "a space added": (lambda ls: [edited(ls[0], b', "by"', b',  "by"'), *ls[1:]], 1),
    "two lines swapped": (lambda ls: [ls[0], ls[2], ls[1], ls[3]], 2),
    "a line removed": (lambda ls: [ls[0], *ls[2:]], 2),
    "the first line removed": (lambda ls: ls[1:], 1),
    "a line doubled": (lambda ls: [*ls, ls[3]], 5),
    "a line without a hash": (lambda ls: [*ls, as_older(ls[3])], 5),
    "a broken hash of the only line": (lambda ls: [edited(ls[0], b'"}', b'" }')], 1),
    "a hash taken off": (lambda ls: [ls[0], as_older(ls[1]), *ls[2:]], 2),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_line_that_no_review_wrote_there_is_one_clear_error(tmp_path: Path, name: str) -> None:
    damage, number = DAMAGE[name]
    (tmp_path / "review.jsonl").write_bytes(before := b"".join(damage(logged(tmp_path))))
    with pytest.raises(LedgerError, match=f"^line {number} of .*review.jsonl ") as error:
        Log(tmp_path)
    assert f"head -n {number - 1}" in error.value.hint
    assert (tmp_path / "review.jsonl").read_bytes() == before


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    lines = logged(tmp_path)
    whole = b"".join(lines)
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 7
        (tmp_path / "review.jsonl").write_bytes(flipped)
        with pytest.raises(LedgerError, match=r"^line"):
            Log(tmp_path)


def test_the_lines_that_the_error_says_to_keep_are_read(tmp_path: Path) -> None:
    lines = logged(tmp_path)
    (tmp_path / "review.jsonl").write_bytes(b"".join(lines[:2]) + b"x\n" + b"".join(lines[2:]))
    with pytest.raises(LedgerError, match="line 3"):
        Log(tmp_path).refresh()
    (tmp_path / "review.jsonl").write_bytes(b"".join(lines[:2]))
    assert [each.act for each in Log(tmp_path).of("blue")] == ["accept", "comment"]


def test_a_log_of_a_version_without_hashes_is_read_and_continued(tmp_path: Path) -> None:
    lines = [as_older(line) for line in logged(tmp_path)]
    (tmp_path / "review.jsonl").write_bytes(b"".join(lines))
    log = Log(tmp_path)
    assert [each.act for each in log.of("blue")] == ["accept", "comment", "reject", "skip"]
    log.append(act("accept"), 4)
    assert len(Log(tmp_path).of("blue")) == 5
    *older, last = (tmp_path / "review.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "review.jsonl").write_bytes(b"".join([*older[:3], edited(older[3], b"Ada", b"Bob"), last]))
    with pytest.raises(LedgerError, match=r"^line 5 .* does not follow line 4"):
        Log(tmp_path)


def test_a_log_that_is_cut_while_it_is_open_is_refused(tmp_path: Path) -> None:
    lines = logged(tmp_path)
    log = Log(tmp_path)
    (tmp_path / "review.jsonl").write_bytes(b"".join(lines[:2]))
    with pytest.raises(LedgerError, match="lost lines"):
        log.append(act("accept"), 4)
    (tmp_path / "review.jsonl").unlink()
    with pytest.raises(LedgerError, match="lost lines"):
        log.refresh()


@pytest.mark.skipif(os.name == "nt", reason="no such files there")
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "device", "folder", "socket"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "review.jsonl", tmp_path / "other"
    if kind == "link":
        target.write_bytes(b"")
    with contextlib.ExitStack() as held:
        if kind.startswith("link"):
            path.symlink_to(target)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            held.enter_context(socket.socket(socket.AF_UNIX)).bind(os.path.relpath(path))
        with pytest.raises(LedgerError, match=r"review.jsonl"):
            Log(tmp_path)
        log = Log(tmp_path / "elsewhere")
        log.path = path
        with pytest.raises(LedgerError, match=r"review.jsonl"):
            log.append(act("accept"), 0)
    assert not target.exists() or target.read_bytes() == b""


# ---- the fold -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acts", "decided"),
    [
        ([], ""),
        (["accept"], "accepted"),
        (["accept", "reject"], "rejected"),
        (["skip", "accept"], "accepted"),
        (["accept", "comment"], "accepted"),
        (["accept", "correct"], ""),
        (["accept", "evidence"], ""),
        (["correct", "accept"], "accepted"),
    ],
)
def test_the_decision_in_force(acts: list[str], decided: str) -> None:
    assert folded(*(act(name, path="/carrier", new="x") for name in acts)).decided == decided


def test_an_undo_takes_back_one_act_and_may_be_of_a_decision() -> None:
    state = folded(act("correct", path="/carrier", new="x"), act("accept"), act("undo", undoes=2))
    assert (state.decided, len(state.changes), state.version) == ("", 1, 3)
    state = folded(act("accept"), act("correct", path="/carrier", new="x"), act("undo", undoes=2))
    assert state.decided == "accepted"


def test_acts_on_a_replaced_answer_are_listed_but_not_applied() -> None:
    state = fold([Act(**{**act("accept").__dict__, "number": 1, "answer_sha256": "old"})], sha256_of(ANSWER))
    assert (state.decided, len(state.stale), state.version) == ("", 1, 1)


def test_evidence_goes_with_the_value_it_was_marked_for() -> None:
    marked = act("evidence", path="/parcels/0/state", spans=((1, 2),))
    assert folded(marked).evidence() == {"/parcels/0/state": ((1, 2),)}
    assert folded(marked, act("correct", path="/parcels/0/state", new="x")).evidence() == {}
    assert folded(marked, act("remove", path="/parcels/1")).evidence() == {}
    assert folded(marked, act("correct", path="/carrier", new="x")).evidence() != {}


def test_the_models_answer_is_never_touched() -> None:
    before = copy.deepcopy(ANSWER)
    acts = [
        act("correct", path="/carrier", new="Red"),
        act("add", path="/parcels/0", new={"number": "1"}),
        act("remove", path="/parcels/1"),
    ]
    assert final_answer(ANSWER, acts) == {"carrier": "Red", "parcels": [{"number": "1"}]}
    assert before == ANSWER


@given(st.lists(st.sampled_from(["lost", "delivered"]), max_size=8))
def test_undoing_everything_is_having_done_nothing(states: list[str]) -> None:
    acts = [act("correct", path="/parcels/0/state", new=state) for state in states]
    undone = [act("undo", undoes=number) for number in range(len(acts), 0, -1)]
    state = folded(*acts, *undone)
    assert final_answer(ANSWER, state.changes) == ANSWER
    assert state.last is None


@pytest.mark.parametrize("path", ["/nothing", "/parcels/7/state", "/parcels/x", "/carrier/0", "/../../etc/passwd"])
def test_a_path_that_leads_nowhere(path: str) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        change(copy.deepcopy(ANSWER), "remove", path)
    with pytest.raises(LookupError):
        value_at(ANSWER, path)


# ---- typed inputs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("decisions/outcome", Input("enum", ("upheld", "overturned"))),
        ("decisions/item", Input("text", most=1900)),
        ("decisions/disputed_portion", Input("text", nullable=True, most=1900)),
        ("decisions/maximus/citations/pages", Input("ranges")),
        ("decisions/rationale_pages", Input("ranges")),
        ("reviewer/states", Input("texts")),
        ("header/date_of_injury", Input("date", nullable=True)),
        ("worker/age", Input("integer", nullable=True)),
    ],
)
def test_inputs_come_from_the_schema(path: str, wanted: Input) -> None:
    assert known_inputs(IMR.schema)[path] == wanted


def test_every_leaf_has_an_input_of_its_own() -> None:
    assert {each.kind for each in known_inputs(IMR.schema).values()} == {
        "enum",
        "text",
        "texts",
        "ranges",
        "date",
        "integer",
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("ranges", "177-179, 301", [{"first": 177, "last": 179}, {"first": 301, "last": 301}]),
        ("ranges", "177\u2013179;301", [{"first": 177, "last": 179}, {"first": 301, "last": 301}]),
        ("ranges", "", []),
        ("date", "07/31/2014", "2014-07-31"),
        ("date", " 2014-07-31 ", "2014-07-31"),
        ("texts", "California\n\n Nevada ", ["California", "Nevada"]),
        ("integer", " 37 ", 37),
        ("number", "1.5", 1.5),
        ("boolean", "yes", True),
        ("json", '{"a": 1}', {"a": 1}),
    ],
)
def test_what_is_typed(kind: str, text: str, value: Any) -> None:
    assert Input(kind).parse(text) == value
    assert Input(kind).parse(Input(kind).text(value)) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ranges", "12 to 14"), ("ranges", "14-12"), ("ranges", "x"), ("date", "31.7.2014"), ("date", "2014-02-30"),
        ("integer", "3.5"), ("integer", "9" * 40), ("number", "1e9"), ("boolean", "maybe"), ("text", "  "),
        ("enum", "maybe"), ("json", "{"), ("json", "[" * 50_000),
    ],
)  # fmt: skip
def test_what_cannot_be_typed_is_refused_in_words(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Input(kind).parse(text)


def test_every_input_of_the_letter_type_is_of_a_leaf() -> None:
    for path in known_inputs(IMR.schema):
        schema: Any = IMR.schema
        for name in path.split("/"):
            spec = next(each for each in fields_of(schema) if each.name == name)
            schema = spec.model
        assert spec.marker is not None


# ---- corrections --------------------------------------------------------------------------------


def test_the_same_checks_judge_a_correction(tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost})
    desk, kind = desk_of(tmp_path), kind_of(tmp_path)
    record = record_of(tmp_path / "out", "blue")
    letter, _ = desk.letters.get(record)
    assert letter is not None
    assert [each.code for each in record.errors] == ["value_differs"]
    right = correction(kind, letter, record, "/parcels/0/state", "delivered")
    assert (right.new_findings, right.resolved, right.record.status) == ((), 1, "accepted")
    assert right.record.evidence["/parcels/0/state"][0].text == "delivered"
    wrong = correction(kind, letter, record, "/carrier", "Red Van")
    assert [each.code for each in wrong.new_findings] == ["not_in_text"]
    assert wrong.resolved == 0


@pytest.mark.parametrize(
    ("path", "text", "error"),
    [
        ("/parcels/0/state", "burnt", "one of: delivered, lost"),
        ("/parcels/0/state", None, "must have a value"),
        ("/parcels/0/on", "soon", "a date like"),
        ("/parcels/0", "x", None),
        ("/parcels", "x", None),
        ("/nothing", "x", None),
        ("/parcels/9/state", "lost", None),
        ("/parcels/state", "lost", None),
        ("", "x", None),
    ],
)
def test_what_cannot_be_corrected(tmp_path: Path, path: str, text: str | None, error: str | None) -> None:
    write_run(tmp_path, {"blue": lost})
    record = record_of(tmp_path / "out", "blue")
    letter, _ = desk_of(tmp_path).letters.get(record)
    assert letter is not None
    with pytest.raises(UsageError if error else LookupError, match=error):
        correction(kind_of(tmp_path), letter, record, path, text)


def test_a_missing_record_comes_from_the_reading_and_an_extra_one_goes(tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": dropped, "red": doubled})
    desk, kind = desk_of(tmp_path), kind_of(tmp_path)
    blue, red = record_of(tmp_path / "out", "blue"), record_of(tmp_path / "out", "red")
    letter, _ = desk.letters.get(blue)
    assert letter is not None
    added = addition(kind, letter, blue, "/parcels")
    assert (added.path, added.new["number"], added.record.status) == ("/parcels/1", "13", "accepted")
    with pytest.raises(UsageError, match="every part"):
        addition(kind, letter, added.record, "/parcels")
    with pytest.raises(LookupError):
        addition(kind, letter, blue, "/carrier")
    letter, _ = desk.letters.get(red)
    assert letter is not None
    assert removal(kind, letter, red, "/parcels/1").record.status == "accepted"
    with pytest.raises(LookupError):
        removal(kind, letter, red, "/carrier")


# ---- a record as people left it -----------------------------------------------------------------


def test_a_record_nobody_reviewed_stays_as_it_is(tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost})
    record = record_of(tmp_path / "out", "blue")
    reviewed = Reviews(tmp_path / "out").reviewed(record)
    assert reviewed == Reviewed(record)
    assert not (tmp_path / "out" / "review.jsonl").exists()
