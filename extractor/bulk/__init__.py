"""Many letters: as many in flight as the endpoint bears, every finished letter kept at once."""

from extractor.bulk.flow import Around, OnProgress, Options, run
from extractor.bulk.forecast import Forecast, forecast
from extractor.bulk.merge import Merged, merge
from extractor.bulk.output import RECORDS
from extractor.bulk.selection import Selection, select, shard_of
from extractor.bulk.summary import GIVE_UP_AFTER, STOPS, Summary

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
    "merge",
    "run",
    "select",
    "shard_of",
]
