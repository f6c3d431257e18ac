"""A workspace's letters with gold, opened and read once, and the runs made over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from extractor.errors import WorkspaceError
from extractor.evaluation.evaluate import Evaluated, evaluate, replay
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.gold.leaks import Leak, find_leaks
from extractor.evaluation.gold.mapping import load_foreign, load_mapping
from extractor.evaluation.gold.sets import ALL, FILE, choose, load_form, load_sets
from extractor.letters.letter import Letter, find_letters
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.loops import wait_for
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.bulk import OnProgress
from extractor.runs.plan import DEFAULT_REASKS
from extractor.workspace.session import Session, plan_spec
from extractor.workspace.workspace import Workspace

RUNS = "runs"


@dataclass(frozen=True)
class Bench:
    """Letters with gold, chosen, and the folder where runs of them are kept.

    ``letter_type`` reads each letter once, however many runs are made.
    """

    workspace: Workspace
    letter_type: LetterType
    golds: list[Gold]
    set_name: str
    folder: Path

    @property
    def runs(self) -> Path:
        """Runs hold letters' words: beside the workspace's committed folders, never inside them."""
        return self.workspace.root / RUNS / self.letter_type.name

    @classmethod
    def of_workspace(cls, workspace: Workspace, letter_type: str | None = None, set_name: str = ALL) -> Bench:
        """The workspace's own gold, or one set of it. Raises ``UsageError`` kinds."""
        kind = workspace.letter_type(letter_type)
        folder = _eval_folder(workspace, kind.name)
        config = workspace.config.letter_types[kind.name]
        golds = load_gold(workspace.root / str(config.letters), workspace.root / str(config.gold), kind)
        chosen = choose(golds, set_name, load_sets(folder / FILE))
        return cls(workspace, _reads_once(kind), chosen, set_name, folder)

    @classmethod
    def of_folders(
        cls, workspace: Workspace, letter_type: str | None, letters: Path, gold: Path, mapping: Path | None = None
    ) -> Bench:
        """Letters and gold from elsewhere; ``mapping`` is for gold of another shape. Raises ``UsageError`` kinds."""
        kind = workspace.letter_type(letter_type)
        if mapping is None:
            golds = load_gold(letters, gold, kind)
        else:
            golds = load_foreign(find_letters([letters]), gold, load_mapping(mapping, kind))
        return cls(workspace, _reads_once(kind), golds, letters.resolve().name, _eval_folder(workspace, kind.name))

    def evaluate(
        self,
        prompt: str | None = None,
        model: str | None = None,
        *,
        base_url: str | None = None,
        reasks: int = DEFAULT_REASKS,
        concurrency: int = 8,
        on_progress: OnProgress | None = None,
    ) -> Evaluated:
        """Score one prompt version. ``model=None`` replays the recorded answers of the only recorded model.

        Raises ``UsageError`` kinds.
        """
        session = self._session(prompt, model, base_url, reasks)
        return _finished(self._evaluate(session, concurrency, on_progress))

    async def evaluate_async(
        self, prompt: str | None = None, model: str | None = None, *, reasks: int = DEFAULT_REASKS
    ) -> Evaluated:
        """As ``evaluate``, for asynchronous callers."""
        return await self._evaluate(self._session(prompt, model, None, reasks), 8, None)

    def of_set(self, name: str) -> Bench:
        """The bench over one set of its letters. Raises ``UsageError`` kinds for a set that cannot be used."""
        return replace(self, golds=choose(self.golds, name, load_sets(self.folder / FILE)), set_name=name)

    def leaks(self, prompts: Iterable[str]) -> list[Leak]:
        """Words of these letters in prompt versions and in the schema's descriptions."""
        folder = self.workspace.root / self.workspace.config.letter_types[self.letter_type.name].prompts
        versions = {prompt: prompt.partition("@")[2] for prompt in prompts if "@" in prompt}
        texts = {prompt: (folder / f"{version}.md").read_text("utf-8") for prompt, version in versions.items()}
        texts["schema"] = json.dumps(self.letter_type.json_schema)
        return find_leaks(texts, self.golds, load_form(self.folder / FILE))

    def _session(self, prompt: str | None, model: str | None, base_url: str | None, reasks: int) -> Session:
        spec = plan_spec(
            self.workspace,
            letter_type=self.letter_type.name,
            model=model or OFFLINE,
            prompt=None if model == OFFLINE else prompt,
            base_url=base_url,
            replay=model is None,
            reasks=reasks,
        )
        session = spec.open(workspace=self.workspace)
        return replace(session, plan=replace(session.plan, letter_type=self.letter_type))

    async def _evaluate(self, session: Session, concurrency: int, on_progress: OnProgress | None) -> Evaluated:
        plan = session.plan
        try:
            if session.replaying or plan.is_offline:
                around = session.tape if session.replaying else None
                return await replay(plan, self.golds, self.set_name, concurrency=concurrency, around=around)
            work = self.runs / ".work"
            return await evaluate(
                plan, self.golds, self.set_name, work, concurrency=concurrency, on_progress=on_progress
            )
        finally:
            await plan.model.aclose()


def _finished(work: Coroutine[Any, Any, Evaluated]) -> Evaluated:
    """The result, from an event loop that handles interrupts, or the shared one if the caller runs a loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return wait_for(work)


def _reads_once(letter_type: LetterType) -> LetterType:
    return replace(letter_type, read=_cached(letter_type.read))


def _cached(read: Callable[[Letter], Reading]) -> Callable[[Letter], Reading]:
    """A reader that caches its readings by the letter's id and text."""
    known: dict[tuple[str, str], Reading] = {}

    def reading(letter: Letter) -> Reading:
        key = letter.id, letter.sha256
        if key not in known:
            known[key] = read(letter)
        return known[key]

    return reading


def _eval_folder(workspace: Workspace, letter_type: str) -> Path:
    """The folder that holds gold, sets, gates, baselines and runs. Raises ``WorkspaceError`` if there is no gold."""
    config = workspace.config.letter_types[letter_type]
    if not config.letters or not config.gold:
        raise WorkspaceError("this letter type has no gold", hint="set `letters` and `gold` in workspace.toml")
    return (workspace.root / config.gold).parent
