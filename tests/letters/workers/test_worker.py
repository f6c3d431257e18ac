"""What a reader process answers where it cannot read."""

from __future__ import annotations

import pytest

from extractor.letters.workers import worker


@pytest.mark.parametrize(
    ("missing", "code", "message", "hint"),
    [
        (ModuleNotFoundError("No module named 'PIL'", name="PIL"), "ocr_missing", "the library PIL is not installed",
         "pip install 'letterproof[ocr]'"),
        (ValueError("words of a letter"), "damaged", "fax.png cannot be read (ValueError)", "export it again"),
        (MemoryError(), "too_large", "fax.png needs more memory", "print it to a new PDF"),
    ],
)  # fmt: skip
def test_what_is_missing_here_is_no_damage_of_the_file(
    monkeypatch: pytest.MonkeyPatch, missing: Exception, code: str, message: str, hint: str
) -> None:
    def reader() -> worker.Reader:
        raise missing

    monkeypatch.setitem(worker._READERS, "image", reader)
    error = worker._answer({"name": "fax.png", "task": "image"}, b"", lambda: None)["error"]
    assert error["code"] == code
    assert message in error["message"]
    assert hint in error["hint"]
    assert "words" not in str(error)
