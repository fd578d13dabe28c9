"""The API's own description (`/openapi.json`): what FastAPI finds out, with our errors in place of its own."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_FAILURE: dict[str, Any] = {
    "description": "What was wrong. 400: input (7001, with `path`) or no credentials (9106); 401: an invalid"
    " token (10000); 403: not this account, or not this permission (10000); 404: no such thing (7002) or no"
    " such path (7003).",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["success", "errors", "messages", "result"],
    "properties": {
        "success": {"const": False},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "integer"},
                    "message": {"type": "string"},
                    "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                },
            },
        },
        "messages": {"type": "array"},
        "result": {"type": "object"},
    },
}
_SECURITY: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer"},
    "email": {"type": "apiKey", "in": "header", "name": "X-Auth-Email"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Auth-Key"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """OpenAPI of the app. Cached by FastAPI's own means."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _declare_path_parameters(path, operation)
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = _FAILURE
        components = made.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Failure"] = _SCHEMA
        components["securitySchemes"] = _SECURITY
        made["security"] = [{"token": []}, {"email": [], "key": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _declare_path_parameters(path: str, operation: dict[str, Any]) -> None:
    """Add the parameters of a path that no endpoint reads by itself, such as the account's id."""
    parameters = operation.setdefault("parameters", [])
    declared = {item["name"] for item in parameters if item["in"] == "path"}
    for name in re.findall(r"{([^}]+)}", path):
        if name not in declared:
            schema = {"type": "string", "title": name.replace("_", " ").capitalize()}
            parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
