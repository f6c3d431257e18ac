"""A first draft of a letter type: what recurs in some letters, as lines of a schema file to keep or strike."""

from __future__ import annotations

import json
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extractor.letters.spans import Span
from extractor.lettertypes.reading import find_dates

_HEADING = re.compile(r"^[^\S\n]*([A-Z][A-Z &/'-]{3,58}[A-Z])[^\S\n]*:?[^\S\n]*$", re.MULTILINE)
_LABEL = re.compile(
    r"(?:^|\t|[^\S\n]{3,})[^\S\n]*([A-Z][A-Za-z./#' -]{2,38}):[^\S\n]*([^\n\t|]*?)(?=\t|\||[^\S\n]{3,}|$)", re.MULTILINE
)
_MOST = 25


@dataclass(frozen=True)
class Proposal:
    """What most of the letters share: headings in order, and labels with whether dates follow them.

    ``titles`` are lines that letters begin with: landmarks rather than headings of a section.
    """

    titles: tuple[str, ...]
    headings: tuple[str, ...]
    labels: tuple[tuple[str, bool], ...]
    letters: int


def propose(texts: Sequence[str]) -> Proposal:
    """The headings and labels found in at least half of ``texts``, the most frequent at most."""
    headings: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    dated: Counter[str] = Counter()
    for text in texts:
        headings.update({" ".join(match[1].split()) for match in _HEADING.finditer(text)})
        behind = {match[1].strip(): match[2] for match in reversed(list(_LABEL.finditer(text)))}
        labels.update(behind.keys())
        dated.update(name for name, value in behind.items() if next(find_dates(value, Span(0, len(value))), None))
    enough = max(1, (len(texts) + 1) // 2)
    common = {name for name, count in headings.most_common(_MOST) if count >= enough}
    first = {" ".join(text.strip().partition("\n")[0].split()) for text in texts}
    return Proposal(
        tuple(sorted(common & first)),
        tuple(sorted(common - first, key=lambda name: _first(name, texts))),
        tuple((name, 2 * dated[name] > count) for name, count in labels.most_common(_MOST) if count >= enough),
        len(texts),
    )


def _first(name: str, texts: Iterable[str]) -> int:
    return next(at for at in (text.find(name) for text in texts) if at >= 0) if any(name in t for t in texts) else 0


def schema_source(name: str, found: Proposal) -> str:
    """The text of ``schemas/NAME.py``: every line that was proposed is there to be kept or struck."""
    taken: set[str] = set()
    head = [(label, is_date, _field_name(label, taken)) for label, is_date in found.labels]
    sections = [(heading, _field_name(heading, taken)) for heading in found.headings]
    where = _quoted("letter")
    lines = [
        f'"""Letters of the kind {name!r}: a draft from {found.letters} letters. Keep, strike and rename its lines."""',
        "",
        "from __future__ import annotations",
        "",
        "from datetime import date",
        "from typing import Annotated",
        "",
        "from extractor.lettertypes.declaration import letter_type",
        "from extractor.lettertypes.evidence import StrictModel, Stated, Verbatim",
        "from extractor.lettertypes.form import Form",
        "from extractor.lettertypes.places import After, Each",
        "",
        "FORM = Form(",
        "    sections={",
        *(f"        {_quoted(field)}: {_quoted(heading)}," for heading, field in sections),
        "    },",
        "    # Patterns that every letter of this kind bears, and no other letter.",
        f"    landmarks=({''.join(f'{_quoted(title)}, ' for title in found.titles)}),",
        ")",
        "",
        "",
        "class Letter(StrictModel):",
        *(
            f"    {field}: Annotated[date | None, Stated({where}), After({_quoted(label + ':')})]"
            if is_date
            else f"    {field}: Annotated[str | None, Verbatim({where}, whole=True), After({_quoted(label + ':')})]"
            for label, is_date, field in head
        ),
        *(
            f'    {field}: Annotated[list[str], Verbatim({_quoted(field)}, whole=True), Each("paragraph")]'
            for _, field in sections
        ),
        "",
        "",
        f"LETTER_TYPE = letter_type({_quoted(name)}, Letter, FORM)",
    ]
    return "\n".join(lines) + "\n"


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _field_name(words: str, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "field"
    if (
        keyword.iskeyword(name)
        or name in ("head", "letter", "record")
        or name[0].isdigit()
        or name.startswith("model_")
    ):
        name = f"the_{name}"
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name}_{number}"
    taken.add(numbered)
    return numbered
