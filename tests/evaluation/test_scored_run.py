"""The folder of an eval run: one whose files are pipes is refused, and nothing waits for their other end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NoReturn

import pytest

from extractor.errors import UsageError
from extractor.evaluation.scored_run import LEAVES, PREDICTIONS, RUN, latest, load

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pipes there")


def late(*_: object) -> NoReturn:
    raise AssertionError("reading waits")


@pytest.mark.parametrize("name", [RUN, PREDICTIONS, LEAVES])
def test_a_pipe_in_the_folder_of_a_run(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for each in (RUN, PREDICTIONS, LEAVES):
        (folder / each).write_text("{}" if each == RUN else "")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    try:
        with pytest.raises(UsageError, match="does not hold an eval run") as refused:
            load(folder)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert isinstance(refused.value.__cause__, OSError)
    assert latest(tmp_path) == ([] if name == RUN else [folder])
