"""Credentials of a custom provider, the account's and the client's: an upstream repeats them, the log does not."""

from __future__ import annotations

import json
import uuid

from support.server import Server
from support.upstream import Upstream

OWN_KEY = "sk-that-the-account-keeps-0123456789"
COOKIE = "a-session-that-is-secret"


def test_what_an_upstream_repeats_of_its_credentials_is_not_logged(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    """Readers of logs see no values of a provider's headers, so they may not find them in its answers either."""
    slug = f"echo-{uuid.uuid4().hex[:8]}"
    headers = {"X-Provider-Key": f"Bearer {OWN_KEY}", "x-version": "2026-01-01"}
    made = {
        "name": "Echo",
        "slug": slug,
        "base_url": shared_upstream.url,
        "enable": True,
        "headers": json.dumps(headers),
    }
    server.manage("POST", "/custom-providers", made)
    answer = server.call(
        "POST",
        f"{server.gateway_url(gateway)}/custom-{slug}/v1/chat/completions",
        {"model": "echo"},
        {"cookie": f"theme=dark; session={COOKIE}; b=2"},
    )
    assert OWN_KEY in answer.body.decode()
    assert COOKIE in answer.body.decode()
    logs = server.logs(gateway)
    assert len(logs) == 1
    kept = server.call(
        "GET",
        f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{logs[0]['id']}/response",
    ).body.decode()
    assert OWN_KEY not in kept
    assert COOKIE not in kept
    assert "2026-01-01" in kept  # what is no secret stays readable
