"""Our connector is tested on the event loop of production and on the standard one, aiohttp on the first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from support.connectors import AIOHTTP


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def wanted(item: pytest.Item) -> bool:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        loop = parameters.get("_asyncio_loop_factory")
        return parameters.get("kind") != AIOHTTP or loop is not asyncio.new_event_loop

    items[:] = [item for item in items if wanted(item)]
