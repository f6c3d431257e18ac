"""Pictures of pages: upright whatever way they lie, the words at the letter's positions, and nothing too large."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from extractor.errors import LetterError
from extractor.letters.letter import Letter, LetterFile, LetterIndex, find_letters, letter_in, letters_in
from extractor.letters.pages.drawing import ACROSS, MOST_PIXELS
from extractor.letters.pages.tesseract import is_installed
from extractor.letters.places.pictures import page_picture
from tests.support import hostilepdf, makepdf
from tests.support.files import mail, zipped

needs_tesseract = pytest.mark.skipif(not is_installed(), reason="needs tesseract")
TEXT = (
    "PARCEL NOTE of Blue Van\n\nThe parcels of this note were handed over at the gate of the yard, and signed for.\n"
    "PARCEL 12: delivered on 3/4/2020\nPARCEL 13: lost\n"
)
PDF = makepdf.typeset(TEXT + "\f" + TEXT.replace("Blue", "Red"))


def ink_in_words(png: bytes, letter: Letter, page: int) -> float:
    """The share of a picture's ink inside the letter's word boxes."""
    image = Image.open(io.BytesIO(png)).convert("L").point(lambda value: 255 * (value < 128))
    inked = image.histogram()[255]
    for word in letter.words:
        if word.page == page:
            left, top, right, bottom = word.box
            edges = left * image.width - 2, top * image.height - 2, right * image.width + 2, bottom * image.height + 2
            image.paste(0, tuple(map(round, edges)))
    return 1 - image.histogram()[255] / inked


def scan(turned: int = 0) -> Image.Image:
    return makepdf.pictures(PDF)[0].rotate(turned, expand=True)


def turned_pdf(degrees: int) -> bytes:
    """A page whose file declares it turned."""
    return re.sub(rb"/Rotate 0", b"/Rotate %d" % degrees, PDF)


SOURCES: list[tuple[str, Callable[[], bytes], bool]] = [
    ("a.pdf", lambda: PDF, False),
    *((f"turned{each}.pdf", lambda each=each: turned_pdf(each), False) for each in (90, 180, 270)),
    *((f"scan{each}.pdf", lambda each=each: makepdf.scan_pdf([scan(each)]), True) for each in (90, 270)),
    ("a180.png", lambda: makepdf.encoded(scan(180), "PNG", dpi=(200, 200)), True),
    ("fax.tif", lambda: makepdf.fax_tiff(PDF, fine=False), True),
    ("a.jpg", lambda: makepdf.encoded(scan(), "JPEG", dpi=(200, 200)), True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "made", "by_ocr"), SOURCES, ids=[name for name, _, _ in SOURCES])
@pytest.mark.sample(3)
def test_words_are_where_the_letter_says(tmp_path: Path, name: str, made: Callable[[], bytes], by_ocr: bool) -> None:
    if by_ocr and not is_installed():
        pytest.skip("needs tesseract")
    path = tmp_path / name
    path.write_bytes(made())
    [file] = find_letters([path])
    letter = letter_in(file)
    picture = page_picture(file, 0, letter.sizes[0].turned)
    assert ink_in_words(picture, letter, 0) > 0.97
    shown = Image.open(io.BytesIO(picture))
    assert shown.width == pytest.approx(ACROSS, abs=1)
    assert shown.height / shown.width == pytest.approx(letter.sizes[0].height / letter.sizes[0].width, rel=0.01)


def test_members_and_attachments_and_pages_in_files_of_their_own(tmp_path: Path) -> None:
    one, other = makepdf.typeset(TEXT), makepdf.typeset(TEXT.replace("Blue", "Red"))
    (tmp_path / "in.zip").write_bytes(zipped({"sub/b.pdf": PDF}))
    (tmp_path / "m.eml").write_bytes(mail("see there", **{"c.pdf": PDF}).as_bytes())
    (tmp_path / "two (1 of 2).pdf").write_bytes(one)
    (tmp_path / "two (2 of 2).pdf").write_bytes(other)
    index = LetterIndex(find_letters([tmp_path]))
    for letter_id in ("in/sub/b", "m/c", "two"):
        file = index.get(letter_id)
        assert file
        letter = letter_in(file)
        drawn = [page_picture(file, page) for page in range(2)]
        assert drawn[0] != drawn[1]
        for page, picture in enumerate(drawn):
            assert ink_in_words(picture, letter, page) > 0.97, (letter_id, page)
        with pytest.raises(LetterError, match="no such page"):
            page_picture(file, 2)


def test_a_letter_within_a_file_begins_on_its_own_page(tmp_path: Path) -> None:
    (tmp_path / "all.pdf").write_bytes(PDF)

    def starts(text: str) -> list[int]:
        return [match.start() for match in re.finditer("PARCEL NOTE", text)]

    [file] = find_letters([tmp_path])
    pieces = [(part, letter) for part, letter in letters_in(file, starts) if isinstance(letter, Letter)]
    assert [letter.first_page for _, letter in pieces] == [0, 1]
    for part, letter in pieces:
        assert letter_in(part).first_page == letter.first_page
        assert ink_in_words(page_picture(part, letter.first_page), letter, 0) > 0.97
    assert page_picture(pieces[0][0], 0) != page_picture(pieces[1][0], 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"plain words", "no_page"),
        (b"", "empty"),
        (b"%PDF-1.4 nothing", "damaged"),
        (b"\x89PNG\r\n\x1a\n nothing", "damaged"),
        (hostilepdf.huge_page(200_000), "too_large"),
    ],
)
def test_what_cannot_be_drawn_is_told(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(LetterError) as raised:
        page_picture(LetterFile("a", path), 0)
    assert raised.value.code == code


@pytest.mark.parametrize("size", [(612, 792), (100, 4900), (4900, 100), (4900, 4900)])
def test_no_picture_is_too_large(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(makepdf.drawn(lambda canvas: canvas.drawString(20, 20, "words"), size=size))
    image = Image.open(io.BytesIO(page_picture(LetterFile("a", path), 0)))
    assert image.width <= ACROSS + 1
    assert image.width * image.height <= 1.01 * MOST_PIXELS


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(LetterError) as raised:
        page_picture(LetterFile("a", tmp_path / "gone.pdf"), 0)
    assert raised.value.code == "unreadable"
