"""docs/caching-and-limits.md gives the program's own figures."""

from __future__ import annotations

from pathlib import Path

from gaugeway.proxy.cache_policy import KEYED_TTL, MAX_CACHEABLE
from gaugeway.proxy.caching import FOLLOW_S, SAY_EVERY_S, STORE_WAIT_S, SWEEP_EVERY_S
from gaugeway.proxy.filling import KEPT_HEADERS
from gaugeway.stores.sqlite.counters import SLOTS

PAGE = (Path(__file__).parents[2] / "docs" / "caching-and-limits.md").read_text()


def test_the_figures_are_those_of_the_program() -> None:
    assert f"gateway's caching is off | {KEYED_TTL // 60} minutes |" in PAGE
    assert f"({MAX_CACHEABLE:,} bytes)" in PAGE
    assert f"{FOLLOW_S:.0f} seconds after its answer began" in PAGE
    assert f"up to 1/{SLOTS} of the interval later" in PAGE
    assert (STORE_WAIT_S, "up to a quarter of a second" in PAGE) == (0.25, True)
    assert (SWEEP_EVERY_S <= 60, "deleted within two minutes" in PAGE) == (True, True)
    assert (SAY_EVERY_S, "at most once a minute" in PAGE) == (60, True)


def test_the_headers_that_are_kept_are_named() -> None:
    kept = PAGE.partition("only those that describe the body: ")[2].partition(".")[0]
    assert {name.strip("` ") for name in kept.split(",")} == {name.decode() for name in KEPT_HEADERS}
