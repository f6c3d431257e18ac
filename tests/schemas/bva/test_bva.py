"""BVA decisions: the declared type on the project's own decisions, on variants of them, and on lent ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.letters.spans import fold
from extractor.models.offline import fill, values
from extractor.validator.checks import check
from tests.support.bva import BVA, LENT, LENT_IDS, OWN, OWN_IDS, letter, own

lent = pytest.mark.skipif(not LENT_IDS, reason="LETTERPROOF_BVA names no folder of BVA decisions")


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, list):
        return [_folded(one) for one in value]
    return {key: _folded(one) for key, one in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("letter_id", OWN_IDS)
def test_the_reading_is_the_gold(letter_id: str) -> None:
    reading, gold = own(letter_id)
    assert reading.recognized, reading.note
    assert _folded(json.loads(fill(BVA.schema, reading.root).model_dump_json())) == _folded(gold)


@pytest.mark.parametrize("letter_id", OWN_IDS)
def test_gold_is_accepted(letter_id: str) -> None:
    reading, gold = own(letter_id)
    verdict = check(BVA, BVA.schema.model_validate_json(json.dumps(gold)), reading)
    # A letter that addresses the machine needs a person.
    codes = {finding.code for finding in verdict.findings if finding.severity == "error"}
    assert codes <= ({"odd_instruction"} if letter_id == "injected-instructions" else set())


@pytest.mark.parametrize("letter_id", OWN_IDS)
def test_every_stated_value_of_gold_is_proven_by_its_quote(letter_id: str) -> None:
    reading, gold = own(letter_id)
    answer = BVA.schema.model_validate_json(json.dumps(gold))
    evidence = check(BVA, answer, reading).evidence
    text = reading.letter.text
    quotes = {path: text[spans[0].start : spans[-1].end] for path, spans in evidence.items() if spans}
    verdict = check(BVA, answer, reading, quotes)
    stated = ("_date", "/disposition", "/statutes", "/regulations")
    proven = {path: level for path, level in verdict.proof.items() if path.endswith(stated) and path in quotes}
    assert set(proven.values()) == {"place+quote"}
    assert not [f for f in verdict.findings if f.code.startswith("quote")]


@pytest.mark.parametrize(
    ("path", "value", "quote"),
    [
        # The value of the clause beside it, the right one with words from elsewhere, and a negation left out.
        ("/order/1/disposition", "granted", "is granted"),
        ("/order/1/disposition", "granted", "is denied"),
        ("/order/0/disposition", "denied", "is denied"),
        ("/order/0/disposition", "denied", "is not granted"),
        ("/conclusions/0/statutes", ["1110", "5108"], "1110, 5107"),
    ],
)
def test_a_wrong_value_is_wrong_whatever_is_quoted_for_it(path: str, value: Any, quote: str) -> None:
    reading, gold = own("two-dispositions-in-one-sentence")
    *_, records, i, leaf = path.split("/")
    gold[records][int(i)][leaf] = value
    verdict = check(BVA, BVA.schema.model_validate_json(json.dumps(gold)), reading, {path: quote})
    assert next((f.severity, f.blame) for f in verdict.findings if f.path.startswith(path)) == ("error", "answer")


@pytest.mark.parametrize(
    ("sentence", "dispositions"),
    [
        ("Service connection for PTSD is granted.", ["granted"]),
        ("A 70 percent rating, but no higher, for PTSD is GRANTED, subject to the law.", ["granted"]),
        ("Service connection for PTSD is allowed.", ["granted"]),
        ("The claims for a back and a knee disability are hereby denied.", ["denied"]),
        ("Service connection for PTSD is not granted.", [None]),
        ("Service connection for PTSD is not warranted.", [None]),
        ("The claim, denied in 1999, is reopened.", ["reopened"]),
        ("Reopening of the claim is granted.", ["reopened"]),
        ("The application to reopen the claim is denied.", ["denied"]),
        ("The claim is reopened, and to this extent only, the appeal is granted.", ["reopened"]),
        ("The claim is reopened and granted.", ["reopened", "granted"]),
        ("The claim is reopened; service connection for a hernia is denied.", ["reopened", "denied"]),
        ("The appeal is dismissed.", ["dismissed"]),
        ("The claim for a TDIU is remanded, but the rest is denied.", ["remanded", "denied"]),
        ("Service connection for PTSD is established.", [None]),
    ],
)
def test_dispositions_of_a_sentence(sentence: str, dispositions: list[str | None]) -> None:
    text = (OWN / "letters" / "injected-instructions.txt").read_text("utf-8")
    old = "Service connection for a cervical spine disability is denied."
    block = BVA.read(letter_from_text(text.replace(old, sentence, 1), letter_id="x")).root
    facts = [one.facts["disposition"] for one in block.blocks["order"]]
    assert [fact.value for fact in facts] == [*dispositions, "denied"]
    assert [fact.certain for fact in facts] == [value is not None for value in (*dispositions, "denied")]


@pytest.mark.parametrize(
    ("letter_id", "old", "new", "path", "value"),
    [
        ("attorney-above-judge", "HESTER J. MALLORY", "H. J. O\u2019MALLORY", "judges", ["H. J. O'MALLORY"]),
        ("attorney-above-judge", "ORDER", "0RDER", "judges", ["HESTER J. MALLORY"]),
        ("office-abroad", "Veterans Law Judge, ", "Acting Vice Chairman, ", "judges", ["V. M. Castellane"]),
        ("office-abroad", "recognized guerrillas. The appeal is from", "recognized guerrillas. She was heard by the\nVeterans Law Judge, who sat in\nManila. The appeal is from", "judges", ["V. M. Castellane"]),
        ("office-abroad", "recognized guerrillas. The appeal is from", "recognized guerrillas. She was heard by the\nVeterans Law Judge, who sat in\nManila. The appeal is from", "order",
         [{"sentence": "A one-time payment from the Filipino Veterans Equity Compensation Fund is denied.", "disposition": "denied"}]),
        ("office-abroad", "V. M. Castellane", "JOAN E. DE LA CRUZ", "judges", ["JOAN E. DE LA CRUZ"]),
        ("office-abroad", "The American Legion", "Veterans of Foreign Wars of the\nUnited States", "representative",
         "Veterans of Foreign Wars of the United States"),
        ("reopened-then-denied", "REPRESENTATION", "REPRESENTATI0N", "representative", "Military Order of the Purple Heart"),
    ],
)  # fmt: skip
def test_variants_of_the_form(letter_id: str, old: str, new: str, path: str, value: Any) -> None:
    text = (OWN / "letters" / f"{letter_id}.txt").read_text("utf-8")
    assert old in text
    assert values(BVA.schema, BVA.read(letter_from_text(text.replace(old, new), letter_id="x")).root)[path] == value


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("DOCKET NO. 17-42 660", "DOCKET NO. to follow", "docket_number"),
        ("Decision Date: 04/15/19", "Decision Date: 04/16/19", "decision_date"),
        ("Citation Nr: 19128846", "Citation Nr: see above", "citation_number"),
    ],
)
def test_what_is_not_understood_or_contradicts_itself_is_uncertain(old: str, new: str, name: str) -> None:
    text = (OWN / "letters" / "attorney-above-judge.txt").read_text("utf-8")
    assert old in text
    header = BVA.read(letter_from_text(text.replace(old, new), letter_id="x")).root.blocks["header"][0]
    assert not header.facts[name].certain


def test_decisions_in_one_text_are_cut() -> None:
    assert BVA.starts is not None
    texts = [(OWN / "letters" / f"{one}.txt").read_text("utf-8") for one in OWN_IDS]
    assert len(BVA.starts("\n".join(texts))) == len(texts)


# ---- lent decisions ----------------------------------------------------------------------------

# Read from the orders by a person: g granted, d denied, x dismissed, o reopened.
_READ_BY_HAND = {
    "BVA1303141": "dd", "BVA1315144": "oood", "BVA1343153": "d", "BVA1413417": "dddd", "BVA1455333": "g",
    "BVA1455570": "g", "BVA1456911": "og", "BVA1514581": "d", "BVA1534347": "g", "BVA1554166": "d",
    "BVA1613894": "d", "BVA1630402": "g", "BVA1631836": "d", "BVA1632746": "g", "BVA1634891": "d",
    "BVA1701504": "g", "BVA1705557": "d", "BVA1709261": "g", "BVA1716934": "dd", "BVA1718378": "d",
    "BVA1720286": "g", "BVA1727110": "d", "BVA1731026": "d", "BVA1742191": "d", "BVA18137350": "dd",
    "BVA18151264": "d", "BVA18154822": "g", "BVA18160185": "g", "BVA19139412": "g", "BVA19154420": "dddd",
    "BVA19160219": "xg", "BVA19160535": "dd", "BVA19161655": "gg", "BVA19161706": "gg", "BVA19162447": "g",
    "BVAA18000072": "g",
}  # fmt: skip
_LETTERS = {"granted": "g", "denied": "d", "dismissed": "x", "reopened": "o"}


@lent
@pytest.mark.parametrize("letter_id", LENT_IDS)
def test_lent_decisions(letter_id: str) -> None:
    reading = BVA.read(letter(LENT / f"{letter_id}.txt"))
    answer = json.loads(fill(BVA.schema, reading.root).model_dump_json())
    label = json.loads((LENT / f"{letter_id}.json").read_text("utf-8"))["labels"]["metadata"]
    header = answer["header"]
    assert header["citation_number"] == label["citationNr"]
    if "docketNumber" in label:
        assert header["docket_number"] == label["docketNumber"]
        assert header["decision_date"] == label["decisionDate"][:10]
        assert header["archive_date"] == label["archiveDate"][:10]
        assert header["office"].startswith(label["regionalOffice"])  # some labels are cut off
        assert answer["judges"] == [label["judge"]]
    assert "".join(_LETTERS[one["disposition"]] for one in answer["order"]) == _READ_BY_HAND[letter_id]
    assert answer["findings"]
    assert answer["conclusions"]
    verdict = check(BVA, BVA.schema.model_validate(answer, strict=False), reading)
    assert [finding.code for finding in verdict.findings if finding.severity == "error"] == []
