"""Decisions of the Board of Veterans' Appeals: the whole letter type, declared.

Two forms: until 2018 the issues come first and the order last; since then the order comes first,
with the remanded issues in a section of their own.

The docstrings of the records are sent with the schema: another word in them makes the recordings stale.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from extractor.lettertypes.declaration import letter_type
from extractor.lettertypes.evidence import Covers, Stated, StrictModel, Verbatim
from extractor.lettertypes.form import Form
from extractor.lettertypes.parsers import NAME, Cited, Identifier, Presence, Wording
from extractor.lettertypes.places import Above, After, Agreeing, Each, Entire

Text = Annotated[str, Field(min_length=1, max_length=1900)]
Disposition = Literal["granted", "denied", "dismissed", "remanded", "reopened"]

JUDGE = r"(?:(?:Acting |Chief )?Veterans Law Judge|(?:Acting )?(?:Deputy )?(?:Vice )?Chairman)"
FORM = Form(
    sections={
        "issues": "[THE ]ISSUE[S]",
        "representation": "REPRESENTATION",
        "findings": "FINDING[S] OF FACT",
        "conclusions": "CONCLUSION[S] OF LAW",
        "order": "ORDER",
        "remanded": "REMANDED",
        "remand": "REMAND",
    },
    boundaries=(
        "WITNESS[ES] AT HEARING[S] ON APPEAL",
        "Attorney for the Board",
        "INTRODUCTION",
        "REASON[S] AND BAS[E][I]S FOR FINDING[S] AND CONCLUSION[S]",
        "REASON[S] FOR REMAND",
    ),
    landmarks=(r"(?i)Board of Veterans.{1,3}Appeals?", r"(?i)Docket No|Citation N[ro]"),
    required=("order", "remanded", "remand"),
    starts=r"^[^\S\n]*Citation N[ro][.:]",
    closing=rf"^(?:[^\S\n]*_{{5,}}[^\n]*\n\s*)?[^\n]{{3,70}}\n\s*{JUDGE}(?:,? Board of[^\n]*|,)?(?:\s+{JUDGE},?)*\s*$",
    running=(r"[\[(]?(?i:continued on (?:the )?next page)[\])]?", r"-? ?(?i:page )?\d{1,3}(?: of \d{1,3})? ?-?"),
)
DISPOSITION = Wording(
    {
        "reopened": r"reopened(?:[^.;]*?\bextent[^.;]*?\bgranted)?|(?<=\breopening\b[^.;]{0,400})granted",
        "granted": "granted|allowed|warranted",
    },
    behind=r"\b(?:(?:is|are|(?:must|shall) be)\s+(?:\w+,?\s+){0,3}?|(?<=\b(?:and|but)\s+))",
    given={"remanded": "remanded"},
)
CITATION_OF_LAW = r"\d+ (?:U\.S\.C|C\.F\.R)"


class Header(StrictModel):
    """The head of the decision; null where it is not there."""

    citation_number: Annotated[
        Text | None, Verbatim("head", whole=True), After("Citation N[r][o]"), Identifier(r"[A-Z]?\d{5,9}")
    ]
    docket_number: Annotated[
        Text | None,
        Verbatim("head", whole=True),
        After(("DOCKET NO.", "Docket No.")),
        Identifier(r"\d{2}-\d{2} ?\d{3} ?[A-Z]?|\d{6,7}-\d{3,6}|\d{7}[A-Z]?"),
    ]
    decision_date: Annotated[date | None, Stated("head"), Agreeing(After("Decision Date:"), After("DATE:"))]
    archive_date: Annotated[date | None, Stated("head"), After("Archive Date:")]
    office: Annotated[Text | None, Verbatim("head", whole=True), After("On appeal from the", to="paragraph")]


class Issue(StrictModel):
    """What the order says of one issue: a sentence, or the part of one with a disposition of its own."""

    sentence: Annotated[Text, Verbatim("record", whole=True), Entire()]
    disposition: Annotated[Disposition | None, Stated("record"), DISPOSITION]


class Conclusion(StrictModel):
    """One conclusion of law, with the sections it cites of title 38 of the code and of the regulations."""

    text: Annotated[Text, Verbatim("record", whole=True), Entire(until=CITATION_OF_LAW)]
    statutes: Annotated[list[Text], Stated("record"), Cited(r"38 U\.S\.C\.(?: ?A\.)?")]
    regulations: Annotated[list[Text], Stated("record"), Cited(r"38 C\.F\.R\.")]


class Decision(StrictModel):
    """One decision of the Board."""

    header: Header
    representative: Annotated[
        Text | None, Verbatim("representation", whole=True), After("represented by:", to="paragraph")
    ]
    issues: Annotated[list[Text], Verbatim("issues", whole=True), Each("item")]
    order: Annotated[list[Issue], Covers("sentence"), Each("sentence", of=("order",), one="disposition")]
    remands: Annotated[bool, Stated("letter"), Presence(r"^[^\S\n]*REMAND(?:ED)?[^\S\n]*$")]
    remanded: Annotated[list[Text], Verbatim("remanded", whole=True), Each("item")]
    findings: Annotated[list[Text], Verbatim("findings", whole=True), Each("item")]
    conclusions: Annotated[list[Conclusion], Covers("text"), Each("item", of=("conclusions",))]
    judges: Annotated[
        list[Text],
        Verbatim("letter", whole=True),
        Above(JUDGE + r"(?:,? Board of Veterans.{1,3}Appeals?)?"),
        NAME,
    ]


LETTER_TYPE = letter_type(
    "bva",
    Decision,
    FORM,
    protected=("header/docket_number", "header/decision_date", "order/disposition", "remanded", "judges"),
)
