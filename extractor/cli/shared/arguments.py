"""Errors in arguments at any position, found before a command begins."""

from __future__ import annotations

import math
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_LONGEST = 4_096


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
            if len(word) > _LONGEST:
                raise typer.BadParameter(f"an argument has {len(word):,} characters; {_LONGEST:,} are the most", ctx)
        return super().parse_args(ctx, args)


class CheckedCommand(TyperCommand):
    """A command, given no number that is none: ``inf`` and ``nan`` pass every other check."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for param in self.params:
            if _is_endless(ctx.params.get(param.name or "")):
                raise typer.BadParameter("give a finite number, or leave it out", ctx=ctx, param_hint=f"'{param.name}'")
        return rest


def _is_endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
