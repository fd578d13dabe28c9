"""What the data plane needs to know of a provider. One file each in `providers/`."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from gaugeway.core.model import Usage


class Reported(Struct, frozen=True, kw_only=True):
    """What an answer says about itself. None: it did not say."""

    usage: Usage | None = None
    model: str | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What a request says about itself, read from its path and body."""

    model: str = ""
    model_type: str | None = None  # "chat" | "embeddings" | ..., where it can be told
    stream: bool = False


class Provider(Protocol):
    """A provider. Everything here is pure and cheap: it runs on the hot path."""

    @property
    def slug(self) -> str:
        """Its name in the URL, e.g. `openai`."""
        ...

    @property
    def name(self) -> str:
        """Its name for people."""
        ...

    @property
    def base_url(self) -> str:
        """Where requests go, without a trailing slash; the path from `upstream_path` is appended."""
        ...

    @property
    def credential_headers(self) -> frozenset[bytes]:
        """Lower-case request headers that may carry the caller's key: never logged, redacted from bodies."""
        ...

    @property
    def price_id(self) -> str | None:
        """The provider's id in genai-prices; None: its prices are not known."""
        ...

    def upstream_path(self, rest: str, account_id: str) -> str:
        """The path below base_url for what followed the slug, with a leading slash; mends v1/ missing or doubled.

        `rest` is the raw (still percent-encoded) path without leading slash. Raises BadInput where it could
        lead out of the base.
        """
        ...

    def read_request(self, rest: str, content_type: str, body: bytes) -> Asked:
        """Model, kind and whether a stream is asked for. Never raises: a body it cannot read says nothing."""
        ...

    def read_response(self, rest: str, content_type: str, body: bytes) -> Reported:
        """Usage and model from a whole JSON answer, a whole SSE stream, or as much as arrived of either.

        Called once, at the end. For very long answers the middle may be missing. Never raises.
        """
        ...
