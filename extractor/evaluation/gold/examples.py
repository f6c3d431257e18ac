"""Letters with gold that a prompt uses as examples: it is not scored on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from extractor.errors import UsageError
from extractor.evaluation.gold.gold import Gold
from extractor.models.prompts import Prompt


def without_examples(golds: Sequence[Gold], prompt: Prompt | None, folder: Path) -> list[Gold]:
    """The gold without the examples that the prompt's front matter lists; ``folder`` holds all gold.

    Raises ``UsageError`` for an example without gold, and if no letter is left.
    """
    if prompt is None or not prompt.front.examples:
        return list(golds)
    for each in prompt.front.examples:
        if not (folder / f"{each}.json").is_file():
            hint = "its front matter lists letters that have gold"
            raise UsageError(f"{prompt.id} names the example {each!r}, which has no gold", hint=hint)
    left = [gold for gold in golds if gold.letter.id not in prompt.front.examples]
    if not left:
        raise UsageError(f"every letter is an example of {prompt.id}", hint="name another --set")
    return left
