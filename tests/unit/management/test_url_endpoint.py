"""Where a gateway's data plane is."""

from __future__ import annotations

import pytest

from support.control_plane import ControlPlane, error


def test_urls(plane: ControlPlane) -> None:
    plane.make_gateway()
    plane.make("/custom-providers", {"name": "Mine", "slug": "mine", "base_url": "https://ai.example.com"})
    base = f"http://gaugeway.example/v1/{plane.account_id}/main"
    for provider in ("openai", "anthropic", "custom-mine", "compat"):
        assert plane.get(f"/gateways/main/url/{provider}")["result"] == f"{base}/{provider}"
    assert plane.get("/gateways/main/url/universal")["result"] == f"{base}/"


@pytest.mark.parametrize("provider", ["nobody", "mine", "custom-", "custom-other", "OpenAI", "%20"])
def test_unknown_providers(plane: ControlPlane, provider: str) -> None:
    plane.make_gateway()
    plane.make("/custom-providers", {"name": "Mine", "slug": "mine", "base_url": "https://ai.example.com"})
    code, path, message = error(plane.call("GET", f"/gateways/main/url/{provider}"))
    assert (code, path) == (7001, ["params", "provider"])
    assert "anthropic, openai" in message


def test_unknown_gateway(plane: ControlPlane) -> None:
    assert error(plane.call("GET", "/gateways/absent/url/openai"), 404)[0] == 7002
