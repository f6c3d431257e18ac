#!/usr/bin/env python3
"""Set up and run, on a machine with nothing but Python 3.11+ and git.

    python3 dev.py run      extract the bundled letters and show the table
    python3 dev.py test     run every check and test
    python3 dev.py shell    print how to activate the environment

The first call makes .venv here and installs the project with the exact versions of constraints.txt.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed"

# The default check, cheapest first.
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
    # A worker for each core.
    ("pytest", "-n", "auto", "--dist", "worksteal"),
)


def main(words: list[str]) -> int:
    """Run the command named first, with the remaining arguments."""
    command, rest = (words[0], words[1:]) if words else ("help", [])
    if command not in ("run", "test", "shell"):
        print(__doc__)
        return 0 if command in ("help", "-h", "--help") else 2
    install()
    if command == "run":
        return demo(rest)
    if command == "test":
        return test(rest)
    print(f"source {BIN / 'activate'}")
    return 0


def install() -> None:
    """Make the environment, unless it is there and nothing that decides its content has changed."""
    if sys.version_info < (3, 11):
        raise SystemExit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    ).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted and PYTHON.exists():
        return
    print("installing into .venv (once; about a minute) ...", file=sys.stderr, flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise SystemExit("cannot make .venv; on Debian and Ubuntu: apt-get install python3-venv")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*pip, "-e", f"{ROOT}[dev]", "-c", str(ROOT / "constraints.txt")]):
        raise SystemExit("the installation failed; see the lines above")
    STAMP.write_text(wanted)


def demo(rest: list[str]) -> int:
    """Extract the bundled letters without a model, a key or a network."""
    words = rest or ["eval/imr/letters", "--out", "out", "--model", "offline"]
    code = subprocess.call([str(BIN / "extractor"), "run", *words], cwd=ROOT)
    if code == 1 and not rest:
        lines = (ROOT / "out" / "records.jsonl").read_text("utf-8").splitlines()
        print(closing_words([json.loads(line) for line in lines]))
        if shutil.which("extractor") is None:
            print(f"(to use `extractor` in this shell: source {BIN / 'activate'})")
        return 0
    return code


def closing_words(records: list[dict[str, Any]]) -> str:
    """Why a run of the bundled letters does not end with every record accepted."""
    errors = {record["letter_id"]: [f for f in record["findings"] if f["severity"] == "error"] for record in records}
    flagged = [record["letter_id"] for record in records if record["status"] == "needs_review"]
    failed = sum(record["status"] == "failed" for record in records)
    others = [letter_id for letter_id in flagged if any(each["blame"] != "letter" for each in errors[letter_id])]
    parts = [f"{len(flagged)} of {len(records)} letters are flagged for a person"]
    parts.append(f"in {len(flagged) - len(others)} of them the letter itself is at fault (blame: letter)")
    parts += [f"{name}: {', '.join(sorted({each['code'] for each in errors[name]}))}" for name in others]
    if failed:
        parts.append(f"{failed} failed")
    return f"({'; '.join(parts)}. `extractor run` ends with exit code 1 then.)"


def test(rest: list[str]) -> int:
    """Every check, stopping at the first that fails. Words after `test` go to pytest instead."""
    for program, *arguments in CHECKS if not rest else (("pytest", *rest),):
        print(f"== {program} {' '.join(arguments)}".rstrip(), flush=True)
        if code := subprocess.call([str(BIN / program), *arguments], cwd=ROOT):
            print(f"{program} failed", file=sys.stderr)
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
