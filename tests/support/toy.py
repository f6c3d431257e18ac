"""A complete workspace of another letter type: parcel notes. The engine must know nothing about it.

PARCEL NOTE of Blue Van
PARCEL 12: delivered on 3/4/2020
PARCEL 13: lost
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from extractor.cli.app import main
from tests.support.loopback import Asked, Canned, message

ROOT = Path(__file__).resolve().parents[2]
MODEL = "openai/toy"

CONFIG = """\
name = "{name}"
default_letter_type = "parcel"
default_model = "offline"

[letter_types.parcel]
code = "schemas.parcel"
prompts = "prompts/parcel"
default_prompt = "parcel@v1"

[models."openai/toy"]
params = {{ tries = 1, max_wait = 0.01 }}
"""

INIT = """\
from __future__ import annotations

from extractor.lettertypes.lettertype import LetterType

from .model import ParcelNote
from .reader import read

LETTER_TYPE = LetterType(name="parcel", schema=ParcelNote, read=read)
"""

# The second version of the checks: one rule more.
INIT_V2 = """\
from __future__ import annotations

from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType

from .model import Parcel, ParcelNote
from .reader import read


def lost(parcel, block, letter, path):
    if parcel.state == "lost":
        yield Finding("parcel_lost", f"{path}/state", "warning", "letter", "a parcel is lost", span=block.span)


LETTER_TYPE = LetterType(
    name="parcel",
    schema=ParcelNote,
    read=read,
    rules={Parcel: (lost,)},
    codes={"parcel_lost": "A parcel is lost."},
    checks_version=2,
)
"""

SCHEMA = """\
from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from extractor.lettertypes.evidence import Covers, StrictModel, Stated, Verbatim


class Parcel(StrictModel):
    number: Annotated[str, Verbatim(within="line", whole=True)]
    state: Annotated[Literal["delivered", "lost"], Stated(within="line")]
    on: Annotated[date | None, Stated(within="line")]


class ParcelNote(StrictModel):
    carrier: Annotated[str | None, Verbatim(within="note", whole=True)]
    parcels: Annotated[list[Parcel], Covers(key="number")]
"""

READER = r"""
from __future__ import annotations

import re

from extractor.letters.letter import Letter
from extractor.lettertypes.reading import Block, Fact, Reading, find_dates, nothing_read
from extractor.letters.spans import Span

from .model import ParcelNote

_LINE = re.compile(r"PARCEL (?P<number>\d+): (?P<state>delivered|lost)[^\r\n]*")
_CARRIER = re.compile(r"PARCEL NOTE of (?P<name>[^\r\n]+)")
assert ParcelNote.__name__ == "ParcelNote"


def read(letter: Letter) -> Reading:
    carrier = _CARRIER.search(letter.text)
    if not carrier:
        return nothing_read(letter, "this is no parcel note")
    whole = Span(0, len(letter.text))
    facts = {"carrier": Fact(carrier["name"], (Span(*carrier.span("name")),))}
    parcels = [parcel(letter.text, match) for match in _LINE.finditer(letter.text)]
    return Reading(letter, Block(whole, {"note": whole}, facts, {"parcels": parcels}))


def parcel(text: str, match: re.Match[str]) -> Block:
    line = Span(*match.span())
    day = next(find_dates(text, line), None)
    facts = {name: Fact(match[name], (Span(*match.span(name)),)) for name in ("number", "state")}
    facts["on"] = Fact(day.value, (day.span,)) if day else Fact(None)
    return Block(line, {"line": line}, facts)
