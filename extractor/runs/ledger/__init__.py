"""The ledger of a run folder: what was asked, what came back, and each letter's record.

Stdlib SQLite, one row a letter. A letter is skipped when the hash of everything that made its
record is unchanged; when only the checks changed, it is rechecked from the stored replies.
"""

from extractor.runs.ledger.keys import Keys, keeps_replies, keys_of, plan_key
from extractor.runs.ledger.lock import running
from extractor.runs.ledger.store import Ledger
from extractor.runs.ledger.view import AGAIN, Latest, LedgerEntry, LedgerView, Totals, WithheldCount, is_again

__all__ = [
    "AGAIN",
    "Keys",
    "Latest",
    "Ledger",
    "LedgerEntry",
    "LedgerView",
    "Totals",
    "WithheldCount",
    "is_again",
    "keeps_replies",
    "keys_of",
    "plan_key",
    "running",
]
