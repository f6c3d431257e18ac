"""The validator: holds a finished answer against the letter, leaf by leaf, without any model.

Each record of the answer is bound to its own block of the reading; each leaf is then looked up
in that block's own regions and facts. What comes out is a ``Verdict``: evidence, findings, and for
each leaf how strongly it is proven. Checking is a pure function of answer and reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.validator.claims import unclaimed
from extractor.validator.context import Context
from extractor.validator.letter_findings import findings_on_letter, unsure_words
from extractor.validator.verdict import Verdict
from extractor.validator.walk import Walk

__all__ = ["Verdict", "check"]


def check(
    letter_type: LetterType, answer: BaseModel, reading: Reading, quotes: Mapping[str, str] | None = None
) -> Verdict:
    """Check one answer. Never raises on any schema-valid answer and any text.

    ``quotes``: by JSON pointer, the words a stated value rests on; ``None`` where none were asked for.
    """
    verdict = Verdict()
    if not reading.recognized:
        not_a_letter = Finding("not_a_letter", "", "error", "letter", reading.note)
        verdict.findings = [not_a_letter, *findings_on_letter(letter_type, reading)]
        return verdict
    context = Context(letter_type, reading.letter, verdict, quotes)
    Walk(context).record(answer, reading.root, {}, "")
    _settle_judgments(context)
    verdict.findings += _unclaimed(context)
    _drop_repeated_doubt(verdict)
    verdict.findings += unsure_words(letter_type, reading.letter, verdict.evidence)
    verdict.findings += findings_on_letter(letter_type, reading)
    return verdict


def _settle_judgments(context: Context) -> None:
    """A judgment is as good as its quote."""
    verdict = context.verdict
    for path, quote in context.resting_on.items():
        if quote in verdict.evidence:
            verdict.evidence[path] = verdict.evidence[quote]
            if verdict.proof.get(quote) != "nothing":
                verdict.proof[path] = "judged"


def _unclaimed(context: Context) -> Iterator[Finding]:
    """Paragraphs between the elements of a list that no value of the answer rests on."""
    evidence = context.verdict.evidence
    for each in context.unbound:
        found = list(unclaimed(each.claims, context.letter, each.region, evidence, whole=each.whole))
        if found:
            message = f"between its elements, paragraphs that none of them claims: {len(found)}"
            yield Finding("unclaimed", each.path, each.severity, "unclear", message, span=found[0])


def _drop_repeated_doubt(verdict: Verdict) -> None:
    """A leaf inside a part that is flagged as unread needs no finding of its own that nothing proves it."""
    unread = [finding.path for finding in verdict.findings if finding.code == "unread" and finding.severity == "error"]
    verdict.findings = [
        finding
        for finding in verdict.findings
        if finding.code != "unproven" or not any(finding.path.startswith(f"{path}/") for path in unread)
    ]
