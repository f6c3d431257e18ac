"""Mails: their own words, and each attached file under a name that is no path."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LetterError
from extractor.letters.formats.mail import read_mail
from tests.support.files import mail

LETTER = "Back brace: Upheld\nThe worker’s “brace” – not necessary\n"


def body(data: bytes) -> str | None:
    own = read_mail(data, "a.eml").body
    return own and own.text


def attached(data: bytes) -> dict[str, bytes]:
    return {each.name: each.data for each in read_mail(data, "a.eml").attachments}


def raw(headers: str, content: bytes = b"words\n") -> bytes:
    return headers.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n" + content


# ---- its own words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (bytes(mail(LETTER)), LETTER),
        (bytes(mail(html="<p>Back brace: <b>Upheld</b></p>")), "Back brace: Upheld\n"),
        (bytes(mail(LETTER, "<p>the same</p>")), LETTER),
        (bytes(mail(" \n", "<p>only here</p>")), "only here\n"),
        (bytes(mail("words\n", letter_pdf=b"%PDF-")), "words\n"),
        (bytes(mail(letter_pdf=b"%PDF-")), None),
        (raw("Content-Type: text/plain; charset=utf-8", LETTER.encode()), LETTER),
        (raw("Content-Type: text/plain; charset=windows-1252", LETTER.encode("cp1252")), LETTER),
        (raw("Content-Type: text/plain; charset=iso-8859-1", LETTER.encode("cp1252")), LETTER),
        (raw("Content-Type: text/plain; charset=utf-8", LETTER.encode("cp1252")), LETTER),
        (raw("Content-Type: text/plain; charset=unknown-8bit", LETTER.encode()), LETTER),
        (raw("Subject: x", LETTER.encode()), LETTER),
        (raw("Content-Type: text/plain; charset=koi8-r", "да".encode("koi8-r")), "да"),
        (raw("Content-Transfer-Encoding: quoted-printable", b"a=3Db=\r\nc"), "a=bc"),
        (raw("Content-Transfer-Encoding: base64", b"d29yZHM="), "words"),
        (raw("Content-Type: nonsense; ;=;\nContent-Disposition: ;;"), "words\n"),
        (raw("Content-Type: multipart/mixed"), None),
        (b"From x\n" + raw("Subject: x"), "words\n"),
        (raw("Subject: x", b""), None),
    ],
)
def test_its_own_words(data: bytes, text: str | None) -> None:
    assert body(data) == text


def test_hidden_words_of_a_mail_are_noted() -> None:
    own = read_mail(bytes(mail(html="<p hidden>secret</p>shown")), "a.eml").body
    assert own is not None
    assert own.origin == "mail"
    assert [(note.code, note.words) for note in own.notes] == [("hidden_text", "secret")]


# ---- what is attached ---------------------------------------------------------------------------


def test_attachments() -> None:
    data = bytes(mail("see attached", letter_pdf=b"%PDF-1.4", notes_txt=b"notes"))
    assert attached(data) == {"letter.pdf": b"%PDF-1.4", "notes.txt": b"notes"}
    assert body(data) == "see attached\n"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("letter.pdf", "letter.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\evil.pdf", "evil.pdf"),
        ("C:\\Users\\x\\letter.pdf", "letter.pdf"),
        ("/etc/cron.d/evil", "evil.pdf"),
        ("a/", "attachment-2.pdf"),
        ("..", "attachment-2.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("Jos\u00e9.pdf", "José.pdf"),
        ("x" * 500 + ".pdf", "x" * 146 + ".pdf"),
        ("letter", "letter.pdf"),
    ],
)
def test_names_are_no_paths(given: str, name: str) -> None:
    message = mail("see attached")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename=given)
    assert list(attached(bytes(message))) == [name]


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        ("Content-Type: application/pdf", ["attachment-1.pdf"]),
        ("Content-Type: application/pdf; name=a.pdf", ["a.pdf"]),
        ('Content-Type: application/pdf; name="=?utf-8?b?Sm9zw6k=?=.pdf"', ["José.pdf"]),
        ("Content-Disposition: attachment; filename*=utf-8''Jos%C3%A9.pdf", ["José.pdf"]),
        ("Content-Disposition: attachment; filename*0=long; filename*1=er.pdf", ["longer.pdf"]),
        ("Content-Disposition: attachment; filename*=nonsense''%FF.pdf", ["ÿ.pdf"]),
        ('Content-Type: text/plain; name="a.txt"', ["a.txt"]),
        ("Content-Type: text/plain\nContent-Disposition: attachment", ["attachment-1.txt"]),
        ("Content-Type: text/plain\nContent-Disposition: inline", []),
        ("Content-Type: application/pkcs7-signature; name=smime.p7s", []),
        ("Content-Type: message/delivery-status", []),
    ],
)
def test_how_attachments_are_named(headers: str, names: list[str]) -> None:
    assert list(attached(raw(headers))) == names


def test_pictures_shown_in_place_are_no_attachments() -> None:
    message = mail(html='<p>words <img src="cid:logo@x"></p>')
    message.add_related(b"\x89PNG", "image", "png", cid="<logo@x>", filename="logo.png")
    message.make_mixed()
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="scan.png")
    assert list(attached(bytes(message))) == ["scan.png"]


def test_a_mail_in_a_mail_is_attached() -> None:
    outer = mail("see below")
    outer.add_attachment(mail("inner words", letter_txt=b"a letter"))
    [(name, data)] = attached(bytes(outer)).items()
    assert name == "mail-2.eml"
    assert body(data) == "inner words\n"
    assert attached(data) == {"letter.txt": b"a letter"}
    assert body(bytes(outer)) == "see below\n"


# ---- hostile mails ------------------------------------------------------------------------------


def nested(levels: int, end: bytes = b"words\n") -> bytes:
    boundaries = (f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(levels))
    return "".join(boundaries).encode() + b"\r\n" + end


@pytest.mark.parametrize(
    "data",
    [
        nested(30),
        b"Content-Type: message/rfc822\n\n" * 500,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 200_000,
        b"Content-Disposition: attachment; " + b";" * 500_000 + b"\n\nx",
        b"Content-Type: text/plain;\n" + b' a="b;\n' * 100_000 + b"\nx",
    ],
)
def test_mails_that_would_cost_hours_are_refused_at_once(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(LetterError) as raised:
        read_mail(data, "a.eml")
    assert raised.value.code == "too_many_members"
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "data",
    [
        nested(18, b"x\n" * 100_000),
        b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nx",
        b"a: b\n" * 100_000 + b"\nx",
        b"Content-Transfer-Encoding: x-uuencode\n\nbegin 666 x\n" + b"M" * 1_000_000,
        b"Content-Type: text/html\n\n" + b"cid:" * 300_000,
    ],
)
@pytest.mark.sample(2)
def test_odd_mails_are_read_in_time(data: bytes) -> None:
    started = time.process_time()
    read_mail(data, "a.eml")
    assert time.process_time() - started < 3


@pytest.mark.slow
def test_too_large() -> None:
    with pytest.raises(LetterError, match="larger than") as raised:
        read_mail(bytes(50_000_001), "a.eml")
    assert raised.value.code == "too_large"


_LINES = (
    b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: text/html\n", b"Content-Type: message/rfc822\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Disposition: attachment; filename*=x'%\n", b"\n", b"--b\n", b"--b--\n",
    b"words\n", b"\xff\xfe\x00\n", b"=?utf-8?b?////?=\n", b"Content-Type: text/plain; charset=\xe9\n", b"Content-ID: \xe9\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(_LINES), max_size=15))
def test_lines_in_any_order_are_read_or_refused(lines: list[bytes]) -> None:
    try:
        read_mail(b"".join(lines), "a.eml")
    except LetterError as error:
        assert error.code in ("damaged", "encoding")  # noqa: PT017
