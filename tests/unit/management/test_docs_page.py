"""The page of the API's description: whole, self-contained, and text stays text."""

from __future__ import annotations

import re

from gaugeway.management.docs_page import render
from support.control_plane import ControlPlane


def test_every_operation_stands_on_the_page(plane: ControlPlane) -> None:
    page = plane.client.get("/docs").text
    for path in plane.client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "gateways" in page


def test_the_page_loads_nothing(plane: ControlPlane) -> None:
    answer = plane.client.get("/docs")
    assert "<script" not in answer.text
    assert not re.search(r"(?:src|href)=\"(?!/openapi\.json)", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_text_is_shown_as_text() -> None:
    attack = "<script>alert(1)</script>"
    operation = {"summary": attack, "description": attack, "tags": [attack]}
    operation["parameters"] = [{"name": attack, "in": "query", "schema": {"type": attack}, "description": attack}]
    page = render({"info": {"title": attack}, "paths": {attack: {"get": operation}}, "components": {"schemas": {}}})
    assert attack not in page
