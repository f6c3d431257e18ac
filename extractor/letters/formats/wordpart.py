"""The walk through one part of a Word document: which of its characters are shown, and where lines end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from extractor.letters.formats.wordfields import FormField, is_off

# Half points, and the colors of paper.
_TINY = 4
_PALE = re.compile(r"(?:f[a-f0-9]){3}", re.IGNORECASE)
_GLYPHS = {"tab": "\t", "ptab": "\t", "cr": "\n", "noBreakHyphen": "-"}
_BLANKS = re.compile(r"[\t\r\n]+")


@dataclass
class WordStyle:
    """Whether a style hides its text; ``None`` if it does not define that."""

    hidden: bool | None = None
    based_on: str = ""


WordStyles = Mapping[str, WordStyle]


@dataclass
class _Run:
    """How the characters that follow are shown."""

    hidden: bool = False
    pale: bool = False
    shaded: bool = False


@dataclass
class _Level:
    """Text being put together, and the text boxes that wait for its paragraph's end."""

    pieces: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    shaded: bool = False


class Part:
    """One XML part, walked once. ``text`` is what it shows."""

    def __init__(self, styles: WordStyles) -> None:
        self.styles = styles
        self.levels = [_Level()]
        self.rows: list[list[str]] = []
        self.paragraphs: list[_Run] = []
        self.fields: list[FormField] = []
        self.runs: list[_Run] = []
        self.path: list[str] = []
        # What each open element adds to what is not shown, to be taken back at its end.
        self.silences: list[int] = []
        self.silent = 0
        self.chosen: list[bool] = []
        self.fresh_page = True
        self.break_after = False
        self.hidden: list[str] = []
        self.pale: list[str] = []
        self.deleted: list[str] = []
        self.counts: Counter[str] = Counter()

    @property
    def text(self) -> str:
        return "".join(self.levels[0].pieces)

    # ---- what the parser calls -----------------------------------------------------------------

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        above = self.path[-1] if self.path else ""
        self.path.append(local)
        attributes = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        silence = self._silence(local, above, attributes)
        self.silences.append(silence)
        self.silent += silence
        if opened := _STARTS.get(local):
            opened(self, above, attributes)
        elif local in _GLYPHS:
            # A tab stop's definition has the name of a tab.
            if above == "r":
                self.add(_GLYPHS[local])
        elif above in ("rPr", "pPr", "tcPr"):
            self._property(local, above, attributes)
        elif local in ("listEntry", "result", "default", "checked"):
            self.field_setting(local, above, attributes)

    def end(self, name: str) -> None:
        local = self.path.pop()
        if closed := _ENDS.get(local):
            closed(self)
        self.silent -= self.silences.pop()

    def characters(self, data: str) -> None:
        local = self.path[-1] if self.path else ""
        if local == "t":
            self.add(_BLANKS.sub(" ", data))
        elif local == "delText":
            self.deleted.append(data)

    # ---- what is shown -------------------------------------------------------------------------

    def add(self, text: str) -> None:
        if self.silent:
            return
        run = self.runs[-1] if self.runs else _Run()
        if run.hidden:
            self.hidden.append(text)
            return
        if run.pale and not run.shaded and not any(level.shaded for level in self.levels):
            self.pale.append(text)
        self.levels[-1].pieces.append(text)
        if not text.isspace():
            self.fresh_page = False
            for field_ in self.fields:
                field_.has_visible_words = True

    def new_page(self) -> None:
        """A page break that Word recorded; if one is already there, it is the same."""
        if not self.fresh_page and not self.silent:
            self.levels[-1].pieces.append("\f")
            self.fresh_page = True

    def _silence(self, local: str, above: str, attributes: Mapping[str, str]) -> int:
        if local in ("ins", "moveTo", "del", "moveFrom"):
            if above not in ("rPr", "trPr", "numPr"):  # there it concerns a paragraph mark only
                self.counts[local] += 1
            return int(local in ("del", "moveFrom"))
        if local in ("Choice", "Fallback") and self.chosen:
            chosen, self.chosen[-1] = self.chosen[-1], True
            return int(chosen)
        return int(local in ("footnote", "endnote") and attributes.get("type", "normal") != "normal")

    def _property(self, local: str, above: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("val", "")
        if above == "tcPr":
            self.levels[-1].shaded |= local == "shd" and _is_dark(attributes)
            return
        outer = self.path[-3] if len(self.path) > 2 else ""
        if above == "pPr" and outer == "p" and self.paragraphs:
            if local == "pStyle":
                self.paragraphs[-1].hidden = _hides(self.styles, value)
            elif local == "shd":
                self.paragraphs[-1].shaded = _is_dark(attributes)
            elif local == "pageBreakBefore" and not is_off(value):
                self.new_page()
        elif above == "rPr" and outer == "r" and self.runs:
            _format(self.runs[-1], local, value, attributes, self.styles)

    # ---- elements ------------------------------------------------------------------------------

    def start_paragraph(self, above: str, attributes: Mapping[str, str]) -> None:
        self.paragraphs.append(_Run())

    def end_paragraph(self) -> None:
        self.paragraphs.pop()
        level = self.levels[-1]
        if not self.silent:
            level.pieces += ["\n", *(box if box.endswith("\n") else box + "\n" for box in level.boxes)]
            level.boxes.clear()
        if self.break_after:
            self.break_after = False
            self.new_page()

    def start_run(self, above: str, attributes: Mapping[str, str]) -> None:
        paragraph = self.paragraphs[-1] if self.paragraphs else _Run()
        self.runs.append(_Run(paragraph.hidden, shaded=paragraph.shaded))

    def end_run(self) -> None:
        self.runs.pop()

    def line_break(self, above: str, attributes: Mapping[str, str]) -> None:
        if above == "r":
            page = attributes.get("type") == "page"
            self.add("\f" if page else "\n")
            self.fresh_page |= page

    def rendered_break(self, above: str, attributes: Mapping[str, str]) -> None:
        self.new_page()

    def section(self, above: str, attributes: Mapping[str, str]) -> None:
        self.break_after |= above == "pPr"

    def section_type(self, above: str, attributes: Mapping[str, str]) -> None:
        if above == "sectPr" and attributes.get("val") == "continuous":
            self.break_after = False

    def symbol(self, above: str, attributes: Mapping[str, str]) -> None:
        code = attributes.get("char", "")
        if re.fullmatch(r"[0-9A-Fa-f]{1,4}", code) and not 0xD800 <= int(code, 16) < 0xE000:
            self.add(chr(int(code, 16)))

    def field_mark(self, above: str, attributes: Mapping[str, str]) -> None:
        """Where a field begins, or ends: there its words are added unless the document holds them."""
        kind = attributes.get("fldCharType")
        if kind == "begin":
            self.fields.append(FormField())
        elif kind == "end" and self.fields:
            ended = self.fields.pop()
            if not ended.has_visible_words and ended.words:
                self.add(ended.words)

    def field_setting(self, local: str, above: str, attributes: Mapping[str, str]) -> None:
        if self.fields and above in ("ddList", "checkBox", "textInput"):
            self.fields[-1].read(above, local, attributes)

    def check_box(self, above: str, attributes: Mapping[str, str]) -> None:
        if self.fields and above == "ffData":
            self.fields[-1].read("checkBox", "", attributes)

    def start_level(self, above: str, attributes: Mapping[str, str]) -> None:
        self.levels.append(_Level())
        # A text box in a run is not part of the run.
        self.runs.append(_Run())

    def end_box(self) -> None:
        self.runs.pop()
        box = "".join(self.levels.pop().pieces)
        if box.strip():
            self.levels[-1].boxes.append(box)

    def end_cell(self) -> None:
        self.runs.pop()
        cell = "".join(self.levels.pop().pieces)
        if self.rows:
            self.rows[-1].append(cell.removesuffix("\n"))
        else:
            self.levels[-1].pieces.append(cell)

    def start_row(self, above: str, attributes: Mapping[str, str]) -> None:
        self.rows.append([])

    def end_row(self) -> None:
        row = "\t".join(self.rows.pop()).rstrip("\t")
        if not self.silent:
            self.levels[-1].pieces += [row, "\n"]

    def alternatives(self, above: str, attributes: Mapping[str, str]) -> None:
        self.chosen.append(False)

    def end_alternatives(self) -> None:
        self.chosen.pop()

    def picture(self, above: str, attributes: Mapping[str, str]) -> None:
        self.counts["pictures"] += 1

    def chunk(self, above: str, attributes: Mapping[str, str]) -> None:
        self.counts["chunks"] += 1


_STARTS = {
    "p": Part.start_paragraph,
    "r": Part.start_run,
    "br": Part.line_break,
    "lastRenderedPageBreak": Part.rendered_break,
    "sectPr": Part.section,
    "type": Part.section_type,
    "sym": Part.symbol,
    "fldChar": Part.field_mark,
    "checkBox": Part.check_box,
    "txbxContent": Part.start_level,
    "tc": Part.start_level,
    "tr": Part.start_row,
    "AlternateContent": Part.alternatives,
    "blip": Part.picture,
    "imagedata": Part.picture,
    "altChunk": Part.chunk,
}
_ENDS = {
    "p": Part.end_paragraph,
    "r": Part.end_run,
    "txbxContent": Part.end_box,
    "tc": Part.end_cell,
    "tr": Part.end_row,
    "AlternateContent": Part.end_alternatives,
}


def _format(run: _Run, local: str, value: str, attributes: Mapping[str, str], styles: WordStyles) -> None:
    if local == "vanish":
        run.hidden = not is_off(value)
    elif local == "rStyle":
        run.hidden |= _hides(styles, value)
    elif local == "color":
        run.pale |= _PALE.fullmatch(value) is not None
    elif local == "sz":
        run.pale |= value in [str(size) for size in range(_TINY + 1)]
    elif local == "shd":
        run.shaded |= _is_dark(attributes)
    elif local == "highlight":
        run.shaded |= value not in ("none", "white")


def _is_dark(attributes: Mapping[str, str]) -> bool:
    fill = attributes.get("fill", "auto")
    return fill != "auto" and not _PALE.fullmatch(fill)


def _hides(styles: WordStyles, name: str) -> bool:
    for _ in range(20):  # styles may be based on each other in a ring
        style = styles.get(name)
        if style is None:
            return False
        if style.hidden is not None:
            return style.hidden
        name = style.based_on
    return False
