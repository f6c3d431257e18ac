"""Tables of a run folder's records: one row a letter, and one row for each record of the letter type's list."""

from extractor.runs.export.formats import FORMATS, format_for
from extractor.runs.export.proof import with_proof
from extractor.runs.export.table import ALL, BOTH, LETTERS, Reviewed, Table
from extractor.runs.export.tables import columns_of, tables_of, unassigned_table
from extractor.runs.export.write import Target, Written, targets, write_tables

__all__ = [
    "ALL",
    "BOTH",
    "FORMATS",
    "LETTERS",
    "Reviewed",
    "Table",
    "Target",
    "Written",
    "columns_of",
    "format_for",
    "tables_of",
    "targets",
    "unassigned_table",
    "with_proof",
    "write_tables",
]
