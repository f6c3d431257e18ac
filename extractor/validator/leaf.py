"""One leaf of an answer, checked against its own place in the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from extractor.letters.spans import Span, equal_when_joined, fold
from extractor.lettertypes.evidence import Judged, SchemaField, Stated, Unchecked, Verbatim
from extractor.lettertypes.findings import Blame, Finding, ProofLevel, Severity, plain
from extractor.lettertypes.reading import Fact
from extractor.validator.bounds import is_within, outside
from extractor.validator.claims import out_of_order, overlapping
from extractor.validator.context import Context, Unbound
from extractor.validator.lists import ListDifference, compare_lists
from extractor.validator.occurrence import occurrences
from extractor.validator.quotes import disguises_of_its_own, follows_negation, is_whole, proving_place
from extractor.validator.values import alike, is_silent, plain_item, plain_items
from extractor.validator.witnesses import QuoteWitness, ReadingWitness, rule

Regions = Mapping[str, Span]

_UNPROVING = (QuoteWitness.ABSENT, QuoteWitness.ELSEWHERE)
_UNREAD_LIST = "the reader cannot read this list for certain; compare it with the letter"


def silence_level(fact: Fact | None) -> ProofLevel:
    """How a null is proven where the reading has no value either."""
    if fact is None:
        return "nothing"
    return "place" if fact.certain else "words"


@dataclass(slots=True)
class LeafCheck:
    """One leaf with the place it must be proven in.

    ``block``: the span of the record it belongs to, where its section is not known.
    """

    context: Context
    spec: SchemaField
    path: str
    fact: Fact | None
    regions: Regions
    block: Span

    def check(self, value: Any, record: BaseModel) -> None:
        """Add the value's evidence, level and findings to the verdict."""
        verdict = self.context.verdict
        before = len(verdict.findings)
        level = self._level(value, record)
        verdict.proof[self.path] = level
        if level == "nothing" and len(verdict.findings) == before and self._is_protected:
            message = "nothing in the letter was found that proves this; compare it with the letter"
            self._add(Finding("unproven", self.path, "error", "unclear", message, got=plain(value)))

    def _level(self, value: Any, record: BaseModel) -> ProofLevel:
        marker = self.spec.marker
        if isinstance(marker, Judged):
            return self._judged(value, marker, record)
        if is_silent(value):
            return self._silence(value)
        if isinstance(marker, Verbatim):
            return self._verbatim(value, marker)
        if isinstance(marker, Stated):
            return self._stated(value, marker)
        assert isinstance(marker, Unchecked)
        return "nothing"

    # ---- silence and judgments ---------------------------------------------------------------

    def _silence(self, value: Any) -> ProofLevel:
        fact = self.fact
        if fact is None or is_silent(fact.value):
            if fact and not fact.certain and self.spec.many and self._is_protected:
                self._unread(_UNREAD_LIST, value)
            elif fact and not fact.certain and self.spec.is_placed:
                self._unread("there are words in this value's place that are not understood", value, "error")
            return silence_level(fact)
        if fact.certain:
            code = "list_item_missing" if self.spec.many else "null_but_stated"
            self._error(code, "the letter states a value here", fact.value, value, fact.spans)
        elif not self._is_outside_bounds([]) and isinstance(self.spec.marker, Stated):
            self._unread("the letter may state a value here", value)
        return "nothing"

    def _judged(self, value: Any, marker: Judged, record: BaseModel) -> ProofLevel:
        """A judgment and its quote come together; the quote's evidence is the judgment's."""
        quote = getattr(record, marker.quote)
        where = f"{self.path.rpartition('/')[0]}/{marker.quote}"
        if value is not None and quote is None:
            self._error("quote_missing", f"{marker.quote} must hold the words this rests on", None, None, path=where)
        elif value is None and quote is not None:
            self._error("judgement_missing", f"{marker.quote} is given, the judgment is not", None, None)
        elif value is not None:
            self.context.resting_on[self.path] = where
        return "nothing"

    # ---- words of the letter -----------------------------------------------------------------

    def _verbatim(self, value: Any, marker: Verbatim) -> ProofLevel:
        region = self._region(marker.within, value)
        if region is None:
            return "nothing"
        before = len(self.context.verdict.findings)
        texts = value if self.spec.many else [value]
        spans: list[Span] = []
        at = region.start
        for i, text in enumerate(texts):
            span = self._quote(text, marker, region, at, f"{self.path}/{i}" if self.spec.many else self.path)
            if span:
                spans.append(span)
                at = span.end if self.spec.many else at
        if spans:
            self.context.verdict.evidence[self.path] = spans
        if self.fact is None and self.spec.many:
            self._check_claims(spans, region, texts)
        if len(self.context.verdict.findings) > before:
            return "nothing"
        if self.fact is None:
            return "words"
        if self._readsalike(value, marker):
            return "place" if self.fact.certain else "words"
        return self._partly(value) if marker.whole else "words"

    def _check_claims(self, spans: Sequence[Span], region: Span, texts: Sequence[str]) -> None:
        """Without a reader, the items of a list must at least follow the letter and take words of their own."""
        if out_of_order(spans):
            self._error("list_order", "the letter has these in another order", None, texts, spans)
        for i in overlapping(spans):
            message = "these words are claimed twice, but occur in the letter once"
            self._error("list_item_extra", message, None, spans[i].of(self.context.letter.text), spans[i : i + 1])
        severity: Severity = "error" if self._is_protected else "warning"
        self.context.unbound.append(Unbound(self.path, spans, region, severity, whole=True))

    def _quote(self, text: str, marker: Verbatim, region: Span, at: int, path: str) -> Span | None:
        """Where one text of this leaf is, with an error if it is nowhere or torn out of its sentence."""
        if len(text.split()) < marker.min_words:
            self._error("quote_too_short", f"a quote needs {marker.min_words} words", None, text, path=path)
        span = self._look_up(text, region, at)
        if span is None:
            known = self.fact if marker.whole else None
            where = known.spans if known else ()
            message = f"these words do not stand in the {marker.within}"
            self._error("not_in_text", message, known and known.value, text, where or (region,), path=path)
            return None
        if odd := disguises_of_its_own(text, span, region, self.context.letter):
            self._error(
                "odd_characters",
                f"the letter does not have these characters here: {odd}",
                None,
                None,
                (span,),
                path=path,
            )
            return None
        if not marker.min_words and marker.unit == "words":
            return span
        view = self.context.letter.view
        # A reader that is not certain where the part ends cannot say that a quote does not end there.
        blame: Blame = "answer" if self.fact is None or self.fact.certain else "unclear"
        places = [view.from_raw(place) for place in self.context.letter.folded.find_all(text, region)]
        if (marker.min_words or marker.unit == "item") and follows_negation(view.text, places):
            message = "the letter has a negation right before these words"
            self._error("quote_cut", message, None, text, (span,), path=path)
        elif not any(is_whole(view.text, place, view.from_raw(region), marker.unit) for place in places):
            message = f"these words are only a part of a {marker.unit}; quote it from its first word to its last"
            self._error("quote_cut", message, None, text, (span,), path=path, blame=blame)
        return span

    def _look_up(self, text: str, region: Span, at: int) -> Span | None:
        """The reader's own place if the words are the same there; else the first place in the region."""
        folded = self.context.letter.folded
        for span in self.fact.spans if self.fact else ():
            if span.start >= at and alike(span.of(self.context.letter.body), text):
                return span
        return folded.find(text, Span(at, region.end)) or folded.find(text, region)

    def _readsalike(self, value: Any, marker: Verbatim) -> bool:
        assert self.fact is not None
        if value == self.fact.value or self.fact.value is None:
            return bool(value == self.fact.value)
        if not self.spec.many:
            return alike(value, self.fact.value)
        if marker.joined and equal_when_joined(value, self.fact.value):
            return True
        return [fold(text) for text in value] == [fold(text) for text in self.fact.value]

    def _partly(self, value: Any) -> ProofLevel:
        """The words are in their section, but they are not what the reader found for this leaf."""
        assert self.fact is not None
        expected = self.fact.value
        if self.spec.many:
            self._list([fold(text) for text in value], [fold(text) for text in expected or []], value)
        elif expected is None:
            self._differs("not_stated", "the letter states no value here", value)
        else:
            self.context.verdict.in_place[self.path] = self.context.verdict.evidence[self.path]
            self._differs("value_differs", "these words are only a part of the letter's, or more than them", value)
        return "nothing" if self.fact.certain else "words"

    # ---- values ------------------------------------------------------------------------------

    def _stated(self, value: Any, marker: Stated) -> ProofLevel:
        region = self._region(marker.within, value)
        if region is None:
            return "nothing"
        view = self._view(value)
        quoted, place = self._quoted(value, region)
        ruling = rule(view, quoted)
        if view is ReadingWitness.AGREES:
            if quoted in _UNPROVING:
                self._add(self._quote_finding(quoted, "warning", "answer", value))
            return self._agreed(ruling.level or "nothing")
        if view is ReadingWitness.UNCERTAIN and self._is_outside_bounds(value):
            return "nothing"
        if place:
            self.context.verdict.evidence[self.path] = [place]
        if ruling.level:
            return ruling.level
        if view is ReadingWitness.DIFFERS:
            if not self.spec.many and (places := occurrences(value, self.context.letter, region)):
                self.context.verdict.in_place[self.path] = places
            self._all_differs(value, ruling.blame or "answer")
            return "nothing"
        if ruling.blame is None:
            return self._by_its_words(value, marker, region)
        if self._places(value, marker, region) is not None:
            severity: Severity = "error" if ruling.blame == "answer" or self._is_protected else "warning"
            self._add(self._quote_finding(quoted, severity, ruling.blame, value))
        return "nothing"

    def _quoted(self, value: Any, region: Span) -> tuple[QuoteWitness, Span | None]:
        """What the quote proves for this leaf's value, and where."""
        if self.context.quotes is None:
            return QuoteWitness.NOT_ASKED, None
        quote = self.context.quotes.get(self.path)
        place = proving_place(value, self.spec, self.context.letter, region, quote) if quote else None
        if place:
            return QuoteWitness.PROVES, place
        if value is False:
            # Absence has no words to quote.
            return QuoteWitness.NOT_ASKED, None
        return (QuoteWitness.ELSEWHERE if quote else QuoteWitness.ABSENT), None

    def _quote_finding(self, quoted: QuoteWitness, severity: Severity, blame: Blame, value: Any) -> Finding:
        if quoted is QuoteWitness.ABSENT:
            return Finding("quote_missing", self.path, severity, blame, "no words are quoted for this", got=value)
        message = "the quote is not in its part of the letter, or does not give this value"
        return Finding("quote_elsewhere", self.path, severity, blame, message, got=value)

    def _view(self, value: Any) -> ReadingWitness:
        if self.fact is None:
            return ReadingWitness.NONE
        if not self.fact.certain:
            return ReadingWitness.UNCERTAIN
        plain = plain_items(value)
        agrees = plain == self.fact.value or (self.fact.bounds is not None and is_within(plain, self.fact.bounds))
        return ReadingWitness.AGREES if agrees else ReadingWitness.DIFFERS

    def _agreed(self, level: ProofLevel) -> ProofLevel:
        assert self.fact is not None
        if not self.fact.spans:
            return "nothing"
        self.context.verdict.evidence[self.path] = list(self.fact.spans)
        return level

    def _by_its_words(self, value: Any, marker: Stated, region: Span) -> ProofLevel:
        """The reader is uncertain or has no view: the value must at least be printed in its own section."""
        fact = self.fact
        agrees = fact is not None and plain_items(value) == fact.value
        places = list(fact.spans) if fact and agrees else self._places(value, marker, region)
        if places is None:
            return "nothing"
        if places:
            self.context.verdict.evidence[self.path] = places
        if fact is not None and self.spec.many and self._is_protected:
            self._unread(_UNREAD_LIST, value)
        elif fact is not None and not agrees:
            self._unread("the reader is not certain here, and read another value", value)
        return "words" if places else "nothing"

    def _is_outside_bounds(self, value: Any) -> bool:
        """Whether an uncertain list has an element that it cannot have, or lacks one that is certain; with errors."""
        fact = self.fact
        if fact is None or fact.bounds is None:
            return False
        difference = outside(value, plain_items(value), fact.bounds, self.context.letter)
        self._add_difference(difference, list(fact.bounds.most), value, "answer")
        return not difference.is_order_only

    def _places(self, value: Any, marker: Stated, region: Span) -> list[Span] | None:
        """Where the value, or each element of it, is printed; ``None`` and an error if one of them is nowhere."""
        known = self.fact.value if self.fact and self.spec.many else ()
        found: list[Span] = []
        looked_up: dict[str, list[Span] | None] = {}
        lost = False
        for i, item in enumerate(value if self.spec.many else [value]):
            if self.spec.many and plain_item(item) in (known or ()):
                continue
            # A hostile list repeats one value many times; each is looked for once.
            key = repr(item)
            if key not in looked_up:
                looked_up[key] = occurrences(item, self.context.letter, region)
            spans = looked_up[key]
            if spans == []:
                lost = True
                path = f"{self.path}/{i}" if self.spec.many else self.path
                self._error("not_in_text", f"this is not in the {marker.within}", None, item, (region,), path=path)
            found += (spans or [])[:1]
        return None if lost else found

    def _all_differs(self, value: Any, blame: Blame) -> None:
        assert self.fact is not None
        if self.spec.many:
            self._list(plain_items(value), self.fact.value or [], value, blame)
        elif self.fact.value is None:
            self._differs("not_stated", "the letter states no value here", value, blame)
        else:
            self._differs("value_differs", "the letter says something else here", value, blame)

    # ---- findings ----------------------------------------------------------------------------

    def _list(self, got: list[Any], expected: list[Any], raw: Any, blame: Blame = "answer") -> None:
        """Add findings for missing and extra elements, or for a wrong order."""
        assert self.fact is not None
        if not self.fact.certain:
            self._unread("the reader is not certain of this list, and read another one", raw)
            return
        difference = compare_lists(got, expected)
        self._add_difference(difference, expected, raw, blame)
        if difference.is_order_only:
            message = "the letter has these in another order"
            self._error("list_order", message, expected, raw, self.fact.spans, blame=blame)

    def _add_difference(self, difference: ListDifference, expected: Any, raw: Any, blame: Blame) -> None:
        assert self.fact is not None
        spans = self.fact.spans
        for i in difference.extra:
            message = "the letter does not list this here"
            self._error("list_item_extra", message, expected, raw[i], spans, path=f"{self.path}/{i}", blame=blame)
        for item in difference.missing:
            message = "the letter lists this, the answer does not"
            self._error("list_item_missing", message, item, raw, spans, blame=blame)

    def _region(self, name: str, value: Any) -> Span | None:
        """The section this leaf must be proven in; its record's own part where the reader names no such section."""
        region = self.regions.get(name)
        if region is not None:
            return region
        if self.fact is None:
            return self.block
        if self.fact.certain:
            self._error("not_stated", f"the letter has no {name}", None, value)
        else:
            self._unread(f"the reader knows of a {name}, but cannot find it in the letter", value)
        return None

    def _differs(self, code: str, message: str, value: Any, blame: Blame = "answer") -> None:
        """The answer differs from the reading; where the reader was uncertain, nobody is blamed."""
        assert self.fact is not None
        if self.fact.certain:
            self._error(code, message, self.fact.value, value, self.fact.spans, blame=blame)
        else:
            self._unread(message, value)

    def _unread(self, message: str, value: Any, severity: Severity | None = None) -> None:
        assert self.fact is not None
        severity = severity or ("error" if self._is_protected else "warning")
        span = self.fact.spans[0] if self.fact.spans else None
        expected = plain(self.fact.value)
        self._add(Finding("unread", self.path, severity, "unclear", message, expected, plain_items(value), span))

    def _error(
        self,
        code: str,
        message: str,
        expected: Any,
        got: Any,
        spans: Sequence[Span] = (),
        *,
        path: str | None = None,
        blame: Blame = "answer",
    ) -> None:
        span = spans[0] if spans else None
        where = path or self.path
        self._add(Finding(code, where, "error", blame, message, plain(expected), plain(plain_items(got)), span))

    def _add(self, finding: Finding) -> None:
        self.context.verdict.findings.append(finding)

    @property
    def _is_protected(self) -> bool:
        return self.context.letter_type.is_protected(self.path)
