"""Planted mistakes under each quote: the true one, the most plausible wrong one, and none.

A model that errs seldom quotes at random. It quotes the right words and misreads them, it quotes words
that do state the wrong value but belong to something else, or it quotes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import SchemaField, Stated, fields_of
from extractor.lettertypes.mistake import Mistake
from extractor.lettertypes.wrong_values import put
from extractor.pointers import value_at
from extractor.validator.quotes import places_of

QuoteKind = Literal["true quote", "wrong quote", "no quote"]
QUOTE_KINDS: tuple[QuoteKind, ...] = get_args(QuoteKind)

Quotes = Mapping[str, str]


class QuotedMistake(NamedTuple):
    """A mistake in a stated value, what is quoted for it, and the true quotes of all other values."""

    kind: QuoteKind
    mistake: Mistake
    quotes: Quotes


def true_quotes(schema: type[BaseModel], letter: Letter, evidence: Mapping[str, Sequence[Span]]) -> Quotes:
    """The words that prove each stated value of a true answer, from the first to the last of them."""
    text = letter.text
    return {
        path: text[min(span.start for span in spans) : max(span.end for span in spans)]
        for path, spans in evidence.items()
        if spans and stated_leaf(schema, path)
    }


def under_each_quote(
    schema: type[BaseModel],
    letter: Letter,
    answer: Mapping[str, object],
    mistake: Mistake,
    quotes: Quotes,
    evidence: Mapping[str, Sequence[Span]],
) -> Iterator[QuotedMistake]:
    """One mistake under every quote that is possible for it; nothing where no quote is asked for its value."""
    path = mistake.paths[0]
    leaf = stated_leaf(schema, path)
    value = value_at(mistake.answer, path) if leaf else None
    if leaf is None or value in (None, [], False) or put(answer, path, value) != mistake.answer:
        return
    others = {where: words for where, words in quotes.items() if where != path}
    yield QuotedMistake("no quote", mistake, others)
    if path in quotes:
        yield QuotedMistake("true quote", mistake, quotes)
    near = evidence[path][0].start if evidence.get(path) else 0
    if words := wrong_quote(schema, letter, mistake, leaf, near):
        yield QuotedMistake("wrong quote", mistake, {**others, path: words})


def wrong_quote(schema: type[BaseModel], letter: Letter, mistake: Mistake, leaf: SchemaField, near: int) -> str | None:
    """The words that state the wrong value, nearest to where the true one is; ``None`` if none in the letter do."""
    # As an instance of the schema, so that dates are dates.
    typed = _typed_value(schema.model_validate(mistake.answer, strict=False), mistake.paths[0])
    found: list[Span] = []
    for item in typed if isinstance(typed, list) else [typed]:
        places = places_of(item, leaf, letter, Span(0, len(letter.text)))
        if not places:
            return None
        found.append(min(places, key=lambda span: abs(span.start - near)))
    if not found:
        return None
    return letter.text[min(span.start for span in found) : max(span.end for span in found)]


def stated_leaf(schema: type[BaseModel], path: str) -> SchemaField | None:
    """The leaf at a pointer, if a quote is asked for it."""
    record: type[BaseModel] | None = schema
    spec: SchemaField | None = None
    for name in path.split("/")[1:]:
        if name.isdigit():
            continue
        spec = next((each for each in fields_of(record) if each.name == name), None) if record else None
        record = spec.model if spec else None
    return spec if spec and spec.kind == "leaf" and isinstance(spec.marker, Stated) else None


def _typed_value(answer: BaseModel, path: str) -> object:
    tree: object = answer
    for name in path.split("/")[1:]:
        tree = tree[int(name)] if isinstance(tree, list) else getattr(tree, name)
    return tree
