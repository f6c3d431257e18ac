"""Names of language models: ``provider/name``. Nothing here loads a model SDK."""

from __future__ import annotations

from extractor.errors import ModelNameError

PROVIDERS = ("openai", "openai-compatible", "azure", "anthropic", "gemini")


def provider_and_model(name: str) -> tuple[str, str]:
    """The two parts of a model's name. Raises ``ModelNameError`` listing the providers."""
    provider, _, model = name.partition("/")
    if provider not in PROVIDERS or not model:
        known = ", ".join(f"{each}/NAME" for each in PROVIDERS)
        raise ModelNameError(f"unknown model {name!r}", hint=f"known: offline, replay:NAME, {known}")
    return provider, model
