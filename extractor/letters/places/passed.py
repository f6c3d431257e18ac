"""Entries skipped in the search for letters, counted and reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from extractor.letters.formats.kinds import suffix_of
from extractor.letters.places.names import printable

Reason = Literal["closed", "special", "broken", "outside", "folder_link", "too_long"]
_REASONS: dict[Reason, tuple[str, str, str]] = {
    "closed": ("folder without permission to open it is", "folders without permission to open them are", ""),
    "special": (
        "entry that is not a file (a pipe, socket or device) is",
        "entries that are not files (pipes, sockets, devices) are",
        "",
    ),
    "broken": ("broken link is", "broken links are", ""),
    "outside": (
        "link to a file or folder outside the named folder is",
        "links to files or folders outside the named folder are",
        "; to read a target, name it or its folder",
    ),
    "folder_link": ("link to a folder is", "links to folders are", ""),
    "too_long": (
        "entry whose path is too long for the system is",
        "entries whose paths are too long for the system are",
        "; to read them, move them to a folder that is less deep",
    ),
}
_NAMED = 5


@dataclass
class SkippedFiles:
    """Files that are not read: how many of each suffix, and the names of the first few."""

    suffixes: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one file."""
        self.suffixes[suffix_of(name) or "no suffix"] += 1
        if len(self.names) < _NAMED:
            self.names.append(name)

    def line(self, reason: str) -> str:
        """For people: a few files by their names, many by their suffixes."""
        count = self.suffixes.total()
        files = "1 file is" if count == 1 else f"{count:,} files are"
        if count <= _NAMED:
            return f"{files} skipped{reason}: {', '.join(_short(printable(name)) for name in self.names)}"
        kinds = ", ".join(f"{suffix} ({number:,})" for suffix, number in self.suffixes.most_common(10))
        return f"{files} skipped{reason}: {kinds}; the first is {_short(printable(self.names[0]))}"


@dataclass
class Passed:
    """What is not read: files of unknown kinds or other forms of letters that are read; and odd entries.

    ``linked`` is set where there were links, so that one file may have been found twice.
    """

    unknown: SkippedFiles = field(default_factory=SkippedFiles)
    beside: SkippedFiles = field(default_factory=SkippedFiles)
    odd: Counter[Reason] = field(default_factory=Counter)
    linked: bool = False
    _names: dict[Reason, list[str]] = field(default_factory=dict)

    def over(self, reason: Reason, name: str) -> None:
        """Pass over one entry of a folder."""
        self.odd[reason] += 1
        names = self._names.setdefault(reason, [])
        if len(names) < _NAMED:
            names.append(name)

    def lines(self) -> Iterator[str]:
        """A line for each reason, for people."""
        if self.unknown.names:
            yield self.unknown.line(" (unsupported format)")
        if self.beside.names:
            yield self.beside.line(", because a file of the same name that is easier to read is in the same folder")
        for reason, (one, many, hint) in _REASONS.items():
            if count := self.odd[reason]:
                more = ", ..." if count > _NAMED else ""
                names = ", ".join(map(_short, self._names[reason])) + more
                yield f"{count:,} {one if count == 1 else many} skipped: {names}{hint}"


def _short(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}..."
