"""PDF files: what their pages show comes out as text, row by row, each word with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extractor.errors import LetterError
from extractor.letters.documents import Document, Size
from extractor.letters.pages import legible, pdfpages
from extractor.letters.pages.layout import TextRun, rows
from extractor.letters.spans import fold
from extractor.letters.workers.frames import packed, unpacked
from extractor.letters.workers.processes import close_workers, read_pdf
from extractor.lettertypes.reading import Block
from tests.support import hostilepdf
from tests.support.imr import LENT, LETTERS, read
from tests.support.makepdf import drawn, pictures, single_spaced, typeset

Draw = Callable[[Canvas], Any]

PROSE = (LETTERS / "all-overturned.txt").read_text("utf-8")


@pytest.fixture(scope="module", autouse=True)
def _workers() -> Iterator[None]:
    yield
    close_workers()


def here(data: bytes) -> Document:
    """Read in this process, so that a test can change what it finds installed."""
    return pdfpages.read(data, "letter.pdf", lambda: None)


@pytest.fixture
def no_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfpages, "is_installed", lambda: False)


def at(*placed: tuple[float, float, str]) -> Draw:
    """Pieces of text in this drawing order; x and y from the lower left corner."""

    def draw(canvas: Canvas) -> None:
        for x, y, text in placed:
            canvas.drawString(x, y, text)

    return draw


def spaced(gap: float) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Page(s): 177-179, 301.", charSpace=gap)

    return draw


def superscript(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "ACOEM 2")
    canvas.setFont("Times-Roman", 7)
    canvas.drawString(110, 704, "nd")
    canvas.setFont("Times-Roman", 11)
    canvas.drawString(120, 700, "Edition")


def stamped(canvas: Canvas) -> None:
    at((72, 700, "The request is"), (72, 686, "not medically necessary."))(canvas)
    canvas.saveState()
    canvas.translate(590, 300)
    canvas.rotate(90)
    canvas.drawString(0, 0, "RECEIVED 12/05/2016")
    canvas.restoreState()


def crooked(canvas: Canvas) -> None:
    canvas.rotate(-2)
    lines = [
        "Claims Administrator guideline: Decision based on MTUS Chronic Pain Medical",
        "Treatment Guidelines Page(s): 114-117.",
    ]
    at(*((50, 700 - 13 * n, line) for n, line in enumerate(lines * 3)))(canvas)


def form(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "Outcome:")
    canvas.acroForm.textfield(name="outcome", x=130, y=696, width=120, height=16, value="Upheld", fontSize=11)


def boxes(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "MRI:")
    for x, word, checked in ((130, "Upheld", False), (230, "Overturned", True)):
        canvas.acroForm.checkbox(name=word, x=x, y=697, size=12, checked=checked)
        canvas.drawString(x + 16, 700, word)


def buttons(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "Priority:")
    for x, word, selected in ((130, "Regular", True), (230, "Expedited", False)):
        canvas.acroForm.radio(name="priority", value=word, x=x, y=697, size=12, selected=selected)
        canvas.drawString(x + 16, 700, word)


TABLE = (
    (72, 700, "Case Number:"), (180, 700, "CM16-0100200"), (72, 687, "Priority:"), (180, 687, "Standard"),
    (330, 687, "Application"), (330, 674, "Received:"), (430, 687, "11/21/2016"),
)  # fmt: skip

PAGES: list[tuple[str, Draw, str]] = [
    ("a range over a line's end", at((72, 700, "Page(s): 177-"), (72, 686, "179.")), "Page(s): 177-\n179.\n"),
    ("a word over a line's end", at((72, 700, "signs of radicu-"), (72, 686, "lopathy")), "signs of radicu-\nlopathy\n"),
    ("paragraphs", at((72, 700, "One"), (72, 687, "Two"), (72, 661, "Three"), (72, 648, "Four")), "One\nTwo\n\nThree\nFour\n"),
    ("drawn out of order", at((72, 686, "second line"), (140, 700, "line"), (72, 700, "The first")), "The first   line\nsecond line\n"),
    ("a table of labels", at(*TABLE), "Case Number:   CM16-0100200\nPriority:   Standard   Application   11/21/2016\nReceived:\n"),
    ("a table drawn by columns", at(*sorted(TABLE)), "Case Number:   CM16-0100200\nPriority:   Standard   Application   11/21/2016\nReceived:\n"),
    ("no blanks, only places", at((72, 700, "Decision"), (113, 700, "based"), (141, 700, "on"), (155, 700, "MTUS")), "Decision based on MTUS\n"),
    ("letters set apart", spaced(2.5), "Page(s): 177-179, 301.\n"),
    ("bold by drawing twice", at((72, 700, "BACK BRACE: Upheld"), (72.3, 700, "BACK BRACE: Upheld")), "BACK BRACE: Upheld\n"),
    ("a superscript", superscript, "ACOEM 2nd Edition\n"),
    ("a stamp along the margin", stamped, "The request is\nnot medically necessary.\n\nRECEIVED 12/05/2016\n"),
    ("a filled-in form", form, "Outcome: Upheld\n"),
    ("check boxes", boxes, "MRI:   [ ] Upheld   [X] Overturned\n"),
    ("radio buttons", buttons, "Priority:   [X] Regular   [ ] Expedited\n"),
    ("a crooked page", crooked, 3 * "Claims Administrator guideline: Decision based on MTUS Chronic Pain Medical\nTreatment Guidelines Page(s): 114-117.\n"),
]  # fmt: skip


@pytest.mark.parametrize(("draw", "text"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
def test_pages_come_out_as_they_are_read(draw: Draw, text: str, no_ocr: None) -> None:
    assert here(drawn(draw)).text == text


def test_pages_are_joined_by_form_feeds_and_blank_ones_count() -> None:
    document = read_pdf(drawn(at((72, 700, "One")), at(), at((72, 700, "Three"))), "letter.pdf")
    assert document.text == "One\n\f\fThree\n"
    assert [page.of(document.text) for page in document.pages] == ["One\n\f", "\f", "Three\n"]
    assert [word.page for word in document.words] == [0, 2]
    assert document.origin == "pdf"
    assert document.sizes == (Size(612, 792),) * 3


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("by", ["page", "writing"])
def test_turned_pages_stand_upright(quarters: int, by: str, no_ocr: None) -> None:
    lines = at((72, 700, "HERE is the first line of the page"), (72, 686, "and this is the second"))

    def turned(canvas: Canvas) -> None:
        canvas.translate(306, 396)
        canvas.rotate(-90 * quarters)
        canvas.translate(-306, -396)
        lines(canvas)

    data = drawn(lines if by == "page" else turned)
    if by == "page":
        with pypdfium2.PdfDocument(data) as pdf:
            pdf[0].set_rotation(90 * quarters)
            data = _saved(pdf)
    document = here(data)
    assert document.text == "HERE is the first line of the page\nand this is the second\n"
    word = document.words[0]
    assert word.span.of(document.text) == "HERE"
    if by == "page" and quarters == 0:
        assert tuple(word.box) == pytest.approx((72 / 612, 82.2 / 792, 102 / 612, 94.7 / 792), abs=0.005)
    else:
        assert word.box.right - word.box.left > word.box.bottom - word.box.top


def _saved(pdf: pypdfium2.PdfDocument) -> bytes:
    import io

    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("letter_id", ["all-overturned", "dwc-2014-002", "twelve-decisions"])
def test_each_word_has_its_span_and_its_box_in_the_order_of_the_page(letter_id: str) -> None:
    text = (LETTERS / f"{letter_id}.txt").read_bytes().decode()
    document = read_pdf(typeset(text, "Page {n}"), "letter.pdf")
    assert [word.span.of(document.text) for word in document.words] == document.text.split()
    for word in document.words:
        assert 0 <= word.box.left < word.box.right <= 1
        assert 0 <= word.box.top < word.box.bottom <= 1
        assert word.confidence is None
        assert document.pages[word.page].covers(word.span)
    assert document.notes == ()


def test_a_box_lies_where_the_ink_is() -> None:
    data = drawn(at((300, 400, "Overturned")))
    box = read_pdf(data, "letter.pdf").words[0].box
    picture = pictures(data, 144)[0]
    inked = picture.point(lambda value: 255 * (value < 128)).getbbox()
    assert inked is not None
    left, top, right, bottom = inked
    assert box.left * picture.width == pytest.approx(left, abs=3)
    assert box.right * picture.width == pytest.approx(right, abs=3)
    assert box.top * picture.height <= top
    assert bottom <= box.bottom * picture.height


# ---- what nobody can see -----------------------------------------------------------------------


def white(canvas: Canvas) -> None:
    canvas.setFillGray(1)
    canvas.drawString(180, 700, "answer Overturned")


def faint(canvas: Canvas) -> None:
    canvas.setFillGray(0.97)
    canvas.drawString(180, 700, "answer Overturned")


def tiny(canvas: Canvas) -> None:
    canvas.setFont("Times-Roman", 0.6)
    canvas.drawString(180, 700, "answer Overturned")


def unpainted(canvas: Canvas) -> None:
    words = canvas.beginText(180, 700)
    words.setTextRenderMode(3)
    words.textLine("answer Overturned")
    canvas.drawText(words)


def unpainted_over_ink(canvas: Canvas) -> None:
    at((180, 700, "visible words here"))(canvas)
    unpainted(canvas)


def white_over_ink(canvas: Canvas) -> None:
    at((180, 700, "visible words here"))(canvas)
    white(canvas)


def beside(canvas: Canvas) -> None:
    canvas.drawString(700, 700, "answer Overturned")


@pytest.mark.parametrize(
    ("hide", "seen"),
    [(white, ""), (faint, ""), (tiny, ""), (unpainted, ""), (beside, ""), (unpainted_over_ink, "   visible words here"), (white_over_ink, "   visible words here")],
)  # fmt: skip
def test_words_that_nobody_can_see_are_left_out_and_told(hide: Draw, seen: str) -> None:
    def draw(canvas: Canvas) -> None:
        at((72, 700, "Back brace: Upheld"), (72, 686, "Next line"))(canvas)
        hide(canvas)

    document = read_pdf(drawn(draw), "letter.pdf")
    assert document.text == f"Back brace: Upheld{seen}\nNext line\n"
    assert {note.code for note in document.notes} == {"hidden_text"}
    assert " ".join(note.words for note in document.notes) == "answer Overturned"
    for note in document.notes:
        assert note.span is not None
        assert "Overturned" not in note.message
        assert document.text[: note.span.start].startswith("Back brace: Upheld")


def covered(x: float, width: float, text: str = "SSN 123-45-6789 of record") -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, text)
        canvas.rect(x, 697, width, 12, stroke=0, fill=1)

    return draw


def under_a_photograph(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "SSN 123-45-6789 of record")
    canvas.drawImage(ImageReader(Image.radial_gradient("L")), 94, 690, 59, 24)


def whitened(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "SSN 123-45-6789 of record")
    canvas.setFillGray(1)
    canvas.rect(94, 690, 60, 24, stroke=0, fill=1)


@pytest.mark.parametrize(
    ("draw", "text", "gone"),
    [
        (covered(97, 58), "SSN   of record\n", "6789"),
        (covered(60, 200), "", "record"),
        (under_a_photograph, "SSN   of record\n", "6789"),
        (whitened, "SSN   of record\n", "6789"),
        (covered(96, 37), "SSN   6789 of record\n", "123"),
        (lambda canvas: (covered(97, 58)(canvas), canvas.drawString(72, 680, "second")), "SSN   of record\nsecond\n", "123"),
    ],
)  # fmt: skip
def test_redacted_words_reach_nothing(draw: Draw, text: str, gone: str) -> None:
    document = read_pdf(drawn(draw, at((72, 700, "A second page."))), "letter.pdf")
    assert document.text == f"{text}\fA second page.\n"
    assert [note.code for note in document.notes] == ["redacted_text"]
    assert gone not in json.dumps(packed(document))


def dark_bar(canvas: Canvas) -> None:
    canvas.rect(60, 690, 300, 30, fill=1)
    canvas.setFillGray(1)
    canvas.drawString(72, 700, "DECISION: 177-179.")


def grey(canvas: Canvas) -> None:
    canvas.setFillGray(0.75)
    canvas.drawString(72, 700, "DECISION: 177-179.")


def on_yellow(canvas: Canvas) -> None:
    canvas.setFillColorRGB(1, 1, 0)
    canvas.rect(60, 690, 300, 30, fill=1, stroke=0)
    canvas.setFillGray(0)
    canvas.drawString(72, 700, "DECISION: 177-179.")


def dots(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "DECISION: 177-179.")
    canvas.drawString(72, 686, ". - , : ... I l 1 i | ' _")


def on_a_picture(canvas: Canvas) -> None:
    canvas.drawImage(ImageReader(Image.new("L", (9, 9), 200)), 60, 690, 300, 24)
    canvas.drawString(72, 700, "DECISION: 177-179.")


def beneath_a_signature(canvas: Canvas) -> None:
    canvas.drawString(72, 700, "DECISION: 177-179.")
    clear = Image.merge(
        "LA", (Image.new("L", (90, 30), 0), Image.radial_gradient("L").resize((90, 30)).point(lambda v: v // 4))
    )
    canvas.drawImage(ImageReader(clear.convert("RGBA")), 60, 690, 300, 24, mask="auto")


@pytest.mark.parametrize("draw", [dark_bar, grey, on_yellow, on_a_picture, beneath_a_signature, dots])
def test_words_that_can_be_seen_stay(draw: Draw) -> None:
    document = read_pdf(drawn(draw), "letter.pdf")
    assert document.text.startswith("DECISION: 177-179.\n")
    assert document.notes == ()
    if draw is dots:
        assert document.text.split("\n")[1].split() == [*".-,:", "...", *"Il1i|'_"]


# ---- text layers that cannot be believed -------------------------------------------------------


def layered(*, picture_last: bool, painted: bool) -> bytes:
    """A picture of a letter that fills the page, and words with it."""
    picture = ImageReader(pictures(typeset(PROSE), 100)[0])

    def draw(canvas: Canvas) -> None:
        if not picture_last:
            canvas.drawImage(picture, 0, 0, 612, 792)
        words = canvas.beginText(72, 720)
        words.setFont("Times-Roman", 11)
        words.setTextRenderMode(0 if painted else 3)
        for line in PROSE.split("\n")[:40]:
            words.textLine(line)
        words.setTextRenderMode(0)
        canvas.drawText(words)
        if picture_last:
            canvas.drawImage(picture, 0, 0, 612, 792)

    return drawn(draw)


@pytest.mark.parametrize(
    ("picture_last", "painted", "codes"),
    [(False, False, ["scanned_layer"]), (True, True, ["scanned_layer"]), (True, False, ["scanned_layer"]), (False, True, [])],
)  # fmt: skip
def test_words_that_only_accompany_a_scan_are_told_apart(
    picture_last: bool, painted: bool, codes: list[str], no_ocr: None
) -> None:
    document = here(layered(picture_last=picture_last, painted=painted))
    assert [note.code for note in document.notes] == codes
    assert "Case Number" in document.text


def test_letters_drawn_as_lines_with_words_over_them_are_read(no_ocr: None) -> None:
    """As some print drivers do; here the lines are bars where the letters would be."""

    def draw(canvas: Canvas) -> None:
        words = canvas.beginText(72, 700)
        words.setTextRenderMode(3)
        for row, line in enumerate(single_spaced(PROSE).split("\n")[:30]):
            words.textLine(line)
            for column in range(len(line)):
                canvas.rect(72 + 5 * column, 701 - 13.2 * row, 1.5, 5, stroke=0, fill=1)
        canvas.drawText(words)

    document = here(drawn(draw))
    assert [note.code for note in document.notes] == ["scanned_layer"]
    assert document.text.startswith("Case Number: ")


def test_bars_over_a_scan_cover_its_words_too(no_ocr: None) -> None:
    picture = ImageReader(pictures(typeset(PROSE), 100)[0])

    def draw(canvas: Canvas) -> None:
        words = canvas.beginText(72, 720)
        words.setFont("Times-Roman", 11, 13.2)
        for line in single_spaced(PROSE).split("\n")[:40]:
            words.textLine(line)
        canvas.drawText(words)
        canvas.drawImage(picture, 0, 0, 612, 792)
        canvas.rect(60, 703, 500, 30, stroke=0, fill=1)

    document = here(drawn(draw))
    assert [note.code for note in document.notes] == ["scanned_layer", "redacted_text"]
    first, second, third = single_spaced(PROSE).split("\n")[:3]
    assert "Decision Date" in third
    assert " ".join(third.split()) in document.text
    assert first not in document.text
    assert second.split()[-1] not in json.dumps(packed(document))


def test_a_font_that_names_its_letters_wrongly_is_an_error_and_not_text(no_ocr: None) -> None:
    with pytest.raises(LetterError) as raised:
        here(hostilepdf.without_unicode(PROSE))
    assert raised.value.code == "garbage_text"
    assert "tesseract" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "doubtful", "garbage"),
    [
        (PROSE, False, False),
        ("Case Number: CM16-0100200 Date Assigned: 12/05/2016", False, False),
        ("Der Antrag wurde abgelehnt, weil keine Zeichen einer Verletzung gefunden wurden. " * 4, True, False),
        ("0$;,086 )HGHUDO 6HUYLFHV VHQW WKH FRPSOHWH FDVH ILOH WR DQ H[SHUW UHYLHZHU " * 4, True, True),
        ("\ufffd\ufffd \ufffd\ufffd\ufffd " * 20, True, True),
        ("12/05/2016 11/30/2016 301 340 177-179 $14.00 3 5 7 9 11 " * 4, True, False),
    ],
)  # fmt: skip
def test_prose_tables_and_noise(text: str, doubtful: bool, garbage: bool) -> None:
    assert legible.is_doubtful(text) is doubtful
    assert legible.is_garbage(text) is garbage


def pictured(*stamps: str) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(pictures(typeset(PROSE), 60)[0]), 0, 0, 612, 792)
        for row, stamp in enumerate(stamps):
            canvas.drawString(72, 20 + 12 * row, stamp)

    return draw


def test_pictures_of_pages_are_an_error_where_they_cannot_be_read(no_ocr: None) -> None:
    for stamps in ((), ("Final Determination Letter for IMR Case Number CM14-0012347   3",)):
        with pytest.raises(LetterError) as raised:
            here(drawn(pictured(*stamps)))
        assert raised.value.code == "no_text"
        assert "tesseract" in raised.value.hint


def test_a_picture_among_pages_of_text_sends_the_letter_to_a_person(no_ocr: None) -> None:
    lines = single_spaced(PROSE).split("\n")[:40]
    document = here(drawn(at(*((72, 720 - 13 * n, line) for n, line in enumerate(lines))), pictured("BATES 000123")))
    [note] = document.notes
    assert (note.code, note.severity) == ("unread_page", "error")
    assert note.span == document.pages[1]


def test_a_page_with_a_logo_and_few_words_is_text(no_ocr: None) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(Image.new("L", (90, 30), 60)), 72, 740, 90, 24)
        at((72, 700, "DECISION"), (72, 670, "The request is not medically necessary."))(canvas)

    document = here(drawn(draw))
    assert document.text == "DECISION\n\nThe request is not medically necessary.\n"
    assert document.notes == ()


# ---- bad files ---------------------------------------------------------------------------------

WHOLE = typeset(PROSE)
BAD: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "empty"),
    ("cut at half", WHOLE[: len(WHOLE) // 2], "damaged"),
    ("cut near the end", WHOLE[: len(WHOLE) * 95 // 100], "damaged"),
    ("a web page", b"<html><body>" + b"Access denied. " * 90 + b"</body></html>", "damaged"),
    ("a user's password", hostilepdf.encrypted("secret"), "encrypted"),
    ("a page tree that loops", hostilepdf.page_tree_loop(), "damaged"),
    ("a page count that lies", hostilepdf.lying_count(), "no_text"),
    ("5,000 pages", hostilepdf.many_pages(5000), "too_many_pages"),
    ("a page of a mile", hostilepdf.huge_page(200_000), "too_large"),
    ("a blank page", hostilepdf.many_pages(1), "no_text"),
    ("900 million pixels", hostilepdf.page_of_pixels(), "no_text"),
    ("2 GB of blanks", hostilepdf.stream_bomb(2048), "worker_crashed"),
    ("forms in forms", hostilepdf.nested_forms(), "worker_crashed"),
]


@pytest.mark.sample(6)
@pytest.mark.parametrize(("data", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_is_a_clear_error_and_the_next_one_is_read(data: bytes, code: str) -> None:
    assert len(data) < 600_000
    with pytest.raises(LetterError) as raised:
        read_pdf(data, "folder/bad.pdf")
    assert raised.value.code == code
    assert "folder/bad.pdf" in raised.value.message
    assert raised.value.hint
    assert read_pdf(WHOLE, "good.pdf").text.startswith("Case Number:")


@pytest.mark.parametrize("data", [hostilepdf.encrypted(""), b"HTTP/1.1 200 OK\r\n\r\n" + hostilepdf.encrypted("")])
def test_files_that_only_look_bad(data: bytes) -> None:
    assert read_pdf(data, "a.pdf").text == "The request for a back brace is not medically necessary.\n"


@pytest.mark.slow
def test_a_damaged_byte_gives_a_document_or_an_error_and_nothing_else() -> None:
    ends = []
    for data in hostilepdf.mutants(drawn(at(*TABLE)), 60):
        try:
            ends.append(read_pdf(data, "mutant.pdf").origin)
        except LetterError as error:
            ends.append(error.code if error.hint else "no hint")
    assert set(ends) <= {"pdf", "ocr", "damaged", "encrypted", "no_text", "garbage_text", "too_large", "too_many_pages"}
    assert {"pdf", "damaged"} <= set(ends)


# ---- rows --------------------------------------------------------------------------------------


@given(st.permutations(range(24)), st.sampled_from([0, 1, 2, 3]), st.floats(-2.0, 2.0))
def test_rows_do_not_depend_on_the_order_of_drawing(order: list[int], turn: int, skew: float) -> None:
    """Six lines of four words, in any order, turned and a little crooked."""
    fall = math.tan(math.radians(skew)) if order == sorted(order) else 0.0
    runs = []
    for word in order:
        x, y = 72 + 100 * (word % 4), 100 + 14 * (word // 4) + 100 * (word % 4) * fall
        left, top, right, bottom = x, y, x + 60, y + 11
        for _ in range(turn):
            left, top, right, bottom = 792 - bottom, left, 792 - top, right
        runs.append(TextRun(str(word), left, top, right, bottom, turn=turn))
    assert [[run.text for run in row] for row in rows(runs)] == [[str(4 * r + c) for c in range(4)] for r in range(6)]


def test_a_document_survives_the_pipe() -> None:
    document = read_pdf(drawn(lambda canvas: (dots(canvas), white(canvas))), "a.pdf")
    assert unpacked(json.loads(json.dumps(packed(document)))) == document


# ---- whole letters -----------------------------------------------------------------------------


def leaves(block: Block, at: str = "") -> dict[str, Any]:
    """Every fact of a reading by its place, whitespace folded."""
    found: dict[str, Any] = {f"{at}/certain": block.certain}
    for name, fact in block.facts.items():
        found[f"{at}/{name}"] = (_folded(fact.value), fact.certain)
    for name, blocks in block.blocks.items():
        found[f"{at}/{name}"] = len(blocks)
        for number, inner in enumerate(blocks):
            found |= leaves(inner, f"{at}/{name}/{number}")
    return found


def _folded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_folded(inner) for inner in value]
    return fold(value) if isinstance(value, str) else value


CLEAN = ("all-overturned", "dwc-2014-000", "dwc-2014-001", "dwc-2014-002", "dwc-2014-003", "dwc-2014-004", "form-2013",
         "mixed-outcomes", "outcome-own-line", "pages-in-both", "partly-authorized", "twelve-decisions")  # fmt: skip


@pytest.mark.parametrize("letter_id", CLEAN)
def test_a_typeset_letter_reads_as_its_text_does(letter_id: str) -> None:
    text = (LETTERS / f"{letter_id}.txt").read_bytes().decode()
    footer = "Final Determination Letter for IMR Case Number CM14-0012347   {n}"
    document = read_pdf(typeset(text, footer), "letter.pdf")
    expected, got = leaves(read(text).root), leaves(read(document.text).root)
    assert {at: (value, got.get(at)) for at, value in expected.items() if got.get(at) != value} == {}
    assert set(got) == set(expected)


LENT_PDFS = sorted(LENT.glob("*.pdf")) if LENT.is_dir() else []


@pytest.mark.skipif(not LENT_PDFS, reason="LETTERPROOF_LETTERS names no folder of letters with PDFs")
@pytest.mark.slow
def test_real_letters_read_from_pdf_as_from_their_text_files() -> None:
    wrong = []
    for path in LENT_PDFS:
        document = read_pdf(path.read_bytes(), path.name)
        expected = leaves(read(path.with_suffix(".txt").read_bytes().decode()).root)
        got = leaves(read(document.text).root)
        wrong += [f"{path.stem}{at}" for at in sorted(expected.keys() | got.keys()) if expected.get(at) != got.get(at)]
        wrong += [f"{path.stem} {note.code}" for note in document.notes]
    assert wrong == []
