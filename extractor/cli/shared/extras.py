"""The optional parts of an installation: what each is for, whether it is there, and how to get it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

_DISTRIBUTION = "letterproof"
# What users miss without an extra; extras for developers are not listed.
_PURPOSES = {
    "ocr": "scans, faxes and photographs",
    "export": "tables as xlsx and parquet",
    "review": "the page where a person checks what was flagged",
    "eval": "scores and comparisons of prompts",
    "anthropic": "models of Anthropic",
    "gemini": "models of Google",
    "mcp": "a finished run as tools for an assistant",
    "local": "a language model on this machine",
    "dask": "reading on many machines",
}
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*;.*extra\s*==\s*[\"']([\w-]+)[\"']")
_TESSERACT = "the program tesseract"
_INSTALL_TESSERACT = "apt-get install tesseract-ocr, brew install tesseract, or choco install tesseract"
_TIMEOUT = 20


class Extra(NamedTuple):
    """An extra: its libraries and programs with their versions, those that are missing, and how to install them."""

    name: str
    purpose: str
    found: tuple[str, ...]
    missing: tuple[str, ...]
    install: str


def extras() -> Iterator[Extra]:
    """Every extra of this installation that a user may want, as its own metadata lists them."""
    libraries: dict[str, list[str]] = {}
    for requirement in requires(_DISTRIBUTION) or []:
        if match := _REQUIREMENT.match(requirement):
            libraries.setdefault(match[2], []).append(match[1])
    for name, purpose in _PURPOSES.items():
        if name in libraries:
            yield _extra(name, purpose, libraries[name])


def complete() -> list[str]:
    """The names of the extras of which nothing is missing; none where the distribution is not installed."""
    try:
        return [extra.name for extra in extras() if not extra.missing]
    except PackageNotFoundError:  # a source tree on the path
        return []


def _extra(name: str, purpose: str, libraries: list[str]) -> Extra:
    versions = {library: _version(library) for library in libraries}
    missing = [library for library, found in versions.items() if found is None]
    found = [f"{library} {number}" for library, number in versions.items() if number is not None]
    install = [f"pip install '{_DISTRIBUTION}[{name}]'"] if missing else []
    if name == "ocr":
        program, lacking = _tesseract()
        (missing if lacking else found).append(lacking or program)
        install += [_INSTALL_TESSERACT] if lacking else []
    return Extra(name, purpose, tuple(found), tuple(missing), "\n".join(install))


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _tesseract() -> tuple[str, str]:
    """The program that does OCR, with its English data; or what of it is missing."""
    program = shutil.which("tesseract")
    if program is None:
        return "", _TESSERACT
    try:
        done = subprocess.run(  # noqa: S603
            [program, "--list-langs"], capture_output=True, timeout=_TIMEOUT, check=False, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", f"{_TESSERACT}, which does not run,"
    languages = (done.stdout + done.stderr).split()
    return ("tesseract", "") if "eng" in languages else ("", f"the English data of {_TESSERACT}")
