"""A letter's text with its evidence marked: pieces of raw text, each with what it proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractor.evaluation.scores.scoring import Leaf
from extractor.letters.spans import Span

_NOTHING: tuple[Any, ...] = (None, [])
_NOWHERE = object()


def evidence_spans(record: Mapping[str, Any]) -> list[tuple[str, Span]]:
    """Every span of a record's evidence with the path of the value that it proves."""
    return [(path, Span(each["start"], each["end"])) for path, places in record["evidence"].items() for each in places]


# ---- whose evidence is it -----------------------------------------------------------------------


def places(leaves: Sequence[Leaf], answer: Any) -> dict[str, str]:
    """Where in the answer the value of each leaf stands, by the leaf's path.

    A leaf's path points into the gold, evidence into the answer, whose records may stand in another
    order. A record of the gold is the record of the answer that holds all the values its leaves
    were scored with; the elements of a plain list stand at the list. Leaves whose place is not
    certain are left out.
    """
    if answer is None:
        return {}
    records: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        records.setdefault(_record_of(leaf.path), []).append(leaf)
    known: dict[str, str | None] = {"": ""}
    for path in sorted(records, key=lambda each: each.count("/")):
        _pair(path, records, answer, known)
    found = {}
    for path, own in records.items():
        base = known.get(path)
        for leaf in own if base is not None else ():
            found[leaf.path] = f"{base}{_list_of(leaf.path)[len(path) :]}"
    return found


def _pair(path: str, records: Mapping[str, Sequence[Leaf]], answer: Any, known: dict[str, str | None]) -> None:
    """Find the answer's record for the gold's record at ``path``, and for those it lies in."""
    if path in known:
        return
    parent, index = path.rsplit("/", 1)
    above = _record_of(f"{parent}/")
    _pair(above, records, answer, known)
    base = known[above]
    known[path] = None
    if base is None:
        return
    where = base + parent[len(above) :]
    there = _at(answer, where)
    if not isinstance(there, list):
        return
    own = [(_list_of(leaf.path)[len(path) :], leaf) for leaf in records.get(path, ())]
    first = int(index)
    claimed = set(known.values())
    order = [first] if index.startswith("+") else sorted(range(len(there)), key=lambda j: (j != first, j))
    for j in order:
        if f"{where}/{j}" not in claimed and all(_holds(_at(answer, f"{where}/{j}{rest}"), leaf) for rest, leaf in own):
            known[path] = f"{where}/{j}"
            return


def _holds(found: Any, leaf: Leaf) -> bool:
    if found is _NOWHERE:  # gold of another shape has leaves that no answer has as such
        return True
    if _list_of(leaf.path) != leaf.path:  # one element of a plain list
        return isinstance(found, list) and (leaf.got is None or leaf.got in found)
    return bool(found == leaf.got or (found in _NOTHING and leaf.got in _NOTHING))


def _record_of(path: str) -> str:
    """The innermost record that a path lies in: up to the last index that something follows."""
    parts = path.split("/")
    last = max((i for i, part in enumerate(parts[:-1]) if is_index(part)), default=0)
    return "/".join(parts[: last + 1])


def _list_of(path: str) -> str:
    """The path itself, or the plain list whose element it is."""
    head, _, last = path.rpartition("/")
    return head if is_index(last) else path


def is_index(part: str) -> bool:
    """Whether a part of a leaf's path counts the elements of a list."""
    return part.removeprefix("+").isdecimal()


def _at(value: Any, path: str) -> Any:
    """The value at a JSON pointer, or ``_NOWHERE``."""
    for part in path.split("/")[1:]:
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part, _NOWHERE)
        else:
            return _NOWHERE
    return value
