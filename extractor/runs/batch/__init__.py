"""Batch mode: requests are written to files, answered asynchronously by an endpoint, and read back.

Questions, checks, records and ledger are the same as in ``run``.
"""

from extractor.runs.batch.book import BatchOptions, Book, FileRow
from extractor.runs.batch.jobs import ENDED, fetch, poll, submit
from extractor.runs.batch.read import ReadSummary, read_results
from extractor.runs.batch.steps import Batch
from extractor.runs.batch.write import Limits, WriteSummary, write_requests

__all__ = [
    "ENDED",
    "Batch",
    "BatchOptions",
    "Book",
    "FileRow",
    "Limits",
    "ReadSummary",
    "WriteSummary",
    "fetch",
    "poll",
    "read_results",
    "submit",
    "write_requests",
]
