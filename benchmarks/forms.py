"""Letters of all four forms, with what real ones vary: sentences for lists, holes, parts authorized, no second side.

``labeled`` letters are those of 2014 and 2016 (``letters.py``); ``winter`` is the prose of 2013-14,
``numbered`` the determinations of 2013. Every letter names a record number of its own in its summary
(``R00000123``), so an endpoint knows which one it is asked about. Every word is made up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from benchmarks import letters
from benchmarks.letters import Writer

FORMS = ("2014", "2016", "winter", "2013")
_WEIGHTS = (45, 45, 6, 4)
# Most letters decide one to four requests; the longest 21.
_MANY = tuple(range(1, 22))
_SHARES = tuple(1 / number**1.5 for number in _MANY)

_STATE_HOLES = 0.15
_PARTLY = 0.08
_BARE_OUTSIDE = "The {side} based their decision on recommendation(s) outside of the MTUS Guidelines."
_HEADS = ("IMR ISSUES, DECISIONS AND RATIONALES", "IMR DECISION(S) AND RATIONALE(S)")
# The paragraphs that are alike in all letters, their lines not yet set.
_ONE_LINE = {
    part: "\n\n".join(" ".join(each.split()) for each in part.split("\n\n"))
    for part in (letters.HOW, letters.SUMMARY_HEAD, letters.ISSUES)
}
_SECTIONS_OF_2013 = ("Neck and Upper Back", "Shoulder", "Elbow", "Low Back", "Knee")


@dataclass
class Labelled(Writer):
    """The forms of 2014 and 2016, as varied as they come. ``mark`` is the letter's own record number."""

    mark: str = ""
    holes: bool = False
    own_line: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.own_line = self.rng.random() < 0.1

    def _reviewer(self) -> tuple[str, dict[str, Any]]:
        if self.form == "2016" or self.rng.random() < 0.2:
            return super()._reviewer()
        return self._reviewer_in_a_sentence()

    def _reviewer_in_a_sentence(self, lead: str = "The expert reviewer is") -> tuple[str, dict[str, Any]]:
        rng = self.rng
        states = [] if self.holes and rng.random() < _STATE_HOLES else ["California"]
        specialties = rng.sample(letters.SPECIALTIES, rng.choice((1, 1, 2)))
        sub = rng.choice(("", "", "Interventional Spine", "Hand Surgery", "Sports Medicine"))
        text = (
            f"{lead} Board Certified in {', '.join(specialties)}{f', has a subspecialty in {sub}' if sub else ''} and "
            f"is licensed to practice in {''.join(states)}. He/she has been in active clinical practice for more than "
            "five years."
        )
        return text, {"states": states, "specialties": specialties, "subspecialties": [sub] if sub else []}

    def _summary(self, header: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        text, values = super()._summary(header)
        worker = values["worker"]
        if self.holes:
            worker["date_of_injury"] = None
            start = text.index("injury on ") + len("injury on ")
            text = text[:start] + text[start + 10 :]
            if self.rng.random() < 0.5:
                values["ur_date"] = None
                start = text.index("Utilization Review dated ") + len("Utilization Review dated ")
                text = text[:start] + text[start + 10 :]
        elif self.rng.random() < 0.02 and header["date_of_injury"]:
            # The letter contradicts itself: a person must look at it.
            other = date.fromisoformat(worker["date_of_injury"]) - timedelta(1)
            old = date.fromisoformat(worker["date_of_injury"])
            text = text.replace(f"{old:%m-%d-%Y}", f"{other:%m-%d-%Y}", 1)
            worker["date_of_injury"] = other.isoformat()
        return f"{text} Record {self.mark}.", values

    def _decision(self) -> tuple[list[str], dict[str, Any]]:
        paragraphs, record = super()._decision()
        heading, outcome = record["item"], record["outcome"]
        if self.form == "2016" and self.rng.random() < _PARTLY:
            part = f"{self.rng.randrange(2, 9)} visits of the same"
            record["disputed_portion"] = part
            record["item"] = (
                f"{heading} was the original request. Some of it was authorized by the Claims Administrator. "
                f"The remaining IMR eligible portion of the original request, {part} is"
            )
        word = outcome.upper() if self.form == "2014" and self.rng.random() < 0.1 else outcome.title()
        paragraphs[0] = f"{record['item']}:{chr(10) if self.own_line else ' '}{word}"
        return paragraphs, record

    def _guideline(self, side: str, *, nothing: bool) -> tuple[str, dict[str, Any]]:
        if not nothing and self.rng.random() < 0.05:
            return _BARE_OUTSIDE.format(side=side), {"basis": "outside_mtus", "citations": []}
        return super()._guideline(side, nothing=nothing)


@dataclass
class Winter(Labelled):
    """The prose form of the winter 2013-14: numbered requests, guideline paragraphs in sentences."""

    def parts(self, decisions: int) -> tuple[list[str], dict[str, Any]]:
        parts, answer = super().parts(decisions)
        issues = _ONE_LINE[letters.ISSUES].replace(*_HEADS)
        parts[parts.index(letters.ISSUES)] = issues
        numbers = iter(range(1, decisions + 1))
        return [f"{next(numbers)}. {part}" if part.startswith("The request for") else part for part in parts], answer

    def _reviewer(self) -> tuple[str, dict[str, Any]]:
        return self._reviewer_in_a_sentence()

    def _decision(self) -> tuple[list[str], dict[str, Any]]:
        paragraphs, record = Writer._decision(self)
        negation = "not " if record["outcome"] == "upheld" else ""
        claims, maximus, rationale = (part.partition(": ")[2] for part in paragraphs[1:])
        return [
            f"The request for {record['item']} is {negation}medically necessary and appropriate.",
            claims,
            maximus,
            f"The Physician Reviewer's decision rationale: {rationale}",
        ], record

    def _guideline(self, side: str, *, nothing: bool) -> tuple[str, dict[str, Any]]:
        side, his = (side, "its") if side.startswith("The Claims") else ("The Physician Reviewer", "his/her")
        return _in_prose(self.rng, f"{side} based {his} decision on", f"{side} did not cite any evidence.", nothing)


@dataclass
class Numbered(Winter):
    """The form of 2013: numbered determinations, printed twice, both sides' guidelines in one paragraph."""

    def parts(self, decisions: int) -> tuple[list[str], dict[str, Any]]:
        rng = self.rng
        days = [date(2013, 1, 1) + timedelta(rng.randrange(120))]
        for low, high in ((90, 160), (8, 20), (60, 90)):
            days.append(days[-1] + timedelta(rng.randrange(low, high)))
        injured, denied, received, decided = days
        number = f"CM13-{rng.randrange(10**7):07d}"
        reviewer_text, reviewer = self._reviewer_in_a_sentence("The physician reviewer is")
        age, sex = rng.randrange(20, 66), rng.choice(("female", "male"))
        determined, paragraphs, records = [], [], []
        for at in range(1, decisions + 1):
            line, about, record = self._determination(at)
            determined.append(line)
            paragraphs += about
            records.append(record)
        head = (
            f"Dated: {_plain(decided)}\nEmployee:\nClaim Number:\nDate of UR Decision: {_plain(denied)}\n"
            f"Date of Injury: {_plain(injured)}\nIMR Application Received: {_plain(received)}\n"
            f"MAXIMUS Case Number: {number}"
        )
        summary = (
            f"“This is a {age} year-old {sex} with a date of injury of {_plain(injured)} who reports that a falling "
            f"crate struck the worker. Record {self.mark}. The requests are not medically necessary. Peer review "
            "outcome: Denied.”"
        )
        parts = [
            "MAXIMUS FEDERAL SERVICES, INC.\nIndependent Medical Review",
            "Notice of Independent Medical Review Determination", head, *determined,
            "INDEPENDENT MEDICAL REVIEW DECISION AND RATIONALE",
            f"An application for Independent Medical Review was filed on {_plain(received)} disputing the Utilization "
            f"Review Denial dated {_plain(denied)}. A decision has been made for each of the services in dispute:",
            *determined, "Medical Qualifications of the Expert Reviewer:\n" + reviewer_text,
            "Case Summary:\nDisclaimer: The following case summary was taken directly from the utilization review "
            f"denial/modification dated {denied:%B} {denied.day}, {denied.year}.",
            summary, "Documents Reviewed for Determination:\n- Utilization Review Determination", *paragraphs,
            "Effect of the Decision:\nThis determination is binding on all parties.", "Sincerely,",
        ]  # fmt: skip
        header = {
            "case_number": number, "date_assigned": None, "date_of_injury": injured.isoformat(),
            "decision_date": decided.isoformat(), "ur_denial_date": denied.isoformat(), "priority": None,
            "application_received": received.isoformat(),
        }  # fmt: skip
        worker = {"age": age, "sex": sex, "date_of_injury": injured.isoformat()}
        return parts, {
            "header": header, "reviewer": reviewer, "worker": worker, "diagnoses": [],
            "ur_date": denied.isoformat(), "decisions": records,
        }  # fmt: skip

    def _determination(self, at: int) -> tuple[str, list[str], dict[str, Any]]:
        """One numbered line, the paragraphs about it, and the record."""
        (_, claims, maximus, rationale), record = self._decision()
        negation = "not " if record["outcome"] == "upheld" else ""
        item = record["item"]
        line = (
            f"{at}) MAXIMUS Federal Services, Inc. has determined the request for {item} is {negation}medically "
            "necessary and appropriate."
        )
        return line, [
            f"{at}) Regarding the request for {item}:",
            "Medical Treatment Guideline(s) Relied Upon by the Expert Reviewer to Make His/Her Decision:\n"
            + claims + " " + maximus.replace("The Physician Reviewer", "The Expert Reviewer"),
            "Rationale for the Decision:\n" + rationale.partition(": ")[2],
        ], record  # fmt: skip


def _in_prose(rng: random.Random, based_on: str, nothing_cited: str, nothing: bool) -> tuple[str, dict[str, Any]]:
    if nothing:
        return nothing_cited, {"basis": "nothing", "citations": []}
    chapter, page = rng.choice(_SECTIONS_OF_2013), rng.randrange(160, 350)
    title = f"ACOEM Practice Guidelines, {chapter} Complaints"
    text = f"{based_on} the {title}, page {page}, which is part of the MTUS"
    inside = {"source": "mtus", "title": title, "sections": [], "pages": [{"first": page, "last": page}]}
    if rng.random() < 0.3:
        outside = {"source": "non_mtus", "title": f"{chapter} Chapter of the ODG", "sections": [], "pages": []}
        text = f"{text}, and on the {outside['title']}, which is not"
        return f"{text}.", {"basis": "both", "citations": [inside, outside]}
    return f"{text}.", {"basis": "mtus", "citations": [inside]}


def _plain(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def written(form: str, rng: random.Random, mark: str, *, holes: bool) -> tuple[list[str], dict[str, Any]]:
    """The paragraphs of one letter of a form, and its correct answer."""
    decisions = rng.choices(_MANY, _SHARES)[0]
    kind = {"winter": Winter, "2013": Numbered}.get(form, Labelled)
    writer = kind({"winter": "2014", "2013": "2014"}.get(form, form), rng, mark=mark, holes=holes)
    parts, answer = writer.parts(decisions)
    return [_ONE_LINE.get(part, part) for part in parts], answer


def some_form(rng: random.Random) -> str:
    """A form, the later ones far more often than the early ones."""
    return rng.choices(FORMS, _WEIGHTS)[0]
