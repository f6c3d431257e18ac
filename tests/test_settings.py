"""Settings and arguments that cannot be used are refused when they are given, with what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from extractor import (
    Bounds,
    Extractor,
    ExtractorError,
    Options,
    PlanSpec,
    Record,
    Selection,
    UsageError,
    letter_from_bytes,
    letter_from_text,
    read_letter,
    read_records,
)
from extractor.models.llm import providers
from extractor.models.names import PROVIDERS
from tests.support.imr import ROOT

LETTERS = ROOT / "eval" / "imr" / "letters"

WRONG: list[tuple[Callable[..., Any], str, Any, str]] = [
    (Bounds, "high", 0, "a whole number from 1 to 2000"),
    (Bounds, "high", 2_001, "a whole number from 1 to 2000"),
    (Bounds, "low", 0, "a whole number from 1 to 256"),
    (Bounds, "low", 257, "a whole number from 1 to 256"),
    (Bounds, "rpm", 0, "a number of at least 0.1"),
    (Bounds, "tpm", -5, "a number of at least 1"),
    (Bounds, "tpm", "many", "a number of at least 1"),
    (Options, "again", "bogus", "nothing, failed, all"),
    (Options, "only", "bogus", "accepted, needs_review, failed"),
    (Options, "max_cost", -1, "a number of at least 0"),
    (Options, "max_cost", float("nan"), "a number of at least 0"),
    (Options, "max_minutes", -1, "a number of at least 0"),
    (Options, "max_failures", 0, "a whole number of at least 1"),
    (Options, "grace", -0.1, "a number of at least 0"),
    (Options, "refused_for", "long", "a number of at least 0"),
    (Selection, "only", "bogus", "accepted, needs_review, failed"),
    (Selection, "sample", -1, "a whole number of at least 0"),
    (Selection, "sample", 1.5, "a whole number of at least 0"),
    (Selection, "seed", "x", "a whole number"),
    (Selection, "limit", -1, "a whole number of at least 0"),
    (Selection, "limit", True, "a whole number of at least 0"),
    (Selection, "shard", "9/4", "(i, n) with i from 1 to n"),
    (Selection, "shard", (0, 4), "(i, n) with i from 1 to n"),
    (Selection, "shard", (5, 4), "(i, n) with i from 1 to n"),
    (Selection, "shard", (1, 2, 3), "(i, n) with i from 1 to n"),
    (Extractor, "reasks", -1, "a whole number from 0 to 5"),
    (Extractor, "reasks", 6, "a whole number from 0 to 5"),
    (Extractor, "reasks", "1", "a whole number from 0 to 5"),
]


@pytest.mark.parametrize(("made", "name", "value", "allowed"), WRONG, ids=lambda each: str(each)[:24])
def test_what_cannot_be_used_is_refused(made: Callable[..., Any], name: str, value: Any, allowed: str) -> None:
    with pytest.raises(UsageError) as raised:
        made(**{name: value})
    shown = "concurrency" if name in ("low", "high") else name
    assert raised.value.message == f"{shown}: {value!r} cannot be used"
    assert raised.value.hint == f"allowed: {allowed}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("concurrency", -3), ("concurrency", 0), ("concurrency", "auto"), ("max_cost", -1), ("max_cost", "1 USD")],
)
def test_arguments_of_a_run(name: str, value: Any) -> None:
    with Extractor(model="offline") as opened, pytest.raises(UsageError, match=rf"^{name}: .* cannot be used"):
        opened.run(LETTERS, **{name: value})


def test_the_reasks_of_a_plan() -> None:
    with pytest.raises(UsageError, match="reasks: 9 cannot be used"):
        PlanSpec.from_dict({"workspace": ".", "letter_type": "imr", "reasks": 9})


def test_what_can_be_used() -> None:
    assert Bounds(1, 2_000, 0.1, 1)
    assert Bounds(high=1)
    assert Selection("failed", 0, -7, (4, 4), 0)
    assert Options("all", "accepted", max_cost=Decimal(0), max_minutes=0, max_failures=1, grace=0)
    assert Options(max_cost=0.1).max_cost == Decimal("0.1")  # type: ignore[arg-type]


NOTE = "Dear Jane Roe,\nyour parcel is lost."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda imr: imr.extract(b"Dear Jane Roe"), "letter: the path of a file or folder was expected, not bytes"),
        (lambda imr: imr.extract(None), "letter: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.extract([LETTERS]), "letter: the path of a file or folder was expected, not list"),
        (lambda imr: imr.read(7), "letter: the path of a file or folder was expected, not int"),
        (lambda imr: imr.run(None), "paths: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.run(b"letters"), "paths: the path of a file or folder was expected, not bytes"),
        (lambda imr: imr.run([LETTERS, None]), "paths: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.run(LETTERS, 7), "folder: the path of a file or folder was expected, not int"),
        (lambda imr: imr.forecast(LETTERS, None), "folder: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.export(None), "folder: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.letters(3), "paths: the path of a file or folder was expected, not int"),
        (lambda imr: imr.check_lines(["{}"], None), "paths: the path of a file or folder was expected, not NoneType"),
        (lambda imr: imr.frame([{"letter_id": "a"}], "decisions"), "records: a Record was expected, not dict"),
        (lambda imr: imr.frame([], "both"), "a frame is one table, not 'both'"),
        (lambda imr: imr.frame([], "rows"), "a frame is one table, not 'rows'"),
        (lambda imr: read_letter(None), "path: the path of a file or folder was expected, not NoneType"),
        (lambda imr: read_records(None), "path: the path of a file or folder was expected, not NoneType"),
        (lambda imr: Record.from_dict(None), "not a record: not a JSON object"),
        (lambda imr: Record.from_json(None), "not a record: not valid JSON"),
        (lambda imr: letter_from_bytes(NOTE, "a.txt"), "data: bytes was expected, not str"),
        (lambda imr: letter_from_bytes(NOTE.encode(), None), "name: str was expected, not NoneType"),
        (lambda imr: letter_from_text(None, letter_id="a"), "text: str was expected, not NoneType"),
        (lambda imr: letter_from_text("a", letter_id=NOTE), "letter_id: an id of 35 characters cannot be used"),
        (lambda imr: letter_from_text("a", letter_id="x" * 256), "letter_id: an id of 256 characters cannot be used"),
        (lambda imr: letter_from_text(NOTE, letter_id=""), "letter_id: an id of 0 characters cannot be used"),
        (lambda imr: letter_from_bytes(b"a", NOTE), "name: an id of 35 characters cannot be used"),
        (lambda imr: Extractor(model="openai"), "unknown model 'openai'"),
        (lambda imr: Extractor(model="replay:opnai/x"), "unknown model 'opnai/x'"),
        (lambda imr: Extractor(model=7), "model: str was expected, not int"),
        (lambda imr: Extractor(7), "workspace: the path of a file or folder was expected, not int"),
    ],
)
def test_an_argument_of_a_wrong_kind(call: Callable[[Any], Any], message: str) -> None:
    with Extractor(model="offline") as imr, pytest.raises(ExtractorError) as raised:
        call(imr)
    assert raised.value.message == message
    assert "Roe" not in str(raised.value)


@pytest.mark.parametrize("answer", ["{}", None, 7, [{}], {"case": {date(2016, 1, 1)}}, {"case": float("nan")}])
def test_what_is_no_answer(answer: Any) -> None:
    letter = letter_from_text(NOTE, letter_id="a")
    with Extractor(model="offline") as imr, pytest.raises(UsageError, match=r"^answer: ") as raised:
        imr.check(answer, letter)
    assert raised.value.hint


def test_providers_are_known_without_their_sdks() -> None:
    assert tuple(providers._PROVIDERS) == PROVIDERS
