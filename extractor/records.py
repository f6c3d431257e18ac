"""Records: one JSON object a letter, the same for one letter or a million. Keys are a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel

from extractor.checks import Verdict
from extractor.errors import ExtractorError
from extractor.findings import Finding, status_of
from extractor.letter import Letter
from extractor.lettertype import LetterType
from extractor.models import Model, Reply, Usage
from extractor.offline import NAME as OFFLINE
from extractor.prompts import Prompt

try:
    ENGINE = version("letterproof")
except PackageNotFoundError:  # a source tree on the path, not installed
    ENGINE = "unknown"


@dataclass(frozen=True)
class Plan:
    """What every letter of a run has in common. ``reasks``: how often findings may be sent back."""

    letter_type: LetterType
    model: Model
    prompt: Prompt | None = None
    reasks: int = 1


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

    def as_dict(self) -> dict[str, Any]:
        return {
            "usage": self.reply.usage.as_dict(),
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
        "attempts": [attempt.as_dict() for attempt in attempts],
        "usage": usage.as_dict(),
        "cost_usd": 0.0 if plan.model.name == OFFLINE else None,
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def evidence_of(letter: Letter, verdict: Verdict) -> dict[str, list[dict[str, Any]]]:
    """The evidence map of a record: raw spans with their letter page and words."""
    return {
        path: [
            {
                "start": span.start,
                "end": span.end,
                "letter_page": letter.page_of(span.start),
                "text": span.of(letter.text),
            }
            for span in spans
        ]
        for path, spans in verdict.evidence.items()
    }
