"""An answer desk: an endpoint on this machine whose answers are written by hand, or were recorded.

The inbox writes each request to a folder and waits for an answer file there, so a prompt can be
tried, a tape recorded or a fault simulated without a model. Recordings answer every request at once,
for load tests of a whole run.
"""

from extractor.models.desk.inbox import Inbox
from extractor.models.desk.recordings import Recordings
from extractor.models.desk.server import DeskRequest, Source, desk

__all__ = ["DeskRequest", "Inbox", "Recordings", "Source", "desk"]
