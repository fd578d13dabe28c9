"""What is kept of dynamic routes. Times are Unix milliseconds."""

from __future__ import annotations

from msgspec import Struct

from gaugeway.core.model import Scope


class RouteVersion(Struct, frozen=True, kw_only=True):
    """A graph of elements. Never changed once it is there."""

    id: str  # UUIDv7 text
    created_at: int
    elements: str  # JSON of the list, in the spelling of `elements.py`


class RouteDeployment(Struct, frozen=True, kw_only=True):
    """That a version was put to work. The newest one counts."""

    id: str  # UUIDv7 text
    version_id: str
    created_at: int


class Route(Struct, frozen=True, kw_only=True):
    """A dynamic route as it is deployed; reached as the model `dynamic/{name}`."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str
    created_at: int
    modified_at: int
    version: RouteVersion  # the deployed one
    deployment: RouteDeployment  # the newest

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)
