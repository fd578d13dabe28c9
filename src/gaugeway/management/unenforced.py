"""Settings of Cloudflare's that this version takes no notice of, and therefore does not accept.

A setting that is stored but not acted on would be a promise quietly broken. An entry goes when its work lands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gaugeway.management.envelope import INVALID, ApiError
from gaugeway.management.gateway_settings import GatewaySettings

IsOff = Callable[[Any], bool]


def _falsy(value: object) -> bool:
    return not value


def _disabled(value: dict[str, Any] | None) -> bool:
    return value is None or not value["enabled"]


def _no_categories(value: dict[str, dict[str, str]] | None) -> bool:
    return value is None or not (value["prompt"] or value["response"])


UNENFORCED: dict[str, tuple[IsOff, str]] = {
    "logpush": (_falsy, "Logpush is not available in this version; send false"),
    "zdr": (_falsy, "zero data retention is not available in this version; send false"),
    "store_id": (
        _falsy,
        "a Secrets Store is not available in this version; leave it out: keys are stored by provider_configs",
    ),
    "log_classification": (_falsy, "log classification is not available in this version; send false"),
    "workers_ai_billing_mode": (
        lambda value: value == "postpaid",
        "unified billing is not available in this version; send 'postpaid'",
    ),
    "otel": (_falsy, "OpenTelemetry export is not available in this version; leave it out"),
    "dlp": (_disabled, "data-loss prevention is not available in this version; leave it out"),
    "guardrails": (_no_categories, "guardrails are not available in this version; leave it out"),
    "stripe": (_falsy, "reporting to Stripe is not available in this version; leave it out"),
}
"""Setting → whether a value asks for nothing, and what to say of one that asks for something."""


def check_enforced(settings: GatewaySettings) -> list[ApiError]:
    """An error for each setting that asks for what this version does not do."""
    sent: dict[str, Any] = settings.model_dump(exclude_none=True, by_alias=True)
    return [
        ApiError(400, INVALID, f"{name}: {advice}", ("body", name))
        for name, (is_off, advice) in UNENFORCED.items()
        if not is_off(sent.get(name, getattr(settings, name)))
    ]
