"""The library: what it offers, that it loads lazily, and each call by example."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import extractor
from extractor import (
    Extractor,
    Letter,
    LetterError,
    Options,
    Record,
    Selection,
    UsageError,
    letter_from_bytes,
    letter_from_text,
)
from extractor.errors import CassetteError, IncompleteRunError, WorkspaceError
from extractor.runs.bulk import Summary
from extractor.runs.ledger import LedgerView
from extractor.workspace.session import PlanSpec, plan_spec
from extractor.workspace.workspace import Workspace
from tests.support.imr import ROOT
from tests.support.loopback import endpoint
from tests.support.toy import MODEL, NOTES, edit, good_model, put, right_answer, write_toy

LETTERS = ROOT / "eval" / "imr" / "letters"


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Extractor]:
    with Extractor(write_toy(tmp_path / "toy"), model="offline") as opened:
        yield opened


def text_of(name: str) -> Letter:
    return letter_from_text(NOTES[name], letter_id=name)


# ---- what there is ---------------------------------------------------------------------------


def test_the_public_names() -> None:
    assert extractor.__all__ == [
        "Attempt", "Bench", "Bill", "Bounds", "CassetteError", "CheckedAnswer", "Comparison", "Evidence", "Extractor",
        "ExtractorError", "Failure", "Finding", "Forecast", "IncompleteRunError", "Letter", "LetterError", "LetterType",
        "Merged", "ModelError", "Options", "PlanSpec", "Reading", "Record", "RecordStream", "RunState", "SecondModel", "Selection", "Span", "Summary", "TextMark",
        "TransportError", "UsageError", "Withheld", "Written", "letter_from_bytes", "letter_from_text",
        "letter_type", "merge_runs", "read_letter", "read_records",
    ]  # fmt: skip
    for name in extractor.__all__:
        found = getattr(extractor, name)
        assert found.__name__ == name
        assert found.__doc__
    assert dir(extractor) == extractor.__all__


def test_a_name_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Extrator'"):
        extractor.Extrator  # noqa: B018


@pytest.mark.parametrize(
    "code",
    ["", f"extractor.Extractor({str(ROOT)!r}, model='offline').extract({str(LETTERS / 'dwc-2014-000.txt')!r})"],
    ids=["import", "offline"],
)
def test_it_loads_no_more_than_it_needs(code: str) -> None:
    program = (
        f"import sys, extractor\n{code}\nprint([m for m in sys.modules if m in {{'openai', 'instructor', 'scipy'}}])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# ---- one letter ------------------------------------------------------------------------------


def test_without_a_workspace_it_is_the_starter() -> None:
    with Extractor(model="offline") as opened:
        record = opened.extract(LETTERS / "dwc-2014-000.txt")
    assert (record.letter_id, record.letter_type, record.status, record.prompt) == (
        "dwc-2014-000",
        "imr",
        "accepted",
        None,
    )
    assert record.evidence["/decisions/0/outcome"][0].text.lower() == record.answer["decisions"][0]["outcome"]


@pytest.mark.parametrize("name", sorted(NOTES))
def test_a_letter_from_a_path_from_bytes_and_from_text_is_the_same(toy: Extractor, name: str) -> None:
    path = toy.workspace.root / "letters" / f"{name}.txt"
    records = [
        toy.extract(path),
        toy.extract(str(path)),
        toy.extract(letter_from_bytes(path.read_bytes(), f"{name}.txt")),
        toy.extract(text_of(name)),
        toy.extract(extractor.read_letter(path)),
        asyncio.run(toy.extract_async(path)),
    ]
    assert records[0].answer == right_answer(NOTES[name])
    assert all(record == records[0] for record in records)


def test_the_records_of_a_run_come_once(toy: Extractor) -> None:
    run = toy.run(toy.workspace.root / "letters")
    with pytest.raises(UsageError, match="the run has not finished"):
        run.bill()
    assert len(list(run)) == len(NOTES)
    for again in (lambda: list(run), lambda: aiter(run)):
        with pytest.raises(UsageError, match="iterated over once"):
            again()


def test_a_letter_that_cannot_be_read(toy: Extractor, tmp_path: Path) -> None:
    with pytest.raises(LetterError, match="empty"):
        toy.extract(put(tmp_path / "empty.txt", ""))
    with pytest.raises(UsageError):
        toy.extract(tmp_path / "nowhere.txt")
    with pytest.raises(UsageError, match="may hold many"):
        letter_from_bytes(b"PK\x05\x06" + bytes(18), "all.zip")


def test_an_answer_is_checked(toy: Extractor) -> None:
    right = right_answer(NOTES["slow"])
    assert toy.check(right, text_of("slow")).status == "accepted"
    assert toy.check(toy.letter_type.schema.model_validate(right), text_of("slow")).status == "accepted"
    wrong = toy.check({**right, "carrier": "Fast Boat"}, text_of("slow"))
    assert [(each.code, each.path, each.blame) for each in wrong.findings] == [("not_in_text", "/carrier", "answer")]
    assert toy.check({"odd": 1}, text_of("slow")).status == "failed"
    record = toy.extract(text_of("slow"))
    assert toy.check(json.loads(record.as_json()), text_of("slow")) == toy.check(record, text_of("slow"))
    assert toy.check({"letter_id": "slow", "answer": right}, text_of("slow")).status == "accepted"
    assert "other_text" in [each.code for each in toy.check(toy.extract(text_of("red")), text_of("slow")).findings]


def test_nothing_that_ends_in_a_log_holds_the_words_of_a_letter(toy: Extractor) -> None:
    """Text in place of a path is the classic mistake; ``repr`` is what loggers and failing tests print."""
    text = "Dear Sir,\nJane Roe, born on 1/2/1970, parcel lost"
    for mistake in (text, text.replace("\n", " ") * 9):
        with pytest.raises(UsageError) as raised:
            toy.extract(mistake)
        assert "Roe" not in str(raised.value)
        assert "may be the text of a letter" in str(raised.value)
    letter = letter_from_text(NOTES["blue"], letter_id="a")
    run = toy.run(toy.workspace.root / "letters")
    found = list(run)
    for shown in (letter, found, run.summary):
        assert "Blue Van" not in repr(shown)


def test_lines_of_answers_are_checked(toy: Extractor) -> None:
    right, letters = right_answer(NOTES["red"]), [toy.workspace.root / "letters"]
    lines = [
        json.dumps({"letter_id": "red", "answer": right}),
        "",
        json.dumps({"letter_id": "blue", "answer": {**right_answer(NOTES["blue"]), "carrier": "Fast Boat"}}),
        "no JSON",
        json.dumps({"letter_id": "green", "answer": right}),
    ]
    found = list(toy.check_lines(lines, letters))
    assert [line["status"] for line in found] == ["accepted", "needs_review", "failed", "failed"]
    assert [line["error"]["code"] for line in found[2:]] == ["bad_line", "letter_not_found"]
    assert "line 4 " in found[2]["error"]["message"]


def test_what_was_read_is_marked_on_the_text(toy: Extractor, tmp_path: Path) -> None:
    put(tmp_path / "in" / "red.txt", NOTES["red"])
    put(tmp_path / "in" / "void.txt", "")
    found = dict(toy.letters(tmp_path / "in"))
    assert isinstance(found["void"], LetterError)
    letter = found["red"]
    assert isinstance(letter, Letter)
    marks = {mark.path: mark.span.of(letter.text) for mark in toy.marks(toy.reading(letter)) if mark.kind == "fact"}
    assert marks["/carrier"] == "Red Cart"
    assert [name for name, _ in toy.letters([tmp_path / "in"], "red")] == ["red"]
    with pytest.raises(UsageError, match="no letter 'green'"):
        toy.letters(tmp_path / "in", "green")


def test_objects_have_attributes_and_do_not_change(toy: Extractor) -> None:
    record = toy.extract(text_of("blue"))
    assert record.evidence["/parcels/0/on"][0].span.of(NOTES["blue"]) == "3/4/2020"
    assert record.findings[0].code == "baseline"
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.status = "failed"  # type: ignore[misc]


def test_a_recording_that_is_missing_is_an_error(toy: Extractor) -> None:
    with Extractor(toy.workspace.root, model="replay:openai/none") as replay, pytest.raises(CassetteError):
        replay.extract(text_of("red"))


# ---- many letters ----------------------------------------------------------------------------


def test_a_run_is_iterated_over_and_continued(toy: Extractor, tmp_path: Path) -> None:
    root, folder = toy.workspace.root, tmp_path / "out"
    seen: list[int] = []
    first = toy.run([root / "letters"], folder, progress=lambda summary: seen.append(summary.done))
    records = {record.letter_id: record for record in first}
    assert set(records) == {"blue", "red", "slow"}
    assert isinstance(first.summary, Summary)
    assert (first.summary.counts["accepted"], first.summary.skipped, seen[-1]) == (3, 0, 3)
    again = toy.run(root / "letters", folder)
    assert {record.letter_id: record for record in again} == records
    assert again.summary is not None
    assert again.summary.skipped == 3
    assert [record.letter_id for record in extractor.read_records(folder / "records.jsonl")] == ["blue", "red", "slow"]


def test_a_run_is_awaited(toy: Extractor) -> None:
    async def all_of() -> list[str]:
        return sorted([record.letter_id async for record in toy.run(toy.workspace.root / "letters")])

    assert asyncio.run(all_of()) == ["blue", "red", "slow"]


def test_sync_calls_work_where_a_loop_is_running(toy: Extractor) -> None:
    async def notebook_cell() -> list[Record]:
        return [toy.extract(text_of("red")), *toy.run(toy.workspace.root / "letters")]

    assert len(asyncio.run(notebook_cell())) == 4


def test_a_loop_left_early_ends_the_run(toy: Extractor, tmp_path: Path) -> None:
    root = toy.workspace.root
    for number in range(60):
        put(root / "letters" / f"more-{number:02}.txt", NOTES["red"])
    stream = toy.run(root / "letters", tmp_path / "out")
    for _ in stream:
        break
    stream.close()
    rest = toy.run(root / "letters", tmp_path / "out")
    assert len(list(rest)) == 63


def test_letters_without_a_record_end_a_run_with_an_error(toy: Extractor) -> None:
    with Extractor(toy.workspace.root, model="replay:openai/none") as replay:
        stream = replay.run(toy.workspace.root / "letters")
        with pytest.raises(IncompleteRunError) as caught:
            list(stream)
    assert caught.value.left == 3


def test_a_run_is_finished_for_its_counts(toy: Extractor, tmp_path: Path) -> None:
    letters, folder = toy.workspace.root / "letters", tmp_path / "out"
    assert toy.forecast(letters, folder).calls == 3
    run = toy.run(letters, folder, selection=Selection(limit=2))
    assert (run.finish().counts["accepted"], run.bill().asked) == (2, 2)
    assert len(extractor.read_records(folder / "records.jsonl")) == 2
    assert (toy.forecast(letters, folder).done, toy.forecast(letters, folder).calls) == (2, 1)
    again = toy.run(
        letters, folder, selection=Selection(limit=1), options=Options(only="failed", labels={"why": "test"})
    )
    assert again.finish().total == 0
    with LedgerView(folder) as ledger:
        latest = ledger.latest()
        assert latest is not None
        assert (latest.state["why"], latest.state["model"], latest.state["type"]) == ("test", "offline", "parcel")
    with pytest.raises(UsageError, match="without a folder"):
        toy.run(letters).finish()
    with pytest.raises(UsageError, match="by their status"):
        toy.run(letters, selection=Selection(only="failed"))


def test_a_run_has_connections_of_its_own(toy: Extractor, tmp_path: Path) -> None:
    root = toy.workspace.root
    with endpoint(good_model) as server, Extractor(root, model=MODEL, base_url=server.url) as asked:
        assert asked.extract(text_of("red")).status == "accepted"
        run = asked.run(root / "letters", tmp_path / "out", concurrency=1)
        assert run.finish().counts["accepted"] == 3
        assert run.bill().asked == 3
        assert asked.extract(text_of("slow")).status == "accepted"
        with pytest.raises(UsageError, match="--max-cost cannot be kept"):
            asked.run(root / "letters", tmp_path / "out", max_cost=1).finish()
        assert len(server.asked) == 5


def test_a_frame_is_columns_of_equal_length(toy: Extractor) -> None:
    records = sorted(toy.run(toy.workspace.root / "letters"), key=lambda record: record.letter_id)
    letters = toy.frame(records)
    assert letters["letter_id"] == ["blue", "red", "slow"]
    parcels = toy.frame(records, "parcels")
    assert {len(column) for column in parcels.values()} == {sum(letters["parcels"])}
    assert date(2020, 3, 4) in parcels["parcels.on"]
    for wrong in ("both", "nothing"):
        with pytest.raises(UsageError):
            toy.frame(records, wrong)


def test_the_state_of_a_folder_and_folders_made_one(toy: Extractor, tmp_path: Path) -> None:
    letters = toy.workspace.root / "letters"
    for part in (1, 2):
        toy.run(letters, tmp_path / f"out-{part}", selection=Selection(shard=(part, 2))).finish()
    states = [extractor.RunState.of_folder(tmp_path / f"out-{part}") for part in (1, 2)]
    assert [(state.state, state.stop_reason, state.failed) for state in states] == [("finished", "", {})] * 2
    merged = extractor.merge_runs([tmp_path / "out-1", tmp_path / "out-2"], tmp_path / "all")
    assert (merged.counts["accepted"], merged.conflicts) == (3, ())
    assert extractor.RunState.of_folder(tmp_path / "all").records["letters"] == 3
    with pytest.raises(UsageError, match="no run"):
        extractor.RunState.of_folder(tmp_path)


def test_a_run_is_exported_as_tables(toy: Extractor, tmp_path: Path) -> None:
    assert toy.run(toy.workspace.root / "letters", tmp_path / "out").finish().total == 3
    written = toy.export(tmp_path / "out", "csv", rows="letters")
    assert [(each.table, each.rows, each.path.name) for each in written] == [("letters", 3, "letters.csv")]
    assert [each.table for each in toy.export(tmp_path / "out", out=tmp_path / "all.jsonl")] == ["parcels", "letters"]
    with pytest.raises(UsageError, match="unknown format 'doc'"):
        toy.export(tmp_path / "out", "doc")


def test_a_letter_type_of_ones_own_needs_no_workspace(toy: Extractor) -> None:
    own = Extractor(letter_type=toy.letter_type)
    assert own.extract(text_of("red")).answer == right_answer(NOTES["red"])
    assert len(list(own.run(toy.workspace.root / "letters"))) == 3
    for settings in ({"model": "openai/x"}, {"workspace": "."}, {"prompt": "parcel@v1"}):
        with pytest.raises(UsageError, match="without a language model"):
            Extractor(letter_type=toy.letter_type, **settings)  # type: ignore[arg-type]


# ---- notebooks -------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' & \u202e\x1b[31m"


def test_hostile_text_is_no_markup_in_a_notebook(toy: Extractor) -> None:
    record = toy.extract(text_of("blue"))
    answer: dict[str, Any] = {**(record.answer or {}), HOSTILE: HOSTILE, "carrier": HOSTILE}
    evidence = {**record.evidence, "/carrier": (dataclasses.replace(record.evidence["/carrier"][0], text=HOSTILE),)}
    odd = dataclasses.replace(record, letter_id=HOSTILE, answer=answer, evidence=evidence)
    letter = letter_from_text(NOTES["blue"] + HOSTILE, letter_id=HOSTILE)
    marked = dataclasses.replace(record, letter_sha256=letter.sha256).marked(letter)
    for html in (odd._repr_html_(), letter._repr_html_(), marked._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
        assert "\u202e" not in html
        assert "\x1b" not in html


def test_evidence_is_marked(toy: Extractor) -> None:
    record = toy.extract(text_of("blue"))
    assert '<mark title="/parcels/0/on">3/4/2020</mark>' in record._repr_html_()
    assert '<mark title="/parcels/0/on">3/4/2020</mark>' in record.marked(text_of("blue"))._repr_html_()
    with pytest.raises(UsageError, match="another text"):
        record.marked(text_of("red"))


# ---- prompts ---------------------------------------------------------------------------------


def test_two_prompts_are_compared_from_recorded_answers() -> None:
    with Extractor(ROOT) as opened:
        found = opened.compare("offline", "imr@v1", set_name="smoke")
        assert asyncio.run(opened.compare_async("offline", "imr@v1", set_name="smoke")) == found
    assert found.letters > 0
    assert found.a.about["prompt"] is None
    assert found.b.about["prompt"] == "imr@v1"
    assert "<table>" in found._repr_html_()
    with pytest.raises(UsageError, match="asks no model"):
        Extractor(ROOT, model="openai/x").compare("imr@v1", "imr@v2")


# ---- plans as data ---------------------------------------------------------------------------


def test_a_bench_makes_keeps_and_finds_runs(tmp_path: Path) -> None:
    root = tmp_path / "own"
    for folder in ("schemas", "prompts", "eval"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "workspace.toml", root)
    edit(root / "workspace.toml", 'name = "letterproof"', 'name = "benched"')
    with Extractor(root, letter_type="imr") as opened:
        bench = opened.bench("smoke")
        run = bench.replayed("offline").run
        assert bench.find(run.id) is None
        bench.keep(run)
        kept = bench.find(run.id)
        assert kept is not None
        assert (kept.id, [head["id"] for head in bench.heads()]) == (run.id, [run.id])
        assert bench.rescored(kept).summary == run.summary
        assert asyncio.run(bench.compare(run.id, "offline")).counts == {"broke": 0, "changed": 0, "fixed": 0}
        with pytest.raises(UsageError, match="go together"):
            opened.bench(letters=root)


def test_a_plan_is_opened_elsewhere_from_plain_data(toy: Extractor) -> None:
    spec = plan_spec(toy.workspace, model="openai/toy", base_url="http://127.0.0.1:9/v1", reasks=2)
    again = PlanSpec.from_dict(spec.as_dict())
    assert again == spec
    plan = again.open(keyless=True).plan
    assert (plan.model.name, plan.reasks, plan.prompt and plan.prompt.id) == ("openai/toy", 2, "parcel@v1")
    assert toy.spec == PlanSpec.from_dict(toy.spec.as_dict())
    assert toy.spec.open().plan.is_offline


def test_a_plan_from_elsewhere_asks_what_it_says(toy: Extractor) -> None:
    root = toy.workspace.root
    with endpoint(good_model) as server, Extractor(root, model=MODEL, base_url=server.url, reasks=0) as asked:
        spec = PlanSpec.from_dict(asked.spec.as_dict())
        with Extractor.from_spec(spec) as elsewhere:
            assert elsewhere.extract(text_of("red")).model == MODEL
            assert elsewhere.spec == spec
    assert len(server.asked) == 1


@pytest.mark.parametrize("changed", [{"schema_sha256": "0"}, {"prompt_sha256": "0"}])
def test_a_workspace_that_differs_from_the_plans_is_refused(toy: Extractor, changed: dict[str, str]) -> None:
    spec = plan_spec(toy.workspace, model="openai/toy", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(WorkspaceError, match="not the one the plan was made with"):
        dataclasses.replace(spec, **changed).open(keyless=True)


@pytest.mark.parametrize("data", [{}, {"workspace": "."}, {"workspace": ".", "letter_type": "x", "odd": 1}])
def test_data_that_is_no_plan(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="a plan"):
        PlanSpec.from_dict(data)


def test_it_adds_one_thread() -> None:
    with Extractor(ROOT, model="offline") as opened:
        opened.extract(LETTERS / "dwc-2014-000.txt")
        opened.extract(LETTERS / "dwc-2014-000.txt")
    assert [thread.name for thread in threading.enumerate()].count("extractor") == 1
    assert Workspace(ROOT).root == ROOT
