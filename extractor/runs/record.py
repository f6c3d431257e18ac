"""Records: one JSON object a letter, the same for one letter or a million. Keys are a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel

from extractor.errors import ExtractorError, LetterError, ModelError
from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding, status_of
from extractor.lettertypes.lettertype import LetterType
from extractor.models.model import Model, Reply, Usage
from extractor.models.offline import NAME as OFFLINE
from extractor.models.prices import Cost, Tariff, rounded, total
from extractor.models.prompts import Prompt
from extractor.models.strategy import STRATEGIES, Strategy
from extractor.validator.checks import Verdict

try:
    ENGINE = version("letterproof")
except PackageNotFoundError:  # a source tree on the path, not installed
    ENGINE = "unknown"


@dataclass(frozen=True)
class Plan:
    """What every letter of a run has in common.

    ``reasks``: how often findings may be sent back. ``tariff``: what the model's tokens cost.
    """

    letter_type: LetterType
    model: Model
    prompt: Prompt | None = None
    reasks: int = 1
    tariff: Tariff = field(default_factory=Tariff)

    @cached_property
    def strategy(self) -> Strategy:
        """How this plan's prompt gets a whole answer out of its model."""
        return STRATEGIES[self.prompt.front.strategy if self.prompt else "plain"](self.letter_type)


@dataclass
class Attempt:
    """One question put to the model, and what came of it; ``answer`` is ``None`` if the reply was not valid."""

    reply: Reply
    answer: BaseModel | None = None
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Smaller is better: no answer, then errors, then all findings."""
        return (self.answer is None, self._errors, len(self.verdict.findings))

    @property
    def _errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.verdict.findings)

    def as_dict(self, cost: Cost) -> dict[str, Any]:
        return {
            "usage": self.reply.usage.as_dict(),
            "cost_usd": rounded(cost.usd),
            "finish": self.reply.finish,
            "transport_tries": self.reply.transport_tries,
            "seconds": round(self.reply.seconds, 3),
            "findings": len(self.verdict.findings),
            "errors": self._errors,
        }


def make_record(
    letter: Letter, plan: Plan, attempts: Sequence[Attempt], error: ExtractorError | None
) -> dict[str, Any]:
    """The record of a letter that was asked about; the best attempt speaks, all attempts are counted."""
    best = min(attempts, key=lambda attempt: attempt.rank, default=None)
    findings = list(best.verdict.findings) if best else []
    if best is None or best.answer is None:
        error = error or ExtractorError("the model gave no valid answer", code="invalid_answer")
        return _record(plan, (letter.id, letter.sha256), attempts, findings=findings, error=error)
    if plan.model.name == OFFLINE:
        findings.append(baseline_finding())
    return _record(
        plan,
        (letter.id, letter.sha256),
        attempts,
        status=status_of(findings),
        answer=best.answer.model_dump(mode="json"),
        evidence=evidence_of(letter, best.verdict),
        findings=findings,
    )


def baseline_finding() -> Finding:
    """Every record of the baseline says that it is one."""
    message = "filled from the reading alone; judgements are left null"
    return Finding("baseline", "", "info", "unclear", message)


def failed_record(
    letter_id: str, plan: Plan, error: ExtractorError, letter_sha256: str | None = None
) -> dict[str, Any]:
    """The record of a letter that could not be read or asked about at all."""
    return _record(plan, (letter_id, letter_sha256), [], error=error)


def _record(
    plan: Plan,
    letter: tuple[str, str | None],
    attempts: Sequence[Attempt],
    *,
    status: str = "failed",
    answer: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
    findings: Sequence[Finding] = (),
    error: ExtractorError | None = None,
) -> dict[str, Any]:
    usage = sum((attempt.reply.usage for attempt in attempts), Usage())
    costs = [_cost(plan, attempt.reply.usage) for attempt in attempts]
    if not attempts and not isinstance(error, LetterError | ModelError):
        # A crash: nobody knows whether the model was asked before it.
        costs = [_cost(plan, Usage())]
    return {
        "letter_id": letter[0],
        "letter_sha256": letter[1],
        "letter_type": plan.letter_type.name,
        "status": status,
        "answer": answer,
        "evidence": evidence or {},
        "findings": [finding.as_dict() for finding in findings],
        "model": plan.model.name,
        "prompt": plan.prompt.id if plan.prompt else None,
        "prompt_sha256": plan.prompt.sha256 if plan.prompt else None,
        "schema_sha256": plan.letter_type.schema_sha256,
        "engine": ENGINE,
        "attempts": [attempt.as_dict(cost) for attempt, cost in zip(attempts, costs, strict=False)],
        "usage": usage.as_dict(),
        "cost_usd": rounded(total(costs).usd),
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def _cost(plan: Plan, usage: Usage) -> Cost:
    return Cost(Decimal(0)) if plan.model.name == OFFLINE else plan.tariff.cost(usage)


def evidence_of(letter: Letter, verdict: Verdict) -> dict[str, list[dict[str, Any]]]:
    """The evidence map of a record: raw spans with their letter page and words, and where known their ``boxes``."""
    return {path: [_proof(letter, span) for span in spans] for path, spans in verdict.evidence.items()}


def _proof(letter: Letter, span: Span) -> dict[str, Any]:
    proof: dict[str, Any] = {
        "start": span.start,
        "end": span.end,
        "letter_page": letter.page_of(span.start),
        "text": span.of(letter.text),
    }
    if letter.words:
        # Left, top, right and bottom as shares of the page, from its top left corner.
        boxes = letter.boxes(span)
        proof["boxes"] = [{"letter_page": page, "box": [round(side, 4) for side in box]} for page, box in boxes]
    return proof
