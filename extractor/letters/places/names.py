"""Names of files and of members of containers, made fit to be ids."""

from __future__ import annotations

import re
from posixpath import splitext

_DRIVE = re.compile(r"\A[A-Za-z]:")


def stem_of(name: str) -> str:
    """A path without its suffix; a name that begins with a dot has none."""
    return splitext(name)[0]


def tidy(name: str) -> str:
    """A member's name as a relative path inside its container; drives, roots and ".." are dropped."""
    parts = [part for part in re.split(r"[\\/]", _DRIVE.sub("", name)) if part not in ("", ".", "..")]
    return printable("/".join(parts).replace("\0", "")) or "member"


def printable(name: str) -> str:
    """A file name that is not valid UTF-8 made so, its odd bytes as ``\\xNN``: ids are kept as JSON and in SQLite."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
