"""Routes in few words: `model("a", fallback="b")` is an element as it is sent."""

from __future__ import annotations

import json
from typing import Any

from gaugeway.core.routes.records import Route, RouteDeployment, RouteVersion
from support.state import SCOPE, new_id

END = {"id": "end", "type": "end", "outputs": {}}


def to(element_id: str) -> dict[str, str]:
    return {"elementId": element_id}


def start(leads_to: str) -> dict[str, Any]:
    return {"id": "start", "type": "start", "outputs": {"next": to(leads_to)}}


def model(
    element_id: str,
    fallback: str = "end",
    *,
    provider: str = "openai",
    name: str = "ok",
    timeout: int = 20_000,
    retries: int = 0,
) -> dict[str, Any]:
    return {
        "id": element_id,
        "type": "model",
        "properties": {"provider": provider, "model": name, "timeout": timeout, "retries": retries},
        "outputs": {"success": to("end"), "fallback": to(fallback)},
    }


def conditional(element_id: str, conditions: Any, yes: str, no: str) -> dict[str, Any]:
    return {
        "id": element_id,
        "type": "conditional",
        "properties": {"conditions": conditions},
        "outputs": {"true": to(yes), "false": to(no)},
    }


def percentage(element_id: str, **outputs: str) -> dict[str, Any]:
    """Labels like `_50` for `50%`."""
    named = {
        label.replace("_", "") + "%" if label != "rest" else "else": to(each) for label, each in outputs.items()
    }
    return {"id": element_id, "type": "percentage", "outputs": named}


def rate(element_id: str, yes: str, no: str, *, limit: float = 2, key: str = "", **more: Any) -> dict[str, Any]:
    properties = {"limitType": "count", "key": key, "limit": limit, "window": 3600, **more}
    return {
        "id": element_id,
        "type": "rate",
        "properties": properties,
        "outputs": {"success": to(yes), "fallback": to(no)},
    }


def simple() -> list[dict[str, Any]]:
    """One model."""
    return [start("m"), model("m"), END]


def a_version(elements: list[dict[str, Any]] | None = None, **fields: Any) -> RouteVersion:
    plain: dict[str, Any] = {"id": new_id(), "created_at": 1, "elements": json.dumps(elements or simple())}
    return RouteVersion(**plain | fields)


def a_route(name: str = "a-route", **fields: Any) -> Route:
    version = a_version()
    plain: dict[str, Any] = {
        "account_id": SCOPE.account_id,
        "gateway_id": SCOPE.gateway_id,
        "id": new_id(),
        "name": name,
        "created_at": 1,
        "modified_at": 1,
        "version": version,
        "deployment": RouteDeployment(id=new_id(), version_id=version.id, created_at=1),
    }
    return Route(**plain | fields)
