"""The documents are true."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from typing import Any

import typer

from extractor.cli.app import app
from extractor.cli.commands import COMMANDS
from extractor.lettertypes.findings import CODES
from tests.support.imr import IMR, ROOT

README = (ROOT / "README.md").read_text("utf-8")
DOCS = sorted((ROOT / "docs").glob("*.md"))
# A command line in a code block or between backticks; "..." and "[...]" are placeholders.
_COMMAND = re.compile(r"(?:^|`|: )extractor ((?:[a-z]|--)[^`#|\n]*)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\[[^\]]*\]|\.\.\.")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = json.loads((ROOT / "schemas" / "imr" / "schema.json").read_text("utf-8"))
    assert committed == IMR.json_schema, "run: extractor schema --type imr --out schemas/imr/schema.json"


def test_every_command_is_documented_and_has_help_with_an_example() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for name, entry in COMMANDS.items():
        command = entry.load()
        assert f"`extractor {name}" in page, name
        assert command.__doc__, name
        assert f"Example: extractor {name}" in command.__doc__, name


def test_every_finding_code_has_its_line() -> None:
    fields = (ROOT / "schemas" / "imr" / "README.md").read_text("utf-8")
    table = (ROOT / "docs" / "findings.md").read_text("utf-8")
    for code, line in IMR.codes.items():
        assert f"| `{code}` | {line[:-1]}" in fields
    for code, line in CODES.items():
        assert f"| `{code}` | {line} |" in table


def test_every_field_has_its_line() -> None:
    fields = (ROOT / "schemas" / "imr" / "README.md").read_text("utf-8")
    for definition in IMR.json_schema["$defs"].values():
        for name in definition.get("properties", {}):
            assert name in fields


def test_the_changelog_begins_with_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == project["version"]


def test_requirements_name_no_address_and_no_file_holds_a_key() -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        assert "://" not in (ROOT / name).read_text("utf-8")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()
    assert "uv.lock" not in listed.split("\0")
    key = re.compile(r"\bsk-[A-Za-z0-9]{20}")
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file():
            assert not key.search(path.read_bytes().decode("utf-8", "replace")), name


def test_every_page_is_linked_from_the_readme_and_every_link_leads_somewhere() -> None:
    for page in DOCS:
        assert f"](docs/{page.name})" in README, page.name
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "llms.txt", *DOCS):
        for target in _LINK.findall(page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_line_names_a_command_and_its_options() -> None:
    pages = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "llms.txt", *DOCS)
    lines = [line for page in pages for line in _COMMAND.findall(page.read_text("utf-8"))]
    assert len(lines) > 100
    for line in lines:
        words = shlex.split(_PLACEHOLDER.sub("", line))
        assert not _unknown(words), f"extractor {line}"


def test_an_unknown_command_or_option_is_found() -> None:
    assert _unknown(["eval", "compose"]) == ["compose"]
    assert _unknown(["run", "letters", "--out", "out", "--reasks", "2"]) == ["--reasks"]


def _unknown(words: list[str]) -> list[str]:
    """What no command or option of the program is called."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "get_command") and words and not words[0].startswith("-"):
        found = command.get_command(command.context_class(command), words[0])
        if found is None:
            return words[:1]
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
    return [word for word in words if word.startswith("--") and word not in known]
