"""The reviews of a run folder as other commands use them: each record with what people made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from extractor.lettertypes.findings import Finding
from extractor.review.blind import settled
from extractor.review.log import Log
from extractor.review.state import State, answer_sha256, final_answer
from extractor.runs.export import Reviewed
from extractor.runs.record import Record


class Reviews:
    """The reviews of a run folder, for other commands: each record as reviewed so far."""

    def __init__(self, folder: Path) -> None:
        self.log = Log(folder)

    def state(self, record: Record) -> State:
        acts = self.log.of(record.letter_id)
        return settled(acts, answer_sha256(record)) if acts else State()

    def reviewed(self, record: Record) -> Reviewed:
        """The record with its final answer, the findings and the status that belong to it, and who reviewed it.

        ``corrected`` of a whole answer is ``/``.
        """
        state = self.state(record)
        if state.changes:
            findings = tuple(map(Finding.from_dict, state.changes[-1].findings))
            record = replace(record, answer=final_answer(record.answer, state.changes), findings=findings)
        if state.filled:
            record = replace(record, status="needs_review", error=None)
        if state.decided == "accepted":
            record = replace(record, status="accepted")
        elif state.decided == "rejected" and record.status == "accepted":
            record = replace(record, status="needs_review")
        return Reviewed(
            record,
            review=state.decided or None,
            reviewed_by=", ".join(state.by) or None,
            corrected=", ".join(dict.fromkeys(act.path or "/" for act in state.changes)) or None,
            reject_reason=(state.decision.reason or None) if state.decision else None,
            open_errors=", ".join(f"{each['code']} {each['path']}" for each in state.left_open) or None,
        )
