"""One answer compared with gold, leaf by leaf: what a person would have to correct.

Each leaf is right or wrong, exactly, after the normalization its field declares; there is no partial
credit. The records of an answer are paired with those of the gold so that the fewest corrections
remain. A correction is one value retyped or filled in, or one invented record deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.shape import Node, nodes_of
from extractor.evaluation.scores.align import align, pair_bags, pair_lists
from extractor.letters.spans import equal_when_joined, fold
from extractor.lettertypes.page_ranges import pages_in

# Raise when the same answer may get other statuses; runs of different versions are not compared.
VERSION = 2

Status = Literal["match", "wrong", "omitted", "invented", "absent", "failed"]
ERRORS: frozenset[Status] = frozenset({"wrong", "omitted", "invented", "failed"})

# Deleting an invented record is one correction, however many values it holds.
_DELETED = 1
# Of pairings that need equally many corrections, the one that keeps the records' keys is taken.
_OTHER_KEY = 0.001
_NOTHING: tuple[Any, ...] = (None, [])


@dataclass(frozen=True)
class Pages:
    """One page list as single pages: how many are right, missing, and extra."""

    right: int = 0
    missing: int = 0
    extra: int = 0


@dataclass(frozen=True)
class Leaf:
    """One scored leaf.

    ``path`` is a JSON pointer into the gold, so that two runs pair up whatever the order of their answers. What
    only the answer holds is numbered for itself with ``+`` (``/decisions/+0/item``). ``field`` is the
    path without indices. ``answer_path`` points into the answer: where the value is, or for a value
    that was left out, the list or field in which it is missing.

    ``status``: ``match``; ``wrong`` (both have a value, and they differ); ``omitted`` (only gold has
    one); ``invented`` (only the answer has one); ``absent`` (neither; not counted); ``failed``
    (the letter has no valid answer). An invented record is one leaf, its key. ``debatable``: gold
    notes that this value could be argued about.
    """

    path: str
    field: str
    status: Status
    gold: Any = None
    got: Any = None
    pages: Pages | None = None
    answer_path: str = ""
    debatable: bool = False

    @property
    def is_error(self) -> bool:
        return self.status in ERRORS


def score(schema: type[BaseModel], gold: Gold, answer: Mapping[str, Any] | None) -> list[Leaf]:
    """Every scored leaf of one letter; ``answer=None`` is a letter without a valid answer.

    Raises nothing on any two schema-valid values.
    """
    view = gold.view
    nodes = view.nodes if view else nodes_of(schema)
    projected = view.project(answer) if view and answer else answer
    scorer = _Scorer(gold.also_accepted, frozenset(gold.debatable))
    leaves = list(scorer.record(nodes, gold.answer, projected or {}, _Place()))
    if answer is not None:
        return leaves
    return [
        Leaf(each.path, each.field, "failed", each.gold, debatable=each.debatable)
        for each in leaves
        if each.status == "omitted"
    ]


class _Place(NamedTuple):
    """Where the scorer is: in the gold, in the schema, in the answer; ``debatable`` if all of it is."""

    path: str = ""
    field: str = ""
    answer: str = ""
    debatable: bool = False

    def child(self, name: str, debatable: frozenset[str]) -> _Place:
        path, field = f"{self.path}/{name}", f"{self.field}/{name}".lstrip("/")
        return _Place(path, field, f"{self.answer}/{name}", self.debatable or path in debatable)

    def list_of(self, name: str) -> _Place:
        """A list of records here; a note on the list itself is about which records there are, not their values."""
        return self.child(name, frozenset())

    def item(self, i: int | str, j: int | None, *, debatable: bool = False) -> _Place:
        """An element of the list here: ``i`` in the gold, ``j`` in the answer, if it is there at all."""
        return _Place(f"{self.path}/{i}", self.field, self.answer if j is None else f"{self.answer}/{j}", debatable)


@dataclass(frozen=True)
class _Scorer:
    also: Mapping[str, Sequence[Any]]
    debatable: frozenset[str]

    def record(self, nodes: Sequence[Node], gold: Any, got: Any, at: _Place) -> Iterator[Leaf]:
        """One record; ``got`` is ``None`` where the answer lacks it."""
        for node in nodes:
            here = at.list_of(node.name) if node.kind == "records" else at.child(node.name, self.debatable)
            wanted = gold.get(node.name) if gold else None
            found = got.get(node.name) if got else None
            if got is None:
                here = _Place(here.path, here.field, at.answer, here.debatable)
            if node.kind == "records":
                yield from self.records(node, wanted or [], found or [], here)
            elif node.kind == "group":
                yield from self.record(node.inner, wanted, None if got is None else found or {}, here)
            elif node.scored != "shown":
                yield from self.leaf(node, wanted, found, here)

    def records(self, node: Node, gold: list[Any], got: list[Any], at: _Place) -> Iterator[Leaf]:
        pairs = self._pairs(node, gold, got, at)
        which = at.debatable or at.path in self.debatable
        for i, wanted in enumerate(gold):
            j = pairs.get(i)
            here = at.item(i, j, debatable=f"{at.path}/{i}" in self.debatable or (which if j is None else at.debatable))
            yield from self.record(node.inner, wanted, None if j is None else got[j], here)
        for number, j in enumerate(sorted(set(range(len(got))) - set(pairs.values()))):
            key, value = _key_of(node, got[j])
            here = at.item(f"+{number}", j, debatable=which).child(key, self.debatable)
            yield Leaf(here.path, here.field, "invented", None, value, None, here.answer, here.debatable)

    def _pairs(self, node: Node, gold: list[Any], got: list[Any], at: _Place) -> dict[int, int]:
        """Which record of the answer corresponds to which of the gold: the pairing with the fewest corrections."""
        pairs = _equal(gold, got)
        rows = [i for i in range(len(gold)) if i not in pairs]
        columns = sorted(set(range(len(got))) - set(pairs.values()))
        if not rows or not columns:
            return pairs
        # The cost of pairing beyond leaving the record out; if it exceeds deleting the other one, there is no pair.
        cost = [[self._extra_cost(node, gold[i], got[j], at.item(i, j)) for j in columns] for i in rows]
        return pairs | {rows[i]: columns[j] for i, j in align(cost, _DELETED)}

    def _extra_cost(self, node: Node, gold: Any, got: Any, at: _Place) -> float:
        leaves = list(self.record(node.inner, gold, got, at))
        errors = sum(leaf.is_error for leaf in leaves)
        held = sum(leaf.status in ("match", "wrong", "omitted") for leaf in leaves)
        same_key = fold(str(gold.get(node.key))) == fold(str(got.get(node.key)))
        return errors - held + (0 if same_key else _OTHER_KEY)

    def leaf(self, node: Node, gold: Any, got: Any, at: _Place) -> Iterator[Leaf]:
        """A leaf, or the elements of a list; where gold names alternatives, against the closest one."""
        compare = _list if node.scored in ("list", "set") else _value
        also = self.also.get(at.path, ())
        if node.joined and gold and got and equal_when_joined(gold, got):
            got = gold
        best = list(compare(node, gold, got, at))
        if also:
            readings = [best, *(list(compare(node, true, got, at)) for true in also)]
            best = min(readings, key=lambda leaves: sum(status in ERRORS for _, status, *_ in leaves))
        for path, status, wanted, found, pages in best:
            debatable = at.debatable or path in self.debatable
            yield Leaf(path, at.field, status, wanted, found, pages, at.answer, debatable)


def _equal(gold: list[Any], got: list[Any]) -> dict[int, int]:
    """Equal records, each once and in order: a pair without any correction is never worth breaking."""
    free = list(range(len(got)))
    pairs = {}
    for i, wanted in enumerate(gold):
        j = next((j for j in free if got[j] == wanted), None)
        if j is not None:
            pairs[i] = j
            free.remove(j)
    return pairs


def _key_of(node: Node, record: Mapping[str, Any]) -> tuple[str, Any]:
    """The value by which a person recognizes a record: its key, or where that is null, its first scored value."""
    names = [node.key, *(each.name for each in node.inner if each.kind == "leaf" and each.scored != "shown")]
    name = next((name for name in names if record.get(name) not in _NOTHING), node.key)
    return name, record.get(name)


# Path, status, gold and answer of a leaf, and its pages.
_Scored = tuple[str, Status, Any, Any, Pages | None]


def _value(node: Node, gold: Any, got: Any, at: _Place) -> Iterator[_Scored]:
    pages = _pages(gold or [], got or []) if node.scored == "ranges" else None
    yield at.path, _status(node, gold, got), gold, got, pages


def _list(node: Node, gold: Any, got: Any, at: _Place) -> Iterator[_Scored]:
    gold, got = gold or [], got or []
    if not gold and not got:
        yield at.path, "absent", [], [], None
    pair = pair_bags if node.scored == "set" else pair_lists
    extra = 0
    for i, j in pair([normal(node, each) for each in gold], [normal(node, each) for each in got]):
        wanted, found = gold[i] if i is not None else None, got[j] if j is not None else None
        place = f"{at.path}/+{extra}" if i is None else f"{at.path}/{i}"
        extra += i is None
        yield place, _status(node, wanted, found), wanted, found, None


def _status(node: Node, gold: Any, got: Any) -> Status:
    if gold in _NOTHING:
        return "absent" if got in _NOTHING else "invented"
    if got in _NOTHING:
        return "omitted"
    return "match" if gold == got or normal(node, gold) == normal(node, got) else "wrong"


def normal(node: Node, value: Any) -> Any:
    """A value as compared: texts with whitespace, dashes and quotation marks folded; page ranges in any order."""
    if node.scored == "ranges" and isinstance(value, list):
        return sorted((each["first"], each["last"]) for each in value)
    return fold(value) if node.scored in ("words", "list", "set") and isinstance(value, str) else value


def _pages(gold: list[Any], got: list[Any]) -> Pages:
    true, found = set(_single(gold)), set(_single(got))
    return Pages(len(true & found), len(true - found), len(found - true))


def _single(ranges: list[Any]) -> Iterator[int]:
    for each in ranges:
        yield from pages_in(each) or (each["first"], each["last"])
