"""Numbers, amounts and field values as text for people: the one home of how they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from difflib import SequenceMatcher
from typing import Any

from extractor.lettertypes.page_ranges import is_page_range, page_range_text
from extractor.pointers import is_index, parts_of

NOT_REPORTED = "not reported"
_MINUS = "\u2212"
# Comparing by words is quadratic at worst; longer texts are not compared.
_MOST_WORDS = 400


def number(value: float | None, digits: int | None = None) -> str:
    """``12,345`` or ``0.65``; ``not reported`` for ``None``. Without ``digits`` at most two decimals, if any."""
    return NOT_REPORTED if value is None else _decimal(value, ",", digits).replace("-", _MINUS)


def _decimal(value: float, form: str, digits: int | None) -> str:
    if digits is not None:
        return f"{value:{form}.{digits}f}"
    text = f"{value:{form}.2f}"
    return text.rstrip("0").rstrip(".")


def signed(value: float | None, digits: int | None = None) -> str:
    """A change with its sign: ``+3``, ``−0.65``. A change that rounds to zero has no sign. Empty for ``None``.

    Without ``digits`` at most two decimals, if any.
    """
    if value is None:
        return ""
    text = _decimal(value, "+,", digits)
    return text.replace("-", _MINUS) if re.search("[1-9]", text) else text[1:]


def percent(share: float, digits: int = 1) -> str:
    """A share from 0 to 1 as ``99.9%``. Only exactly 1 reads as 100 %, only exactly 0 as 0 %."""
    step = 10.0**-digits
    rounded = round(100 * share, digits)
    if share < 1:
        rounded = min(rounded, 100 - step)
    if share > 0:
        rounded = max(rounded, step)
    return f"{rounded:.{digits}f}%"


def percent_of(count: float, total: float) -> str:
    """``count`` out of ``total`` as a percentage; ``none`` of nothing."""
    return percent(count / total) if total else "none"


def rough_percent(share: float) -> str:
    """A bound in one or two digits: ``11%``, ``0.3%``."""
    return percent(share, 0 if share >= 0.0095 else 1)


def p_value(p: float) -> str:
    """``p = 0.031`` to three decimals, never ``p = 0`` or, for a smaller p, ``p = 1``; where three decimals would
    hide on which side of 0.05 it lies, more.
    """
    if p < 0.001:
        return "p < 0.001"
    for digits in range(3, 9):
        text = _rounded(p, digits)
        if float(text) != 0.05 or p == 0.05:
            break
    return "p > 0.999" if float(text) == 1 and p < 1 else f"p = {text}"


def _rounded(value: float, digits: int) -> str:
    """Rounded half up, as readers expect it: 0.0625 is 0.063."""
    return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def money(usd: Decimal | float | None) -> str:
    """US dollars with cents from one dollar up, more digits below; ``not reported`` for ``None``."""
    if usd is None:
        return NOT_REPORTED
    if 0 < usd < 0.01:
        return f"${usd:.8f}".rstrip("0")
    return f"${usd:,.{2 if usd >= 1 or not usd else 4}f}"


def plural(count: float, one: str, many: str | None = None) -> str:
    """``1 letter``, ``20 letters``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def interval(low: float | None, high: float | None, digits: int) -> str:
    """``[−1.21, +0.09]``; empty without bounds. Digits are added where rounding would turn a bound into zero."""
    if low is None or high is None:
        return ""
    return f"[{_bound(low, digits)}, {_bound(high, digits)}]"


def _bound(value: float, digits: int) -> str:
    """A bound that is not zero is not printed as zero: whether an interval holds zero must be readable."""
    while value and digits < 6 and not round(value, digits):
        digits += 1
    return signed(value, digits)


def some(names: list[str], most: int = 5) -> str:
    """The first ``most`` names, and how many more there are: ``a, b and 3 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


# ---- values of fields ---------------------------------------------------------------------------


def value_text(value: Any) -> str:
    """A field's value on one line: page ranges as ``177–179, 301``, lists with commas, ``""`` for null."""
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return value
    if is_page_range(value):
        return page_range_text(value, dash="\u2013")
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    return json.dumps(value, ensure_ascii=False)


def place_name(pointer: str) -> str:
    """A JSON pointer as people name the place: ``decision 2, maximus, citation 1, pages``; ``the answer`` for all."""
    names: list[str] = []
    for part in parts_of(pointer):
        if is_index(part) and names:
            names[-1] = f"{names[-1].removesuffix('s')} {int(part) + 1}"
        else:
            names.append(part.replace("_", " "))
    return ", ".join(names) or "the answer"


def shortened(value: Any, most: int = 60) -> str:
    """``value_text`` cut to ``most`` characters for a table cell; ``-`` for null."""
    text = value_text(value)
    return (text if len(text) <= most else text[: most - 1] + "\u2026") or "-"


def differing(text: str, other: str) -> Iterator[tuple[str, bool]]:
    """``text`` in parts, each with whether its words differ from those of ``other``.

    A text without a common word, or of more than 400 words, comes back as one unmarked part.
    """
    mine, theirs = re.findall(r"\s+|[^\s,]+|,", text), re.findall(r"\s+|[^\s,]+|,", other)
    if not mine or not theirs or max(len(mine), len(theirs)) > _MOST_WORDS:
        yield text, False
        return
    steps = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    if not any(step == "equal" and "".join(mine[a:b]).strip(" ,\n") for step, a, b, _, _ in steps):
        yield text, False
        return
    for step, start, end, _, _ in steps:
        yield from _marked("".join(mine[start:end]), step != "equal")


def _marked(text: str, differs: bool) -> Iterator[tuple[str, bool]]:
    """A differing stretch without the blanks at its ends, where a mark would be invisible."""
    words = text.strip() if differs else ""
    lead = text.index(words) if words else len(text)
    for part, marked in ((text[:lead], False), (words, True), (text[lead + len(words) :], False)):
        if part:
            yield part, marked
