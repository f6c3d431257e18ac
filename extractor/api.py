"""The library: what ``import extractor`` offers. The command line is one of its users.

from extractor import Extractor

letters = Extractor()                             # the bundled starter workspace, no language model
record = letters.extract("letter.txt")
for record in letters.run(["letters"], "out"): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from extractor.errors import LetterError, UsageError
from extractor.letters.letter import Letter, LetterFile, find_letters
from extractor.letters.single import letter_from_bytes as _letter_from_bytes
from extractor.letters.single import one_letter
from extractor.lettertypes.lettertype import LetterType
from extractor.loops import awaited, wait_for
from extractor.models.offline import NAME as OFFLINE
from extractor.models.offline import OfflineModel
from extractor.runs.answers import CheckedAnswer, as_given, check_answer
from extractor.runs.bulk import OnProgress, Options
from extractor.runs.export import Reviewed, tables_of
from extractor.runs.export.cells import Cell
from extractor.runs.export.tables import LETTERS
from extractor.runs.pipeline import extract
from extractor.runs.plan import DEFAULT_REASKS, Plan
from extractor.runs.record import Record
from extractor.runs.stream import RecordStream
from extractor.workspace.second import SecondModel
from extractor.workspace.session import PlanSpec, Session, plan_spec, with_second_model
from extractor.workspace.starter import starter_folder
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.evaluation.compare import Comparison

AnyPath = str | PathLike[str]


class Extractor:
    """Reads letters of one type with one model and one prompt.

    ``workspace`` is its folder; without one, the bundled starter workspace. ``letter_type`` is a name in it, or
    a ``LetterType`` of your own, which then needs no workspace and is read without a language model. ``model``:
    ``offline``, ``openai/NAME``, ``replay:openai/NAME``, ...; ``None`` takes ``EXTRACTOR_MODEL``, then the
    workspace's default, then ``offline``. ``prompt``, ``base_url`` ``reasks`` (how often findings are sent back)
    and ``strict`` (no wrong value is withheld) mean what they mean on the command line. ``second`` is another model,
    which is asked about letters that would go to a person.

    Nothing is opened before it is needed. Every method raises ``ExtractorError`` kinds: ``UsageError`` for what
    cannot be done as asked, ``LetterError`` for a letter that cannot be read.
    """

    def __init__(
        self,
        workspace: AnyPath | None = None,
        *,
        letter_type: str | LetterType | None = None,
        model: str | None = None,
        prompt: str | None = None,
        base_url: str | None = None,
        reasks: int = DEFAULT_REASKS,
        strict: bool = False,
        second: SecondModel | None = None,
    ) -> None:
        own = letter_type if isinstance(letter_type, LetterType) else None
        if own and (workspace or prompt or base_url or second or model not in (None, OFFLINE)):
            raise UsageError(
                "a letter type without a workspace is read without a language model",
                hint="to ask a model, put the type and a prompt into a workspace: extractor init DIR",
            )
        self._own_type = own
        self._workspace = workspace
        self._strict = strict
        self._second = second
        self._settings: dict[str, Any] = {
            "letter_type": None if own else letter_type,
            "model": model,
            "prompt": prompt,
            "base_url": base_url,
            "reasks": reasks,
        }

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace, opened."""
        return Workspace(starter_folder() if self._workspace is None else Path(self._workspace))

    @cached_property
    def letter_type(self) -> LetterType:
        """The letter type: schema, reader, checks."""
        return self._own_type or self.workspace.letter_type(self._settings["letter_type"])

    @cached_property
    def spec(self) -> PlanSpec:
        """What is asked of whom, as plain data; another machine with the same workspace can open it."""
        if self._own_type:
            raise UsageError("a letter type without a workspace cannot be described as data")
        spec = replace(plan_spec(self.workspace, **self._settings), strict=self._strict)
        return with_second_model(spec, self.workspace, self._second) if self._second else spec

    @cached_property
    def _session(self) -> Session | None:
        return None if self._own_type else self.spec.open()

    @cached_property
    def _plan(self) -> Plan:
        if self._session is not None:
            return self._session.plan
        return Plan(self.letter_type, OfflineModel(), reasks=0, strict=self._strict)

    # ---- one letter ------------------------------------------------------------------------------

    def read(self, path: AnyPath, letter_id: str | None = None) -> Letter:
        """The letter in a file; ``letter_id`` names one where the file holds several."""
        return self._read(path, letter_id)[1]

    def extract(self, letter: Letter | AnyPath) -> Record:
        """The record of one letter, given as ``Letter`` or as the path of its file.

        A letter that the model gives no valid answer for becomes a ``failed`` record. Raises ``TransportError``
        if the model cannot be reached, ``CassetteError`` if a recording is missing.
        """
        return wait_for(self._extract(letter))

    async def extract_async(self, letter: Letter | AnyPath) -> Record:
        """As ``extract``, for asynchronous callers."""
        return await awaited(self._extract(letter))

    async def _extract(self, letter: Letter | AnyPath) -> Record:
        if isinstance(letter, Letter):
            file, found = LetterFile(letter.id, Path(letter.id)), letter
        else:
            file, found = self._read(letter)
        if self._session is not None:
            return await self._session.extract(file, found)
        return await extract(found, self._plan)

    def _read(self, path: AnyPath, letter_id: str | None = None) -> tuple[LetterFile, Letter]:
        file, found = one_letter(Path(path), letter_id, self.letter_type.starts)
        if isinstance(found, LetterError):
            raise found
        return file, found

    def check(self, answer: Mapping[str, Any] | BaseModel | Record, letter: Letter | AnyPath) -> CheckedAnswer:
        """Anyone's answer held against its letter, without any model: evidence, findings and status."""
        found = letter if isinstance(letter, Letter) else self.read(letter)
        if isinstance(answer, Record):
            given, made_from = as_given(answer.as_dict()), answer.letter_sha256
            return check_answer(
                given,
                found,
                self.letter_type,
                made_from=made_from,
                model=answer.model,
                strict=self._strict,
                second=answer.second,
            )
        data = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else dict(answer)
        return check_answer(data, found, self.letter_type, strict=self._strict)

    # ---- many letters ----------------------------------------------------------------------------

    def run(
        self,
        paths: AnyPath | Iterable[AnyPath],
        folder: AnyPath | None = None,
        *,
        progress: OnProgress | None = None,
        concurrency: int | None = None,
        max_cost: Decimal | float | None = None,
        options: Options | None = None,
    ) -> RecordStream:
        """The records of all letters in files and folders, as they are finished; see ``RecordStream``.

        With a ``folder``, the run is kept there as ``extractor run --out`` keeps it, and the same call continues
        where it stopped. ``progress`` is called with a ``Summary`` after each letter and twice a second, in
        another thread. ``concurrency``: letters in flight, found by trying if not given. ``max_cost`` in USD.
        """
        named = [paths] if isinstance(paths, str | PathLike) else list(paths)
        files = find_letters([Path(path) for path in named])
        chosen = options or Options()
        if max_cost is not None:
            chosen = replace(chosen, max_cost=Decimal(str(max_cost)))
        if progress is not None:
            chosen = replace(chosen, on_beat=progress)
        session = self._session
        return RecordStream(
            files,
            self._plan,
            Path(folder) if folder is not None else None,
            options=chosen,
            concurrency=concurrency,
            around=session.tape if session and session.replaying else None,
        )

    def frame(self, records: Iterable[Record], rows: str = LETTERS) -> dict[str, list[Cell]]:
        """Records as the columns of a table, for ``pandas.DataFrame(...)`` or ``polars.DataFrame(...)``.

        ``rows``: ``letters``, one row a letter, or a list of the schema (``decisions``), one row for each of its
        records. The columns are those of ``extractor export``.
        """
        tables = [table for table in tables_of(self.letter_type, rows) if table.name == rows]
        if not tables:
            raise UsageError(f"a frame is one table, not {rows!r}", hint="name letters, or a list of the schema")
        lines = [row for record in records for row in tables[0].rows(Reviewed(record))]
        return {column.name: [line[i] for line in lines] for i, column in enumerate(tables[0].columns)}

    # ---- prompts ---------------------------------------------------------------------------------

    def compare(self, a: str, b: str, *, set_name: str = "gold") -> Comparison:
        """Which of two prompt versions is better, by how much, and how certain that is; see docs/evaluation.md.

        No model is asked: recorded answers to the letters with gold are replayed. ``offline`` is the baseline.
        ``set_name``: a set of letters. Needs the extra ``eval``. Raises ``CassetteError`` if a recording is missing.
        """
        return wait_for(self._compare(a, b, set_name))

    async def compare_async(self, a: str, b: str, *, set_name: str = "gold") -> Comparison:
        """As ``compare``, for asynchronous callers."""
        return await awaited(self._compare(a, b, set_name))

    async def _compare(self, a: str, b: str, set_name: str) -> Comparison:
        # Imports scipy.
        from extractor.evaluation.compare_prompts import compare_prompts

        model, kind = self._settings["model"], self._settings["letter_type"]
        reasks = self._settings["reasks"]
        return await compare_prompts(
            self.workspace,
            a,
            b,
            letter_type=kind,
            model=None if model == OFFLINE else model,
            set_name=set_name,
            reasks=reasks,
        )

    def close(self) -> None:
        """Close the model's connections."""
        if "_plan" in self.__dict__:
            wait_for(self._plan.aclose())

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_letter(path: AnyPath) -> Letter:
    """The letter in a file of any kind that is read. Raises ``LetterError``, ``UsageError`` if it is not one letter."""
    _, found = one_letter(Path(path))
    if isinstance(found, LetterError):
        raise found
    return found


def letter_from_bytes(data: bytes, name: str, letter_id: str | None = None) -> Letter:
    """The letter in the bytes of a file called ``name``, such as an upload. Raises ``LetterError``."""
    return _letter_from_bytes(data, name, letter_id)


def read_records(path: AnyPath) -> Sequence[Record]:
    """The records of a ``records.jsonl``. Raises ``RecordError`` naming the line that is not one."""
    return list(_records(Path(path)))


def _records(path: Path) -> Iterable[Record]:
    from extractor.errors import RecordError

    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield Record.from_json(line)
                except RecordError as error:
                    raise RecordError(f"{path}, line {number}: {error.message}", hint=error.hint) from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
