"""Two prompts compared over the letters that have gold, in one call: the answers are replayed, not asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from extractor.errors import IncompleteRunError, UsageError, WorkspaceError
from extractor.evaluation.compare import Comparison, compare
from extractor.evaluation.evaluate import evaluate
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.gold.sets import ALL, FILE, choose, load_sets
from extractor.evaluation.scored_run import Run
from extractor.models.offline import NAME as OFFLINE
from extractor.workspace.session import Session, plan_spec
from extractor.workspace.workspace import Workspace


async def compare_prompts(
    workspace: Workspace,
    a: str,
    b: str,
    *,
    letter_type: str | None = None,
    model: str | None = None,
    set_name: str = ALL,
    reasks: int = 1,
) -> Comparison:
    """Prompt ``a`` against ``b``, each a prompt version or ``offline``; each letter with gold is read once.

    ``model`` names the recorded model, and may be left out where only one is recorded. Raises ``UsageError``
    kinds, ``CassetteError`` or ``IncompleteRunError`` if answers are missing.
    """
    if model is not None and not model.startswith("replay:"):
        raise UsageError("comparing asks no model", hint=f"record its answers, then name replay:{model}")
    name = workspace.letter_type_name(letter_type)
    golds = _golds(workspace, name, set_name)
    runs = []
    for prompt in (a, b):
        offline = prompt == OFFLINE
        spec = plan_spec(
            workspace,
            letter_type=name,
            model=OFFLINE if offline else model or OFFLINE,
            prompt=None if offline else prompt,
            replay=not offline,
            reasks=reasks,
        )
        runs.append(await _run(spec.open(), golds, set_name))
    return compare(runs[0], runs[1], workspace.letter_type(name).is_protected)


def _golds(workspace: Workspace, letter_type: str, set_name: str) -> list[Gold]:
    config = workspace.config.letter_types[letter_type]
    if not config.letters or not config.gold:
        raise WorkspaceError("this letter type has no gold", hint="set `letters` and `gold` in workspace.toml")
    folder = workspace.root / config.gold
    golds = load_gold(workspace.root / config.letters, folder, workspace.letter_type(letter_type))
    return choose(golds, set_name, load_sets(folder.parent / FILE))


async def _run(session: Session, golds: Sequence[Gold], set_name: str) -> Run:
    around = session.tape if session.replaying else None
    with tempfile.TemporaryDirectory() as scratch:
        try:
            run, summary = await evaluate(session.plan, golds, set_name, Path(scratch), around=around)
        finally:
            await session.plan.model.aclose()
    if not run.complete:
        first = next(iter(summary.unanswered.values()), None)
        raise first or IncompleteRunError(len(run.unanswered))
    return run
