"""Many letters: as many in flight as the endpoint bears, every finished letter kept at once."""

from extractor.runs.bulk.budget import refuse_unknown_prices
from extractor.runs.bulk.flow import run
from extractor.runs.bulk.forecast import Forecast, forecast
from extractor.runs.bulk.merge import Merged, merge_runs
from extractor.runs.bulk.options import Around, OnProgress, Options
from extractor.runs.bulk.selection import Selection, select
from extractor.runs.bulk.summary import GIVE_UP_AFTER, STOPS, Summary
from extractor.runs.ledger.beside import RECORDS

__all__ = [
    "GIVE_UP_AFTER",
    "RECORDS",
    "STOPS",
    "Around",
    "Forecast",
    "Merged",
    "OnProgress",
    "Options",
    "Selection",
    "Summary",
    "forecast",
    "merge_runs",
    "refuse_unknown_prices",
    "run",
    "select",
]
