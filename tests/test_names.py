"""Names of the package: a public class name occurs once, and public names are terms of the field."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "extractor"


def _places() -> dict[str, list[str]]:
    """Public classes by name, with the files that define them."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(PACKAGE)))
    return found


def test_a_class_name_occurs_once():
    doubled = {name: places for name, places in _places().items() if len(places) > 1}
    assert not doubled, "rename one of each pair"


# Public names are nouns, or verbs of the field; these are neither.
_SPEECH = re.compile(
    r"(?:^|_)(?:say|says|said|saying|tell|tells|told|telling|see|sees|saw|seeing|show|shows|shown|showing|notice[ds]?)(?:_|$)"
)
_COMMANDS = {"show_command"}  # `extractor eval show`


def _public_names(tree: ast.Module) -> Iterator[str]:
    """Functions, classes, parameters and attributes, in snake case; local variables are free."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.arg):
            yield node.arg
        if isinstance(node, ast.ClassDef):
            yield from (each.target.id for each in node.body if _is_field(each))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
    for each in tree.body:
        if isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name))


def _is_field(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def test_public_names_are_not_forms_of_say_tell_see_show():
    found = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in _public_names(ast.parse(path.read_text("utf-8")))
        if not name.startswith("_") and name not in _COMMANDS and _SPEECH.search(_snake(name))
    ]
    assert not found, "use the field's own term"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class DateTold: ...", ["DateTold"]),
        ("def page_of(text, told): ...", ["told"]),
        ("class Query:\n    show: str", ["show"]),
        ("def read(text):\n    seen = set()", []),
        ("def hold(essay, oversees): ...", []),
    ],
)
def test_which_names_are_found(source, found):
    names = [name for name in _public_names(ast.parse(source)) if _SPEECH.search(_snake(name))]
    assert names == found
