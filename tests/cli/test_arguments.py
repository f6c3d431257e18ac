"""Odd arguments and exhausted systems: a reason and exit code 2, never a defect or a run that looks finished."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.toy import cli, put, write_toy

LONG, BYTES = "x" * 5_000, os.fsdecode(b"caf\xe9")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "", "--out", "out"], "an argument is empty"),
        (["run", "letters", "--out", ""], "an argument is empty of --out"),
        (["run", "letters", "--out="], "an argument is empty of --out"),
        (["eval", "run", ""], "an argument is empty"),
        (["run", LONG, "--out", "out"], "has 5,000 characters"),
        (["run", "letters", "--out", "a" * 300], "File name too long"),
        (["run", BYTES, "--out", "out"], "no such file or folder: caf\\xe9"),
        (["run", "letters", "--out", "out", "--max-minutes", "inf"], "finite"),
        (["run", "letters", "--out", "out", "--max-cost", "nan"], "--max-cost"),
        (["run", "letters", "--out", "out", "--tpm", "1e999"], "finite"),
    ],
)
def test_the_reason_is_given(toy: Path, words: list[str], reason: str) -> None:
    ran = cli(*words)
    assert (ran.code, reason in ran.err) == (2, True), ran
    assert not (toy / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize(
    "words", [["schema"], ["--version"], ["--help"], ["extract", "letters/blue.txt"], ["status", "out", "--json"]]
)
@pytest.mark.sample(2)
def test_a_full_standard_output(toy: Path, words: list[str]) -> None:
    assert cli("run", "letters", "--out", "out").code == 0
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "extractor", *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100
        )
    assert (ran.returncode, "No space left on device" in ran.stderr) == (2, True)
    assert "defect" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
@pytest.mark.slow
def test_too_many_open_files(toy: Path) -> None:
    code = (
        "import os, resource, sys\n"
        "from extractor.cli.app import main\n"
        "import extractor.runs.bulk, asyncio, sqlite3\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "held = []\n"
        "try:\n"
        "    while True:\n"
        "        held.append(os.open('/dev/null', os.O_RDONLY))\n"
        "except OSError:\n"
        "    for handle in held[: int(sys.argv.pop(1))]:\n"
        "        os.close(handle)\n"
        "main()\n"
    )
    put(toy / "run.py", code)
    for free in (0, 2, 4):
        words = [sys.executable, "run.py", str(free), "run", "letters", "--out", f"out-{free}"]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=100)
        assert ran.returncode == 2, ran
        assert "oo many open files" in ran.stderr or "unable to open" in ran.stderr
        assert "defect" not in ran.stderr
