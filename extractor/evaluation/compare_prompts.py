"""Two prompts compared over the letters that have gold, in one call: the answers are replayed, not asked for."""

from __future__ import annotations

from extractor.errors import IncompleteRunError, UsageError
from extractor.evaluation.bench import Bench
from extractor.evaluation.compare import Comparison, compare
from extractor.evaluation.gold.sets import ALL
from extractor.models.offline import NAME as OFFLINE
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
    bench = Bench.of_workspace(workspace, letter_type, set_name)
    runs = []
    for prompt in (a, b):
        found = await bench.evaluate_async(prompt, OFFLINE if prompt == OFFLINE else model, reasks=reasks)
        if not found.run.complete:
            first = next(iter(found.unanswered.values()), None)
            raise first or IncompleteRunError(len(found.run.unanswered))
        runs.append(found.run)
    return compare(runs[0], runs[1], bench.letter_type.is_protected)
