"""How many logs a gateway keeps, looked up once per change."""

from __future__ import annotations

from gaugeway.core.model import Gateway, Scope
from gaugeway.core.ports import Retention
from gaugeway.recorder.retention import GONE, Retentions


class Installation:
    """A ConfigStore and the part of a GatewayStore that is needed."""

    def __init__(self) -> None:
        self.number = 1
        self.gateways: dict[Scope, Gateway] = {}
        self.asked = 0

    def version(self) -> int:
        return self.number

    def get(self, scope: Scope) -> Gateway | None:
        self.asked += 1
        return self.gateways.get(scope)


def test_a_change_is_seen_at_once_and_no_look_up_is_made_without_one() -> None:
    scope = Scope("a", "g")
    installation = Installation()
    installation.gateways[scope] = Gateway(account_id="a", id="g", created_at=1, modified_at=1, log_management=7)
    retentions = Retentions(installation, installation)  # type: ignore[arg-type]
    for _ in range(3):
        assert retentions(scope) == Retention(7, "DELETE_OLDEST")
    assert installation.asked == 1
    installation.gateways[scope] = Gateway(
        account_id="a",
        id="g",
        created_at=1,
        modified_at=2,
        log_management=None,
        log_management_strategy="STOP_INSERTING",
    )
    installation.number = 2
    assert retentions(scope) == Retention(None, "STOP_INSERTING")
    del installation.gateways[scope]
    installation.number = 3
    assert retentions(scope) == GONE
