"""How many logs a gateway keeps, looked up once per change of the configuration."""

from __future__ import annotations

from gaugeway.core.model import Scope
from gaugeway.core.ports import ConfigStore, GatewayStore, Retention

GONE = Retention(0, "STOP_INSERTING")
"""For a gateway that was deleted while its last logs were on their way: they go with it."""


class Retentions:
    """Callable as `LogStore.append` wants it."""

    def __init__(self, gateways: GatewayStore, config: ConfigStore) -> None:
        self._gateways = gateways
        self._config = config
        self._version: int | None = None
        self._known: dict[Scope, Retention] = {}

    def __call__(self, scope: Scope) -> Retention:
        version = self._config.version()
        if version != self._version:
            self._known.clear()
            self._version = version
        known = self._known.get(scope)
        if known is None:
            gateway = self._gateways.get(scope)
            known = GONE if gateway is None else Retention(gateway.log_management, gateway.log_management_strategy)
            self._known[scope] = known
        return known
