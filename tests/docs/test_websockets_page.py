"""docs/websockets.md: its tables say what the providers' WebSockets are, its example is a request."""

from __future__ import annotations

import re
from pathlib import Path

from gaugeway.core.model import Outcome
from gaugeway.core.provider import sockets_of
from gaugeway.core.settings import Settings
from gaugeway.providers import load
from gaugeway.providers.parts.sockets import ModelInPath, Realtime
from gaugeway.proxy.sockets.messages import CREATE, read_message
from gaugeway.proxy.sockets.minutes import MAX_READ
from gaugeway.proxy.sockets.realtime import ALIASES
from gaugeway.proxy.sockets.universal import MAX_IN_FLIGHT

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "websockets.md").read_text()
WORDS = PAGE.replace("```", "")
PROVIDERS = load()


def rows(heading: str) -> list[list[str]]:
    """The cells below a table's first heading."""
    lines = PAGE.partition(f"\n| {heading} |")[2].splitlines()[2:]
    table = lines[: next(number for number, line in enumerate([*lines, ""]) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_provider_with_sockets_has_its_row_and_no_other() -> None:
    table = {named(row[0])[0]: row for row in rows("provider")}
    assert set(table) == {slug for slug, provider in PROVIDERS.items() if sockets_of(provider) is not None}
    for slug, (_, path, keys) in table.items():
        sockets = sockets_of(PROVIDERS[slug])
        assert isinstance(sockets, Realtime)
        ways = {f"{prefix}<key>" for prefix in sockets.key_protocols}
        ways |= {f"?{name}=" for name in sockets.key_parameters}
        ways |= {sockets.key_after, "<key>"} if sockets.key_after else set()
        assert set(named(keys)) == ways
        if sockets.path:
            assert named(path) == [sockets.path]
            assert sockets.place("", b"model=a")[0] == sockets.path
        assert (named(path) == ["?model="]) == isinstance(sockets, ModelInPath)
    assert set(ALIASES) <= set(named(WORDS))


def test_the_example_is_a_request() -> None:
    example = PAGE.partition("```json\n")[2].partition("```")[0]
    asked = read_message(example.strip().encode(), is_text=True)
    assert (asked.event_id, CREATE in example) == ("my-request", True)
    assert b"eventId" not in asked.body


def test_every_message_and_outcome_is_one() -> None:
    assert [named(row[0])[0] for row in rows("message")] == [
        "universal.created",
        "universal.stream",
        "universal.done",
        "universal.error",
    ]
    outcomes = {named(row[2])[0] for row in rows("what happens")}
    assert outcomes <= {str(outcome) for outcome in Outcome}
    assert len(outcomes) == 8


def test_the_numbers_and_settings_are_the_program_s() -> None:
    assert f"{MAX_IN_FLIGHT} requests are under way" in PAGE
    assert f"over {MAX_READ >> 20} MiB and not read" in PAGE
    settings = {"max_request_body", "idle_timeout", "max_log_body", "max_socket_message", "shutdown_timeout"}
    assert settings <= set(Settings.__struct_fields__) & set(named(WORDS))


def test_the_page_can_be_found() -> None:
    for page in ("../README.md", "differences-from-cloudflare.md", "headers.md", "providers.md"):
        assert "websockets.md" in (DOCS / page).read_text()
