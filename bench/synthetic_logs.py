"""Millions of plausible logs in seconds, written by SQL alone: columns only, no bodies.

`python -m bench.synthetic_logs DATA_FOLDER COUNT` fills the gateway `synthetic` of the account of 32 fives.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gaugeway.core.ids import first_at
from gaugeway.core.model import LogRecord, Outcome, Scope
from gaugeway.stores.sqlite import log_rows
from gaugeway.stores.sqlite.log_counts import Gateways
from gaugeway.stores.sqlite.logs import SqliteLogStore
from gaugeway.stores.sqlite.words import Words

SCOPE = Scope("5" * 32, "synthetic")
START_MS = 1_730_000_000_000
CHUNK = 250_000

PROVIDERS = ("openai", "anthropic", "google-ai-studio", "groq", "mistral", "custom-local")
MODELS = tuple(f"model-{number}" for number in range(20))


def load(data: Path, count: int, *, scope: Scope = SCOPE, start_ms: int = START_MS, days: int = 30) -> None:
    """Write `count` logs, spread evenly over the days from `start_ms` on, into the store in a folder.

    The same arguments give the same logs: 6 providers and 20 models (skewed), 3% failures, 9% from the cache,
    2% without a cost, 10% with feedback, half with metadata {"user": "u0" … "u999"}.
    """
    store = SqliteLogStore(data)
    try:
        gw, template = _template(store, scope)
        step_ms = max(days * 86_400_000 // max(count, 1), 1)
        for begin in range(0, count, CHUNK):
            end = min(begin + CHUNK, count)
            with store.logs_database.writing() as connection:
                connection.execute(
                    f"INSERT INTO logs ({log_rows.COLUMNS}) {_SELECT}",
                    {**template, "gw": gw, "begin": begin, "end": end, "start": start_ms, "step": step_ms},
                )
        with store.logs_database.writing() as connection:
            connection.execute("DELETE FROM counts WHERE gw = ?", (gw,))
            connection.execute(
                "INSERT INTO counts SELECT gw, provider, model, outcome, count(*), min(id), max(id)"
                " FROM logs WHERE gw = ? GROUP BY provider, model, outcome",
                (gw,),
            )
            connection.execute(
                "UPDATE gateways SET logs = (SELECT sum(logs) FROM counts WHERE gw = :gw) WHERE gw = :gw",
                {"gw": gw},
            )
        store.analytics.recount(lambda _logs: None)
        store.logs_database.checkpoint()
    finally:
        store.close()


def _template(store: SqliteLogStore, scope: Scope) -> tuple[int, dict[str, object]]:
    """The gateway's number, and what every log has in common, with all words made."""
    words = Words()
    with words.adding(store.logs_database) as connection:
        gw = Gateways().make(connection, scope)
        encode = log_rows.encoder(words)
        for number in range(max(len(PROVIDERS), len(MODELS))):
            row = encode(
                LogRecord(
                    account_id=scope.account_id,
                    gateway_id=scope.gateway_id,
                    id=first_at(0),
                    provider=PROVIDERS[number % len(PROVIDERS)],
                    model=MODELS[number % len(MODELS)],
                    outcome=Outcome.SUCCESS,
                    duration=0,
                    path="chat/completions",
                    request_content_type="application/json",
                    response_content_type="application/json",
                    user_agent="OpenAI/Python 3.54.0",
                    metadata={"user": "u"},
                ),
                gw,
                None,
            )
    named = dict(zip(log_rows.COLUMNS.split(", "), row, strict=True))
    kept = ("request_content_type", "response_content_type", "user_agent", "path", "metadata_keys", "rest")
    return gw, {name: named[name] for name in kept}


# r0 … r2: digits that look random. Word codes count from 1 in the order they were made.
_SELECT = """
WITH RECURSIVE n(i) AS (SELECT :begin UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end),
r(i, r0, r1, r2) AS (
  SELECT i, (i * 2654435761 >> 9) % 1000, (i * 40503 + (i * 2654435761 >> 13)) % 1000, (i * 2246822519 >> 11) % 1000
  FROM n
)
SELECT :gw,
  unhex(printf('%012x7%03x8%015x', :start + i * :step, i & 4095, i)),
  CASE WHEN r0 % 50 = 7 THEN NULL ELSE (100 + r1) * 150000 + r2 * 600000 END,
  200 + r1 * r1 / 200 + r2,
  CASE WHEN r2 < 80 THEN 1 WHEN r2 < 100 THEN -1 END,
  CASE WHEN r0 < 30 THEN 6 + r1 % 3 WHEN r0 < 120 THEN 1 ELSE 0 END,
  1 + r1 * r1 * r1 * 6 / 1000000000,
  1 + r2 * r2 * 20 / 1000000,
  CASE WHEN r0 % 33 = 5 THEN NULL ELSE 100 + r1 END,
  CASE WHEN r0 % 33 = 5 THEN NULL ELSE r2 END,
  100 + r1 / 4, NULL, CASE WHEN r0 < 30 THEN 502 ELSE 200 END, 0, NULL, NULL,
  :request_content_type, :response_content_type, :user_agent, :path,
  CASE WHEN r1 % 2 = 0 THEN :metadata_keys END,
  CASE WHEN r1 % 2 = 0 THEN char(31) || 'u' || r2 || char(31) END,
  NULL, NULL, :rest, NULL
FROM r
"""


def main() -> None:
    """Load, and say how long it took."""
    data, count = Path(sys.argv[1]), int(sys.argv[2])
    begin = time.perf_counter()
    load(data, count)
    print(f"{count:,} logs in {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main()
