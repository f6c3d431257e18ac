"""Every command that writes, killed just before a change to its files: nothing is lost or doubled, the next completes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from ast import literal_eval
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.batches import BatchServer, batch_endpoint, requests_in
from tests.support.forking import Forking, forking, spread
from tests.support.loopback import Endpoint, endpoint
from tests.support.prepared import AT_ONCE, MODELED, NOWHERE, prepare
from tests.support.toy import MODEL, good_model, statuses

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no such processes there"),
]

KILLS = 5
OTHER = "openai/other"
KEY = {"OPENAI_API_KEY": "sk-of-the-trials"}
# Written where they are: each line or row is whole, or is taken for missing. All other files appear whole.
IN_PLACE = {"run.lock", "run.db", "batch.db", "records.jsonl", "review.jsonl"}


# ---- what each command leaves ---------------------------------------------------------------------


def run_in(folder: str) -> Callable[[Path], Any]:
    return lambda root: statuses(root / folder)


def files(*names: str) -> Callable[[Path], Any]:
    """The bytes of these files."""
    return lambda root: {name: (root / name).read_bytes() for name in names if (root / name).exists()}


def tree(folder: str) -> Callable[[Path], Any]:
    """The bytes of every file below a folder."""

    def found(root: Path) -> Any:
        paths = sorted(path for path in (root / folder).rglob("*") if path.is_file())
        return {str(path.relative_to(root)): path.read_bytes() for path in paths}

    return found


def sheets(root: Path) -> Any:
    with zipfile.ZipFile(root / "table.xlsx") as book:
        return {name: book.read(name) for name in book.namelist() if "sheet" in name or "Strings" in name}


def eval_runs(root: Path) -> Any:
    folders = sorted((root / "runs" / "parcel").iterdir())
    return {folder.name: {path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders}


def requests(root: Path) -> Any:
    found = requests_in(*sorted((root / "written" / "batch").glob("requests-*.jsonl")))
    return Counter(request["body"]["messages"][1]["content"] for request in found)


def tapes(root: Path) -> Any:
    found = (root / "cassettes").rglob("*.yaml")
    return {path.name: len(next(yaml.safe_load_all(path.read_text("utf-8")))) for path in found}


def page(root: Path) -> Any:
    text = (root / "page.html").read_text("utf-8").replace(str(root.resolve()), "")
    assert text.rstrip().endswith("</html>")
    return len(text)


@dataclass(frozen=True)
class Trial:
    """A command; what it leaves; the files that are, at every moment, what they were before or what they become.

    ``again``: a further exit code and words of the second time, where nothing is left to do. ``lost``: calls
    of one letter in flight that are paid again.
    """

    words: str
    result: Callable[[Path], Any]
    whole: tuple[str, ...] = ()
    again: tuple[int, str] = (0, "")
    lost: int = 1


TRIALS = {
    "run": Trial("run letters --out fresh", run_in("fresh")),
    "run, asking": Trial(f"run letters --out fresh {MODELED}", run_in("fresh")),
    "run --retry": Trial(f"run letters --out failed --retry failed {MODELED}", run_in("failed")),
    "run, two models": Trial(
        f"run letters --out two {MODELED} --second-model {OTHER} --second-base-url {{url}}", run_in("two")
    ),
    "record": Trial(f"record letters {MODELED} --prompt parcel@v2", tapes, lost=2),
    "batch write": Trial(f"batch write letters --out written --model {MODEL} --base-url {NOWHERE}", requests),
    "batch fetch": Trial("batch fetch --out sent --base-url {batches}", files("sent/batch/output-0001.jsonl")),
    "batch read": Trial("batch read results.jsonl --out asked", run_in("asked")),
    "merge": Trial("merge shard-1 shard-2 --out merged", run_in("merged"), again=(2, "merged holds a run already")),
    "export csv": Trial("export out --to csv --rows letters --out table.csv", files("table.csv"), ("table.csv",)),
    "export both": Trial("export out --to jsonl", files("out/letters.jsonl", "out/parcels.jsonl")),
    "export xlsx": Trial("export out --to xlsx --out table.xlsx", sheets),
    "export parquet": Trial("export out --to parquet", files("out/letters.parquet", "out/parcels.parquet")),
    "eval run": Trial("eval run --model offline --format html --out report", eval_runs, ("report",)),
    "eval run, recorded": Trial("eval run parcel@v1 --out report", eval_runs, ("report",)),
    "eval compare": Trial("eval compare parcel@v1 offline --out report", files("report"), ("report",)),
    "eval gate": Trial("eval gate parcel@v1 --out report", files("report"), ("report",)),
    "eval bless": Trial("eval bless parcel@v1", tree("eval/baselines")),
    "gold from-review": Trial(
        "gold from-review out --to eval2 --letters letters", tree("eval2"), again=(1, "there is gold of this name")
    ),
    "init": Trial("init made", tree("made"), again=(2, "made is not empty")),
    "init --type": Trial("init typed --type note --from forms", tree("typed"), again=(2, "typed is not empty")),
    "schema": Trial("schema --out report", files("report"), ("report",)),
    "review --html": Trial("review out --html page.html", page),
}


# ---- the trials -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with endpoint(good_model) as server:
        yield server


@pytest.fixture(scope="module")
def batches() -> Iterator[BatchServer]:
    with batch_endpoint(good_model) as server:
        server.ways = [["completed"]]
        yield server


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, server: Endpoint, batches: BatchServer) -> Path:
    """A workspace in which every command has something to do."""
    return prepare(tmp_path_factory.mktemp("prepared"), server, batches)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    with forking(tmp_path_factory.mktemp("log")) as processes:
        yield processes


@pytest.mark.parametrize("name", TRIALS)
def test_killed_before_a_change(
    name: str, prepared: Path, processes: Forking, server: Endpoint, batches: BatchServer, tmp_path: Path
) -> None:
    trial = TRIALS[name]
    words = trial.words.format(url=server.url, batches=batches.url).split()
    whole = shutil.copytree(prepared, tmp_path / "whole")
    first = len(server.asked)
    complete = processes.run(whole, *words, env=KEY)
    assert complete.code in (0, 1), complete.text
    needed = len(server.asked) - first
    expected = trial.result(whole)
    assert expected
    assert written_in_place(whole, complete.changes) <= IN_PLACE
    for moment in spread(len(complete.changes), KILLS):
        root = shutil.copytree(prepared, tmp_path / f"killed-{moment}")
        first = len(server.asked)
        killed = processes.run(root, *words, stop_at=moment, env=KEY)
        # Letters in flight end in another order each time, and so the changes: this run may have had fewer.
        assert killed.code == -9 or (killed.code == complete.code and moment > len(killed.changes)), killed
        assert_whole(root, prepared, whole, trial.whole)
        again = processes.run(root, *words, env=KEY)
        assert again.code == complete.code or (again.code == trial.again[0] and trial.again[1] in again.text), again
        assert trial.result(root) == expected, (moment, complete.changes[moment - 1])
        assert [path for path in root.rglob("*") if path.name.endswith(".part")] == []
        assert needed <= len(server.asked) - first <= needed + trial.lost * AT_ONCE
        shutil.rmtree(root)


def written_in_place(root: Path, changes: tuple[str, ...]) -> set[str]:
    """Names of files that were opened for writing where they are, not beside it or in a folder of parts."""
    paths = [Path(literal_eval(each.removeprefix("open "))) for each in changes if each.startswith("open ")]
    return {path.name for path in paths if ".part" not in str(path) and not (root / path).is_dir()}


def assert_whole(root: Path, before: Path, after: Path, names: tuple[str, ...]) -> None:
    """Files that a killed command left are whole, and hold nothing twice."""
    for path in root.rglob("records.jsonl"):
        ids = [json.loads(line)["letter_id"] for line in path.read_text("utf-8").split("\n")[:-1]]
        assert len(ids) == len(set(ids))
    for path in (root / "cassettes").rglob("*.yaml"):
        assert list(yaml.safe_load_all(path.read_text("utf-8")))
    for name in names:
        found = (root / name).read_bytes()
        assert found in ((before / name).read_bytes(), (after / name).read_bytes()), name
