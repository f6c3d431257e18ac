"""What is on top of a PDF page: form fields, comments, attached files. Runs in a worker process.

A viewer shows the value of a form field even if the file holds no picture of it, because the viewer draws
it. The same is done here: a field with a value and without an appearance gets one, so that reading and
drawing the page need no second path.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2.raw as pdfium

from extractor.errors import LetterError
from extractor.letters.documents import ATTACHED, Note

# PDF 32000-1:2008, table 165: an annotation with one of these flags is not shown.
_INVISIBLE = 1 | 2 | 32
_TEXT_FIELDS = (
    pdfium.FPDF_FORMFIELD_TEXTFIELD,
    pdfium.FPDF_FORMFIELD_COMBOBOX,
    pdfium.FPDF_FORMFIELD_LISTBOX,
)
_CHECKED_FIELDS = (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
# These carry their words in a window that a printed page does not show.
_COMMENTS = (
    pdfium.FPDF_ANNOT_TEXT,
    pdfium.FPDF_ANNOT_HIGHLIGHT,
    pdfium.FPDF_ANNOT_UNDERLINE,
    pdfium.FPDF_ANNOT_STRIKEOUT,
    pdfium.FPDF_ANNOT_SQUIGGLY,
    pdfium.FPDF_ANNOT_CARET,
    pdfium.FPDF_ANNOT_INK,
    pdfium.FPDF_ANNOT_STAMP,
)
_FONT_SIZE = 10.0
_SMALLEST_FONT = 4.0
_LINE = 1.2
# Width of an average character in units of the font size (Helvetica).
_AVERAGE = 0.5
# Width of "[X]" in the same units.
_MARK_WIDTH = 1.3
_MOST_WORDS = 5000
_MOST_NAMES = 20
# Attached files, and their bytes altogether.
_MOST_FILES, _MOST_BYTES = 1_000, 100_000_000


def refuse_dynamic_form(file: Any, name: str) -> None:
    """Raise ``LetterError`` for a form whose pages only Adobe's own programs can lay out (XFA)."""
    if pdfium.FPDF_GetFormType(file) == pdfium.FORMTYPE_XFA_FULL:
        hint = "open it in Adobe Acrobat or Reader and print it to a new PDF"
        raise LetterError(f"{name} is an XFA form without its own pages", code="unsupported_type", hint=hint)


def attached_files(file: Any) -> list[Note]:
    """A note that names the files attached to a PDF, or no note."""
    count = pdfium.FPDFDoc_GetAttachmentCount(file)
    if count < 1:
        return []
    names = [_attachment_name(file, i) for i in range(min(count, _MOST_NAMES))]
    message = f"{count} {'file is' if count == 1 else 'files are'} attached to this PDF; each is a letter of its own"
    return [Note(ATTACHED, message, words="\n".join(filter(None, names)), severity="info")]


def attachments_of(file: Any, name: str) -> list[tuple[str, bytes]]:
    """The names and bytes of the files attached to a PDF. Raises ``LetterError`` if they are too many or too large."""
    count = pdfium.FPDFDoc_GetAttachmentCount(file)
    found, size = [], 0
    for index in range(count):
        data = _attachment_bytes(file, index, _MOST_BYTES - size)
        if count > _MOST_FILES or data is None:
            hint = "save them by hand, and name the folder"
            raise LetterError(f"{name} has too many attached files, or too large ones", code="too_large", hint=hint)
        size += len(data)
        found.append((_attachment_name(file, index) or f"attachment-{index + 1}", data))
    return found


def _attachment_bytes(file: Any, index: int, most: int) -> bytes | None:
    """``None`` for more than ``most`` bytes."""
    attachment, size = pdfium.FPDFDoc_GetAttachment(file, index), ctypes.c_ulong()
    if not attachment or not pdfium.FPDFAttachment_GetFile(attachment, None, 0, size):
        return b""
    if size.value > most:
        return None
    buffer = ctypes.create_string_buffer(max(1, size.value))
    if not pdfium.FPDFAttachment_GetFile(attachment, buffer, size.value, size):
        return b""
    return buffer.raw[: size.value]


def flattened(file: Any, number: int) -> list[Note]:
    """Make form fields and text boxes part of a page, as a viewer shows them.

    A visible field with a value and no appearance gets one first. Returns notes with the words of comments,
    which do not become part of the text, and of text boxes, which do.
    """
    with _form(file) as form:
        page = pdfium.FPDF_LoadPage(file, number)
        try:
            words, boxes = [], []
            for annotation in _annotations(page):
                if _is_invisible(annotation):
                    continue
                if pdfium.FPDFAnnot_GetSubtype(annotation) in _COMMENTS:
                    words.append(_string(annotation, b"Contents").strip())
                    continue
                if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FREETEXT:
                    boxes.append(_string(annotation, b"Contents").strip())
                if mark := _check_mark(form, annotation):
                    _draw(annotation, mark, *_fitted_mark(annotation))
                elif not _has_appearance(annotation) and (shown := _shown_words(form, annotation)):
                    _draw(annotation, shown)
            pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
        finally:
            pdfium.FPDF_ClosePage(page)
    outside, inside = "their words are not part of the text", "their words are part of the text"
    return [
        *_comment(f"comments are attached to this page; {outside}", words),
        *_comment(f"text boxes were added on top of this page; {inside}", boxes),
    ]


