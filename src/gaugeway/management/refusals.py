"""From anything raised to an answer in the envelope."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gaugeway.core.errors import (
    BadInput,
    Conflict,
    LogsNotDurable,
    NotFound,
    StoreFull,
    StoreFullAfter,
    StoreUnusable,
)
from gaugeway.management.envelope import (
    INVALID,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    STORE_FULL,
    UNAVAILABLE,
    ApiError,
    failure,
    failures,
)
from gaugeway.management.paths import no_route
from gaugeway.management.validation import errors_of

_log = logging.getLogger("gaugeway.management")


class Refused(Exception):
    """Several things wrong with one request, all of them 400."""

    def __init__(self, errors: Sequence[ApiError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


async def _refuse_query(request: Request) -> None:
    # A parameter that does nothing here is a misunderstanding; on a DELETE it could be a costly one
    for name in request.query_params:
        raise BadInput("Unrecognized key: this operation takes no query parameters", ("query", name))


NO_QUERY = Depends(_refuse_query)
"""For operations without query parameters."""


def translate(problem: Exception) -> ApiError:
    """The answer to an error of ours."""
    match problem:
        case ApiError():
            return problem
        case BadInput() | Conflict():
            return ApiError(400, INVALID, problem.message, problem.path)
        case NotFound():
            why = str(problem)
            return ApiError(404, NOT_FOUND, f"Not Found: {why}" if why else "Not Found")
        case LogsNotDurable():
            message = "The log writer is behind, and without the newest logs this would be wrong: try again"
            return ApiError(503, UNAVAILABLE, message)
        case StoreFullAfter():
            message = (
                f"There is no room left to write: {problem.removed} logs were deleted, the others are still there."
                " Make room on the disk and try again"
            )
            return ApiError(507, STORE_FULL, message)
        case StoreFull():
            return ApiError(507, STORE_FULL, "There is no room left to write; nothing was changed")
        case StoreUnusable():
            return ApiError(503, UNAVAILABLE, "The store cannot be used at the moment; nothing was changed")
        case _:
            raise problem


async def _answer_ours(_request: Request, problem: Exception) -> Response:
    return failure(translate(problem))


async def _answer_store_trouble(request: Request, problem: Exception) -> Response:
    # Which file and why is for the operator; the caller only learns what it means for the request
    _log.error("%s %r failed: %s", request.method, request.url.path, problem)
    return failure(translate(problem))


async def _answer_several(_request: Request, problem: Exception) -> Response:
    return failures(400, cast("Refused", problem).errors)


async def _answer_invalid(_request: Request, problem: Exception) -> Response:
    return failures(400, errors_of(cast("RequestValidationError", problem).errors()))


async def _answer_http(request: Request, problem: Exception) -> Response:
    """What the framework itself refuses: no such path, no such method, a body that cannot be read."""
    status = cast("HTTPException", problem).status_code
    if status == 404:
        return failure(no_route(request.url.path))
    if status == 405:
        message = f"{request.method} is not supported here"
        return failure(ApiError(405, METHOD_NOT_ALLOWED, message))
    return failure(ApiError(status, INVALID, "Malformed JSON: it cannot be read", ("body",)))


def install(app: FastAPI) -> None:
    """Make the app answer every error in the envelope."""
    for kind in (ApiError, BadInput, Conflict, LogsNotDurable, NotFound):
        app.add_exception_handler(kind, _answer_ours)
    app.add_exception_handler(StoreUnusable, _answer_store_trouble)
    app.add_exception_handler(Refused, _answer_several)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
