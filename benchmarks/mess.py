"""Damage that PDF tools, copying and time do to a letter's text without changing its meaning."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

Lines = list[str]

_WIDTHS = (80, 92, 92, 92, 100)
_LINES_ON_A_PAGE = 46
_CURLY = str.maketrans({"'": "’", "-": "–"})
_DATE = re.compile(r"\b(\d\d-\d\d)-(\d{4})\b")
_RANGE = re.compile(r"(Page\(s\):[^.\n]*?\b\d{3})-(\d{3}\b)")
_HEADER = re.compile(
    r"Case Number: (?P<number>\S+)\nDate Assigned: (?P<assigned>\S+) Date of Injury:  (?P<injury>\S+)\n"
    r"Decision Date: (?P<decision>\S+) UR Denial Date:  (?P<denial>\S+)\n"
    r"Priority:  (?P<priority>\S+) Application\nReceived:\n(?P<received>\S+)"
)


# ---- paragraphs ----------------------------------------------------------------------------------


def scrambled(parts: Sequence[str], rng: random.Random) -> list[str]:
    """The case header as a tool prints a table by columns: all labels, then all values."""
    return [_HEADER.sub(_by_columns, part) if part.startswith("Case Number") else part for part in parts]


def _by_columns(match: re.Match[str]) -> str:
    labels = (
        "Case Number:", "Date Assigned:", "Decision Date:", "Priority:", "Date of Injury:", "UR Denial Date:",
        "Application", "Received:",
    )  # fmt: skip
    names = ("number", "assigned", "decision", "priority", "injury", "denial", "received")
    return "\n".join((*labels, "", *(match[name] for name in names)))


def hyphens_lost(parts: Sequence[str], rng: random.Random) -> list[str]:
    """Hyphens at a line's end are gone: in dates, in page ranges, in "Non-MTUS"."""
    found = []
    for part in parts:
        part = _RANGE.sub(lambda match: match[1] + match[2] if rng.random() < 0.3 else match[0], part)
        part = _DATE.sub(lambda match: match[1] + match[2] if rng.random() < 0.5 else match[0], part, count=1)
        found.append(part.replace("Non-MTUS", "NonMTUS", 1) if rng.random() < 0.3 else part)
    return found


def curly(parts: Sequence[str], rng: random.Random) -> list[str]:
    """Typographic apostrophes; en dashes in page ranges."""
    return [
        _RANGE.sub(lambda match: f"{match[1]}\u2013{match[2]}", part).replace("reviewer's", "reviewer\u2019s")
        .replace("Reviewer's", "Reviewer\u2019s")
        for part in parts
    ]  # fmt: skip


PARAGRAPHS: dict[str, Callable[[Sequence[str], random.Random], list[str]]] = {
    "scrambled header": scrambled,
    "lost hyphens": hyphens_lost,
    "curly quotes": curly,
}


# ---- lines ---------------------------------------------------------------------------------------


def lines_of(parts: Sequence[str], width: int | None) -> Lines:
    """Wrapped lines with a blank one between paragraphs; ``None`` for a paragraph a line. Given line ends stay."""
    lines: Lines = []
    for part in parts:
        for given in part.split("\n"):
            lines += [given] if width is None or len(given) <= width else _wrapped(given, width)
        lines.append("")
    return lines[:-1]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Like ``textwrap.wrap`` without breaking at hyphens, in a tenth of the time."""
    at, end = 0, len(text)
    while end - at > width:
        cut = text.rfind(" ", at, at + width + 1)
        if cut <= at:
            cut = text.find(" ", at + width)
            if cut < 0:
                break
        yield text[at:cut].rstrip()
        at = cut + 1
    yield text[at:]


def on_pages(lines: Lines, rng: random.Random, number: str) -> Lines:
    """Page breaks wherever they fall: form feeds, running lines with the page's number, or empty lines alone."""
    kind = rng.choice(("form feed", "footer", "footer and header", "empty lines"))
    pages = [lines[at : at + _LINES_ON_A_PAGE] for at in range(0, len(lines), _LINES_ON_A_PAGE)]
    found: Lines = []
    for at, page in enumerate(pages, 1):
        if at > 1 and kind == "form feed":
            page = ["\f" + page[0], *page[1:]]
        elif kind == "footer and header":
            page = ["Independent Medical Review   Final Determination", *page]
        found += page
        if kind.startswith("footer"):
            found += ["", f"{number}  Final Determination Letter  Page {at} of {len(pages)}"]
        elif kind == "empty lines" and at < len(pages):
            found += ["", "", ""]
    return found


def doubled(lines: Lines) -> Lines:
    """Every line end doubled, a paragraph's end a line that holds one blank."""
    return [each for line in lines for each in (line or " ", "")]


def without_blank_lines(lines: Lines) -> Lines:
    return [line for line in lines if line.strip()]


def with_trailing_blanks(lines: Lines) -> Lines:
    return [f"{line} " for line in lines]


def indented(lines: Lines) -> Lines:
    return [f"    {line}" if line else line for line in lines]


SET: dict[str, Callable[[Lines], Lines]] = {
    "doubled lines": doubled,
    "no blank lines": without_blank_lines,
    "trailing blanks": with_trailing_blanks,
    "indented": indented,
}


# ---- bytes ---------------------------------------------------------------------------------------


def some_width(rng: random.Random) -> int | None:
    return None if rng.random() < 0.05 else rng.choice(_WIDTHS)


def encoded(text: str, rng: random.Random, mess: list[str]) -> bytes:
    """The file's bytes; what was chosen is added to ``mess``."""
    if rng.random() < 0.2:
        mess.append("CRLF")
        text = text.replace("\n", "\r\n")
    drawn = rng.random()
    if drawn < 0.12:
        mess.append("cp1252")
        return text.encode("cp1252")
    if drawn < 0.16:
        mess.append("byte order mark")
        return text.encode("utf-8-sig")
    if drawn < 0.18:
        mess.append("UTF-16")
        return text.encode("utf-16")
    return text.encode()
