"""The home of OpenAI's Evals as one ASGI app, below `/v1/evals`."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound, StoreUnusable
from gaugeway.management import eval_runs, evals
from gaugeway.management.authentication import TokenBook
from gaugeway.management.envelope import ApiError
from gaugeway.management.intake import Intake, LastResort
from gaugeway.management.openai_envelope import answer_ours, refuse
from gaugeway.management.parts import Parts
from gaugeway.management.validation import errors_of

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a body: the items of a run may come with it."""


def create_evals_app(parts: Parts) -> FastAPI:
    """The app; it expects whole paths (`/v1/evals…`)."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    app.state.book = TokenBook(parts.config, parts.tokens, parts.clock)
    app.include_router(eval_runs.router)
    app.include_router(evals.router)
    for kind in (ApiError, BadInput, Conflict, NotFound, StoreUnusable):
        app.add_exception_handler(kind, answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_middleware(Intake, max_body=MAX_BODY)
    app.add_middleware(LastResort)
    return app


async def _answer_invalid(_request: Request, problem: Exception) -> Response:
    first = errors_of(cast("RequestValidationError", problem).errors())[0]
    return refuse(400, first.message, first.path)


async def _answer_http(request: Request, problem: Exception) -> Response:
    status = cast("HTTPException", problem).status_code
    if status in (404, 405):
        return refuse(status, f"{request.method} {request.url.path[:200]} is not part of the Evals API")
    return refuse(status, "Malformed JSON: it cannot be read")
