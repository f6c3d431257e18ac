"""Language models behind an endpoint: OpenAI-shaped, Anthropic, Gemini.

The only package that knows the model SDKs. Each library does one thing here: instructor shapes the
request for a mode, the provider's SDK sends it, tenacity decides whether to send it again.
"""

from extractor.models.llm.chat import MODES, ChatModel, url_without_secrets
from extractor.models.llm.providers import KEY_VARIABLES, modes_of, open_model
from extractor.models.llm.retrying import Patience, RetryingModel

__all__ = [
    "KEY_VARIABLES",
    "MODES",
    "ChatModel",
    "Patience",
    "RetryingModel",
    "modes_of",
    "open_model",
    "url_without_secrets",
]
