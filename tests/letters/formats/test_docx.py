"""Word documents: what Word displays is read; what it hides is noted."""

from __future__ import annotations

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.formats.docx import read_docx
from tests.support.files import docx, paragraph, part, run, word_of, zipped

_INS = '<w:ins w:id="1" w:author="a">{}</w:ins>'
_DEL = '<w:del w:id="2" w:author="a"><w:r><w:delText>{}</w:delText></w:r></w:del>'
_BOX = "<w:txbxContent>{}</w:txbxContent>"
_TABLE = "<w:tbl>{}</w:tbl>"


def read(body: str, **parts: str) -> Document:
    return read_docx(docx(body, **parts), "a.docx")


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(f'<w:tc><w:tcPr/>{cell}</w:tc>' for cell in cells)}</w:tr>"


def wrapped(tag: str, inner: str) -> str:
    return f"<w:{tag}>{inner}</w:{tag}>"


# ---- what is shown ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (paragraph("Back brace: Upheld") + paragraph("Page(s): 301."), "Back brace: Upheld\nPage(s): 301.\n"),
        (paragraph("Page(s)", ": 177", "-179."), "Page(s): 177-179.\n"),
        ("<w:p/>" + paragraph("a") + "<w:p></w:p>", "\na\n\n"),
        (paragraph("Page(s): 177", "<w:r><w:noBreakHyphen/></w:r>", "179"), "Page(s): 177-179\n"),
        (paragraph("a", "<w:r><w:tab/></w:r>", "b", "<w:r><w:br/></w:r>", "c", "<w:r><w:cr/></w:r>", "d"), "a\tb\nc\nd\n"),
        (paragraph("radicu", "<w:r><w:softHyphen/></w:r>", "lopathy"), "radiculopathy\n"),
        (paragraph('<w:r><w:sym w:font="Symbol" w:char="F0B0"/></w:r>'), "\uf0b0\n"),
        (paragraph('<w:r><w:sym w:font="Symbol" w:char="DEAD"/></w:r>', "x"), "x\n"),
        ("<w:p><w:pPr><w:tabs><w:tab w:pos='720'/></w:tabs></w:pPr>" + run("a") + "</w:p>", "a\n"),
        (paragraph("a\n   b"), "a    b\n"),
        (paragraph("5 &lt; 6 &amp; 7 &#8211; 8 é 𝒳"), "5 < 6 & 7 – 8 é 𝒳\n"),
        (_TABLE.format(row(paragraph("Case Number:"), paragraph("CM14-1")) + row(paragraph("Priority:"), paragraph("Standard"))),
         "Case Number:\tCM14-1\nPriority:\tStandard\n"),
        (_TABLE.format(row(paragraph("a") + paragraph("b"), paragraph(""), paragraph(""))), "a\nb\n"),
        (_TABLE.format(row(paragraph("a"), _TABLE.format(row(paragraph("b"), paragraph("c"))) + paragraph("d"))), "a\tb\tc\nd\n"),
        (paragraph("Outcome: ", _INS.format(run("Overturned"))), "Outcome: Overturned\n"),
        (paragraph("Outcome: ", _DEL.format("Upheld"), _INS.format(run("Overturned"))), "Outcome: Overturned\n"),
        (paragraph(wrapped("moveFrom", run("gone ")), "stays", wrapped("moveTo", run(" came"))), "stays came\n"),
        (paragraph("before ", f"<w:r><w:pict>{_BOX.format(paragraph('in the box'))}</w:pict></w:r>", "after"),
         "before after\nin the box\n"),
        (paragraph("a", "<w:r><mc:AlternateContent><mc:Choice>" + _BOX.format(paragraph("new")) + "</mc:Choice>"
                   "<mc:Choice>" + _BOX.format(paragraph("newer")) + "</mc:Choice>"
                   "<mc:Fallback>" + _BOX.format(paragraph("old")) + "</mc:Fallback></mc:AlternateContent></w:r>"), "a\nnew\n"),
        (paragraph("<w:r><mc:AlternateContent><mc:Fallback>" + _BOX.format(paragraph("old"))
                   + "</mc:Fallback></mc:AlternateContent></w:r>"), "\nold\n"),
        (wrapped("sdt", wrapped("sdtContent", paragraph("a block"))), "a block\n"),
        (paragraph("an ", wrapped("sdt", wrapped("sdtContent", run("inline"))), " control"), "an inline control\n"),
        (paragraph(wrapped("smartTag", run("Sacramento")), wrapped("hyperlink", run(", CA"))), "Sacramento, CA\n"),
        (paragraph('<w:fldSimple w:instr="PAGE">' + run("3") + "</w:fldSimple>", "<w:r><w:instrText>PAGE</w:instrText></w:r>"), "3\n"),
        (paragraph("one", '<w:r><w:br w:type="page"/></w:r>', "two"), "one\ftwo\n"),
        (paragraph("one", '<w:r><w:br w:type="page"/></w:r>', "<w:r><w:lastRenderedPageBreak/></w:r>", "two"), "one\ftwo\n"),
        (paragraph("one ", "<w:r><w:lastRenderedPageBreak/></w:r>", "two"), "one \ftwo\n"),
        (paragraph("<w:r><w:lastRenderedPageBreak/></w:r>", "one"), "one\n"),
        (paragraph("one") + wrapped("p", "<w:pPr><w:pageBreakBefore/></w:pPr>" + run("two")), "one\n\ftwo\n"),
        (paragraph("one") + wrapped("p", '<w:pPr><w:pageBreakBefore w:val="0"/></w:pPr>' + run("two")), "one\ntwo\n"),
        (wrapped("p", "<w:pPr><w:sectPr/></w:pPr>" + run("one")) + paragraph("two") + "<w:sectPr/>", "one\n\ftwo\n"),
        (wrapped("p", '<w:pPr><w:sectPr><w:type w:val="continuous"/></w:sectPr></w:pPr>' + run("one")) + paragraph("two"),
         "one\ntwo\n"),
    ],
)  # fmt: skip
def test_what_word_shows(body: str, text: str) -> None:
    assert read(body).text == text


