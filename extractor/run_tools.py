"""Tools for assistants over a finished run and its workspace, served by the Model Context Protocol. Nothing is written.

Letters are named by their id, looked up in the run; no tool takes a path. Results hold words of letters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.api import Extractor
from extractor.errors import ExtractorError, UsageError
from extractor.letters.letter import Letter
from extractor.runs.ledger import LedgerView
from extractor.runs.record import Record
from extractor.runs.run_state import RunState

if TYPE_CHECKING:
    from mcp.server import MCPServer

# Letters in one list: more would fill an assistant's context.
MOST_LISTED = 100


class RunTools(AbstractContextManager["RunTools"]):
    """The tools over the run in ``folder``. ``letters``: files and folders that hold its letters.

    Raises ``LedgerError`` if there is no run in the folder.
    """

    def __init__(self, folder: Path, letters: tuple[Path, ...], extractor: Extractor) -> None:
        LedgerView(folder).close()
        self._folder, self._letters, self._extractor = folder, letters, extractor

    def __exit__(self, *exc: object) -> None:
        self._extractor.close()

    def run_status(self) -> dict[str, Any]:
        """State of the run: letters by status, errors of failed letters by code, tokens and cost. No letters' words."""
        state = RunState.of_folder(self._folder).as_dict()
        return {
            name: state[name] for name in ("state", "records", "errors", "withheld", "usage", "cost_usd", "missing")
        }

    def flagged_letters(self, offset: int = 0, limit: int = 20) -> dict[str, Any]:
        """Letters that need review or failed, by id, with code, path and blame of each error. No letters' words.

        Give `offset` to read on; at most 100 letters at once.
        """
        if offset < 0 or not 1 <= limit <= MOST_LISTED:
            raise UsageError("the list cannot be made", hint=f"offset from 0, limit from 1 to {MOST_LISTED}")
        with LedgerView(self._folder) as view:
            rows = [_row(record) for record in view.records() if record.status != "accepted"]
        return {"flagged": len(rows), "offset": offset, "letters": rows[offset : offset + limit]}

    def read_record(self, letter_id: str) -> dict[str, Any]:
        """The record of one letter: answer, findings, and for each value the words of the letter that prove it."""
        return self._record(letter_id).as_dict()

    def check_answer(self, letter_id: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Hold an answer to one letter against its text, without a model: status, findings, evidence.

        `answer` has the shape of `answer` in `read_record`. Nothing is stored.
        """
        if not self._letters:
            raise UsageError("the letters of the run are not known", hint="start the server with --letters PATH")
        self._record(letter_id)
        [(_, letter)] = self._extractor.letters(self._letters, letter_id)
        if not isinstance(letter, Letter):
            raise letter
        checked = self._extractor.check(answer, letter)
        return {
            "status": checked.status,
            "findings": [each.as_dict() for each in checked.findings],
            "evidence": {path: [each.text for each in words] for path, words in checked.evidence.items()},
            "withheld": sorted(checked.withheld),
        }

    def compare_prompts(self, before: str, after: str) -> dict[str, Any]:
        """Which of two prompt versions (such as imr@v1) makes fewer errors, by recorded answers. No letters' words.

        `change` is in errors per letter, with its 95 % interval and exact p value; negative is better.
        """
        for name in (before, after):
            if "@" not in name or "/" in name or "\\" in name:
                raise UsageError("that is no prompt version", hint="TYPE@VERSION, such as imr@v1")
        found = self._extractor.compare(before, after).as_dict()
        kept = ("letter_id", "path", "kind", "protected", "debatable")
        flips = [{name: flip[name] for name in kept} for flip in found["flips"]]
        return {"letters": found["letters"], "counts": found["counts"], "change": found["change"], "flips": flips}

    def _record(self, letter_id: str) -> Record:
        # A view for each call: calls come from several threads.
        with LedgerView(self._folder) as view:
            record = view.record(letter_id)
        if record is None:
            raise UsageError("the run has no letter of this id", hint="flagged_letters lists ids")
        return record


def _row(record: Record) -> dict[str, Any]:
    """A record without words of its letter."""
    errors = [finding for finding in record.findings if finding.severity == "error"]
    return {
        "letter_id": record.letter_id,
        "letter_type": record.letter_type,
        "status": record.status,
        "failure": record.error.code if record.error else None,
        "errors": [{"code": each.code, "path": each.path, "blame": each.blame} for each in errors],
    }


def server_of(tools: RunTools) -> MCPServer:
    """A server of the Model Context Protocol with the methods of ``tools``.

    Raises ``UsageError`` that names the extra if the SDK cannot be imported.
    """
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError as missing:
        raise UsageError("the SDK mcp cannot be imported", hint="pip install 'letterproof[mcp]'") from missing

    def answering(tool: Callable[..., Mapping[str, Any]]) -> Callable[..., Any]:
        @wraps(tool)
        def answered(**arguments: Any) -> Mapping[str, Any]:
            try:
                return tool(**arguments)
            except ExtractorError as error:
                raise ToolError(f"{error.message}; {error.hint}" if error.hint else error.message) from None

        return answered

    server = MCPServer("letterproof", instructions="Read-only tools over a finished run. Letters are personal data.")
    only_reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    for tool in (
        tools.run_status,
        tools.flagged_letters,
        tools.read_record,
        tools.check_answer,
        tools.compare_prompts,
    ):
        server.add_tool(answering(tool), annotations=only_reads)
    return server
