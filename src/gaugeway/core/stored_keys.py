"""Provider keys that the gateway keeps (contract 1.9, 5.8): "bring your own key", so that clients need none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from gaugeway.core.model import Scope
from gaugeway.core.ports import Page

DEFAULT_ALIAS = "default"


class ProviderConfig(Struct, frozen=True, kw_only=True):
    """A stored key as it is shown: never the key."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    provider_slug: str
    alias: str
    secret_preview: str
    created_at: int
    modified_at: int
    default_config: bool = False  # spent where a request names no alias; at most one for each provider
    custom_provider_id: str | None = None  # of a custom provider: it keeps its keys when its slug changes
    rate_limit: int | None = None  # requests in each period; None: as many as there are
    rate_limit_period: int = 60  # seconds

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)


class StoredKey(Struct, frozen=True):
    """A key in the clear, for the requests that it is sent with."""

    config: ProviderConfig
    key: str

    def __repr__(self) -> str:
        """Without the key: a representation may end up in a log."""
        return f"StoredKey({self.config.id!r})"


KeysByProvider = Mapping[str, Mapping[str, StoredKey]]
"""Provider slug → alias → key. What is spent without an alias stands under "" too."""


class ProviderConfigStore(Protocol):
    """Stored keys, sealed: only the master key opens them. Raises StoreUnusable where it cannot be had."""

    def create(self, config: ProviderConfig, key: str) -> None:
        """NotFound without its gateway or custom provider; Conflict where the provider has one of that alias.

        A new default takes the place of the provider's old one.
        """
        ...

    def get(self, scope: Scope, config_id: str) -> ProviderConfig | None: ...
    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[ProviderConfig]:
        """Newest first."""
        ...

    def replace(self, config: ProviderConfig, key: str) -> None:
        """NotFound where there is none of that id."""
        ...

    def delete(self, scope: Scope, config_id: str) -> ProviderConfig:
        """The one that was; NotFound."""
        ...

    def keys(self, scope: Scope) -> KeysByProvider:
        """All of a gateway, opened."""
        ...

    def rotate(self) -> int:
        """Seal everything anew under the newest master key, making one where none is set; how many there are."""
        ...
