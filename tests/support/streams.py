"""Server-sent events, written in every way the standard allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Event = dict[str, Any] | str


def _data(event: Event) -> str:
    return event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))


def plain(events: list[Event]) -> bytes:
    return "".join(f"data: {_data(event)}\n\n" for event in events).encode()


def named(events: list[Event]) -> bytes:
    """With `event:` and `id:` lines."""
    return "".join(
        f"event: {event.get('type', 'message') if isinstance(event, dict) else 'done'}\nid: {number}\n"
        f"data: {_data(event)}\n\n"
        for number, event in enumerate(events)
    ).encode()


def crlf(events: list[Event]) -> bytes:
    return plain(events).replace(b"\n", b"\r\n")


def cr(events: list[Event]) -> bytes:
    return plain(events).replace(b"\n", b"\r")


def tight(events: list[Event]) -> bytes:
    return plain(events).replace(b"data: ", b"data:")


def commented(events: list[Event]) -> bytes:
    return b": OPENROUTER PROCESSING\n\n" + plain(events).replace(b"\n\n", b"\n\n: ping\n\n")


def multi_line(events: list[Event]) -> bytes:
    """Each event's JSON spread over several data lines."""
    texts = [event if isinstance(event, str) else json.dumps(event, indent=1) for event in events]
    return "".join("".join(f"data: {line}\n" for line in text.split("\n")) + "\n" for text in texts).encode()


def unended(events: list[Event]) -> bytes:
    """Without the last event's empty line."""
    return plain(events).rstrip(b"\n")


def with_bom(events: list[Event]) -> bytes:
    return b"\xef\xbb\xbf" + plain(events)


WRITERS: list[Callable[[list[Event]], bytes]] = [
    plain,
    named,
    crlf,
    cr,
    tight,
    commented,
    multi_line,
    unended,
    with_bom,
]
