"""Every command with a full standard output, and with few files that it may open: a reason, and never a defect."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.batches import batch_endpoint
from tests.support.forking import Ended, Forking, forking
from tests.support.loopback import endpoint
from tests.support.prepared import LINES, line_for, prepare
from tests.support.toy import good_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not Path("/dev/full").exists() or not hasattr(os, "fork"), reason="no full device, or no fork"),
]

# They print their data; the others have nothing to print here, or serve until they are stopped.
SILENT = {
    "review",
    "desk",
    "init",
    "record",
    "batch submit",
    "batch fetch",
    "schema",
    "audit report",
    "audit agreement",
}
PRINTING = sorted(set(LINES) - SILENT)
ENDING = sorted(set(LINES) - {"review", "desk"})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with endpoint(good_model) as server, batch_endpoint(good_model) as batches:
        batches.ways = [["completed"]]
        yield prepare(tmp_path_factory.mktemp("prepared"), server, batches)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    with forking(tmp_path_factory.mktemp("log")) as processes:
        yield processes


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    return shutil.copytree(prepared, tmp_path / "w")


def sound(ended: Ended) -> None:
    assert "Traceback" not in ended.text, ended
    assert "internal error" not in ended.text, ended
    assert ended.code in (0, 1, 2, 3, 4), ended


@pytest.mark.parametrize("name", PRINTING)
def test_a_full_standard_output(name: str, root: Path, processes: Forking) -> None:
    words = line_for(root, name)
    if name in ("eval run", "eval compare", "eval gate"):
        words = words[: words.index("--out")]  # the report goes to standard output here
    ended = processes.run(root, *words, out="/dev/full")
    sound(ended)
    assert (ended.code, "No space left on device" in ended.text) == (2, True), ended


@pytest.mark.parametrize("name", ENDING)
def test_few_open_files(name: str, root: Path, processes: Forking) -> None:
    for free in (0, 1, 2, 3, 5, 8):
        ended = processes.run(root, *line_for(root, name), free=free, env={"OPENAI_API_KEY": "sk-of-the-trials"})
        sound(ended)
        if free == 0:
            assert ended.code == 2, ended
            assert "oo many open files" in ended.text or "unable to open" in ended.text, ended
