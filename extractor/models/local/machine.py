"""What this machine bears: threads, parallel slots and the length of the context of a local model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import UsageError
from extractor.models.local.weights import Weights

# Settings in params of a local model that are for this machine and no part of a request.
SETTINGS = ("threads", "context", "slots")
# Enough for long letters with their prompt and answer; more takes memory whether it is used or not.
_CONTEXT = 16_384
_SMALLEST = 4_096
# Threads for each letter decoded at once, up to so many: weights are then read once for all of them.
_THREADS_A_SLOT, _MOST_SLOTS = 4, 4
# Of the memory that is free beside the weights, what contexts may take.
_SHARE = 0.6
_TOPOLOGY = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Placement:
    """How a model is placed: ``threads`` that compute, ``slots`` letters at once, ``context`` tokens for each."""

    threads: int
    slots: int
    context: int


def placement(weights: Weights, settings: Mapping[str, Any], cores: int, memory: int) -> Placement:
    """The placement of a model with ``cores`` and ``memory`` (bytes) to use; what ``settings`` name is taken as it is.

    Raises ``UsageError`` for settings that are no positive whole numbers, or a context that the model was not made for.
    """
    for name in SETTINGS:
        if name in settings and (type(settings[name]) is not int or settings[name] < 1):
            raise UsageError(f"{name} must be a positive whole number", hint="see docs/providers.md", code="params")
    most = weights.trained_context or _CONTEXT
    if settings.get("context", 0) > most:
        hint = f"give at most {most} in params under {settings_line(weights)}, or use another model"
        raise UsageError(f"{weights.path.name} was trained for a context of {most:,} tokens", hint=hint, code="params")
    threads = settings.get("threads") or cores
    room = int(_SHARE * max(memory - weights.size, 0)) // max(weights.cache_bytes, 1)
    context = settings.get("context") or min(most, max(_CONTEXT if room >= _CONTEXT else room, _SMALLEST))
    slots = settings.get("slots") or max(1, min(threads // _THREADS_A_SLOT, _MOST_SLOTS, room // context))
    return Placement(threads, slots, context)


def settings_line(weights: Weights) -> str:
    """Where the settings of a model are written."""
    return f'[models."local/{weights.path.name}"] in workspace.toml'


def physical_cores() -> int:
    """The cores that this process may use; two threads of one core count once, as they share what computes."""
    try:
        allowed = os.sched_getaffinity(0)
        siblings = {
            (_TOPOLOGY / f"cpu{number}/topology/thread_siblings_list").read_text("ascii").strip() for number in allowed
        }
        return len(siblings)
    except (AttributeError, OSError, ValueError):  # not Linux
        return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes of memory that can be had now; half of all where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return 8 * 2**30
