"""The commands: where each one is, and its line in ``--help``."""

from __future__ import annotations

from extractor.cli.shared.lazy import CommandEntry, TableGroup

TABLE: dict[str, CommandEntry | TableGroup] = {
    "extract": CommandEntry("extract:extract_command", "Read one letter and print its record (JSON) on stdout."),
    "run": CommandEntry("run:run_command", "Extract many letters into DIR/records.jsonl, one line a letter."),
    "status": CommandEntry(
        "status:status_command", "Print the state of a run, from another terminal while it is active, or afterwards."
    ),
    "merge": CommandEntry(
        "merge:merge_command", "Join run folders into a new one: ledgers, stored answers and records."
    ),
    "text": CommandEntry(
        "text:text_command", "Print the text read from a letter, page by page, with recognized values marked."
    ),
    "check": CommandEntry("check:check_command", "Validate answers against their letters, without any model."),
    "review": CommandEntry(
        "review:review_command",
        "Check what was flagged, in a browser: accept, correct, mark evidence, reject, comment.",
    ),
    "export": CommandEntry(
        "export:export_command", "Write a run's records as tables: one row a letter, and one row a decision."
    ),
    "record": CommandEntry(
        "record:record_command",
        "Ask a model about letters and keep the traffic as cassettes, for replay without a network.",
    ),
    "desk": CommandEntry(
        "desk:desk_command",
        "Serve an OpenAI-compatible endpoint on this machine whose answers come from files.",
    ),
    "mcp": CommandEntry(
        "mcp:mcp_command",
        "Serve a finished run to an assistant, read-only, over stdin and stdout (Model Context Protocol).",
    ),
    "schema": CommandEntry("schema:schema_command", "Print a letter type's JSON schema, or that of its records."),
    "init": CommandEntry(
        "init:init_command",
        "Make a workspace: the bundled letter types with prompts, gold and cassettes, or a type of your own.",
    ),
    "doctor": CommandEntry(
        "doctor:doctor_command",
        "Check what works: Python, libraries, extras, workspace, prompts, cassettes, and with --model the endpoint.",
    ),
    "completion": CommandEntry(
        "completion:completion_command", "Print the script that makes your shell complete commands and options."
    ),
    "eval": TableGroup(
        "Score and compare prompts, hold them against gates, and measure the validator.",
        {
            "run": CommandEntry(
                "eval.run:run_command", "Score prompt versions against gold, and keep each run under runs/TYPE."
            ),
            "compare": CommandEntry(
                "eval.compare:compare_command",
                "Which of two prompts is better, by how much, how certain that is, and which letters broke.",
            ),
            "show": CommandEntry(
                "eval.show:show_command",
                "One letter: its text, and every leaf that is wrong or differs, with gold and the answers.",
            ),
            "plan": CommandEntry("eval.plan:plan_command", "How many letters with gold are needed to detect a change."),
            "export": CommandEntry(
                "eval.export:export_command",
                "Write every scored leaf of runs to one table: letter, path, field, status, gold and answer, a row "
                "each.",
            ),
            "rescore": CommandEntry(
                "eval.run:rescore_command",
                "Rescore the kept answers of runs with today's gold and scorer. No model is called.",
            ),
            "gate": CommandEntry(
                "eval.gate:gate_command",
                "Hold prompt versions against gates.toml and the blessed baseline; replays, calls no model.",
            ),
            "bless": CommandEntry(
                "eval.bless:bless_command",
                "Make a run the baseline of its set and model: from now on the gate holds others against it.",
            ),
            "history": CommandEntry(
                "eval.run:history_command",
                "List the kept runs, oldest first, with dates and the trend of each set and model.",
            ),
            "leaks": CommandEntry(
                "eval.leaks:leaks_command",
                "Look for words of letters with gold in every prompt version and in the schema's descriptions.",
            ),
            "planted": CommandEntry(
                "eval.planted:planted_command",
                "Plant one mistake at a time in correct answers, and count what the validator catches.",
            ),
            "strength": CommandEntry(
                "eval.strength:strength_command",
                "For each leaf: its proof level, planted mistakes that pass unflagged, false alarms, and what nobody "
                "checks.",
            ),
        },
    ),
    "gold": TableGroup(
        "Make gold (letters with correct answers) of reviewed letters.",
        {
            "from-review": CommandEntry(
                "gold:from_review_command",
                "Make gold of reviewed letters: EVAL/letters/ID.txt and EVAL/gold/ID.json, with who and when.",
            ),
        },
    ),
    "audit": TableGroup(
        "How wrong the accepted letters of a run may be, by a sample that a person read.",
        {
            "report": CommandEntry(
                "audit:report_command",
                "How many accepted letters are wrong, by a sample that a person read: extractor review DIR --audit N.",
            ),
            "agreement": CommandEntry(
                "audit:agreement_command",
                "How far two people agree who read the same letters blind: extractor review DIR --blind.",
            ),
        },
    ),
    "cassettes": TableGroup(
        "State of the recorded answers.",
        {
            "status": CommandEntry(
                "cassettes:status_command",
                "Check that every cassette still answers what would be asked now. Sends no request.",
            ),
            "seal": CommandEntry(
                "cassettes:seal_command",
                "Write the hash of its answers into each cassette that has none. Nothing else of it changes.",
            ),
        },
    ),
    "batch": TableGroup(
        "Ask through batch files, which an endpoint answers within hours, often at a lower price.",
        {
            "write": CommandEntry(
                "batch.files:write_command",
                "Write exactly the requests that run would send to files (DIR/batch/requests-0001.jsonl ...).",
            ),
            "submit": CommandEntry(
                "batch.endpoint:submit_command",
                "Send the request files of DIR to the endpoint and start a batch over each.",
            ),
            "poll": CommandEntry("batch.endpoint:poll_command", "Print the status of the batches of DIR."),
            "fetch": CommandEntry(
                "batch.endpoint:fetch_command",
                "Fetch the results of the batches that have ended, including those that expired halfway.",
            ),
            "read": CommandEntry(
                "batch.files:read_command", "Read result files: the same checks, ledger and records as run."
            ),
        },
    ),
}


def _flat() -> dict[str, CommandEntry]:
    """Every command by its full name, such as ``eval compare``."""
    found: dict[str, CommandEntry] = {}
    for name, entry in TABLE.items():
        if isinstance(entry, CommandEntry):
            found[name] = entry
        else:
            found.update({f"{name} {inner}": command for inner, command in entry.commands.items()})
    return found


COMMANDS = _flat()
