"""Scans, faxes and photographs: what OCR reads, where it is, and that doubt is reported."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extractor.errors import LetterError
from extractor.letters.documents import Document, Size
from extractor.letters.pages import images, scans, tesseract
from extractor.letters.pages.glyphs import read_layer
from extractor.letters.pages.images import prepared
from extractor.letters.pages.ink import picture_of
from extractor.letters.pages.layout import Sheet, TextRun, document_of
from extractor.letters.pages.scans import with_unsure_digits
from extractor.letters.pages.tesseract import parsed
from extractor.letters.workers.processes import close_workers, read_image, read_pdf
from tests.support import hostilepdf, makepdf
from tests.support.imr import LETTERS, read

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not installed: apt-get install tesseract-ocr"
)

LETTER = """Case Number: CM14-0012347
Date Assigned: 09/14/2016 Date of Injury: 03/02/2015

CLINICAL CASE SUMMARY
The injured worker is a 45 year old female who was hurt when she lifted a box.
The request for a back brace was denied by utilization review on 10/02/2014.

BACK BRACE: Upheld

Claims Administrator guideline: Decision based on MTUS ACOEM Chapter 12 Low Back
Complaints Page(s): 301.

MAXIMUS guideline: Decision based on MTUS Chronic Pain Medical Treatment Guidelines
Page(s): 114-117.

Decision rationale: The guideline does not support the use of a back brace in the
chronic phase. The request is not medically necessary.
"""
PDF = makepdf.typeset(LETTER)
WORDS = LETTER.split()


@pytest.fixture(scope="module", autouse=True)
def _workers() -> Iterator[None]:
    yield
    close_workers()


def scan(dpi: int = 200) -> Image.Image:
    return makepdf.pictures(PDF, dpi)[0]


# ---- reading -----------------------------------------------------------------------------------


def as_pdf() -> Document:
    return read_pdf(makepdf.scan_pdf([scan()]), "scan.pdf")


def as_fax() -> Document:
    return read_image(makepdf.fax_tiff(PDF), "fax.tiff")


def as_png_with_transparency() -> Document:
    ink = scan().point(lambda value: 255 - value)
    clear = Image.merge("LA", (Image.new("L", ink.size, 0), ink))
    return read_image(makepdf.encoded(clear, "PNG", dpi=(200, 200)), "scan.png")


def as_png_of_sixteen_bits() -> Document:
    deep = scan().convert("I").point(lambda value: value * 257).convert("I;16")
    return read_image(makepdf.encoded(deep, "PNG", dpi=(200, 200)), "scan.png")


def as_photograph() -> Document:
    """Held sideways, no resolution stated."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = scan(300).rotate(90, expand=True).convert("RGB")
    return read_image(makepdf.encoded(photo, "JPEG", exif=exif, quality=60), "photo.jpg")


def as_large_scan() -> Document:
    return read_image(makepdf.encoded(scan(400), "PNG", dpi=(400, 400)), "scan.png")


@needs_tesseract
@pytest.mark.parametrize(
    "made", [as_pdf, as_fax, as_png_with_transparency, as_png_of_sixteen_bits, as_photograph, as_large_scan]
)
@pytest.mark.sample(2)
def test_a_scan_reads_as_its_letter(made: Callable[[], Document]) -> None:
    document = made()
    assert document.origin == "ocr"
    words = document.text.split()
    wrong = [(word, read) for word, read in zip(WORDS, words, strict=True) if word != read]
    assert len(wrong) <= (1 if made is as_fax else 0)
    assert [line for line in document.text.split("\n") if line.startswith("Date Assigned")] == LETTER.split("\n")[1:2]
    assert {note.code for note in document.notes} <= {"unsure_digits"}


@pytest.mark.slow
@needs_tesseract
@pytest.mark.parametrize(
    ("damage", "right"),
    [
        (makepdf.skewed, 0.99),
        (lambda page: makepdf.skewed(page, -2), 0.99),
        (makepdf.speckled, 0.97),
        (makepdf.faded, 0.99),
        (makepdf.noisy, 0.97),
        (lambda page: page.rotate(180), 0.99),
        (lambda page: page.rotate(90, expand=True), 0.99),
    ],
    ids=["skewed", "skewed the other way", "speckled", "faded", "grain", "upside down", "on its side"],
)  # fmt: skip
def test_a_damaged_scan_keeps_its_lines_and_nearly_all_its_words(
    damage: Callable[[Image.Image], Image.Image], right: float
) -> None:
    document = read_pdf(makepdf.scan_pdf([damage(scan())]), "scan.pdf")
    lines = [line.split() for line in document.text.split("\n")]
    same = sum(len(line.split()) for line in LETTER.split("\n") if line.split() in lines)
    assert same / len(WORDS) > 0.5
    words = document.text.split()
    assert sum(word in words for word in WORDS) / len(WORDS) > right


