"""The HTML report: whole, self-contained, and safe whatever a letter holds."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from importlib.resources import files

import pytest

from extractor.display.palette import palette
from extractor.evaluation.compare import compare
from extractor.evaluation.reports import letterparts
from extractor.evaluation.reports.html import MOST_OPEN, render_compare, render_run
from tests.support.evalpages import NOTE, Page, compare_page, gold, letters, note, run, run_page, spoilt, two_runs
from tests.support.toy import ROOT

GOLDS, A, B = two_runs()
COMPARED = compare_page(GOLDS, A, B)
RAN = run_page(GOLDS, A)
CSS = palette() + (files("extractor.evaluation.reports") / "templates/report.css").read_text("utf-8")
PAGES = [pytest.param(COMPARED, id="compare"), pytest.param(RAN, id="run")]


def words(html: str) -> str:
    """The text of a page, or of one letter's part of it; blanks made single."""
    page = Page(html)
    return page.words(page.elements[0][0])[0]


# ---- the page as a page ---------------------------------------------------------------------------


@pytest.mark.parametrize("html", PAGES)
def test_the_page_is_well_formed_and_can_be_found_through(html):
    page = Page(html)
    assert page.unclosed == []
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(page.all(landmark)) == 1, landmark
    assert [attributes for attributes, _ in page.all("th") if "scope" not in attributes] == []
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for attributes, _ in page.all("a")}
    assert targets <= {f"#{each}" for each in ids}
    assert all(attributes["aria-labelledby"] in ids for attributes, _ in page.all("section"))
    named = [attributes for _, attributes, _ in page.elements if attributes.get("role") == "region"]
    assert all(attributes["aria-label"] and attributes["tabindex"] == "0" for attributes in named)


@pytest.mark.parametrize("html", PAGES)
def test_the_page_needs_nothing_from_elsewhere(html):
    assert re.findall(r"https?:|//\w|url\(|@import|@font-face|<(?:img|link|iframe|object|embed|base)\b", html) == []
    named = {name for _, attributes, _ in Page(html).elements for name in attributes}
    assert not {name for name in named if name in ("src", "srcset", "style", "action") or name.startswith("on")}


@pytest.mark.parametrize("html", PAGES)
def test_the_page_forbids_itself_all_but_its_own_script_and_style(html):
    page = Page(html)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        [(_, text)] = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    before = html[: html.index("Content-Security-Policy")]
    assert "<style" not in before
    assert "<script" not in before


