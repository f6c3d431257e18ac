"""Seeded IMR letters with a given number of decisions, and their correct answers.

Both forms are made as PDF tools give them: 2014 (no case header, doubled line ends, chapters with
pages) and 2016 (case header, chapters with their year and sections). Every word is made up.
"""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple

FORMS = ("2014", "2016")
_WIDTH = 92


class Made(NamedTuple):
    """One letter and the answer that is true of it."""

    id: str
    text: str
    answer: dict[str, Any]


HOW = """HOW THE IMR FINAL DETERMINATION WAS MADE

MAXIMUS Federal Services sent the complete case file to an expert reviewer. He/she is not affiliated
with any party to this case, practises at least 24 hours a week and was chosen for his/her
experience with the condition and the disputed items/Service. He/she knows the strength of evidence
hierarchy that applies to Independent Medical Review determinations."""
SUMMARY_HEAD = """CLINICAL CASE SUMMARY

The expert reviewer developed the following clinical case summary based on a review of the case file,
including all medical records:"""
ISSUES = """IMR ISSUES, DECISIONS AND RATIONALES

The Final Determination was based on decisions for the disputed items/services set forth below:"""

_STATES = ("California", "Nevada", "Oregon", "New York", "Texas", "West Virginia")
SPECIALTIES = (
    "Family Practice",
    "Occupational Medicine",
    "Orthopedic Surgery",
    "Preventive Medicine",
    "Pain Medicine",
)
_TREATMENTS = (
    ("Physical therapy", "physical_medicine"),
    ("Aquatic therapy", "physical_medicine"),
    ("Acupuncture", "acupuncture"),
    ("Chiropractic treatment", "chiropractic_or_manual"),
    ("MRI without contrast", "imaging"),
    ("X-ray series", "imaging"),
    ("EMG/NCV study", "electrodiagnostic_test"),
    ("Corticosteroid injection", "injection_or_procedure"),
    ("TENS unit rental", "equipment_or_supply"),
    ("Elastic support", "equipment_or_supply"),
    ("Lidocaine 5% patch", "topical_or_compounded_medication"),
    ("Follow-up visit", "evaluation_or_consultation"),
)
_PARTS = ("neck", "upper back", "low back", "left shoulder", "right shoulder", "left knee", "right wrist", "left ankle")
_DIAGNOSES = (
    "cervical strain", "lumbar disc bulge", "rotator cuff tendinitis", "medial epicondylitis", "ankle sprain",
    "carpal tunnel syndrome", "lumbar radiculitis", "patellar tendinitis", "thoracic myospasm",
)  # fmt: skip


class _Chapter(NamedTuple):
    of_2014: str
    of_2016: str
    pages: range
    sections: tuple[str, ...]


_CHAPTERS = (
    _Chapter("ACOEM Chapter 8 Neck and Upper Back Complaints", "Neck and Upper Back Complaints 2004",
             range(165, 193), ("Special Studies", "Initial Care", "Summary")),
    _Chapter("ACOEM Chapter 9 Shoulder Complaints", "Shoulder Complaints 2004",
             range(195, 224), ("Diagnostic Criteria", "Initial Care", "Surgical Considerations")),
    _Chapter("ACOEM Chapter 12 Low Back Complaints", "Low Back Complaints 2004",
             range(287, 326), ("Physical Methods", "Special Studies", "Summary")),
    _Chapter("ACOEM Chapter 13 Knee Complaints", "Knee Complaints 2004",
             range(329, 359), ("Activity Alteration", "Special Studies", "Initial Care")),
    _Chapter("Chronic Pain Medical Treatment Guidelines", "Chronic Pain Treatment Guidelines 2009",
             range(8, 127), ("Functional improvement measures", "Transcutaneous electrotherapy", "Topical Analgesics")),
)  # fmt: skip
_OUTSIDE = ("Official Disability Guidelines (ODG)", "ODG, Pain Chapter", "Peer-reviewed trials of bracing")
_NOTHING = "The Claims Administrator did not cite any medical evidence for its decision."

_GROUNDS = {
    "upheld": (
        ("guideline_criteria_not_met", "none of the red flags that the chapter asks for on page {page} was recorded"),
        ("no_benefit_shown", "after {n} earlier visits no lasting gain in function of the {part} was recorded"),
        ("insufficient_documentation", "the file of {n} sheets holds no findings of an examination of the {part}"),
        ("exceeds_recommended_quantity", "a first trial is limited to {n} visits and more were asked for at once"),
    ),
    "overturned": (
        ("guideline_criteria_met", "each criterion listed on page {page} was met by the findings of the {part}"),
        ("guideline_criteria_met", "weakness of the {part} was measured on {n} visits and is growing worse"),
    ),
}
_FILLER = (
    "The guideline was read together with the notes of the treating clinic.",
    "Home exercises for the {part} were taught and done daily for {n} weeks.",
    "The worker returned to light duty with a lifting limit of {n} pounds.",
    "Sensation and reflexes of the {part} were recorded as equal on both sides.",
    "An earlier trial of the same care lasted {n} days.",
)
_VERDICTS = {
    "upheld": (
        "As such, the request is not medically necessary.",
        "Therefore, the {item} is not medically necessary.",
        "The medical necessity of the {item} has not been established.",
    ),
    "overturned": ("Therefore, the request is medically necessary.", "As such, the {item} is medically necessary."),
}


