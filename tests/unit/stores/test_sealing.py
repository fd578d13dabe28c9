"""Secrets at rest: sealed, bound to their record, and openable through every step of a rotation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gaugeway.core.errors import Conflict, NotFound, StoreUnusable
from gaugeway.core.settings import BadSetting, key_bytes, load
from gaugeway.core.stored_keys import ProviderConfig
from gaugeway.stores import Stores, open_stores
from gaugeway.stores.sealing import Vault
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

SECRET = "sk-0123456789"
HEX, BASE64 = "ab" * 32, "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="


def test_what_was_sealed_can_be_opened_and_does_not_show(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal(SECRET, "a/b/c")
    assert SECRET.encode() not in sealed
    assert Vault(tmp_path).open(sealed, "a/b/c") == SECRET
    assert Vault(tmp_path).seal(SECRET, "a/b/c") != sealed


@pytest.mark.parametrize("place", [0, 3, 12, 25, -1])
def test_what_was_changed_or_moved_cannot_be_opened(tmp_path: Path, place: int) -> None:
    vault = Vault(tmp_path)
    sealed = bytearray(vault.seal(SECRET, "a/b/c"))
    with pytest.raises(StoreUnusable):
        vault.open(bytes(sealed), "a/b/d")
    sealed[place] ^= 1
    with pytest.raises(StoreUnusable):
        vault.open(bytes(sealed), "a/b/c")


def test_the_file_is_the_operators_own(tmp_path: Path) -> None:
    Vault(tmp_path).seal(SECRET, "x")
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_a_set_key_needs_no_file_and_its_successor_opens_too(tmp_path: Path) -> None:
    first, second = os.urandom(32), os.urandom(32)
    sealed = Vault(tmp_path, first).seal(SECRET, "x")
    assert list(tmp_path.iterdir()) == []
    assert Vault(tmp_path, second, first).open(sealed, "x") == SECRET
    with pytest.raises(StoreUnusable, match="GAUGEWAY_MASTER_KEY"):
        Vault(tmp_path, second).open(sealed, "x")


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "master.key").write_text(content)
    with pytest.raises(StoreUnusable, match=r"master\.key"):
        Vault(tmp_path).seal(SECRET, "x")


def test_a_rotation_that_stops_half_way_loses_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    before = vault.seal(SECRET, "x")
    vault.begin_rotation()
    assert Vault(tmp_path).was_interrupted
    after = Vault(tmp_path).seal(SECRET, "x")
    assert [Vault(tmp_path).open(sealed, "x") for sealed in (before, after)] == [SECRET, SECRET]
    vault.finish_rotation()
    assert Vault(tmp_path).open(after, "x") == SECRET
    with pytest.raises(StoreUnusable):
        Vault(tmp_path).open(before, "x")


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gaugeway.stores.sealing import Vault;"
        "print(Vault(Path(sys.argv[1])).seal('s', 'x').hex())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    sealed = [bytes.fromhex(process.communicate(timeout=60)[0]) for process in started]
    assert [Vault(tmp_path).open(one, "x") for one in sealed] == ["s"] * 4


@pytest.mark.parametrize("text", [HEX, BASE64, f" {BASE64}\n"])
def test_a_master_keys_text(text: str) -> None:
    assert key_bytes(text) == b"\xab" * 32


@pytest.mark.parametrize("text", ["", "short", "ab" * 16, "q6ur", "no base64 at all !!", "zz" * 32])
def test_what_is_no_master_key_stops_the_start(text: str) -> None:
    assert key_bytes(text) is None
    with pytest.raises(BadSetting, match="GAUGEWAY_MASTER_KEY: expected 32 bytes"):
        load(environment={"GAUGEWAY_MASTER_KEY": text})


# --- the store


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    opened = open_stores(tmp_path / "data")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    return opened


def a_config(identifier: str, **fields: object) -> ProviderConfig:
    plain: dict[str, object] = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": identifier,
        "provider_slug": "openai",
        "alias": identifier,
        "secret_preview": "****",
        "created_at": 1,
        "modified_at": 1,
    }
    return ProviderConfig(**plain | fields)  # type: ignore[arg-type]


def test_one_default_and_one_of_each_alias(stores: Stores) -> None:
    configs = stores.provider_configs
    configs.create(a_config("a", default_config=True), "key-a")
    configs.create(a_config("b", default_config=True), "key-b")
    configs.create(a_config("c", provider_slug="groq", default_config=True), "key-c")
    with pytest.raises(Conflict):
        configs.create(a_config("d", alias="a"), "key-d")
    with pytest.raises(NotFound):
        configs.create(a_config("e", gateway_id="nobody"), "key-e")
    keys = configs.keys(SCOPE)
    assert {slug: {alias: key.key for alias, key in found.items()} for slug, found in keys.items()} == {
        "openai": {"a": "key-a", "b": "key-b", "": "key-b"},
        "groq": {"c": "key-c", "": "key-c"},
    }
    assert "key-a" not in repr(keys)
    first = configs.get(SCOPE, "a")
    assert first is not None
    assert first.default_config is False
    configs.replace(a_config("a", default_config=True), "key-new")
    assert configs.keys(SCOPE)["openai"][""].key == "key-new"
    with pytest.raises(NotFound):
        configs.replace(a_config("nobody"), "x")
    stores.gateways.delete(SCOPE)
    assert configs.keys(SCOPE) == {}
    stores.close()


def test_rotation_seals_all_anew(stores: Stores, tmp_path: Path) -> None:
    configs = stores.provider_configs
    for name in ("a", "b"):
        configs.create(a_config(name), f"key-{name}")
    before = (tmp_path / "data" / "master.key").read_text()
    version = stores.config.version()
    assert configs.rotate() == 2
    assert stores.config.version() != version
    assert (tmp_path / "data" / "master.key").read_text() != before
    assert configs.keys(SCOPE)["openai"]["a"].key == "key-a"
    stores.close()
    moved = open_stores(tmp_path / "data", master_key=HEX)
    assert moved.provider_configs.rotate() == 2
    (tmp_path / "data" / "master.key").unlink()
    assert moved.provider_configs.keys(SCOPE)["openai"]["b"].key == "key-b"
    moved.close()


def test_a_key_in_anothers_place_cannot_be_opened(stores: Stores, tmp_path: Path) -> None:
    import apsw

    stores.provider_configs.create(a_config("a"), "key-a")
    stores.provider_configs.create(a_config("b"), "key-b")
    connection = apsw.Connection(str(tmp_path / "data" / "state.db"))
    connection.execute(
        "UPDATE provider_configs SET sealed = (SELECT sealed FROM provider_configs WHERE id = 'a') WHERE id = 'b'"
    )
    connection.close()
    with pytest.raises(StoreUnusable, match="does not belong"):
        stores.provider_configs.keys(SCOPE)
    stores.close()
