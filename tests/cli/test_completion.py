"""The Tab key: what the shell is offered, without importing every command for it."""

from __future__ import annotations

import sys

import pytest

from extractor.cli.app import COMPLETE_VARIABLE
from extractor.cli.commands import TABLE
from tests.support.toy import cli


def completed(words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What bash is offered behind ``words``, of which the last may be half a word or empty."""
    monkeypatch.setenv(COMPLETE_VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    return cli().out.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("extractor ex", ["extract", "export"]),
        ("extractor eval b", ["bless"]),
        ("extractor export --pro", ["--proof"]),
        ("extractor run --only acc", ["accepted"]),
    ],
)
def test_commands_options_and_choices_are_offered(
    words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert completed(words, monkeypatch) == offered


def test_the_names_of_all_commands_cost_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "extractor.cli.desk", raising=False)
    assert completed("extractor ", monkeypatch) == list(TABLE)
    assert "extractor.cli.desk" not in sys.modules


def test_the_script_of_each_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in ("bash", "zsh", "fish"):
        ran = cli("completion", shell)
        assert (ran.code, COMPLETE_VARIABLE in ran.out) == (0, True)
    assert cli("completion", "cmd").code == 2
