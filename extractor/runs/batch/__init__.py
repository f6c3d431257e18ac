"""Letters by batch files: requests written to files, answered elsewhere in their own time, and read back.

What is asked and what becomes of an answer is what ``run`` would ask and make of it, with the same ledger.
"""

from extractor.runs.batch.book import Book, FileRow, Options
from extractor.runs.batch.jobs import ENDED, fetch, poll, submit
from extractor.runs.batch.read import ReadSummary, read_results
from extractor.runs.batch.steps import Batch
from extractor.runs.batch.write import Limits, WriteSummary, write_requests

__all__ = [
    "ENDED",
    "Batch",
    "Book",
    "FileRow",
    "Limits",
    "Options",
    "ReadSummary",
    "WriteSummary",
    "fetch",
    "poll",
    "read_results",
    "submit",
    "write_requests",
]
