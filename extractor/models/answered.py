"""What a reply means: the whole answer, remarks on how it came to be, and the quotes that came with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel

from extractor.lettertypes.findings import Finding


class Answered(NamedTuple):
    """``quotes``: by JSON pointer, the words a value rests on; ``None`` where quotes are not asked for."""

    answer: BaseModel
    remarks: list[Finding]
    quotes: Mapping[str, str] | None = None
