"""What an audit proves about the accepted letters, as numbers and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from extractor.display.values import number, percent, plural
from extractor.lettertypes.lettertype import LetterType
from extractor.review.audit import Audit, Judgment, judgment
from extractor.review.log import Log
from extractor.review.sampling import highest_share, more_to_halve, most_wrong
from extractor.review.state import fold


@dataclass(frozen=True)
class Bound:
    """Letters found wrong in a sample, and what that proves at 95 %.

    ``highest_share``: of any number of such letters; ``most_wrong``: of the ``population`` that the sample was drawn
    from. ``more_to_halve``: how many more letters would halve ``most_wrong``; ``None``: no number would.
    """

    population: int
    judged: int
    wrong: int
    highest_share: float
    most_wrong: int
    most_wrong_share: float
    more_to_halve: int | None

    @classmethod
    def of(cls, wrong: int, judged: int, population: int) -> Bound:
        most = most_wrong(wrong, judged, population)
        share = most / population if population else 0.0
        more = more_to_halve(wrong, judged, population)
        return cls(population, judged, wrong, highest_share(wrong, judged), most, share, more)


@dataclass(frozen=True)
class AuditReport:
    """The result of an audit. Letters whose answer the run has replaced since are in ``replaced``, and not judged.

    ``letters``: with any wrong value, or rejected; ``protected_letters``: with a wrong protected value, or rejected.
    ``groups``: ``letters`` for each group asked for. ``wrong_values`` and ``wrong_protected_values`` count values.
    """

    audit: str
    seed: int
    at: str
    sampled: int
    replaced: int
    rejected: int
    wrong_values: int
    wrong_protected_values: int
    letters: Bound
    protected_letters: Bound
    groups: Mapping[str, Mapping[str, Bound]]
    wrong_letters: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON data."""
        return asdict(self)


def report(audit: Audit, kind: LetterType, log: Log, answers: Mapping[str, str], by: tuple[str, ...]) -> AuditReport:
    """Count what an audit found. ``answers``: the hash of each letter's present answer; ``by``: groupings."""
    judged: dict[str, Judgment] = {}
    replaced = 0
    for each in audit.letters:
        if answers.get(each.letter_id) != each.answer_sha256:
            replaced += 1
        elif found := judgment(kind, fold(log.open_acts(each.letter_id), each.answer_sha256), audit):
            judged[each.letter_id] = found
    wrong = tuple(letter_id for letter_id, found in judged.items() if not found.is_right)
    protected = sum(bool(found.protected) or found.is_rejected for found in judged.values())
    return AuditReport(
        audit=audit.name,
        seed=audit.seed,
        at=audit.at,
        sampled=len(audit.letters),
        replaced=replaced,
        rejected=sum(found.is_rejected for found in judged.values()),
        wrong_values=sum(len(found.wrong) for found in judged.values()),
        wrong_protected_values=sum(len(found.protected) for found in judged.values()),
        letters=Bound.of(len(wrong), len(judged), audit.population),
        protected_letters=Bound.of(protected, len(judged), audit.population),
        groups={name: _by_group(audit, name, judged) for name in by},
        wrong_letters=wrong,
    )


def _by_group(audit: Audit, name: str, judged: Mapping[str, Judgment]) -> dict[str, Bound]:
    found = {}
    for group, population in sorted(audit.groups[name].items()):
        own = [
            judged[each.letter_id] for each in audit.letters if each.groups[name] == group and each.letter_id in judged
        ]
        found[group] = Bound.of(sum(not each.is_right for each in own), len(own), population)
    return found


def report_text(found: AuditReport) -> str:
    """The report for people."""
    return "\n".join(_lines(found))


def _lines(found: AuditReport) -> Iterator[str]:
    letters = found.letters
    yield (
        f"audit {found.audit} (seed {found.seed}, drawn {found.at[:10]}): {number(letters.judged)} of "
        f"{plural(found.sampled, 'sampled letter')} read, of {number(letters.population)} accepted"
    )
    if found.replaced:
        yield f"{plural(found.replaced, 'letter')} left out: the run has replaced the answer since"
    if not letters.judged:
        yield "nothing is proven yet: read the letters first"
        return
    rejected = f", {found.rejected} of them rejected" if found.rejected else ""
    yield (
        f"{plural(letters.wrong, 'letter')} wrong{rejected}; {plural(found.wrong_values, 'value')} wrong, "
        f"{found.wrong_protected_values} of them protected"
    )
    yield f"of all accepted letters, {_proven(letters, 'are wrong')}"
    yield f"of all accepted letters, {_proven(found.protected_letters, 'have a wrong protected value')}"
    if letters.more_to_halve:
        yield f"{plural(letters.more_to_halve, 'more letter')} would halve the first bound, if no larger share is wrong"
    elif letters.most_wrong:
        yield "no larger sample would halve the first bound: correct what goes wrong instead"
    for name, groups in found.groups.items():
        for group, bound in groups.items():
            yield f"{name} {group}: {bound.wrong} of {bound.judged} wrong; {_proven(bound, 'are wrong')}"


def _proven(bound: Bound, what: str) -> str:
    if not bound.judged:
        return f"nothing is known about {number(bound.population)} letters"
    return (
        f"at most {percent(bound.most_wrong_share)} ({number(bound.most_wrong)} of {number(bound.population)}) {what} "
        f"(95 %, exact; {percent(bound.highest_share)} without the correction for a finite number of letters)"
    )