@needs_tesseract
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.sample(1)
def test_boxes_lie_on_the_upright_page(turned: int) -> None:
    """Whatever way the page was laid on the glass."""
    born = read_pdf(PDF, "letter.pdf")
    truth = {word.span.of(born.text): word.box for word in born.words}
    document = read_pdf(makepdf.scan_pdf([scan().rotate(turned, expand=True)]), "scan.pdf")
    for word in document.words:
        expected = truth.get(word.span.of(document.text))
        if expected and document.text.count(word.span.of(document.text)) == 1:
            assert word.box.left == pytest.approx(expected.left, abs=0.01)
            assert word.box.right == pytest.approx(expected.right, abs=0.01)
            assert expected.top - 0.01 < word.box.top < word.box.bottom < expected.bottom + 0.01
    messages = [note.message for note in document.notes if note.code == "turned_page"]
    assert messages == ([] if not turned else messages)
    assert all(f"clockwise by {turned} degrees" in message for message in messages)
    assert document.sizes[0][:2] == pytest.approx((612, 792), abs=1)


@needs_tesseract
@pytest.mark.slow
def test_pages_of_a_tiff_are_pages() -> None:
    document = read_image(makepdf.tiff([scan(), scan(150).resize(scan().size), scan()]), "scan.tiff")
    assert len(document.pages) == 3
    assert [page.of(document.text).split() for page in document.pages] == [WORDS] * 3
    assert {word.page for word in document.words} == {0, 1, 2}


