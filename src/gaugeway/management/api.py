"""The control plane as one ASGI app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from gaugeway.management import (
    custom_providers,
    datasets,
    docs_page,
    evaluation_types,
    evaluations,
    gateways,
    logs,
    refusals,
    tokens,
    urls,
)
from gaugeway.management.authentication import Authentication, TokenBook
from gaugeway.management.description import describe
from gaugeway.management.intake import Intake, LastResort
from gaugeway.management.parts import Parts

ACCOUNT_PREFIX = "/client/v4/accounts/{account_id}/ai-gateway"
RESOURCES = (gateways, urls, logs, datasets, evaluation_types, evaluations, custom_providers)
"""The modules of an account's resources; each has a `router`."""


def create_app(parts: Parts) -> FastAPI:
    """The app; it expects whole paths (`/client/v4/…`) and adds `/openapi.json` and `/docs`.

    Each request passes: last resort, authentication, intake of the body, validation, endpoint.
    """
    app = FastAPI(
        title="Gaugeway management API",
        summary="Cloudflare AI Gateway's management API, self-hosted.",
        docs_url=None,  # these pages would load their scripts from another machine
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    account = APIRouter(prefix=ACCOUNT_PREFIX)
    for resource in RESOURCES:
        account.include_router(resource.router)
    app.include_router(account)
    app.include_router(tokens.router)
    app.include_router(docs_page.router)
    app.openapi = lambda: describe(app)
    refusals.install(app)
    app.add_middleware(Intake)
    app.add_middleware(Authentication, book=TokenBook(parts.config, parts.tokens, parts.clock))
    app.add_middleware(LastResort)
    return app
