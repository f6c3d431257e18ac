"""How fast an endpoint may be asked: what it tells, what its refusals teach, and one shared way through.

No library found learns from an endpoint (aiolimiter, asynciolimiter, pyrate-limiter keep a given rate),
so this is our own. Nothing here knows a model SDK.
"""

from extractor.models.limits.headers import LimitHeaders, limit_headers
from extractor.models.limits.limiter import Bounds, Call, Limited, Limiter
from extractor.models.limits.pace import Pace, Tokens
from extractor.models.limits.window import Window

__all__ = ["Bounds", "Call", "LimitHeaders", "Limited", "Limiter", "Pace", "Tokens", "Window", "limit_headers"]
