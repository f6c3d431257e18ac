"""What a letter type costs to write, and what its reader gets right: lines of code, and leaves that equal gold.

    python -m benchmarks.letter_types

Lines are counted as formatted, without blank lines, comments and docstrings. A leaf is right if the baseline, which
fills the schema from the reading alone, gives gold's value; leaves that only a model can fill are left out.
"""

from __future__ import annotations

import io
import json
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from extractor.evaluation.bench import Bench
from extractor.letters.spans import fold
from extractor.lettertypes.evidence import Judged, Unchecked, Verbatim, fields_of
from extractor.models.offline import fill
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
# What each type is made of. The checks and planted mistakes of a declared type are derived.
PARTS = {
    "bva": {"schema, form and places": ["bva.py"]},
    "imr": {
        "schema": ["imr/__init__.py", "imr/model.py"],
        "forms": ["imr/forms.py"],
        "reader": [
            f"imr/{name}.py"
            for name in (
                "anatomy", "citations", "determinations", "events", "guidelines", "header", "headings", "mentions",
                "people", "reader", "starts", "verdict",
            )
        ],
        "checks": ["imr/checks.py"],
        "planted mistakes": ["imr/planters.py", "imr/lock_planters.py", "imr/planting.py"],
    },
}  # fmt: skip


def code_lines(source: str) -> int:
    """Lines that hold code."""
    lines: set[int] = set()
    last = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_docstring = token.type == tokenize.STRING and last in (tokenize.NEWLINE, tokenize.INDENT, tokenize.NL)
        if token.type not in _NO_CODE and not is_docstring:
            lines |= set(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            last = token.type
    return len(lines)


def leaves(schema: type[BaseModel], values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf that a reader can fill, with its value in the form in which it is compared."""
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}"
        if spec.kind == "records" and spec.model:
            for i, one in enumerate(values[spec.name]):
                yield from leaves(spec.model, one, f"{here}/{i}")
        elif spec.model:
            yield from leaves(spec.model, values[spec.name], here)
        elif not isinstance(spec.marker, Judged | Unchecked) and (
            not isinstance(spec.marker, Verbatim) or spec.marker.whole
        ):
            yield here, fold(json.dumps(values[spec.name], ensure_ascii=False))


def main() -> None:
    """Print both tables."""
    print("| type | part | files | lines of code |\n|---|---|--:|--:|")
    for kind, parts in PARTS.items():
        total = 0
        for part, files in parts.items():
            lines = sum(code_lines((ROOT / "schemas" / name).read_text("utf-8")) for name in files)
            total += lines
            print(f"| `{kind}` | {part} | {len(files)} | {lines:,} |")
        print(f"| `{kind}` | all | {sum(map(len, parts.values()))} | {total:,} |")
    print("\n| type | letters with gold | leaves | equal in the reading |\n|---|--:|--:|--:|")
    for kind in PARTS:
        bench = Bench.of_workspace(Workspace(ROOT), kind, "gold")
        schema, count, equal = bench.letter_type.schema, 0, 0
        for gold in bench.golds:
            read = fill(schema, bench.letter_type.read(gold.letter).root).model_dump(mode="json")
            true, found = dict(leaves(schema, gold.answer)), dict(leaves(schema, read))
            count += len(true)
            equal += sum(found.get(path) == value for path, value in true.items())
        print(f"| `{kind}` | {len(bench.golds)} | {count:,} | {equal:,} ({equal / count:.1%}) |")


if __name__ == "__main__":
    main()