@dataclass
class Writer:
    """Writes one letter; every choice comes from the one seeded generator."""

    form: str
    rng: random.Random
    items: set[str] = field(default_factory=set)

    def letter(self, decisions: int) -> tuple[str, dict[str, Any]]:
        parts, answer = self.parts(decisions)
        return self._set(parts), answer

    def parts(self, decisions: int) -> tuple[list[str], dict[str, Any]]:
        """The letter's paragraphs, each on one line but for the case header, and the correct answer."""
        header_text, header = self._header()
        reviewer_text, reviewer = self._reviewer()
        summary_text, values = self._summary(header)
        parts = [*header_text, HOW, reviewer_text, SUMMARY_HEAD, summary_text, ISSUES]
        records: list[dict[str, Any]] = []
        for _ in range(decisions):
            paragraphs, record = self._decision()
            parts += paragraphs
            records.append(record)
        return parts, {"header": header, "reviewer": reviewer, **values, "decisions": records}

    def _set(self, parts: list[str]) -> str:
        """Wrapped lines with the line ends of the form; the case header keeps its own lines."""
        lines = "\n\n".join(
            part if part.startswith("Case Number") or "\n\n" in part else _wrapped(part) for part in parts
        ).split("\n")
        return "".join(f"{line} \n\n" if self.form == "2014" else f"{line} \n" for line in lines)

    def _header(self) -> tuple[list[str], dict[str, Any]]:
        names = (
            "case_number", "date_assigned", "date_of_injury", "decision_date", "ur_denial_date", "priority",
            "application_received",
        )  # fmt: skip
        if self.form == "2014":
            return [], dict.fromkeys(names)
        injured = date(2015, 1, 1) + timedelta(self.rng.randrange(500))
        denied = injured + timedelta(self.rng.randrange(60, 200))
        received = denied + timedelta(self.rng.randrange(5, 15))
        assigned = received + timedelta(self.rng.randrange(3, 12))
        decided = assigned + timedelta(self.rng.randrange(15, 30))
        number = f"CM16-{self.rng.randrange(10**6):07d}"
        values = (number, *map(_iso, (assigned, injured, decided, denied)), "Standard", _iso(received))
        header = dict(zip(names, values, strict=True))
        text = (
            f"Case Number: {number}\nDate Assigned: {assigned:%m/%d/%Y} Date of Injury:  {injured:%m/%d/%Y}\n"
            f"Decision Date: {decided:%m/%d/%Y} UR Denial Date:  {denied:%m/%d/%Y}\n"
            f"Priority:  Standard Application\nReceived:\n{received:%m/%d/%Y}"
        )
        return [text], header

    def _reviewer(self) -> tuple[str, dict[str, Any]]:
        states = self.rng.sample(_STATES, self.rng.choice((1, 1, 2, 3)))
        specialties = self.rng.sample(SPECIALTIES, self.rng.choice((1, 2, 3)))
        text = (
            "The Expert Reviewer has the following credentials:\n\n"
            f"State(s) of Licensure: {', '.join(states)}\nCertification(s)/Specialty: {', '.join(specialties)}"
        )
        return text, {"states": states, "specialties": specialties, "subspecialties": []}

    def _summary(self, header: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        rng = self.rng
        injured = (
            date.fromisoformat(header["date_of_injury"])
            if header["date_of_injury"]
            else date(2013, 1, 1) + timedelta(rng.randrange(400))
        )
        denied = date.fromisoformat(header["ur_denial_date"]) if header["ur_denial_date"] else injured + timedelta(120)
        visited = injured + timedelta(rng.randrange(10, 50))
        mark = "-" if self.form == "2016" else "/"
        age, sex = rng.randrange(20, 66), rng.choice(("female", "male"))
        diagnoses = rng.sample(_DIAGNOSES, 3)
        text = (
            f"The injured worker is a {age} year old {sex}, who sustained an industrial injury on "
            f"{_us(injured, mark)}. The injured worker was diagnosed as having {diagnoses[0]}, {diagnoses[1]} and "
            f"{diagnoses[2]}. In a progress note dated {_us(visited, mark)}, the injured worker complains of pain "
            f"rated {rng.randrange(3, 9)} out of 10 that wakes the worker at night. Treatment to date has included "
            f"rest, ice and {rng.randrange(4, 13)} visits of supervised exercise. The Utilization Review dated "
            f"{_us(denied, mark)} non-certified the requests."
        )
        worker = {"age": age, "sex": sex, "date_of_injury": _iso(injured)}
        return text, {"worker": worker, "diagnoses": diagnoses, "ur_date": _iso(denied)}

    def _item(self) -> tuple[str, str, str]:
        for attempt in count(1):
            treatment, category = self.rng.choice(_TREATMENTS)
            part = self.rng.choice(_PARTS)
            item = (
                f"{treatment} for the {part}, {self.rng.randrange(1, 5)} x {self.rng.randrange(2, 9 + attempt)} weeks"
            )
            if item not in self.items:
                break
        self.items.add(item)
        return item, part, category

    def _decision(self) -> tuple[list[str], dict[str, Any]]:
        rng = self.rng
        item, part, category = self._item()
        outcome = "overturned" if rng.random() < 0.3 else "upheld"
        claims_text, claims = self._guideline("The Claims Administrator", nothing=rng.random() < 0.1)
        maximus_text, maximus = self._guideline("The Expert Reviewer", nothing=False)
        page, n = rng.randrange(8, 359), rng.randrange(2, 40)
        reason, ground = rng.choice(_GROUNDS[outcome])
        quote = ground.format(page=page, n=n, part=part)
        verdict = rng.choice(_VERDICTS[outcome]).format(item=item)
        filler = [line.format(part=part, n=rng.randrange(2, 60)) for line in rng.sample(_FILLER, 3)]
        record = {
            "item": item,
            "disputed_portion": None,
            "outcome": outcome,
            "claims_administrator": claims,
            "maximus": maximus,
            "rationale_pages": [{"first": page, "last": page}] if f"page {page}" in quote else [],
            "verdict": verdict,
            "treatment_category": category,
            "reason": reason,
            "reason_quote": quote,
        }
        rationale = f"{filler[0]} {filler[1]} In this case, {quote}. {filler[2]} {verdict}"
        return [
            f"{item}: {outcome.title()}",
            f"Claims Administrator guideline: {claims_text}",
            f"MAXIMUS guideline: {maximus_text}",
            f"Decision rationale: {rationale}",
        ], record

    def _guideline(self, side: str, *, nothing: bool) -> tuple[str, dict[str, Any]]:
        if nothing:
            return _NOTHING, {"basis": "nothing", "citations": []}
        statements: list[str] = []
        citations: list[dict[str, Any]] = []
        inside, outside = self.rng.choice(((1, 0), (1, 0), (2, 0), (1, 1), (0, 1)))
        if inside:
            chapters = [self._chapter(chapter) for chapter in self.rng.sample(_CHAPTERS, inside)]
            statements.append("Decision based on MTUS " + _AND[self.form].join(text for text, _ in chapters) + ".")
            citations += [citation for _, citation in chapters]
        if outside:
            title = self.rng.choice(_OUTSIDE)
            statements.append(f"Decision based on Non-MTUS Citation {title}.")
            citations.append({"source": "non_mtus", "title": title, "sections": [], "pages": []})
        basis = "both" if inside and outside else "mtus" if inside else "outside_mtus"
        return " ".join(statements), {"basis": basis, "citations": citations}

    def _chapter(self, chapter: _Chapter) -> tuple[str, dict[str, Any]]:
        if self.form == "2016":
            sections = self.rng.sample(chapter.sections, self.rng.choice((1, 1, 2)))
            cited = {"source": "mtus", "title": chapter.of_2016, "sections": sections, "pages": []}
            return f"{chapter.of_2016}, Section(s): {', '.join(sections)}", cited
        first = self.rng.choice(chapter.pages)
        last = min(first + self.rng.choice((0, 0, 1, 2)), chapter.pages[-1])
        pages = [{"first": first, "last": last}]
        if self.rng.random() < 0.3 and last + 3 < chapter.pages[-1]:
            pages.append({"first": last + 3, "last": last + 3})
        printed = ", ".join(_printed(page) for page in pages)
        cited = {"source": "mtus", "title": chapter.of_2014, "sections": [], "pages": pages}
        return f"{chapter.of_2014} Page(s): {printed}", cited


_AND = {"2014": ", ", "2016": ", and "}


def _printed(page: dict[str, int]) -> str:
    return str(page["first"]) if page["first"] == page["last"] else f"{page['first']}-{page['last']}"


def _wrapped(part: str) -> str:
    return textwrap.fill(part, _WIDTH, break_on_hyphens=False)


def _iso(day: date) -> str:
    return day.isoformat()


def _us(day: date, mark: str) -> str:
    return day.strftime(f"%m{mark}%d{mark}%Y")


def make(decisions: int, seed: int, form: str | None = None) -> Made:
    """One letter; the same arguments give the same letter. Without ``form`` the seed chooses by parity."""
    form = form or FORMS[seed % len(FORMS)]
    text, answer = Writer(form, random.Random(f"{form}/{decisions}/{seed}")).letter(decisions)
    return Made(f"made-{form}-{decisions}-{seed}", text, answer)
