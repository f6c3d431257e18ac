"""The leaves and lists of an answer as the scorer walks them: a schema's own, or those a mapping picks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import BaseModel

from extractor.lettertypes.evidence import SchemaField, Verbatim, fields_of


@dataclass(frozen=True)
class Node:
    """One field: a ``leaf``, a ``group`` of fields, or a list of ``records``.

    ``scored`` is how a leaf is compared (see ``evidence.Scored``); ``joined``: of a list of texts only the
    words count, not where it is cut; ``key`` names the leaf that a record is recognized by.
    """

    name: str
    kind: Literal["leaf", "group", "records"]
    scored: str = "words"
    joined: bool = False
    key: str = ""
    inner: tuple[Node, ...] = ()


@cache
def nodes_of(schema: type[BaseModel]) -> tuple[Node, ...]:
    """A schema's fields, in order. Raises ``LetterTypeError`` for a schema that is not one."""
    return tuple(node_of(spec) for spec in fields_of(schema))


def node_of(spec: SchemaField) -> Node:
    """One schema field with all that hangs below it."""
    inner = nodes_of(spec.model) if spec.model else ()
    if spec.covers:
        return Node(spec.name, "records", key=spec.covers.key, inner=inner)
    if spec.model:
        return Node(spec.name, "group", inner=inner)
    joined = isinstance(spec.marker, Verbatim) and spec.marker.joined
    return Node(spec.name, "leaf", spec.scored, joined)
