"""The command line as a whole: help, words for mistakes, what goes where."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from extractor.cli.commands import COMMANDS
from extractor.models.wire import strict_schema
from extractor.workspace.workspace import Workspace
from tests.support.loopback import Canned, endpoint
from tests.support.toy import MODEL, NOTES, ROOT, cli, edit, good_model, put, right_answer, wait_for, write_toy

HEAVY = ("openai", "instructor", "vcr", "httpx2", "tenacity", "jinja2", "scipy", "numpy")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


def process(*words: object, code: str = "", stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    program = ["-c", code] if code else ["-m", "extractor"]
    return subprocess.run(
        [sys.executable, *program, *map(str, words)], capture_output=True, text=True, timeout=60, input=stdin
    )


# ---- help ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    ran = cli(*command.split(), "--help")
    assert ran.code == 0
    assert f"Example: extractor {command} " in ran.out
    assert len(ran.out.splitlines()) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_help_lists_only_options_that_it_explains(command: str) -> None:
    options = cli(*command.split(), "--help").out.partition("Options:")[2]
    for option in re.findall(r"^  (--[^\n]+(?:\n   [^\n]+)*)", options, re.MULTILINE):
        assert re.search(r"\s{2,}[A-Z]|\n\s+\S", option), f"{command}: {option}"


def test_help_lists_every_command_with_a_line() -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert "Exit codes: 0 fine" in ran.out
    listed = re.findall(r"^  (\w+) {2,}\S+ \S+", ran.out.partition("Commands:")[2], re.MULTILINE)
    assert {command.split()[0] for command in COMMANDS} <= set(listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_line_in_a_list_is_the_first_sentence_of_the_help(command: str) -> None:
    entry = COMMANDS[command]
    assert " ".join((entry.load().__doc__ or "").partition("\n\n")[0].split()) == entry.help


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version_load_no_command(word: str) -> None:
    code = (
        f"import sys\nsys.argv = ['extractor', {word!r}]\nfrom extractor.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(sorted(m for m in sys.modules if m in ('asyncio', 'jinja2', 'regex', 'rich', 'sqlite3', 'extractor.api')))\n"
    )
    assert process(code=code).stdout.splitlines()[-1] == "[]"


def test_no_words_at_all_show_the_help() -> None:
    ran = cli()
    assert "First steps, without a key" in ran.out + ran.err


def test_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    ran = cli("--version")
    assert (ran.code, ran.out.splitlines()[0]) == (0, version)
    # The tests themselves need this one.
    assert re.search(r"^extras: .*\beval\b.* \(extractor doctor lists all\)$", ran.out, re.MULTILINE)


@pytest.mark.slow
def test_an_interrupt_ends_the_asking_about_one_letter(toy: Path) -> None:
    with endpoint(lambda number, asked: Canned(delay=60)) as server:
        words = ["extract", "letters/red.txt", "--model", MODEL, "--base-url", server.url]
        asking = subprocess.Popen(
            [sys.executable, "-m", "extractor", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda: bool(server.asked), 60)
        asking.send_signal(signal.SIGINT)
        out, err = asking.communicate(timeout=50)
    assert (asking.returncode, out, err) == (130, "", "stopped\n")


# ---- mistakes --------------------------------------------------------------------------------


def test_extract_gives_one_record_also_of_a_bad_letter(toy: Path) -> None:
    put(toy / "empty.txt", "")
    ran = cli("extract", "empty.txt")
    assert ran.code == 1
    assert (ran.json["status"], ran.json["error"]["code"]) == ("failed", "empty")
    assert "empty.txt is empty" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["run"], 2, "Missing argument"),
        (["run", "letters"], 2, "Missing option '--out'"),
        (["extract", "gone.txt"], 2, "no such file or folder: gone.txt"),
        (["extract", "letters/red.txt", "--model", "acme/x"], 2, "unknown model 'acme/x'"),
        (["extract", "letters/red.txt", "--model", "openai/x"], 2, "OPENAI_API_KEY"),
        (["extract", "letters/red.txt", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1"], 4, "cannot reach"),
        (["extract", "letters/red.txt", "--model", f"replay:{MODEL}"], 3, "red"),
        (["extract", "letters/red.txt", "--reask", "9"], 2, "--reask"),
        (["schema", "--type", "postcard"], 2, "known: parcel"),
        (["schema", "--out", "gone/x.json"], 2, "cannot write gone/x.json"),
        (["schema", "--workspace", "letters"], 2, "cannot read"),
        (["init", "."], 2, ". already holds prompts, schemas, workspace.toml, and nothing is overwritten"),
        (["init", "workspace.toml"], 2, "workspace.toml is not a folder"),
        (["init", "new", "--name", "My Shop"], 2, "'My Shop' cannot name a workspace"),
        (["record", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1"], 2, "no letters named"),
        (["record", "letters"], 2, "offline answers are not recorded"),
        (["record", "letters", "--letter", "pink", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1"], 2,
         "known: blue, red, slow"),
        (["desk"], 2, "Missing option '--inbox'"),
    ],
)  # fmt: skip
def test_an_error_message_for_each_mistake(toy: Path, words: list[str], code: int, message: str) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert len(ran.err.splitlines()) <= 6


LONG = "a" * 400


@pytest.mark.parametrize(
    "words",
    [
        ["run", "nowhere", "--out", "out"],
        ["run", LONG, "--out", "out"],
    ],
)  # fmt: skip
@pytest.mark.sample(1)
def test_no_traceback(toy: Path, words: list[str]) -> None:
    ran = process(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: no such file or folder: ")
    assert "Traceback" not in ran.stderr


def test_a_broken_workspace_is_told_in_two_lines(toy: Path) -> None:
    edit(toy / "schemas/parcel/model.py", 'Annotated[date | None, Stated(within="line")]', "date | None")
    ran = process("run", "letters", "--out", "out")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "error: Parcel.on has no evidence marker\n  declare what proves it" in ran.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_file_name_that_is_not_text(toy: Path) -> None:
    put(toy / "letters" / os.fsdecode(b"caf\xe9.txt"), NOTES["red"])
    assert cli("run", "letters", "--out", "out", "--json").json["accepted"] == 4


@pytest.mark.slow
def test_a_reader_that_stops_early_is_no_error(toy: Path) -> None:
    lines = "".join(
        json.dumps({"letter_id": "slow", "answer": right_answer(NOTES["slow"]), "more": "x" * 20_000}) + "\n" for _ in range(99)
    )  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "extractor", "check", put(toy / "lines.jsonl", lines), "letters"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stderr
        assert running.stdout.readline().startswith('{"letter_id": "slow"')
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


# ---- what goes where ---------------------------------------------------------------------------


def test_extract_prints_one_record_and_nothing_else(toy: Path) -> None:
    ran = cli("extract", "letters/blue.txt")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["answer"] == right_answer(NOTES["blue"])
    assert ran.json["letter_id"] == "blue"


def test_extract_and_run_give_the_same_record(toy: Path) -> None:
    cli("run", "letters", "--out", "out")
    line = (toy / "out/records.jsonl").read_text("utf-8").splitlines()[0]
    one, many = cli("extract", "letters/blue.txt").json, json.loads(line)
    assert one.pop("attempts")[0]["errors"] == many.pop("attempts")[0]["errors"] == 0
    assert one == many


def test_extract_asks_a_model(toy: Path) -> None:
    with endpoint(good_model) as server:
        ran = cli("extract", "letters/red.txt", "--model", MODEL, "--base-url", server.url)
    assert (ran.code, ran.json["status"], ran.json["prompt"]) == (0, "accepted", "parcel@v1")
    assert (
        server.asked[0].body["messages"][1]["content"]
        == "PARCEL NOTE of Red Cart\r\nPARCEL 7: delivered on 12/31/2019\r\n"
    )


def test_which_model_is_used(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(toy / "workspace.toml", 'default_model = "offline"', "")
    ran = cli("extract", "letters/red.txt")
    assert ran.json["model"] == "offline"
    assert ran.err == "no model named: using offline, the baseline that reads without a language model (see --model)\n"
    monkeypatch.setenv("EXTRACTOR_MODEL", "acme/from-env")
    assert "unknown model 'acme/from-env'" in cli("extract", "letters/red.txt").err
    assert cli("extract", "letters/red.txt", "--model", "offline").code == 0


@pytest.mark.parametrize(("kind", "root"), [("parcel", None), ("imr", ROOT)])
def test_schema(toy: Path, kind: str, root: Path | None) -> None:
    ran = cli("schema", "--type", kind, "--workspace", root or toy)
    assert ran.json == Workspace(root or toy).letter_type(kind).json_schema
    assert "_workspace_" not in ran.out
    assert strict_schema(Workspace(root or toy).letter_type(kind).schema, lengths=False)["type"] == "object"
    assert cli("schema", "--out", "s.json", "--workspace", root or toy).out == ""
    assert json.loads((toy / "s.json").read_text("utf-8")) == ran.json


def test_doctor(toy: Path) -> None:
    ran = cli("doctor", "--json")
    rows = {row["what"]: row["is"] for row in ran.json}
    assert ran.code == 0
    assert rows["workspace"] == f"toy in {toy.resolve()}"
    assert rows["prompts of parcel"] == "parcel@v1"
    assert rows["OPENAI_API_KEY"] == "not set"


def test_doctor_finds_what_is_broken_and_tells_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-000111222")
    put(tmp_path / "workspace.toml", "name = 3")
    ran = cli("doctor")
    assert ran.code == 1
    assert "FAIL workspace: " in ran.out
    assert "OPENAI_API_KEY: set" in ran.out
    assert "sk-secret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "letter.txt", "--out", "out"], 0),
        (["extract", "letter.txt"], 0),
        (["text", "letter.txt"], 0),
        (["schema", "--type", "bva"], 0),
        (["doctor"], 0),
        (["eval", "run"], 2),
        (["record"], 2),
        (["cassettes", "status"], 2),
    ],
)
def test_without_a_workspace_the_bundled_letter_types_are_used_where_nothing_is_written_into_it(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "letter.txt", (ROOT / "eval/imr/letters/dwc-2014-000.txt").read_text("utf-8"))
    ran = cli(*words)
    assert ran.code == code
    said = "using the bundled letter types (imr, bva)" if code == 0 else "no workspace.toml in"
    assert said in ran.err


def test_a_workspace_can_be_named_by_the_environment(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(put(tmp_path / "elsewhere/x", "").parent)
    monkeypatch.setenv("EXTRACTOR_WORKSPACE", str(toy))
    assert cli("schema").json["title"] == "ParcelNote"
    monkeypatch.setenv("EXTRACTOR_WORKSPACE", str(tmp_path / "nowhere"))
    assert cli("schema").code == 2


@pytest.mark.parametrize("words", [[], ["run"], ["eval"], ["eval", "compare"], ["batch", "submit"]])
def test_the_short_help_is_the_help(words: list[str]) -> None:
    assert (cli(*words, "-h").code, cli(*words, "-h").out) == (0, cli(*words, "--help").out)


def test_init_makes_a_workspace_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("init", "mine", "--name", "mine")
    assert (ran.code, ran.out) == (0, "")
    assert Workspace(tmp_path / "mine").config.name == "mine"
    assert not list((tmp_path / "mine").rglob("*.pyc"))
    assert "/letters/" in (tmp_path / "mine/.gitignore").read_text().splitlines()
    report = cli("run", "eval/imr/letters", "--out", "out", "--model", "offline", "--json", cwd=tmp_path / "mine").json
    assert (report["letters"], report["accepted"], report["needs_review"]) == (45, 33, 12)


def test_init_in_a_folder_with_letters_leaves_them_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "letters/one.txt", "one")
    put(tmp_path / ".gitignore", "mine\n")
    ran = cli("init", ".", "--name", "mine")
    assert ran.code == 0, ran.err
    assert "next: extractor run" in ran.err
    assert "your letters: put them into letters" in ran.err
    assert ((tmp_path / "letters/one.txt").read_text(), (tmp_path / ".gitignore").read_text()) == ("one", "mine\n")
    before = (tmp_path / "workspace.toml").read_bytes()
    again = cli("init", ".", "--name", "other")
    assert (again.code, (tmp_path / "workspace.toml").read_bytes()) == (2, before)


# ---- light -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["extract", "letters/red.txt", "--model", "offline"],
        ["run", "letters", "--out", "out", "--model", "offline"],
        ["check", "lines.jsonl", "letters"],
        ["schema"],
        ["--help"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.sample(2)
def test_the_offline_path_imports_no_model_sdk(toy: Path, words: list[str]) -> None:
    put(toy / "lines.jsonl", '{"letter_id": "red", "answer": null}\n')
    ran = process(
        *words,
        code="import atexit, sys\n"
        f"atexit.register(lambda: print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr))\n"
        "from extractor.cli.app import main\nmain()",
    )
    assert ran.returncode in (0, 1)
    assert ran.stderr.splitlines()[-1] == "[]"
