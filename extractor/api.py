"""The library: what ``import extractor`` offers. The command line is one of its users.

from extractor import Extractor

imr = Extractor()                                 # the bundled starter workspace, no language model
record = imr.extract("letter.txt")
for record in imr.run(["letters"], "out"): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from extractor.errors import LetterError, UsageError
from extractor.letters.letter import Letter, LetterFile, LetterIndex, find_letters, letters_in
from extractor.letters.single import one_letter
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.lettertypes.findings import ProofLevel
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.marks import TextMark, marks_of
from extractor.lettertypes.mixed import AUTO, only_or_type_of, starts_of
from extractor.lettertypes.reading import Reading
from extractor.loops import awaited, wait_for
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.answer_lines import LineChecker
from extractor.runs.answers import CheckedAnswer, check_given
from extractor.runs.bill import Bill
from extractor.runs.bulk import (
    RECORDS,
    Forecast,
    OnProgress,
    Options,
    Selection,
    forecast,
    refuse_unknown_prices,
    select,
)
from extractor.runs.export import BOTH, FORMATS, Written, columns_of
from extractor.runs.export.cells import Cell
from extractor.runs.export.table import LETTERS
from extractor.runs.pipeline import extract
from extractor.runs.plan import DEFAULT_REASKS, MOST_REASKS, Plan
from extractor.runs.record import Record, record_schema
from extractor.runs.replies import NOT_OF_TYPE, failed_record
from extractor.runs.stream import RecordStream
from extractor.settings import optional_path, require_number, require_path, require_paths, require_whole
from extractor.workspace.lazy import LazySession
from extractor.workspace.second import SecondModel
from extractor.workspace.session import PlanSpec
from extractor.workspace.tapes import REPLAY, refuse_unknown_model
from extractor.workspace.workspace import Workspace

if TYPE_CHECKING:
    from extractor.evaluation.bench import Bench
    from extractor.evaluation.compare import Comparison

__all__ = ["BOTH", "DEFAULT_REASKS", "FORMATS", "NOT_OF_TYPE", "RECORDS", "Extractor", "ProofLevel"]
AnyPath = str | PathLike[str]
Notify = Callable[[str], None]


class Extractor:
    """Reads letters of one type with one model and one prompt.

    ``workspace`` is its folder, or one that is open; without one, the bundled starter workspace. ``letter_type`` is a
    name in it, ``auto`` for all of them (each letter is then of the type that recognizes it), or a ``LetterType`` of
    your own, which then needs no workspace and is read without a language model.
    ``model``: ``offline``, ``openai/NAME``, ``replay:openai/NAME``, ...; ``None`` takes ``EXTRACTOR_MODEL``, then the
    workspace's default, then ``offline``. ``prompt``, ``base_url`` ``reasks`` (how often findings are sent back) and
    ``strict`` (no wrong value is withheld) mean what they mean on the command line. ``second`` is another model, which
    is asked about letters that would need review.

    Nothing is opened before it is needed. Every method raises ``ExtractorError`` kinds: ``UsageError`` for what
    cannot be done as asked, ``LetterError`` for a letter that cannot be read.
    """

    def __init__(
        self,
        workspace: AnyPath | Workspace | None = None,
        *,
        letter_type: str | LetterType | None = None,
        model: str | None = None,
        prompt: str | None = None,
        base_url: str | None = None,
        reasks: int = DEFAULT_REASKS,
        strict: bool = False,
        second: SecondModel | None = None,
    ) -> None:
        require_whole("reasks", reasks, 0, MOST_REASKS)
        if model is not None:
            refuse_unknown_model(model)
        own = letter_type if isinstance(letter_type, LetterType) else None
        if own and (workspace or prompt or base_url or second or model not in (None, OFFLINE)):
            raise UsageError(
                "a letter type without a workspace is read without a language model",
                hint="to ask a model, put the type and a prompt into a workspace: extractor init DIR",
            )
        folder = workspace if isinstance(workspace, Workspace) else optional_path("workspace", workspace)
        settings: dict[str, Any] = {"letter_type": None if own else letter_type, "model": model, "prompt": prompt}
        settings |= {"base_url": base_url, "reasks": reasks}
        self._lazy = LazySession(folder, settings, own_type=own, strict=strict, second=second)
        self._strict = strict

    @classmethod
    def from_spec(cls, spec: PlanSpec, workspace: Workspace | None = None) -> Extractor:
        """What a plan describes, on this machine; ``workspace`` is the plan's if it is open already."""
        opened = cls(letter_type=spec.letter_type, strict=spec.strict)
        settings = {
            "letter_type": spec.letter_type,
            "model": f"{REPLAY}{spec.model}" if spec.replay else spec.model,
            "prompt": spec.prompt,
            "base_url": spec.base_url,
            "reasks": spec.reasks,
        }
        opened._lazy = LazySession(workspace or Path(spec.workspace), settings, strict=spec.strict, spec=spec)
        return opened

    @property
    def workspace(self) -> Workspace:
        """The workspace, opened."""
        return self._lazy.workspace

    @property
    def letter_type(self) -> LetterType:
        """The letter type: schema, reader, checks. With ``auto``, the workspace's default."""
        return self.letter_types[0]

    @property
    def letter_types(self) -> list[LetterType]:
        """The letter type; with ``auto`` all of the workspace, the default first."""
        return self._lazy.letter_types

    @property
    def record_schema(self) -> dict[str, Any]:
        """The JSON schema of a line of ``records.jsonl``."""
        return record_schema(self.letter_type.json_schema)

    @property
    def spec(self) -> PlanSpec:
        """What is asked of whom, as plain data; another machine with the same workspace can open it."""
        return self._lazy.spec

    @property
    def plan(self) -> Plan:
        """What every letter has in common: letter type, model, prompt, prices. Opens the model."""
        return self._lazy.plan

    # ---- one letter ------------------------------------------------------------------------------

    def read(self, path: AnyPath, letter_id: str | None = None) -> Letter:
        """The letter in a file; ``letter_id`` names one where the file holds several."""
        return self._read(path, letter_id)[1]

    def extract(self, letter: Letter | AnyPath, letter_id: str | None = None) -> Record:
        """The record of one letter, given as ``Letter`` or as the path of its file.

        ``letter_id`` names one where the file holds several. A letter that the model gives no valid answer for
        becomes a ``failed`` record. Raises ``TransportError`` if the model cannot be reached, ``CassetteError`` if
        a recording is missing.
        """
        return wait_for(self._extract(letter, letter_id))

    async def extract_async(self, letter: Letter | AnyPath, letter_id: str | None = None) -> Record:
        """As ``extract``, for asynchronous callers."""
        return await awaited(self._extract(letter, letter_id))

    async def _extract(self, letter: Letter | AnyPath, letter_id: str | None) -> Record:
        if isinstance(letter, Letter):
            file, found = LetterFile(letter.id, Path(letter.id)), letter
        else:
            file, found = self._read(letter, letter_id)
        if (session := self._lazy.session) is not None:
            return await session.extract(file, found)
        return await extract(found, self.plan)

    def bill(self) -> Bill:
        """What records took and cost under this plan; ``add`` them."""
        return Bill(self.plan, self._lazy.shared().around is not None)

    def failed(self, letter_id: str, error: LetterError) -> Record:
        """The record of a letter that cannot be read, as a run keeps it."""
        return failed_record(letter_id, self.plan, error)

    def reading(self, letter: Letter) -> Reading:
        """What the letter type's reader finds in a letter, without any model."""
        return only_or_type_of(letter, self.letter_types).read(letter)

    def marks(self, reading: Reading) -> list[TextMark]:
        """A reading as marks on the letter's text, in its order: sections, facts, dates, running lines, notes."""
        return marks_of(reading, only_or_type_of(reading.letter, self.letter_types))

    def _read(self, path: AnyPath, letter_id: str | None = None) -> tuple[LetterFile, Letter]:
        file, found = one_letter(require_path("letter", path), letter_id, starts_of(self.letter_types))
        if isinstance(found, LetterError):
            raise found
        return file, found

    def check(self, answer: Mapping[str, Any] | BaseModel | Record, letter: Letter | AnyPath) -> CheckedAnswer:
        """Anyone's answer held against its letter, without any model: evidence, findings and status.

        ``answer`` is an answer as plain JSON data or as an instance of the schema, a ``Record``, or the data of a
        record's line.
        """
        found = letter if isinstance(letter, Letter) else self.read(letter)
        return check_given(answer, found, only_or_type_of(found, self.letter_types), strict=self._strict)

    def check_lines(
        self,
        lines: Iterable[str],
        paths: Iterable[AnyPath],
        *,
        debug: bool = False,
        run_folder: AnyPath | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Lines of JSON, records or ``letter_id`` and ``answer``, with fresh evidence, findings and status.

        ``paths`` are files and folders that hold the letters. A line that cannot be checked is ``failed``, with the
        reason under ``error``; with ``debug`` a bug that a line triggers is raised. PDF files and scans that the run
        in ``run_folder`` read are not read again.
        """
        index = LetterIndex(find_letters(require_paths(paths)), starts_of(self.letter_types))
        folder = optional_path("folder", run_folder)
        reader = ReadingCache(folder / FOLDER) if folder else None
        return LineChecker(self.letter_types, index, strict=self._strict, debug=debug, reader=reader).check(lines)

    # ---- many letters ----------------------------------------------------------------------------

    def letters(
        self, paths: AnyPath | Iterable[AnyPath], letter_id: str | None = None, *, notify: Notify | None = None
    ) -> Iterator[tuple[str, Letter | LetterError]]:
        """Id and letter of each letter in files and folders; one that cannot be read is its ``LetterError``.

        ``letter_id`` chooses one; raises ``UsageError`` if there is none of this id. ``notify`` is called with
        messages for the user.
        """
        files = find_letters(require_paths(paths), notify=notify)
        if letter_id is not None:
            file = LetterIndex(files, starts_of(self.letter_types)).get(letter_id)
            if file is None:
                raise UsageError(f"no letter {letter_id!r}", hint="leave out the id (--letter) to see all")
            return ((part.id, letter) for part, letter in letters_in(file))
        return ((part.id, letter) for file in files for part, letter in letters_in(file, starts_of(self.letter_types)))

    def run(
        self,
        paths: AnyPath | Iterable[AnyPath],
        folder: AnyPath | None = None,
        *,
        progress: OnProgress | None = None,
        concurrency: int | None = None,
        max_cost: Decimal | float | None = None,
        selection: Selection | None = None,
        options: Options | None = None,
        notify: Notify | None = None,
    ) -> RecordStream:
        """The records of all letters in files and folders, as they are finished; see ``RecordStream``.

        With a ``folder``, the run is kept there as ``extractor run --out`` keeps it, and the same call continues
        where it stopped. ``progress`` is called with a ``Summary`` after each letter and twice a second, in
        another thread. ``concurrency``: letters in flight, found by trying if not given. ``max_cost`` in USD.
        ``selection``: which of the letters; ``options``: what is asked again, and where the run stops. ``notify``
        is called with messages for the user. Raises ``UsageError`` for a limit on cost where a price is not known.
        """
        require_number("max_cost", max_cost, 0)
        named, kept = require_paths(paths), optional_path("folder", folder)
        files, chosen = self._chosen(named, kept, selection, options or Options(), notify)
        if progress is not None:
            chosen = replace(chosen, on_beat=progress)
        if max_cost is not None:
            chosen = replace(chosen, max_cost=Decimal(str(max_cost)))
        lazy = self._lazy
        return RecordStream(files, lazy.shared, lazy.own, kept, options=chosen, concurrency=concurrency)

    def forecast(
        self,
        paths: AnyPath | Iterable[AnyPath],
        folder: AnyPath,
        *,
        selection: Selection | None = None,
        options: Options | None = None,
        progress: Callable[[int], None] | None = None,
        notify: Notify | None = None,
    ) -> Forecast:
        """What ``run`` would ask, take and cost; needs no key. ``progress`` gets the number of letters read so far."""
        out = require_path("folder", folder)
        files, chosen = self._chosen(require_paths(paths), out, selection, options or Options(), notify)
        plan = self._lazy.own(keyless=True).plan
        try:
            if chosen.max_cost is not None:
                refuse_unknown_prices(plan)
            return forecast(files, plan, out, chosen, progress)
        finally:
            wait_for(plan.aclose())

    def _chosen(
        self, paths: list[Path], folder: Path | None, chosen: Selection | None, options: Options, notify: Notify | None
    ) -> tuple[Sequence[LetterFile], Options]:
        """The letters of a run, and its options with what the choice and the plan add to them."""
        files = find_letters(paths, notify=notify)
        options = replace(options, labels={**self._labels(paths), **options.labels})
        if chosen is None or chosen == Selection():
            return files, replace(options, all_letters=options.only is None)
        return select(files, chosen, folder), replace(options, only=chosen.only or options.only)

    def _labels(self, paths: Iterable[Path]) -> dict[str, Any]:
        """What `extractor status` prints of a run."""
        model, prompt = (OFFLINE, None) if self._lazy.own_type else (self.spec.model, self.spec.prompt)
        named = [str(path.resolve()) for path in paths]
        kind = self.letter_type.name if len(self.letter_types) == 1 else AUTO
        return {"model": model, "prompt": prompt, "type": kind, "paths": named}

    def frame(self, records: Iterable[Record], rows: str = LETTERS) -> dict[str, list[Cell]]:
        """Records as the columns of a table, for ``pandas.DataFrame(...)`` or ``polars.DataFrame(...)``.

        ``rows``: ``letters``, a list of the schema (``decisions``), ``findings`` or ``evidence``, as in ``export``.
        """
        return columns_of(self.letter_type, rows, records)

    def export(
        self,
        folder: AnyPath,
        to: str | None = None,
        *,
        out: AnyPath | None = None,
        rows: str | None = None,
        proof: ProofLevel | None = None,
        missing: bool = False,
    ) -> list[Written]:
        """Write the records of a run folder as tables, as ``extractor export`` does: csv, jsonl, parquet, sqlite, xlsx.

        ``out``: default: in the folder. ``rows``: a table as in ``frame``, ``both`` (letters and the lists) or
        ``all``; default: ``all`` for sqlite, else ``both``. Values that are proven less strongly than ``proof`` are
        left out; so are, without ``missing``, letters whose file was gone or renamed at the last run. Corrections of
        reviewers replace values.
        """
        # Imports the log of reviews.
        from extractor.review.tables import export_run

        kind = self._lazy.settings["letter_type"]
        run = require_path("folder", folder)
        goal = optional_path("out", out)
        return export_run(run, self.workspace, kind, to, goal, rows=rows, proof=proof, missing=missing)

    # ---- gold and prompts ---------------------------------------------------------------------------------

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
        model = self._lazy.settings["model"]
        bench = self.bench(set_name)
        return await bench.compare(a, b, None if model == OFFLINE else model, reasks=self._lazy.settings["reasks"])

    def bench(
        self,
        set_name: str = "gold",
        *,
        letters: AnyPath | None = None,
        gold: AnyPath | None = None,
        mapping: AnyPath | None = None,
    ) -> Bench:
        """The letters with gold, read once: of the workspace, or of the folders ``letters`` and ``gold``.

        ``mapping`` is a file for gold of another shape. Needs the extra ``eval``. Raises ``UsageError`` kinds.
        """
        # Imports scipy.
        from extractor.evaluation.bench import Bench

        kind = self._lazy.settings["letter_type"]
        if letters is None and gold is None and mapping is None:
            return Bench.of_workspace(self.workspace, kind, set_name)
        folders = [optional_path("folder", path) for path in (letters, gold, mapping)]
        return Bench.of_folders(self.workspace, kind, *folders, set_name=set_name)

    def close(self) -> None:
        """Close the model's connections."""
        if self._lazy.is_open:
            wait_for(self.plan.aclose())

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
