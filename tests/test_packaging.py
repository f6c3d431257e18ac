"""The wheel: what is in it, and that it works far from any checkout."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from datetime import date
from pathlib import Path

import pytest

from tests.support.scripts import script
from tests.support.toy import ROOT

pytestmark = pytest.mark.slow
WINDOWS = os.name == "nt"
release = script("release")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [made] = out.iterdir()
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment: the wheel, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    found = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
    subprocess.run([found, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    site = subprocess.check_output(
        [found, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    (Path(site) / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))
    return found


def run(cwd: Path, *words: object) -> subprocess.CompletedProcess[str]:
    cwd.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(list(map(str, words)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


def test_what_is_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert wheel.name.startswith("letterproof-")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert {top for top in tops if not top.endswith(".dist-info")} == {"extractor"}
    assert len(tops) == 2
    assert {
        "extractor/py.typed",
        "extractor/cli/app.py",
        "extractor/_starter/workspace.toml",
        "extractor/_starter/prices.toml",
        "extractor/_starter/schemas/imr/model.py",
        "extractor/_starter/schemas/imr/guidelines.toml",
        "extractor/_starter/prompts/imr/v1.md",
        "extractor/_starter/prompts/imr/released.toml",
        "extractor/_starter/eval/imr/letters/dwc-2014-000.txt",
        "extractor/_starter/eval/imr/gold/dwc-2014-000.json",
    } <= set(names)


def test_nothing_strays_into_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    stray = ("__pycache__", ".pyc", ".db", ".jsonl", ".pth", "/tests/", ".DS_Store", "/.")
    assert [name for name in names if any(part in name for part in stray)] == []


def test_what_the_wheel_says_of_itself(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name.split("/")[1]: name for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(files["METADATA"]).decode()
        assert "extractor = extractor.cli.app:main" in archive.read(files["entry_points.txt"]).decode()
    assert "\nName: letterproof\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "licenses" in files
    readme = metadata.partition("\n\n")[2]
    assert readme.startswith("# Letterproof")
    assert re.findall(r"\]\((?!https?:)[^)]*\)", readme) == []


def test_builds_at_two_places_and_times_are_the_same_bytes(tmp_path: Path) -> None:
    builds = []
    for name, mask in (("one", 0o022), ("two", 0o077)):
        root = tmp_path / name / "source"
        kept = ("extractor", "docs", "prompts", "schemas", "eval", "cassettes")
        for folder in kept:
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.is_file() and path.name != ".git":
                shutil.copy(path, root)
        for path in [root, *root.rglob("*")] if name == "two" else []:
            os.utime(path, (1_000_000_000, 1_000_000_000))
            path.chmod(path.stat().st_mode & 0o700)
        previous = os.umask(mask)
        try:
            made = release.build(root, tmp_path / name / "dist", date(2026, 11, 30))
        finally:
            os.umask(previous)
        builds.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made})
    assert sorted(Path(name).suffix for name in builds[0]) == [".gz", ".whl"]
    assert builds[0] == builds[1]


def test_it_is_this_wheel_that_runs(python: Path, tmp_path: Path) -> None:
    ran = run(tmp_path, python, "-c", "import extractor; print(extractor.__file__)")
    assert Path(ran.stdout.strip()).is_relative_to(python.parent.parent)


@pytest.mark.parametrize("name", ["schemas", "prompts", "eval", "cassettes", "tests", "dev"])
def test_nothing_but_the_engine_can_be_imported(python: Path, tmp_path: Path, name: str) -> None:
    ran = run(tmp_path, python, "-c", f"import {name}")
    assert f"No module named '{name}'" in ran.stderr


def test_from_init_to_records(python: Path, tmp_path: Path) -> None:
    extractor = python.parent / ("extractor.exe" if WINDOWS else "extractor")
    made = run(tmp_path, extractor, "init", "mine")
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    mine = tmp_path / "mine"
    starter = next(python.parent.parent.rglob("_starter"))
    for name in ("schemas/imr/model.py", "prompts/imr/v1.md", "eval/imr/letters/dwc-2014-004.txt"):
        assert (mine / name).read_bytes() == (starter / name).read_bytes() == (ROOT / name).read_bytes()
    assert 'name = "mine"' in (mine / "workspace.toml").read_text("utf-8")
    ran = run(mine, extractor, "run", "eval/imr/letters", "--out", "out", "--model", "offline")
    assert (ran.returncode, ran.stderr) == (1, "next: extractor review out\n")
    lines = (mine / "out/records.jsonl").read_text("utf-8").splitlines()
    found = {record["letter_id"]: record["status"] for record in map(json.loads, lines)}
    letters = sorted(path.stem for path in (mine / "eval/imr/letters").glob("*.txt"))
    assert list(found) == letters
    assert {name for name in letters if name.startswith("dwc-2014") and found[name] != "accepted"} == {"dwc-2014-002"}
