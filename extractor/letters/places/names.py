"""Names of files and of members of containers, made fit to be ids."""

from __future__ import annotations

import re
from posixpath import splitext

_DRIVE = re.compile(r"\A[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def stem_of(name: str) -> str:
    """A path without its suffix; a name that begins with a dot has none."""
    return splitext(name)[0]


def tidy(name: str) -> str:
    """A member's name as a relative path inside its container; drives, roots and ".." are dropped."""
    parts = [part for part in re.split(r"[\\/]", _DRIVE.sub("", name)) if part not in ("", ".", "..")]
    return printable("/".join(parts).replace("\0", "")) or "member"


def printable(name: str) -> str:
    """A file name on one line of valid UTF-8, other bytes and control characters as ``\\xNN``.

    Ids are kept as JSON and in SQLite, and are printed in tables, where a line break could forge a row.
    """
    valid = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", valid)
