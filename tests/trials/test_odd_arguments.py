"""Every command with thousands of odd arguments: what is refused has a reason and an exit code of its own."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import pytest
import typer.main

from extractor.cli.app import app
from extractor.cli.commands import TABLE
from extractor.cli.shared.lazy import TableGroup
from tests.support.batches import batch_endpoint
from tests.support.loopback import endpoint
from tests.support.prepared import LINES, line_for, prepare
from tests.support.toy import Ran, cli, good_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.name == "nt", reason="other kinds of files there"),
]

WRONG_LINES = 150
# A sample is drawn by an odd number that is one, such as 1_000.
AUDITS = "audits.jsonl"
NO_NUMBERS = ("x", "1.5.2", "1e", "1 2", "9" * 30 + "x", "0x10", "1,000", "-", "½", "٣x", "１,２")
ENDLESS = ("inf", "-inf", "nan", "1e400", "Infinity", "-1e999")
ODD_NAMES = (
    "nowhere", "../../etc", "a/b", ".", "..", "x" * 300, "\x1b[31mred", "%s%n", "{0}", "$(x)", "ünï", "\udcff",
    "a\nb", "*", "~", "imr@", "@v1", "parcel@v99", "openai/", "/x", "replay:", "replay:openai/none", "-1", "0",
)  # fmt: skip
ODD_PATHS = {
    "not UTF-8": os.fsdecode(b"caf\xe9"), "device": "/dev/null", "endless device": "/dev/zero", "full device": "/dev/full",
    "pipe": "odd/pipe", "socket": "odd/socket", "loop": "odd/loop", "broken link": "odd/broken",
    "folder": "letters", "parent": "..", "letter": "forms/0.txt", "nothing": "no/such/place",
    "below a file": "letters/10.txt/x", "long name": "x" * 300, "control codes": "odd/\x1b]0;x\x07\n",
    "ledger": "out/run.db", "records": "out/records.jsonl", "lock": "out/run.lock", "review log": "out/review.jsonl",
    "requests": "asked/batch/requests-0001.jsonl", "record lines": "results.jsonl",
}  # fmt: skip
# At these nothing is ever written over.
KEPT = ("device", "full device", "pipe", "socket", "ledger", "records", "lock", "review log")
GROUPS: Any = typer.main.get_command(app)


def command_of(name: str) -> Any:
    found = GROUPS
    for word in name.split():
        found = found.get_command(None, word)
    return found


def options(name: str, kind: str) -> list[Any]:
    """Options of a command that take such values: ``path``, ``number``, ``text`` or ``flag``."""
    params = [each for each in command_of(name).params if each.param_type_name == "option" and each.name != "help"]
    return [each for each in params if kind == ("flag" if each.is_flag else _kind(each.type_descriptor.annotation))]


def _kind(annotation: Any) -> str:
    found = get_args(annotation)[0] if get_args(annotation) else annotation
    return "path" if found is Path else "number" if found in (int, float) else "text"


def test_every_command_has_a_line() -> None:
    known = {name for name, entry in TABLE.items() if not isinstance(entry, TableGroup)}
    for group, entry in TABLE.items():
        known |= {f"{group} {name}" for name in entry.commands} if isinstance(entry, TableGroup) else set()
    # The server of an assistant speaks over standard input, which these trials do not serve.
    assert known - {"mcp"} == set(LINES)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with endpoint(good_model) as server, batch_endpoint(good_model) as batches:
        batches.ways = [["completed"]]
        yield prepare(tmp_path_factory.mktemp("prepared"), server, batches)


@pytest.fixture
def root(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the workspace, which is the current folder; what would serve returns at once."""
    root = shutil.copytree(prepared, tmp_path / "w")
    monkeypatch.chdir(root)
    with (
        mock.patch("extractor.cli.app.app", GROUPS),  # else built again for each call
        mock.patch("extractor.review.serve.Opened.run", lambda opened: opened.listening.close()),
        mock.patch("http.server.ThreadingHTTPServer.serve_forever"),
    ):
        yield root


def sound(line: list[str], ran: Ran) -> None:
    """What holds whatever a command is given."""
    assert ran.code in (0, 1, 2, 3, 4), (line, ran)
    for text in (ran.out, ran.err):
        assert "Traceback" not in text, (line, ran)
        assert "internal error" not in text, (line, ran)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), (line, ran)
    if ran.code == 2:
        assert ran.err.strip(), line
    if re.search("^error:|^Error", ran.err, re.MULTILINE):
        assert ran.code != 0, (line, ran)


def kept(root: Path) -> dict[str, bytes]:
    """Files that no odd argument may change."""
    names = ("out", "shard-1", "letters", "eval/gold", "prompts", "schemas")
    files = (path for name in names for path in sorted((root / name).rglob("*")) if path.is_file())
    return {
        str(path): path.read_bytes()
        for path in files
        if "__pycache__" not in str(path) and path.suffix != ".db-shm" and path.name != AUDITS
    }


