"""Plain records to fill the state stores with."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import Any

from gaugeway.core import ids
from gaugeway.core.model import (
    Account,
    CustomProvider,
    Dataset,
    Evaluation,
    Gateway,
    Permission,
    RawFilter,
    Result,
    ResultStatus,
    Scope,
    Token,
)

ACCOUNT = "a" * 32
SCOPE = Scope(ACCOUNT, "main")

_make_id = ids.Uuid7(time.time_ns, os.urandom)


def new_id() -> str:
    """A new UUIDv7 as text."""
    return ids.to_text(_make_id())


def an_account(account_id: str = ACCOUNT, created_at: int = 1, name: str = "An account") -> Account:
    return Account(id=account_id, name=name, created_at=created_at)


def a_token(text: str = "a token's text", **fields: Any) -> Token:
    """A token of that text; the same text gives the same token."""
    digest = sha256(text.encode()).digest()
    plain: dict[str, Any] = {
        "id": digest[:16].hex(),
        "account_id": ACCOUNT,
        "name": text,
        "sha256": digest,
        "permissions": (Permission.RUN, Permission.WRITE),
        "email": "somebody@example.com",
        "created_at": 1,
    }
    return Token(**plain | fields)


def a_gateway(gateway_id: str = SCOPE.gateway_id, **fields: Any) -> Gateway:
    plain: dict[str, Any] = {"account_id": ACCOUNT, "id": gateway_id, "created_at": 1, "modified_at": 1}
    return Gateway(**plain | fields)


def a_provider(slug: str, **fields: Any) -> CustomProvider:
    plain: dict[str, Any] = {
        "account_id": ACCOUNT,
        "id": new_id(),
        "name": slug,
        "slug": slug,
        "base_url": "https://provider.example/v1",
        "created_at": 1,
        "modified_at": 1,
    }
    return CustomProvider(**plain | fields)


def a_dataset(name: str = "a dataset", scope: Scope = SCOPE, **fields: Any) -> Dataset:
    plain: dict[str, Any] = {
        "account_id": scope.account_id,
        "gateway_id": scope.gateway_id,
        "id": new_id(),
        "name": name,
        "enable": True,
        "filters": [RawFilter("model", "eq", ["gpt-4"])],
        "created_at": 1,
        "modified_at": 1,
    }
    return Dataset(**plain | fields)


def a_result(evaluation_id: str, status: ResultStatus = ResultStatus.QUEUED, **fields: Any) -> Result:
    plain: dict[str, Any] = {
        "id": new_id(),
        "evaluation_id": evaluation_id,
        "evaluation_type_id": "cost",
        "created_at": 1,
        "modified_at": 1,
        "status": status,
    }
    return Result(**plain | fields)


def an_evaluation(
    name: str = "an evaluation",
    scope: Scope = SCOPE,
    statuses: list[ResultStatus] | None = None,
    **fields: Any,
) -> Evaluation:
    """With one result for each status; one that is queued where none are given."""
    evaluation_id = new_id()
    plain: dict[str, Any] = {
        "account_id": scope.account_id,
        "gateway_id": scope.gateway_id,
        "id": evaluation_id,
        "name": name,
        "created_at": 1,
        "modified_at": 1,
        "datasets": [a_dataset(scope=scope)],
        "results": [a_result(evaluation_id, status) for status in statuses or [ResultStatus.QUEUED]],
    }
    return Evaluation(**plain | fields)
