"""Lists of guideline pages, as printed, as scans and PDF tools leave them, and those that only a person can settle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.spans import Span
from extractor.lettertypes.page_lists import PAGE_LABEL, read_pages
from tests.support.imr import decision, findings_on, imr_letter, module, read

LOW_BACK = "ACOEM Chapter 12 Low Back Complaints"  # pages 286 to 326
CHRONIC_PAIN = "Chronic Pain Treatment Guidelines"  # pages 1 to 127
NECK = "ACOEM Chapter 8 Neck and Upper Back Complaints"  # pages not known here


def listed(printed: str, title: str = NECK, *, prose: bool = False) -> tuple[str, bool, bool]:
    """The list after the first page label: the pages, whether it is certain, whether it was repaired."""
    label = PAGE_LABEL.search(printed)
    assert label
    found = read_pages(printed, Span(label.end(), len(printed)), module("guidelines").chapter_of(title), prose=prose)
    ranges = [str(page.first) if page.first == page.last else f"{page.first}-{page.last}" for page in found.pages]
    return ", ".join(ranges), found.certain, found.repaired


@pytest.mark.parametrize(
    ("printed", "pages"),
    [
        ("Page(s): 301.  Decision based on", "301"),
        ("Page(s): 301, 340.", "301, 340"),
        ("Complaints Page(s): 177-179. \n\nDecision", "177-179"),
        ("Page(s): \n\n114-117.", "114-117"),
        ("Page(s) : 301 , 340.", "301, 340"),
        ("Page(s); 300.", "300"),
        ("Page(s): .300.", "300"),
        ("Pages(s): 98-99.", "98-99"),
        ("Page (s): 301", "301"),
        ("Page(5): 301", "301"),
        ("Page{s}: 301", "301"),
        ("Pageis): 301. Decision", "301"),
        ("Pagets: 303,", "303"),
        ("Page(sh- 303-305.", "303-305"),
        ("Page(si: 303.", "303"),
        ("ComplaintsPage(s):177-179.", "177-179"),
        ("PAGE(S): 301", "301"),
        ("Pages: 8 and 9", "8, 9"),
        ("Page No. 94", "94"),
        ("page#121", "121"),
        ("(p 11)", "11"),
        ("pp. 94\u201395", "94-95"),
        ("pgs 68, 73", "68, 73"),
        ("Page(s): 303 to 305", "303-305"),
        ("Page(s): 79, 80 and 81 of 127", "79, 80, 81"),
        ("Page(s): 301 & 308", "301, 308"),
        ("Page(s): 46-47; 98-99", "46-47, 98-99"),
        ("Page(s): 303\n\n-305.", "303-305"),
        ("Page(s): 177- -179", "177-179"),
        ("Page(s): 177\u00ad179", "177-179"),
        ("Page(s): 177.-179", "177-179"),
        ("Page(s): 177&ndash;179", "177-179"),
        ("Page(s): 78-9", "78-79"),
        ("Page(s): 305-303", "305-303"),
        ("Page(s): 92 of 127, 33", "92, 33"),
        ("Page(s): 47, page 48", "47, 48"),
        ("Page(s): 301. , 340.", "301, 340"),
        ("Page(s): 301. 2. Chronic pain syndrome", "301"),
        ("Page(s): 301, 3 to 4 week period", "301"),
        ("Page(s): 301and the ODG", "301"),
        ("Page(s): 1213 Decision", "1213"),
        ("Page(s): 40-42, Chronic Pain", "40-42"),
        ("Page(s): N/A.", ""),
        ("Page(s): . \n", ""),
        ("Page(s):", ""),
    ],
)  # fmt: skip
def test_a_list_as_printed(printed: str, pages: str) -> None:
    assert listed(printed) == (pages, pages != "1213", False)


@pytest.mark.parametrize(
    ("printed", "title", "pages"),
    [
        ("Page(s): 3O1.", LOW_BACK, "301"),
        ("Page(s): 3o1.", NECK, "301"),
        ("Page(s): 30l.", LOW_BACK, "301"),
        ("Page(s): 298, 3O1.", LOW_BACK, "298, 301"),
        ("Page(s): l77-179.", NECK, "177-179"),
        ("Page(s): ll4-1l7.", CHRONIC_PAIN, "114-117"),
        ("Page(s): |21.", CHRONIC_PAIN, "121"),
        ("Page(s): I21.", NECK, "121"),
        ("Page(s): 30 1.", LOW_BACK, "301"),
        ("Page(s): 3 01.", LOW_BACK, "301"),
        ("Page(s): 3 0 1", LOW_BACK, "301"),
        ("Page(s): 298, 30 1.", LOW_BACK, "298, 301"),
        ("Page(s): 298, 30 1.", NECK, "298, 301"),
        ("Page(s): 30 1, 308.", LOW_BACK, "301, 308"),
        ("Page(s): 12 1.", CHRONIC_PAIN, "121"),
        ("Page(s): 17 7-179.", NECK, "177-179"),
        ("Page(s): 1 14-117", NECK, "114-117"),
        ("Page(s): 177-1 79.", NECK, "177-179"),
        ("Page(s): 177179.", NECK, "177-179"),
        ("Page(s): 301303.", LOW_BACK, "301-303"),
        ("Page(s): 9899.", CHRONIC_PAIN, "98-99"),
        ("Page(s): 98100.", CHRONIC_PAIN, "98-100"),
        ("Page(s): 22, 9899.", CHRONIC_PAIN, "22, 98-99"),
    ],
)  # fmt: skip
def test_a_broken_list_that_can_be_read_in_one_way_only(printed: str, title: str, pages: str) -> None:
    assert listed(printed, title) == (pages, True, True)


@pytest.mark.parametrize(
    ("printed", "title", "guess"),
    [
        ("Page(s): 30 1.", NECK, "301"),
        ("Page(s): 3 01.", NECK, "301"),
        ("Page(s): 1 21.", CHRONIC_PAIN, "121"),
        ("Page(s): 12 13.", CHRONIC_PAIN, "12, 13"),
        ("Page(s): 301 340.", LOW_BACK, "301, 340"),
        ("Page(s): 30t.", LOW_BACK, "301"),
        ("Page(s): S01.", LOW_BACK, "501"),
        ("Page(s): B04.", LOW_BACK, "804"),
        ("Page(s): 4O1.", LOW_BACK, "401"),
        ("Page(s): 1l7.", LOW_BACK, "117"),
        ("Page(s): 177179.", LOW_BACK, "177-179"),
        ("Page(s): 9899.", NECK, "9899"),
        ("Page(s): 98100.", NECK, "98-100"),
        ("Page(s): 179177.", NECK, ""),
        ("Page(s): 177179181.", NECK, ""),
        ("Page(s): 98-\nDecision", NECK, "98"),
        ("Page(s): V7 179, :", NECK, ""),
        ("Page(s): 3.3.9 Opioids", NECK, ""),
        ("Page(s): ten.", NECK, ""),
        ("Page(s): lll.", NECK, ""),
        ("Page(s): see the chapter on opioids.", NECK, ""),
        ("Page(s):\n4\n\f114-117.", NECK, "4"),
        ("Page(s): 22, 67-69,\n:\n2.", NECK, "22, 67-69"),
        ("Page(s): 22, :", NECK, "22"),
        ("Page(s): 22, 67-69,\nB.", NECK, "22, 67-69"),
        ("Page(s): 22, 67-69,\nUs\n\nDecision", NECK, "22, 67-69"),
        ("Page(s): 22. 67-69,\n73.", NECK, "22"),
        ("Page(s): 22. 73, 124.", NECK, "22"),
        ("Page(s): 301. 340.", LOW_BACK, "301"),
        ("Page(s): 3 of 7", NECK, "3"),
    ],
)  # fmt: skip
def test_a_list_that_could_be_read_in_another_way(printed: str, title: str, guess: str) -> None:
    pages, certain, _ = listed(printed, title)
    assert (pages, certain) == (guess, False)


@pytest.mark.parametrize(
    ("sentence", "pages", "certain"),
    [
        ("As page 301 of the ACOEM says, no.", "301", True),
        ("On page 3O8 of the chapter.", "308", True),
        ("Guidelines, page 68 of 127, state", "68", True),
        ("See Table 12-8, page 309; 6 visits over 2 weeks", "309", True),
        ("pages 303-305 6 weeks", "303-305", True),
        ("The label, on page 2, 2016", "2", True),
        ("page 2, 07-19-2016", "2", True),
        ("page 30 8 of the chapter", "30", False),
        ("page 30 1.", "301", False),
        ("page B04 of the ACOEM", "804", False),
        ("page 1 of 3 of the fax", "1", False),
    ],
)
def test_a_page_named_in_running_text(sentence: str, pages: str, certain: bool) -> None:
    assert listed(sentence, prose=True)[:2] == (pages, certain)


@pytest.mark.parametrize(
    "text",
    ["a 12-page report dated 5/19/2014", "paged the doctor 3 times", "p.m. 3 hours", "PT 6 pp", "one page", "homepage 3",
     "pages of the report", "stage 3 disease", "Page"],
)  # fmt: skip
def test_what_is_no_page_label(text: str) -> None:
    assert PAGE_LABEL.search(text) is None


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 30)), min_size=1, max_size=8), st.data())
def test_any_printed_page_list_is_read_back(ranges: list[tuple[int, int]], data: st.DataObject) -> None:
    wanted = [(first, first + more) for first, more in ranges]
    dash = data.draw(st.sampled_from(["-", " -", "- ", "-\n", "\u2013", "\n-"]))
    joint = data.draw(st.sampled_from([", ", ",", ",\n", " and ", "; ", ", and "]))
    printed = joint.join(str(first) if first == last else f"{first}{dash}{last}" for first, last in wanted)
    text = printed + data.draw(st.sampled_from([".", ".  Decision based on", "", " (pdf)"]))
    found = read_pages(text, Span(0, len(text)))
    assert [(page.first, page.last) for page in found.pages] == wanted
    assert (found.certain, found.repaired) == (True, False)
    for page in found.pages:
        assert page.span.of(text).startswith(str(page.first))
        assert page.span.of(text).endswith(str(page.last))


@given(st.text(alphabet="0123456789OlSB|-,. and\nof()pgP\f", max_size=60), st.booleans())
def test_any_text_is_read_without_harm(text: str, prose: bool) -> None:
    at = 0
    found = read_pages(text, Span(0, len(text)), prose=prose)
    for page in found.pages:
        assert at <= page.span.start < page.span.end <= found.end <= len(text)
        assert 1 <= page.first <= 9999
        assert 1 <= page.last <= 9999
        at = page.span.end


PAGES = "/decisions/0/maximus/citations/0/pages"


def _letter(printed: str) -> str:
    return imr_letter(decision(mx=f"Decision based on MTUS {printed}"))


@pytest.mark.parametrize(
    ("printed", "pages", "expected"),
    [
        (f"{LOW_BACK} Page(s): 301.", ["301"], []),
        (f"{LOW_BACK} Page(s): 3O1.", ["301"], [("imr_page_list_mended", "warning", "letter")]),
        (f"{LOW_BACK} Page(s): 3O1.", ["303"], [("imr_page_list_mended", "warning", "letter"),
            ("list_item_extra", "error", "answer"), ("list_item_missing", "error", "answer")]),
        (f"{NECK} Page(s): 30 1.", ["301"], [("imr_page_list_mended", "warning", "letter"), ("unread", "error", "unclear")]),
        (f"{NECK} Page(s): 30 1.", ["30"], [("imr_page_list_mended", "warning", "letter"), ("unread", "error", "unclear")]),
        (f"{NECK} Page(s): V7 179.", [], [("imr_page_list_mended", "warning", "letter"), ("unread", "error", "unclear")]),
        (f"{NECK} Page(s): V7 179.", ["177"], [("imr_page_list_mended", "warning", "letter"), ("not_in_text", "error", "answer")]),
        (f"{NECK} Page(s): V7 179.", ["179"], [("imr_page_list_mended", "warning", "letter"), ("unread", "error", "unclear")]),
        (f"{NECK} Page(s): N/A.", [], []),
    ],
)  # fmt: skip
def test_a_damaged_list_gives_a_finding(printed: str, pages: list[str], expected: list[tuple[str, str, str]]) -> None:
    def change(answer: dict[str, Any]) -> None:
        listed = [{"first": int(page), "last": int(page)} for page in pages]
        answer["decisions"][0]["maximus"]["citations"][0]["pages"] = listed

    found = findings_on(_letter(printed), change)
    assert sorted((f.code, f.severity, f.blame) for f in found) == expected
    assert {f.path.removesuffix("/0") for f in found} <= {PAGES}


def test_a_broken_list_does_not_swallow_or_add_a_citation() -> None:
    text = _letter(f"{NECK} Page(s): l77-179. Decision based on Non-MTUS Citation ODG, page 12.")
    citations = read(text).root.blocks["decisions"][0].blocks["maximus"][0].blocks["citations"]
    assert [(each.facts["title"].value, len(each.facts["pages"].value)) for each in citations] == [
        (NECK, 1),
        ("ODG", 1),
    ]