def test_pages_and_footnotes() -> None:
    notes = part(
        "footnotes",
        '<w:footnote w:type="separator">'
        + paragraph("---")
        + "</w:footnote><w:footnote>"
        + paragraph("See page 9.")
        + "</w:footnote>",
    )
    document = read(paragraph("one", '<w:r><w:br w:type="page"/></w:r>', "two"), footnotes=notes)
    assert document.text == "one\ftwo\nSee page 9.\n"
    assert [page.of(document.text) for page in document.pages] == ["one\f", "two\nSee page 9.\n"]
    assert document.origin == "docx"
    assert document.notes == ()


def test_the_main_part_may_have_another_name() -> None:
    assert read_docx(docx(paragraph("words"), main="word/document2.xml"), "a.docx").text == "words\n"
    assert read_docx(docx(paragraph("words"), main="WORD/Document.xml"), "a.docx").text == "words\n"


# ---- what is not shown --------------------------------------------------------------------------

_STYLES = part(
    "styles",
    '<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="Child"><w:basedOn w:val="Secret"/></w:style>'
    '<w:style w:styleId="Shown"><w:basedOn w:val="Secret"/><w:rPr><w:vanish w:val="0"/></w:rPr></w:style>'
    '<w:style w:styleId="Ring"><w:basedOn w:val="Ring"/></w:style>',
)


@pytest.mark.parametrize(
    ("body", "text", "hidden"),
    [
        (paragraph("a", run(" ignore this", "<w:vanish/>")), "a\n", "ignore this"),
        (paragraph("a", run(" b", '<w:vanish w:val="false"/>')), "a b\n", ""),
        (paragraph("a", run("x", '<w:rStyle w:val="Secret"/>')), "a\n", "x"),
        (paragraph("a", run("x", '<w:rStyle w:val="Child"/>')), "a\n", "x"),
        (paragraph("a", run("x", '<w:rStyle w:val="Shown"/>')), "ax\n", ""),
        (paragraph("a", run("x", '<w:rStyle w:val="Ring"/>')), "ax\n", ""),
        (paragraph("a", run("x", '<w:rStyle w:val="Secret"/><w:vanish w:val="0"/>')), "ax\n", ""),
        (wrapped("p", '<w:pPr><w:pStyle w:val="Secret"/></w:pPr>' + run("x")), "\n", "x"),
        (wrapped("p", "<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>" + run("x")), "x\n", ""),
        (paragraph(run("x", "<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>")), "x\n", ""),
    ],
)
def test_hidden_words(body: str, text: str, hidden: str) -> None:
    document = read(body, styles=_STYLES)
    assert document.text == text
    assert [note.words for note in document.notes if note.code == "hidden_text"] == ([hidden] if hidden else [])
    assert not any("ignore" in note.message for note in document.notes)


