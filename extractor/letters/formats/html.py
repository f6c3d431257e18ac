"""Web pages (.html): the words that a browser shows, in lines as it shows them.

The tokenizer is our own and linear. The standard library's ``html.parser`` needs 17 s for 48 KB
of ``<a <a <a``, and a letter may be hostile. What is hidden is left out and reported.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import unescape
from typing import NamedTuple

from extractor.letters.documents import Document, Note, pages_of
from extractor.letters.formats.decode import decode, notes_on

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)
_TOKEN = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|/(?P<close>[A-Za-z][^\s/>]*)|(?P<open>[A-Za-z][^\s/>]*))")
# A value is quoted only right after its "="; quotes elsewhere are characters of a name, as in browsers.
_ATTRIBUTES = re.compile(r"""(?:[\s/]++|=|[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+)*+>""")
_ATTRIBUTE = re.compile(r"""([^\s/>=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)))?+""")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_LONG_NUMBER = re.compile(r"&#\d{8,};?|&#[xX][0-9a-fA-F]{7,};?")

_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity|max-height)\s*:\s*0(?![.\d]*[1-9])"
    r"|(?:text-indent|left|top)\s*:\s*-\d{4}",
    re.IGNORECASE,
)
_PALE = re.compile(
    r"(?<![\w-])color\s*:\s*(?:white|#f[\da-f]f[\da-f]f[\da-f]|#fff)(?![\w])|font-size\s*:\s*[12](?:\.\d+)?(?:px|pt)",
    re.IGNORECASE,
)
_SHADES = re.compile(r"background(?:-color)?\s*:(?!\s*(?:transparent|none|white|inherit|#fff))", re.IGNORECASE)
_PAGE_BEFORE = re.compile(r"break-before\s*:\s*(?:always|page)", re.IGNORECASE)
_PAGE_AFTER = re.compile(r"break-after\s*:\s*(?:always|page)", re.IGNORECASE)
_COMMENT = re.compile(r"/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)")
_BRACE = re.compile(r"[{}]")
_SIMPLE = re.compile(r"\s*([A-Za-z][\w-]*)?(?:([.#])([\w-]+))?\s*")


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_VOID = _names("area base br col embed hr img input link meta source track wbr")
_RAW = ("script", "style", "title", "textarea", "noscript", "template", "iframe")
_PARAGRAPHS = _names("p h1 h2 h3 h4 h5 h6 blockquote pre table ul ol dl")
_BLOCKS = _PARAGRAPHS | _names(
    "address article aside body center dd details div dt fieldset figcaption figure footer form header hr html legend "
    "li main nav section summary tbody tfoot thead tr caption"
)
# Elements whose end tag may be missing: the next of the same kind ends them; and where the search for them stops.
_ENDED_BY = {
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "tr": ("tr", "td", "th"),
    "td": ("td", "th"),
    "th": ("td", "th"),
}
_SCOPES = ("ul", "ol", "dl", "table")
_SEARCHED = 50


def read_html(data: bytes, name: str, declared: str | None = None) -> Document:
    """A web page as text; ``declared`` is the encoding that a mail around it names."""
    charset = _CHARSET.search(data[:2048])
    decoded = decode(data, name, declared or (charset[1].decode("ascii") if charset else None))
    page = _Page()
    page.walk(decoded.text)
    text = page.text()
    return Document(text, "html", pages_of(text), notes=(*notes_on(decoded), *page.notes()))


class _Element(NamedTuple):
    name: str
    hidden: bool = False
    pale: bool = False
    shaded: bool = False
    kept_blanks: bool = False
    page_after: bool = False


@dataclass
class _Rules:
    """Simple selectors of the page's own style sheets that hide: names, ``.class`` and ``#id``."""

    hiding: set[str]

    def read(self, sheet: str) -> None:
        """Take in a sheet's own rules; rules in ``@media`` and the like apply to other media too."""
        preludes: list[str] = []
        at = 0
        sheet = _COMMENT.sub("", sheet)
        for brace in _BRACE.finditer(sheet):
            prelude = sheet[at : brace.start()]
            at = brace.end()
            if brace[0] == "{":
                preludes.append(prelude)
            elif preludes:
                selectors = preludes.pop()
                if not preludes and "@" not in selectors and _HIDES.search(prelude):
                    self._hide(selectors)

    def _hide(self, selectors: str) -> None:
        for each in selectors.split(","):
            if (simple := _SIMPLE.fullmatch(each)) and each.strip():
                self.hiding.add((simple[1] or "").lower() + (simple[2] or "") + (simple[3] or ""))

    def hide(self, name: str, attributes: dict[str, str]) -> bool:
        if not self.hiding:
            return False
        marks = [f"#{attributes.get('id', '')}", *(f".{each}" for each in attributes.get("class", "").split())]
        return name in self.hiding or any(mark in self.hiding or name + mark in self.hiding for mark in marks)


