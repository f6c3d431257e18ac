"""Named sets of letters with gold: ``sets.toml`` beside the gold folder."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.gold.gold import Gold

FILE = "sets.toml"
ALL = "gold"
# The halves of the gold: prompts are written with the one, and judged by the other.
DEVELOPMENT, TEST = "development", "test"


def load_sets(path: Path) -> dict[str, list[str]]:
    """Set names with their letter ids, as ``[sets]`` and ``[halves]`` of a TOML file name them; empty without a file.

    Raises ``WorkspaceError`` if the file is not of that shape, or a letter is in both halves.
    """
    return dict(_load(path).get("sets", {}))


def _load(path: Path) -> dict[str, Any]:
    """The file, with the halves among its sets; empty without a file."""
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        sets = data["sets"] | _halves(data.get("halves", {}), path)
        if not all(isinstance(each, str) for ids in sets.values() for each in ids):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = 'write: [sets] and then lines like smoke = ["letter-id", ...]'
        raise WorkspaceError(f"{path} is not a file of sets", hint=hint) from error
    return {**data, "sets": sets}


def _halves(halves: dict[str, list[str]], path: Path) -> dict[str, list[str]]:
    if not halves:
        return {}
    if set(halves) != {DEVELOPMENT, TEST}:
        hint = f"write: [halves] {DEVELOPMENT} = [...] and {TEST} = [...]"
        raise WorkspaceError(f"[halves] in {path} needs {DEVELOPMENT} and {TEST}", hint=hint)
    if both := sorted(set(halves[DEVELOPMENT]) & set(halves[TEST])):
        raise WorkspaceError(f"{path} has {both[0]!r} in both halves", hint="take it out of one of them")
    return halves


def load_tags(path: Path) -> dict[str, list[str]]:
    """``[tags]``: what letters are like, each tag with its letter ids; empty if there are none.

    Raises ``WorkspaceError`` if the file is not of that shape.
    """
    tags = _load(path).get("tags", {})
    if not isinstance(tags, dict) or not all(isinstance(ids, list) for ids in tags.values()):
        raise WorkspaceError(
            f"{path} is not a file of sets", hint='write: [tags] and then lines like long = ["id", ...]'
        )
    return {str(tag): list(map(str, ids)) for tag, ids in tags.items()}


def load_form(path: Path) -> list[str]:
    """``phrases`` of ``[form]``: words of the letters' form, which prompts may use."""
    return [str(each) for each in _load(path).get("form", {}).get("phrases", [])]


def choose(golds: Sequence[Gold], name: str, sets: dict[str, list[str]]) -> list[Gold]:
    """The letters of one set, by id. ``gold`` is all of them.

    Raises ``UsageError`` for an unknown set, ``WorkspaceError`` for a set that names a letter without gold.
    """
    if name == ALL:
        return list(golds)
    if name not in sets:
        raise UsageError(f"no set {name!r}", hint=f"known: {', '.join([ALL, *sorted(sets)])}")
    by_id = {gold.letter.id: gold for gold in golds}
    if lacking := [each for each in sets[name] if each not in by_id]:
        hint = "add the gold, or take the id out of sets.toml"
        raise WorkspaceError(f"set {name!r} names {lacking[0]!r}, which has no gold", hint=hint)
    return [by_id[each] for each in sorted(set(sets[name]))]
