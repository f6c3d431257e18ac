"""A declared letter type for tests: answers of a made-up claims office, with every kind of place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from extractor.letters.letter import letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.declaration import letter_type
from extractor.lettertypes.evidence import Covers, Judged, Stated, StrictModel, Unchecked, Verbatim
from extractor.lettertypes.form import Form
from extractor.lettertypes.parsers import MONEY, NAME, PERCENT, Cited, Identifier, Parser, Presence, Wording
from extractor.lettertypes.places import Above, After, Agreeing, Below, Computed, Each, Entire, Matching
from extractor.lettertypes.reading import Fact, Reading

FORM = Form(
    sections={
        "reasons": ("Reason[s]", "Ground[s] of the Decision"),
        "order": "Decision",
        "referred": "Referred Items",
        "documents": "Documents",
    },
    boundaries=("Right of Appeal",),
    landmarks=(r"Claims Office of (?:Northmark|Southmark)",),
    required=("order", "referred"),
    starts=r"^Claims Office of",
    closing=r"^_{5,}",
    running=(r"-- ?continued ?--", r"Sheet \d+"),
)


def _last_word(text: str, region: Span) -> Fact:
    words = region.of(text).split()[-1]
    end = region.trimmed(text).end
    return Fact(words, (Span(end - len(words), end),))


class Item(StrictModel):
    sentence: Annotated[str, Verbatim("record", whole=True), Entire()]
    outcome: Annotated[
        Literal["paid", "refused", "referred"] | None,
        Stated("record"),
        Wording({"paid": "paid|granted", "refused": "refused|turned down"}, given={"referred": "referred"}),
    ]
    amount: Annotated[Decimal | None, Stated("record"), MONEY]


class Answer(StrictModel):
    claim_number: Annotated[
        str | None,
        Verbatim("head", whole=True),
        Agreeing(After("Claim No."), Matching(r"(?i)your claim (\S+)")),
        Identifier(r"[A-Z]{2}-?\d{4}"),
    ]
    received: Annotated[date | None, Stated("head"), After(("Received:", "Received on"))]
    dated: Annotated[date | None, Stated("head"), After("Date:")]
    office: Annotated[str | None, Verbatim("head", whole=True), Below("From the office at:?")]
    share: Annotated[Decimal | None, Stated("head"), After("Share:"), PERCENT]
    pages: Annotated[int | None, Stated("head"), After("Pages:")]
    urgent: Annotated[bool, Stated("head"), Presence(r"\bURGENT\b")]
    by_post: Annotated[
        bool | None, Stated("head"), After("Sent by post:"), Presence(r"(?i)\byes\b", absent=r"(?i)\bno\b")
    ]
    copies_to: Annotated[list[str], Verbatim("head", whole=True), After("Copies to:")]
    items: Annotated[list[Item], Covers("sentence"), Each("sentence", of=("order", "referred"), one="outcome")]
    reasons: Annotated[list[str], Verbatim("reasons", whole=True), Each("item")]
    laws: Annotated[list[str], Stated("reasons"), Cited("Claims Act")]
    documents: Annotated[list[str], Verbatim("documents", whole=True), Each("bullet", unless=("reasons",))]
    signed_by: Annotated[list[str], Verbatim("letter", whole=True), Above("Claims Officer"), NAME]
    last_word: Annotated[str | None, Verbatim("reasons", whole=True), Computed(_last_word)]
    tone: Annotated[Literal["kind", "harsh"] | None, Judged("tone_quote")]
    tone_quote: Annotated[str | None, Verbatim("reasons", min_words=3)]
    weight: Annotated[Literal["small", "large"] | None, Unchecked("a judgement")]


LETTER_TYPE = letter_type("claims", Answer, FORM, protected=("items/outcome",))

SHOUT = Parser("shout", lambda text, within: ())

LETTER = """\
Claims Office of Northmark
Claim No. AB-1234   Date: March 4, 2020
Received: 2/1/2020\tShare: 40 percent | Pages: twelve
From the office at
Old Harbour, Pier 2
URGENT  Sent by post: no
Copies to: A. Rowe, B. Stone and C. Mill

Your claim AB1234 was looked at.

DECISION

The boat is paid with $1,250.50; the oars are refused. The mast is turned down.

REFERRED ITEMS

The sail is a matter for the harbour master.

GROUND OF THE DECISION

1. The boat was insured under Claims Act \u00a7\u00a7 12, 14(b) and 20-22.

2. The oars were lost at sea, which
-- continued --

the policy does not cover. Claims Act \u00a7 12.

3. The mast was old.

______
Mary Ann Holt\t\tP. Q. Rusk
Claims Officer\t\tClaims Officer
"""


def read(text: str = LETTER) -> Reading:
    return LETTER_TYPE.read(letter_from_text(text, letter_id="claim"))
