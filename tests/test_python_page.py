"""The Python examples of README, docs/python.md and docs/agents.md run, one after the other, and give the results in their comments."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.commands import COMMANDS
from tests.support.imr import ROOT

PAGE = "".join((ROOT / page).read_text("utf-8") for page in ("README.md", "docs/python.md", "docs/agents.md"))
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
_COMMENT = re.compile(r"#\s(?P<value>['\[{\d].*|True|False|None)$")


def test_the_examples_run_and_give_what_their_comments_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EXTRACTOR_MODEL", raising=False)
    shutil.copytree(ROOT / "eval" / "imr" / "letters", tmp_path / "eval" / "imr" / "letters")
    names: dict[str, Any] = {"__name__": "page"}
    compared = 0
    for block in BLOCKS:
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            comment = _COMMENT.search(lines[statement.end_lineno - 1])
            if isinstance(statement, ast.Expr):
                value = eval(compile(ast.Expression(statement.value), "page", "eval"), names)
                if comment:
                    assert value == ast.literal_eval(comment["value"]), lines[statement.end_lineno - 1]
                    compared += 1
            else:
                exec(compile(ast.Module([statement], []), "page", "exec"), names)
    assert compared >= 10


def test_the_commands_beside_them_are_commands() -> None:
    for line in re.findall(r"```sh\nextractor (\w+(?: compare)?)", PAGE):
        assert line in COMMANDS
