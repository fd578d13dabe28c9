"""What a snapshot's hashes are over: anybody who has an export can compute them anew.

An item's hash says what is in it, not which log it came from: its id and the time in it are no part of it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from gaugeway.core.model import Bodies, LogRecord
from gaugeway.core.money import plain

ITEM = b"gaugeway item 1\n"
SNAPSHOT = b"gaugeway snapshot 1\n"
EXPECTED = b"gaugeway expected 1\n"


def content(record: LogRecord, bodies: Bodies | None) -> dict[str, Any]:
    """What a frozen item says that filters and evaluators look at, as JSON: it is exported, and hashed."""
    bodies = bodies or Bodies()
    usage = record.usage
    said: dict[str, Any] = {
        "provider": record.provider,
        "model": record.model,
        "model_type": record.model_type,
        "path": record.path,
        "method": record.method,
        "request_type": record.request_type,
        "outcome": record.outcome.value,
        "status_code": record.status_code,
        "duration": record.duration,
        "first_byte_ms": record.first_byte_ms,
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "cost": None if record.cost is None else plain(record.cost),
        "cost_saved": None if record.cost_saved is None else plain(record.cost_saved),
        "event_id": record.event_id,
        "user_agent": record.user_agent,
        "authentication": record.authentication,
        "request_content_type": record.request_content_type,
        "response_content_type": record.response_content_type,
        "error": record.error,
        "metadata": record.metadata or None,
        "feedback": record.feedback,
        "score": record.score,
        "request": _text(bodies.request),
        "request_cut": bodies.request_cut,
        "response": _text(bodies.response),
        "response_cut": bodies.response_cut,
    }
    return {name: value for name, value in said.items() if value is not None and value is not False}


def _text(body: bytes | None) -> str | dict[str, str] | None:
    """A body as text, or as base64 where it is none."""
    if body is None:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no white space and no escapes that it does not need, in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="surrogatepass")


def item_hash(said: dict[str, Any]) -> str:
    """The hash of an item's content."""
    return sha256(ITEM + canonical(said)).hexdigest()


def snapshot_hash(hashes: Iterable[str]) -> str:
    """The hash over the items' hashes, in the order of their ids; holes keep theirs."""
    whole = sha256(SNAPSHOT)
    for one in hashes:
        whole.update(one.encode() + b"\n")
    return whole.hexdigest()


def answer_hash(answer: str) -> str:
    """The hash of one expected answer."""
    return sha256(answer.encode()).hexdigest()


def expected_hash(answers: Iterable[tuple[str, str]]) -> str:
    """The hash over (item's hash, its expected answer's hash), in the order of the items' ids."""
    whole = sha256(EXPECTED)
    for item, answer in answers:
        whole.update(f"{item} {answer}\n".encode())
    return whole.hexdigest()
