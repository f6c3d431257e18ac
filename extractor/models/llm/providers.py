"""Model names: which provider, which key, which address."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import httpx2

from extractor.errors import ModelNameError, UsageError
from extractor.models.llm.chat import MODES, ChatEndpoint, azure_url
from extractor.models.llm.local import MODES as LOCAL_MODES
from extractor.models.llm.local import TIMEOUT as LOCAL_TIMEOUT
from extractor.models.llm.local import open_local
from extractor.models.llm.retrying import Endpoint, Patience, RetryingModel
from extractor.models.names import is_desk, provider_and_model

NO_KEY = "none"


@dataclass(frozen=True)
class _Wanted:
    """A model name resolved to provider and settings; ``base_url`` is ``None`` for the provider's own address."""

    name: str
    model: str
    key: str
    base_url: str | None
    mode: str
    params: dict[str, Any]


def _chat(wanted: _Wanted) -> Endpoint:
    params = dict(wanted.params)
    marked = _flag(params, "cache_control")
    return ChatEndpoint(
        wanted.name, wanted.model, wanted.key, wanted.base_url, wanted.mode, params, cache_control=marked
    )


def _flag(params: dict[str, Any], name: str) -> bool:
    """A setting of ours that is true or false, taken out of ``params``. Raises ``UsageError`` for anything else."""
    value = params.pop(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} is true or false", hint="see docs/providers.md", code="params")
    return value


def _azure(wanted: _Wanted) -> Endpoint:
    params = dict(wanted.params)
    version = params.pop("api_version", None)
    # Without an address, recordings answer.
    url = azure_url(wanted.base_url or "https://azure.invalid", wanted.model, version)
    return ChatEndpoint(
        wanted.name, wanted.model, wanted.key, url, wanted.mode, params, azure=True, api_version=version
    )


def _anthropic(wanted: _Wanted) -> Endpoint:
    from extractor.models.llm.anthropic import MessagesEndpoint

    return MessagesEndpoint(wanted.name, wanted.model, wanted.key, wanted.base_url, wanted.mode, wanted.params)


def _gemini(wanted: _Wanted) -> Endpoint:
    from extractor.models.llm.gemini import GeminiEndpoint

    return GeminiEndpoint(wanted.name, wanted.model, wanted.key, wanted.base_url, wanted.mode, wanted.params)


@dataclass(frozen=True)
class _Provider:
    """``keys`` and ``address`` are environment variables; ``homeless`` has no address of its own.

    ``keyless``: a server at another address may need no key. ``modes`` are in the order in which
    they are worth trying. ``modules`` come with ``extra``.
    """

    open: Callable[[_Wanted], Endpoint]
    keys: tuple[str, ...]
    address: str
    modes: tuple[str, ...]
    homeless: bool = False
    keyless: bool = True
    extra: str = ""
    modules: tuple[str, ...] = ()


_CHAT_MODES = tuple(MODES)
_FEW_MODES = ("json_schema", "tools", "json")
# Opened by ``open_local``: it has neither address nor key.
_LOCAL = _Provider(_chat, (), "", LOCAL_MODES)
_PROVIDERS = {
    "openai": _Provider(_chat, ("OPENAI_API_KEY",), "OPENAI_BASE_URL", _CHAT_MODES),
    "openai-compatible": _Provider(_chat, ("OPENAI_API_KEY",), "OPENAI_BASE_URL", _CHAT_MODES, homeless=True),
    "azure": _Provider(
        _azure, ("AZURE_OPENAI_API_KEY",), "AZURE_OPENAI_ENDPOINT", _CHAT_MODES, homeless=True, keyless=False
    ),
    "anthropic": _Provider(
        _anthropic,
        ("ANTHROPIC_API_KEY",),
        "ANTHROPIC_BASE_URL",
        _FEW_MODES,
        extra="anthropic",
        modules=("anthropic",),
    ),
    "gemini": _Provider(
        _gemini,
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "GOOGLE_GEMINI_BASE_URL",
        _FEW_MODES,
        extra="gemini",
        modules=("google.genai", "jsonref"),
    ),
    "local": _LOCAL,
}
KEY_VARIABLES = tuple(dict.fromkeys(key for provider in _PROVIDERS.values() for key in provider.keys))


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    params: Mapping[str, Any] | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    replay: bool = False,
) -> RetryingModel:
    """The model called ``provider/name``, with its key from the environment.

    ``base_url`` (else the provider's variable, ``OPENAI_BASE_URL`` and so on) names a server other
    than the provider's own; such a server may need no key. An answer desk needs neither. ``params`` go into
    every request, but for ``mode`` and the fields of ``Patience``, which are ours. ``replay``:
    ``transport`` answers from recordings, so no key is needed. Raises ``ModelNameError``.
    """
    provider, model = _find(name)
    if provider is not _LOCAL:
        base_url = base_url or os.environ.get(provider.address) or None
    elif base_url:
        raise ModelNameError(f"{name} runs in this run's own process", hint="leave out the base URL")
    if base_url is None and provider.homeless and not replay and not is_desk(name):
        hint = f"give its base URL, e.g. http://HOST:PORT/v1 (--base-url), or set {provider.address}"
        raise ModelNameError(f"model {name!r} needs an address", hint=hint)
    if base_url is not None and not _is_url(base_url):
        raise ModelNameError("the base URL is no http(s) address", hint="write it as http://HOST:PORT/v1")
    wire = dict(params or {})
    mode = wire.pop("mode", provider.modes[0])
    if mode not in provider.modes:
        hint = f"modes of {name}: {', '.join(provider.modes)}"
        raise UsageError(f"unknown mode {mode!r}", hint=hint, code="mode")
    patient = {each.name: wire.pop(each.name) for each in fields(Patience) if each.name in wire}
    if provider is _LOCAL:
        patience = Patience(**{"timeout": LOCAL_TIMEOUT, **patient})
        return open_local(name, mode=mode, params=wire, transport=transport, replay=replay, patience=patience)
    needed = not replay and not is_desk(name) and (base_url is None or not provider.keyless)
    key = _key(provider, name, needed=needed)
    endpoint = provider.open(_Wanted(name, model, key, base_url, mode, wire))
    return RetryingModel(name, endpoint, transport=transport, patience=Patience(**patient))


def modes_of(name: str) -> tuple[str, ...]:
    """The modes a model's provider knows, in the order in which they are worth trying. Raises ``ModelNameError``."""
    return _find(name)[0].modes


def _find(name: str) -> tuple[_Provider, str]:
    provider_name, model = provider_and_model(name)
    provider = _PROVIDERS[provider_name]
    for module in provider.modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            hint = f"install the extra: pip install 'letterproof[{provider.extra}]'"
            raise ModelNameError(f"model {name!r} needs {module}, which is not installed", hint=hint) from None
    return provider, model


def _key(provider: _Provider, name: str, *, needed: bool) -> str:
    variable = next((each for each in provider.keys if os.environ.get(each, "").strip()), provider.keys[0])
    key = os.environ.get(variable, "").strip()
    if not key and needed:
        server = ", or give the base URL of a server that needs none (--base-url)" if provider.keyless else ""
        raise ModelNameError(f"no key for model {name!r}", hint=f"set {variable}{server}")
    if not re.fullmatch(r"[\x21-\x7e]*", key):
        raise ModelNameError(f"{variable} is not a key", hint="it holds blanks or non-ASCII characters")
    return key or NO_KEY


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
