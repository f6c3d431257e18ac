"""Names of files for names of anything: no two alike, and none that another system forbids."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Longer names are cut and end in a hash: file systems stop at 255 bytes, and ".yaml" or ".part" is added to them.
_LONGEST = 150
_KEPT = 100
_HASH = "%%"
# What Windows takes for a device, whatever comes after a dot.
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)")
# A "/" is written "__"; an underscore beside another or beside a "/" would be taken for half of one.
_AMBIGUOUS = re.compile(r"(?<=[_/])_|_(?=[_/])")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")


def file_name(name: str) -> str:
    """``name`` as the name of one file or folder.

    ``/`` becomes ``__`` and what some system forbids ``%XX``, byte by byte in UTF-8; ``name_of`` takes it
    back. A name that grows beyond 150 bytes ends in a hash of the whole in place of its rest.
    """
    ambiguous = {match.start() for match in _AMBIGUOUS.finditer(name)}
    written = "".join("%5F" if i in ambiguous else _written(char) for i, char in enumerate(name))
    if written.endswith((".", " ")):
        written = f"{written[:-1]}%{ord(written[-1]):02X}"
    if written.startswith(".") or _DEVICE.match(written):
        written = f"%{ord(written[0]):02X}{written[1:]}"
    if len(written.encode()) <= _LONGEST:
        return written or "%"
    start = re.sub("%[0-9A-F]?$", "", written.encode()[:_KEPT].decode("utf-8", "ignore"))
    return f"{start}{_HASH}{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def name_of(written: str) -> str | None:
    """The name that ``file_name`` wrote; ``None`` for one that was cut, or that it never writes."""
    if _HASH in written:
        return None
    try:
        slashed = written.replace("__", "/").encode("utf-8", "surrogatepass")
        data = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), slashed)
        name = data.decode("utf-8", "surrogatepass") if written != "%" else ""
    except UnicodeDecodeError:
        return None
    return name if file_name(name) == written else None


def _written(char: str) -> str:
    if char == "/":
        return "__"
    if char.isascii():
        return char if char.isalnum() or char in "_-.@+=,()[]{}~^!#$&' " else f"%{ord(char):02X}"
    # Some file systems renormalize accented letters, so only composed ones stay.
    if char.isalnum() and unicodedata.normalize("NFC", char) == char == unicodedata.normalize("NFKC", char):
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
