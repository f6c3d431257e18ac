"""A workspace in which every command has something to do, and a valid line for each of them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.batches import BatchServer, put_lines, requests_in, result
from tests.support.loopback import Asked, Canned, Endpoint, message
from tests.support.reviews import desk_of
from tests.support.toy import MODEL, PROMPT, cli, edit, good_model, letter_in, only_notes, put, right_answer, write_toy

NAMES = [str(number) for number in range(10, 16)]
NOWHERE = "http://127.0.0.1:9/v1"
AT_ONCE = 2
MODELED = f"--model {MODEL} --base-url {{url}} --concurrency {AT_ONCE}"
_FORM = "DELIVERY NOTE\n\nCarrier: Van {0}\nWeight: {0} kg\n\nREMARKS\n\nNone.\n"
_OWN = '[letter_types.parcel]\nletters = "letters"\ngold = "eval/gold"'

# By command: what it may be given in a prepared workspace. Those that serve are stopped by the tests.
LINES = {
    "extract": "letters/10.txt",
    "run": "letters --out new-run",
    "status": "out",
    "merge": "shard-1 shard-2 --out new-merged",
    "text": "letters/10.txt",
    "check": "out/records.jsonl letters",
    "review": "out --letters letters",
    "export": "out --rows letters --out new-table.csv",
    "record": f"letters --model {MODEL} --base-url {NOWHERE} --dry-run",
    "desk": "--inbox new-inbox",
    "schema": "--out new-schema",
    "init": "new-workspace",
    "doctor": "",
    "eval run": "parcel@v1 --out new-report",
    "eval compare": "parcel@v1 offline --out new-report",
    "eval show": "10 parcel@v1",
    "eval plan": "parcel@v1 offline",
    "eval rescore": "{eval_run}",
    "eval gate": "parcel@v1 --gates eval/gates.toml --out new-report",
    "eval bless": "parcel@v1",
    "eval history": "",
    "eval leaks": "",
    "eval planted": "--baseline letters",
    "eval strength": "--baseline letters",
    "gold from-review": "out --to new-eval --letters letters",
    "cassettes status": "",
    "cassettes seal": "",
    "audit report": "out",
    "audit agreement": "out",
    "completion": "bash",
    "eval export": "parcel@v1 --out new-leaves.csv",
    "batch write": f"letters --out new-batch --model {MODEL} --base-url {NOWHERE}",
    "batch submit": f"--out asked --base-url {NOWHERE}",
    "batch poll": f"--out sent --base-url {NOWHERE}",
    "batch fetch": f"--out sent --base-url {NOWHERE}",
    "batch read": "results.jsonl --out asked --letters letters",
}


def prepare(root: Path, server: Endpoint, batches: BatchServer) -> Path:
    """Make such a workspace in ``root``, with a server of models and one of batches."""
    write_toy(root, "trials")
    put(root / "prompts/parcel/v2.md", PROMPT.replace("Fill the schema", "Fill the schema with care"))
    only_notes(root, NAMES)

    def do(words: str, code: int = 0) -> None:
        ran = cli(*words.format(url=server.url, batches=batches.url).split(), cwd=root)
        assert ran.code == code, (words, ran)

    do("run letters --out out")
    _accept_all(root)
    do("gold from-review out --to eval --letters letters")
    put(root / "eval/gates.toml", "[floor]\nrecall = 0.9\n")
    edit(root / "workspace.toml", "[letter_types.parcel]", _OWN)
    do(f"record letters {MODELED} --prompt parcel@v1")
    do("eval run parcel@v1 --out report")
    server.script = lambda number, asked: message("no answer") if number % 2 else good_model(number, asked)
    do(f"run letters --out failed {MODELED} --reask 0", 1)
    server.script = two_models
    do("run letters/10.txt letters/12.txt letters/14.txt --out shard-1")
    do("run letters/11.txt letters/13.txt letters/15.txt --out shard-2")
    for out, url in (("asked", NOWHERE), ("sent", "{batches}")):
        do(f"batch write letters --out {out} --model {MODEL} --base-url {url}")
    do("batch submit --out sent --base-url {batches}")
    do("batch poll --out sent --base-url {batches}")
    lines = requests_in(*sorted((root / "asked/batch").glob("requests-*.jsonl")))
    put_lines(root / "results.jsonl", [result(each, good_model, i) for i, each in enumerate(lines)])
    for number in range(4):
        put(root / f"forms/{number}.txt", _FORM.format(number))
    for name in ("report", "table.csv"):
        put(root / name, "an older report\n")
    return root


def line_for(root: Path, command: str) -> list[str]:
    """The valid words of a command, its name first."""
    run = next((root / "runs/parcel").glob("gold--parcel@v1--*"))
    return [*command.split(), *LINES[command].format(eval_run=run.name).split()]


def two_models(number: int, asked: Asked) -> Canned:
    """The second model reads every note rightly; the first, one of them wrongly."""
    answer = right_answer(letter_in(asked))
    if asked.body["model"] == MODEL.partition("/")[2] and NAMES[0] in letter_in(asked):
        answer["parcels"][0]["state"] = "lost"
    return message(json.dumps(answer))


def _accept_all(root: Path) -> None:
    desk = desk_of(root)
    for entry in desk.queue.entries:
        reviewed = desk.letter_of(entry)
        desk.act(reviewed, {"act": "accept", "version": reviewed.version})
