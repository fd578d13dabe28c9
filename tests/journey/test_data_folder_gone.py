"""The data folder is deleted under a running server."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.server import GATEWAY_REQUIRED, running_server
from support.upstream import Upstream


def test_requests_and_changes_are_refused_in_words(tmp_path: Path, upstream: Upstream) -> None:
    with running_server(tmp_path, upstream.url) as server:
        server.make_gateway("kept")
        assert server.call("GET", "/readyz").status == 200
        shutil.rmtree(server.data)
        ready = server.call("GET", "/readyz")
        assert (ready.status, ready.json["ready"]) == (503, False)
        assert f"the data folder {server.data.resolve()} is gone" in ready.json["trouble"]
        answer = server.chat("kept")
        assert (answer.status, answer.json["error"][0]["code"]) == (503, 2000)
        assert "store cannot be used" in answer.json["message"]
        made = server.call(
            "POST",
            f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways",
            {"id": "new", **GATEWAY_REQUIRED},
        )
        assert made.status == 503
        assert "was deleted while this process ran" in server.output
        assert "Traceback" not in server.output
        server.kill()
