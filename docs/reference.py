"""Pages of the site that are made from other sources: the commands, the library, and pages of the repository.

Sphinx calls :func:`write_pages` before it reads the pages, and :func:`site_links` on each page it reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
MADE = "made"
# Pages of the repository outside docs/: the page of the site that is made from each.
OUTSIDE = {
    "README.md": f"{MADE}/start.md",
    "RESULTS.md": f"{MADE}/results.md",
    "CHANGELOG.md": f"{MADE}/changelog.md",
    "CONTRIBUTING.md": f"{MADE}/contributing.md",
    "schemas/imr/README.md": f"{MADE}/imr.md",
    "eval/imr/README.md": f"{MADE}/imr-gold.md",
    "docs/decisions": f"{MADE}/decisions.md",
}
_LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s#]+)")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def site_links(text: str, source: Path, page: Path) -> str:
    """``text`` of the file ``source`` as it must be in ``page``: links to files of the repository lead to their pages.

    Links to files that are no page are left to Sphinx, which offers them for download.
    """

    def moved(link: re.Match[str]) -> str:
        path = Path(os.path.normpath(source.parent / link[2]))
        if not path.is_relative_to(ROOT) or not path.exists():
            return link[0]
        name = path.relative_to(ROOT).as_posix()
        target = DOCS / OUTSIDE[name] if name in OUTSIDE else path
        return link[1] + Path(os.path.relpath(target, page.parent)).as_posix()

    return "".join(part if part.startswith("```") else _LINK.sub(moved, part) for part in _FENCE.split(text))


def write_pages() -> None:
    """Write the pages under ``docs/made`` that have changed."""
    pages = {f"{MADE}/commands.md": commands_page(), f"{MADE}/api.rst": api_page()}
    for name, page in OUTSIDE.items():
        if (source := ROOT / name).is_file():
            pages[page] = site_links(source.read_text("utf-8"), source, DOCS / page)
    start, contributing = f"{MADE}/start.md", f"{MADE}/contributing.md"
    pages[start] = pages[start].replace("# Letterproof\n", "# Start\n", 1).partition("## More documentation")[0]
    pages[f"{MADE}/glossary.md"] = "# Glossary\n" + section(pages[contributing], "Glossary")
    pages[f"{MADE}/decisions.md"] = decisions_page()
    (DOCS / MADE).mkdir(exist_ok=True)
    for name, text in pages.items():
        path = DOCS / name
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def section(page: str, heading: str) -> str:
    """The text of a second-level section of ``page``."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"no section {heading!r}; docs/reference.py makes a page of it")
    return found[1]


def decisions_page() -> str:
    """The decisions, as a table of contents."""
    names = [f"../decisions/{path.stem}" for path in sorted((DOCS / "decisions").glob("*.md"))]
    return "\n".join(["# Decisions\n", "Why things are the way they are.\n", "```{toctree}", *names, "```\n"])


def commands_page() -> str:
    """Every command with its arguments and options, as ``--help`` has them."""
    import typer

    from extractor.cli.app import app
    from extractor.cli.commands import COMMANDS

    parts = ["# Reference of commands\n", "Made from the program; `extractor COMMAND --help` prints the same.\n"]
    group: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = group
        for word in name.split():
            command = command.get_command(command.context_class(command), word)
        parts += [f"## `extractor {name}`\n", *_help_of(name, command)]
    return "\n".join(parts)


def _help_of(name: str, command: Any) -> Iterator[str]:
    for paragraph in (command.callback.__doc__ or "").strip().split("\n\n"):
        text = "\n".join(line.strip() for line in paragraph.splitlines())
        before, _, example = text.partition("Example: ")
        if before:
            yield _plain(before) + "\n"
        if example:
            yield f"```sh\n{example}\n```\n"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    usage = " ".join([f"extractor {name}", *(_placeholder(each) for each in arguments), "[OPTIONS]" if options else ""])
    yield f"```text\n{usage.rstrip()}\n```\n"
    if command.params:
        yield "| argument or option | meaning |\n|---|---|"
        for each in [*arguments, *options]:
            yield f"| {_names(each)} | {_cell(each)} |"
        yield ""


def _placeholder(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    word += "..." if argument.nargs == -1 and not word.endswith("...") else ""
    return word if argument.required else f"[{word}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_placeholder(parameter)}`"
    names = " ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} `{_value(parameter)}`"


def _value(parameter: Any) -> str:
    """The word for an option's value, as ``--help`` has it."""
    kind = getattr(parameter.type_descriptor.annotation, "__name__", "")
    word = parameter.metavar or {"Path": "PATH", "int": "INTEGER", "float": "FLOAT"}.get(kind, "TEXT")
    return str(word).replace("|", " / ")


def _cell(parameter: Any) -> str:
    notes = [_plain(" ".join((parameter.help or "").split()))]
    if parameter.required and parameter.param_type_name == "option":
        notes.append("Required.")
    default = parameter.default
    if default not in (None, False, True, [], ()) and not callable(default) and not parameter.required:
        notes.append(f"Default: `{getattr(default, 'value', default)}`.")
    if parameter.envvar:
        notes.append(f"Environment: `{parameter.envvar}`.")
    return " ".join(filter(None, notes)).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text of the program as Markdown that shows the same characters."""
    return re.sub(r"([\\*_<\[\]$`#])", r"\\\1", text)


def api_page() -> str:
    """Every public name of the library, from its docstring."""
    import inspect

    import extractor

    kinds: dict[str, list[str]] = {"Classes": [], "Functions": [], "Errors": []}
    for name in sorted(extractor.__all__, key=str.lower):
        thing = getattr(extractor, name)
        if not inspect.isclass(thing):
            kinds["Functions"].append(f".. autofunction:: extractor.{name}\n")
        elif issubclass(thing, Exception):
            kinds["Errors"].append(f".. autoexception:: extractor.{name}\n   :show-inheritance:\n")
        else:
            kinds["Classes"].append(f".. autoclass:: extractor.{name}\n   :members:\n")
    title = "Reference of the library"
    opening = f"{title}\n{'=' * len(title)}\n\nMade from the docstrings; :doc:`../python` shows its use.\n"
    return "\n".join([opening, *(f"{kind}\n{'-' * len(kind)}\n\n" + "\n".join(each) for kind, each in kinds.items())])


def literal(lines: list[str]) -> None:
    """Make a docstring, which is plain text with code between backticks, safe to read as reStructuredText."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.+?``|:\w+:`[^`]+`)", line)
        parts[::2] = [re.sub(r"([*|`]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
        lines[number] = "".join(parts)
