"""Names of language models: ``provider/name``. Nothing here loads a model SDK."""

from __future__ import annotations

from extractor.errors import ModelNameError

# The model of the answer desk, whose answers are written by hand (see ``extractor.models.desk``): openai/answer-desk.
DESK_MODEL = "answer-desk"
# Where the desk is, unless it is started at another port.
DESK_URL = "http://127.0.0.1:8765/v1"
# The header that gives the desk a letter's id, percent-encoded. It is sent to this machine only.
LETTER_HEADER = "x-letter-id"
# A model in a process of the run: local/FILE.gguf.
LOCAL = "local"
PROVIDERS = ("openai", "openai-compatible", "azure", "anthropic", "gemini", "local")


def provider_and_model(name: str) -> tuple[str, str]:
    """The two parts of a model's name. Raises ``ModelNameError`` listing the providers."""
    provider, _, model = name.partition("/")
    if provider not in PROVIDERS or not model:
        known = ", ".join(f"{each}/{'FILE.gguf' if each == LOCAL else 'NAME'}" for each in PROVIDERS)
        raise ModelNameError(f"unknown model {name!r}", hint=f"known: offline, replay:NAME, {known}")
    return provider, model


def is_local(name: str) -> bool:
    """Whether a model runs in a process of the run."""
    return name.startswith(f"{LOCAL}/")


def is_desk(name: str) -> bool:
    """Whether a model's answers are written at an answer desk."""
    return name in (f"openai/{DESK_MODEL}", f"openai-compatible/{DESK_MODEL}")
