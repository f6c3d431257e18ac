#!/usr/bin/env python3
"""Prepare a release, and print what is left to do. Nothing is uploaded, committed or tagged.

    python3 dev.py test && .venv/bin/python release.py 0.2.0

The changes under "Unreleased" in CHANGELOG.md become those of the version, the version is written to
pyproject.toml, and sdist and wheel are built into dist/. Their bytes depend on the sources and on the
date in the changelog only, so anyone can build them again and compare.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

UNRELEASED = "## Unreleased\n"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_DATED = re.compile(r"^## (\d\S*) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)


class ReleaseError(Exception):
    """Why there can be no release yet, and what to do."""


def main(words: list[str], root: Path) -> int:
    """Prepare the release of the version in ``words`` in the repository ``root``."""
    if len(words) != 1 or words[0].startswith("-"):
        print(__doc__)
        return 0 if words in (["-h"], ["--help"]) else 2
    [wanted] = words
    try:
        check_clean(root)
        project, changes = root / "pyproject.toml", root / "CHANGELOG.md"
        settings, log = project.read_text("utf-8"), changes.read_text("utf-8")
        today = datetime.now(UTC).date()
        new_settings, new_log = bumped(settings, wanted), released(log, wanted, today)
        project.write_text(new_settings, "utf-8")
        changes.write_text(new_log, "utf-8")
        try:
            files = build(root, root / "dist", today)
        except ReleaseError:
            project.write_text(settings, "utf-8")
            changes.write_text(log, "utf-8")
            raise
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(report(wanted, files))
    return 0


def check_clean(root: Path) -> None:
    """Refuse a working tree with changes: what is released must be what is committed."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{root} is not a git repository; release from a clone")
    if done.stdout.strip():
        raise ReleaseError("there are uncommitted changes; commit or stash them first")


def bumped(settings: str, wanted: str) -> str:
    """The text of pyproject.toml with the version ``wanted``, which must be MAJOR.MINOR.PATCH and a later one."""
    current = tomllib.loads(settings)["project"]["version"]
    if not _VERSION.fullmatch(wanted):
        raise ReleaseError(f"{wanted!r} is no version; give three numbers, such as 0.2.0")
    if numbers(wanted) <= numbers(current):
        raise ReleaseError(f"{wanted} is not later than {current}, the version in pyproject.toml")
    return settings.replace(f'version = "{current}"', f'version = "{wanted}"', 1)


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare it."""
    return tuple(map(int, version.split(".")))


def released(log: str, wanted: str, day: date) -> str:
    """The text of CHANGELOG.md with the unreleased changes under ``wanted``, and nothing under "Unreleased"."""
    if UNRELEASED not in log:
        raise ReleaseError('CHANGELOG.md has no section "## Unreleased"')
    body = log.partition(UNRELEASED)[2].partition("\n## ")[0]
    if not re.search(r"^- \S", body, re.MULTILINE):
        raise ReleaseError('CHANGELOG.md lists no change under "## Unreleased"')
    doubled = sorted({line for line in body.splitlines() if line.startswith("- ") and body.count(f"\n{line}\n") > 1})
    if doubled:
        raise ReleaseError(f"CHANGELOG.md lists a change twice: {doubled[0][:80]}")
    if any(version == wanted for version, _ in _DATED.findall(log)):
        raise ReleaseError(f"CHANGELOG.md has a section for {wanted} already")
    return log.replace(UNRELEASED, f"{UNRELEASED}\n## {wanted} ({day.isoformat()})\n", 1)


def build(root: Path, out: Path, day: date) -> list[Path]:
    """Build sdist and wheel into ``out``, which is emptied; as if at midnight UTC of ``day``."""
    shutil.rmtree(out, ignore_errors=True)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(midnight.timestamp()))}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"the build failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return sorted(out.iterdir())


def report(version: str, files: list[Path]) -> str:
    """What was built, and the commands that are left to a person."""
    sums = "\n".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  dist/{path.name}" for path in files)
    names = " ".join(f"dist/{path.name}" for path in files)
    return (
        f"{sums}\n\nLook at the changes (git diff), then:\n\n"
        f"  git commit -am 'Release {version}'\n  git tag -a v{version} -m {version}\n"
        f"  git push --follow-tags\n  python -m twine upload {names}"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], Path(__file__).resolve().parent))
