"""`gaugeway columns`: how far columns go, and columns made anew."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from gaugeway import app
from gaugeway.core.settings import Settings
from gaugeway.stores import open_stores
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.command_line import command
from support.some_logs import ACCOUNT, keep_all, logged, varied


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with few logs, of which there are columns all the same."""
    data = tmp_path / "data"
    app.first_start(Settings(data=str(data)))
    with closing(SqliteLogStore(data, sizes=Sizes(least=1, seal=10, spare=0))) as store:
        store.append(logged(varied(50)), keep_all)
        store.columns.catch_up()
    return data


def test_how_far_columns_go_is_shown(folder: Path) -> None:
    ran = command("columns", "show", "--data", str(folder))
    assert ran.code == 0
    header, line = ran.out.splitlines()
    assert header.split() == ["account", "gateway", "logs", "in", "columns", "changed", "bytes"]
    assert line.split()[:5] == [ACCOUNT, "main", "50", "49", "0"]
    (found,) = json.loads(command("columns", "show", "--json", "--data", str(folder)).out)
    size = sum(path.stat().st_size for path in (folder / "columns").iterdir())
    assert found == {
        "account_id": ACCOUNT,
        "gateway_id": "main",
        "logs": 50,
        "projected": 49,
        "changed": 0,
        "bytes": size,
    }


def test_columns_are_made_anew(folder: Path) -> None:
    """Of a gateway that is as small as this one, none are."""
    assert len(list((folder / "columns").iterdir())) == 2
    ran = command("columns", "rebuild", "--data", str(folder))
    assert (ran.code, ran.out) == (0, "")
    assert "0 logs are in columns" in ran.err
    assert [path.name for path in (folder / "columns").iterdir()] == ["lock"]
    with closing(open_stores(folder)) as stores:
        assert stores.columns.coverage()[0].projected == 0


def test_columns_that_cannot_be_made_are_said_to_be_so(folder: Path) -> None:
    for path in (folder / "columns").iterdir():
        path.unlink()
    (folder / "columns").rmdir()
    (folder / "columns").write_text("in the way")
    ran = command("columns", "rebuild", "--data", str(folder))
    assert ran.code == 2
    assert "columns: cannot be made or written" in ran.err


@pytest.mark.parametrize("name", ["show", "rebuild"])
def test_a_folder_without_data_is_no_empty_installation(name: str, tmp_path: Path) -> None:
    ran = command("columns", name, "--data", str(tmp_path / "mistyped"))
    assert ran.code == 2
    assert "there is no Gaugeway data" in ran.err
