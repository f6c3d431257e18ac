"""The walk over an answer and its reading in step: each record with its own block, each leaf with its own fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from extractor.letters.spans import Span, fold
from extractor.lettertypes.evidence import Judged, SchemaField, Stated, Unchecked, Verbatim, fields_of
from extractor.lettertypes.findings import Finding, Severity
from extractor.lettertypes.reading import Block, Fact
from extractor.pointers import field_path
from extractor.validator.binding import Binding, bind, identical
from extractor.validator.claims import claims_of, out_of_order, overlapping, own_parts
from extractor.validator.context import Context, Unbound
from extractor.validator.leaf import LeafCheck, Regions, silence_level
from extractor.validator.values import is_silent


class Walk:
    """One walk; what it finds goes into ``context.verdict``."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.rules = context.letter_type.rules

    def record(self, answer: BaseModel, block: Block, outer: Regions, path: str, *, bound: bool = True) -> None:
        """Check one record against its own block; inner regions hide outer ones of the same name.

        ``bound`` is false for a record that the reader knows no part of the letter for: then only
        the record's own words can be looked up, in ``block.span``, and no rule applies.
        """
        regions = {**outer, **block.regions} if block.regions else outer
        for spec in fields_of(type(answer)):
            value = getattr(answer, spec.name)
            here = f"{path}/{spec.name}"
            if spec.model is None:
                self._leaf(spec, value, answer, block, regions, here)
            elif spec.kind == "records":
                self._list(value, block, spec, regions, here)
            else:
                inner = block.blocks.get(spec.name)
                self.record(value, inner[0] if inner else Block(block.span), regions, here, bound=bool(inner))
        for rule in self.rules.get(type(answer), ()) if bound else ():
            self.context.verdict.findings.extend(rule(answer, block, self.context.letter, path))

    def _leaf(
        self, spec: SchemaField, value: Any, record: BaseModel, block: Block, regions: Regions, path: str
    ) -> None:
        fact = block.facts.get(spec.name)
        if level := _settled(spec, value, fact):
            self.context.verdict.proof[path] = level
        elif self.context.quotes is None and fact and _is_read_alike(spec, value, fact, regions):
            self.context.verdict.proof[path] = "place"
            self.context.verdict.evidence[path] = list(fact.spans)
        else:
            LeafCheck(self.context, spec, path, fact, regions, block.span).check(value, record)

    def _list(self, items: Sequence[BaseModel], block: Block, spec: SchemaField, regions: Regions, path: str) -> None:
        """A list of records: bound to the blocks the reader found; where it has none, each record looked up alone."""
        verdict = self.context.verdict
        known = block.blocks.get(spec.name)
        if known is not None and block.certain:
            before = len(verdict.findings)
            self._bound(items, block, spec, regions, path)
            complete = not any(finding.path == path for finding in verdict.findings[before:])
            verdict.proof[path] = "place" if complete else "nothing"
            return
        verdict.proof[path] = "nothing"
        if not block.certain:
            message = "the reader cannot parse this part of the letter; compare it with the letter"
            self._add(Finding("unread", path, "error", "unclear", message, span=block.span))
        elif not items and self._holds_protected(spec, path):
            message = "the reader cannot determine whether the letter lists something here; compare it with the letter"
            self._add(Finding("unproven", path, "error", "unclear", message))
        parts = self._parts(items, block, spec, regions, path) if block.certain else [block.span] * len(items)
        for i, (item, part) in enumerate(zip(items, parts, strict=True)):
            self.record(item, Block(part), regions, f"{path}/{i}", bound=False)

    def _parts(
        self, items: Sequence[BaseModel], block: Block, spec: SchemaField, regions: Regions, path: str
    ) -> list[Span]:
        """The part of the letter of each record, found by the record's own words; contradictions are reported."""
        assert spec.covers is not None
        assert spec.model is not None
        quotes, name = self.context.quotes, spec.covers.key
        key = next(leaf for leaf in fields_of(spec.model) if leaf.name == name)
        within = key.marker.within if isinstance(key.marker, Verbatim | Stated) else ""
        region = regions.get(within, block.span)
        if isinstance(key.marker, Verbatim) and not key.many:
            texts = [getattr(item, name) for item in items]
        else:
            texts = [(quotes or {}).get(f"{path}/{i}/{name}") for i in range(len(items))]
        claims = claims_of(texts, self.context.letter, region)
        if out_of_order(claims):
            self._error("record_order", path, "the records do not follow the letter's order")
        for i in overlapping(claims):
            message = "this record takes words that another record of the list takes, too"
            self._error("record_doubled", f"{path}/{i}", message, got=getattr(items[i], name), span=claims[i])
        severity: Severity = "error" if self._holds_protected(spec, path) else "warning"
        self.context.unbound.append(Unbound(path, claims, region, severity))
        return [block.span] * len(items) if quotes is None else own_parts(claims, block.span)

    def _holds_protected(self, spec: SchemaField, path: str) -> bool:
        names = field_path(path)
        return any(each == names or each.startswith(names + "/") for each in self.context.letter_type.protected)

    def _bound(self, items: Sequence[BaseModel], block: Block, spec: SchemaField, regions: Regions, path: str) -> None:
        """Bind a list of records to the blocks it must cover, then check each against its own."""
        assert spec.covers is not None
        key = spec.covers.key
        blocks = block.blocks[spec.name]
        expected = [block.facts[key].value if key in block.facts else None for block in blocks]
        got = [getattr(item, key) for item in items]
        if got == expected:  # nearly always, and folding would find no more
            binding = identical(len(got))
        else:
            binding = bind([_key(value) for value in got], [_key(value) for value in expected])
        for i, j in binding.pairs:
            self.record(items[i], blocks[j], regions, f"{path}/{i}")
        if possible := list(block.possible.get(spec.name, ())):
            binding = replace(binding, extra=self._in_possible_parts(items, binding.extra, possible, regions, path))
        self._not_covered(binding, got, expected, blocks, path)

    def _in_possible_parts(
        self,
        items: Sequence[BaseModel],
        extra: Sequence[int],
        possible: list[Span],
        regions: Regions,
        path: str,
    ) -> tuple[int, ...]:
        """Look up records in parts that may hold one; the records for which none is left."""
        message = "the reader cannot determine whether this part of the letter belongs to a record; compare it"
        for i, part in zip(extra, possible, strict=False):
            self._add(Finding("unread", f"{path}/{i}", "error", "unclear", message, span=part))
            self.record(items[i], Block(part), regions, f"{path}/{i}", bound=False)
        for part in possible[len(extra) :]:
            self._add(Finding("unread", path, "error", "unclear", message, span=part))
        return tuple(extra[len(possible) :])

    def _not_covered(
        self, binding: Binding, got: Sequence[Any], expected: Sequence[Any], blocks: Sequence[Block], path: str
    ) -> None:
        """Records without a part of the letter, parts without a record, and a wrong order."""
        for i in binding.extra:
            doubled = binding.doubled.get(i)
            code = "record_extra" if doubled is None else "record_doubled"
            span = None if doubled is None else blocks[doubled].span
            self._error(code, f"{path}/{i}", "no part of the letter is left for this record", got=got[i], span=span)
        for j in binding.missing:
            message = f"part {j + 1} of {len(blocks)} of the letter is claimed by no record"
            self._error("record_missing", path, message, expected=expected[j], span=blocks[j].span)
        if not binding.in_order:
            finding = Finding(
                "record_order", path, "error", "answer", "the records do not follow the letter's order",
                expected=[expected[j] for j in sorted(j for _, j in binding.pairs)],
                got=[got[i] for i, _ in binding.pairs],
            )  # fmt: skip
            self._add(finding)

    def _error(
        self, code: str, path: str, message: str, *, expected: Any = None, got: Any = None, span: Span | None = None
    ) -> None:
        self._add(Finding(code, path, "error", "answer", message, expected, got, span))

    def _add(self, finding: Finding) -> None:
        self.context.verdict.findings.append(finding)


def _settled(spec: SchemaField, value: Any, fact: Fact | None) -> Any:
    """The level of a leaf that needs no look: most are silent, and so is the letter there. Else ``None``."""
    if isinstance(spec.marker, Unchecked):
        return "nothing"
    if not is_silent(value) or isinstance(spec.marker, Judged) or fact is None:
        return None
    if not is_silent(fact.value) or (not fact.certain and (spec.many or spec.is_placed)):
        return None
    return silence_level(fact)


def _is_read_alike(spec: SchemaField, value: Any, fact: Fact, regions: Regions) -> bool:
    """Whether a value is word for word the one the reader is certain of: the most frequent case, made cheap."""
    marker = spec.marker
    if value != fact.value or not fact.certain or not fact.spans:
        return False
    if isinstance(marker, Verbatim):
        texts = value if spec.many else [value]
        is_long = not marker.min_words or all(len(text.split()) >= marker.min_words for text in texts)
        return is_long and len(texts) == len(fact.spans) and marker.within in regions
    return isinstance(marker, Stated) and not spec.many and marker.within in regions


def _key(value: Any) -> str:
    return fold(str(value)) if value is not None else ""