@needs_tesseract
def test_a_poor_page_is_told_and_sends_the_letter_to_a_person() -> None:
    small = scan().resize((scan().width * 55 // 100, scan().height * 55 // 100))
    ruined = makepdf.speckled(small, 0.01)
    document = read_image(makepdf.encoded(ruined, "PNG", dpi=(110, 110)), "fax.png")
    [poor] = [note for note in document.notes if note.code == "poor_scan"]
    assert poor.severity == "error"
    assert poor.span == document.pages[0]


UPRIGHT, ANY_SIDE = False, True


@pytest.mark.parametrize(
    ("as_it_lies", "any_side_up", "tries", "read"),
    [
        (96, 0, [UPRIGHT], 96),
        (33, 96, [UPRIGHT, ANY_SIDE], 96),  # upside down
        (40, 88, [UPRIGHT, ANY_SIDE, ANY_SIDE, ANY_SIDE, ANY_SIDE], 88),  # upside down, and a poor copy
        (84, 84, [UPRIGHT, ANY_SIDE, UPRIGHT, UPRIGHT, UPRIGHT, UPRIGHT], 84),  # a poor scan that lies upright
        (90, 0, [UPRIGHT, UPRIGHT, UPRIGHT, UPRIGHT], 90),
    ],
)
def test_which_side_is_up_is_asked_only_of_a_page_that_reads_badly(
    as_it_lies: int, any_side_up: int, tries: list[bool], read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a fifth of the time of OCR."""
    made: list[bool] = []

    def recognized(image: Image.Image, dpi: int, *, any_side_up: bool = False) -> tesseract.Recognized:
        made.append(any_side_up)
        return tesseract.Recognized([TextRun("word", 0, 0, 9, 9, float(sure[any_side_up]))], 0)

    sure = {UPRIGHT: as_it_lies, ANY_SIDE: any_side_up}
    monkeypatch.setattr(scans, "recognized", recognized)
    sheet = scans.read_scan(scan(150), 150, lambda: None)
    assert made == tries
    assert [run.confidence for run in sheet.runs] == [read]


def test_each_word_of_doubtful_digits_gets_a_note() -> None:
    table = "\n".join(
        "\t".join(map(str, (5, 1, 1, 1, 1, n, 100 * n, 100, 90, 20, sure, text)))
        for n, (text, sure) in enumerate(
            [("Page(s):", 60), ("303.", 63), ("301,", 95.5), ("LS-S1", 89.9), ("maybe", 20)]
        )
    )
    document = with_unsure_digits(document_of([Sheet(Size(612, 792), parsed(table).runs)]))
    assert document.text == "Page(s): 303. 301, LS-S1 maybe\n"
    notes = [(note.code, note.span and note.span.of(document.text)) for note in document.notes]
    assert notes == [("unsure_digits", "303."), ("unsure_digits", "LS-S1")]
    assert [word.confidence for word in document.words] == [60, 63, 95.5, 89.9, 20]


@needs_tesseract
@pytest.mark.parametrize("kind", ["image under words", "garbage"])
@pytest.mark.sample(1)
def test_what_the_page_shows_is_read_and_not_what_it_carries(kind: str) -> None:
    """A layer that differs from its picture, and a font without names for its letters."""
    if kind == "garbage":
        data = hostilepdf.without_unicode(LETTER)
    else:
        shown = ImageReader(scan(150))

        def draw(canvas: Canvas) -> None:
            canvas.drawImage(shown, 0, 0, 612, 792)
            lie = canvas.beginText(72, 700)
            lie.setTextRenderMode(3)
            for line in LETTER.replace("Upheld", "Overturned").split("\n"):
                lie.textLine(line)
            lie.setTextRenderMode(0)
            canvas.drawText(lie)

        data = makepdf.drawn(draw)
    document = read_pdf(data, "letter.pdf")
    assert document.origin == "ocr"
    assert "Upheld" in document.text
    assert "Overturned" not in document.text


@needs_tesseract
@pytest.mark.slow
def test_a_scanned_page_among_others_is_read_in_its_place() -> None:
    picture = ImageReader(scan())
    lines = LETTER.split("\n")
    data = makepdf.drawn(
        lambda canvas: [canvas.drawString(72, 720 - 13 * n, line) for n, line in enumerate(lines)],
        lambda canvas: canvas.drawImage(picture, 0, 0, 612, 792),
    )
    document = read_pdf(data, "letter.pdf")
    assert [page.of(document.text).split() for page in document.pages] == [WORDS, WORDS]
    assert {word.confidence is None for word in document.words if word.page == 0} == {True}
    assert {word.confidence is None for word in document.words if word.page == 1} == {False}


# ---- bad files ---------------------------------------------------------------------------------


def _png(size: tuple[int, int], shade: int = 255) -> bytes:
    return makepdf.encoded(Image.new("L", size, shade), "PNG")


BAD = [
    ("nothing", b"", "empty"),
    ("text", b"hello " * 100, "damaged"),
    ("a PDF", PDF, "damaged"),
    ("cut off", makepdf.encoded(scan(100), "PNG")[:3000], "damaged"),
    ("a cut TIFF", makepdf.tiff([scan(100)])[:3000], "damaged"),
    ("900 million pixels", hostilepdf.picture_bomb(), "too_large"),
    ("201 pages", makepdf.tiff([Image.new("1", (8, 8), 1)] * 201), "too_many_pages"),
]


@pytest.mark.parametrize(("data", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_picture_is_a_clear_error(data: bytes, code: str) -> None:
    assert len(data) < 2_000_000
    with pytest.raises(LetterError) as raised:
        read_image(data, "folder/bad.png")
    assert raised.value.code == code
    assert "folder/bad.png" in raised.value.message
    assert raised.value.hint


@needs_tesseract
@pytest.mark.parametrize(
    "data", [_png((850, 1100)), _png((850, 1100), 0), makepdf.encoded(Image.radial_gradient("L"), "PNG")]
)
@pytest.mark.sample(1)
def test_a_picture_that_shows_no_words(data: bytes) -> None:
    with pytest.raises(LetterError) as raised:
        read_image(data, "logo.png")
    assert raised.value.code == "no_text"


def test_without_the_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "is_installed", lambda: False)
    with pytest.raises(LetterError) as raised:
        images.read(_png((850, 1100)), "scan.png", lambda: None)
    assert raised.value.code == "ocr_missing"
    assert "letterproof[ocr]" in raised.value.hint
    assert "apt-get install tesseract-ocr" in raised.value.hint


def test_a_program_that_fails_or_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for script, code in (("exit 3", "ocr_failed"), ("sleep 30", "timeout")):
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setattr(tesseract.shutil, "which", lambda name, found=str(program): found)
        monkeypatch.setattr(tesseract, "SECONDS", 0.3)
        with pytest.raises(LetterError) as raised:
            tesseract.recognized(Image.new("L", (20, 20), 255), 200)
        assert raised.value.code == code


# ---- specks ------------------------------------------------------------------------------------


def blots(*blots: tuple[int, int, int, int, int]) -> Image.Image:
    """White paper with rectangles: left, top, width, height, shade."""
    page = Image.new("L", (60, 40), 255)
    for left, top, width, height, shade in blots:
        page.paste(shade, (left, top, left + width, top + height))
    return page


@pytest.mark.parametrize(
    ("blot", "stays"),
    [
        ((20, 20, 1, 1, 0), False),
        ((20, 20, 2, 1, 0), False),
        ((20, 20, 1, 2, 0), False),
        ((20, 20, 2, 2, 0), True),  # a full stop at 150 dots an inch
        ((20, 20, 3, 1, 0), True),
        ((20, 20, 2, 2, 90), True),
        ((5, 20, 40, 2, 0), True),
        ((5, 20, 40, 8, 221), True),  # pale print
    ],
)
def test_specks_go_and_full_stops_stay(blot: tuple[int, int, int, int, int], stays: bool) -> None:
    page = blots(blot)
    assert scans.cleaned(page).tobytes() == (page if stays else blots()).tobytes()


def test_the_halo_that_jpeg_leaves_around_a_speck_goes_with_it() -> None:
    page = blots((19, 19, 3, 3, 230), (20, 20, 1, 1, 0))
    assert scans.cleaned(page).tobytes() == blots().tobytes()


@pytest.mark.parametrize(
    ("damage", "speckled"),
    [
        (lambda page: page, False),
        (makepdf.skewed, False),
        (lambda page: makepdf.copied(makepdf.copied(page)), False),
        (makepdf.speckled, True),
        (lambda page: makepdf.skewed(makepdf.speckled(page)), True),
    ],
)
def test_only_a_page_with_dots_far_from_print_is_cleaned(
    damage: Callable[[Image.Image], Image.Image], speckled: bool
) -> None:
    """Near print, they may be what is left of thin strokes."""
    assert scans.is_speckled(damage(scan(150))) is speckled


@pytest.mark.parametrize("down", [2200, 1651, 1649])
def test_a_scan_in_a_pdf_is_drawn_dot_for_dot(down: int) -> None:
    """Also where a page is no whole number of points high: rows must not be mixed."""
    chance = random.Random(down)
    image = Image.frombytes("L", (1275, down), chance.randbytes(1275 * down)).convert("1")
    data = makepdf.scan_pdf([image], 150)
    with pypdfium2.PdfDocument(data) as file:
        page = file[0]
        layer = read_layer(page.raw, Size(*page.get_size()), picture_of(page.raw, *page.get_size()))
        drawn = picture_of(page.raw, *page.get_size(), layer.dpi)
    assert layer.dpi == pytest.approx(150, abs=0.01)
    assert (drawn.across, drawn.down) == image.size
    rows = b"".join(drawn.gray[y * drawn.stride : y * drawn.stride + drawn.across] for y in range(drawn.down))
    assert rows == image.convert("L").tobytes()


# ---- pictures made ready -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "mode", "dpi", "ready", "at"),
    [
        ((1700, 2200), "L", (200, 200), (1700, 2200), 200),
        ((1728, 1078), "1", (204, 98), (1728, 2244), 204),
        ((1728, 1078), "1", None, (1728, 2244), 204),
        ((5100, 6600), "L", (600, 600), (2550, 3300), 300),
        ((3000, 4000), "L", (72, 72), (2550, 3400), 300),
        ((612, 792), "L", (72, 72), (1224, 1584), 144),
        ((850, 1100), "L", None, (1700, 2200), 200),
    ],
    ids=["unchanged", "fax", "fax that says nothing", "too fine", "a photograph's wrong resolution", "a screenshot", "coarse"],
)  # fmt: skip
def test_pictures_get_square_pixels_of_a_size_that_reads(
    size: tuple[int, int], mode: str, dpi: tuple[int, int] | None, ready: tuple[int, int], at: int
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, size, 1).save(buffer, "TIFF", **({"dpi": dpi} if dpi else {}))
    with Image.open(buffer) as opened:
        page = prepared(opened)
    assert (page.image.size, page.image.mode, page.dpi) == (ready, "L", at)


@pytest.mark.slow
@needs_tesseract
def test_a_bundled_letter_scanned_has_its_outcomes_and_pages() -> None:
    text = (LETTERS / "mixed-outcomes.txt").read_text("utf-8")
    document = read_pdf(makepdf.scan_pdf(makepdf.pictures(makepdf.typeset(text), 150), 150), "scan.pdf")
    assert content(document.text) == content(text)


def content(text: str) -> list[tuple[Any, list[Any]]]:
    """Outcome and cited pages of every decision."""
    return [
        (
            decision.facts["outcome"].value,
            [
                citation.facts["pages"].value
                for side in ("claims_administrator", "maximus")
                for guideline in decision.blocks[side]
                for citation in guideline.blocks["citations"]
            ],
        )
        for decision in read(text).root.blocks["decisions"]
    ]
