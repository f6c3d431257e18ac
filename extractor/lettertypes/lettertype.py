"""A letter type: everything the engine must know about one kind of letter, as data and functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from extractor.letters.letter import Letter, Starts
from extractor.lettertypes.evidence import check_schema, fields_of
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.mistake import Mistake as Mistake
from extractor.lettertypes.mistake import Planter as Planter
from extractor.lettertypes.mistakes import planters_of
from extractor.lettertypes.reading import Block, Reading
from extractor.lettertypes.source import source_sha256

Read = Callable[[Letter], Reading]
Rule = Callable[[Any, Block, Letter, str], Iterable[Finding]]
Rows = Callable[[Mapping[str, Any]], list[dict[str, str]]]


@dataclass(frozen=True)
class LetterType:
    """One kind of letter.

    ``schema``: the strict pydantic model, every leaf with an evidence marker.
    ``read``: the deterministic reader; it never raises on any text and never invents.
    ``rules``: checks beyond the markers, by the schema class they look at; each is called as
    ``rule(record, block, letter, path)`` with a record and the block it was bound to.
    ``codes``: one line for each finding code that ``rules`` and the reader's oddities use.
    ``sides``: by finding code of ``rules``, how people call the two statements that contradict each other: the
    finding's ``expected`` and its ``got``, such as header and summary.
    ``asked``: fields that a skeleton prompt asks the model for although the reader has a view.
    ``protected``: field paths (``decisions/outcome``) where being wrong is worst: such a value goes to a
    person. Any other wrong value is withheld.
    ``from_reading``: field paths where the reading's value, if it is certain, comes in place of a wrong one.
    ``planters``: by kind, functions that plant mistakes in a correct answer, to measure the validator. Those that
    follow from the schema alone (``mistakes``) are there already; give only what needs knowledge of the letters.
    ``starts``: where letters begin in a text that may hold several of them, one after the other. It is asked
    of every text; ``[]`` or one place means that there is only one letter.
    ``rows``: a short table of one answer for people, one row a record.
    ``forms``: the names of the forms that its letters come in, if the reader distinguishes them (``Reading.form``).
    ``checks_version``: part of the code's hash (``code_sha256``); raising it has stored answers checked afresh
    although no code of the type has changed.

    Raises ``LetterTypeError`` at once when a leaf of ``schema`` has no marker.
    """

    name: str
    schema: type[BaseModel]
    read: Read
    rules: Mapping[type[BaseModel], tuple[Rule, ...]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    sides: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    from_reading: tuple[str, ...] = ()
    planters: Mapping[str, Planter] = field(default_factory=dict)
    rows: Rows | None = None
    starts: Starts | None = None
    forms: tuple[str, ...] = ()
    checks_version: int = 1

    def __post_init__(self) -> None:
        check_schema(self.schema)
        # What follows from the schema is there for every type; a planter of its own goes before one of that name.
        object.__setattr__(self, "planters", {**planters_of(self.schema), **self.planters})

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        return self.schema.model_json_schema()

    @cached_property
    def schema_sha256(self) -> str:
        """Hex digest of the JSON schema in canonical form."""
        canonical = json.dumps(self.json_schema, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def code_sha256(self) -> str:
        """Hex digest of the type's code and ``checks_version``; stored answers of another are checked afresh."""
        parts: list[Any] = [self.schema, self.read, self.rows, self.starts]
        parts += [rule for rules in self.rules.values() for rule in rules]
        source = source_sha256(getattr(part, "__module__", "") for part in parts)
        return hashlib.sha256(f"{self.checks_version}\x00{source}".encode()).hexdigest()

    @cached_property
    def enum_values(self) -> tuple[str, ...]:
        """The values that a protected enum may have, or any enum where no protected leaf is one."""
        found = dict(_enums(self.schema, ""))
        protected = {path: each for path, each in found.items() if self.is_protected(path)}
        return tuple(sorted({value for each in (protected or found).values() for value in each}))

    def is_protected(self, path: str) -> bool:
        """Whether a JSON pointer lies on a protected leaf: ``/decisions/0/outcome`` is ``decisions/outcome``."""
        names = "/".join(part for part in path.split("/") if part and not part.isdigit())
        return any(names == protected or names.startswith(protected + "/") for protected in self.protected)


def _enums(schema: type[BaseModel], path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each leaf that takes one of several texts, by its pointer."""
    for spec in fields_of(schema):
        if spec.model is not None:
            yield from _enums(spec.model, f"{path}/{spec.name}")
        elif values := tuple(_literals(schema.model_fields[spec.name].annotation)):
            yield f"{path}/{spec.name}", values


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str))
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (each.value for each in annotation if isinstance(each.value, str))
    else:
        for inner in get_args(annotation):
            yield from _literals(inner)
