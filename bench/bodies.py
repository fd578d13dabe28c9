"""Text in bodies: how many logs a second one core looks through, by what their bodies are."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import process_time

from rich.console import Console

from gaugeway.core import ids
from gaugeway.core.model import Bodies, Logged, LogRecord, Outcome, Scope
from gaugeway.core.ports import Retention
from gaugeway.core.query import Filter, Operator, Where
from gaugeway.stores import Stores, open_stores

LOGS = 20_000
SCOPE = Scope("0" * 32, "bench")
TEXT = (
    "the of and to in is that it was for on are as with they be at one have this from by hot but what some we can"
    " über straße naïve out other were all your when up use word how said an each she which do their time will way"
)
WORDS = TEXT.split()
NOWHERE = ("a text that is in no body",)


def measure(console: Console, folder: Path) -> None:
    """Print logs a second of processor time, for a text that no log contains, so that every form is tried."""
    with closing(open_stores(folder / "data")) as stores:
        for provider in ("whole", "streamed"):
            sizes = _fill(stores, provider)
            console.print(f"{LOGS:,} logs, requests of {sizes[0]} bytes, {provider} answers of {sizes[1]}:")
            here = Filter("provider", Operator.EQ, (provider,))
            for key in ("request_body", "response_body"):
                began = process_time()
                found = stores.logs.count(SCOPE, Where(((here, Filter(key, Operator.CONTAINS, NOWHERE)),)))
                seconds = process_time() - began
                if found != 0:
                    raise SystemExit(f"{found} logs were found with a text that is in none")
                console.print(f"  {key:14} {LOGS / seconds:9,.0f} logs a second on one core")


def _fill(stores: Stores, provider: str) -> tuple[int, int]:
    """Write logs of that provider; the mean sizes of their bodies."""
    new_id = ids.Uuid7(time.time_ns, os.urandom)
    sizes = [0, 0]
    for start in range(0, LOGS, 500):
        batch: list[Logged] = []
        for bodies in _bodies(provider, range(start, start + 500)):
            record = LogRecord(
                account_id=SCOPE.account_id,
                gateway_id=SCOPE.gateway_id,
                id=new_id(),
                provider=provider,
                model="gpt-4o-mini",
                outcome=Outcome.SUCCESS,
                duration=250,
            )
            batch.append(Logged(record, bodies))
            sizes[0] += len(bodies.request or b"")
            sizes[1] += len(bodies.response or b"")
        stores.logs.append(batch, lambda _: Retention(None, None))
    return sizes[0] // LOGS, sizes[1] // LOGS


def _bodies(provider: str, numbers: range) -> Iterator[Bodies]:
    for number in numbers:
        chance = random.Random(number)
        messages = [
            {"role": "system", "content": _text(chance, 120)},
            {"role": "user", "content": _text(chance, 80)},
        ]
        asked = json.dumps({"model": "gpt-4o-mini", "messages": messages}, ensure_ascii=number % 3 == 0)
        words = _text(chance, 100).split()
        if provider == "streamed":
            told = "".join(f"data: {json.dumps(_chunk({'content': f' {word}'}))}\n\n" for word in words)
        else:
            told = json.dumps({"choices": [{"index": 0, "message": {"content": " ".join(words)}}]})
        yield Bodies(request=asked.encode(), response=told.encode())


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def _chunk(delta: dict[str, str]) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [choice],
    }