@pytest.mark.parametrize("html", PAGES)
def test_without_the_script_there_is_nothing_that_does_nothing(html):
    page = Page(html)
    assert [attributes for attributes, _ in page.all("div", class_="controls") if "hidden" not in attributes] == []
    assert page.all("thead")
    assert not [1 for attributes, _ in page.all("th") if "aria-sort" in attributes]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_ink_can_be_read_on_every_ground(scheme):
    roots = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w+);", roots[["light", "dark", "print"].index(scheme)]))
    for ground in ("paper", "panel", "proof", "bad", "odd"):
        for ink in ("ink",) if ground in ("proof", "bad", "odd") else ("ink", "soft", "better", "worse"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def _contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours."""
    lights = sorted((_luminance(each) for each in (one, other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_equal_input_gives_equal_bytes():
    golds, a, b = two_runs()
    assert compare_page(golds, a, b) == COMPARED
    assert run_page(golds, a) == RAN


@pytest.mark.slow
def test_equal_bytes_in_another_process():
    code = (
        "import sys; from tests.support.evalpages import *; sys.stdout.buffer.write(compare_page(*two_runs()).encode())"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
        assert made.stdout.decode() == COMPARED


# ---- content ---------------------------------------------------------------------------------


def test_the_headline_of_a_comparison():
    assert Page(COMPARED).words("h1") == [
        "No detectable difference between toy@v1 and toy@v2 in errors per letter, p = 0.063; "
        "1 letter failed under toy@v1 (l01)"
    ]


def test_too_few_letters_show_flips_only_and_say_why():
    html = compare_page(*two_runs(5))
    page = Page(html)
    assert "5 letters are too few for a test" in page.words("h1")[0]
    assert "p would be 0.0625" in words(html)
    assert page.all("svg", class_="effect") == []
    assert "Exact test" not in page.words("th", scope="col")
    assert "McNemar" not in words(html)


def figures(html: str) -> dict[str, list[str]]:
    """The table of figures: its cells by their label."""
    table = html[html.index('<table class="figures">') :]
    page = Page(table[: table.index("</table>") + 8])
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    found = {}
    for row in rows:
        cells = Page(row)
        if cells.all("td"):
            found[cells.words("th")[0]] = cells.words("td")
    assert page.unclosed == []
    return found


@pytest.mark.parametrize(
    ("label", "cells"),
    [
        ("Errors per letter", ["2.38", "19 in 8", "0.38", "3 in 8", "\u22122.00", "[\u22124.50, 0.00]", "p = 0.063"]),
        ("values that are wrong", ["12", "", "2", "", "\u221210", "", ""]),
        ("values of failed letters", ["7", "", "0", "", "\u22127", "", ""]),
        ("Silent, in accepted records: protected", ["0", "", "2", "", "+2", "", ""]),
        (
            "Letters fully right",
            ["12.5%", "1 of 8", "75.0%", "6 of 8", "+62.5 points", "6 fixed, 1 broke", "p = 0.125"],
        ),
        (
            "Recall: right of the gold",
            ["66.1%", "37 of 56", "94.6%", "53 of 56", "+28.6 points", "[\u22120.7, +57.8]", ""],
        ),
        ("Single pages found", ["21", "", "23", "", "+2", "", ""]),
        ("Failed letters: no valid answer", ["1", "of 8", "0", "of 8", "\u22121", "", ""]),
        ("Input tokens", ["9,600", "", "9,600", "", "0", "", ""]),
        ("Output tokens", ["not reported", "", "not reported", "", "", "", ""]),
        ("Cost", ["not reported", "", "not reported", "", "", "", ""]),
    ],
)
def test_figures_of_a_comparison(label, cells):
    assert figures(COMPARED)[label] == cells


@pytest.mark.parametrize("html", PAGES)
def test_every_percentage_stands_beside_its_counts(html):
    for label, cells in figures(html).items():
        for i, cell in enumerate(cells):
            if cell.endswith("%"):
                assert re.fullmatch(r"[\d,]+ of [\d,]+", cells[i + 1]), label


@pytest.mark.parametrize(
    "sentence",
    [
        "toy@v1: 1 of 8 letters fully right; 95% interval 2% to 47%.",
        "Fully right only under toy@v2: 6 letters; only under toy@v1: 1. Exact McNemar test: p = 0.125.",
        "Both runs: 0 invented values in 8 letters: up to 31% of letters possible.",
        "toy@v2: 0 failed letters in 8 letters: up to 31% of letters possible.",
        "would detect with 80% power",
        "A toy@v1 B toy@v2 Prompt toy@v1 toy@v2",
        "18 values fixed, 2 broke, 1 wrong in another way",
    ],
)
def test_sentences_of_a_comparison(sentence):
    assert sentence in words(COMPARED)


def test_flips_what_broke_first():
    page = Page(COMPARED)
    kinds = [attributes["data-kind"] for attributes, _ in page.all("tr") if "data-kind" in attributes]
    assert kinds == ["broke"] * 2 + ["changed"] + ["fixed"] * 18
    rows = [text for attributes, text in page.all("tr") if "data-kind" in attributes]
    assert "parcels/0/pages" in rows[0]
    assert "protected" in rows[0]
    assert "3\u20134, 9" in rows[0]


def test_the_figures_of_a_run():
    page = Page(RAN)
    assert page.words("h1") == ["toy@v1 with openai/toy makes 19 errors in 8 letters; 1 of 8 letters fully right"]
    assert "Of 56 gold values 37 are right, 12 wrong, 0 left out, 7 in failed letters; 0 values are invented." in words(
        RAN
    )
    assert figures(RAN)["Errors per letter"] == ["2.38", "19 in 8"]
    assert len([1 for attributes, _ in page.all("tr") if "data-kind" in attributes]) == 19
    assert "Gold read by: test author, 2026-01-02." in words(RAN)


def test_an_incomplete_run_says_so():
    html = run_page(GOLDS, run(GOLDS, {}, missing=["l03"]))
    assert "INCOMPLETE: 1 letter has no answer yet, and is in no figure: l03" in words(html)
    assert "l03: no answer" in words(html)


def test_a_run_without_an_error_and_one_without_a_letter():
    assert "No value of any letter is wrong." in words(run_page(GOLDS, run(GOLDS, {})))
    nothing = run(GOLDS, {}, missing=[each.letter.id for each in GOLDS])
    assert "no letter was answered" in words(run_page(GOLDS, nothing))


def test_what_gold_calls_debatable_is_said_beside_the_error():
    golds = [gold("x", note(("12", "lost", "")), debatable={"/parcels/0/state": "both words are there"})]
    html = run_page(golds, run(golds, {"x": note(("12", "found", ""))}))
    assert "Debatable: both words are there" in words(html)


# ---- letters --------------------------------------------------------------------------------------


def part(html: str, letter_id: str) -> str:
    """The part of the page about one letter."""
    [found] = [
        each
        for each in re.findall(r"<details class=\"letter\".*?</details>", html, re.DOTALL)
        if f"<h3>{letter_id}<" in each
    ]
    return found


def test_only_letters_with_a_change_or_an_error_have_their_text():
    golds = letters(8)
    a = run(golds, {"l01": spoilt("burnt"), "l02": spoilt("lost")}, prompt="toy@v1")
    b = run(golds, {"l01": spoilt("burnt")}, prompt="toy@v2")
    html = compare_page(golds, a, b)
    assert re.findall(r"<h3>(\w+)</h3>", html) == ["l01", "l02"]
    assert "6 letters are fully right in both runs" in words(html)
    assert "Wrong in both" in part(html, "l01")
    assert " open>" not in part(html, "l01")
    assert " open>" in part(html, "l02")


def test_many_letters_are_closed_at_first():
    assert compare_page(*two_runs(MOST_OPEN)).count(" open>") == MOST_OPEN
    assert compare_page(*two_runs(MOST_OPEN + 1)).count(" open>") == 0


def test_the_evidence_of_b_is_marked_in_the_text():
    text = part(COMPARED, "l00")
    marks = Page(text).all("mark")
    assert [(found["title"], words_) for found, words_ in marks if "parcels/0/state" in found["title"]] == [
        ("parcels/0/state\nparcels/1/state", "lost")
    ]
    assert [found.get("class") for found, words_ in marks if words_ == "lost"] == ["bad"]
    assert [found.get("class") for found, words_ in marks if words_ == "Blue Van"] == [None]
    assert "".join(Page(text).all("pre")[0][1][1:]) == GOLDS[0].letter.text


def test_a_row_leads_to_its_evidence():
    text = part(COMPARED, "l00")
    [target] = [found["id"] for found, words_ in Page(text).all("mark") if words_ == "Blue Van"]
    assert f'href="#{target}"' in text


def test_a_letter_without_an_answer_is_not_told_value_by_value():
    text = words(part(COMPARED, "l01"))
    assert "7 gold values of this letter are an error in a run only because that run has no valid answer" in text
    assert "refused: the model refused" in text
    assert "carrier" not in text.replace("PARCEL NOTE", "")


def test_findings_of_both_runs_are_told():
    text = part(COMPARED, "l00")
    assert "A: needs review" in Page(text).words("h5")
    assert "B: accepted" in Page(text).words("h5")
    assert "these words are not there (blame: answer)" in " ".join(Page(text).words("li"))


def test_a_text_that_is_not_at_hand_or_not_the_one_that_was_read():
    compared = compare(A, B, NOTE.is_protected)
    texts = {each.letter.id: each.letter.text for each in GOLDS}
    html = render_compare(compared, A, B, {**texts, "l00": "Another text, SECRET."})
    assert "SECRET" not in html
    assert "has changed since this run read it" in part(html, "l00")
    del texts["l00"]
    assert "was not available" in part(render_compare(compared, A, B, texts), "l00")


def test_a_very_long_letter_is_cut(monkeypatch):
    monkeypatch.setattr(letterparts, "MOST_TEXT", 20)
    text = part(compare_page(GOLDS, A, B), "l00")
    assert "These are the first 20 of" in text
    assert "".join(Page(text).all("pre")[0][1][1:]) == GOLDS[0].letter.text[:20]


# ---- hostile letters ------------------------------------------------------------------------------

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    "--><svg/onload=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "{{ 7*7 }} {% raw %} {# x #} ${7*7}",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "</pre></details></main><h1>gone</h1>",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("words_", HOSTILE)
@pytest.mark.sample(3)
def test_nothing_in_a_letter_becomes_markup(words_):
    true = note(("12", words_, ""), carrier=words_, marks=[words_])
    golds = [gold(f"{words_} {i}", true, debatable={"/carrier": words_}) for i in range(6)]
    wrong = note(("12", "lost", ""), carrier=f"{words_} too", marks=[words_, f"more {words_}"])
    about = {"prompt": words_, "params": {words_: words_}, "set": words_}
    a = run(golds, {each.letter.id: wrong for each in golds[:3]}, **about)
    b = run(golds, {}, **{**about, "model": words_})
    tame = Page(compare_page(*two_runs(6))), Page(run_page(*two_runs(6)[:2]))
    for html, plain in ((compare_page(golds, a, b), tame[0]), (run_page(golds, a), tame[1])):
        page = Page(html)
        assert page.unclosed == []
        assert {tag for tag, _, _ in page.elements} <= {tag for tag, _, _ in plain.elements}
        assert {name for _, found, _ in page.elements for name in found} <= {
            name for _, found, _ in plain.elements for name in found
        }
        assert page.all("script")[0][1] == plain.all("script")[0][1]
        assert page.all("pre")[0][1].removeprefix("\n") == golds[0].letter.text
        assert words_ in page.all("title")[0][1]


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\u202e", "U+202E"),
        ("\u200b", "U+200B"),
        ("\x00", "U+0000"),
        ("\x1b", "U+001B"),
        ("\ufeff", "U+FEFF"),
        ("\ud800", "U+D800"),
        ("\U000e0041", "U+E0041"),
        ("\f", "page break"),
    ],
)
def test_what_does_not_show_is_shown(character, shown):
    golds = [gold(f"x{character}", note(("12", f"lo{character}st", "")))]
    html = run_page(golds, run(golds, {f"x{character}": note(("12", "found", ""))}))
    html.encode("utf-8")
    assert character not in html
    assert f"lo{shown}st" in Page(html).all("pre")[0][1]


def test_words_of_ten_thousand_characters():
    word = "w" * 10_000
    golds = [gold("x", note(("12", word, "")))]
    html = run_page(golds, run(golds, {"x": note(("12", word + "w", ""))}))
    page = Page(html)
    row = next(text for attributes, text in page.all("tr") if "data-kind" in attributes)
    assert "w" * 240 + "\u2026" in row
    assert len(row) < 1000
    assert word in page.all("pre")[0][1]


def test_a_long_value_is_shown_where_it_differs():
    long = "word " * 80
    golds = [gold("x", note(("12", f"{long}END", "")))]
    html = run_page(golds, run(golds, {"x": note(("12", f"{long}STOP", ""))}))
    row = next(text for attributes, text in Page(html).all("tr") if "data-kind" in attributes)
    assert row.count("\u2026") == 2  # before the answer's words, after the gold's
    assert "STOP" in row
    assert len(row) < 600


def test_a_letter_that_begins_with_line_breaks_keeps_them():
    golds = [gold("x", note(("12", "lost", "")), text="\n\n PARCEL 12: lost\n")]
    html = run_page(golds, run(golds, {"x": note(("12", "found", ""))}))
    # Browsers drop the first line break of a <pre>.
    assert Page(html).all("pre")[0][1] == "\n" + golds[0].letter.text


def test_render_run_takes_letters_and_gold_that_lack_a_letter():
    html = render_run(A, {}, {})
    assert Page(html).unclosed == []
    assert "was not available" in html
