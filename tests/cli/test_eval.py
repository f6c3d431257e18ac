"""``extractor eval`` as its user types it: a workspace of parcel notes, and a model on this machine."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from extractor.letters import letter
from extractor.lettertypes.reading import Reading
from extractor.workspace.workspace import Workspace
from tests.support.loopback import Asked, Canned, endpoint, message, refusal
from tests.support.toy import (
    MODEL,
    NOTES,
    PROMPT,
    add_gold,
    cli,
    edit,
    forget_workspaces,
    good_model,
    letter_in,
    put,
    right_answer,
    write_toy,
)

# Six letters and more, or no test is made.
MORE = {f"van{i}": f"PARCEL NOTE of Van {i}\nPARCEL {i}: delivered on 3/4/2020\nPARCEL 1{i}: lost\n" for i in range(4)}
LETTERS = {**NOTES, **MORE}


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Path:
    """The toy workspace with gold for seven notes and two prompt versions; also the current folder."""
    forget_workspaces()
    root = add_gold(write_toy(tmp_path / "w", "evaltoy"), LETTERS)
    put(root / "prompts/parcel/v2.md", PROMPT.replace("Fill the schema from it", "Fill the schema, and read twice"))
    monkeypatch.chdir(root)
    return root


def hasty_model(number: int, asked: Asked) -> Canned:
    """Reads with v2 as it should; with v1 it takes every parcel for delivered."""
    answer = right_answer(letter_in(asked))
    if "read twice" not in asked.body["messages"][0]["content"]:
        for parcel in answer["parcels"]:
            parcel["state"] = "delivered"
    return message(json.dumps(answer))


def record(model=hasty_model, *prompts: str) -> None:
    with endpoint(model) as server:
        for prompt in prompts or ("parcel@v1", "parcel@v2"):
            done = cli("record", "--model", MODEL, "--base-url", server.url, "--prompt", prompt, "--reask", "0")
            assert done.code == 0, done.err


def test_a_run_is_scored_and_kept(bench):
    record()
    done = cli("eval", "run", "parcel@v1", "--reask", "0")
    assert done.code == 0, done.err
    assert "Errors per letter 0.86 (6 in 7)" in " ".join(done.out.split())
    assert "1 of 7 letters fully right" in " ".join(done.out.split())
    folders = [each.name for each in (bench / "runs/parcel").iterdir()]
    assert len(folders) == 1
    assert folders[0].startswith("gold--parcel@v1--openai__toy--")


@pytest.mark.slow
def test_the_same_replay_gives_the_same_bytes(bench):
    record()
    first = cli("eval", "run", "parcel@v1", "--reask", "0")
    folder = next((bench / "runs/parcel").iterdir())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = cli("eval", "run", "parcel@v1", "--reask", "0")
    assert again.out == first.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(list((bench / "runs/parcel").iterdir())) == 1


@pytest.mark.parametrize("form", ["text", "md", "json", "html", "junit"])
@pytest.mark.sample(2)
def test_every_format_is_written(bench, form):
    record()
    done = cli("eval", "run", "parcel@v1", "--reask", "0", "--format", form, "--out", "report/r")
    assert done.code == 0, done.err
    assert "parcel@v1" in (bench / "report/r").read_text("utf-8")
    assert cli("eval", "run", "parcel@v1", "--format", "pdf").code == 2


def test_two_prompts_are_compared_in_one_command(bench):
    record()
    done = cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0")
    assert done.code == 0, done.err
    assert "parcel@v2 makes 0.86 errors fewer per letter than parcel@v1, p = 0.031" in done.out
    assert "fixed (6)" in done.out
    assert "/parcels/1/state" in done.out
    report = json.loads(cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0", "--format", "json").out)
    assert report["headline"] in done.out
    assert report["counts"] == {"fixed": 6, "broke": 0, "changed": 0}
    assert report["change"]["p"] == 2 / 2**6
    only = cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0", "--only", "broke")
    assert "/parcels/1/state" not in only.out


def test_a_comparison_opens_the_workspace_once_and_reads_each_letter_once(bench, monkeypatch):
    record()
    forget_workspaces()
    counts: Counter[str] = Counter()

    def counted(what: str, home: object, name: str = "__init__") -> None:
        real = getattr(home, name)

        def call(*words, **options):
            counts[what] += 1
            return real(*words, **options)

        monkeypatch.setattr(home, name, call)

    counted("letters", letter, "letter_of")
    counted("readings", Reading)
    counted("workspaces", Workspace)
    assert cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0").code == 0
    assert counts == {"letters": len(LETTERS), "readings": len(LETTERS), "workspaces": 1}


@pytest.mark.slow
def test_how_many_letters_a_change_needs(bench):
    record()
    done = cli("eval", "plan", "parcel@v1", "parcel@v2", "--reask", "0", "--change", "0.5")
    assert done.code == 0, done.err
    assert "Observed: \u22120.86 errors per letter over 7 letters, 6 with a difference." in done.out
    plan = cli("eval", "plan", "parcel@v1", "parcel@v2", "--reask", "0", "--change", "0.5", "--json").json
    assert f"A true change of +0.50 needs about {plan['letters_needed']} letters" in done.out
    assert 8 <= plan["letters_needed"] <= 20
    few = cli("eval", "plan", "parcel@v1", "parcel@v1", "--reask", "0", "--change", "0.5")
    assert few.code == 1
    assert "too few to plan from" in few.out


@pytest.mark.slow
def test_three_runs_go_into_one_table(bench):
    record()
    done = cli("eval", "compare", "offline", "parcel@v1", "parcel@v2", "--reask", "0")
    assert done.code == 0, done.err
    assert "2 tests were made" in done.out


@pytest.mark.slow
def test_one_letter_in_full(bench):
    record()
    done = cli("eval", "show", "blue", "parcel@v1", "parcel@v2")
    assert done.code == 0, done.err
    assert "PARCEL 13: lost" in done.out
    assert "/parcels/1/state" in done.out
    assert "delivered (wrong)" in done.out
    assert cli("eval", "show", "green", "parcel@v1").code == 2


@pytest.mark.slow
def test_a_missing_tape_is_an_incomplete_run_with_its_own_code(bench):
    record()
    (bench / "cassettes/parcel/parcel@v1/openai__toy/red.yaml").unlink()
    done = cli("eval", "run", "parcel@v1", "--reask", "0")
    assert done.code == 3
    assert "INCOMPLETE" in done.out
    assert "letter red x prompt parcel@v1" in done.err
    compared = cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0")
    assert compared.code == 3
    assert "Incomplete: 1 letter is not compared: red (no answer in A)" in compared.out
    assert "set gold (6 letters, 33 gold values)" in compared.out


def test_transport_errors_are_no_wrong_answers_and_a_live_run_goes_on_where_it_stopped(bench):
    down = True

    def model(number: int, asked: Asked) -> Canned:
        return refusal(503) if down and "Red Cart" in letter_in(asked) else good_model(number, asked)

    with endpoint(model) as server:
        words = ("eval", "run", "parcel@v1", "--model", MODEL, "--base-url", server.url)
        half = cli(*words)
        assert half.code == 4
        assert "INCOMPLETE: 1 letter has no answer yet, and is in no figure: red" in half.out
        assert "6 of 6 letters fully right" in " ".join(half.out.split())
        down, asked = False, len(server.asked)
        whole = cli(*words)
        assert whole.code == 0, whole.err
        assert len(server.asked) == asked + 1
        assert "7 of 7 letters fully right" in " ".join(whole.out.split())


def test_a_live_run_is_not_paid_twice(bench):
    words = ("eval", "run", "parcel@v1", "--model", MODEL, "--base-url")
    with endpoint(good_model) as server:
        assert cli(*words, server.url).code == 0
        asked = len(server.asked)
        assert cli(*words, server.url).code == 0
        assert len(server.asked) == asked == 7


def test_comparing_never_asks_a_live_model(bench):
    done = cli("eval", "compare", "parcel@v1", "parcel@v2", "--model", MODEL)
    assert done.code == 2
    assert f"extractor eval run parcel@v1 --model {MODEL}" in done.err


def test_gate_bless_and_break(bench):
    record()
    put(bench / "eval/parcel/gates.toml", "[floor]\nrecall = 0.9\n[baseline]\nmax_broke = 0\n")
    low = cli("eval", "gate", "parcel@v1")
    assert low.code == 1
    assert "FAIL  floor.recall" in low.out
    assert "only the floors are judged" in low.err
    blessed = cli("eval", "bless", "parcel@v2")
    assert blessed.code == 0, blessed.err
    assert 'workspace.toml: default_prompt = "parcel@v2"' in blessed.out
    assert cli("eval", "gate", "parcel@v2").code == 0
    (bench / "letters/van1.txt").unlink()
    (bench / "eval/parcel/gold/van1.json").unlink()
    assert cli("eval", "gate", "parcel@v2").code == 0
    less = cli("eval", "gate", "parcel@v2", "--strict")
    assert less.code == 1
    assert "FAIL  baseline.letters: 1 letter of the baseline not scored any more: van1" in less.out
    broke = cli("eval", "gate", "parcel@v1", "--json")
    assert broke.code == 1
    lines = {line["name"]: line for line in broke.json["parcel@v1"]}
    assert not lines["baseline.max_broke"]["passed"]
    assert "blue /parcels/1/state: wrong" in lines["baseline.max_broke"]["detail"]
    worse = cli("eval", "bless", "parcel@v1")
    assert worse.code == 2
    assert "5 errors instead of 0, 1 letter no longer scored" in worse.err
    assert cli("eval", "bless", "parcel@v1", "--reason", "v2 cannot be used").code == 0
    assert cli("eval", "gate", "parcel@v2", "--baseline", "nowhere.json").code == 2


@pytest.mark.slow
def test_a_second_recorded_model_leaves_commands_and_gate_working(bench):
    put(bench / "eval/parcel/gates.toml", '[floor]\nrecall = 0.9\n[models."openai/other".floor]\nrecall = 0.5\n')
    record()
    with endpoint(hasty_model) as server:
        words = ["--model", "openai/other", "--base-url", server.url, "--prompt", "parcel@v1", "--reask", "0"]
        done = cli("record", *words)
    assert done.code == 0, done.err
    assert cli("cassettes", "status", "--strict").code == 0
    torn = cli("eval", "run", "parcel@v1", "--reask", "0")
    assert torn.code == 2
    assert "replay_model in workspace.toml" in torn.err
    edit(bench / "workspace.toml", 'default_model = "offline"', f'default_model = "offline"\nreplay_model = "{MODEL}"')
    assert cli("eval", "compare", "parcel@v1", "parcel@v2", "--reask", "0").code == 0
    gate = cli("eval", "gate", "parcel@v1", "--json").json
    recall = {name: next(x["passed"] for x in lines if x["name"] == "floor.recall") for name, lines in gate.items()}
    # The same answers: too bad for the one model's floor, good enough for the other's.
    assert recall == {"parcel@v1": False, "parcel@v1 replay:openai/other": True}
    only = cli("eval", "gate", "parcel@v1", "--model", "replay:openai/other", "--json").json
    assert list(only) == ["parcel@v1"]
    assert next(line["passed"] for line in only["parcel@v1"] if line["name"] == "floor.recall")


def test_a_prompt_with_a_letters_words_fails_the_gate(bench):
    put(bench / "eval/parcel/gates.toml", "[floor]\n")
    text = "PARCEL NOTE of Blue Van PARCEL 12: delivered on 3/4/2020"
    put(bench / "prompts/parcel/v3.md", PROMPT + f"For example: {text}\n")
    record(hasty_model, "parcel@v3")
    done = cli("eval", "gate", "parcel@v3")
    assert done.code == 1
    assert "FAIL  leaks" in done.out
    leaks = cli("eval", "leaks")
    assert leaks.code == 1
    assert "parcel@v3 holds words of blue" in leaks.out


def test_corrected_gold_needs_a_rescore_and_no_call(bench):
    record()
    cli("eval", "run", "parcel@v1", "--reask", "0")
    old = next((bench / "runs/parcel").iterdir()).name
    edit(bench / "eval/parcel/gold/blue.json", '"state": "lost"', '"state": "delivered"')
    refused = cli("eval", "compare", old, "parcel@v2", "--reask", "0")
    assert refused.code == 2
    assert "different gold of blue" in refused.err
    assert "rescore" in refused.err
    shutil.rmtree(bench / "cassettes")
    done = cli("eval", "rescore", old)
    assert done.code == 0, done.err
    assert "6 errors before, 5 now" in done.out


@pytest.mark.slow
def test_history_is_one_line_a_run(bench):
    assert "no runs yet" in cli("eval", "history").out
    record()
    cli("eval", "run", "parcel@v1", "parcel@v2", "--reask", "0")
    listed = cli("eval", "history").out
    assert listed.count("openai__toy") == 2
    assert [head["about"]["prompt"] for head in cli("eval", "history", "--json").json] == ["parcel@v1", "parcel@v2"]


def test_a_set_names_its_letters(bench):
    put(bench / "eval/parcel/sets.toml", '[sets]\nsmall = ["blue", "red"]\nold = ["gone"]\n')
    done = cli("eval", "run", "--model", "offline", "--set", "small")
    assert "2 letters" in done.out
    assert cli("eval", "run", "--model", "offline", "--set", "huge").code == 2
    assert "no gold" in cli("eval", "run", "--model", "offline", "--set", "old").err


MAPPING = """\
[fields]
carrier = "sender/name"
"parcels/number" = "pieces/no"
"parcels/state" = { from = "pieces/end", values = { L = "lost", D = "delivered" } }
"parcels/on" = { from = "pieces/day", as = "date", format = "%d.%m.%Y" }
"""


def foreign(text: str) -> dict[str, object]:
    answer = right_answer(text)
    pieces = [
        {
            "no": p["number"],
            "end": p["state"][0].upper(),
            "day": ".".join(reversed(p["on"].split("-"))) if p["on"] else None,
        }
        for p in answer["parcels"]
    ]
    return {"sender": {"name": answer["carrier"]}, "pieces": pieces}


def test_letters_and_gold_of_another_shape(bench, tmp_path):
    folder = tmp_path / "theirs"
    for name, text in NOTES.items():
        put(folder / f"{name}.txt", text)
        put(folder / f"{name}.json", json.dumps(foreign(text)))
    put(bench / "map.toml", MAPPING)
    words = ("eval", "run", "--model", "offline", "--letters", folder, "--gold", folder, "--mapping", "map.toml")
    done = cli(*words, "--format", "json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert (report["summary"]["errors"], report["summary"]["letters"]) == (0, 3)
    assert report["summary"]["gold_values"] == 3 + 4 + 4 + 2
    edit(folder / "blue.json", '"L"', '"D"')
    wrong = json.loads(cli(*words, "--format", "json").out)
    assert [(e["path"], e["gold"], e["got"]) for e in wrong["errors"]] == [("/parcels/1/state", "delivered", "lost")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("parcels/state", "parcels/colour", "no leaf 'parcels/colour'"),
        ('carrier = "sender/name"', 'parcels = "pieces"', "no leaf but a part"),
        ("%d.%m.%Y", "%Y", "does not fit the mapping"),
        ("[fields]", "[felds]", "is not a mapping"),
    ],
)
def test_a_broken_mapping_is_told(bench, old, new, message):
    put(bench / "theirs/blue.json", json.dumps(foreign(NOTES["blue"])))
    put(bench / "map.toml", MAPPING.replace(old, new))
    done = cli("eval", "run", "--model", "offline", "--letters", "letters", "--gold", "theirs", "--mapping", "map.toml")
    assert done.code == 2
    assert message in done.err
