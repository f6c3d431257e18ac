"""Files made to break readers, built small."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import reportlab
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tests.support.makepdf import MARGIN

MEDIA = b"/MediaBox [0 0 612 792]"


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def encrypted(user: str) -> bytes:
    """With a password for the owner, and one to open it unless ``user`` is empty."""
    buffer = io.BytesIO()
    lock = StandardEncryption(user, "owner", canPrint=1, canCopy=0, strength=128)
    canvas = Canvas(buffer, encrypt=lock, invariant=1)
    canvas.drawString(MARGIN, 700, "The request for a back brace is not medically necessary.")
    canvas.save()
    return buffer.getvalue()


def page_tree_loop() -> bytes:
    return raw_pdf(CATALOG, b"<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R] >>")


def lying_count() -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R " + MEDIA + b" >>"
    return raw_pdf(CATALOG, b"<< /Type /Pages /Count 100000000 /Kids [3 0 R] >>", page)


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    page = b"<< /Type /Page /Parent 2 0 R " + MEDIA + b" >>"
    return raw_pdf(CATALOG, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids), *[page] * count)


def huge_page(side: int) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] >>" % (side, side)
    return raw_pdf(CATALOG, b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page)


def packed(byte: bytes, megabytes: int) -> bytes:
    """So many megabytes of one byte, compressed twice."""
    packer = zlib.compressobj(9)
    block = packer.compress(byte * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    head, block = block[:2], block[2:]
    return zlib.compress(head + block * megabytes + b"\x03\x00" + bytes(4), 9)


TWICE = b"/Filter [/FlateDecode /FlateDecode]"


def one_page(*rest: bytes, entries: bytes = b"") -> bytes:
    """A PDF of one page, whose content is the first of the objects that follow (number 4)."""
    page = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R %s %s >>" % (MEDIA, entries)
    return raw_pdf(CATALOG, b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page, *rest)


def stream_bomb(megabytes: int = 2048) -> bytes:
    """A page whose content is blanks without end: some kilobytes."""
    return one_page(stream(packed(b" ", megabytes), TWICE))


def page_of_pixels(side: int = 30_000) -> bytes:
    """A page with a white picture of hundreds of megabytes: two kilobytes."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 " % (
        side,
        side,
    )
    picture = stream(packed(b"\xff", (side * side >> 20) + 1), entries + TWICE)
    return one_page(stream(b"612 0 0 792 0 0 cm /I Do"), picture, entries=b"/Resources << /XObject << /I 5 0 R >> >>")


def nested_forms(depth: int = 12, times: int = 12) -> bytes:
    """A page that draws a form many times, which draws a form many times, and so on."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
    objects = [stream(b"/F Do " * times)]
    for level in range(depth):
        inner = b"/Resources << /XObject << /F %d 0 R >> >>" % (6 + level)
        objects.append(stream(b"/F Do " * times, form + inner))
    objects.append(stream(b"0 0 9 9 re f " * 100, form))
    return one_page(*objects, entries=b"/Resources << /XObject << /F 5 0 R >> >>")


def picture_bomb(side: int = 30_000) -> bytes:
    """The beginning of a PNG that declares its size."""
    head = b"IHDR" + struct.pack(">II5B", side, side, 1, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(8))
    chunks = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (head, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def without_unicode(text: str) -> bytes:
    """A PDF whose font numbers its letters as they come and does not map them."""
    name = "Numbered"
    pdfmetrics.registerFont(TTFont(name, Path(reportlab.__file__).parent / "fonts" / "Vera.ttf", asciiReadable=0))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1, pageCompression=0)
    canvas.setFont(name, 9)
    for row, line in enumerate(text.split("\n")):
        canvas.drawString(MARGIN, 750 - 11 * row, line)
    canvas.save()
    return buffer.getvalue().replace(b"/ToUnicode", b"/XoUnicode")


def mutants(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """The same file with bytes changed, cut out or doubled at random places."""
    chance = random.Random(seed)
    for _ in range(count):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 30)):
            at = chance.randrange(len(broken))
            match chance.randrange(3):
                case 0:
                    broken[at] = chance.randrange(256)
                case 1:
                    del broken[at : at + chance.randrange(1, 40)]
                case _:
                    broken[at:at] = broken[at : at + chance.randrange(1, 40)]
        yield bytes(broken)
