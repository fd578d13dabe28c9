"""`gaugeway analytics`: sums that differ from their logs are found, and made anew."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from gaugeway import app
from gaugeway.core.model import Scope
from gaugeway.core.settings import Settings
from gaugeway.stores import open_stores
from support.command_line import command
from support.some_logs import at, keep_all, logged

NOON = 1_700_049_600_000  # 2023-11-15T12:00:00Z


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with logs of two hours."""
    data = tmp_path / "data"
    app.first_start(Settings(data=str(data)))
    with closing(open_stores(data)) as stores:
        stores.logs.append(logged([at(NOON), at(NOON + 1), at(NOON + 3_600_000)]), keep_all)
    return data


def change(folder: Path, sql: str) -> None:
    connection = apsw.Connection(str(folder / "logs.db"))
    connection.execute(sql)
    connection.close()


def test_sums_that_are_right_are_said_to_be(folder: Path) -> None:
    ran = command("analytics", "verify", "--data", str(folder))
    assert (ran.code, ran.out) == (0, "")
    assert "every hour and day is what its logs say" in ran.err
    ran = command("analytics", "verify", "--json", "--data", str(folder))
    assert (ran.code, json.loads(ran.out)) == (0, [])


def test_sums_that_are_wrong_are_named_and_made_anew(folder: Path) -> None:
    change(folder, "UPDATE rollup_changes SET thumbs_up = 3 WHERE logs = 2")
    ran = command("analytics", "verify", "--json", "--data", str(folder))
    scope = Scope("a" * 32, "main")
    expected = {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "span": "hour"}
    assert ran.code == 1
    assert json.loads(ran.out) == [{**expected, "start": "2023-11-15T12:00:00.000Z"}]
    ran = command("analytics", "verify", "--data", str(folder))
    assert (ran.code, ran.out.split()[-4:]) == (1, [scope.account_id, "main", "hour", "2023-11-15T12:00:00.000Z"])
    assert command("analytics", "rebuild", "--data", str(folder)).code == 0
    assert command("analytics", "verify", "--data", str(folder)).code == 0


@pytest.mark.parametrize("name", ["verify", "rebuild"])
def test_a_folder_without_data_is_no_empty_installation(name: str, tmp_path: Path) -> None:
    ran = command("analytics", name, "--data", str(tmp_path / "none"))
    assert ran.code == 2
    assert "there is no Gaugeway data in" in ran.err
