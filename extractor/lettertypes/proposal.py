"""A first draft of a letter type: what recurs in some letters, as lines of a schema file to keep or strike."""

from __future__ import annotations

import json
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import find_dates

_HEADING = re.compile(r"^[^\S\n]*([A-Z][A-Z &/'-]{3,58}[A-Z])[^\S\n]*:?[^\S\n]*$", re.MULTILINE)
_LABEL = re.compile(
    r"(?:^|\t|[^\S\n]{3,})[^\S\n]*([A-Z][A-Za-z./#' -]{2,38}):[^\S\n]*([^\n\t|]*?)(?=\t|\||[^\S\n]{3,}|$)", re.MULTILINE
)
_MOST = 25


_TOKEN = re.compile(r"\d+|[A-Z]+|[^\dA-Z]")
_NO_IDENTIFIER = re.compile(r"[^\dA-Z /.#-]")
# A shorter run of digits alone is a count or an age, and longer words are prose.
_FEWEST_DIGITS, _LONGEST_IDENTIFIER = 4, 24


class ProposedLabel(NamedTuple):
    """A label that recurs. ``is_date``: dates follow it; ``shape``: the pattern of identifiers that are."""

    words: str
    is_date: bool = False
    shape: str = ""


@dataclass(frozen=True)
class Proposal:
    """What most of the letters bear: headings in their order, and labels with what follows them.

    ``titles`` are lines that letters begin with: landmarks rather than headings of a section.
    """

    titles: tuple[str, ...]
    headings: tuple[str, ...]
    labels: tuple[ProposedLabel, ...]
    letters: int


def propose(texts: Sequence[str]) -> Proposal:
    """The headings and labels that at least half of ``texts`` have, the most frequent at most."""
    headings: Counter[str] = Counter()
    values: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        headings.update({" ".join(match[1].split()) for match in _HEADING.finditer(text)})
        behind = {match[1].strip(): match[2].strip() for match in reversed(list(_LABEL.finditer(text)))}
        for name, value in behind.items():
            values[name].append(value)
    enough = max(1, (len(texts) + 1) // 2)
    common = {name for name, count in headings.most_common(_MOST) if count >= enough}
    first = {" ".join(text.strip().partition("\n")[0].split()) for text in texts}
    frequent = sorted(values, key=lambda name: -len(values[name]))[:_MOST]
    return Proposal(
        tuple(sorted(common & first)),
        tuple(sorted(common - first, key=lambda name: _first(name, texts))),
        tuple(_label(name, values[name]) for name in frequent if len(values[name]) >= enough),
        len(texts),
    )


def _label(name: str, values: Sequence[str]) -> ProposedLabel:
    dated = sum(next(find_dates(value, Span(0, len(value))), None) is not None for value in values)
    if 2 * dated > len(values):
        return ProposedLabel(name, is_date=True)
    return ProposedLabel(name, shape=identifier_shape(values))


def identifier_shape(values: Sequence[str]) -> str:
    """The pattern of identifiers that are all built alike; empty if there are not at least two different ones.

    >>> identifier_shape(["NM-4471", "NM-512"])
    '[A-Z]{2}-\\\\d{3,4}'
    """
    given = [value for value in values if value and not _NO_IDENTIFIER.search(value)]
    tokens = [_TOKEN.findall(value) for value in given]
    kinds = {tuple(_kind(token) for token in found) for found in tokens}
    digits = min((sum(map(str.isdigit, value)) for value in given), default=0)
    if (
        len(set(given)) < 2
        or 2 * len(given) <= len(values)
        or len(kinds) != 1
        or digits < _FEWEST_DIGITS - 1
        or max(map(len, given)) > _LONGEST_IDENTIFIER
    ):
        return ""
    [kind] = kinds
    if len(kind) == 1 and digits < _FEWEST_DIGITS:
        return ""
    return "".join(_piece(one, [len(found[i]) for found in tokens]) for i, one in enumerate(kind))


def _kind(token: str) -> str:
    """The class of characters that a token is a run of, or the sign itself."""
    return r"\d" if token.isdigit() else "[A-Z]" if token.isalpha() and token.isupper() else token


def _piece(kind: str, lengths: Sequence[int]) -> str:
    if kind not in (r"\d", "[A-Z]"):
        return r"\." if kind == "." else kind
    fewest, most = min(lengths), max(lengths)
    return kind + ("" if most == 1 else f"{{{fewest}}}" if fewest == most else f"{{{fewest},{most}}}")


def _first(name: str, texts: Iterable[str]) -> int:
    return next(at for at in (text.find(name) for text in texts) if at >= 0) if any(name in t for t in texts) else 0


def schema_source(name: str, found: Proposal) -> str:
    """The text of ``schemas/NAME.py``: every line that was proposed is there to be kept or struck."""
    taken: set[str] = set()
    head = [(label, _field_name(label.words, taken)) for label in found.labels]
    sections = [(heading, _field_name(heading, taken)) for heading in found.headings]
    shaped = "Identifier, " if any(label.shape for label, _ in head) else ""
    lines = [
        f'"""Letters of the kind {name!r}: a draft from {found.letters} letters. Keep, strike and rename its lines."""',
        "",
        "from __future__ import annotations",
        "",
        "from datetime import date",
        "from typing import Annotated",
        "",
        f"from extractor.lettertypes import After, Each, Form, {shaped}Stated, StrictModel, Verbatim, letter_type",
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
        *(_line(label, field) for label, field in head),
        *(
            f'    {field}: Annotated[list[str], Verbatim({_quoted(field)}, whole=True), Each("paragraph")]'
            for _, field in sections
        ),
        "",
        "",
        f"LETTER_TYPE = letter_type({_quoted(name)}, Letter, FORM)",
    ]
    return "\n".join(lines) + "\n"


def _line(label: ProposedLabel, field: str) -> str:
    """The line of the schema for what follows a label."""
    place = f"After({_quoted(label.words + ':')})"
    if label.is_date:
        return f'    {field}: Annotated[date | None, Stated("letter"), {place}]'
    parser = f', Identifier(r"{label.shape}")' if label.shape else ""
    return f'    {field}: Annotated[str | None, Verbatim("letter", whole=True), {place}{parser}]'


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
