"""Texts of csv that Excel, opening the file, would turn into a formula, a date or another number."""

from __future__ import annotations

import re

# Also full-width, as spreadsheets of East Asia read them; and small forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b")
# No longer text is a number or a date to Excel.
_LONGEST = 40
# Excel keeps 15 digits. Such a number is displayed as it was written, so nothing is lost.
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,14}", re.ASCII)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_SLASH = r"\s?[-/.]\s?"
_MONTH_NUMBER, _OTHER_NUMBER = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01]|\d{2}|\d{4})"
_NUMERIC_DATE = (
    rf"(?:{_MONTH_NUMBER}{_SLASH}{_OTHER_NUMBER}|{_OTHER_NUMBER}{_SLASH}{_MONTH_NUMBER}"
    rf"|\d{{1,4}}{_SLASH}\d{{1,2}}{_SLASH}\d{{1,4}})"
)
_WORDED_DATE = rf"(?:\d{{1,4}}[-/\s,]*)?{_MONTH}[-/\s,]*\d{{1,4}}(?:[-/\s,]+\d{{2,4}})?|\d{{1,4}}[-/\s,]*{_MONTH}"
_TIME = r"\d{1,4}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[ap]m?)?|\d{1,2}\s[ap]m?"
_CHANGED = re.compile(
    "|".join(
        (
            r"[($\u20ac\u00a3\u00a5\s]*\d+(?:[.,]\d+)*\.?(?:e[-+]?\d+)?[\s%)$\u20ac\u00a3\u00a5]*",  # numbers, amounts
            r"\.\d+(?:e[-+]?\d+)?%?",
            r"\d+\s\d+/\d+",  # fractions: 1 1/2
            rf"(?:{_NUMERIC_DATE}|{_WORDED_DATE})(?:[\s,]+(?:{_TIME}))?",
            _TIME,
            "true|false",
        )
    ),
    re.IGNORECASE | re.ASCII,
)


def guarded(text: str) -> str:
    """``text`` with an apostrophe in front if Excel would not leave it as it is; every other text unchanged."""
    return f"'{text}" if text.startswith(_FORMULA) or _is_changed(text) else text


def _is_changed(text: str) -> bool:
    bare = text.strip()
    if not bare or len(bare) > _LONGEST or _PLAIN_NUMBER.fullmatch(text):
        return False
    return _CHANGED.fullmatch(bare) is not None
