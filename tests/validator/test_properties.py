"""What holds for any text and any schema-valid answer."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import CODES, status_of
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import IMR, TOOLS, decision, imr_letter

WORDS = st.sampled_from(
    ["Back brace", "TENS rental x 1 month", "Upheld", "Overturned", "301", "177-179", "is not medically necessary.", "California",
     "ACOEM Chapter 12 Low Back Complaints", "Decision rationale:", "MAXIMUS guideline:", "Claims Administrator guideline:",
     "Decision based on MTUS", "Decision based on Non-MTUS Citation ODG.", "Page(s):", "57 year old female", "10-14-2016",
     "HOW THE IMR FINAL DETERMINATION WAS MADE", "CLINICAL CASE SUMMARY", "IMR ISSUES, DECISIONS AND RATIONALES",
     "set forth below:", ":", ".", "\n", "\n\n", " ", "\f", "\u2013", "{{", "not", "\u200b"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=40).map(" ".join),
    st.text(min_size=1, max_size=200),
    st.builds(
        lambda heading, outcome, pages, tool: tool(
            imr_letter(decision(heading, outcome, mx=f"Decision based on MTUS X Page(s): {pages}."), decision())
        ),
        st.text(alphabet="ab 1.:\n#", min_size=1, max_size=30),
        st.sampled_from(["Upheld", "Overturned", "\nUpheld", "Modified"]),
        st.sampled_from(["301", "177-179", "305-301", "9, 16-18", "x", ""]),
        st.sampled_from(TOOLS),
    ),
)


def instances(schema: dict[str, Any], root: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """JSON values that a schema of this project's kind allows."""
    root = root or schema
    if "$ref" in schema:
        return st.deferred(lambda: instances(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root))
    if "anyOf" in schema:
        return st.one_of(*(instances(each, root) for each in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema["type"]
    if kind == "object":
        return st.fixed_dictionaries({name: instances(each, root) for name, each in schema["properties"].items()})
    if kind == "array":
        return st.lists(instances(schema["items"], root), max_size=3)
    if kind == "integer":
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 9999))
    if kind == "null":
        return st.none()
    if schema.get("format") == "date":
        return st.dates(date(1950, 1, 1), date(2049, 12, 31)).map(date.isoformat)
    return st.one_of(WORDS, st.text(min_size=1, max_size=30))


ANSWERS = instances(IMR.json_schema)


@given(TEXTS, ANSWERS)
def test_any_answer_to_any_text_is_checked(text: str, answer: dict[str, Any]) -> None:
    letter = Letter("any", text)
    reading = IMR.read(letter)
    instance = IMR.schema.model_validate_json(json.dumps(answer))
    first, second = check(IMR, instance, reading), check(IMR, instance, IMR.read(letter))
    assert first == second
    for finding in first.findings:
        assert finding.code in CODES or finding.code in IMR.codes
        assert finding.span is None or _inside(finding.span, text)
    for path, spans in first.evidence.items():
        assert path.startswith("/")
        assert all(_inside(span, text) for span in spans)
    if status_of(first.findings) == "accepted":
        assert len(answer["decisions"]) == len(reading.root.blocks["decisions"])


def _inside(span: Span, text: str) -> bool:
    return 0 <= span.start <= span.end <= len(text)


@given(TEXTS)
def test_the_baseline_is_never_blamed(text: str) -> None:
    letter = Letter("any", text)
    reading = IMR.read(letter)
    if reading.recognized:
        blamed = [f for f in check(IMR, fill(IMR.schema, reading.root), reading).findings if f.blame == "answer"]
        assert blamed == []


@given(st.sampled_from(TOOLS), st.sampled_from(["Upheld", "Overturned"]), st.data())
def test_no_wrong_outcome_is_accepted(tool: Any, outcome: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    letter = Letter("x", tool(imr_letter(*(decision(f"Item {i}", outcome) for i in range(count)))))
    reading = IMR.read(letter)
    answer = json.loads(fill(IMR.schema, reading.root).model_dump_json())
    wrong = data.draw(st.integers(0, count - 1))
    answer["decisions"][wrong]["outcome"] = "overturned" if outcome == "Upheld" else "upheld"
    found = check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), reading).findings
    assert ("value_differs", f"/decisions/{wrong}/outcome") in [(f.code, f.path) for f in found]
