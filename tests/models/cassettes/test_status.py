"""``extractor cassettes status`` over the real recordings: every way in which they can stop fitting."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.imr import GOLD, IMR, ROOT, gold
from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import Ran, cli, edit, forget_workspaces, put

MODEL = "openai/answer-desk"
RECORDED = ("dwc-2014-000", "dwc-2014-001", "dwc-2014-002", "dwc-2014-003", "dwc-2014-004")
TAPES = "cassettes/imr/imr@v1/openai__answer-desk"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reference workspace under another name, with the five letters of 2014 and one prompt's recordings."""
    root = tmp_path / "copy"
    for part in ("prompts", "schemas"):
        shutil.copytree(ROOT / part, root / part)
    for letter in RECORDED:
        for path in (f"eval/imr/letters/{letter}.txt", f"eval/imr/gold/{letter}.json", f"{TAPES}/{letter}.yaml"):
            put(root / path, (ROOT / path).read_bytes())
    for path in (root / "prompts/imr").glob("*.md"):
        if path.stem != "v1":
            path.unlink()
    put(root / "workspace.toml", (ROOT / "workspace.toml").read_bytes())
    edit(root / "workspace.toml", 'name = "letterproof"', 'name = "copy"')
    monkeypatch.chdir(root)
    return root


def status(*words: object) -> Ran:
    return cli("cassettes", "status", *words)


def states(*words: object) -> dict[str, str]:
    """State by letter, for one prompt and model."""
    return {row["letter"]: row["state"] for row in status("--json", *words).json["cassettes"]}


def all_but(letter: str, state: str) -> dict[str, str]:
    return {**dict.fromkeys(RECORDED, "fresh"), letter: state}


def tape(letter: str) -> Path:
    return Path(TAPES, f"{letter}.yaml")


def from_gold(number: int, asked: Asked) -> Canned:
    """Somebody who knows the answers."""
    text = asked.body["messages"][1]["content"]
    letter = next(each for each in RECORDED if Path(f"eval/imr/letters/{each}.txt").read_bytes().decode() == text)
    return message(json.dumps(gold(letter)))


def fix(command: str) -> None:
    """Run a printed command, at another address."""
    words = shlex.split(command)
    with endpoint(from_gold) as server:
        if words[0] == "rm":
            Path(words[1]).unlink()
            return
        assert words[0] == "extractor"
        words[words.index("--base-url") + 1] = server.url
        ran = cli(*words[1:])
        assert ran.code == 0, ran.err


# ---- what can happen to a recording ----------------------------------------------------------


def a_word_of_the_prompt() -> list[str]:
    """A released prompt is not edited: the change is a new version, and the recordings came along."""
    text = Path("prompts/imr/v1.md").read_text("utf-8")
    put(Path("prompts/imr/v9.md"), text.replace("Never guess, never compute.", "Never guess, never calculate."))
    edit(Path("workspace.toml"), 'default_prompt = "imr@v1"', 'default_prompt = "imr@v9"')
    Path(TAPES).parent.rename("cassettes/imr/imr@v9")
    Path("prompts/imr/v1.md").unlink()
    return [
        "messages[0] (system): 2 changed lines",
        '  -- null, or an empty list, says "the letter does not state this". Never guess, never compute.',
        '  +- null, or an empty list, says "the letter does not state this". Never guess, never calculate.',
    ]


def a_description_in_the_schema() -> list[str]:
    described = IMR.json_schema["$defs"]["Header"]["description"]
    edit(Path("schemas/imr/model.py"), described, "The table at the top.")
    forget_workspaces()
    place = "/json_schema/schema/$defs/Header/description"
    return [
        "response_format (schema): 2 changed lines",
        f'  -{place}: "{described}"',
        f'  +{place}: "The table at the top."',
    ]


def a_byte_of_the_letter() -> list[str]:
    path = Path("eval/imr/letters/dwc-2014-003.txt")
    data = bytearray(path.read_bytes())
    data[data.index(b"Cervical")] = ord("c")
    path.write_bytes(data)
    return ["messages[1] (user): 2 changed lines"]


def no_tape() -> list[str]:
    tape("dwc-2014-003").unlink()
    return [f"expected at {tape('dwc-2014-003').resolve()}"]


def damaged(why: str, change: Callable[[bytes], bytes]) -> Callable[[], list[str]]:
    def damage() -> list[str]:
        path = tape("dwc-2014-003")
        path.write_bytes(change(path.read_bytes()))
        return [f"{path.resolve()}: {why}"]

    return damage