"""

PROMPT = """\
---
title: Parcel notes
why: The first version.
---
You read one parcel note. Fill the schema from it.
"""

NOTES = {
    "blue": "PARCEL NOTE of Blue Van\nPARCEL 12: delivered on 3/4/2020\nPARCEL 13: lost\n",
    "red": "PARCEL NOTE of Red Cart\r\nPARCEL 7: delivered on 12/31/2019\r\n",
    "slow": "PARCEL NOTE of Slow Boat\nPARCEL 12: lost\n",
}


def write_toy(root: Path, name: str = "toy") -> Path:
    """A workspace in ``root`` with the letters ``NOTES`` in ``root/letters``."""
    files = {
        "workspace.toml": CONFIG.format(name=name),
        "schemas/parcel/__init__.py": INIT,
        "schemas/parcel/model.py": SCHEMA,
        "schemas/parcel/reader.py": READER,
        "prompts/parcel/v1.md": PROMPT,
        **{f"letters/{stem}.txt": text for stem, text in NOTES.items()},
    }
    for path, text in files.items():
        put(root / path, text)
    return root


def add_gold(root: Path, notes: Mapping[str, str] = NOTES) -> Path:
    """Give a toy workspace these letters, with gold for each."""
    setting = 'default_prompt = "parcel@v1"'
    edit(root / "workspace.toml", setting, f'{setting}\nletters = "letters"\ngold = "eval/parcel/gold"')
    for name, text in notes.items():
        put(root / f"letters/{name}.txt", text)
        gold = {"reviewed": [{"role": "test", "date": "2026-11-30"}], "answer": right_answer(text)}
        put(root / f"eval/parcel/gold/{name}.json", json.dumps(gold))
    return root


def put(path: Path, text: str | bytes) -> Path:
    """Write a file with exactly this text, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def only_notes(root: Path, names: Iterable[str]) -> None:
    """The letters of a toy workspace are these notes and no others, each of its own carrier."""
    for path in (root / "letters").iterdir():
        path.unlink()
    for name in names:
        put(root / f"letters/{name}.txt", f"PARCEL NOTE of {name}\nPARCEL {name}: delivered on 3/4/2020\n")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def forget_workspaces() -> None:
    """Unload all workspace code but the reference workspace's, as a new process would find it."""
    for module in list(sys.modules):
        if module.startswith("_workspace_") and module.split(".")[0] != "_workspace_letterproof":
            del sys.modules[module]


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def cli(*words: object, stdin: str = "", cwd: Path | None = None) -> Ran:
    """The real command line in this process. An exception that would end in a traceback fails the test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", ["extractor", *map(str, words)]))
        stack.enter_context(mock.patch.object(sys, "stdin", io.StringIO(stdin)))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        if cwd:
            stack.enter_context(contextlib.chdir(cwd))
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return Ran(code, out.getvalue(), err.getvalue())


def records(out: Path) -> list[dict[str, Any]]:
    """The records of a run folder; every line must be whole."""
    text = (out / "records.jsonl").read_text("utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def statuses(out: Path) -> dict[str, str]:
    """Status by letter id; no letter may occur twice."""
    found = records(out)
    statuses = {record["letter_id"]: record["status"] for record in found}
    assert len(statuses) == len(found)
    return statuses


# ---- a model that reads parcel notes ------------------------------------------------------------


def letter_in(asked: Asked) -> str:
    return str(asked.body["messages"][1]["content"])


def carrier_in(asked: Asked) -> str:
    return letter_in(asked).splitlines()[0].removeprefix("PARCEL NOTE of ")


def is_correction(asked: Asked) -> bool:
    return len(asked.body["messages"]) > 2


def right_answer(text: str) -> dict[str, Any]:
    """A good model's answer about a note."""
    parcels = []
    for number, state, day in re.findall(r"PARCEL (\d+): (delivered|lost)(?: on ([\d/]+))?", text):
        on = datetime.strptime(day, "%m/%d/%Y").date().isoformat() if day else None
        parcels.append({"number": number, "state": state, "on": on})
    carrier = re.search(r"PARCEL NOTE of ([^\r\n]+)", text)
    return {"carrier": carrier[1] if carrier else None, "parcels": parcels}


def good_model(number: int, asked: Asked) -> Canned:
    """A script for ``loopback.endpoint``: every note read rightly."""
    return message(json.dumps(right_answer(letter_in(asked))))


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so; fail if it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
