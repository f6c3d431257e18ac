"""The questions about one letter and the replies to them, in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from extractor.letters.letter import Letter
from extractor.lettertypes.findings import worth_asking_again
from extractor.lettertypes.reading import Reading
from extractor.models.model import Correction, Question, Reply
from extractor.runs.corrections import broken_patch_message, doubts_message, patch_message, whole_message
from extractor.runs.judging import PatchRequest, judge, judge_patch
from extractor.runs.plan import Plan
from extractor.runs.replies import CheckedReply
from extractor.validator.repeats import settle_repeats


@dataclass
class Rounds:
    """One letter's way through a model: what is asked next, and what each reply is worth.

    ``attempts``: the replies so far, checked. ``is_over``: nothing more is asked.
    """

    letter: Letter
    plan: Plan
    reading: Reading
    attempts: list[CheckedReply] = field(default_factory=list)
    is_over: bool = False
    _corrections: list[Correction] = field(default_factory=list)
    _patch: PatchRequest | None = None

    def question(self) -> Question:
        """The next question: the first one, or one that sends back what was found."""
        plan = self.plan
        return Question(
            letter_id=self.letter.id,
            letter=self.letter.text,
            instructions=plan.prompt.text if plan.prompt else "",
            schema=self._patch.patches.schema if self._patch else plan.strategy.schema,
            reading=self.reading,
            notes=plan.strategy.notes(self.reading),
            corrections=tuple(self._corrections),
        )

    def take(self, reply: Reply) -> None:
        """Check the reply to the next question."""
        self.attempts.append(self._checked(reply))
        self._settle_last()
        last = self.attempts[-1]
        if len(self.attempts) > self.plan.reasks or not worth_asking_again(last.verdict.findings):
            self.is_over = True
            return
        self._patch = self._next_patch()
        self._corrections.append(Correction(reply.text, self._message(last)))

    def _checked(self, reply: Reply) -> CheckedReply:
        if reply.error:
            return CheckedReply(reply)
        if self._patch:
            return judge_patch(reply, self._patch, self.plan.letter_type, self.reading)
        return judge(reply, self.plan.strategy, self.plan.letter_type, self.reading)

    def _settle_last(self) -> None:
        """What the last two valid answers both insist on is blamed on nobody."""
        *_, one, other = [None, None, *self.attempts]
        if one is None or other is None or one.answer is None or other.answer is None:
            return
        before, after = settle_repeats((one.answer, one.verdict), (other.answer, other.verdict), other.given)
        self.attempts[-2:] = [replace(one, verdict=before), replace(other, verdict=after)]

    def _next_patch(self) -> PatchRequest | None:
        """What a patch is asked for next; ``None`` where the whole answer is."""
        valid = [each for each in self.attempts if each.answer is not None]
        if self.plan.patches is None or not valid:
            return None
        base = valid[-1]
        assert base.answer is not None
        targets = self.plan.patches.targets(finding.path for finding in worth_asking_again(base.verdict.findings))
        return PatchRequest(self.plan.patches, base.answer, targets) if targets else None

    def _message(self, last: CheckedReply) -> str:
        findings = worth_asking_again(last.verdict.findings)
        if self.plan.patches is None:
            return whole_message(findings)
        if self._patch is None:
            return doubts_message(findings)
        schema = self.plan.letter_type.schema
        if last.answer is None:
            return broken_patch_message(schema, self._patch.targets)
        return patch_message(schema, self._patch.targets, findings)
