"""Invisible and disguised characters: a letter may have them, an answer may not bring its own."""

from __future__ import annotations

import pytest

from extractor.letters.typography import disguises
from extractor.lettertypes.findings import Finding
from tests.support.imr import decision, findings_on, imr_letter

LETTER = imr_letter(decision(heading="Norco 10/325 mg, #120"))
ITEM = "Norco 10/325 mg, #120"


def on_item(text: str, item: str) -> list[Finding]:
    return [
        each
        for each in findings_on(text, lambda answer: answer["decisions"][0].update(item=item))
        if each.path.startswith("/decisions/0/item")
    ]


@pytest.mark.parametrize(
    "item",
    [
        "Norco\u202e 10/325 mg, #120",  # right-to-left override
        "Nor\u200bco 10/325 mg, #120",  # zero-width space
        "Nor\u00adco 10/325 mg, #120",  # soft hyphen
        "\ufeffNorco 10/325 mg, #120",  # byte order mark
        "Norco 10/325 mg, #120\ufe0f",  # variation selector
        "Norco 10/325 mg, #120\U000e0041",  # tag character
        "Norco \uff11\uff10/325 mg, #120",  # full-width digits
        "\uff2eorco 10/325 mg, #120",  # full-width letter
        "Norco 10\uff0f325 mg, #120",  # full-width slash
        "Norco \u0661\u0660/325 mg, #120",  # Arabic digits
        "\U0001d40dorco 10/325 mg, #120",  # mathematical bold
        "Norco\u316410/325 mg, #120",  # Hangul filler
        "Norco\x1f10/325 mg, #120",  # control character
    ],
)
def test_a_character_that_the_letter_does_not_have_is_the_answers(item: str) -> None:
    [found] = on_item(LETTER, item)
    assert (found.code, found.severity, found.blame) == ("odd_characters", "error", "answer")
    assert on_item(LETTER.replace(ITEM, item), item) == []
    assert on_item(LETTER.replace(ITEM, item), ITEM) == []


@pytest.mark.parametrize(
    ("printed", "item"),
    [
        ("L4\u2013L5 brace, 2\u00d7", "L4-L5 brace, 2\u00d7"),
        ("L4-L5 brace", "L4\u2013L5 brace"),
        ("patient's brace", "patient\u2019s brace"),
        ("Back brace", "Back\u00a0brace"),
        ("Sj\u00f6gren test", "Sjo\u0308gren test"),
        ("\u00b5g dose at 40\u00b0", "\u00b5g dose at 40\u00b0"),
        ("Back\nbrace", "Back brace"),
        ("Back\u200b brace", "Back brace"),
        ("e\ufb03cient brace", "efficient brace"),
    ],
)
def test_common_typing_variants_are_no_disguise(printed: str, item: str) -> None:
    assert on_item(imr_letter(decision(heading=printed)), item) == []


def test_an_odd_entry_of_a_list_is_named() -> None:
    found = findings_on(LETTER, lambda answer: answer["reviewer"].update(states=["California", "Ari\u200bzona"]))
    assert [(each.code, each.path) for each in found] == [("odd_characters", "/reviewer/states/1")]
    assert "U+200B" in found[0].message


def test_plain_text_holds_no_disguise() -> None:
    assert disguises("".join(map(chr, range(32, 127))) + "\t\r\n\u2013\u2019\u00a0\u00e9\u00b5\u00b0\u00ae\u2028") == ""
