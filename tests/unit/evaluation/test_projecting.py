"""Columns are kept current in the background, whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.evaluation.projecting import project_forever
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.columns.projection import Projection
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.some_logs import keep_all, logged, varied


async def until(columns: Projection, is_so: Callable[[], bool]) -> None:
    """Project until something is so."""
    task = asyncio.create_task(project_forever(columns, 0.001))
    while not is_so():
        assert not task.done()
        await asyncio.sleep(0.001)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_new_logs_come_into_columns_by_themselves(tmp_path: Path) -> None:
    with closing(SqliteLogStore(tmp_path, sizes=Sizes(least=1, seal=10, spare=0))) as store:
        store.append(logged(varied(50)), keep_all)
        await until(store.columns, lambda: store.columns.coverage()[0].projected == 49)


class Failing(Projection):
    """Fails as told, then ever on works."""

    def __init__(self, *problems: Exception) -> None:
        self.problems = list(problems)
        self.calls = 0

    def catch_up(self) -> int:
        self.calls += 1
        if self.problems:
            raise self.problems.pop(0)
        return 0


async def test_what_goes_wrong_is_said_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    problem = StoreUnusable("no room")
    columns = Failing(problem, problem, ZeroDivisionError("a mistake"))
    with caplog.at_level(logging.WARNING):
        await until(columns, lambda: columns.calls > 4)
    assert caplog.text.count("no room") == 1
    assert caplog.text.count("ZeroDivisionError: a mistake") == 1
