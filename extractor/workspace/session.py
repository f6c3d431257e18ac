"""Sessions: a workspace, and the plan made from the settings of one command or one program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.errors import LetterError, ModelNameError, PromptError, UsageError, WorkspaceError
from extractor.letters.letter import Letter, LetterFile, source_of
from extractor.lettertypes.mixed import AUTO
from extractor.models.model import Model
from extractor.models.offline import NAME as OFFLINE
from extractor.models.offline import OfflineModel
from extractor.models.prompts import Prompt, known_prompts, load_prompt
from extractor.runs.pipeline import extract
from extractor.runs.plan import DEFAULT_REASKS, MOST_REASKS, Plan
from extractor.runs.record import Record
from extractor.runs.replies import failed_record, unassigned_record
from extractor.settings import require_whole
from extractor.workspace.second import (
    ReplayedModel,
    SecondModel,
    at_letter,
    refuse_guided_prompt,
    refuse_same_model,
    unprefixed,
)
from extractor.workspace.tapes import REPLAY, only_recorded, open_tape
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.models.cassettes import Tape
    from extractor.runs.bulk.options import Around

Notify = Callable[[str], None]


@dataclass(frozen=True)
class PlanSpec:
    """A plan as plain JSON data, from which another process or machine can build it.

    ``workspace`` is the folder of a workspace, ``model`` a name such as ``offline`` or ``openai/NAME``. The
    hashes, where given, are of what the plan was made with: a workspace that differs is refused. ``strict``: no
    wrong value is withheld, its letter needs review. ``second`` is the plan of a second model. Keys are no part
    of it; each machine has its own. ``letter_type`` may be ``auto``: each letter is of the type that recognizes it,
    and is asked about with that type's default prompt, or with ``prompt`` if it is one of that type.
    """

    workspace: str
    letter_type: str
    model: str = OFFLINE
    prompt: str | None = None
    base_url: str | None = None
    reasks: int = DEFAULT_REASKS
    replay: bool = False
    schema_sha256: str | None = None
    prompt_sha256: str | None = None
    strict: bool = False
    second: PlanSpec | None = None

    def __post_init__(self) -> None:
        require_whole("reasks", self.reasks, 0, MOST_REASKS)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PlanSpec:
        """From plain JSON data. Raises ``UsageError`` for unknown or missing keys."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise UsageError(f"a plan has no {unknown[0]!r}", hint=f"known: {', '.join(sorted(known))}")
        try:
            second = data.get("second")
            return cls(**{**data, "second": cls.from_dict(second) if second else None})
        except TypeError:
            raise UsageError("a plan needs a workspace and a letter type") from None

    def open(self, *, recording: bool = False, keyless: bool = False, workspace: Workspace | None = None) -> Session:
        """The session of this plan on this machine; ``workspace`` is the plan's if it is open already.

        ``recording``: its traffic is written to cassettes. ``keyless``: the model will not be asked, so it needs
        no key. Raises ``UsageError`` kinds, ``WorkspaceError`` if prompt or schema are not those of the plan.
        """
        workspace = workspace or Workspace(Path(self.workspace))
        if self.letter_type == AUTO:
            return self._open_each(workspace, keyless=keyless)
        return self._open_one(workspace, None, recording=recording, keyless=keyless)

    def _open_each(self, workspace: Workspace, *, keyless: bool) -> Session:
        """One plan for each letter type of the workspace, all with one model."""
        sessions: list[Session] = []
        for name in workspace.letter_type_names:
            prompt = self.prompt if (self.prompt or "").partition("@")[0] == name else None
            spec = replace(self, letter_type=name, prompt=prompt)
            shared = sessions[0].plan.model if sessions else None
            sessions.append(spec._open_one(workspace, shared, recording=False, keyless=keyless))
        first, *others = [session._in_its_place() for session in sessions]
        return Session(workspace, replace(first, others=tuple(others)), self, self.replay)

    def _open_one(self, workspace: Workspace, shared: Model | None, *, recording: bool, keyless: bool) -> Session:
        letter_type = workspace.letter_type(self.letter_type)
        _same("schema", self.schema_sha256, letter_type.schema_sha256, workspace)
        if self.model == OFFLINE:
            return Session(workspace, Plan(letter_type, OfflineModel(), None, reasks=0, strict=self.strict), self)
        prompt = find_prompt(workspace, self.letter_type, self.prompt)
        _same("prompt", self.prompt_sha256, prompt.sha256, workspace)
        taped = self.replay or recording
        model = shared or _chat_model(workspace, self.model, self.base_url, taped=taped, replay=self.replay or keyless)
        tariff = workspace.tariff(model.name, model.params)
        plan = Plan(letter_type, model, prompt, self.reasks, tariff, strict=self.strict)
        if self.second is not None:
            plan = replace(plan, second=self.second.open(keyless=keyless)._in_its_place())
        return Session(workspace, plan, self, self.replay)


