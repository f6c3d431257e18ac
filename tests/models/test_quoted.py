"""The quoted strategy: a derived schema, plain answers out of quoted replies, and quotes as witnesses."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from extractor.lettertypes.reading import as_uncertain, dates_in
from extractor.models.quoted import Quoted
from extractor.models.strategy import STRATEGIES
from extractor.validator.checks import check
from extractor.validator.verdict import Verdict
from tests.support.imr import IMR, bundled, gold

STRATEGY = Quoted(IMR)
LETTER = bundled("mixed-outcomes")
READING = IMR.read(LETTER)
OUTCOME = "/decisions/0/outcome"


def reply(quotes: dict[str, str | None] | None = None) -> dict[str, Any]:
    """The correct answer, each stated value with the reader's words as its quote, but for ``quotes``."""
    evidence = check(IMR, IMR.schema.model_validate_json(json.dumps(gold(LETTER.id))), READING).evidence

    def wrap(value: Any, plain: Any, path: str) -> Any:
        if isinstance(value, dict) and set(value) == {"value", "quote"}:
            spans = evidence.get(path, ())
            words = LETTER.text[spans[0].start : spans[-1].end] if spans and plain not in (None, []) else None
            return {"value": plain, "quote": (quotes or {}).get(path, words)}
        if isinstance(value, dict):
            return {name: wrap(inner, plain[name], f"{path}/{name}") for name, inner in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [wrap(inner, plain[i], f"{path}/{i}") for i, inner in enumerate(value)]
        return plain

    return wrap(json.loads(json.dumps(STRATEGY.expected_reply(READING))), gold(LETTER.id), "")


def verdict_on(given: dict[str, Any], *, uncertain: bool = False) -> Verdict:
    answered = STRATEGY.answer(json.dumps(given), READING)
    assert answered.quotes is not None
    reading = as_uncertain(READING) if uncertain else READING
    return check(IMR, answered.answer, reading, answered.quotes)


def test_the_schema_asks_for_the_words_of_stated_values_only() -> None:
    fields = STRATEGY.schema.model_json_schema()["$defs"]["DecisionQuoted"]["properties"]
    assert "$ref" in fields["outcome"]
    assert fields["item"].get("type") == "string"
    assert STRATEGIES["quoted"] is Quoted


def test_a_quoted_reply_is_a_plain_answer_and_its_quotes() -> None:
    answered = STRATEGY.answer(json.dumps(reply()), READING)
    assert answered.answer.model_dump(mode="json") == gold(LETTER.id)
    assert answered.quotes is not None
    assert answered.quotes[OUTCOME] in LETTER.text


def test_two_witnesses_are_stronger_than_one() -> None:
    verdict = verdict_on(reply())
    assert verdict.proof[OUTCOME] == "place+quote"
    assert [f for f in verdict.findings if f.severity == "error"] == []


def change(given: dict[str, Any], value: Any, quote: str | None) -> dict[str, Any]:
    made = deepcopy(given)
    made["decisions"][0]["outcome"] = {"value": value, "quote": quote}
    return made


TRUE = gold(LETTER.id)["decisions"][0]["outcome"]
OTHER = "overturned" if TRUE == "upheld" else "upheld"


@pytest.mark.parametrize(
    ("value", "quote", "uncertain", "level", "found"),
    [
        (TRUE, TRUE.title(), False, "place+quote", None),
        (TRUE, None, False, "place", ("quote_missing", "warning", "answer")),
        (TRUE, "words that are nowhere", False, "place", ("quote_elsewhere", "warning", "answer")),
        (OTHER, OTHER.title(), False, "nothing", ("value_differs", "error", "answer")),
        (OTHER, TRUE.title(), False, "nothing", ("value_differs", "error", "answer")),
        (OTHER, None, False, "nothing", ("value_differs", "error", "answer")),
        (TRUE, TRUE.title(), True, "quote", None),
        (TRUE, None, True, "nothing", ("quote_missing", "error", "unclear")),
        (OTHER, TRUE.title(), True, "nothing", ("quote_elsewhere", "error", "unclear")),
    ],
)
def test_one_value_under_every_quote(
    value: str, quote: str | None, uncertain: bool, level: str, found: tuple[str, str, str] | None
) -> None:
    verdict = verdict_on(change(reply(), value, quote), uncertain=uncertain)
    assert verdict.proof[OUTCOME] == level
    own = [(f.code, f.severity, f.blame) for f in verdict.findings if f.path == OUTCOME]
    assert own == ([found] if found else [])


def test_readers_that_disagree_go_to_a_person() -> None:
    """Another date of the header, quoted in its section: the quote proves it, and the reading differs."""
    letter = bundled("partly-authorized")
    reading = IMR.read(letter)
    answer = gold(letter.id)
    assigned = date.fromisoformat(answer["header"]["date_assigned"])
    words = next(found.span.of(letter.text) for found in dates_in(letter, reading.root.span) if found.value == assigned)
    answer["header"]["decision_date"] = answer["header"]["date_assigned"]
    instance = IMR.schema.model_validate_json(json.dumps(answer))
    findings = check(IMR, instance, reading, {"/header/decision_date": words}).findings
    own = [(f.code, f.blame) for f in findings if f.path == "/header/decision_date"]
    assert own[0] == ("value_differs", "unclear")


def test_the_expected_reply_has_the_schemas_shape() -> None:
    for strategy in (make(IMR) for make in STRATEGIES.values()):
        reply_of = strategy.expected_reply(READING)
        assert set(reply_of) == set(strategy.schema.model_fields)
