"""How a gateway's spend limits stand: an extension, as Cloudflare shows it to nobody (docs/spend-limits.md)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from starlette.responses import Response

from gaugeway.core.errors import NotFound
from gaugeway.core.model import Gateway
from gaugeway.core.money import from_pico, plain
from gaugeway.core.spending import Budget, Spent, rules_of
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY

router = APIRouter(prefix="/gateways/{gateway_id}/spend_limits", tags=["Spend limits"])


def _budgets(gateway: Gateway) -> dict[str, Budget]:
    return {rule.budget.rule_id: rule.budget for rule in rules_of(gateway.scope, gateway.spend_limits)}


def show(budget: Budget, bucket: Spent) -> dict[str, Any]:
    """One budget as the API shows it; dollars are exact decimals in text."""
    left = budget.limit - bucket.spent - bucket.reserved - bucket.unsettled
    dollars = {
        "limit": budget.limit,
        "spent": bucket.spent,
        "reserved": bucket.reserved,
        "unsettled": bucket.unsettled,
        "remaining": max(left, 0),
    }
    return {
        "rule_id": bucket.rule_id,
        "partition": dict(bucket.partition),
        "window": budget.window,
        "technique": "sliding" if budget.sliding else "fixed",
        **{name: plain(from_pico(amount)) for name, amount in dollars.items()},
        "resets_at": None if bucket.frees_at is None else to_rfc3339(bucket.frees_at),
    }


@router.get("", summary="See how the spend limits stand")
def list_budgets(call: Caller, gateway: NamedGateway, query: Annotated[Paged, InQuery()]) -> Response:
    """Every rule in force, by its partitions where it has any that hold something.

    `resets_at`: a fixed window's end; of a sliding one, when the oldest of what was spent leaves it.
    """
    budgets = _budgets(gateway)
    found = call.parts.ledger.buckets(gateway.scope, budgets, call.parts.clock.now_ms())
    seen = {bucket.rule_id for bucket in found}
    unused = (Spent(rule_id, (), 0, 0, 0, None) for rule_id in budgets if rule_id not in seen)
    rows = sorted((*found, *unused), key=lambda bucket: (bucket.rule_id, bucket.partition))
    part = [show(budgets[one.rule_id], one) for one in rows[query.offset : query.offset + query.per_page]]
    return envelope.page(part, query.info(len(part), len(rows)))


@router.delete("/{rule_id}/unsettled", summary="Give back what dead processes hold", dependencies=[NO_QUERY])
def give_back(call: Caller, gateway: NamedGateway, rule_id: str) -> Response:
    """Frees what requests have reserved whose process died before they ended: nobody knows what they cost."""
    if rule_id not in _budgets(gateway):
        raise NotFound(f"there is no rule {rule_id!r} in force")
    freed = call.parts.ledger.give_back(gateway.scope, rule_id, call.parts.clock.now_ms())
    return envelope.result({"rule_id": rule_id, "given_back": plain(from_pico(freed))})
