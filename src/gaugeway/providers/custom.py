"""Providers that an account adds itself, reached as `custom-{slug}` (contract 1.11)."""

from __future__ import annotations

import re

from gaugeway.core.provider import Compatible, Provider
from gaugeway.providers.formats.anthropic import Anthropic
from gaugeway.providers.formats.cohere import Cohere
from gaugeway.providers.formats.gemini import Gemini
from gaugeway.providers.formats.workers_ai import WorkersAI
from gaugeway.providers.parts.declared import Declared

PREFIX = "custom-"

CREDENTIAL_HEADERS = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"xi-api-key",
        b"x-auth-token",
        b"x-auth-key",
        b"x-auth-email",
        b"x-access-token",
        b"apikey",
        b"proxy-authorization",
        b"cookie",
    }
)
"""The headers of all known ways to carry a key, because nobody can say which one this provider wants."""

_ENDS_WITH_VERSION = re.compile(r"/v[0-9]+(?:(?:alpha|beta)[0-9]*)?(?:/openai)?$")
"""A base URL as OpenAI's clients want it; `…/v1beta/openai` is Google's."""

_FORMATS = (Anthropic(), Gemini(), WorkersAI(), Cohere())
"""Each takes only answers that show its marks; Workers AI's covers OpenAI's."""


def custom(slug: str, base_url: str) -> Provider:
    """The provider `custom-{slug}`: the path is appended to its base URL as it is, the usage's format detected.

    It has no price, even where it serves a model that has a public one elsewhere: what it charges is its own.
    """
    base_url = base_url.rstrip("/")
    version = "" if _ENDS_WITH_VERSION.search(base_url) else "v1/"
    return Declared(
        slug=PREFIX + slug,
        name=slug,
        base_url=base_url,
        price_id=None,
        credential_headers=CREDENTIAL_HEADERS,
        formats=_FORMATS,
        compatible=Compatible(chat=version + "chat/completions", embeddings=version + "embeddings"),
    )
