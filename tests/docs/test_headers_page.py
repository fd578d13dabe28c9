"""docs/headers.md names every header that the data plane reads, and those that it sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gaugeway.core.model import Gateway
from gaugeway.proxy.exchange import Compat, Exchange, Options, Reply
from gaugeway.proxy.headers import _LEGACY, _READERS
from gaugeway.proxy.relay import _with_own_headers
from gaugeway.proxy.universal import OF_THE_FIRST_STEP, OF_THE_REQUEST

PAGE = (Path(__file__).parents[2] / "docs" / "headers.md").read_text()
REQUESTS, ANSWERS = PAGE.split("## Answers")


def listed(part: str) -> dict[str, str]:
    """Header → the rest of its row; a row may be about two."""
    rows = re.findall(r"^\| (`cf-[^|]+) \|(.*)$", part, re.MULTILINE)
    return {name: rest for names, rest in rows for name in re.findall(r"`(cf-[a-z-]+)`", names)}


def test_every_header_that_is_read_has_its_row_and_no_other() -> None:
    assert sorted(listed(REQUESTS)) == sorted(name.decode() for name in _READERS)
    assert {name.decode() for name in _LEGACY & _READERS.keys()} <= listed(REQUESTS).keys()


def test_what_a_step_may_not_say_is_marked() -> None:
    marks = {name: row.strip("| ").rpartition("| ")[2] for name, row in listed(REQUESTS).items()}
    assert set(marks.values()) == {"yes", "no", "the first"}
    assert {name for name, mark in marks.items() if mark == "no"} == {name.decode() for name in OF_THE_REQUEST}
    first = {name for name, mark in marks.items() if mark == "the first"}
    assert first == {name.decode() for name in OF_THE_FIRST_STEP}


def test_every_header_that_is_sent_has_its_row() -> None:
    nobody: Any = None
    exchange = Exchange(
        scope={},
        connection=nobody,
        receive=nobody,
        log_id=bytes(16),
        started=0.0,
        gateway=Gateway(account_id="0" * 32, id="g", created_at=0, modified_at=0),
        slug="openai",
        rest="",
        query=b"",
        headers=[],
        options=Options(),
        cache_status=b"HIT",
        compat=Compat(path="", provider=b"openai", model=b"m", body=b""),
    )
    sent = _with_own_headers(exchange, Reply(status=200, headers=[], body=b""))
    own = {name.decode() for name, _ in sent if name.startswith(b"cf-")}
    assert own == listed(ANSWERS).keys()
