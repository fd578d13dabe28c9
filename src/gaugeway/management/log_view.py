"""A log as the API shows it (contract 1.8), with what this gateway knows beyond it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gaugeway.core import ids, money
from gaugeway.core.model import Bodies, LogRecord, RouteTaken, Usage
from gaugeway.core.ports import Extremes
from gaugeway.core.timestamps import to_rfc3339

HEAD = 2048  # characters of a body that a log's detail shows
_LONGEST_CHARACTER = 4  # bytes, in UTF-8


def show(log: LogRecord) -> dict[str, Any]:
    """A log in a list."""
    identifier = ids.to_text(log.id)
    return {
        "id": identifier,
        "created_at": to_rfc3339(log.created_at),
        "provider": log.provider,
        "model": log.model,
        "model_type": log.model_type,
        "path": log.path,
        "method": log.method,
        "duration": log.duration,
        "request_type": log.request_type,
        "request_content_type": log.request_content_type,
        "response_content_type": log.response_content_type,
        "status_code": log.status_code,
        "success": log.success,
        "outcome": log.outcome.value,
        "error": log.error,
        "cached": log.cached,
        "tokens_in": log.usage.tokens_in,
        "tokens_out": log.usage.tokens_out,
        "usage_metadata": show_usage(log.usage),
        "usage_estimated": log.usage_estimated,
        "response_model": log.response_model,
        "cost": _float(log.cost),
        "cost_exact": None if log.cost is None else money.plain(log.cost),
        "cost_reason": log.cost_reason,
        "cost_is_minimum": log.cost is not None and any(attempt.may_be_billed for attempt in log.attempts),
        "priced_by": log.priced_by,
        "byok": log.byok_alias is not None,
        "byok_alias": log.byok_alias,
        "cost_saved": None if log.cost_saved is None else money.plain(log.cost_saved),
        "custom_cost": log.custom_cost is not None,
        "metadata": log.metadata,
        "step": log.step,
        "event_id": identifier if log.event_id is None else log.event_id,
        "user_agent": log.user_agent,
        "authentication": log.authentication,
        "feedback": log.feedback,
        "score": log.score,
        "first_byte_ms": log.first_byte_ms,
        "timings": {"total": log.duration, "latency": log.first_byte_ms},
        "request_size": log.request_size,
        "response_size": log.response_size,
        "attempts": [_show_attempt(log, index) for index in range(len(log.attempts))],
        "dynamic_route": None if log.route is None else _show_route(log.route),
        "bodies_lost": log.bodies_lost,
    }


def show_detail(log: LogRecord, bodies: Bodies | None) -> dict[str, Any]:
    """A log by itself: also the beginnings of its bodies."""
    bodies = bodies or Bodies()
    request, request_complete = _head(bodies.request, log.request_size, cut=bodies.request_cut)
    response, response_complete = _head(bodies.response, log.response_size, cut=bodies.response_cut)
    return {
        **show(log),
        "request_head": request,
        "request_head_complete": request_complete,
        "response_head": response,
        "response_head_complete": response_complete,
    }


def show_usage(usage: Usage) -> dict[str, int] | None:
    """What the provider reported, under the API's names; None where it reported nothing."""
    total = None
    if usage.tokens_in is not None or usage.tokens_out is not None:
        total = (usage.tokens_in or 0) + (usage.tokens_out or 0)
    named = {
        "input_tokens": usage.tokens_in,
        "output_tokens": usage.tokens_out,
        "total_tokens": total,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "input_cached_tokens": usage.cached_tokens_in,
        "input_cache_creation_tokens": usage.cache_write_tokens,
        "input_audio_tokens": usage.audio_tokens_in,
        "output_audio_tokens": usage.audio_tokens_out,
    }
    return {name: value for name, value in named.items() if value is not None} or None


def show_extremes(extremes: Extremes) -> dict[str, Any]:
    """Lowest and highest figures, for a list's `result_info`."""
    return {name: _number(getattr(extremes, name)) for name in extremes.__struct_fields__}


def _number(value: Decimal | int | None) -> float | int | None:
    return _float(value) if isinstance(value, Decimal) else value


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _show_attempt(log: LogRecord, index: int) -> dict[str, Any]:
    attempt = log.attempts[index]
    return {
        "provider": attempt.provider,
        "step": attempt.step,
        "status_code": attempt.status_code,
        "duration": attempt.duration,
        "error": attempt.error,
        "may_be_billed": attempt.may_be_billed,
        "counted": None if attempt.counted is None else money.plain(attempt.counted),
        "cost_exact": None if attempt.cost is None else money.plain(attempt.cost),
        "usage_metadata": None if attempt.usage is None else show_usage(attempt.usage),
    }


def _show_route(route: RouteTaken) -> dict[str, Any]:
    return {"name": route.name, "version_id": route.version_id, "path": list(route.path)}


def _head(body: bytes | None, size: int, *, cut: bool) -> tuple[str | None, bool]:
    """The beginning of a body as text, and whether that is all of it."""
    if body is None:  # nothing kept: complete only where there was nothing
        return ("", True) if size == 0 else (None, False)
    text = body[: _LONGEST_CHARACTER * (HEAD + 1)].decode("utf-8", "replace")
    complete = not cut and len(body) <= _LONGEST_CHARACTER * (HEAD + 1) and len(text) <= HEAD
    return text[:HEAD], complete
