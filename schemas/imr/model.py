"""The record of one IMR final determination: the strict schema a model fills.

Field names are a contract (README.md beside this file explains each). Every field is required;
``null`` and ``[]`` are claims that the letter does not say, and are checked like any value.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field

from extractor.lettertypes.evidence import Covers, Judged, Scored, Stated, StrictModel, Unchecked, Verbatim
from extractor.lettertypes.page_ranges import PageRange

# Local grammars refuse bounds of 2,000 and more.
Text = Annotated[str, Field(min_length=1, max_length=1900)]

Outcome = Literal["upheld", "overturned"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
Sex = Literal["female", "male"]
Source = Literal["mtus", "non_mtus"]
Basis = Literal["mtus", "outside_mtus", "both", "nothing"]
TreatmentCategory = Literal[
    "medication",
    "topical_or_compounded_medication",
    "physical_medicine",
    "chiropractic_or_manual",
    "acupuncture",
    "imaging",
    "electrodiagnostic_test",
    "laboratory_or_drug_test",
    "injection_or_procedure",
    "surgery",
    "surgical_aftercare_or_assistance",
    "equipment_or_supply",
    "evaluation_or_consultation",
    "psychological_care",
    "home_or_facility_care",
    "other",
]
ReasonCategory = Literal[
    "guideline_criteria_met",
    "guideline_does_not_recommend",
    "guideline_criteria_not_met",
    "insufficient_documentation",
    "conservative_care_not_exhausted",
    "no_benefit_shown",
    "exceeds_recommended_quantity",
    "risk_outweighs_benefit",
    "depends_on_another_request",
    "other",
]


PageList = Annotated[list[PageRange], Field(max_length=60), Scored("ranges")]


class Citation(StrictModel):
    """One guideline chapter or document that a guideline paragraph names."""

    source: Annotated[Source, Stated(within="citation")]
    title: Annotated[Text, Verbatim(within="citation", whole=True)]
    sections: Annotated[list[Text], Field(max_length=40), Verbatim(within="citation", whole=True, joined=True)]
    pages: Annotated[PageList, Stated(within="citation")]


class Guideline(StrictModel):
    """One guideline paragraph: on what one side based its decision."""

    basis: Annotated[Basis | None, Stated(within="paragraph")]
    citations: Annotated[list[Citation], Field(max_length=40), Covers(key="title")]


class Decision(StrictModel):
    """One disputed item with its outcome."""

    item: Annotated[Text, Verbatim(within="heading", whole=True)]
    disputed_portion: Annotated[Text | None, Verbatim(within="heading", whole=True)]
    outcome: Annotated[Outcome, Stated(within="heading")]
    claims_administrator: Guideline
    maximus: Guideline
    rationale_pages: Annotated[PageList, Stated(within="rationale")]
    verdict: Annotated[Text | None, Verbatim(within="rationale", min_words=3, unit="sentence")]
    treatment_category: Annotated[
        TreatmentCategory | None, Unchecked("a class of treatment is the reader's judgement of the heading")
    ]
    reason: Annotated[ReasonCategory | None, Judged(quote="reason_quote")]
    reason_quote: Annotated[Text | None, Verbatim(within="rationale", min_words=5), Scored("shown")]


class Header(StrictModel):
    """The case header; null where it was cut off or left blank."""

    case_number: Annotated[Text | None, Verbatim(within="header", whole=True)]
    date_assigned: Annotated[date | None, Stated(within="header")]
    date_of_injury: Annotated[date | None, Stated(within="header")]
    decision_date: Annotated[date | None, Stated(within="header")]
    ur_denial_date: Annotated[date | None, Stated(within="header")]
    priority: Annotated[Text | None, Verbatim(within="header", whole=True)]
    application_received: Annotated[date | None, Stated(within="header")]


class Reviewer(StrictModel):
    """The expert reviewer's credentials as printed."""

    states: Annotated[list[Text], Field(max_length=60), Verbatim(within="reviewer", whole=True)]
    specialties: Annotated[list[Text], Field(max_length=20), Verbatim(within="reviewer", whole=True)]
    subspecialties: Annotated[list[Text], Field(max_length=20), Verbatim(within="reviewer", whole=True)]


class Worker(StrictModel):
    """The injured worker as told in the clinical case summary."""

    age: Annotated[Annotated[int, Field(ge=10, le=110)] | None, Stated(within="summary")]
    sex: Annotated[Sex | None, Stated(within="summary")]
    date_of_injury: Annotated[date | None, Stated(within="summary")]


class ImrLetter(StrictModel):
    """One Independent Medical Review final determination."""

    header: Header
    reviewer: Reviewer
    worker: Worker
    diagnoses: Annotated[list[Text], Field(max_length=60), Verbatim(within="summary", unit="item")]
    ur_date: Annotated[date | None, Stated(within="summary")]
    decisions: Annotated[list[Decision], Covers(key="item")]
