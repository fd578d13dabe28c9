"""Which stores an address opens, and the schema that they find."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.settings import BadSetting
from gaugeway.stores import open_stores
from gaugeway.stores.sqlite import migrations as steps
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import add_functions, folded
from gaugeway.stores.sqlite.opening import MIGRATIONS, open_state
from support.state import SCOPE, a_gateway, an_account

RELEASED = Path(str(MIGRATIONS)) / "released.sha256"


@pytest.mark.parametrize(
    "form",
    [
        "{folder}/data",
        "sqlite:{folder}/data",
        "sqlite://{folder}/data",
        "SQLite:{folder}/d%61ta",
        "data",
        "sqlite:data",
    ],
)
def test_a_folder_is_given_by_its_path_or_as_sqlite(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stores = open_stores(form.format(folder=tmp_path))
    assert (tmp_path / "data" / "state.db").is_file()
    stores.close()


def test_a_path_is_taken_as_it_is_and_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_stores("~/mine").close()
    open_stores(tmp_path / "sqlite:it").close()
    assert {folder.name for folder in tmp_path.iterdir()} == {"mine", "sqlite:it"}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgres://host/db", "'postgres'. Supported are a folder's path and sqlite:PATH"),
        ("data:old", "./data:old"),
        ("sqlite://data", "names a host"),
        ("sqlite:data?mode=ro", "options"),
        ("sqlite:", "names no folder"),
        ("", "names no folder"),
        ("a\0b", "names no folder"),
    ],
)
def test_an_address_that_is_not_understood_is_refused(
    address: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSetting) as refused:
        open_stores(address)
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_stores_can_be_closed_twice(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.close()
    stores.close()
    with pytest.raises(StoreUnusable, match="was closed"):
        stores.accounts.list()


def test_what_was_opened_before_the_trouble_is_closed_again(tmp_path: Path) -> None:
    open_stores(tmp_path).close()
    (tmp_path / "logs.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnusable, match=r"logs\.db: is not a SQLite database"):
        open_stores(tmp_path)
    still_open = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [name for name in still_open if name.startswith(str(tmp_path))]
    assert not (tmp_path / "state.db-wal").exists()


def test_a_record_of_before_a_field_was_added_takes_its_default(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.accounts.create(an_account())
    stores.gateways.create(a_gateway(cache_ttl=5))
    stores.close()
    connection = apsw.Connection(str(tmp_path / "state.db"))
    connection.execute(
        "UPDATE gateways SET document = json_set(json_remove(document, '$.zdr', '$.cache_ttl'), '$.later', 1)"
    )
    connection.close()
    stores = open_stores(tmp_path)
    assert stores.gateways.get(SCOPE) == a_gateway()
    stores.close()


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    stores = open_stores(tmp_path)
    stores.accounts.create(an_account())
    connection = apsw.Connection(str(tmp_path / "state.db"))
    connection.execute("UPDATE accounts SET document = json_set(document, '$.created_at', 'long ago')")
    connection.close()
    with pytest.raises(StoreUnusable, match=r"a kept account cannot be read: .*created_at"):
        stores.accounts.list()
    stores.close()


@given(st.text(), st.text())
def test_contains_is_what_casefold_says(text: str, part: str) -> None:
    connection = apsw.Connection(":memory:")
    add_functions(connection)
    found = connection.execute("SELECT contains(?, ?)", (text, folded(part))).get
    assert bool(found) == (part.casefold() in text.casefold())
    connection.close()


# Migrations


def schema(database: Database) -> list[tuple[str, str]]:
    return sorted(database.rows("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def released() -> dict[str, str]:
    """Migration file to the SHA-256 of its content, as `sha256sum` writes it."""
    lines = RELEASED.read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


@pytest.mark.parametrize("name", sorted(released()))
def test_a_released_migration_is_never_changed(name: str) -> None:
    content = (RELEASED.parent / name).read_bytes()
    assert sha256(content).hexdigest() == released()[name], f"{name}: add a new migration instead"


@pytest.mark.parametrize("folder", sorted({name.partition("/")[0] for name in released()}))
def test_every_migration_is_pinned(folder: str) -> None:
    there = {f"{folder}/{file.name}" for file in (RELEASED.parent / folder).glob("*.sql")}
    assert there == {name for name in released() if name.startswith(f"{folder}/")}


def test_every_earlier_schema_is_brought_to_the_newest(tmp_path: Path) -> None:
    known = steps.load(MIGRATIONS / "state")
    fresh = open_state(tmp_path / "fresh")
    for earlier in range(1, len(known) + 1):
        old, folder = tmp_path / f"migrations{earlier}", tmp_path / f"data{earlier}"
        old.mkdir()
        for migration in known[:earlier]:
            (old / migration.name).write_text(migration.sql)
        Database(folder / "state.db", old).close()
        upgraded = open_state(folder)
        assert schema(upgraded) == schema(fresh)
        assert upgraded.reader().pragma("user_version") == len(known)
        upgraded.close()
    fresh.close()


ONE_GATEWAY = "account_id = '' AND gateway_id = '' ORDER BY created_at DESC, seq DESC"
TO_RUN = "processed = 0 AND (owner IS NULL OR lease_until <= 5) ORDER BY created_at, seq LIMIT 1"
QUERIES = (
    "SELECT document FROM tokens WHERE sha256 = x''",
    "SELECT document FROM gateways WHERE account_id = '' AND id = ''",
    "SELECT document FROM gateways WHERE account_id = '' ORDER BY created_at DESC, seq DESC",
    "SELECT document FROM custom_providers WHERE account_id = '' AND slug = ''",
    "SELECT document FROM routes WHERE account_id = '' AND gateway_id = '' AND name = ''",
    f"SELECT document FROM routes WHERE {ONE_GATEWAY}",
    "SELECT document FROM route_versions WHERE route_id = '' ORDER BY seq DESC",
    "SELECT document FROM route_deployments WHERE route_id = '' ORDER BY seq DESC",
    f"SELECT document FROM datasets WHERE {ONE_GATEWAY}",
    f"SELECT document FROM evaluations WHERE {ONE_GATEWAY}",
    f"SELECT document, seq FROM evaluations WHERE {TO_RUN}",
)


def test_lists_and_look_ups_use_their_indexes(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    for query in QUERIES:
        plan = [row[3] for row in state.rows(f"EXPLAIN QUERY PLAN {query}")]
        assert not any("TEMP B-TREE" in step for step in plan), (query, plan)
        assert all(" USING " in step for step in plan), (query, plan)
    state.close()
