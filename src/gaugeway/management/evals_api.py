"""The home of OpenAI's Evals as two ASGI apps, below `/v1/evals` and `/v1/files`."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound, StoreUnusable
from gaugeway.core.files import MAX_FILE
from gaugeway.management import eval_files, eval_runs, evals
from gaugeway.management.authentication import TokenBook
from gaugeway.management.envelope import ApiError
from gaugeway.management.intake import Intake, LastResort
from gaugeway.management.openai_envelope import answer_ours, refuse
from gaugeway.management.parts import Parts
from gaugeway.management.validation import errors_of

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a body: the items of a run may come with it."""
FORM_BYTES = 64 * 1024
"""What a form has beside its file."""


def create_evals_app(parts: Parts) -> FastAPI:
    """The app; it expects whole paths (`/v1/evals…`)."""
    app = _app(parts, eval_runs.router, evals.router)
    app.add_middleware(Intake, max_body=MAX_BODY)
    app.add_middleware(LastResort)
    return app


def create_files_app(parts: Parts) -> FastAPI:
    """The app of the files that runs take their items from; it expects whole paths (`/v1/files…`)."""
    app = _app(parts, eval_files.router)
    app.add_middleware(Intake, max_body=MAX_FILE + FORM_BYTES, forms=True)
    app.add_middleware(LastResort)
    return app


def _app(parts: Parts, *routers: APIRouter) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    app.state.book = TokenBook(parts.config, parts.tokens, parts.clock)
    for router in routers:
        app.include_router(router)
    for kind in (ApiError, BadInput, Conflict, NotFound, StoreUnusable):
        app.add_exception_handler(kind, answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    return app


async def _answer_invalid(_request: Request, problem: Exception) -> Response:
    first = errors_of(cast("RequestValidationError", problem).errors())[0]
    return refuse(400, first.message, first.path)


async def _answer_http(request: Request, problem: Exception) -> Response:
    status = cast("HTTPException", problem).status_code
    if status in (404, 405):
        return refuse(status, f"{request.method} {request.url.path[:200]} is not part of the Evals API")
    if request.url.path.startswith("/v1/files"):
        return refuse(status, f"The form cannot be read: {cast('HTTPException', problem).detail}")
    return refuse(status, "Malformed JSON: it cannot be read")
