"""The container file, as far as it can be tried without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.toy import ROOT

STAGES = re.split(r"^FROM .*$", (ROOT / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)[1:]
# Of each COPY from the repository, the files and folders.
COPIED = [re.findall(r"^COPY (?!--from)(.*) \S+$", stage, re.MULTILINE) for stage in STAGES]
NAMES = [[name for line in lines for name in line.split()] for lines in COPIED]


def test_what_is_copied_exists_and_is_sent_to_the_engine() -> None:
    first, *allowed = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert first == "*"
    for name in [*NAMES[0], *NAMES[1]]:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name


def test_the_extras_exist() -> None:
    extras = re.findall(r"\.whl\)\[([\w,]+)\]", STAGES[1])
    assert len(extras) == 1
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(extras[0].split(",")) <= set(known)


def test_the_command_runs_as_a_user_without_rights() -> None:
    last = [line.split()[0] for line in STAGES[1].splitlines() if re.match(r"[A-Z]+ ", line)]
    assert last.index("USER") > max(place for place, word in enumerate(last) if word == "RUN")
    [user] = re.findall(r"^USER (.*)$", STAGES[1], re.MULTILINE)
    assert re.search(rf"useradd --uid [1-9]\d+ .* {user} ", STAGES[1])


@pytest.mark.slow
def test_the_first_stage_has_all_that_the_wheel_needs(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "wheels"
    source.mkdir()
    for name in NAMES[0]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    [wheel] = out.iterdir()
    assert fnmatch(wheel.name, "letterproof-*-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "extractor/_starter/workspace.toml" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
