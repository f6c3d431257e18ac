"""Letter types: what a schema declares, and what is derived from it.

A declaration needs only the names here; each is loaded when it is first used. See docs/letter-type.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.lettertypes.declaration import letter_type as letter_type
    from extractor.lettertypes.evidence import Covers as Covers
    from extractor.lettertypes.evidence import Judged as Judged
    from extractor.lettertypes.evidence import Scored as Scored
    from extractor.lettertypes.evidence import Stated as Stated
    from extractor.lettertypes.evidence import StrictModel as StrictModel
    from extractor.lettertypes.evidence import Unchecked as Unchecked
    from extractor.lettertypes.evidence import Verbatim as Verbatim
    from extractor.lettertypes.form import Form as Form
    from extractor.lettertypes.parsers import DATE as DATE
    from extractor.lettertypes.parsers import INTEGER as INTEGER
    from extractor.lettertypes.parsers import MONEY as MONEY
    from extractor.lettertypes.parsers import NAME as NAME
    from extractor.lettertypes.parsers import NUMBER as NUMBER
    from extractor.lettertypes.parsers import PAGES as PAGES
    from extractor.lettertypes.parsers import PERCENT as PERCENT
    from extractor.lettertypes.parsers import TEXT as TEXT
    from extractor.lettertypes.parsers import Cited as Cited
    from extractor.lettertypes.parsers import Identifier as Identifier
    from extractor.lettertypes.parsers import Presence as Presence
    from extractor.lettertypes.parsers import Wording as Wording
    from extractor.lettertypes.places import Above as Above
    from extractor.lettertypes.places import After as After
    from extractor.lettertypes.places import Agreeing as Agreeing
    from extractor.lettertypes.places import Below as Below
    from extractor.lettertypes.places import Computed as Computed
    from extractor.lettertypes.places import Each as Each
    from extractor.lettertypes.places import Entire as Entire
    from extractor.lettertypes.places import Matching as Matching

# Where each public name lives.
_HOMES = {
    "Above": "extractor.lettertypes.places",
    "After": "extractor.lettertypes.places",
    "Agreeing": "extractor.lettertypes.places",
    "Below": "extractor.lettertypes.places",
    "Cited": "extractor.lettertypes.parsers",
    "Computed": "extractor.lettertypes.places",
    "Covers": "extractor.lettertypes.evidence",
    "DATE": "extractor.lettertypes.parsers",
    "Each": "extractor.lettertypes.places",
    "Entire": "extractor.lettertypes.places",
    "Form": "extractor.lettertypes.form",
    "INTEGER": "extractor.lettertypes.parsers",
    "Identifier": "extractor.lettertypes.parsers",
    "Judged": "extractor.lettertypes.evidence",
    "MONEY": "extractor.lettertypes.parsers",
    "Matching": "extractor.lettertypes.places",
    "NAME": "extractor.lettertypes.parsers",
    "NUMBER": "extractor.lettertypes.parsers",
    "PAGES": "extractor.lettertypes.parsers",
    "PERCENT": "extractor.lettertypes.parsers",
    "Presence": "extractor.lettertypes.parsers",
    "Scored": "extractor.lettertypes.evidence",
    "Stated": "extractor.lettertypes.evidence",
    "StrictModel": "extractor.lettertypes.evidence",
    "TEXT": "extractor.lettertypes.parsers",
    "Unchecked": "extractor.lettertypes.evidence",
    "Verbatim": "extractor.lettertypes.evidence",
    "Wording": "extractor.lettertypes.parsers",
    "letter_type": "extractor.lettertypes.declaration",
}

__all__ = [
    "DATE",
    "INTEGER",
    "MONEY",
    "NAME",
    "NUMBER",
    "PAGES",
    "PERCENT",
    "TEXT",
    "Above",
    "After",
    "Agreeing",
    "Below",
    "Cited",
    "Computed",
    "Covers",
    "Each",
    "Entire",
    "Form",
    "Identifier",
    "Judged",
    "Matching",
    "Presence",
    "Scored",
    "Stated",
    "StrictModel",
    "Unchecked",
    "Verbatim",
    "Wording",
    "letter_type",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'extractor.lettertypes' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