def unsealed(text: str) -> str:
    """A recording from before recordings had a hash of their answers."""
    return re.sub(r"^  answers_sha256: [0-9a-f]{64}\n", "", text, flags=re.MULTILINE)


def a_call_too_many() -> list[str]:
    path = tape("dwc-2014-003")
    text = unsealed(path.read_text("utf-8"))
    call = text[text.index("- request:") :]
    put(path, text + call.replace("role: system", "role: developer"))
    return ["calls that nobody made: 1"]


def a_better_answer() -> list[str]:
    """An outcome is changed by hand."""
    path = tape("dwc-2014-003")
    text = path.read_text("utf-8")
    better = re.sub(r'("outcome\W+)upheld', r"\1overturned", text, count=1)
    assert better != text
    put(path, better)
    why = "its answers are not the recorded ones: they do not fit answers_sha256 in its head"
    return [f"{path.resolve()}: {why}"]


@pytest.mark.parametrize(
    ("happens", "state", "letters"),
    [
        (a_word_of_the_prompt, "stale", RECORDED),
        (a_description_in_the_schema, "stale", RECORDED),
        (a_byte_of_the_letter, "stale", RECORDED[3:4]),
        (no_tape, "missing", RECORDED[3:4]),
        (damaged("it is empty", lambda _: b""), "broken", RECORDED[3:4]),
        (damaged("it holds no recorded calls", lambda _: b"{}\n"), "broken", RECORDED[3:4]),
        (damaged("it ends in the middle of a line", lambda d: d[: len(d) // 3]), "broken", RECORDED[3:4]),
        (damaged("no YAML, line 3", lambda d: b"a:\n  - [b,\n"), "broken", RECORDED[3:4]),
        (damaged("it holds no recorded calls", lambda d: d[: d.index(b"  response:")]), "broken", RECORDED[3:4]),
        (damaged("no YAML text", lambda _: bytes(range(256)) + b"\n"), "broken", RECORDED[3:4]),
        (a_call_too_many, "unplayed", RECORDED[3:4]),
        (a_better_answer, "broken", RECORDED[3:4]),
    ],
    ids=["prompt", "schema", "letter", "deleted", "empty", "braces", "cut in a line", "no yaml", "cut between lines",
         "binary", "a call too many", "a better answer"],
)  # fmt: skip
@pytest.mark.sample(3)
def test_the_change_is_reported_and_the_printed_command_fixes_it(
    copy: Path, happens: Callable[[], list[str]], state: str, letters: tuple[str, ...]
) -> None:
    reasons = happens()
    prompt = "imr@v9" if happens is a_word_of_the_prompt else "imr@v1"
    ran = status()
    assert (ran.code, ran.err) == (0, "")
    assert (status("--strict").code, status("--strict").out) == (3, ran.out)
    report = status("--json").json
    assert report["total"] == {
        **dict.fromkeys(("stale", "missing", "broken", "unplayed", "orphan", "secret"), 0),
        "fresh": 5 - len(letters),
        state: len(letters),
    }
    rows = [row for row in report["cassettes"] if row["state"] != "fresh"]
    assert [(row["letter"], row["prompt"], row["model"], row["state"]) for row in rows] == [
        (letter, prompt, MODEL, state) for letter in letters
    ]
    for row in rows:
        assert row["lines"][-len(reasons) :] == reasons
        where = f"{state}: letter {row['letter']} x prompt {prompt} x model {MODEL}\n"
        assert where + "\n".join(f"  {line}" for line in row["lines"]) in ran.out
        assert f"  fix it with: {row['command']}\n" in ran.out
        words = shlex.split(row["command"])
        assert words[:8] == ["extractor", "record", "--prompt", prompt, "--model", MODEL, "--letter", row["letter"]]
    # Nothing of a letter: no run of its words is in the report.
    for letter in RECORDED:
        text = Path(f"eval/imr/letters/{letter}.txt").read_text("utf-8")
        for words in re.findall(r"(?:[A-Za-z]{3,} ){5}", text):
            assert words not in ran.out
    fix(rows[0]["command"])
    if len(rows) > 1:
        [together] = re.findall(r"^fix all of these with: (.*)$", ran.out, re.MULTILINE)
        fix(together)
    assert states() == dict.fromkeys(RECORDED, "fresh")
    assert status("--strict").code == 0


@pytest.mark.parametrize("happens", [a_byte_of_the_letter, no_tape, damaged("it is empty", lambda _: b"")])
@pytest.mark.sample(1)
def test_run_extract_record_and_status_report_the_same(copy: Path, happens: Callable[[], list[str]]) -> None:
    happens()
    [row] = [row for row in status("--json").json["cassettes"] if row["state"] != "fresh"]
    asked = cli("record", "--model", MODEL, "--dry-run").out
    assert [line.partition(":")[0] for line in asked.splitlines()[:-3]] == ["imr@v1 dwc-2014-003"]
    for words in (
        ["extract", "eval/imr/letters/dwc-2014-003.txt", "--replay"],
        ["run", "eval/imr/letters", "--replay", "--out", "out"],
    ):
        ran = cli(*words)
        assert ran.code == 3
        head = f"{row['state']} cassette: letter dwc-2014-003 x prompt imr@v1 x model {MODEL}\n"
        assert head + "\n".join(f"  {line}" for line in row["lines"]) in ran.err
        assert row["command"].partition(" --base-url")[0] in ran.err


def test_a_released_prompt_that_was_edited_is_an_error_of_its_own(copy: Path) -> None:
    edit(copy / "prompts/imr/v1.md", "Never guess", "Never ever guess")
    for words in (
        ["cassettes", "status"],
        ["record", "--model", MODEL, "--dry-run"],
        ["run", "eval/imr/letters", "--replay", "--out", "out"],
    ):
        ran = cli(*words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.splitlines()[-2:] == [
            f"error: {copy.resolve()}/prompts/imr/v1.md was edited after its release",
            "  undo the edit and write your change as a new version beside v1.md",
        ]


# ---- whose recordings --------------------------------------------------------------------------


def test_all_is_fine(copy: Path) -> None:
    ran = status("--strict")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("5 fresh, 0 stale, 0 missing, 0 broken, 0 unplayed, 0 orphan, 0 secret\n")


def test_nothing_recorded_yet(copy: Path) -> None:
    shutil.rmtree("cassettes")
    ran = status("--strict")
    assert ran.code == 3
    command = f"extractor record --prompt imr@v1 --model {MODEL}"
    assert f"never recorded: prompt imr@v1\n  record it with: {command}\n" in ran.out
    assert status("--json").json["never_recorded"] == {"imr@v1": command}
    ran = status("--strict", "--prompt", "imr@v1", "--model", "openai/new")
    assert ran.code == 3
    assert ran.out.count("missing: letter") == 5
    assert ran.out.count("fix it with: extractor record --prompt imr@v1 --model openai/new --letter dwc") == 5


@pytest.mark.parametrize(
    ("path", "letter", "prompt", "model"),
    [
        (f"{TAPES}/dwc-1999-000.yaml", "dwc-1999-000", "imr@v1", MODEL),
        ("cassettes/imr/imr@v0/openai__answer-desk/dwc-2014-000.yaml", "dwc-2014-000", "imr@v0", MODEL),
        ("cassettes/imr/imr@v1/acme__x/dwc-2014-000.yaml", "dwc-2014-000", "imr@v1", "acme/x"),
        ("cassettes/imr/stray.yaml", "stray", "", ""),
    ],
    ids=["no such letter", "no such prompt", "no such model", "no folder"],
)
@pytest.mark.sample(1)
def test_an_orphan_is_named_with_the_way_to_remove_it(
    copy: Path, path: str, letter: str, prompt: str, model: str
) -> None:
    put(copy / path, tape("dwc-2014-000").read_bytes())
    [row] = [row for row in status("--json").json["cassettes"] if row["state"] != "fresh"]
    assert (row["letter"], row["prompt"], row["model"], row["state"]) == (letter, prompt, model, "orphan")
    assert status("--strict").code == 3
    fix(row["command"])
    assert status("--strict").code == 0


def test_a_letter_without_gold_is_not_expected(copy: Path) -> None:
    Path("eval/imr/gold/dwc-2014-004.json").unlink()
    assert states() == all_but("dwc-2014-004", "orphan")


def test_faults_are_no_recordings_but_may_hold_a_secret(copy: Path) -> None:
    path = put(copy / "cassettes/imr/faults/limit.yaml", "interactions: []\n")
    assert status("--strict").code == 0
    put(path, "interactions: []\n# sk-abc123def456\n")
    ran = status("--strict")
    assert ran.code == 3
    assert "faults/limit.yaml\n  line 2: an API key (sk-)\n" in ran.out


@pytest.mark.slow
def test_only_one_prompt_or_model(copy: Path) -> None:
    for model in ("a", "b__c"):
        for path in Path(TAPES).glob("*.yaml"):
            put(
                Path(TAPES).parent / f"openai__{model}" / path.name,
                unsealed(path.read_text("utf-8")).replace("answer-desk", model.replace("__", "/")),
            )
    assert len(states("--model", "openai/a")) == 5
    assert {row["model"] for row in status("--json").json["cassettes"]} == {MODEL, "openai/a", "openai/b/c"}
    assert status("--json").json["total"]["fresh"] == 15
    assert status("--json", "--prompt", "imr@v1", "--model", "replay:openai/b/c").json["total"]["fresh"] == 5
    for words, reasons in (
        (["--prompt", "imr@v77"], "no prompt 'imr@v77'"),
        (["--model", "openai/z"], "nothing recorded of 'openai/z'"),
    ):
        ran = status(*words)
        assert ran.code == 2
        assert reasons in ran.err


def test_a_model_of_three_names_is_replayed_without_naming_it(copy: Path) -> None:
    folder = Path(TAPES).rename(Path(TAPES).parent / "openai__maker__model")
    for path in folder.glob("*.yaml"):
        renamed = path.read_text("utf-8").replace("answer-desk", "maker/model")
        put(path, re.sub("\n  answers_sha256: .*", "", renamed))
    report = cli("run", "eval/imr/letters", "--replay", "--out", "out", "--json").json
    assert (report["letters"], report["unanswered"]) == (5, {})


def test_the_workspace_may_lie_elsewhere(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_tape()
    monkeypatch.chdir(tmp_path)
    [row] = [row for row in status("--json", "--workspace", "copy").json["cassettes"] if row["state"] != "fresh"]
    assert "--workspace copy" in row["command"]
    monkeypatch.setattr(
        "tests.models.cassettes.test_status.from_gold", lambda *_: message(json.dumps(gold("dwc-2014-003")))
    )
    fix(row["command"])
    assert status("--strict", "--workspace", "copy").code == 0


# ---- rounds and secrets ----------------------------------------------------------------------


@pytest.mark.slow
def test_a_recording_is_played_with_as_many_rounds_as_it_had(copy: Path) -> None:
    wrong = json.dumps({**gold("dwc-2014-003"), "worker": {"age": 99, "sex": None, "date_of_injury": None}})
    words = ["record", "--model", MODEL, "--letter", "dwc-2014-003", "--all", "--base-url"]
    for reask in (0, 2):
        with endpoint([message(wrong)]) as server:
            assert cli(*words, server.url, "--reask", reask).code == 0
            assert len(server.asked) == 1 + reask
        assert states() == dict.fromkeys(RECORDED, "fresh")
        text = tape("dwc-2014-003").read_text("utf-8")
        put(tape("dwc-2014-003"), text.replace("model: answer-desk", "model: other"))
        [row] = [row for row in status("--json").json["cassettes"] if row["state"] != "fresh"]
        assert f"--reask {reask}" in row["command"]


def test_a_secret_is_named_by_its_line_and_never_shown(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SERVICE_TOKEN", "tr0ub4dor&3")
    path = tape("dwc-2014-002")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    put(path, "".join(["# sk-abc123def456ghi789\n", lines[0], f"  note: tr0ub4dor&3 {Path.home()}/x\n", *lines[1:]]))
    ran = status("--strict")
    assert ran.code == 3
    found = "  line 1: an API key (sk-)\n  line 3: the home folder\n  line 3: the value of SOME_SERVICE_TOKEN\n"
    what = f"looks like a secret: letter dwc-2014-002 x prompt imr@v1 x model {MODEL}\n  {path.resolve()}\n"
    assert what + found in ran.out
    assert "sk-abc" not in ran.out
    assert "tr0ub4dor" not in ran.out
    [row] = [row for row in status("--json").json["cassettes"] if row["secrets"]]
    assert (row["state"], len(row["secrets"])) == ("fresh", 3)
    fix(row["command"])
    assert status("--strict").code == 0


@pytest.mark.slow
def test_the_recordings_of_this_project_hold_no_secret() -> None:
    ran = status("--json", "--workspace", ROOT)
    assert [row["path"] for row in ran.json["cassettes"] if row["secrets"]] == []
    assert {path.stem for path in GOLD.glob("*.json")} >= set(RECORDED)
