"""Cloudflare's management envelope (contract 1.2): the only place that knows its shape and its codes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from gaugeway.core.errors import Path

INVALID = 7001  # 400: input that breaks the contract
NOT_FOUND = 7002  # 404: no such gateway, log, dataset, evaluation
NO_ROUTE = 7003  # 404: no such path
AUTHENTICATION = 10000  # 401, 403: an invalid token, or one that may not do this
INVALID_TOKEN = 1000  # 401: what token verification says of an invalid token
NO_CREDENTIALS = 9106  # 400: no credentials in the headers
METHOD_NOT_ALLOWED = 10405  # 405
TOO_LARGE = 10413  # 413
INTERNAL = 10500  # 500
UNAVAILABLE = 10503  # 503, and a message in answers that may lack the newest logs
LOGS_REFUSED = 10504  # a message: the gateway is full and keeps no more logs
UNKNOWN_META = 10505  # a message: a list's lowest and highest figures would take too long to find
UNKNOWN_BODY = 10506  # a message: a search in bodies cannot know of those that were not kept whole
STORE_FULL = 10507  # 507: no room left
PROVIDER_URL = 1002  # 400: a custom provider's base_url
PROVIDER_EXISTS = 1003  # 409: a custom provider's slug is taken
PROVIDER_NOT_FOUND = 1004  # 404: no such custom provider

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class ApiError(Exception):
    """An answer that is an error: HTTP status, Cloudflare's code, a sentence, and the place it is about."""

    def __init__(self, status: int, code: int, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.path = path


def respond(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that no cache keeps. A lone surrogate in text stays what it was, as a JSON escape."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(
        text.encode("utf-8", "backslashreplace"),
        status,
        headers={**_HEADERS, **(headers or {})},
        media_type="application/json",
    )


def result(value: object, messages: Sequence[Mapping[str, Any]] = ()) -> Response:
    """A success that carries one thing."""
    return respond({"success": True, "errors": [], "messages": list(messages), "result": value})


def page(items: Sequence[object], info: Mapping[str, Any], messages: Sequence[Mapping[str, Any]] = ()) -> Response:
    """A success that carries part of a list; `info` is its `result_info`."""
    return respond(
        {
            "success": True,
            "errors": [],
            "messages": list(messages),
            "result": list(items),
            "result_info": dict(info),
        }
    )


def failures(status: int, errors: Sequence[ApiError]) -> Response:
    """One or several errors as one answer."""
    shown = [_shown(error) for error in errors]
    # 409 is among the statuses the official SDKs repeat by themselves; a second try cannot help here
    headers = {"x-should-retry": "false"} if status == 409 else None
    return respond({"success": False, "errors": shown, "messages": [], "result": {}}, status, headers)


def failure(error: ApiError) -> Response:
    """An error as an answer."""
    return failures(error.status, [error])


def _shown(error: ApiError) -> dict[str, Any]:
    shown: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.path:
        shown["path"] = list(error.path)
    return shown
