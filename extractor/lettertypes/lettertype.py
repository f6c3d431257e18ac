"""A letter type: everything the engine must know about one kind of letter, as data and functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from extractor.letters.letter import Letter, Starts
from extractor.lettertypes.evidence import check_schema
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.reading import Block, Reading

Read = Callable[[Letter], Reading]
Rule = Callable[[Any, Block, Letter, str], Iterable[Finding]]
Rows = Callable[[Mapping[str, Any]], list[dict[str, str]]]


@dataclass(frozen=True)
class Mistake:
    """A true answer with one mistake planted.

    A finding is right if its code is in ``codes`` and it points at, or into, one of ``paths``;
    the first path is the leaf that was changed. ``uncertain``: it must be caught even by a reader that is
    certain of no value (``as_uncertain``).
    """

    answer: Mapping[str, Any]
    paths: tuple[str, ...]
    codes: frozenset[str]
    uncertain: bool = False


Planter = Callable[[Mapping[str, Any], Reading], Iterable[Mistake]]


@dataclass(frozen=True)
class LetterType:
    """One kind of letter.

    ``schema``: the strict pydantic model, every leaf with an evidence marker.
    ``read``: the deterministic reader; it never raises on any text and never invents.
    ``rules``: checks beyond the markers, by the schema class they look at; each is called as
    ``rule(record, block, letter, path)`` with a record and the block it was bound to.
    ``codes``: one line for each finding code that ``rules`` and the reader's oddities use.
    ``asked``: fields that a skeleton prompt asks the model for although the reader has a view.
    ``protected``: field paths (``decisions/outcome``) where being wrong is worst.
    ``planters``: by kind, functions that plant mistakes in a true answer, to measure the validator.
    ``starts``: where letters begin in a text that may hold several of them, one behind the other. It is asked
    of every text; ``[]`` or one place means that there is only one letter.
    ``rows``: a short table of one answer for people, one row a record.
    ``checks_version``: raise it when reader or rules change, so that stored answers are checked anew.

    Raises ``LetterTypeError`` at once when a leaf of ``schema`` has no marker.
    """

    name: str
    schema: type[BaseModel]
    read: Read
    rules: Mapping[type[BaseModel], tuple[Rule, ...]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    planters: Mapping[str, Planter] = field(default_factory=dict)
    rows: Rows | None = None
    starts: Starts | None = None
    checks_version: int = 1

    def __post_init__(self) -> None:
        check_schema(self.schema)

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        return self.schema.model_json_schema()

    @cached_property
    def schema_sha256(self) -> str:
        """Hex digest of the JSON schema in canonical form."""
        canonical = json.dumps(self.json_schema, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def is_protected(self, path: str) -> bool:
        """Whether a JSON pointer lies on a protected leaf: ``/decisions/0/outcome`` is ``decisions/outcome``."""
        names = "/".join(part for part in path.split("/") if part and not part.isdigit())
        return any(names == protected or names.startswith(protected + "/") for protected in self.protected)
