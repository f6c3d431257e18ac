"""The pipeline of one letter: read -> ask -> check -> (ask again) -> (ask a second model) -> record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from extractor.errors import CassetteError, ModelError, TransportError
from extractor.letters.letter import Letter
from extractor.lettertypes.reading import Reading
from extractor.models.model import Question, Reply
from extractor.models.replies import ReplyError, unusable
from extractor.runs.judging import judge
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import CheckedReply, failed_record, make_record, unrecognized
from extractor.runs.rounds import Rounds
from extractor.runs.second_opinion import is_wanted, with_second_opinion, without_second_opinion

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

    A model's failure becomes a ``failed`` record, and so does a letter that the reader does not recognize, if the plan
    leaves such letters out. Raises ``TransportError`` or ``CassetteError`` only
    when there is no answer at all, or when the second model gave none, because another run may get one.
    """
    reading, stored = plan.letter_type.read(letter), list(stored)
    if plan.leaves_out(reading) and not stored:
        return failed_record(letter.id, plan, unrecognized(plan, reading.note), letter.sha256, source=letter.source)
    rounds = Rounds(letter, plan, reading)
    replies = iter(stored)
    error: ModelError | None = None
    try:
        while error is None and not rounds.is_over:
            reply = next(replies, None)
            if reply is None:
                reply = await _ask(plan, rounds.question())
                if on_reply:
                    on_reply(reply)
            if reply.error:
                message, hint = unusable(reply.error)
                error = ModelError(message, hint=hint, code=reply.error)
            rounds.take(reply)
    except (TransportError, CassetteError):
        if not rounds.attempts:
            raise
        # The first answer is paid for: it is kept, with its findings.
    except ModelError as failure:
        error = failure
    attempts = rounds.attempts
    record = make_record(letter, plan, attempts, error, form=reading.form)
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
        reply = await _ask(plan, Rounds(letter, plan, reading).question())
        if kept.on_reply:
            kept.on_reply(reply)
    return CheckedReply(reply) if reply.error else judge(reply, plan.strategy, plan.letter_type, reading)


async def _ask(plan: Plan, question: Question) -> Reply:
    """One reply, even if it is not an answer: a refusal has cost tokens, and is kept like any reply."""
    try:
        return await plan.model.ask(question)
    except ReplyError as failure:
        return replace(failure.reply, error=failure.code)
