"""The official `cloudflare` npm SDK, with only `baseURL` changed: the tests are in `cloudflare_node/`."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import count
from pathlib import Path

import pytest

from support.node import installed, node
from support.own_account import make_token, some_traffic
from support.server import Server

VERSION = "7.3.0"
FOLDER = Path(__file__).parent / "cloudflare_node"
_numbers = count(1)


@pytest.fixture(scope="session")
def sdk() -> Path:
    return installed("cloudflare", VERSION)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.test.mjs")))
def test_node(file: str, sdk: Path, server: Server) -> None:
    gateway = server.make_gateway(f"node-{next(_numbers)}")
    environment = {
        "PATH": os.environ["PATH"],
        "SDK_FOLDER": str(sdk),
        "BASE_URL": server.base_url,
        "ACCOUNT": server.account_id,
        "TOKEN": server.token,
        "READER": make_token(server, "read"),
        "GATEWAY": gateway,
        "LOGS": json.dumps(some_traffic(server, gateway)),
    }
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", FOLDER / file],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = [line for line in ran.stdout.splitlines() if line.startswith("# pass ")]
    assert passed, ran.stdout
    assert passed[0] != "# pass 0", "the file holds no test"
