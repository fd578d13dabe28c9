"""A browser, and servers that have the dashboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from support.browser import Watched, build_dashboard, running_browser, watched
from support.server import Server, running_server
from support.upstream import Upstream

TEST_TIMEOUT_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test here may have to build the front-end and install a browser."""
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))


@pytest.fixture(scope="session")
def dashboard() -> None:
    """The front-end is built."""
    build_dashboard()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Gone when the file's tests are over: Playwright runs an event loop, beside which no other one can run."""
    with running_browser() as running:
        yield running


@pytest.fixture
def site(dashboard: None, server: Server, browser: Browser) -> Iterator[Watched]:
    """A page on the shared server; at its end nothing must have gone wrong on it."""
    with watched(browser, server.url) as view:
        yield view
        view.check()


@pytest.fixture
def fresh(dashboard: None, tmp_path_factory: pytest.TempPathFactory, shared_upstream: Upstream) -> Iterator[Server]:
    """A server with nothing in it."""
    with running_server(tmp_path_factory.mktemp("fresh"), shared_upstream.url) as running:
        yield running
