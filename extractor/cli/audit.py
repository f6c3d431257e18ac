"""``extractor audit``: how wrong the accepted letters of a run may be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.errors import UsageError
from extractor.runs.ledger import LedgerView


def report_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run that was audited.", metavar="DIR")],
    number: Annotated[
        str | None, typer.Option("--audit", metavar="N", help="The number of the audit; default: the latest.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", metavar="GROUP", help="Count by form, model, prompt or folder as well; may come more than once."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """How many accepted letters are wrong, by a sample that a person read: extractor review DIR --audit N.

    Prints wrong letters and wrong protected values, the exact one-sided bound at 95 % for all letters that were
    accepted when the sample was drawn, and how many more letters would halve it. Letters that are not read yet
    count for nothing.

    Example: extractor audit report out --by form
    """
    from extractor.review.audit import GROUPINGS, audits
    from extractor.review.audit_report import report, report_text
    from extractor.review.log import Log
    from extractor.review.state import answer_sha256

    if others := sorted(set(by or ()) - set(GROUPINGS)):
        raise UsageError(f"letters are not grouped by {others[0]!r}", hint=f"--by: {', '.join(GROUPINGS)}")
    known = {audit.name: audit for audit in audits(folder)}
    if not known:
        raise UsageError(f"there is no audit in {folder}", hint="draw a sample: extractor review DIR --audit 60")
    if number is not None and number not in known:
        raise UsageError(f"there is no audit {number} in {folder}", hint=f"--audit: {', '.join(known)}")
    audit = known[number or list(known)[-1]]
    kind = open_workspace(workspace, or_bundled=True).letter_type(audit.letter_type)
    with LedgerView(folder) as view:
        answers = {record.letter_id: answer_sha256(record) for record in view.records()}
    found = report(audit, kind, Log(folder), answers, tuple(dict.fromkeys(by or ())))
    if as_json:
        print_json(found.as_dict())
    else:
        print(report_text(found))


def agreement_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run that two people reviewed blind.", metavar="DIR")],
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """How far two people agree who read the same letters blind: extractor review DIR --blind.

    Prints how many letters they decided and corrected alike, and for each field how often they left the same value;
    for choices also Cohen's kappa, which leaves out what chance alone would bring.

    Example: extractor audit agreement out
    """
    from extractor.cli.review import letter_type_of_run
    from extractor.review.agreement import agreement, agreement_text
    from extractor.review.log import Log

    kind = open_workspace(workspace, or_bundled=True).letter_type(letter_type or letter_type_of_run(folder))
    with LedgerView(folder) as view:
        letters, alike, fields = agreement(kind, view.records(), Log(folder))
    if not letters:
        raise UsageError(
            f"no letter in {folder} was read by two people", hint="extractor review DIR --blind --name NAME"
        )
    if as_json:
        print_json({"letters": letters, "alike": alike, "fields": [asdict(each) for each in fields]})
    else:
        print(agreement_text(letters, alike, fields))
