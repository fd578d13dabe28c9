"""The control plane as one ASGI app."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from gaugeway.management import (
    account_tokens,
    analytics,
    annotating,
    annotation_queues,
    available_settings,
    comparisons,
    cost_rules,
    custom_providers,
    datasets,
    docs_page,
    evaluation_runs,
    evaluation_types,
    evaluations,
    gateways,
    logs,
    metrics,
    monitors,
    provider_configs,
    refusals,
    replays,
    routes,
    sessions,
    shadows,
    snapshot_exchange,
    snapshot_items,
    snapshots,
    spend_limits,
    tokens,
    type_tries,
    urls,
)
from gaugeway.management.authentication import Authentication, TokenBook
from gaugeway.management.description import describe
from gaugeway.management.intake import Intake, LastResort
from gaugeway.management.parts import Parts
from gaugeway.management.paths import ACCOUNT_PREFIX
from gaugeway.management.session_book import SessionBook

RESOURCES = (
    gateways,
    spend_limits,
    urls,
    logs,
    analytics,
    datasets,
    snapshots,
    snapshot_exchange,
    snapshot_items,
    evaluation_types,
    evaluations,
    cost_rules,  # before the custom providers, for one of which `costs` would be taken
    evaluation_runs,
    comparisons,
    type_tries,
    annotating,
    annotation_queues,
    replays,
    monitors,
    shadows,
    custom_providers,
    provider_configs,
    routes,
    account_tokens,
    available_settings,
)
"""The modules of an account's resources; each has a `router`."""


def create_app(parts: Parts) -> FastAPI:
    """The app; it expects whole paths (`/client/v4/…`) and adds `/openapi.json` and `/docs`.

    Each request passes: last resort, authentication, intake of the body, validation, endpoint.
    """
    app = _routed()
    app.state.parts = parts
    refusals.install(app)
    app.add_middleware(Intake)
    app.add_middleware(
        Authentication,
        book=TokenBook(parts.config, parts.tokens, parts.clock),
        sessions=SessionBook(parts.sessions, parts.clock),
    )
    app.add_middleware(LastResort)
    return app


def describe_api() -> dict[str, Any]:
    """The OpenAPI description, without a server."""
    return describe(_routed())


def _routed() -> FastAPI:
    app = FastAPI(
        title="Gaugeway management API",
        summary="Cloudflare AI Gateway's management API, self-hosted.",
        docs_url=None,  # these pages would load their scripts from another machine
        redoc_url=None,
        redirect_slashes=False,
    )
    account = APIRouter(prefix=ACCOUNT_PREFIX)
    for resource in RESOURCES:
        account.include_router(resource.router)
    app.include_router(account)
    app.include_router(tokens.router)
    app.include_router(sessions.router)
    app.include_router(metrics.router)
    app.include_router(docs_page.router)
    app.openapi = lambda: describe(app)
    return app
