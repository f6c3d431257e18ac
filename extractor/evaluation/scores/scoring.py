"""One answer held against gold, leaf by leaf. Exact after the field's declared normalisation; no soft credit.

The statuses are those of substitution, deletion and insertion counting: each error is one
correction a person would have to make. Similarity is used for one thing only: to find out which
record of the answer is meant for which record of the gold, never in a score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.shape import Node, nodes_of
from extractor.evaluation.scores.align import align, pair_bags, pair_lists
from extractor.letters.spans import fold, same_when_joined

# Raise when the same answer may get other statuses; runs of different versions are not compared.
VERSION = 1

Status = Literal["match", "wrong", "omitted", "invented", "absent", "failed"]
ERRORS: frozenset[Status] = frozenset({"wrong", "omitted", "invented", "failed"})

# A record less alike than this is another record: one is omitted, the other invented.
_WORST = 0.5
_NOTHING: tuple[Any, ...] = (None, [])


@dataclass(frozen=True)
class Pages:
    """One page list as single pages: how many are right, missing, and too many."""

    right: int = 0
    missing: int = 0
    extra: int = 0


@dataclass(frozen=True)
class Leaf:
    """One scored leaf.

    ``path`` is a JSON pointer into the gold, so that runs pair up whatever order an answer has; what
    only the answer holds has ``+`` before its own index (``/decisions/+2/item``). ``field`` is
    the path without indices. ``status``: ``match``; ``wrong`` (both have a value, and they differ);
    ``omitted`` (only gold has one); ``invented`` (only the answer has one); ``absent`` (neither: out
    of every denominator); ``failed`` (the letter has no valid answer).
    """

    path: str
    field: str
    status: Status
    gold: Any = None
    got: Any = None
    pages: Pages | None = None

    @property
    def is_error(self) -> bool:
        return self.status in ERRORS


def score(schema: type[BaseModel], gold: Gold, answer: Mapping[str, Any] | None) -> list[Leaf]:
    """Every scored leaf of one letter; ``answer=None`` is a letter without a valid answer.

    Raises nothing on any two schema-valid values.
    """
    view = gold.view
    nodes = view.nodes if view else nodes_of(schema)
    seen = view.project(answer) if view and answer else answer
    leaves = list(_Scorer(gold.also_accepted).record(nodes, gold.answer, seen or {}, "", ""))
    if answer is not None:
        return leaves
    return [Leaf(each.path, each.field, "failed", each.gold) for each in leaves if each.status == "omitted"]


@dataclass(frozen=True)
class _Scorer:
    also: Mapping[str, Sequence[Any]]

    def record(self, nodes: Sequence[Node], gold: Any, got: Any, path: str, field: str) -> Iterator[Leaf]:
        """One record; ``gold`` or ``got`` is ``None`` where only the other side has it."""
        for node in nodes:
            here = f"{path}/{node.name}", f"{field}/{node.name}".lstrip("/")
            wanted = gold.get(node.name) if gold else None
            found = got.get(node.name) if got else None
            if node.kind == "records":
                yield from self.records(node, wanted or [], found or [], here)
            elif node.kind == "group":
                yield from self.record(node.inner, wanted, found, *here)
            elif node.scored != "shown":
                yield from self.leaf(node, wanted, found, here)

    def records(self, node: Node, gold: list[Any], got: list[Any], here: tuple[str, str]) -> Iterator[Leaf]:
        path, field = here
        pairs = dict(align([[_unlike(node, a, b) for b in got] for a in gold], _WORST))
        for i, wanted in enumerate(gold):
            found = got[pairs[i]] if i in pairs else None
            yield from self.record(node.inner, wanted, found, f"{path}/{i}", field)
        for j in sorted(set(range(len(got))) - set(pairs.values())):
            yield from self.record(node.inner, None, got[j], f"{path}/+{j}", field)

    def leaf(self, node: Node, gold: Any, got: Any, here: tuple[str, str]) -> Iterator[Leaf]:
        """A leaf, or the elements of a list; where gold names alternatives, against the kindest of them."""
        compare = _list if node.scored in ("list", "set") else _value
        if node.joined and gold and got and same_when_joined(gold, got):
            got = gold
        readings = [list(compare(node, true, got, here)) for true in (gold, *self.also.get(here[0], ()))]
        yield from min(readings, key=lambda leaves: sum(leaf.is_error for leaf in leaves))


def _value(node: Node, gold: Any, got: Any, here: tuple[str, str]) -> Iterator[Leaf]:
    pages = _pages(gold or [], got or []) if node.scored == "ranges" else None
    yield Leaf(*here, _status(node, gold, got), gold, got, pages)


def _list(node: Node, gold: Any, got: Any, here: tuple[str, str]) -> Iterator[Leaf]:
    path, field = here
    gold, got = gold or [], got or []
    if not gold and not got:
        yield Leaf(path, field, "absent", [], [])
    pair = pair_bags if node.scored == "set" else pair_lists
    for i, j in pair([normal(node, each) for each in gold], [normal(node, each) for each in got]):
        wanted, found = gold[i] if i is not None else None, got[j] if j is not None else None
        at = f"{path}/{i}" if i is not None else f"{path}/+{j}"
        yield Leaf(at, field, _status(node, wanted, found), wanted, found)


def _status(node: Node, gold: Any, got: Any) -> Status:
    if gold in _NOTHING:
        return "absent" if got in _NOTHING else "invented"
    if got in _NOTHING:
        return "omitted"
    return "match" if normal(node, gold) == normal(node, got) else "wrong"


def normal(node: Node, value: Any) -> Any:
    """A value as it is compared: texts with whitespace, dashes and quotation marks folded, all else as it is."""
    return fold(value) if node.scored in ("words", "list", "set") and isinstance(value, str) else value


def _pages(gold: list[Any], got: list[Any]) -> Pages:
    true, found = set(_single(gold)), set(_single(got))
    return Pages(len(true & found), len(true - found), len(found - true))


def _single(ranges: list[Any]) -> Iterator[int]:
    for each in ranges:
        yield from range(each["first"], each["last"] + 1) or (each["first"], each["last"])


# ---- which record is meant --------------------------------------------------------------------


def _unlike(node: Node, gold: Mapping[str, Any], got: Mapping[str, Any]) -> float:
    """0 for equal records, 1 for records with nothing in common."""
    key = node.key
    words = _shared(fold(str(gold.get(key))).split(), fold(str(got.get(key))).split())
    names = [name for name in gold if name != key]
    same = sum(_same(gold[name], got.get(name)) for name in names) / len(names) if names else words
    return 1 - (0.6 * words + 0.4 * same)


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """Jaccard similarity of two sets of words."""
    a, b = set(one), set(other)
    return len(a & b) / len(a | b) if a | b else 1.0


def _same(one: Any, other: Any) -> bool:
    return one == other or fold(json.dumps(one)) == fold(json.dumps(other))
