"""Letters without a record that can be used, each with its reason: many of one reason are one entry."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping

from extractor.display.terminal import terminal_safe
from extractor.display.values import plural

# So many letters of one reason each have a line of their own.
MOST_APART = 3
_PIPE = 1_000_000


def screen_width() -> int:
    """How many columns a line of text may have: those of the terminal; in a pipe no line is broken."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else _PIPE


def failure_lines(failed: Mapping[str, str], width: int) -> Iterator[str]:
    """Lines no wider than ``width`` that name every letter of ``failed``, which holds the reasons by letter id.

    The name of its file, which a reason usually holds, does not set a letter apart.
    """
    kinds: dict[str, list[str]] = {}
    for letter_id, reason in failed.items():
        kinds.setdefault(_kind(reason, letter_id), []).append(letter_id)
    for kind, ids in kinds.items():
        if len(ids) > MOST_APART:
            yield from _wrapped(f"{plural(len(ids), 'letter')}: {kind}", width, "  ")
            yield from _wrapped(", ".join(ids), width, "    ")
        else:
            for letter_id in ids:
                yield from _wrapped(f"{letter_id}: {failed[letter_id]}", width, "  ")


def _kind(reason: str, letter_id: str) -> str:
    """A reason without the name of the letter's file."""
    stem = letter_id.rpartition("/")[2].partition("#")[0]
    return re.sub(rf"[^\s,;:]*{re.escape(stem)}[^\s,;:]*", "the file", reason) if stem else reason


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        terminal_safe(text), width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
