"""Commands that are imported when they are used: ``--help`` and ``--version`` load none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from extractor.cli.shared.arguments import CheckedCommand, CheckedGroup
from extractor.cli.shared.reporting import reporting


class CommandEntry(NamedTuple):
    """A command of the table: ``home`` is ``module:function`` below ``extractor.cli``, ``help`` its line in a list."""

    home: str
    help: str

    def load(self) -> Callable[..., None]:
        """Import the function."""
        module, _, name = self.home.partition(":")
        found: Callable[..., None] = getattr(import_module(f"extractor.cli.{module}"), name)
        return found


Table = Mapping[str, "CommandEntry | TableGroup"]


class TableGroup(NamedTuple):
    """A group of commands of the table, and its line in a list."""

    help: str
    commands: Mapping[str, CommandEntry]


def lazy_group(table: Table) -> type[TyperGroup]:
    """A group class whose commands are those of ``table``."""

    class LazyGroup(CheckedGroup):
        def __init__(self, **attrs: Any) -> None:
            super().__init__(**attrs)
            # Names and help lines; ``get_command`` replaces them.
            self.commands = {name: TyperCommand(name=name, help=entry.help) for name, entry in table.items()}
            self._loaded: dict[str, Any] = {}
            self._names_only = False

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if self._names_only:
                return self.commands.get(cmd_name)
            if cmd_name in table and cmd_name not in self._loaded:
                self._loaded[cmd_name] = _built(cmd_name, table[cmd_name])
            return self._loaded.get(cmd_name)

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            # The Tab key must not import every command.
            self._names_only = True
            try:
                return super().shell_complete(ctx, incomplete)
            finally:
                self._names_only = False

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, entry.help) for name, entry in table.items()])

    return LazyGroup


def _built(name: str, entry: CommandEntry | TableGroup) -> Any:
    """The command or group, ready to be called by its parent."""
    app = typer.Typer(name=name, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(entry, TableGroup):
        app.callback(cls=lazy_group(entry.commands), help=entry.help, no_args_is_help=True)(_nothing)
    else:
        app.command(name, cls=CheckedCommand)(reporting(entry.load()))
    return typer.main.get_command(app)


def _nothing() -> None:
    pass
