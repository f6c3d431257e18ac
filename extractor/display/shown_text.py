"""Words of letters on a page: escaped, and what does not show printed by its code point."""

from __future__ import annotations

import base64
import hashlib
import re

from markupsafe import Markup

# Controls, marks without width, marks that turn the direction of text, halves of pairs, and tags.
HIDDEN = (
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_HIDDEN = re.compile(f"({HIDDEN})")
_CODE_POINT = Markup('<span class="u">U+{}</span>')
_PAGE_BREAK = Markup('<span class="u ff">page break</span>')


def shown(text: object) -> Markup:
    """Escaped, with what does not show printed by its code point."""
    parts = _HIDDEN.split(str(text))
    return Markup("").join(_hidden(part) if i % 2 else part for i, part in enumerate(parts))


def _hidden(character: str) -> Markup:
    return _PAGE_BREAK if character == "\f" else _CODE_POINT.format(f"{ord(character):04X}")


def plain(text: object) -> str:
    """The same for places that hold no markup: attributes and the title."""
    return _HIDDEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", str(text))


def csp_hash(text: str) -> str:
    """How a page's policy names the one script or style that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
