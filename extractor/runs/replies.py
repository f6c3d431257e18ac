"""Checked replies, and the record that the best of them makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from extractor.engine import ENGINE
from extractor.errors import ExtractorError, LetterError, ModelError
from extractor.letters.letter import Letter
from extractor.lettertypes.findings import Finding, status_of
from extractor.lettertypes.mixed import NONE_FITS, SEVERAL_FIT, UNASSIGNED
from extractor.models.model import Reply, Usage
from extractor.models.prices import Cost, rounded, total
from extractor.runs.plan import Plan
from extractor.runs.record import Attempt, Failure, Record, evidence_of
from extractor.validator.checks import Verdict
from extractor.validator.withholding import withhold

# Code of the error of letters that no model is asked about.
UNRECOGNIZED = "not_a_letter"
# Codes of the errors of letters that are not of the type, or of none of the types, that the run is about.
NOT_OF_TYPE = frozenset({UNRECOGNIZED, NONE_FITS, SEVERAL_FIT})


@dataclass(frozen=True)
class CheckedReply:
    """One raw reply and the verdict on it; ``answer`` is ``None`` if the reply is not a valid answer.

    ``given``: the paths whose values this reply gives, where it is a patch of an earlier answer; else ``None``.
    """

    reply: Reply
    answer: BaseModel | None = None
    verdict: Verdict = field(default_factory=Verdict)
    given: frozenset[str] | None = None

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity == "error" for finding in self.verdict.findings)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Smaller is better: no answer, then errors, then all findings."""
        return (self.answer is None, self.errors, len(self.verdict.findings))


def best_of(replies: Sequence[CheckedReply]) -> CheckedReply | None:
    """The reply whose answer the record gives; ``None`` without replies."""
    return min(replies, key=lambda each: each.rank, default=None)


def make_record(
    letter: Letter,
    plan: Plan,
    replies: Sequence[CheckedReply],
    error: ExtractorError | None = None,
    *,
    form: str = "",
) -> Record:
    """The record of a letter that was asked about: the best reply's answer, and every reply's cost.

    ``form``: that of the letter, if its type knows several.
    """
    best = best_of(replies)
    if best is None or best.answer is None:
        error = error or ExtractorError("the model gave no valid answer", code="invalid_answer")
        findings = best.verdict.findings if best else []
        failed = _failed(letter.id, letter.sha256, plan, replies, error)
        return replace(failed, findings=tuple(findings), form=form or None, source=letter.source or None)
    answer, verdict = best.answer, best.verdict
    if not plan.strict:
        answer, verdict = withhold(plan.letter_type, answer, verdict)
    findings = list(verdict.findings)
    if plan.is_offline:
        findings.append(baseline_finding())
    return Record(
        letter.id,
        letter.sha256,
        plan.letter_type.name,
        status_of(findings),
        answer=answer.model_dump(mode="json"),
        evidence=evidence_of(letter, verdict.evidence),
        proof=dict(verdict.proof),
        withheld=dict(verdict.withheld),
        findings=tuple(findings),
        form=form or None,
        source=letter.source or None,
        **_made_by(plan, replies, [plan.cost(each.reply.usage) for each in replies]),
    )


def failed_record(
    letter_id: str, plan: Plan, error: ExtractorError, letter_sha256: str | None = None, *, source: str = ""
) -> Record:
    """The record of a letter that could not be read or asked about at all; ``source`` is its file."""
    return replace(_failed(letter_id, letter_sha256, plan, [], error), source=source or None)


def unassigned_record(letter: Letter, plan: Plan, error: LetterError) -> Record:
    """The record of a letter whose type is not clear: it is of no letter type, so no prompt and no schema apply."""
    record = failed_record(letter.id, plan, error, letter.sha256, source=letter.source)
    return replace(record, letter_type=UNASSIGNED, prompt=None, prompt_sha256=None, schema_sha256=None)


def unrecognized(plan: Plan, note: str) -> LetterError:
    """The error of a letter that no model is asked about, because it is not of the plan's type; ``note``: why."""
    return LetterError(
        f"this is no letter of type {plan.letter_type.name}: {note}",
        hint="leave it out, or name its type; with ask_unrecognized (--ask-unrecognized) the model is asked",
        code=UNRECOGNIZED,
    )


def _failed(
    letter_id: str,
    letter_sha256: str | None,
    plan: Plan,
    replies: Sequence[CheckedReply],
    error: ExtractorError,
) -> Record:
    costs = [plan.cost(each.reply.usage) for each in replies]
    if not replies and not isinstance(error, LetterError | ModelError):
        # A crash: the model may have been asked before it, so the cost is unknown.
        costs = [plan.cost(Usage())]
    return Record(
        letter_id,
        letter_sha256,
        plan.letter_type.name,
        "failed",
        error=Failure.of(error),
        **_made_by(plan, replies, costs),
    )


def _made_by(plan: Plan, replies: Sequence[CheckedReply], costs: Sequence[Cost]) -> dict[str, Any]:
    """Where a record comes from and what it took."""
    return {
        "model": plan.model.name,
        "prompt": plan.prompt.id if plan.prompt else None,
        "prompt_sha256": plan.prompt.sha256 if plan.prompt else None,
        "schema_sha256": plan.letter_type.schema_sha256,
        "engine": ENGINE,
        "attempts": tuple(map(attempt_of, replies, costs)),
        "usage": sum((each.reply.usage for each in replies), Usage()),
        "cost_usd": rounded(total(costs).usd),
    }


def attempt_of(checked: CheckedReply, cost: Cost, model: str | None = None) -> Attempt:
    """A reply as a record lists it; ``model`` is named where two were asked."""
    reply = checked.reply
    return Attempt(
        usage=reply.usage,
        cost_usd=rounded(cost.usd),
        finish=reply.finish,
        transport_tries=reply.transport_tries,
        seconds=round(reply.seconds, 3),
        findings=len(checked.verdict.findings),
        errors=checked.errors,
        model=model,
    )


def baseline_finding() -> Finding:
    """Marks a record of the baseline as one."""
    message = "filled from the reading alone; judgments are left null"
    return Finding("baseline", "", "info", "unclear", message)
