"""Guideline pages named in the running text of a rationale, as distinct from pages of the worker's records."""

from __future__ import annotations

import re

from extractor.lettertypes.injection import is_instruction
from extractor.lettertypes.page_mentions import PagesInProse

from .model import OUTCOMES

_GUIDELINE = re.compile(
    r"\b(?:MTU[S5]|AC[O0]EM|[O0]DG|guide\s?lines?|official\s+disability|chapters?|tables?|figures?|labels?|manuals?|"
    r"formulary|criteri(?:a|on)|treatment\s+utilization\s+schedule|editions?|textbooks?|algorithms?|sections?)\b",
    re.IGNORECASE,
)
# "in topical form", "a form of therapy": no sheet of paper.
_SHEET = (
    r"(?<!\bin\s)(?<!\bany\s)(?<!\bother\s)(?<!topical\s)(?<!oral\s)(?<!dosage\s)(?<!tablet\s)(?<!capsule\s)(?<!pill\s)"
    r"(?<!cream\s)(?<!patch\s)(?<!liquid\s)(?<!generic\s)(?<!compounded\s)(?<!injectable\s)(?<!release\s)"
    r"forms?(?!\s+of\s+[a-z])"
)
_RECORD_WORD = (
    rf"(?:notes?|reports?|records?|letters?|{_SHEET}|RFA|PR-?2|questionnaires?|requests?\s+for\s+authorization|charts?|"
    r"evaluations?|fax(?:es)?|exhibits?|depositions?|summary)\b(?!\s+that\b)"
)
_RECORD = re.compile(rf"\b{_RECORD_WORD}", re.IGNORECASE)
# After the page, "notes" and "reports" may be verbs.
_OF_A_RECORD = re.compile(rf"\bof\s+(?:[\w'-]+\s+){{0,5}}?{_RECORD_WORD}", re.IGNORECASE)

# What only a guideline's page does.
_RECOMMENDS = re.compile(r"\s+(?:does\s+not\s+|do\s+not\s+)?(?:recommends?|advises?|endorses?)\b", re.IGNORECASE)

# A sentence that addresses machines is not a reviewer's, and names nothing.
RATIONALE_PAGES = PagesInProse(
    _GUIDELINE, _RECORD, _OF_A_RECORD, _RECOMMENDS, lambda sentence: is_instruction(sentence, OUTCOMES)
)
