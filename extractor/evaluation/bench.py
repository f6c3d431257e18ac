"""A workspace's letters with gold, opened and read once, and the runs made over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from extractor.display.values import plural, some
from extractor.errors import IncompleteRunError, LetterError, UsageError, WorkspaceError
from extractor.evaluation.breakdown import Breakdown, LetterGroups, break_down, enum_fields
from extractor.evaluation.compare import Comparison, compare
from extractor.evaluation.evaluate import Evaluated, RecordedAnswers, evaluate, ledger_folders, replay
from extractor.evaluation.gold.examples import without_examples
from extractor.evaluation.gold.gold import Gold, load_gold
from extractor.evaluation.gold.leaks import Leak, find_leaks
from extractor.evaluation.gold.mapping import load_foreign, load_mapping
from extractor.evaluation.gold.sets import ALL, FILE, TEST, choose, load_form, load_sets, load_tags
from extractor.evaluation.looks import Looks, count_look
from extractor.evaluation.repeats import Spread, spread_of
from extractor.evaluation.scored_run import RUN, Run, latest, load, save, scored
from extractor.evaluation.scores import scoring
from extractor.evaluation.table import RunTable, compare_many
from extractor.letters.letter import Letter, find_letters, letters_in
from extractor.letters.workers.page_readers import pages_read_by
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.loops import run_here
from extractor.models.offline import NAME as OFFLINE
from extractor.models.offline import fill
from extractor.models.prompts import Prompt, load_draft, load_prompt
from extractor.runs.bulk import OnProgress
from extractor.runs.plan import DEFAULT_REASKS
from extractor.workspace.session import Session, plan_spec, prompts_known
from extractor.workspace.tapes import REPLAY, recordings
from extractor.workspace.workspace import Workspace

RUNS = "runs"
TrueAnswer = tuple[Letter, Mapping[str, Any]]


@dataclass(frozen=True)
class AskOptions:
    """How a run that does not exist yet gets its answers.

    ``repeat``: how often each letter is asked; of recorded answers, the first so many of each letter, and all
    for ``None``. ``fresh``: a live model is asked again where answers of an earlier run are kept.
    """

    concurrency: int = 8
    repeat: int | None = None
    fresh: bool = False


_ONCE = AskOptions()


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
        with _readings_kept(workspace, kind):
            golds = load_gold(workspace.root / str(config.letters), workspace.root / str(config.gold), kind)
        chosen = choose(golds, set_name, load_sets(folder / FILE))
        return cls(workspace, _reads_once(kind), chosen, set_name, folder)

    @classmethod
    def of_folders(
        cls,
        workspace: Workspace,
        letter_type: str | None,
        letters: Path | None,
        gold: Path | None,
        mapping: Path | None = None,
        *,
        set_name: str = ALL,
    ) -> Bench:
        """Letters and gold from elsewhere; ``mapping`` is for gold of another shape. Raises ``UsageError`` kinds."""
        if letters is None and gold is None:
            raise UsageError("--mapping needs --letters and --gold", hint="name the folders it is for")
        if letters is None or gold is None:
            raise UsageError("--letters and --gold go together", hint="name both folders; they may be the same one")
        if set_name != ALL:
            raise UsageError("--set is for the workspace's own gold", hint="leave it out with --letters and --gold")
        kind = workspace.letter_type(letter_type)
        with _readings_kept(workspace, kind):
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
        asking: AskOptions = _ONCE,
        on_progress: OnProgress | None = None,
    ) -> Evaluated:
        """Score one prompt version. ``model=None`` replays the recorded answers of the only recorded model.

        Raises ``UsageError`` kinds.
        """
        session = self._session(prompt, model, base_url, reasks)
        return run_here(self._evaluate(session, asking, on_progress))

    def find(self, run: str) -> Run | None:
        """A kept run, by its id or the path of its folder; ``None`` if there is none."""
        folder = next((each for each in (self.runs / run, Path(run)) if (each / RUN).is_file()), None)
        return None if folder is None else load(folder)

    def keep(self, run: Run) -> Path:
        """Write a run below ``runs``, and give its folder."""
        return save(run, self.runs)

    def count_look(self, run: Run) -> Looks | None:
        """Count a run over letters of the test half, where ``sets.toml`` has halves; ``None`` for any other."""
        return count_look(self.runs, run, load_sets(self.folder / FILE).get(TEST, ()))

    @property
    def has_halves(self) -> bool:
        """Whether ``sets.toml`` has a development and a test half."""
        return TEST in load_sets(self.folder / FILE)

    def heads(self) -> list[dict[str, Any]]:
        """What was run, the figures of each kept run and the day it was made (``made``), in that order."""
        return [
            {**json.loads((folder / RUN).read_text("utf-8")), "made": _day(folder / RUN)}
            for folder in latest(self.runs)
        ]

    def rescored(self, run: Run) -> Run:
        """The answers of a run, scored with today's gold and scorer; letters without gold today are left out."""
        golds = [gold for gold in self.golds if gold.letter.id in run.about["gold"]]
        settings = {**run.about, "gold": {gold.letter.id: gold.sha256 for gold in golds}, "scorer": scoring.VERSION}
        made = [(letter.recording, letter.seconds) for letter in run.letters]
        return scored(self.letter_type, golds, run.predictions, settings, run.unanswered, made)

    def replayed(
        self, prompt: str, model: str | None = None, *, reasks: int = DEFAULT_REASKS, repeat: int | None = None
    ) -> Evaluated:
        """``offline``, or a prompt version over the recorded answers of ``model``, or of the only recorded one.

        All recordings of each letter are used, or the first ``repeat``. Raises ``UsageError`` for a live model: that
        costs money, and is asked for with ``evaluate``.
        """
        return run_here(self._evaluate(self._recorded(prompt, model, reasks), AskOptions(repeat=repeat), None))

    async def compare(self, a: str, b: str, model: str | None = None, *, reasks: int = DEFAULT_REASKS) -> Comparison:
        """Prompt ``a`` against ``b``, each a prompt version, ``offline``, or a kept run. No model is asked.

        ``model`` as in ``replayed``. Raises ``UsageError`` kinds, ``CassetteError`` or ``IncompleteRunError`` if
        answers are missing.
        """
        one, other = await self._complete(a, model, reasks), await self._complete(b, model, reasks)
        return self.compare_runs(one, other)

    async def _complete(self, spec: str, model: str | None, reasks: int) -> Run:
        if (run := self.find(spec)) is None:
            found = await self._evaluate(self._recorded(spec, model, reasks), _ONCE, None)
            if found.unanswered:
                raise next(iter(found.unanswered.values()))
            run = found.run
        if not run.complete:
            raise IncompleteRunError(len(run.unanswered))
        return run

    def compare_runs(self, a: Run, b: Run) -> Comparison:
        """Two runs over the letters that both have an answer to. Raises ``UsageError`` if they cannot be paired."""
        return compare(a, b, self.letter_type.is_protected, self.groups)

    @cached_property
    def groups(self) -> LetterGroups:
        """What reports break results down by. Raises ``WorkspaceError`` for a broken ``sets.toml``."""
        path = self.folder / FILE
        return LetterGroups(load_tags(path), load_sets(path), enum_fields(self.letter_type.schema))

    def breakdown(self, run: Run) -> Breakdown:
        """The errors of a run by tag and set, and which values are taken for which others."""
        return break_down([run], self.groups)

    def of_letters(self, letters: Sequence[str] = (), tags: Sequence[str] = ()) -> Bench:
        """The bench over these letters, and those with all of these tags. Raises ``UsageError`` for unknown ones."""
        by_id, known = {gold.letter.id: gold for gold in self.golds}, load_tags(self.folder / FILE)
        if unknown := [each for each in letters if each not in by_id]:
            hint = f"known: {some(list(by_id), 30)}"
            raise UsageError(f"no letter {unknown[0]!r} with gold in this set", hint=hint)
        if unknown := [each for each in tags if each not in known]:
            raise UsageError(f"no tag {unknown[0]!r}", hint=f"known: {', '.join(known) or '(none, see sets.toml)'}")
        chosen = [
            gold
            for gold in self.golds
            if (not letters or gold.letter.id in letters) and all(gold.letter.id in known[tag] for tag in tags)
        ]
        if not chosen:
            raise UsageError("no letter has all of that", hint="leave out a --tag or a --letter")
        words = [*tags, *([plural(len(letters), "letter")] if letters else [])]
        name = f"{self.set_name} ({', '.join(words)})" if words else self.set_name
        return replace(self, golds=chosen, set_name=name)

    def spread(self, run: Run) -> Spread | None:
        """How much the recordings of a run differ; ``None`` if no letter has more than one."""
        return spread_of(run, self.letter_type.is_protected)

    def compare_many(self, runs: Sequence[Run]) -> RunTable:
        """Three or more runs in pairs. Raises ``UsageError`` as ``compare_runs`` does."""
        return compare_many(runs, self.letter_type.is_protected, self.groups)

    def of_set(self, name: str) -> Bench:
        """The bench over one set of its letters. Raises ``UsageError`` kinds for a set that cannot be used."""
        return replace(self, golds=choose(self.golds, name, load_sets(self.folder / FILE)), set_name=name)

    @property
    def prompts(self) -> list[str]:
        """Ids of the letter type's prompt versions."""
        return prompts_known(self.workspace, self.letter_type.name)

    def true_answers(
        self, baseline: Sequence[Path] = (), notify: Callable[[str], None] | None = None
    ) -> list[TrueAnswer]:
        """The gold, and after it the readings of further letters, which are taken as true.

        ``notify`` is called with a message for each letter that is not read as one of this type. Raises
        ``LetterError`` for one that cannot be read.
        """
        return [*((gold.letter, gold.answer) for gold in self.golds), *self._readings(baseline, notify)]

    def _readings(self, paths: Sequence[Path], notify: Callable[[str], None] | None) -> Iterator[TrueAnswer]:
        for file in find_letters(paths) if paths else ():
            with _readings_kept(self.workspace, self.letter_type):
                letters = list(letters_in(file, self.letter_type.starts))
            for _, letter in letters:
                if isinstance(letter, LetterError):
                    raise letter
                reading = self.letter_type.read(letter)
                if reading.recognized:
                    yield letter, json.loads(fill(self.letter_type.schema, reading.root).model_dump_json())
                elif notify is not None:
                    notify(f"{letter.id} is skipped: {reading.note}")

    def leaks(self, prompts: Iterable[str]) -> list[Leak]:
        """Words of these letters in prompt versions and in the schema's descriptions."""
        folder = self.workspace.prompt_folder(self.letter_type.name)
        versions = {prompt: prompt.partition("@")[2] for prompt in prompts if "@" in prompt}
        texts = {prompt: (folder / f"{version}.md").read_text("utf-8") for prompt, version in versions.items()}
        texts["schema"] = json.dumps(self.letter_type.json_schema)
        found = find_leaks(texts, self.golds, load_form(self.folder / FILE))
        # A prompt is not scored on its examples, so their words are no leak.
        examples = {name: load_prompt(folder, name, self.letter_type.name).front.examples for name in versions}
        return [leak for leak in found if leak.letter_id not in examples.get(leak.prompt, ())]

    def _recorded(self, prompt: str, model: str | None, reasks: int) -> Session:
        if prompt == OFFLINE:
            return self._session(None, OFFLINE, None, reasks)
        if model is not None and not model.startswith(REPLAY):
            raise UsageError(
                f"comparing asks no model, and there is no run {prompt!r}",
                hint=f"make it with: extractor eval run {prompt} --model {model}; then name the run",
            )
        return self._session(prompt, model, None, reasks)

    def _session(self, prompt: str | None, model: str | None, base_url: str | None, reasks: int) -> Session:
        draft = self._draft(prompt, model)
        spec = plan_spec(
            self.workspace,
            letter_type=self.letter_type.name,
            model=model or OFFLINE,
            prompt=None if model == OFFLINE or draft else prompt,
            base_url=base_url,
            replay=model is None,
            reasks=reasks,
        )
        session = spec.open(workspace=self.workspace)
        plan = replace(session.plan, letter_type=self.letter_type)
        return replace(session, plan=replace(plan, prompt=draft) if draft else plan)

    def _draft(self, prompt: str | None, model: str | None) -> Prompt | None:
        """The prompt in a file without a version yet; ``None`` for a version. Raises ``UsageError`` kinds."""
        if prompt is None or not prompt.endswith(".md"):
            return None
        draft = load_draft(Path(prompt), self.letter_type.name)
        if model is None or model.startswith(REPLAY) or model == OFFLINE:
            raise UsageError(f"{prompt} is a draft, which has no recordings", hint="name a --model to ask")
        return draft

    def _scored_by(self, prompt: Prompt | None) -> list[Gold]:
        config = self.workspace.config.letter_types[self.letter_type.name]
        return without_examples(self.golds, prompt, self.workspace.root / str(config.gold))

    async def _evaluate(self, session: Session, asking: AskOptions, on_progress: OnProgress | None) -> Evaluated:
        plan, golds, many = session.plan, self._scored_by(session.plan.prompt), asking.concurrency
        try:
            if session.replaying or plan.is_offline:
                if asking.fresh:
                    raise UsageError(
                        "--fresh is for a live model: recorded answers are always the same",
                        hint="name a --model to ask, or record again: extractor record --all",
                    )
                taped = _recordings(session, asking.repeat) if session.replaying else None
                return await replay(plan, golds, self.set_name, concurrency=many, recordings=taped)
            work = self.runs / ".work"
            folders = ledger_folders(work, plan, golds, self.set_name, repeat=asking.repeat or 1, fresh=asking.fresh)
            return await evaluate(plan, golds, self.set_name, folders, concurrency=many, on_progress=on_progress)
        finally:
            await plan.model.aclose()


def _readings_kept(workspace: Workspace, letter_type: LetterType) -> AbstractContextManager[None]:
    """Within, what is read in PDF files and scans is kept beside the runs."""
    return pages_read_by(ReadingCache(workspace.root / RUNS / letter_type.name / FOLDER))


def _recordings(session: Session, repeat: int | None) -> RecordedAnswers:
    """All recordings that each letter has, or the first ``repeat`` of each, whether they exist or not."""
    known = recordings(session.workspace, session.plan)
    numbers = known if repeat is None else lambda file: range(1, repeat + 1)
    return RecordedAnswers(numbers, lambda number: replace(session, recording=number).tape)


def _day(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")


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
