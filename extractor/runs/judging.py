"""From a raw reply to an answer and the verdict on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from extractor.json_text import DuplicateKeyError, strict_json
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.model import Reply
from extractor.models.patches import Patches
from extractor.models.replies import unwrapped
from extractor.models.strategy import RowsError, Strategy
from extractor.pointers import pointer_of
from extractor.runs.replies import CheckedReply
from extractor.validator.checks import Verdict, check


@dataclass(frozen=True)
class PatchRequest:
    """What a patch is asked for: the answer it changes and, in the order of their numbers, the values in question."""

    patches: Patches
    answer: BaseModel
    targets: Sequence[str]


def judge(reply: Reply, strategy: Strategy, letter_type: LetterType, reading: Reading) -> CheckedReply:
    """Parse one raw reply and check it."""
    try:
        text, remarks = _read_json(reply)
        answer, more, quotes = strategy.answer(text, reading)
    except (ValueError, RecursionError) as problem:
        return CheckedReply(reply, None, Verdict(findings=schema_findings(problem)))
    verdict = check(letter_type, answer, reading, quotes)
    verdict.findings += [*remarks, *more]
    return CheckedReply(reply, answer, verdict)


def judge_patch(reply: Reply, request: PatchRequest, letter_type: LetterType, reading: Reading) -> CheckedReply:
    """Parse one raw patch, put it into the answer it is for, and check that."""
    try:
        text, remarks = _read_json(reply)
        answer, given, ignored = request.patches.merged(request.answer, request.targets, text)
    except (ValueError, RecursionError):
        broken = Finding("schema", "", "error", "answer", "the reply is not a list of the values asked for")
        return CheckedReply(reply, None, Verdict(findings=[broken]))
    verdict = check(letter_type, answer, reading)
    verdict.findings += [*remarks, *ignored]
    return CheckedReply(reply, answer, verdict, given)


def _read_json(reply: Reply) -> tuple[str, list[Finding]]:
    """The JSON text of a reply, out of one wrapper if it has one, and remarks on how it came. Raises ``ValueError``."""
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
        remarks.append(
            Finding("wrapped", "", "info", "answer", f"the answer was wrapped in {wrapper}, which was removed")
        )
    if reply.model:
        message = f"another model answered than the one requested: {reply.model}"
        remarks.append(Finding("other_model", "", "info", "unclear", message))
    return text, remarks


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
