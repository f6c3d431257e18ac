"""A letter type's code as a hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.workspace.workspace import Workspace
from tests.support import toy


def _hash(root: Path) -> str:
    toy.forget_workspaces()
    return Workspace(root).letter_type("parcel").code_sha256


@pytest.mark.parametrize("name", ["__init__.py", "model.py", "reader.py"])
def test_a_changed_file_of_the_type_changes_it(tmp_path: Path, name: str) -> None:
    toy.write_toy(tmp_path)
    before = _hash(tmp_path)
    assert _hash(tmp_path) == before
    path = tmp_path / "schemas" / "parcel" / name
    path.write_text(path.read_text("utf-8") + "\n# a word more\n", "utf-8")
    assert _hash(tmp_path) != before


def test_a_file_of_another_type_does_not_change_it(tmp_path: Path) -> None:
    toy.write_toy(tmp_path)
    before = _hash(tmp_path)
    (tmp_path / "schemas" / "other.py").write_text("X = 1\n", "utf-8")
    assert _hash(tmp_path) == before
