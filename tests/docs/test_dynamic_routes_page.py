"""docs/dynamic-routes.md: its example runs as it stands, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.routes.conditions import _JOINS, _OPERATORS
from gaugeway.core.routes.elements import Element
from support.server import Server

PAGE = (Path(__file__).parents[2] / "docs" / "dynamic-routes.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_example_runs(server: Server) -> None:
    server.make_gateway("my-gateway")
    known: dict[str, Any] = {"account_id": server.account_id, "token": server.token}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(block.replace("http://127.0.0.1:8787", server.url), "dynamic-routes.md", "exec"), known)
    assert known["answered"] == ["gpt-5"] * 21 + ["gpt-5-mini"]
    assert "twenty-one times `gpt-5` and then `gpt-5-mini`" in PAGE
    assert (known["small"], known["large"]) == ("gpt-5-mini", "gpt-5")
    known["client"].close()
    known["routes"]._client.close()


def test_every_element_is_in_the_table() -> None:
    kinds: Any = Element
    assert first_cells(section("Elements")) == {kind.__struct_config__.tag for kind in kinds.__args__}


@pytest.mark.parametrize("kind", Element.__args__, ids=lambda kind: kind.__name__)
def test_every_property_is_named(kind: Any) -> None:
    properties = kind.__annotations__.get("properties")
    if properties is None:
        return
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}` |"))
    from gaugeway.core.routes import elements

    struct = getattr(elements, properties) if isinstance(properties, str) else properties
    assert re.findall(r"`([^`]+)`", row.split("|")[2]) == list(struct.__struct_encode_fields__)


def test_every_operator_is_in_the_table() -> None:
    listed = {name for name in first_cells(section("Conditions")) if name.startswith("$")}
    assert listed == {*_OPERATORS, *_JOINS, "$not"}
