"""The version of everything that decides what is read in a PDF file or a picture."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from extractor.engine import ENGINE

_LETTERS = Path(__file__).resolve().parent.parent
# What decides the form of a reading, besides the readers themselves.
_OTHER_CODE = ("documents.py", "workers/frames.py")
_LIBRARIES = ("pypdfium2", "pillow")
_DATA_FOLDER = re.compile(r'"([^"\n]+)"')
_SECONDS = 20


@cache
def reader_version() -> str:
    """One line: this program, a hash of its readers' code, the libraries, and Tesseract with its data.

    Equal lines read equal bytes alike, on any machine. Tesseract is run twice for it, once in a process's life.
    """
    libraries = (f"{name} {_version(name)}" for name in _LIBRARIES)
    return ", ".join((f"letterproof {ENGINE}", f"readers {_code()}", *libraries, f"tesseract {_tesseract()}"))


def _code() -> str:
    digest = hashlib.sha256()
    for source in (*sorted((_LETTERS / "pages").glob("*.py")), *(_LETTERS / other for other in _OTHER_CODE)):
        # Ends of lines differ between installations.
        digest.update(source.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _tesseract() -> str:
    program = shutil.which("tesseract")
    if program is None:
        return "none"
    words = _output(program, "--version").split()
    data = _DATA_FOLDER.search(_output(program, "--list-langs"))
    try:
        size = (Path(data[1]) / "eng.traineddata").stat().st_size if data else 0
    except OSError:
        size = 0
    return f"{words[1] if len(words) > 1 else 'unknown'} (eng {size:,} bytes)"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).decode("utf-8", "replace")
