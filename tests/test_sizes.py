"""Sizes of files and functions: what grows past a screen or two is divided."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ("extractor", "schemas", "benchmarks")
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def long_functions(source: str) -> list[str]:
    """Functions with more lines than a function may have, decorators not counted."""
    return [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]


@pytest.mark.parametrize(("lines", "long"), [(60, []), (61, ["f: 61"])])
def test_how_a_function_is_measured(lines: int, long: list[str]) -> None:
    body = "\n".join(f"    a{n} = {n}" for n in range(lines - 1))
    assert long_functions(f"@once\ndef f():\n{body}\n") == long
    assert long_functions(f"class C:\n    async def f():\n{body.replace('    ', '        ')}\n") == long


def test_no_file_is_too_long() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in files(*CODE)}
    assert len(sizes) > 200
    assert {str(path): size for path, size in sizes.items() if size > MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    found = {path.relative_to(ROOT): long_functions(path.read_text("utf-8")) for path in files(*CODE, "tests")}
    assert {str(path): names for path, names in found.items() if names} == {}
