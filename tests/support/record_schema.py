"""Write the published JSON schema of a record again: ``python -m tests.support.record_schema``."""

import json
from pathlib import Path

from extractor.runs import record

if __name__ == "__main__":
    text = json.dumps(record.record_schema(), ensure_ascii=False, indent=2) + "\n"
    Path(record.__file__).with_name("record.schema.json").write_text(text, "utf-8")
