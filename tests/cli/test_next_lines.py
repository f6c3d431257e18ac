"""The command that a report proposes never holds a password."""

from __future__ import annotations

import pytest

from extractor.cli.shared.outcome import without_password


@pytest.mark.parametrize(
    ("word", "printed"),
    [
        ("letters", "letters"),
        ("a@b.txt", "a@b.txt"),
        ("what=1?&x=2", "what=1?&x=2"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://user:secret@host/v1", "https://USER:PASSWORD@host/v1"),
        ("--base-url=https://secret@host/v1", "--base-url=https://USER:PASSWORD@host/v1"),
        ("https://host/v1?api-key=secret&version=2", "https://host/v1?api-key=VALUE&version=VALUE"),
    ],
)
def test_passwords_are_masked(word: str, printed: str) -> None:
    assert without_password(word) == printed