@dataclass(frozen=True)
class Session:
    """A workspace and one plan in it; ``spec`` is the plan as plain data.

    ``recording``: which of several recordings of each letter is replayed, from 1.
    """

    workspace: Workspace
    plan: Plan
    spec: PlanSpec
    replaying: bool = False
    recording: int = 1

    async def extract(self, file: LetterFile, letter: Letter | LetterError) -> Record:
        """One letter's record; a letter that cannot be read makes a failed one. Raises what ``extract`` raises."""
        if isinstance(letter, LetterError):
            return failed_record(file.id, self.plan, letter, source=source_of(file))
        try:
            plan = self.plan.of(letter)
        except LetterError as unclear:
            return unassigned_record(letter, self.plan, unclear)
        with self.tape(file, letter.sha256) if self.replaying else nullcontext():
            return await extract(letter, plan)

    @property
    def around(self) -> Around | None:
        """What is opened around the asking of each letter of a run: its cassette, if answers are replayed."""
        return self.tape if self.replaying else None

    @contextmanager
    def tape(self, file: LetterFile, letter_sha256: str) -> Iterator[Tape | None]:
        """The cassette of one letter, to be opened around its asking; ``None`` where the letter's type finds it."""
        with at_letter(file, letter_sha256):
            if self.plan.others:
                yield None
            else:
                with self._own_tape(file, letter_sha256) as tape:
                    yield tape

    def _own_tape(self, file: LetterFile, letter_sha256: str) -> Tape:
        return open_tape(self.workspace, self.plan, file, letter_sha256, recording=self.recording)

    def _in_its_place(self) -> Plan:
        """The plan of this session as a part of another: while that replays, its model opens its own cassettes."""
        if not self.replaying:
            return self.plan
        return replace(self.plan, model=ReplayedModel(self.plan.model, self._own_tape))


def plan_spec(
    workspace: Workspace,
    *,
    letter_type: str | None = None,
    model: str | None = None,
    prompt: str | None = None,
    base_url: str | None = None,
    replay: bool = False,
    reasks: int = DEFAULT_REASKS,
    notify: Notify | None = None,
) -> PlanSpec:
    """Resolve letter type, model and prompt; what is not given comes from the environment and the workspace.

    ``notify`` is called with messages for the user. Raises subclasses of ``UsageError`` that list valid names.
    """
    each = letter_type == AUTO
    kind = workspace.letter_type_name(None if each else letter_type)
    if each:
        kind = _type_of_prompt(workspace, prompt) or kind
    name = _model_name(workspace, model, notify)
    if name.startswith(REPLAY):
        name, replay = name[len(REPLAY) :], True
    if name == OFFLINE and replay:
        name = only_recorded(workspace, kind, prompt)
    root = str(workspace.root)
    if each and name != OFFLINE:
        return PlanSpec(root, AUTO, name, prompt, base_url, reasks, replay)
    schema_sha256 = None if each else workspace.letter_type(kind).schema_sha256
    if name == OFFLINE:
        if base_url or prompt:
            raise ModelNameError("a base URL or a prompt needs a model", hint="name one, e.g. openai/NAME (--model)")
        return PlanSpec(root, AUTO if each else kind, reasks=0, schema_sha256=schema_sha256)
    chosen = find_prompt(workspace, kind, prompt)
    return PlanSpec(root, kind, name, chosen.id, base_url, reasks, replay, schema_sha256, chosen.sha256)


def _type_of_prompt(workspace: Workspace, prompt: str | None) -> str | None:
    """The letter type that a prompt belongs to, where each letter has its own. Raises ``PromptError`` for none."""
    if prompt is None:
        return None
    kind = prompt.partition("@")[0]
    if kind not in workspace.config.letter_types:
        names = ", ".join(workspace.letter_type_names)
        raise PromptError(f"{prompt!r} is of no letter type", hint=f"write TYPE@VERSION; the types: {names}")
    return find_prompt(workspace, kind, prompt).id.partition("@")[0]


def with_second_model(spec: PlanSpec, workspace: Workspace, second: SecondModel) -> PlanSpec:
    """The plan with a second model. Raises ``UsageError`` kinds, for example if it is the same model as the first."""
    if spec.letter_type == AUTO:
        raise UsageError("a second model needs one letter type", hint="run each type by itself, with its name (--type)")
    name = unprefixed(second.model, replay=spec.replay)
    refuse_same_model(spec.model, name)
    own = plan_spec(
        workspace,
        letter_type=spec.letter_type,
        model=name,
        prompt=second.prompt or spec.prompt,
        base_url=second.base_url,
        replay=spec.replay,
        reasks=0,
    )
    refuse_guided_prompt(find_prompt(workspace, spec.letter_type, own.prompt))
    return replace(spec, second=own)


def _chat_model(workspace: Workspace, name: str, base_url: str | None, *, taped: bool, replay: bool) -> Model:
    # Importing the model SDKs costs seconds; the offline path never pays them.
    from extractor.models.cassettes import transport
    from extractor.models.llm import open_model

    config = workspace.config.settings_of(name)
    settings = {**config.params, **config.model_dump(include={"mode", "timeout"} & config.model_fields_set)}
    return open_model(
        name,
        base_url=base_url or config.base_url,
        params=settings,
        transport=transport() if taped else None,
        replay=replay,
    )


def _same(what: str, expected: str | None, found: str, workspace: Workspace) -> None:
    if expected not in (None, found):
        raise WorkspaceError(
            f"the {what} in {workspace.root} is not the one the plan was made with",
            hint="give every machine the same workspace",
        )


def _model_name(workspace: Workspace, model: str | None, notify: Notify | None) -> str:
    name = model or os.environ.get("EXTRACTOR_MODEL") or workspace.config.default_model
    if name:
        return name
    if notify:
        notify("no model named: using offline, the baseline that reads without a language model (see --model)")
    return OFFLINE


def find_prompt(workspace: Workspace, letter_type: str | None, prompt: str | None) -> Prompt:
    """The named prompt version, or the letter type's default."""
    kind = workspace.letter_type_name(letter_type)
    wanted = prompt or workspace.config.letter_types[kind].default_prompt
    return load_prompt(workspace.prompt_folder(kind), wanted, kind)


def prompts_known(workspace: Workspace, letter_type: str | None = None) -> list[str]:
    """Ids of a letter type's prompt versions."""
    kind = workspace.letter_type_name(letter_type)
    return known_prompts(workspace.prompt_folder(kind), kind)
