"""Web pages: the words a browser displays, in its lines; hidden words are noted; hostile ones cost no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.formats.html import read_html


def text(html: str) -> str:
    return read_html(html.encode(), "a.html").text


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>Back brace:  Upheld\n</p><p>Page(s): 301.</p>", "Back brace: Upheld\n\nPage(s): 301.\n"),
        ("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree\n"),
        ("<div><div><div>one</div></div></div><span>two</span>", "one\ntwo\n"),
        ("one<br><br>two", "one\n\ntwo\n"),
        ("CM14<b>-0012348</b>", "CM14-0012348\n"),
        ("Page(s): <b>301</b>, <i>340</i>.", "Page(s): 301, 340.\n"),
        ("a <b> b </b> c", "a b c\n"),
        ("177&ndash;179 &amp; 4&frac12; &#8217; &#x2014; x&nbsp;y &bogus; &", "177–179 & 4½ ’ — x\u00a0y &bogus; &\n"),
        ("a&#99999999999999999999;b &#" + "9" * 5000 + ";", "a\ufffdb \ufffd\n"),
        ("<table><tr><td>Case Number:</td><td>CM14-1</td></tr><tr><td>Priority:<td>Standard</table>after",
         "Case Number:\tCM14-1\nPriority:\tStandard\n\nafter\n"),
        ("<table><tr><td><p>Case:</p></td><td><p>CM14</p></td></tr></table>", "Case:\tCM14\n"),
        ("<table><tr><td></td><td>x</td><td></td></tr></table>", "\tx\n"),
        ("<ul><li>one<li>two</ul>", "one\ntwo\n"),
        ("<pre>one\n  two</pre>", "one\n  two\n"),
        ("<p style='white-space: pre-wrap'>a  b\nc</p>", "a  b\nc\n"),
        ("<head><title>Not shown</title><style>p{}</style></head><body>shown", "shown\n"),
        ("<script>if (a<b) x('</p>')</script>shown", "shown\n"),
        ("<noscript>no</noscript><template>no</template><textarea>typed</textarea>", "typed\n"),
        ("<!-- no --> a <!--> b <!---> c", "a b c\n"),
        ("<![if !supportLists]>1.<![endif]> <o:p>x</o:p>", "1. x\n"),
        ("<P CLASS=x>caps</P><p\nid='a'\n>lines</p>", "caps\n\nlines\n"),
        ("<p title=\"5\" tall\">quotes</p>", "quotes\n"),
        ("<a href=x/y>link</a><img alt='no' src=a><input value=no>", "link\n"),
        ("5 < 6 and 7 > 3, a<3", "5 < 6 and 7 > 3, a<3\n"),
        ("shown<p class='cut off", "shown\n"),
        ("</div></p>text</b>", "text\n"),
        ("one<p style='page-break-before: always'>two</p><div style='break-after:page'>three</div>four",
         "one\ftwo\n\nthree\n\ffour\n"),
        ("  \n ", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_browser_shows(html: str, shown: str) -> None:
    assert text(html) == shown


def test_pages() -> None:
    document = read_html(b"one<br style='page-break-before:always'>two", "a.html")
    assert [page.of(document.text).strip() for page in document.pages] == ["one", "two"]
    assert document.origin == "html"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("<p>“é”".encode(), "“é”\n"),
        ("<meta charset=utf-8>“é”".encode(), "“é”\n"),
        ("<meta charset='windows-1252'>“é”".encode("cp1252"), "“é”\n"),
        ('<meta http-equiv=Content-Type content="text/html; charset=iso-8859-1">“é”'.encode("cp1252"), "“é”\n"),
        ("<meta charset=koi8-r>да".encode("koi8-r"), "да\n"),
        ("<meta charset=utf-16>é".encode("utf-16"), "é\n"),
        ("<meta charset=utf-8>é".encode("cp1252"), "é\n"),
        (b"<meta charset=unicode_escape>\\x41", "\\x41\n"),
    ],
)
def test_encodings(data: bytes, shown: str) -> None:
    assert read_html(data, "a.html").text == shown


# ---- what is hidden -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "hidden"),
    [
        ("<p hidden>secret</p>", "secret"),
        ("<p style='display:none'>secret <b>words</b></p>", "secret words"),
        ("<span style='DISPLAY : NONE'>secret</span>", "secret"),
        ("<span style='visibility:hidden'>secret</span>", "secret"),
        ("<span style='font-size:0px'>secret</span>", "secret"),
        ("<span style='opacity:0.0'>secret</span>", "secret"),
        ("<span style='position:absolute;left:-9999px'>secret</span>", "secret"),
        ("<style>.x{display:none}</style><p class='a x'>secret</p>", "secret"),
        ("<style>#n, b{color:red;visibility:hidden}</style><p id=n>one</p><b>two</b>", "onetwo"),
        ("<style>/* { */ p.x {display:none}</style><p class=x>secret</p><div class=x></div>", "secret"),
        ("<ul><li hidden>secret<li>", "secret"),
    ],
)
def test_hidden_words_are_left_out_and_told(html: str, hidden: str) -> None:
    document = read_html(f"before {html} after".encode(), "a.html")
    assert document.text.split() == ["before", "after"]
    assert [(note.code, note.words) for note in document.notes] == [("hidden_text", hidden)]
    assert "secret" not in document.notes[0].message


@pytest.mark.parametrize(
    "html",
    [
        "<p hidden><p>shown",
        "<p style='display:none'>x</p>shown",
        "<span style='font-size:0.5em'>shown</span>",
        "<span style='opacity:0.9'>shown</span>",
        "<style>@media print{.x{display:none}}</style><p class=x>shown</p>",
        "<style>.x .y{display:none}</style><p class=y>shown</p>",
        "<style>.x{display:none</style><p class=x>shown</p>",
        "<tr><td hidden>x<td>shown",
        "<p style='color:#ffffff;background:#333'>shown</p>",
        "<div style='background-color:navy'><b style='color:white'>shown</b></div>",
        "<p style='background-color:white'>shown</p>",
    ],
)
def test_what_is_not_hidden_is_kept(html: str) -> None:
    document = read_html(html.encode(), "a.html")
    assert "shown" in document.text
    assert not [note for note in document.notes if "shown" in note.words]


@pytest.mark.parametrize("style", ["color:white", "color: #FFF", "background:white;color:#fefefe", "font-size:1px"])
def test_white_and_tiny_words_are_kept_and_told(style: str) -> None:
    document = read_html(f"<p style='{style}'>pale</p>".encode(), "a.html")
    assert document.text == "pale\n"
    assert [(note.code, note.words) for note in document.notes] == [("pale_text", "pale")]


# ---- hostile pages ------------------------------------------------------------------------------

_HOSTILE = (
    "<", "<!--", "<!", "<?", "</", "</a", "<a ", "<a x=", '<a x="', "<a x='", "<![CDATA[", "&", "&#x", "&lt", "<script>",
    "<a /", "<style>a{", "<style>/*", "<style>@a{", "<a></b>", "<ul><li>", "<li><a>", "<p><b>", "<td><td>",
    "<table><tr><td>", "<p hidden>x", "<a b" + " " * 300, "<pre>", "<textarea>",
)  # fmt: skip


@pytest.mark.parametrize("piece", _HOSTILE)
@pytest.mark.sample(9)
def test_hostile_pages_cost_no_time(piece: str) -> None:
    started = time.process_time()
    text((piece * 100_000)[:200_000])
    assert time.process_time() - started < 2.5


@given(
    st.lists(
        st.sampled_from([*_HOSTILE, "words", ">", "</p>", "</td>", "</table>", "-->", "</style>", "}"]), max_size=20
    )
)
def test_pieces_in_any_order_do_no_harm(pieces: list[str]) -> None:
    read_html("".join(pieces).encode(), "a.html")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&"), max_size=60))
def test_plain_words_come_back(words: str) -> None:
    assert text(f"<html><body>{words}</body></html>").split() == words.split()