def _comment(message: str, words: list[str]) -> list[Note]:
    shown = "\n".join(filter(None, words))[:_MOST_WORDS]
    return [Note("comment", message, words=shown, severity="error")] if shown else []


def _shown_words(form: Any, annotation: Any) -> str:
    subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
    if subtype == pdfium.FPDF_ANNOT_FREETEXT:
        return _string(annotation, b"Contents")
    if subtype != pdfium.FPDF_ANNOT_WIDGET:
        return ""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _TEXT_FIELDS:
        return _wide(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))
    return ""


def _check_mark(form: Any, annotation: Any) -> str:
    """The state of a check box or radio button as text: drawn as a shape it would not be part of the page's words."""
    if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_WIDGET:
        return ""
    if pdfium.FPDFAnnot_GetFormFieldType(form, annotation) not in _CHECKED_FIELDS:
        return ""
    # PDF 32000-1:2008, 12.7.4.2.3: the appearance state, else the value; the library's own answer lacks both at times.
    state = _string(annotation, b"AS") or _string(annotation, b"V")
    checked = state != "Off" if state else pdfium.FPDFAnnot_IsChecked(form, annotation)
    return "[X]" if checked else "[ ]"


def _fitted_mark(annotation: Any) -> tuple[float, float]:
    left, bottom, right, top = _rectangle(annotation)
    return min(_FONT_SIZE, (right - left) / _MARK_WIDTH, top - bottom), 0.0


def _rectangle(annotation: Any) -> tuple[float, float, float, float]:
    place = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, place)
    return (
        *(min(place.left, place.right), min(place.bottom, place.top)),
        *(max(place.left, place.right), max(place.bottom, place.top)),
    )


def _draw(annotation: Any, words: str, size: float | None = None, margin: float = 2.0) -> None:
    """Write ``words`` into the annotation's rectangle; without a ``size``, the font shrinks until they fit."""
    left, bottom, right, top = _rectangle(annotation)
    lines = [words]
    if size is None:
        size, lines = _fitted(words, right - left - 2 * margin, top - bottom)
    start = top - size if len(lines) > 1 else (top + bottom - 0.7 * size) / 2
    shown = " ".join(f"({_escaped(line)}) Tj 0 {-_LINE * size:.2f} Td" for line in lines)
    stream = f"BT /Helv {size:.2f} Tf 0 g {left + margin:.2f} {start:.2f} Td {shown} ET"
    encoded = (stream + "\0").encode("utf-16-le")
    buffer = (pdfium.FPDF_WCHAR * (len(encoded) // 2)).from_buffer_copy(encoded)
    pdfium.FPDFAnnot_SetAP(annotation, pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL, buffer)


def _fitted(words: str, width: float, height: float) -> tuple[float, list[str]]:
    size = min(_FONT_SIZE, max(height / _LINE, _SMALLEST_FONT))
    while True:
        lines = _wrapped(words, max(1, int(width / (_AVERAGE * size))))
        if size <= _SMALLEST_FONT or len(lines) * _LINE * size <= max(height, _LINE * size):
            return size, lines
        size -= 0.5


def _wrapped(words: str, characters: int) -> list[str]:
    lines = []
    for line in words.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        current = ""
        for word in line.split():
            if current and len(current) + 1 + len(word) > characters:
                lines.append(current)
                current = word
            else:
                current = f"{current} {word}".lstrip()
        lines.append(current)
    return lines


def _escaped(line: str) -> str:
    """A line as a PDF string in the default font's encoding, Windows-1252."""
    plain = line.encode("cp1252", "replace").decode("latin-1")
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


# ---- the library's annotations -------------------------------------------------------------------


@contextmanager
def _form(file: Any) -> Iterator[Any]:
    callbacks = pdfium.FPDF_FORMFILLINFO(version=2)  # the library keeps a pointer to it
    form = pdfium.FPDFDOC_InitFormFillEnvironment(file, callbacks)
    try:
        yield form
    finally:
        pdfium.FPDFDOC_ExitFormFillEnvironment(form)


def _annotations(page: Any) -> Iterator[Any]:
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        if annotation := pdfium.FPDFPage_GetAnnot(page, index):
            try:
                yield annotation
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)


def _is_invisible(annotation: Any) -> bool:
    return bool(pdfium.FPDFAnnot_GetFlags(annotation) & _INVISIBLE)


def _has_appearance(annotation: Any) -> bool:
    normal = pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL
    return bool(pdfium.FPDFAnnot_HasKey(annotation, b"AP")) and bool(
        _wide(lambda buffer, size: pdfium.FPDFAnnot_GetAP(annotation, normal, buffer, size))
    )


def _string(annotation: Any, key: bytes) -> str:
    return _wide(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _attachment_name(file: Any, index: int) -> str:
    attachment = pdfium.FPDFDoc_GetAttachment(file, index)
    return _wide(lambda buffer, size: pdfium.FPDFAttachment_GetName(attachment, buffer, size)) if attachment else ""


def _wide(ask: Callable[[Any, int], int]) -> str:
    """A UTF-16 string of the library, which is asked twice: for the size in bytes, then for the string."""
    size = int(ask(None, 0))
    if size < 2:
        return ""
    buffer = (pdfium.FPDF_WCHAR * ((size + 1) // 2))()
    ask(buffer, size)
    return bytes(ctypes.string_at(buffer, size)).decode("utf-16-le", "replace").rstrip("\0")
