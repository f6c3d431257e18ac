"""Gold of another shape: a small TOML file maps its values to leaves of the schema.

    [fields]
    "header/case_number" = "header/case_number"
    "worker/age" = "patient/age"
    "decisions/outcome" = { from = "decisions/result", values = { U = "upheld", O = "overturned" } }
    "decisions/maximus/citations/pages" = { from = "decisions/maximus_pages", as = "pages" }

The left side is a leaf of the schema, the right side a path in the foreign file. A list on the way of both
is a list of records (``decisions``): its name is the first part of both paths. A list of
records below that is passed through: the leaf's lists are then joined, in order. Only mapped leaves
are scored. ``as`` is text, number, date (with ``format``), pages or texts; ``values`` translates;
``unless`` names a sibling: a value equal to it means null; ``once`` drops repeated pages.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.errors import LetterError, WorkspaceError
from extractor.evaluation.gold.gold import Gold, GoldView
from extractor.evaluation.gold.shape import Node, node_of, nodes_of
from extractor.letters.letter import LetterFile, letter_in
from extractor.lettertypes.evidence import SchemaField, fields_of
from extractor.lettertypes.lettertype import LetterType


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str = Field(alias="from")
    kind: Literal["text", "number", "date", "pages", "texts"] = Field(default="text", alias="as")
    format: str = "%Y-%m-%d"
    values: Mapping[str, Any] = {}
    unless: str | None = None
    once: bool = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fields: Mapping[str, _Entry | str]


@dataclass(frozen=True)
class _Mapped:
    """One mapped leaf: its place in the schema, the list of records it hangs in, and where gold has it."""

    name: str
    group: str
    spec: SchemaField
    entry: _Entry


@dataclass(frozen=True)
class GoldMapping:
    """A loaded mapping."""

    leaves: tuple[_Mapped, ...]
    view: GoldView


def load_mapping(path: Path, letter_type: LetterType) -> GoldMapping:
    """Raises ``WorkspaceError`` for a broken file, and for a leaf that the schema does not have."""
    try:
        text = path.read_text("utf-8")
        file = _File.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        hint = 'it holds [fields] with lines like "worker/age" = "patient/age"'
        raise WorkspaceError(f"{path} is not a mapping: {error}", hint=hint) from error
    leaves = tuple(_mapped(path, letter_type.schema, name, entry) for name, entry in file.fields.items())
    sha = hashlib.sha256(json.dumps(tomllib.loads(text), sort_keys=True).encode()).hexdigest()
    return GoldMapping(
        leaves, GoldView(_shape(leaves, letter_type.schema), lambda answer: _project(answer, leaves), sha)
    )


def load_foreign(letters: Sequence[LetterFile], gold: Path, mapping: GoldMapping) -> list[Gold]:
    """Letters with a file ``<id>.json`` in ``gold``, brought into the mapping's view.

    Raises ``WorkspaceError`` for gold that is no JSON or has a value the mapping cannot read, and if there is
    no pair at all.
    """
    found = []
    for file in letters:
        path = gold / f"{file.id}.json"
        if not path.exists():
            continue
        try:
            answer = _gold(json.loads(path.read_text("utf-8")), mapping.leaves)
            found.append(Gold(file, letter_in(file), answer, view=mapping.view))
        except (OSError, ValueError, KeyError, TypeError) as error:
            hint = "correct the file or the mapping"
            raise WorkspaceError(f"{path} does not fit the mapping: {error!r}", hint=hint) from error
        except LetterError as error:
            raise WorkspaceError(f"{path} has a letter that cannot be read: {error.message}") from error
    if not found:
        raise WorkspaceError(f"no gold in {gold} for these letters", hint="gold is <letter id>.json")
    return found


# ---- the schema's side ------------------------------------------------------------------------


def _mapped(path: Path, schema: type[BaseModel], name: str, entry: _Entry | str) -> _Mapped:
    full = entry if isinstance(entry, _Entry) else _Entry.model_validate({"from": entry})
    at: type[BaseModel] | None = schema
    group = ""
    for depth, part in enumerate(name.split("/")):
        spec = next((each for each in fields_of(at) if each.name == part), None) if at else None
        if spec is None:
            raise WorkspaceError(f"{path}: the schema has no leaf {name!r}", hint="see extractor schema for its leaves")
        if spec.kind == "records" and depth == 0:
            group = part
        at = spec.model
    if spec is None or spec.kind != "leaf":
        raise WorkspaceError(f"{path}: {name!r} is no leaf but a part", hint="name a leaf below it")
    return _Mapped(name, group, spec, full)


def _shape(leaves: Sequence[_Mapped], schema: type[BaseModel]) -> tuple[Node, ...]:
    """The mapped leaves as the scorer walks them; one level of records at most."""
    alone = [replace(node_of(leaf.spec), name=leaf.name) for leaf in leaves if not leaf.group]
    groups = dict.fromkeys(leaf.group for leaf in leaves if leaf.group)
    return (*alone, *(_records(group, leaves, schema) for group in groups))


def _records(group: str, leaves: Sequence[_Mapped], schema: type[BaseModel]) -> Node:
    inner = tuple(replace(node_of(leaf.spec), name=_below(leaf)) for leaf in leaves if leaf.group == group)
    whole = next(each for each in nodes_of(schema) if each.name == group)
    names = [each.name for each in inner]
    return replace(whole, key=whole.key if whole.key in names else names[0], inner=inner)


def _below(leaf: _Mapped) -> str:
    return leaf.name.removeprefix(f"{leaf.group}/") if leaf.group else leaf.name


def _project(answer: Mapping[str, Any], leaves: Sequence[_Mapped]) -> dict[str, Any]:
    """A whole answer in the mapping's view."""
    found: dict[str, Any] = {leaf.name: _dig(answer, leaf.name) for leaf in leaves if not leaf.group}
    for group in dict.fromkeys(leaf.group for leaf in leaves if leaf.group):
        mine = [leaf for leaf in leaves if leaf.group == group]
        found[group] = [{_below(leaf): _dig(record, _below(leaf)) for leaf in mine} for record in answer[group]]
    return found


