"""`/docs`: the API's description as one plain page. No script, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_LIMITS = ("enum", "default", "minimum", "maximum", "minLength", "maxLength", "pattern")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; } summary { cursor: pointer; }
code, .method { font: 13px ui-monospace, monospace; }
.method { display: inline-block; width: 4.2rem; font-weight: 700; }
.path { overflow-wrap: anywhere; } .what { opacity: .75; margin-left: .5rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; } td.meaning { width: 55%; }
"""

_HOW = """Every call carries <code>Authorization: Bearer &lt;token&gt;</code>, or <code>X-Auth-Email</code> and
<code>X-Auth-Key</code>. For programs: <a href="/openapi.json">openapi.json</a>. The data plane is
<code>/v1/{account_id}/{gateway_id}/{provider}/…</code>, with the provider's own API behind it."""


@router.get("/docs", response_class=HTMLResponse)
def show_docs(request: Request) -> HTMLResponse:
    """Every operation with its parameters and body."""
    page = render(request.app.openapi())
    return HTMLResponse(page, headers={"content-security-policy": _POLICY, "x-content-type-options": "nosniff"})


def render(api: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    groups: dict[str, list[str]] = {}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            group = operation.get("tags", ["Other"])[0]
            groups.setdefault(group, []).append(_operation(api, method, path, operation))
    sections = "".join(f"<h2>{escape(name)}</h2>{''.join(items)}" for name, items in groups.items())
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gaugeway API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>"
    )
    opening = f"<h1>{escape(api['info']['title'])}</h1><p>{escape(api['info'].get('summary', ''))} {_HOW}</p>"
    return f"{head}<body>{opening}{sections}</body></html>"


def _operation(api: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [_parameter(item) for item in operation.get("parameters", [])]
    rows += _body(api, operation)
    table = f"<table><tr><th>name</th><th>type</th><th>meaning</th></tr>{''.join(rows)}</table>" if rows else ""
    return (
        f'<details><summary><span class="method">{method.upper()}</span><code class="path">{escape(path)}</code>'
        f'<span class="what">{escape(operation.get("summary", ""))}</span></summary>'
        f"<p>{escape(operation.get('description', ''))}</p>{table}</details>"
    )


def _parameter(item: dict[str, Any]) -> str:
    where = "" if item["in"] == "path" else f" ({item['in']})"
    return _row(
        item["name"] + where, item.get("schema", {}), item.get("description", ""), required=item.get("required")
    )


def _body(api: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(api, content.get("schema", {}))
    required = schema.get("required", [])
    return [
        _row(name, _resolved(api, item), item.get("description", ""), required=name in required)
        for name, item in schema.get("properties", {}).items()
    ]


def _resolved(api: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return api["components"]["schemas"][name] if name else schema


def _row(name: str, schema: dict[str, Any], meaning: str, *, required: Any) -> str:
    notes = [escape(meaning)] if meaning else []
    if required:
        notes.append("required")
    limits = [key for key in _LIMITS if schema.get(key) not in (None, "")]
    notes += [f"{key} <code>{escape(str(schema[key]))}</code>" for key in limits]
    meaning_cell = f'<td class="meaning">{"; ".join(notes)}</td>'
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(schema))}</td>{meaning_cell}</tr>"


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(item) for item in schema["anyOf"]))
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
