"""Independent Medical Review final determinations of California workers' compensation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractor.lettertypes.lettertype import LetterType

from .checks import CODES, RULES, SIDES
from .forms import FORMS
from .model import ImrLetter
from .planters import PLANTERS
from .reader import read
from .starts import starts_of


def _pages(guideline: Mapping[str, Any]) -> str:
    ranges = [page for citation in guideline["citations"] for page in citation["pages"]]
    return ", ".join(str(p["first"]) if p["first"] == p["last"] else f"{p['first']}-{p['last']}" for p in ranges)


def rows(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row a decision, for people."""
    return [
        {
            "outcome": decision["outcome"],
            "item": decision["item"],
            "CA pages": _pages(decision["claims_administrator"]),
            "MAXIMUS pages": _pages(decision["maximus"]),
        }
        for decision in answer["decisions"]
    ]


LETTER_TYPE = LetterType(
    name="imr",
    schema=ImrLetter,
    read=read,
    rules=RULES,
    codes=CODES,
    sides=SIDES,
    asked=("ur_date",),
    protected=(
        "decisions/item",
        "decisions/outcome",
        "decisions/claims_administrator/citations/pages",
        "decisions/maximus/citations/pages",
        "header/date_assigned",
        "header/date_of_injury",
        "header/decision_date",
        "header/ur_denial_date",
        "header/application_received",
        "worker/date_of_injury",
        "ur_date",
    ),
    from_reading=tuple(
        f"decisions/{side}/citations/{leaf}"
        for side in ("claims_administrator", "maximus")
        for leaf in ("source", "title")
    ),
    planters=PLANTERS,
    rows=rows,
    starts=starts_of,
    forms=tuple(form.name for form in FORMS),
    checks_version=9,
)
