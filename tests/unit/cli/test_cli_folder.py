"""`gaugeway token` and `gaugeway gateway` on a real data folder."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway import app
from gaugeway.cli.token import parse_expiry
from gaugeway.core.credentials import hash_of
from gaugeway.core.errors import BadInput
from gaugeway.core.model import Permission
from gaugeway.core.settings import Settings
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.stores import open_stores
from support.command_line import Ran, command

NOW = 1_800_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder after its first start."""
    data = tmp_path / "data"
    app.first_start(Settings(data=str(data)))
    return data


def made(ran: Ran) -> dict[str, object]:
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def test_a_token_is_made_found_by_its_text_and_revoked(folder: Path) -> None:
    token = made(command("token", "create", "ci", "--permission", "read", "--json", "--data", str(folder)))
    with closing(open_stores(folder)) as stores:
        before = stores.config.version()
        found = stores.tokens.find(hash_of(str(token["token"])))
        assert found is not None
        assert (found.id, found.name, found.permissions) == (token["id"], "ci", (Permission.READ,))
        ran = command("token", "revoke", str(token["id"]), "--data", str(folder))
        assert (ran.code, ran.out) == (0, "")
        assert "is revoked" in ran.err
        assert stores.tokens.find(hash_of(str(token["token"]))) is None
        assert stores.config.version() != before  # a running server sees it


def test_a_token_may_do_everything_and_never_ends_unless_said(folder: Path) -> None:
    token = made(command("token", "create", "all", "--json", "--data", str(folder)))
    assert token["permissions"] == ["AI Gateway Read", "AI Gateway Write", "AI Gateway Run"]
    assert token["expires_on"] is None
    assert token["email"] == "admin@localhost"


def test_the_text_is_shown_once_and_can_be_cut_out(folder: Path) -> None:
    ran = command("token", "create", "ci", "--expires", "30d", "--email", "me@x", "--data", str(folder))
    (line,) = [line for line in ran.out.splitlines() if line.startswith("token  ")]
    text = line.split()[1]
    with closing(open_stores(folder)) as stores:
        found = stores.tokens.find(hash_of(text))
    assert found is not None
    assert found.email == "me@x"
    assert "only time" in ran.err
    listed = command("token", "list", "--data", str(folder))
    as_json = command("token", "list", "--json", "--data", str(folder))
    assert found.id in listed.out
    assert text not in listed.out + as_json.out
    assert [token["name"] for token in json.loads(as_json.out)] == ["bootstrap", "ci"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["create", "ci", "--expires", "soon"], "expected a span such as 12h or 30d"),
        (["create", "ci", "--expires", "0d"], "expected a span"),
        (["create", "ci", "--expires", "2001-01-01"], "is over already"),
        (["create", "ci", "--permission", "admin"], "permission"),
        (["create", " "], "NAME: expected 1 to 256 characters"),
        (["create", "x" * 257], "NAME: expected 1 to 256 characters"),
        (["revoke", "nosuch"], "there is no token nosuch"),
    ],
)
def test_what_cannot_be_done_changes_nothing(folder: Path, arguments: list[str], reason: str) -> None:
    ran = command("token", *arguments, "--data", str(folder))
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    listed = command("token", "list", "--json", "--data", str(folder))
    assert [token["name"] for token in json.loads(listed.out)] == ["bootstrap"]


def test_a_name_cannot_steer_the_terminal(folder: Path) -> None:
    ran = command("token", "create", "a\x1b[31mb", "--data", str(folder))
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "a\\x1b[31mb" in ran.out


def test_gateways_are_made_and_listed(folder: Path) -> None:
    first = made(command("gateway", "create", "prod", "--authentication", "--json", "--data", str(folder)))
    command("gateway", "create", "test_2", "--no-collect-logs", "--log-management", "10000", "--data", str(folder))
    assert first["authentication"] is True
    listed = json.loads(command("gateway", "list", "--json", "--data", str(folder)).out)
    shown = {gateway["id"]: gateway for gateway in listed}
    assert shown["prod"] == first
    assert (shown["test_2"]["collect_logs"], shown["test_2"]["log_management"]) == (False, 10000)
    plain = command("gateway", "list", "--data", str(folder)).out.splitlines()
    assert plain[0].split()[:3] == ["id", "authentication", "logs"]
    assert [line.split()[:3] for line in plain if line.startswith("prod")] == [["prod", "on", "on"]]


def test_more_gateways_than_a_page(folder: Path) -> None:
    with closing(open_stores(folder)) as stores:
        from gaugeway.core.model import Gateway

        account = stores.accounts.list()[0].id
        for index in range(100):
            stores.gateways.create(Gateway(account_id=account, id=f"g{index}", created_at=index, modified_at=index))
    assert len(json.loads(command("gateway", "list", "--json", "--data", str(folder)).out)) == 100


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Prod"], "cannot be a gateway's id"),
        (["a--b"], "cannot be a gateway's id"),
        (["x" * 65], "at most 64 characters"),
        (["taken"], "there is a gateway 'taken' already"),
        (["new", "--log-management", "5"], "10000"),
    ],
)
def test_a_gateway_that_cannot_be(folder: Path, arguments: list[str], reason: str) -> None:
    command("gateway", "create", "taken", "--data", str(folder))
    ran = command("gateway", "create", *arguments, "--data", str(folder))
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err


@pytest.mark.parametrize("arguments", [["token", "list"], ["token", "create", "x"], ["gateway", "list"]])
def test_a_mistyped_folder_is_not_taken_for_an_empty_installation(tmp_path: Path, arguments: list[str]) -> None:
    for folder in (tmp_path / "nosuch", tmp_path):
        ran = command(*arguments, "--data", str(folder))
        assert ran.code == 2
        assert "there is no Gaugeway data in" in ran.err
        assert str(folder) in ran.err
    assert list(tmp_path.iterdir()) == []


def test_another_account(folder: Path) -> None:
    other = "f" * 32
    ran = command("gateway", "list", "--data", str(folder), GAUGEWAY_ACCOUNT_ID=other)
    assert ran.code == 2
    assert f"there is no account {other} here" in ran.err
    app.first_start(Settings(data=str(folder), account_id=other))
    made(command("gateway", "create", "theirs", "--json", "--data", str(folder), GAUGEWAY_ACCOUNT_ID=other))
    assert json.loads(command("gateway", "list", "--json", "--data", str(folder)).out) == []


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_a_span_is_counted_from_now(number: int, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    assert parse_expiry(f"{number}{unit}", NOW) == NOW + number * seconds * 1000


@given(st.integers(NOW + 1, 4_000_000_000_000))
def test_a_time_is_itself(moment: int) -> None:
    assert parse_expiry(to_rfc3339(moment), NOW) == moment


@given(st.text(max_size=12))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        assert parse_expiry(text, NOW) > NOW
    except BadInput as refused:
        assert str(refused).startswith("--expires: ")
