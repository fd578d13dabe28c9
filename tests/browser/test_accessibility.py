"""Every page: no serious finding of axe in both colour schemes, and usable on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support import scene
from support.browser import FRONT_END, Watched, watched
from support.screenshots import PAGES
from support.server import Server

AXE = FRONT_END / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = ("light", "dark")
SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().iterations !== Infinity).map(one => one.finished))"""
NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def scenic(tmp_path_factory: pytest.TempPathFactory, dashboard: None) -> Iterator[Server]:
    """A server with a week of traffic."""
    with scene.running_scene(tmp_path_factory.mktemp("scene")) as server:
        yield server


def _axe(page: Page) -> list[str]:
    """The serious findings, each with where it is; what is still fading in has no contrast yet."""
    page.evaluate(SETTLED)
    page.evaluate(AXE.read_text() + "\n;undefined")
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)"
    )
    return [
        f"{item['id']}: {item['help']} at {[node['target'] for node in item['nodes'][:4]]}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


@pytest.fixture(params=SCHEMES)
def view(request: pytest.FixtureRequest, scenic: Server, browser: Browser) -> Iterator[Watched]:
    with watched(browser, scenic.url, color_scheme=request.param, reduced_motion="reduce") as opened:
        yield opened
        opened.check()


def test_axe_finds_nothing_serious(view: Watched, scenic: Server) -> None:
    view.open("/")
    found = {"sign-in": _axe(view.page)}
    view.sign_in(scenic.token)
    for name, (address, prepare) in PAGES.items():
        prepare(view.open(address))
        found[name] = _axe(view.page)
    assert {name: items for name, items in found.items() if items} == {}


def test_a_narrow_screen_breaks_nothing(scenic: Server, browser: Browser) -> None:
    with watched(browser, scenic.url, viewport=NARROW, reduced_motion="reduce") as view:
        view.open("/")
        view.sign_in(scenic.token)
        for name, (address, prepare) in PAGES.items():
            page = view.open(address)
            prepare(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name
        page = view.open("/")
        page.get_by_role("button", name="Navigation").click()
        expect(page.get_by_role("link", name="All gateways", exact=True)).to_be_visible()
        view.check()
