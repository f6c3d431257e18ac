"""What each prompt version costs in tokens, counted from the recorded requests and answers.

    pip install rs-bpe
    python benchmarks/tokens.py

The answer desk reports no tokens, so they are counted here with OpenAI's o200k_base vocabulary (rs-bpe carries
it): other models count otherwise, the ratios between prompts hold roughly. Schema and answers are counted as
compact JSON; providers do not document how they count a schema. Means per letter, re-asks included.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from extractor.models.cassettes.tapefile import Persister  # noqa: E402

PARTS = ("prompt", "schema", "letter", "notes and re-asks", "answer")


def main() -> None:
    from rs_bpe.bpe import openai

    count = openai.o200k_base().count
    print("| prompt | letters | calls | " + " | ".join(PARTS) + " | input | of it the same for all | output |")
    print("|---|---:|---:|" + "---:|" * (len(PARTS) + 3))
    for folder in sorted((ROOT / "cassettes").glob("*/*@*/*")):
        tapes = sorted(folder.glob("*.yaml"))
        totals = dict.fromkeys(PARTS, 0)
        calls = 0
        for tape in tapes:
            requests, responses, *_ = Persister.load_cassette(str(tape))
            for request, response in zip(requests, responses, strict=True):
                calls += 1
                asked, replied = json.loads(request.body), json.loads(response["body"]["string"])
                system, letter, *rest = (message["content"] for message in asked["messages"])
                totals["prompt"] += count(system)
                totals["schema"] += count(json.dumps(asked["response_format"], separators=(",", ":")))
                totals["letter"] += count(letter)
                totals["notes and re-asks"] += sum(count(text) for text in rest)
                answer = json.loads(replied["choices"][0]["message"]["content"])
                totals["answer"] += count(json.dumps(answer, separators=(",", ":"), ensure_ascii=False))
        means = {part: total / len(tapes) for part, total in totals.items()}
        fixed = means["prompt"] + means["schema"]
        whole = fixed + means["letter"] + means["notes and re-asks"]
        cells = " | ".join(f"{means[part]:,.0f}" for part in PARTS)
        row = f"{whole:,.0f} | {fixed / whole:.0%} | {means['answer']:,.0f}"
        print(f"| {folder.parent.name} | {len(tapes)} | {calls} | {cells} | {row} |")


if __name__ == "__main__":
    main()