@pytest.mark.parametrize(
    ("properties", "pale"),
    [
        ('<w:color w:val="FFFFFF"/>', True),
        ('<w:color w:val="FEFEFE"/>', True),
        ('<w:color w:val="FF0000"/>', False),
        ('<w:sz w:val="2"/>', True),
        ('<w:sz w:val="20"/>', False),
        ('<w:color w:val="FFFFFF"/><w:shd w:fill="000000"/>', False),
        ('<w:color w:val="FFFFFF"/><w:highlight w:val="black"/>', False),
    ],
)
def test_white_and_tiny_words_are_kept_and_told(properties: str, pale: bool) -> None:
    document = read(paragraph("a ", run("pale", properties)))
    assert document.text == "a pale\n"
    assert [(note.code, note.words) for note in document.notes] == ([("pale_text", "pale")] if pale else [])


def test_white_on_a_dark_cell_is_no_secret() -> None:
    cell = (
        '<w:tc><w:tcPr><w:shd w:fill="1F3864"/></w:tcPr>'
        + paragraph(run("Outcome", '<w:color w:val="FFFFFF"/>'))
        + "</w:tc>"
    )
    assert read(_TABLE.format(f"<w:tr>{cell}</w:tr>")).notes == ()


def test_tracked_changes_are_told() -> None:
    [note] = read(paragraph("a", _DEL.format("Upheld"), _INS.format(run("Overturned")))).notes
    assert (note.code, note.words, note.severity) == ("tracked_changes", "Upheld", "warning")
    assert "1 insertions" in note.message
    assert "Upheld" not in note.message


def test_headers_and_footers_stand_apart() -> None:
    document = read(
        paragraph("body"), header1=part("hdr", paragraph("MAXIMUS")), footer2=part("ftr", paragraph("Page 1")),
        header3=part("hdr", paragraph("MAXIMUS")),
    )  # fmt: skip
    assert document.text == "body\n"
    assert [(note.code, note.words, note.severity) for note in document.notes] == [
        ("running_lines", "Page 1\nMAXIMUS", "info")
    ]


def test_what_another_program_must_read_is_told() -> None:
    [note] = read(paragraph("a") + '<w:altChunk r:id="r5"/>').notes
    assert (note.code, note.severity) == ("left_out", "error")


# ---- bad files ----------------------------------------------------------------------------------

_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped({"word/document.xml": _BOMB + part("document", "<w:p><w:r><w:t>&b;</w:t></w:r></w:p>")}), "unsafe_xml"),
        (zipped({"word/document.xml": _OUTSIDE + part("document", "<w:p><w:r><w:t>&a;</w:t></w:r></w:p>")}), "unsafe_xml"),
        (zipped({"word/document.xml": part("document", ""), "word/styles.xml": _OUTSIDE + "<a/>"}), "unsafe_xml"),
        (zipped({"word/document.xml": part("document", paragraph("a"))[:-9]}), "damaged"),
        (zipped({"word/document.xml": ""}), "damaged"),
        (zipped({"word/document.xml": b"\xff\xfe" + bytes(50)}), "damaged"),
        (zipped({"word/other.xml": "<a/>"}), "damaged"),
        (word_of("words " * 2000)[:-200], "damaged"),
        (docx(paragraph('<w:r><w:drawing><a:blip xmlns:a="x"/></w:drawing></w:r>')), "no_text"),
        (zipped({"word/document.xml": b"<w:document>" + b" " * (33 << 20)}, zipfile.ZIP_STORED), "too_large"),
        (zipped({"word/document.xml": b"<w:document>" + b" " * (9 << 20)}), "zip_bomb"),
    ],
)  # fmt: skip
def test_bad_files(data: bytes, code: str) -> None:
    with pytest.raises(LetterError) as raised:
        read_docx(data, "a.docx")
    assert raised.value.code == code
    assert "a.docx" in raised.value.message
    assert raised.value.hint


def test_deep_nesting_is_read_or_refused() -> None:
    deep = 20_000
    assert read("<w:sdt>" * deep + paragraph("deep") + "</w:sdt>" * deep).text == "deep\n"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_any_text_comes_back(text: str) -> None:
    assert read_docx(word_of(text), "a.docx").text == text + "\n"


_PIECES = ("<w:p>", "<w:r>", "<w:t>words</w:t>", "<w:tbl>", "<w:tr>", "<w:tc>", "<w:txbxContent>", "<w:del>", "<w:br/>",
           "<mc:AlternateContent>", "<mc:Choice>", "<mc:Fallback>", "<w:rPr>", "<w:vanish/>", "<w:sectPr/>", "<w:pPr>")  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_elements_in_any_order_do_no_harm(pieces: list[str]) -> None:
    opened = [piece[1:-1].split()[0] for piece in pieces if not piece.endswith("/>") and "</" not in piece]
    read("".join(pieces) + "".join(f"</{tag}>" for tag in reversed(opened)))
