"""How fast an endpoint may be asked: the limits it reports, what its refusals teach, and one gate for all calls.

No library found learns from an endpoint (aiolimiter, asynciolimiter, pyrate-limiter keep a given rate),
so this is our own. Nothing here knows a model SDK.
"""

from extractor.models.limits.headers import LimitHeaders, limit_headers
from extractor.models.limits.limiter import MOST_IN_FLIGHT, Bounds, Call, Limited, Limiter, Waiting
from extractor.models.limits.pace import Pace, Tokens
from extractor.models.limits.window import Window

__all__ = [
    "MOST_IN_FLIGHT",
    "Bounds",
    "Call",
    "LimitHeaders",
    "Limited",
    "Limiter",
    "Pace",
    "Tokens",
    "Waiting",
    "Window",
    "limit_headers",
]
