"""A workspace, a plan in it and its session, each opened when it is first needed."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from extractor.errors import UsageError
from extractor.lettertypes.lettertype import LetterType
from extractor.loops import close_with
from extractor.models.offline import OfflineModel
from extractor.runs.plan import Plan
from extractor.runs.stream import Asking
from extractor.workspace.second import SecondModel
from extractor.workspace.session import PlanSpec, Session, plan_spec, with_second_model
from extractor.workspace.starter import starter_folder
from extractor.workspace.workspace import Workspace


class LazySession:
    """What the settings of a program describe: a plan of a workspace, or an ``own_type`` without one.

    ``workspace`` is a folder, or one that is open; ``None`` is the bundled starter. ``settings`` are those of
    ``plan_spec``. ``spec`` is a plan that is known already.
    """

    def __init__(
        self,
        workspace: Path | Workspace | None,
        settings: dict[str, Any],
        *,
        own_type: LetterType | None = None,
        strict: bool = False,
        second: SecondModel | None = None,
        spec: PlanSpec | None = None,
    ) -> None:
        self._workspace, self.settings, self.own_type = workspace, settings, own_type
        self.strict, self._second, self._spec = strict, second, spec

    @cached_property
    def workspace(self) -> Workspace:
        if isinstance(self._workspace, Workspace):
            return self._workspace
        return Workspace(starter_folder() if self._workspace is None else self._workspace)

    @cached_property
    def letter_types(self) -> list[LetterType]:
        """The letter type; with ``auto`` all of the workspace, the default first."""
        return [self.own_type] if self.own_type else self.workspace.letter_types(self.settings["letter_type"])

    @cached_property
    def spec(self) -> PlanSpec:
        """The plan as data. Raises ``UsageError`` for a type without a workspace."""
        if self.own_type:
            raise UsageError("a letter type without a workspace cannot be described as data")
        if self._spec is not None:
            return self._spec
        spec = replace(plan_spec(self.workspace, **self.settings), strict=self.strict)
        return with_second_model(spec, self.workspace, self._second) if self._second else spec

    @cached_property
    def session(self) -> Session | None:
        """The session that most calls share; ``None`` without a workspace."""
        session = self._open()
        if session is not None:
            close_with(self, session.plan.aclose)
        return session

    @cached_property
    def plan(self) -> Plan:
        """The plan that most calls share."""
        return self._plan_of(self.session)

    @property
    def is_open(self) -> bool:
        """Whether there is a shared plan, whose connections are to be closed."""
        return bool({"session", "plan"} & set(self.__dict__))

    def shared(self) -> Asking:
        """The shared plan."""
        return self._asking(self.session)

    def own(self, *, keyless: bool = False) -> Asking:
        """A plan with connections of its own; ``keyless``: its model will not be asked, so it needs no key."""
        return self._asking(self._open(keyless=keyless))

    def _open(self, *, keyless: bool = False) -> Session | None:
        return None if self.own_type else self.spec.open(workspace=self.workspace, keyless=keyless)

    def _plan_of(self, session: Session | None) -> Plan:
        if session is not None:
            return session.plan
        return Plan(self.letter_types[0], OfflineModel(), reasks=0, strict=self.strict)

    def _asking(self, session: Session | None) -> Asking:
        return Asking(self._plan_of(session), session.around if session is not None else None)
