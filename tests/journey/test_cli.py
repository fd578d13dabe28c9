"""The command line and a real server process, each seeing what the other does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gaugeway.app import listen
from gaugeway.core.credentials import hash_of
from gaugeway.stores import open_stores
from support.command_line import Ran, command
from support.server import ACCOUNT, TOKEN, Server, new_server


def operator(server: Server, *arguments: str) -> Ran:
    """A command on the server's data folder."""
    return command(*arguments, "--data", str(server.data))


def evaluate(server: Server, *arguments: str) -> Ran:
    connection = ("--base-url", server.base_url, "--token", server.token, "--account", server.account_id)
    return command("evaluate", *connection, *arguments)


def test_the_banner_says_what_one_needs(server: Server) -> None:
    facts = dict(re.findall(r"^(\S[\w ]*?) {2,}(\S.*)$", server.output, re.MULTILINE))
    assert facts["management API"] == server.base_url
    assert facts["data plane"].startswith(f"{server.url}/v1/{ACCOUNT}/")
    assert facts["API docs"] == f"{server.url}/docs"
    assert facts["account"] == ACCOUNT
    assert facts["data folder"] == str(server.data)
    assert TOKEN not in server.output  # who gave it knows it
    assert "\x1b" not in server.output
    assert "─" not in server.output


def test_a_token_made_here_opens_the_server_until_it_is_revoked(server: Server) -> None:
    made = json.loads(operator(server, "token", "create", "ci", "--permission", "read", "--json").out)
    sent = {"authorization": f"Bearer {made['token']}"}
    path = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways"
    assert server.call("GET", path, headers=sent).status == 200
    assert server.call("POST", path, {"id": "x"}, headers=sent).status == 403
    assert operator(server, "token", "revoke", made["id"]).code == 0
    assert server.call("GET", path, headers=sent).status in (400, 401, 403)


def test_a_gateway_made_here_takes_requests_at_once(server: Server) -> None:
    assert operator(server, "gateway", "create", "from-cli", "--authentication").code == 0
    assert server.chat("from-cli").status == 401
    sent = {"cf-aig-authorization": f"Bearer {server.token}"}
    assert server.chat("from-cli", headers=sent).status == 200
    assert "from-cli" in operator(server, "gateway", "list").out


def test_an_evaluation_from_filters_to_a_table(server: Server) -> None:
    gateway = server.make_gateway("judged")
    price = {"cf-aig-custom-cost": '{"total_cost": 0.25}'}
    for _ in range(3):
        assert server.chat(gateway, headers=price).status == 200
    assert server.chat(gateway, "error-500").status == 500
    first, second, *_ = server.logs(gateway, "&success=true")
    server.call("PATCH", f"{_logs(gateway)}/{first['id']}", {"feedback": 1})
    server.call("PATCH", f"{_logs(gateway)}/{second['id']}", {"feedback": -1})

    ran = evaluate(server, "--gateway", gateway, "--filter", "success=true", "--name", "nightly")
    assert ran.code == 0, ran.err
    assert "3 logs selected" in ran.out
    rows = {line.split("  ")[0]: line.split() for line in ran.out.splitlines()[2:]}
    assert rows["Cost"][1:6] == ["0.25", "USD", "-", "3", "of"]  # equal amounts do not tell how they vary
    assert rows["Human feedback"][2:11] == ["50", "%", "≈9.45312", "…", "≈90.5469", "2", "of", "3", "1"]

    everything = json.loads(evaluate(server, "--gateway", gateway, "--json").out)
    assert everything["total_logs"] == 4
    assert {result["evaluation_type_id"] for result in everything["results"]} >= {"cost", "speed", "human_feedback"}
    assert server.manage("GET", f"/gateways/{gateway}/datasets") == []
    kept = server.manage("GET", f"/gateways/{gateway}/evaluations")
    assert {item["name"] for item in kept} >= {"nightly"}

    again = evaluate(server, "--gateway", gateway, "--name", "nightly")
    assert (again.code, again.out) == (2, "")  # the name is taken
    assert "[7001]" in again.err


