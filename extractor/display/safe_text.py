"""Letter text made safe to display: markup escaped, invisible characters replaced by their code points."""

from __future__ import annotations

import base64
import hashlib
import re

from markupsafe import Markup

# Controls, zero-width characters, direction overrides, lone surrogates, and tag characters.
INVISIBLE = (
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_PATTERN = re.compile(f"({INVISIBLE})")
_CODE_POINT = Markup('<span class="u">U+{}</span>')
_PAGE_BREAK = Markup('<span class="u ff">page break</span>')


def visible(text: object) -> Markup:
    """``text`` as HTML: escaped, with each invisible character printed as its code point."""
    parts = _PATTERN.split(str(text))
    return Markup("").join(_code_point(part) if i % 2 else part for i, part in enumerate(parts))


def _code_point(character: str) -> Markup:
    return _PAGE_BREAK if character == "\f" else _CODE_POINT.format(f"{ord(character):04X}")


def plain(text: object) -> str:
    """``text`` with each invisible character as ``[U+202E]``, for places without markup: attributes and titles."""
    return _PATTERN.sub(lambda match: f"[U+{ord(match[0]):04X}]", str(text))


def csp_hash(text: str) -> str:
    """The source expression by which a content security policy allows exactly this script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
