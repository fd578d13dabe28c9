"""The corpus of usage payloads (`tests/corpus/`), its written-out sums, and an upstream that answers with them.

docs/costs.md says how a payload is added. The arithmetic here is a few lines of its own on purpose: it shares
nothing with the product's, so that a sum that was written out by hand checks both.
"""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.event_stream import event, failure, wrapped
from support.upstream import Seen, Upstream

FOLDER = Path(__file__).parent.parent / "corpus"
NOON = "2026-11-20T12:00:00Z"
"""The moment at which a payload is priced that names none."""
TYPES = {
    ".json": "application/json",
    ".sse": "text/event-stream; charset=utf-8",
    ".jsonl": "application/stream+json",
    ".frames": "application/vnd.amazon.eventstream",
    ".html": "text/html",
    ".bin": "audio/mpeg",
}
INPUT = {"input", "cached", "written", "written-1h", "audio-in", "cached-audio", "image-in", "video-in"}
OUTPUT = {"output", "reasoning", "citations", "audio-out", "image-out"}
FEES = {"searches", "file-searches", "request", "seconds", "pages", "annotated-pages", "charged"}
PER = {"": 1, "/M": 10**6, "/k": 10**3, "/h": 3600}
"""What a price is for: one, a million tokens, a thousand calls, an hour of seconds."""


@dataclass(frozen=True)
class Payload:
    """One answer of a provider's, and what is to be made of it."""

    name: str  # provider/name
    body: bytes
    content_type: str
    source: str  # the public document that shows the shape
    path: str
    model: str = ""  # that the request names in its body
    answered_by: str | None = None  # the model that the answer names, where one is read
    usage: dict[str, Any] = field(default_factory=dict)  # core.model.Usage, without what is None
    sum: str = ""  # one line a bucket: see `lines_of`
    cost: str | None = None
    unknown: str | None = None  # a part of the reason, where there is no cost
    doubted: bool = False  # the figures contradict themselves: the reason is the reader's, not the price list's
    priced_by: str | None = None  # where it is not the public price list
    time: str = NOON  # stated where the price depends on it
    method: str = "POST"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection breaks off behind it
    fails: bool = False  # a stream that says itself, or shows by its end, that it failed
    stream: bool = False
    wire: bool = True  # also through a server

    @property
    def provider(self) -> str:
        """Its slug."""
        return self.name.partition("/")[0]

    @property
    def is_stream(self) -> bool:
        """Whether the content is server-sent events."""
        return self.content_type.startswith("text/event-stream")


def payloads() -> list[Payload]:
    """All, by provider and name. Fails for a file that nothing is expected of, and the other way round."""
    found = [payload for folder in sorted(FOLDER.iterdir()) if folder.is_dir() for payload in _of(folder)]
    assert len(found) == len({payload.name for payload in found})
    return found


def _of(folder: Path) -> Iterator[Payload]:
    if folder.name.startswith("__"):
        return
    files = {file.stem: file for file in folder.iterdir() if file.name != "expected.toml"}
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    assert set(files) == set(expected), (folder.name, set(files) ^ set(expected))
    for name, fields in sorted(expected.items()):
        file = files[name]
        content_type = fields.pop("type", TYPES[file.suffix])
        body = file.read_bytes()
        yield Payload(
            name=f"{folder.name}/{name}",
            body=_framed(body) if file.suffix == ".frames" else body,
            content_type=content_type,
            **fields,
        )


def _framed(text: bytes) -> bytes:
    """A stream in AWS's framing, from lines of: the event's name (`chunk` wraps a model's own), its JSON."""
    frames: list[bytes] = []
    for line in text.decode().splitlines():
        name, _, data = line.partition(" ")
        fields = json.loads(data)
        if name.startswith("!"):
            frames.append(failure(name[1:], fields["message"]))
        else:
            frames.append(wrapped(fields) if name == "chunk" else event(name, fields))
    return b"".join(frames)


# --- the sums


@dataclass(frozen=True)
class Line:
    """One bucket of a sum: how many, at what price, what comes out."""

    bucket: str
    count: Decimal
    amount: Decimal


_LINE = re.compile(r"([a-z0-9-]+)\s+([0-9.]+) × ([0-9.]+)(/M|/k|/h|) = ([0-9.]+)")


def lines_of(text: str) -> list[Line]:
    """The lines of a sum, each of which must be right in itself."""
    lines: list[Line] = []
    for written in text.strip().splitlines():
        found = _LINE.fullmatch(written.strip())
        assert found is not None, f"not a line of a sum: {written!r}"
        bucket, count, price, per, amount = found.groups()
        assert bucket in INPUT | OUTPUT | FEES, f"no bucket: {bucket}"
        worth = Decimal(count) * Decimal(price) / PER[per]
        assert worth == Decimal(amount), f"{written.strip()!r}: it is {worth}"
        lines.append(Line(bucket, Decimal(count), Decimal(amount)))
    return lines


# --- the upstream


class CorpusUpstream(Upstream):
    """Answers with the payload that the request's header `x-payload` names, in pieces of odd sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads = {payload.name: payload for payload in payloads()}

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        payload = self.payloads[seen.header["x-payload"]]
        lines = [f"HTTP/1.1 {payload.status} X", f"content-type: {payload.content_type}"]
        lines += [f"{name}: {value}" for name, value in payload.headers.items()]
        writer.write(("\r\n".join([*lines, "transfer-encoding: chunked"]) + "\r\n\r\n").encode())
        size = max(37, len(payload.body) // 5 | 1)
        for at in range(0, len(payload.body), size):
            piece = payload.body[at : at + size]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if payload.cut:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True
