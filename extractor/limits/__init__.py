"""How fast an endpoint may be asked: what it tells, what its refusals teach, and one shared way through.

No library found learns from an endpoint (aiolimiter, asynciolimiter, pyrate-limiter keep a given rate),
so this is our own. Nothing here knows a model SDK.
"""

from extractor.limits.headers import Told, told_by
from extractor.limits.limiter import Bounds, Call, Limited, Limiter
from extractor.limits.pace import Pace, Tokens
from extractor.limits.window import Window

__all__ = ["Bounds", "Call", "Limited", "Limiter", "Pace", "Tokens", "Told", "Window", "told_by"]
