"""The pipeline of one letter: read -> ask -> check -> (ask again) -> (ask a second model) -> record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from pydantic import ValidationError

from extractor.errors import CassetteError, ModelError, TransportError
from extractor.json_text import DuplicateKeyError, strict_json
from extractor.letters.letter import Letter
from extractor.lettertypes.findings import Finding, worth_asking_again
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.answered import Answered
from extractor.models.model import Correction, Question, Reply
from extractor.models.replies import ReplyError, unwrapped
from extractor.models.strategy import RowsError, Strategy
from extractor.pointers import pointer_of
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import CheckedReply, make_record
from extractor.runs.second_opinion import is_wanted, with_second_opinion, without_second_opinion
from extractor.validator.checks import Verdict, check
from extractor.validator.repeats import settle_repeats

OnReply = Callable[[Reply], None]


@dataclass(frozen=True)
class Kept:
    """Replies that are kept: those ``stored`` already, and what each new one is given to before anyone parses it."""

    stored: Iterable[Reply] = ()
    on_reply: OnReply | None = None


_NOTHING_KEPT = Kept()


async def extract(
    letter: Letter,
    plan: Plan,
    *,
    stored: Iterable[Reply] = (),
    on_reply: OnReply | None = None,
    second: Kept = _NOTHING_KEPT,
) -> Record:
    """One letter's record.

    ``stored`` replies of an earlier run are used before the model is asked, so that nothing is
    paid twice; ``on_reply`` gets each new raw reply before anyone parses it. ``second``: the same for the
    plan's second model, if it has one.

    A model's failure becomes a ``failed`` record. Raises ``TransportError`` or ``CassetteError`` only
    when there is no answer at all, or when the second model gave none, because another run may get one.
    """
    reading = plan.letter_type.read(letter)
    replies = iter(stored)
    attempts: list[CheckedReply] = []
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
            checked = CheckedReply(reply) if reply.error else judge(reply, plan.strategy, plan.letter_type, reading)
            attempts.append(checked)
            _settle_last(attempts)
            if len(attempts) > plan.reasks or not worth_asking_again(attempts[-1].verdict.findings):
                break
    except (TransportError, CassetteError):
        if not attempts:
            raise
        # A first answer is there and paid for: it is kept, flagged as it is.
    except ModelError as failure:
        error = failure
    record = make_record(letter, plan, attempts, error)
    if not is_wanted(plan, record):
        return record
    try:
        return await with_second_opinion(
            record, letter, plan, reading, attempts, partial(_opinion, letter, reading, second)
        )
    except ModelError as failure:
        if isinstance(failure, TransportError) and second.on_reply:
            raise
        # Where nothing is kept, raising would lose the first answer, which is paid for.
        return without_second_opinion(record, plan, failure)


async def _opinion(letter: Letter, reading: Reading, kept: Kept, plan: Plan) -> CheckedReply:
    """What the second model answers. It is asked once: corrections would lead it."""
    reply = next(iter(kept.stored), None)
    if reply is None:
        reply = await _ask(plan, _question(letter, reading, plan, []))
        if kept.on_reply:
            kept.on_reply(reply)
    return CheckedReply(reply) if reply.error else judge(reply, plan.strategy, plan.letter_type, reading)


async def _ask(plan: Plan, question: Question) -> Reply:
    """One reply, even if it is not an answer: a refusal has cost tokens, and is kept like any reply."""
    try:
        return await plan.model.ask(question)
    except ReplyError as failure:
        return replace(failure.reply, error=failure.code)


def judge(reply: Reply, strategy: Strategy, letter_type: LetterType, reading: Reading) -> CheckedReply:
    """Parse one raw reply and check it."""
    try:
        answer, remarks, quotes = _parsed(reply, strategy, reading)
    except (ValueError, RecursionError) as problem:
        return CheckedReply(reply, None, Verdict(findings=schema_findings(problem)))
    verdict = check(letter_type, answer, reading, quotes)
    verdict.findings += remarks
    return CheckedReply(reply, answer, verdict)


def _settle_last(attempts: list[CheckedReply]) -> None:
    """What the last two valid answers both insist on is blamed on nobody, in place."""
    *_, one, other = [None, None, *attempts]
    if one is None or other is None or one.answer is None or other.answer is None:
        return
    before, after = settle_repeats((one.answer, one.verdict), (other.answer, other.verdict))
    attempts[-2:] = [replace(one, verdict=before), replace(other, verdict=after)]


def _parsed(reply: Reply, strategy: Strategy, reading: Reading) -> Answered:
    """The answer in a reply, out of one wrapper if it has one, and remarks on how it came. Raises ``ValueError``."""
    text = reply.text
    remarks: list[Finding] = []
    try:
        strict_json(text)
    except DuplicateKeyError:
        raise
    except ValueError:
        if (inner := unwrapped(text)) is None:
            raise
        text, wrapper = inner
        strict_json(text)
        remarks.append(Finding("wrapped", "", "info", "answer", f"the answer came in {wrapper}, which was taken off"))
    if reply.model:
        message = f"another model answered than the one requested: {reply.model}"
        remarks.append(Finding("other_model", "", "info", "unclear", message))
    answer, more, quotes = strategy.answer(text, reading)
    return Answered(answer, [*remarks, *more], quotes)


def correction_message(findings: list[Finding]) -> str:
    """The short message that asks for a correction: codes, paths and what to do; no letter text, no URLs."""
    lines = [f"- {finding.path or '/'}: {finding.code}: {finding.message}" for finding in findings[:30]]
    if len(findings) > 30:
        lines.append(f"- and {len(findings) - 30} more of these kinds")
    return (
        "A check of your answer against the letter found these mistakes:\n"
        + "\n".join(lines)
        + "\nRead the letter again at these places and send the whole corrected answer. Copy words exactly as printed."
    )


def schema_findings(problem: Exception) -> list[Finding]:
    """Why a reply is not a valid answer, one finding per place; never the offending text itself."""
    if not isinstance(problem, ValidationError):
        why = "the reply is not valid JSON"
        if isinstance(problem, DuplicateKeyError):
            why = "the reply gives one key twice"
        elif isinstance(problem, RowsError):
            why = str(problem)
        return [Finding("schema", "", "error", "answer", why)]
    return [
        Finding("schema", pointer_of(error["loc"]), "error", "answer", error["msg"])
        for error in problem.errors(include_input=False, include_url=False, include_context=False)[:50]
    ]


def _question(letter: Letter, reading: Reading, plan: Plan, attempts: list[CheckedReply]) -> Question:
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
