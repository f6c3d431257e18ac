"""The model that asks nobody: it fills the schema from the deterministic reading alone.

A baseline, and named as such in every record. What takes judgment stays null.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.reading import Block
from extractor.models.model import Question, Reply

NAME = "offline"


class OfflineModel:
    """Satisfies ``extractor.models.model.Model`` without any call."""

    name = NAME

    @property
    def params(self) -> dict[str, Any]:
        return {}

    async def ask(self, question: Question) -> Reply:
        # Not validated here: a reading that the schema cannot hold is reported like any invalid answer.
        return Reply(text=to_json(values(question.schema, question.reading.root)).decode())

    def stop_retrying(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


def fill(schema: type[BaseModel], block: Block) -> BaseModel:
    """An instance of ``schema`` that holds the block's facts, null or ``[]`` where there are none."""
    return schema.model_validate(values(schema, block))


def values(schema: type[BaseModel], block: Block) -> dict[str, Any]:
    """The block's facts in the schema's shape, not validated; null or ``[]`` where there are none."""
    found: dict[str, Any] = {}
    for field in fields_of(schema):
        inner = block.blocks.get(field.name, ())
        if field.model is None:
            fact = block.facts.get(field.name)
            found[field.name] = fact.value if fact else ([] if field.many else None)
        elif field.kind == "records":
            found[field.name] = [values(field.model, one) for one in inner]
        else:
            found[field.name] = values(field.model, inner[0] if inner else block)
    return found
