"""Errors in arguments at any position, found before a command begins."""

from __future__ import annotations

import errno
import math
import stat
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_LONGEST = 4_096
# Parameters that name letters.
_LETTERS = {"paths", "files", "letters", "baseline"}


class CheckedGroup(TyperGroup):
    """The commands, given no empty argument and none longer than a path can be.

    An empty argument is mostly a variable that is not set; as a path it would mean the current folder.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for before, word in zip(["", *args], args, strict=False):
            name, is_set, value = word.partition("=")
            where = f" of {before}" if before.startswith("-") and not word else ""
            if not word or (is_set and not value and name.startswith("--")):
                where = where or (f" of {name}" if is_set else "")
                raise typer.BadParameter(f"an argument is empty{where}; is a variable not set?", ctx)
            if "\0" in word:
                raise typer.BadParameter(f"an argument holds a NUL character{where}", ctx)
            if len(word) > _LONGEST:
                raise typer.BadParameter(f"an argument has {len(word):,} characters; {_LONGEST:,} are the most", ctx)
        return super().parse_args(ctx, args)


class CheckedCommand(TyperCommand):
    """A command, given no number that is none, and no path from which reading may never end.

    ``inf`` and ``nan`` pass every other check. A device may be endless, and a pipe that nobody writes to
    keeps its reader waiting; among letters such entries are passed over and counted.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for param in self.params:
            value, hint = ctx.params.get(param.name or ""), f"'{param.name}'"
            if _is_endless(value):
                raise typer.BadParameter("give a finite number, or leave it out", ctx=ctx, param_hint=hint)
            for path in [value] if param.name in _LETTERS or not isinstance(value, list) else value:
                if isinstance(path, Path) and (kind := _odd_kind(path)):
                    reason = f"{str(path)!a} is {kind}; name a file or a folder"
                    raise typer.BadParameter(reason, ctx=ctx, param_hint=hint)
        return rest


def _odd_kind(path: Path) -> str:
    """What is at ``path`` if it is neither file nor folder; empty too for the pipe of a process substitution."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return "a link to itself" if getattr(error, "errno", None) == errno.ELOOP else ""
    if stat.S_ISFIFO(mode):
        return "" if str(path).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/")) else "a pipe"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a socket" if stat.S_ISSOCK(mode) else ""


def _is_endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
