"""Answers from any source checked against their letters, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from extractor.errors import UsageError
from extractor.json_text import json_line, strict_json
from extractor.letters.letter import Letter
from extractor.lettertypes.findings import Finding, ProofLevel, Status, Withheld, status_of
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.model import Reply
from extractor.models.offline import NAME as OFFLINE
from extractor.models.strategy import Plain
from extractor.runs.judging import judge
from extractor.runs.record import Evidence, Record, SecondAnswer, evidence_of
from extractor.runs.replies import CheckedReply, baseline_finding
from extractor.settings import wrong_kind
from extractor.validator.agreement import Opinion, settle
from extractor.validator.verdict import Verdict
from extractor.validator.withholding import keep_withheld, restore, withhold

_LINES = "lines of JSON are checked by check_lines, or parsed first: json.loads(line)"


@dataclass(frozen=True)
class CheckedAnswer:
    """The result of checking an answer; the fields mean what they mean in a record.

    ``answer`` is what is left of the answer when wrong values are withheld. ``status`` is ``failed`` where the
    answer is not an instance of the schema.
    """

    answer: Any
    letter_sha256: str
    letter_type: str
    status: Status
    evidence: dict[str, tuple[Evidence, ...]]
    proof: dict[str, ProofLevel]
    withheld: dict[str, Withheld]
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON data, in a record's form."""
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found


@cache
def _adapter() -> TypeAdapter[CheckedAnswer]:
    return TypeAdapter(CheckedAnswer)


def check_answer(
    answer: Any,
    letter: Letter,
    letter_type: LetterType,
    *,
    made_from: str | None = None,
    model: object = None,
    strict: bool = False,
    second: SecondAnswer | None = None,
) -> CheckedAnswer:
    """Check an answer, given as JSON data.

    ``made_from``: the hash of the text that the answer was made from, if known; another text than the
    letter's is an error. ``model``: who gave the answer, if known. ``strict``: no wrong value is withheld.
    ``second``: what another model answered; its agreement counts as in a run.
    """
    reading = letter_type.read(letter)
    checked = judge(Reply(json_line(answer)), Plain(letter_type), letter_type, reading)
    verdict = _heard(checked, second, model, letter_type, reading)
    if checked.answer is not None and not strict:
        rest, verdict = withhold(letter_type, checked.answer, verdict)
        if verdict.withheld:
            answer = rest.model_dump(mode="json")
    return _checked(answer, checked.answer is not None, letter, letter_type, verdict, made_from, model)


def check_given(
    given: Mapping[str, Any] | BaseModel | Record, letter: Letter, letter_type: LetterType, *, strict: bool = False
) -> CheckedAnswer:
    """Check an answer, or the one of a record or of a record's line. Raises ``UsageError`` for anything else."""
    if isinstance(given, Record):
        return _check_record(given, letter, letter_type, strict=strict)
    data = given.model_dump(mode="json") if isinstance(given, BaseModel) else given
    if not isinstance(data, Mapping):
        raise wrong_kind("answer", "a dict, an instance of the schema or a Record", given, hint=_LINES)
    try:
        data = strict_json(json_line(dict(data)))
    except (TypeError, ValueError, RecursionError):
        raise UsageError("answer: not plain JSON data", hint='of a model: model_dump(mode="json")') from None
    if {"letter_id", "answer"} <= set(data) and "answer" not in letter_type.schema.model_fields:
        return check_line(data, letter, letter_type, strict=strict)
    return check_answer(data, letter, letter_type, strict=strict)


def check_line(
    line: Mapping[str, Any], letter: Letter, letter_type: LetterType, *, strict: bool = False
) -> CheckedAnswer:
    """Check the answer of a line: of a record, or of ``letter_id`` and ``answer`` alone."""
    made_from = line.get("letter_sha256")
    return check_answer(
        as_given(line),
        letter,
        letter_type,
        made_from=made_from if isinstance(made_from, str) else None,
        model=line.get("model"),
        strict=strict,
        second=SecondAnswer.of_line(line),
    )


def _heard(
    checked: CheckedReply, second: SecondAnswer | None, model: object, letter_type: LetterType, reading: Reading
) -> Verdict:
    """The verdict on an answer after a second one, if there is one of another model."""
    if second is None or second.answer is None or not isinstance(model, str) or model == second.model:
        return checked.verdict
    other = judge(Reply(json_line(second.answer)), Plain(letter_type), letter_type, reading)
    if checked.answer is None or other.answer is None:
        return checked.verdict
    first = Opinion(model, checked.answer, checked.verdict)
    return settle(letter_type, reading, first, Opinion(second.model, other.answer, other.verdict))


def _checked(
    answer: Any,
    valid: bool,
    letter: Letter,
    letter_type: LetterType,
    verdict: Verdict,
    made_from: str | None,
    model: object,
) -> CheckedAnswer:
    findings = list(verdict.findings)
    if made_from is not None and made_from != letter.sha256:
        message = "the record was made from another text of this letter"
        findings.append(Finding("other_text", "", "error", "unclear", message, expected=letter.sha256, got=made_from))
    if model == OFFLINE:
        findings.append(baseline_finding())
    return CheckedAnswer(
        answer,
        letter.sha256,
        letter_type.name,
        status_of(findings) if valid else "failed",
        evidence_of(letter, verdict.evidence),
        dict(verdict.proof),
        dict(verdict.withheld),
        tuple(findings),
    )


def recheck(record: Record, letter: Letter, letter_type: LetterType, *, strict: bool = False) -> Record:
    """The record with its answer, as the model gave it, checked again."""
    checked = _check_record(record, letter, letter_type, strict=strict)
    return replace(record, **vars(checked), error=record.error if checked.status == "failed" else None)


def _check_record(record: Record, letter: Letter, letter_type: LetterType, *, strict: bool) -> CheckedAnswer:
    """The answer of a record, as the model gave it, checked."""
    return check_answer(
        restore(record.answer, record.withheld) if record.answer is not None else None,
        letter,
        letter_type,
        made_from=record.letter_sha256,
        model=record.model,
        strict=strict,
        second=record.second,
    )


def check_correction(record: Record, letter: Letter, letter_type: LetterType) -> Record:
    """The record with an answer that a person changed: nothing more is withheld, and what still is stays so."""
    reading = letter_type.read(letter)
    checked = judge(Reply(json_line(record.answer)), Plain(letter_type), letter_type, reading)
    verdict = _heard(checked, record.second, record.model, letter_type, reading)
    if checked.answer is not None:
        verdict = keep_withheld(record.answer or {}, verdict, record.withheld)
    valid = checked.answer is not None
    after = _checked(record.answer, valid, letter, letter_type, verdict, record.letter_sha256, record.model)
    return replace(record, **vars(after))


def as_given(line: Mapping[str, Any]) -> Any:
    """The answer of a line, a record or a bare one, with the values that an earlier check withheld."""
    answer, withheld = line.get("answer"), line.get("withheld")
    if not isinstance(answer, dict) or not isinstance(withheld, dict):
        return answer
    known = {
        path: Withheld(**each)
        for path, each in withheld.items()
        if isinstance(each, dict) and set(each) == {"value", "code"}
    }
    return restore(answer, known)