def _dig(value: Any, path: str) -> Any:
    """The value at a path; lists of records on the way are passed through, and what hangs below them is joined."""
    for i, part in enumerate(parts := path.split("/")):
        if isinstance(value, list):
            inner = [_dig(each, "/".join(parts[i:])) for each in value]
            return [one for each in inner for one in (each if isinstance(each, list) else [each])]
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


# ---- the foreign side -------------------------------------------------------------------------


def _gold(source: Mapping[str, Any], leaves: Sequence[_Mapped]) -> dict[str, Any]:
    found: dict[str, Any] = {leaf.name: _read(source, leaf, leaf.entry.source) for leaf in leaves if not leaf.group}
    for group in dict.fromkeys(leaf.group for leaf in leaves if leaf.group):
        mine = [leaf for leaf in leaves if leaf.group == group]
        lists = {leaf.entry.source.split("/")[0] for leaf in mine}
        if len(lists) != 1:
            raise ValueError(f"the leaves of {group} come from several lists: {', '.join(sorted(lists))}")
        records = source[lists.pop()]
        found[group] = [
            {_below(leaf): _read(record, leaf, leaf.entry.source.partition("/")[2]) for leaf in mine}
            for record in records
        ]
    return found


def _read(record: Mapping[str, Any], leaf: _Mapped, path: str) -> Any:
    value, entry = _dig(record, path), leaf.entry
    if entry.unless is not None and value == record.get(entry.unless):
        return None
    if isinstance(value, str) and value in entry.values:
        return entry.values[value]
    return [] if value is None and leaf.spec.many else value if value is None else _KINDS[entry.kind](value, entry)


def _pages(value: Any, entry: _Entry) -> list[dict[str, int]]:
    texts = dict.fromkeys(map(str, value)) if entry.once else map(str, value)
    return [page for text in texts for page in _range(text)]


def _range(text: str) -> Iterator[dict[str, int]]:
    first, _, last = text.partition("-")
    yield {"first": int(first), "last": int(last or first)}


_KINDS: Mapping[str, Callable[[Any, _Entry], Any]] = {
    "text": lambda value, entry: " ".join(str(value).split()),
    "texts": lambda value, entry: [" ".join(str(each).split()) for each in value],
    "number": lambda value, entry: int(value),
    "date": lambda value, entry: datetime.strptime(str(value), entry.format).date().isoformat(),
    "pages": _pages,
}
