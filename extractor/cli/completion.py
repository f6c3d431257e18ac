"""``extractor completion``: commands and options completed by the shell's Tab key."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def completion_command(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="Your shell.", metavar="SHELL")],
) -> None:
    """Print the script that makes your shell complete commands and options.

    For bash and zsh, put this line into the file that the shell reads when it starts (~/.bashrc, or
    ~/.zshrc after compinit): eval "$(extractor completion bash)"

    Example: extractor completion fish > ~/.config/fish/completions/extractor.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from extractor.cli.app import COMPLETE_VARIABLE

    print(get_completion_script(prog_name="extractor", complete_var=COMPLETE_VARIABLE, shell=shell))