def test_an_evaluation_of_a_gateway_that_is_not_there(server: Server) -> None:
    ran = evaluate(server, "--gateway", "nosuch")
    assert (ran.code, ran.out) == (2, "")
    assert "404" in ran.err


def test_an_interrupted_evaluation_says_what_goes_on(server: Server) -> None:
    gateway = server.make_gateway("interrupted")
    run = [sys.executable, "-c", _SLOW_EVALUATE, "--gateway", gateway, "--name", "slow"]
    environment = os.environ | {
        "GAUGEWAY_BASE_URL": server.base_url,
        "GAUGEWAY_API_TOKEN": server.token,
        "GAUGEWAY_ACCOUNT_ID": ACCOUNT,
    }
    with subprocess.Popen(run, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "it waits\n" in iter(process.stderr.readline, "")  # the test's time limit ends this, too
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "the evaluation 'slow' goes on in the server: GET " in said
    assert server.manage("GET", f"/gateways/{gateway}/datasets") == []


_SLOW_EVALUATE = """
import signal, sys, time
from gaugeway.cli import run, waiting
signal.signal(signal.SIGINT, signal.default_int_handler)  # which whoever runs the tests in the background ignores
waiting.FIRST_POLL_SECONDS, sleep = 60, time.sleep
def wait(seconds):
    print("it waits", file=sys.stderr, flush=True)
    sleep(seconds)
time.sleep = wait
sys.exit(run(["evaluate", *sys.argv[1:]]))
"""


def test_the_first_token_is_shown_once_and_works(tmp_path: Path) -> None:
    server = new_server(tmp_path)
    del server.environment["GAUGEWAY_BOOTSTRAP_TOKEN"]
    server.start()
    try:
        (text,) = re.findall(r"^first token +(\S+)$", server.output, re.MULTILINE)
        server.token = text
        assert server.manage("GET", "/gateways") == []
        assert f"CLOUDFLARE_API_TOKEN={text} CLOUDFLARE_ACCOUNT_ID={ACCOUNT}" in server.output
        server.stop()
        before = len(server.output)
        server.start()
        assert text not in server.output[before:]
        assert "first token" not in server.output[before:]
    finally:
        server.stop()
    kept = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    assert text.encode() not in kept


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with closing(listen("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = command("serve", "--port", str(port), "--data", str(tmp_path / "data"))
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert f"port {port} on 127.0.0.1 is in use by another process" in line
    assert "--port" in line
    assert not (tmp_path / "data").exists()  # so no token was made that nobody saw


@pytest.mark.parametrize("host", ["999.1.1.1", "203.0.113.7"])
def test_an_address_that_is_not_ours(host: str, tmp_path: Path) -> None:
    ran = command("serve", "--host", host, "--port", "0", "--data", str(tmp_path / "data"))
    assert (ran.code, ran.out) == (2, "")
    assert host in ran.err
    assert "GAUGEWAY_HOST" in ran.err


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = command("serve", "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert (ran.code, ran.out) == (2, "")
    assert str(tmp_path / "file" / "data") in ran.err
    assert "--data" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_server_that_others_can_reach_warns(tmp_path: Path) -> None:
    server = new_server(tmp_path)
    server.arguments = ["--host", "0.0.0.0"]
    server.start()
    try:
        server.make_gateway("open")
        assert "warning: listening on 0.0.0.0" in server.output
        assert "without authentication" not in server.output
        server.stop()
        server.start()
        assert "gateways without authentication: open" in server.output
    finally:
        server.stop()


def test_a_revoked_token_is_gone_from_the_store(server: Server) -> None:
    made = json.loads(operator(server, "token", "create", "short", "--expires", "1h", "--json").out)
    with closing(open_stores(server.data)) as stores:
        assert stores.tokens.find(hash_of(made["token"])) is not None
        assert operator(server, "token", "revoke", made["id"]).code == 0
        assert stores.tokens.find(hash_of(made["token"])) is None


def _logs(gateway: str) -> str:
    return f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{gateway}/logs"
