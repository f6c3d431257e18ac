"""A second model's opinion on a letter that would need review, and what it changes in the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from extractor.errors import ModelError
from extractor.letters.letter import Letter
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.prices import rounded, total
from extractor.pointers import value_at
from extractor.runs.plan import Plan
from extractor.runs.record import Failure, Record, SecondAnswer
from extractor.runs.replies import CheckedReply, attempt_of, best_of, make_record
from extractor.validator.agreement import Counterpart, Opinion, counterparts, is_worth_a_second_opinion, settle
from extractor.validator.verdict import Verdict


def is_wanted(plan: Plan, record: Record) -> bool:
    """Whether a record is flagged for something that a second model may know better."""
    return plan.second is not None and record.answer is not None and any(map(is_worth_a_second_opinion, record.errors))


async def with_second_opinion(
    record: Record,
    letter: Letter,
    plan: Plan,
    reading: Reading,
    attempts: Sequence[CheckedReply],
    ask: Callable[[Plan], Awaitable[CheckedReply]],
) -> Record:
    """A flagged record after its letter was put to the second model, which ``ask`` asks.

    Both answers are kept. Raises what ``ask`` raises, but for a ``ModelError``: the record states why there is no
    second answer.
    """
    best, second_plan = best_of(attempts), plan.second
    assert best is not None
    assert best.answer is not None
    assert second_plan is not None
    second = await ask(second_plan)
    settled = replace(best, verdict=_settled(plan.letter_type, reading, plan, best, second))
    after = make_record(letter, plan, [settled if each is best else each for each in attempts])
    costs = [plan.cost(each.reply.usage) for each in attempts]
    own_cost = second_plan.cost(second.reply.usage)
    named = [replace(attempt, model=plan.model.name) for attempt in record.attempts]
    return replace(
        after,
        attempts=(*named, attempt_of(second, own_cost, second_plan.model.name)),
        usage=record.usage + second.reply.usage,
        cost_usd=rounded(total([*costs, own_cost]).usd),
        second=_answer_of(record, second_plan, best, second),
        form=record.form,
    )


def without_second_opinion(record: Record, plan: Plan, error: ModelError) -> Record:
    """A flagged record whose second model could not be asked."""
    assert plan.second is not None
    return replace(record, second=_by(plan.second, error=Failure.of(error)))


def _settled(
    letter_type: LetterType, reading: Reading, plan: Plan, best: CheckedReply, second: CheckedReply
) -> Verdict:
    if second.answer is None or plan.second is None:
        return best.verdict
    assert best.answer is not None
    first = Opinion(plan.model.name, best.answer, best.verdict)
    return settle(letter_type, reading, first, Opinion(plan.second.model.name, second.answer, second.verdict))


def _answer_of(record: Record, plan: Plan, best: CheckedReply, second: CheckedReply) -> SecondAnswer:
    """The second answer as the record keeps it, with its values where the first answer is in question."""
    if second.answer is None:
        code = second.reply.error or "invalid_answer"
        return _by(plan, error=Failure(code, "the second model gave no valid answer"))
    assert best.answer is not None
    known = counterparts(best.answer, second.answer)
    answer = second.answer.model_dump(mode="json")
    asked = dict.fromkeys(_leaf_path(finding.path, known) for finding in record.errors)
    values = {path: value_at(answer, known[path].other_path) for path in asked if path is not None}
    return replace(_by(plan), answer=answer, values=values)


def _leaf_path(path: str, known: Mapping[str, Counterpart]) -> str | None:
    """The leaf that a finding is about: the one it points at, or into."""
    while path and path not in known:
        path = path.rpartition("/")[0]
    return path or None


def _by(plan: Plan, error: Failure | None = None) -> SecondAnswer:
    prompt = plan.prompt
    return SecondAnswer(plan.model.name, prompt.id if prompt else None, prompt.sha256 if prompt else None, error=error)
