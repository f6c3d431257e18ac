"""``extractor eval``: which prompt is better, what may land, and what the validator is worth."""

from __future__ import annotations

from collections.abc import Callable

import typer

from extractor.cli.eval.compare import compare_command, show_command
from extractor.cli.eval.gate import bless_command, gate_command, leaks_command
from extractor.cli.eval.plan import plan_command
from extractor.cli.eval.planted import planted_command
from extractor.cli.eval.run import history_command, rescore_command, run_command
from extractor.cli.eval.strength import strength_command

eval_app = typer.Typer(
    name="eval", help="Which prompt is better, what may land, and what the validator is worth.", no_args_is_help=True
)
EVAL_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "compare": compare_command,
    "show": show_command,
    "plan": plan_command,
    "rescore": rescore_command,
    "gate": gate_command,
    "bless": bless_command,
    "history": history_command,
    "leaks": leaks_command,
    "planted": planted_command,
    "strength": strength_command,
}
