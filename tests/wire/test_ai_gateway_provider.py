"""Cloudflare's own provider for Vercel's AI SDK (npm `ai-gateway-provider`), with its requests redirected here."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.foreign_upstream import KEY, WORDS, ForeignUpstream
from support.node import installed, node
from support.server import Server, running_server
from support.upstream import running_upstream

VERSION = "4.0.1"
BESIDE = ("ai@7.0.173", "@ai-sdk/openai@4.0.118")
FOLDER = Path(__file__).parent / "ai_gateway_provider"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_upstream(ForeignUpstream) as upstream:
        upstreams = {
            "openai": f"{upstream.url}/v1",
            "anthropic": f"{upstream.url}/anthropic",
            "google-ai-studio": f"{upstream.url}/google",
        }
        folder = tmp_path_factory.mktemp("ai-gateway-provider")
        with running_server(folder, GAUGEWAY_UPSTREAMS=json.dumps(upstreams)) as server:
            yield server


@pytest.mark.timeout(400)
def test_vercels_sdk(running: Server) -> None:
    sdk = installed("ai-gateway-provider", VERSION, *BESIDE)
    running.make_gateway("vercel")
    running.make_gateway("vercel-closed", authentication=True)
    environment = {
        "PATH": os.environ["PATH"],
        "SDK_FOLDER": str(sdk),
        "GATEWAY_URL": f"{running.url}/v1/",
        "ACCOUNT": running.account_id,
        "GATEWAY": "vercel",
        "TOKEN": running.token,
        "KEY": KEY,
        "WORDS": "".join(WORDS),
    }
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", FOLDER / "models.test.mjs"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 11" in ran.stdout, ran.stdout
    logs = running.wait_for_logs("vercel", 10)
    assert {log["request_type"] for log in logs} == {"Universal"}
    assert {log["provider"] for log in logs} == {"openai", "anthropic", "google-ai-studio"}
    assert {"user": "u1", "turn": 2} in [log["metadata"] for log in logs]
    [closed] = running.wait_for_logs("vercel-closed", 1)
    assert closed["outcome"] == "refused"
