"""The case header: the labels of its table."""

from __future__ import annotations

import re

from extractor.lettertypes.label_tables import LabelTable
from extractor.lettertypes.reading import scanned

HEADER = LabelTable(
    labels={
        "case_number": rf"(?:MAXIMUS\s+)?{scanned('Case')}\s+(?:{scanned('Number')}|No\.?|\#)\s*(?::|(?=CM))",
        "date_assigned": rf"{scanned('Date Assigned')}\s*:",
        "date_of_injury": rf"{scanned('Date of Injury')}\s*:",
        "decision_date": rf"{scanned('Decision Date')}\s*:|{scanned('Dated')}\s*:",
        "ur_denial_date": rf"{scanned('UR Denial Date')}\s*:|{scanned('Date of UR Decision')}\s*:",
        "priority": rf"{scanned('Priority')}\s*:",
        # The label is broken over two lines, and some tools put the value between its halves.
        "application_received": rf"(?:IMR\s+)?{scanned('Application')}(?:\s+{scanned('Received')})?\s*:"
        rf"|{scanned('Received')}\s*:|{scanned('Application')}\b(?=[^\n:]{{1,60}}\s+{scanned('Received')}\s*:)",
    },
    values={
        "case_number": re.compile(r"\bCM\s?\d{2}\s?-\s?\d{4,9}\b", re.IGNORECASE),
        "priority": re.compile(r"\b(?:Standard|Expedited|Regular|Urgent)\b", re.IGNORECASE),
    },
    begin="cgdo0upari1l|!m",
    no_label="Date|Decision|UR|Case|Priority|Application|Received|IMR|MAX",
)