class _Lines:
    """Text put together as a browser lays it out: blanks collapse, blocks are on separate lines."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.gap = 0  # line ends owed before the next word
        self.tabs = 0
        self.blank = False
        self.fresh = True  # at the start of a line or cell

    def words(self, text: str) -> None:
        """Words of a paragraph; any run of blanks is one."""
        flat = _BLANKS.sub(" ", text)
        if flat == " " or not flat:
            self.blank |= bool(flat)
            return
        blank = (self.blank or flat[0] == " ") and not self.fresh
        self._settle()
        self.pieces.append(f" {flat.strip(' ')}" if blank else flat.strip(" "))
        self.blank = flat[-1] == " "

    def lines(self, text: str) -> None:
        """Lines whose blanks are kept."""
        if text:
            self._settle()
            self.pieces.append(text)

    def end_line(self, gap: int = 1) -> None:
        """A block begins or ends; ``gap`` is 2 where a blank line separates it."""
        if not self.fresh or self.gap:
            self.gap = max(self.gap, gap)
            self.fresh, self.blank, self.tabs = True, False, 0

    def line_break(self) -> None:
        self._settle()
        self.pieces.append("\n")
        self.fresh, self.blank = True, False

    def cell(self, first: bool) -> None:
        if not first:
            self.gap = 0
            self.tabs += 1
        self.fresh, self.blank = True, False

    def page(self) -> None:
        if self.pieces:
            self.pieces.append("\n\f" if self.gap else "\f")
            self.gap, self.fresh, self.blank = 0, True, False

    def _settle(self) -> None:
        if self.pieces:
            self.pieces.append("\n" * self.gap)
        self.pieces.append("\t" * self.tabs)
        self.gap = self.tabs = 0
        self.fresh = False


class _Page:
    """One page, walked once."""

    def __init__(self) -> None:
        self.lines = _Lines()
        self.open: list[_Element] = [_Element("")]
        self.names: Counter[str] = Counter()
        self.cells: list[int] = []
        self.rules = _Rules(set())
        self.hidden: list[str] = []
        self.pale: list[str] = []

    def walk(self, text: str) -> None:
        at = 0
        while mark := _TOKEN.search(text, at):
            self.characters(text[at : mark.start()])
            at = self._token(text, mark)
            if at < 0:  # cut off inside a tag or comment: browsers show nothing of it
                return
        self.characters(text[at:])

    def _token(self, text: str, mark: re.Match[str]) -> int:
        """Where the tag or comment that begins at ``mark`` ends; -1 if it does not."""
        if mark["comment"]:
            end = text.find("-->", mark.end() - 2)
            return end + 3 if end >= 0 else -1
        if not mark["open"]:
            end = text.find(">", mark.end())
            if mark["close"]:
                self.end(mark["close"].lower())
            return end + 1 if end >= 0 else -1
        tag = _ATTRIBUTES.match(text, mark.end())
        if not tag:
            return -1
        name = mark["open"].lower()
        if name in _RAW:
            return self._raw(text, name, tag.end())
        self.start(name, tag[0])
        return tag.end()

    def _raw(self, text: str, name: str, start: int) -> int:
        """Skip elements without markup inside; the content of form fields and style sheets is used."""
        closing = re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE).search(text, start)
        inner = text[start : closing.start() if closing else len(text)]
        if name == "style":
            self.rules.read(inner)
        elif name == "textarea":
            self.characters(inner)
        return closing.end() if closing else -1

    # ---- elements ------------------------------------------------------------------------------

    def start(self, name: str, attributes: str) -> None:
        if name in _BLOCKS and self.names["p"]:
            self.end("p")
        self._end_like(name)
        named = _named(attributes) if len(attributes) > 1 else {}
        style = named.get("style", "")
        if style and _PAGE_BEFORE.search(style):
            self.lines.page()
        if name == "br":
            self.lines.line_break()
        elif name in ("td", "th"):
            self.lines.cell(first=not self.cells or not self.cells[-1])
            if self.cells:
                self.cells[-1] += 1
        elif name in _BLOCKS:
            self.lines.end_line(2 if name in _PARAGRAPHS else 1)
        if name == "tr":
            self.cells.append(0)
        if name not in _VOID:
            outer = self.open[-1]
            self.names[name] += 1
            self.open.append(
                _Element(
                    name,
                    outer.hidden
                    or "hidden" in named
                    or _HIDES.search(style) is not None
                    or self.rules.hide(name, named),
                    outer.pale
                    or _PALE.search(style) is not None
                    or named.get("color", "").lower() in ("white", "#ffffff"),
                    outer.shaded or "bgcolor" in named or _SHADES.search(style) is not None,
                    outer.kept_blanks or name == "pre" or "white-space:pre" in style.replace(" ", ""),
                    _PAGE_AFTER.search(style) is not None,
                )
            )

    def _end_like(self, name: str) -> None:
        """End the elements that this one ends because their own end tag may be left out."""
        alike = _ENDED_BY.get(name)
        if not alike or not any(self.names[each] for each in alike):
            return
        for element in self.open[: -_SEARCHED - 1 : -1]:
            if element.name in _SCOPES:
                return
            if element.name in alike:
                self.end(element.name)
                if element.name == name:
                    return

    def end(self, name: str) -> None:
        """End the innermost open element of this name, and all that were left open in it."""
        if not self.names[name]:
            return
        while True:
            element = self.open.pop()
            self.names[element.name] -= 1
            if element.name == "tr" and self.cells:
                self.cells.pop()
            if element.name in _BLOCKS:
                self.lines.end_line(2 if element.name in _PARAGRAPHS else 1)
            if element.page_after:
                self.lines.page()
            if element.name == name:
                return

    def characters(self, text: str) -> None:
        if not text:
            return
        element = self.open[-1]
        shown = unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text
        if element.hidden:
            self.hidden.append(shown)
            return
        if element.pale and not element.shaded:
            self.pale.append(shown)
        if element.kept_blanks:
            self.lines.lines(shown)
        else:
            self.lines.words(shown)

    # ---- what came of it -----------------------------------------------------------------------

    def text(self) -> str:
        return "".join((*self.lines.pieces, "\n")) if self.lines.pieces else ""

    def notes(self) -> list[Note]:
        notes = []
        if hidden := " ".join("".join(self.hidden).split()):
            message = f"words of the page are hidden and left out of the text: {len(hidden.split())}"
            notes.append(Note("hidden_text", message, words=hidden))
        if pale := " ".join("".join(self.pale).split()):
            message = f"words of the page are white or tiny, and part of the text: {len(pale.split())}"
            notes.append(Note("pale_text", message, words=pale))
        return notes


def _named(attributes: str) -> dict[str, str]:
    """A tag's attributes; the first of a name counts."""
    named: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(attributes):
        named.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return named
