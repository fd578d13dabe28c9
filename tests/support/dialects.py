"""A server in front of providers of every format, for clients of other formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.chat_upstream import ChatUpstream
from support.server import Server, running_server

FIGURES = {"groq": (20, 10, 4), "anthropic": (30, 10, 6), "google-ai-studio": (20, 10, 4), "cohere": (20, 10, 0)}
"""Tokens in, out, and of those in read from the provider's cache."""

EACH = [
    ("groq", "chat"),
    ("anthropic", "claude"),
    ("google-ai-studio", "gemini"),
    ("cohere", "command"),
]


@contextmanager
def server_before(provider: ChatUpstream, folder: Path) -> Iterator[Server]:
    """A server whose providers are this upstream."""
    paths = {"groq": "groq", "anthropic": "anthropic", "google-ai-studio": "google", "cohere": "cohere"}
    paths |= {"openai": "openai", "grok": "grok", "mistral": "mistral"}
    upstreams = {slug: f"{provider.url}/{path}" for slug, path in paths.items()}
    with running_server(folder, GAUGEWAY_UPSTREAMS=json.dumps(upstreams)) as server:
        yield server
