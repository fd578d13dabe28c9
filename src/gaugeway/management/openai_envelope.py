"""OpenAI's shapes: its errors, and its lists. Only the home of Evals speaks them (evals_api.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound, Path, StoreFull, StoreUnusable
from gaugeway.management.envelope import ApiError, respond


def refuse(status: int, message: str, path: Path = ()) -> Response:
    """An error. `param` is the place in the request that it is about."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if step != "body")
    param = where.removeprefix(".") or None
    return respond({"error": {"message": message, "type": kind, "param": param, "code": None}}, status)


async def answer_ours(_request: Request, problem: Exception) -> Response:
    """An error of ours, in OpenAI's shape."""
    match problem:
        case ApiError():
            return refuse(problem.status, problem.message, problem.path)
        case BadInput() | Conflict():
            return refuse(400, problem.message, problem.path)
        case NotFound():
            return refuse(404, f"Not found: {problem}")
        case StoreFull():
            return refuse(507, "There is no room left to write; nothing was changed")
        case StoreUnusable():
            return refuse(503, "The store cannot be used at the moment; nothing was changed")
        case _:
            raise problem


def page(items: Sequence[Mapping[str, Any]], *, has_more: bool) -> Response:
    """A part of a list; the next one comes `after` its `last_id`."""
    return respond(
        {
            "object": "list",
            "data": list(items),
            "first_id": items[0]["id"] if items else None,
            "last_id": items[-1]["id"] if items else None,
            "has_more": has_more,
        }
    )