# ---- lines that are wrong whatever else stands in them ---------------------------------------------


def wrong(chance: random.Random, name: str) -> list[str]:
    """Words that the command never takes."""
    numbers, flags, paths = options(name, "number"), options(name, "flag"), options(name, "path")
    bounded = [each for each in numbers if each.min is not None]
    kinds = ["unknown", "short", "empty", "long"]
    kinds += ["number", "endless"] * bool(numbers) + ["small"] * bool(bounded) + ["flag"] * bool(flags)
    kinds += ["unset", "no value", "NUL"] * bool(paths)
    match chance.choice(kinds):
        case "unknown":
            return [f"--{chance.choice(['no', 'x', 'out-of', 'ünknown'])}-such{chance.randrange(99)}"]
        case "short":
            return [f"-{chance.choice('ZQXWY')}"]
        case "empty":
            return [""]
        case "long":
            return ["x" * chance.choice([4_097, 5_000, 100_000])]
        case "number":
            return [chance.choice(numbers).opts[0], chance.choice(NO_NUMBERS)]
        case "endless":
            return [chance.choice(numbers).opts[0], chance.choice(ENDLESS)]
        case "small":
            return [chance.choice(bounded).opts[0], "-1"]
        case "flag":
            return [f"{chance.choice(flags).opts[0]}={chance.choice(['yes', '1', 'x'])}"]
        case "NUL":
            return [chance.choice(paths).opts[0], "a\0b"]
        case "unset":
            return [f"{chance.choice(paths).opts[0]}="]
        case _:
            return [chance.choice(paths).opts[0], ""]


@pytest.mark.parametrize("name", LINES)
def test_wrong_lines(name: str, root: Path) -> None:
    before = kept(root)
    names = sorted(root.rglob("*"))
    chance = random.Random(name)
    for _ in range(WRONG_LINES):
        head, rest = name.split(), line_for(root, name)[len(name.split()) :]
        parts = [chance.choice([rest, rest, []]), wrong(chance, name)]
        chance.shuffle(parts)
        line = [*head, *parts[0], *parts[1]]
        ran = cli(*line)
        sound(line, ran)
        assert ran.code == 2, (line, ran)
    assert kept(root) == before
    assert [path for path in sorted(root.rglob("*")) if "__pycache__" not in str(path)] == [
        path for path in names if "__pycache__" not in str(path)
    ]


# ---- odd names and numbers of options ---------------------------------------------------------------


@pytest.mark.parametrize("name", LINES)
def test_odd_names(name: str, root: Path) -> None:
    before = kept(root)
    for option in options(name, "text"):
        for value in ODD_NAMES:
            line = [*line_for(root, name), option.opts[0], value]
            ran = cli(*line)
            sound(line, ran)
            if (
                name != "eval history"
                and option.name in ("letter_type", "prompt", "set_name", "form", "second_prompt")
                and value not in "0-1"
            ):
                assert ran.code == 2, (line, ran)
    for option in options(name, "number"):
        for value in ("0", "-1", "٣", "1_000", "9" * 30, "1e3", " 7", "+1", "0.5"):
            line = [*line_for(root, name), option.opts[0], value]
            sound(line, cli(*line))
    assert kept(root) == before


# ---- odd paths --------------------------------------------------------------------------------------


def make_odd(folder: Path) -> None:
    """The odd entries of a folder that a path may lead to."""
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "broken").symlink_to("nothing")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("odd/socket")


def with_paths(name: str, root: Path, path: str) -> Iterator[tuple[str, list[str]]]:
    """Lines of a command in which one path after the other is this one, by the name of the parameter."""
    words = line_for(root, name)
    given = len(name.split())
    for option in options(name, "path"):
        line = [*words]
        if option.opts[0] in line:
            line[line.index(option.opts[0]) + 1] = path
        else:
            line += [option.opts[0], path]
        yield option.name, line
    arguments = [each for each in command_of(name).params if each.param_type_name == "argument"]
    for number, argument in enumerate(arguments):
        if len(words) > given + number and not words[given + number].startswith("-"):
            yield argument.name, [*words[: given + number], path, *words[given + number + 1 :]]


@pytest.mark.parametrize("name", LINES)
def test_odd_paths(name: str, root: Path) -> None:
    before = kept(root)
    make_odd(root / "odd")
    for kind, path in ODD_PATHS.items():
        for parameter, line in with_paths(name, root, path):
            if (name, parameter, kind) == ("run", "out", "letter"):
                continue
            ran = cli(*line)
            sound(line, ran)
            if parameter in ("out", "html", "to") and kind in KEPT:
                assert ran.code == 2, (line, ran)
    after = kept(root)
    assert {path: after.get(path) for path in before} == before
