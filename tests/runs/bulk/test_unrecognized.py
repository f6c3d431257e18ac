"""Files that are no letters of the type: recognized before a model is paid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.loopback import endpoint, message
from tests.support.toy import MODEL, cli, put, write_toy

INVOICE = "INVOICE 2020-17\nTwo pallets of paper, 140.00 EUR, payable within 30 days.\n"
NOTHING = '{"carrier": null, "parcels": []}'


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose letters are one invoice and an empty file."""
    monkeypatch.chdir(write_toy(tmp_path))
    for path in (tmp_path / "letters").iterdir():
        path.unlink()
    put(tmp_path / "letters/invoice.txt", INVOICE)
    put(tmp_path / "letters/empty.txt", "")
    return tmp_path


def test_no_model_is_asked_about_an_invoice_unless_the_user_wants_it(toy: Path) -> None:
    with endpoint([message(NOTHING)]) as server:
        words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--reask", "0"]
        first = cli(*words)
        assert (first.code, len(server.asked)) == (1, 0)
        assert "invoice" in first.out
        assert "this is no letter of type parcel: this is no parcel note" in first.out
        assert "1 letter is not of this type, and no model was asked" in first.err
        assert "1 file cannot be read" in first.err
        assert "--retry" not in first.err
        assert cli(*words, "--json").json["skipped"] == 2
        asked = cli(*words, "--ask-unrecognized")
        assert (len(server.asked), "1 needs_review, 1 failed" in asked.out) == (1, True)
        # Its answer is paid for: it is kept, whatever is asked for later.
        assert "1 needs_review, 1 failed" in cli(*words).out
        assert len(server.asked) == 1


def test_a_forecast_names_what_will_not_be_asked(toy: Path) -> None:
    words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1", "--dry-run"]
    found = cli(*words)
    assert found.code == 0, found.err
    assert found.out.splitlines()[0] == "2 letters: 1 cannot be read, 1 not of this letter type, 0 to ask."
    assert "  invoice: this is no letter of type parcel" in found.out
    assert "  empty: letters/empty.txt is empty" in found.out
    report = cli(*words, "--json").json
    assert (report["unrecognized"], report["calls"], sorted(report["problems"])) == (1, 0, ["empty", "invoice"])
    assert cli(*words, "--ask-unrecognized", "--json").json["calls"] == 1


def test_without_a_model_such_letters_need_review(toy: Path) -> None:
    assert "1 needs_review, 1 failed" in cli("run", "letters", "--out", "out").out
