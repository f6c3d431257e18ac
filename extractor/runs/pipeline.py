"""The way of one letter: read -> ask -> check -> (ask again) -> record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from extractor.errors import CassetteError, ModelError, TransportError
from extractor.letters.letter import Letter
from extractor.lettertypes.findings import Finding, status_of, worth_asking_again
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.model import Correction, Question, Reply
from extractor.models.offline import NAME as OFFLINE
from extractor.models.replies import ReplyError
from extractor.models.strategy import Plain, RowsError, Strategy
from extractor.runs.record import Attempt, Plan, baseline_finding, evidence_of, make_record
from extractor.validator.checks import Verdict, check

OnReply = Callable[[Reply], None]


async def extract(
    letter: Letter, plan: Plan, *, stored: Iterable[Reply] = (), on_reply: OnReply | None = None
) -> dict[str, Any]:
    """One letter's record.

    ``stored`` replies of an earlier run are used before the model is asked, so that nothing is
    paid twice; ``on_reply`` gets each new raw reply before anyone parses it.

    A model's failure becomes a ``failed`` record. Raises ``TransportError`` or ``CassetteError`` only
    when there is no answer at all, because another run may get one.
    """
    reading = plan.letter_type.read(letter)
    replies = iter(stored)
    attempts: list[Attempt] = []
    error: ModelError | None = None
    try:
        while error is None:
            reply = next(replies, None)
            if reply is None:
                reply = await _ask(plan, _question(letter, reading, plan, attempts))
                if on_reply:
                    on_reply(reply)
            if reply.error:
                error = ModelError(f"the model's reply cannot be used: {reply.error}", code=reply.error)
            attempts.append(Attempt(reply) if reply.error else judge(reply, plan.strategy, plan.letter_type, reading))
            if len(attempts) > plan.reasks or not worth_asking_again(attempts[-1].verdict.findings):
                break
    except (TransportError, CassetteError):
        if not attempts:
            raise
        # A first answer is there and paid for: it is kept, flagged as it is.
    except ModelError as failure:
        error = failure
    return make_record(letter, plan, attempts, error)


async def _ask(plan: Plan, question: Question) -> Reply:
    """One reply, also where it is no answer: a refusal has cost tokens, and is kept like any reply."""
    try:
        return await plan.model.ask(question)
    except ReplyError as failure:
        return replace(failure.reply, error=failure.code)


def judge(reply: Reply, strategy: Strategy, letter_type: LetterType, reading: Reading) -> Attempt:
    """Parse one raw reply and check it."""
    try:
        strict_json(reply.text)
        answer, told = strategy.answer(reply.text, reading)
    except (ValueError, RecursionError) as problem:
        return Attempt(reply, None, Verdict(findings=schema_findings(problem)))
    verdict = check(letter_type, answer, reading)
    verdict.findings += told
    return Attempt(reply, answer, verdict)


def recheck(line: dict[str, Any], letter: Letter, letter_type: LetterType) -> dict[str, Any]:
    """Anyone's answer held against its letter: the same keys, with fresh evidence, findings and status."""
    attempt = judge(Reply(json.dumps(line.get("answer"))), Plain(letter_type), letter_type, letter_type.read(letter))
    findings = attempt.verdict.findings
    told = line.get("letter_sha256")
    if isinstance(told, str) and told != letter.sha256:
        message = "the record was made from another text of this letter"
        findings.append(Finding("other_text", "", "error", "unclear", message, expected=letter.sha256, got=told))
    if line.get("model") == OFFLINE:
        findings.append(baseline_finding())
    return {
        **line,
        "letter_sha256": letter.sha256,
        "letter_type": letter_type.name,
        "status": status_of(findings) if attempt.answer is not None else "failed",
        "evidence": evidence_of(letter, attempt.verdict),
        "findings": [finding.as_dict() for finding in findings],
    }


def correction_message(findings: list[Finding]) -> str:
    """Our short message about what is wrong: codes, paths and what to do; no text of the letter, no addresses."""
    lines = [f"- {finding.path or '/'}: {finding.code}: {finding.message}" for finding in findings[:30]]
    if len(findings) > 30:
        lines.append(f"- and {len(findings) - 30} more of these kinds")
    return (
        "A check of your answer against the letter found these mistakes:\n"
        + "\n".join(lines)
        + "\nRead the letter again at these places and send the whole corrected answer. Copy words exactly as printed."
    )


def schema_findings(problem: Exception) -> list[Finding]:
    """Why a reply is not a valid answer, one finding a place; never the offending text itself."""
    if not isinstance(problem, ValidationError):
        told = isinstance(problem, _DoubledKeyError | RowsError)
        what = str(problem) if told else "the reply is not valid JSON"
        return [Finding("schema", "", "error", "answer", what)]
    return [
        Finding("schema", "".join(f"/{part}" for part in error["loc"]), "error", "answer", error["msg"])
        for error in problem.errors(include_input=False, include_url=False, include_context=False)[:50]
    ]


def strict_json(text: str) -> Any:
    """``text`` as JSON, with no key given twice. Raises ``ValueError``."""
    return json.loads(text, object_pairs_hook=_no_doubled_keys)


class _DoubledKeyError(ValueError):
    pass


def _no_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DoubledKeyError("the reply gives one key twice")
    return found


def _question(letter: Letter, reading: Reading, plan: Plan, attempts: list[Attempt]) -> Question:
    return Question(
        letter_id=letter.id,
        letter=letter.text,
        instructions=plan.prompt.text if plan.prompt else "",
        schema=plan.strategy.schema,
        reading=reading,
        notes=plan.strategy.notes(reading),
        corrections=tuple(
            Correction(attempt.reply.text, correction_message(worth_asking_again(attempt.verdict.findings)))
            for attempt in attempts
        ),
    )
