"""A gateway's settings as they are sent (contract 1.5): names, types, bounds, defaults."""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gaugeway.core.ids import MAX_GATEWAY_ID
from gaugeway.core.model import Gateway
from gaugeway.core.spending import MAX_LIMIT
from gaugeway.management.validation import Body

GatewayId = Annotated[str, Field(min_length=1, max_length=MAX_GATEWAY_ID, pattern=r"^[a-z0-9_]+(?:-[a-z0-9_]+)*$")]
Action = Literal["FLAG", "BLOCK"]
Seconds = Annotated[int, Field(ge=0, le=1_000_000_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class DlpPolicy(Body):
    """One data-loss-prevention policy."""

    id: str
    enabled: bool
    action: Action
    profiles: list[str]
    check: list[Literal["REQUEST", "RESPONSE"]]


class Dlp(Body):
    """Data-loss prevention: either one action over profiles, or a list of policies."""

    enabled: bool
    action: Action | None = None
    profiles: list[str] | None = None
    policies: list[DlpPolicy] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Dlp:
        flat = self.action is not None and self.profiles is not None
        if flat == (self.policies is not None):
            raise ValueError("Expected either action and profiles, or policies")
        return self


class GuardrailActions(Body):
    """What happens for each hazard category; a category left out is not looked for."""

    P1: Action | None = None
    S1: Action | None = None
    S2: Action | None = None
    S3: Action | None = None
    S4: Action | None = None
    S5: Action | None = None
    S6: Action | None = None
    S7: Action | None = None
    S8: Action | None = None
    S9: Action | None = None
    S10: Action | None = None
    S11: Action | None = None
    S12: Action | None = None
    S13: Action | None = None


class Guardrails(Body):
    """Hazard categories to look for in prompts and in answers."""

    prompt: GuardrailActions
    response: GuardrailActions


class OtelExporter(Body):
    """Where traces are sent."""

    url: Annotated[str, Field(max_length=2048)]
    headers: dict[str, Annotated[str, Field(max_length=4096)]]
    authorization: Annotated[str, Field(max_length=256)] | None = None
    content_type: Literal["json", "protobuf"] = "json"


class SpendFilter(Body):
    """Which models or providers a spending rule counts."""

    mode: Literal["filter"]
    values: Annotated[list[str], Field(min_length=1, max_length=1000)]


class SpendPartition(Body):
    """How a spending rule uses a metadata key: one budget per value, or only some values."""

    mode: Literal["partition", "filter"]
    values: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _values_where_filtered(self) -> SpendPartition:
        if (self.mode == "filter") != (self.values is not None):
            raise ValueError("Expected values with mode filter, and none with mode partition")
        return self


class SpendRule(Body):
    """One budget: dollars in a window of seconds."""

    id: Annotated[
        str,
        Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$", default_factory=lambda: token_hex(4)),
    ]
    enabled: bool = True
    limit_type: Annotated[Literal["cost"], Field(alias="limitType")]
    limit: Annotated[float, Field(ge=1e-12, le=MAX_LIMIT)]
    window: Annotated[int, Field(gt=0, le=1_000_000_000)]
    technique: Literal["sliding", "fixed"] = "sliding"
    metadata: dict[str, SpendPartition] | None = None
    model: SpendFilter | None = None
    provider: SpendFilter | None = None


class SpendLimits(Body):
    """Budgets."""

    enabled: bool = False
    rules: Annotated[list[SpendRule], Field(max_length=20, default_factory=list[SpendRule])]

    @model_validator(mode="after")
    def _each_id_once(self) -> SpendLimits:
        ids = [rule.id for rule in self.rules]
        repeated = next((one for at, one in enumerate(ids) if one in ids[:at]), None)
        if repeated is not None:
            raise ValueError(f"The rule id {repeated!r} is given twice; each rule counts under an id of its own")
        return self


class StripeEvent(Body):
    """What is reported to Stripe for each request."""

    payload: str


class Stripe(Body):
    """Reporting usage to Stripe."""

    authorization: str
    usage_events: list[StripeEvent]


class GatewaySettings(Body):
    """The body of PUT: all of a gateway but its id. What is left out gets its default."""

    cache_invalidate_on_update: bool
    cache_ttl: Seconds | None
    collect_logs: bool
    rate_limiting_interval: Seconds | None
    rate_limiting_limit: Count | None
    rate_limiting_technique: Literal["fixed", "sliding"] | None = None
    authentication: bool = False
    log_management: Annotated[int, Field(ge=10_000, le=10_000_000)] | None = 10_000_000
    log_management_strategy: Literal["STOP_INSERTING", "DELETE_OLDEST"] | None = "DELETE_OLDEST"
    logpush: bool = False
    logpush_public_key: Annotated[str, Field(min_length=16, max_length=1024)] | None = None
    retry_max_attempts: Annotated[int, Field(ge=1, le=5)] | None = None
    retry_delay: Annotated[int, Field(ge=0, le=60_000)] | None = None
    retry_backoff: Literal["constant", "linear", "exponential"] | None = None
    zdr: bool = False
    store_id: Annotated[str, Field(max_length=256)] | None = None
    workers_ai_billing_mode: Literal["postpaid", "unified"] = "postpaid"
    byok_only: bool = False
    log_classification: bool = False
    otel: Annotated[list[OtelExporter], Field(max_length=5)] | None = None
    dlp: Dlp | None = None
    guardrails: Guardrails | None = None
    spend_limits: SpendLimits | None = None
    stripe: Stripe | None = None

    def to_gateway(self, account_id: str, gateway_id: str, created_at: int, modified_at: int) -> Gateway:
        """The gateway with these settings. null where it means "off" is kept, and shown, as what it means."""
        fields: dict[str, Any] = self.model_dump(exclude={"id"}, exclude_none=True, by_alias=True)
        if self.log_management is None:  # no limit, which is not the default
            fields["log_management"] = None
        return Gateway(
            account_id=account_id, id=gateway_id, created_at=created_at, modified_at=modified_at, **fields
        )


class NewGateway(GatewaySettings):
    """The body of POST."""

    id: GatewayId
