"""Every payload of the corpus: what is read of it, and what it cost, to the last digit, or why that is not known.

The sums in `*/expected.toml` are written out by hand; `support.corpus` checks them without the product. Then the
product has to come to the same: in process, and through a server whose upstream answers with the payload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from gaugeway.core.ids import first_at
from gaugeway.core.model import Attempt, LogRecord, Outcome, Usage
from gaugeway.core.pricing import PriceBook, version
from gaugeway.core.provider import Provider, header_figures_of
from gaugeway.core.timestamps import from_rfc3339
from gaugeway.providers import load
from gaugeway.providers.custom import custom
from support.corpus import INPUT, NOON, OUTPUT, CorpusUpstream, Payload, lines_of, payloads
from support.server import Server, running_server
from support.upstream import running_upstream

PROVIDERS: dict[str, Provider] = {**load(), "custom": custom("mine", "https://llm.example/v1")}
BOOK = PriceBook({slug: provider.price_id for slug, provider in PROVIDERS.items()})
ALL = payloads()
WITHOUT_TOKENS = {"seconds", "pages", "annotated-pages", "charged"}
"""Buckets of sums that need not account for the tokens."""
OTHER_TIMES = ("2026-11-20T02:00:00Z", "2026-11-20T08:00:00Z", "2026-11-21T20:00:00Z", "2031-01-01T12:00:00Z")


def each(chosen: list[Payload]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("payload", chosen, ids=[payload.name for payload in chosen])


def request_of(payload: Payload) -> bytes:
    fields: dict[str, Any] = {"model": payload.model} if payload.model else {}
    return json.dumps(fields | ({"stream": True} if payload.stream else {})).encode()


def record_of(payload: Payload, body: bytes | None = None, time: str | None = None) -> LogRecord:
    """What is logged of the payload, as far as its cost goes."""
    provider = PROVIDERS[payload.provider]
    path = payload.path.partition("?")[0]
    reported = provider.read_response(path, payload.content_type, payload.body if body is None else body)
    usage, figures = reported.usage, header_figures_of(provider)
    if usage is None and figures is not None:
        usage = figures.read_headers([(n.encode(), v.encode()) for n, v in payload.headers.items()])
    asked = provider.read_request(path, "application/json", request_of(payload))
    at = from_rfc3339(time or payload.time)
    assert at is not None
    outcome = Outcome.SUCCESS if payload.status < 400 else Outcome.UPSTREAM_ERROR
    return LogRecord(
        account_id="0" * 32,
        gateway_id="g",
        id=first_at(at),
        provider=provider.slug,
        outcome=Outcome.STREAM_CUT if payload.cut else outcome,
        duration=1,
        model=asked.model,
        model_type=asked.model_type,
        method=payload.method,
        usage=usage or Usage(),
        response_model=None if reported.model == asked.model else reported.model,
        response_content_type=payload.content_type,
        attempts=(Attempt(provider=provider.slug, step=0, status_code=payload.status, duration=1),),
    )


def shown(usage: Usage) -> dict[str, Any]:
    """A usage without what is None, and without its doubt, which the reason of the unknown cost shows."""
    values = {name: getattr(usage, name) for name in Usage.__struct_fields__ if name != "doubt"}
    return {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
        if value is not None
    }


def test_the_corpus_is_large_and_from_everywhere() -> None:
    assert len(ALL) >= 150
    assert sum(payload.is_stream or payload.content_type.endswith("eventstream") for payload in ALL) >= 40
    missing = set(PROVIDERS) - {payload.provider for payload in ALL}
    assert not missing


@each(ALL)
def test_its_sum_is_right_and_complete(payload: Payload) -> None:
    """Without the product: the written-out sum gives the cost, and accounts for every token."""
    assert payload.source.startswith("https://")
    assert (payload.cost is None) is (payload.unknown is not None)
    if payload.cost is None:
        assert not payload.sum
        return
    lines = lines_of(payload.sum)
    assert sum((line.amount for line in lines), Decimal(0)) == Decimal(payload.cost)
    if {line.bucket for line in lines} & WITHOUT_TOKENS:
        return
    for buckets, tokens in ((INPUT, "tokens_in"), (OUTPUT, "tokens_out")):
        counted = sum((line.count for line in lines if line.bucket in buckets), Decimal(0))
        assert counted == payload.usage.get(tokens, 0)


@each(ALL)
def test_what_is_read_of_it_and_what_it_cost(payload: Payload) -> None:
    record = record_of(payload)
    assert shown(record.usage) == payload.usage
    assert record.response_model == payload.answered_by
    assert (record.usage.doubt is not None) is payload.doubted
    priced = BOOK.price(record)
    if payload.cost is None:
        assert priced.cost is None
        assert payload.unknown is not None
        assert payload.unknown in (priced.reason or "")
        assert payload.usage == {} or payload.unknown != "reported no usage"
    else:
        assert priced.reason is None
        assert priced.cost == Decimal(payload.cost)
        assert priced.by == (payload.priced_by or version())


@each([payload for payload in ALL if payload.time == NOON and payload.cost is not None])
def test_its_price_does_not_hang_on_the_hour_or_says_which(payload: Payload) -> None:
    """So that the same sum holds in the server's test, whenever that runs."""
    for time in OTHER_TIMES:
        assert BOOK.price(record_of(payload, time=time)).cost == Decimal(payload.cost or "nan"), time


@each([payload for payload in ALL if payload.is_stream and b"\r" not in payload.body])
def test_a_stream_says_the_same_however_it_is_written(payload: Payload) -> None:
    body = payload.body
    variants = [
        body.replace(b"\n", b"\r\n"),
        body.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + body,
        body.replace(b"data: ", b"data:"),
        b": keep-alive\n\n" + body.replace(b"\n\n", b"\n\n: ping\n\n"),
        re.sub(rb"^data: ", b"id: 1\nretry: 10\ndata: ", body, flags=re.MULTILINE),
        body.rstrip(b"\n"),
    ]
    for variant in variants:
        assert shown(record_of(payload, variant).usage) == payload.usage


# --- through a server


@pytest.fixture(scope="module")
def corpus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_upstream(CorpusUpstream) as upstream:
        folder = tmp_path_factory.mktemp("corpus-server")
        everywhere = dict.fromkeys(load(), upstream.url)
        with running_server(folder, GAUGEWAY_UPSTREAMS=json.dumps(everywhere)) as server:
            yield server


def send(server: Server, gateway: str, payload: Payload) -> str:
    """Ask for the payload; the id of its log."""
    url = f"{server.gateway_url(gateway)}/{payload.provider}/{payload.path}"
    headers = {"authorization": "Bearer the-providers-own-key", "x-payload": payload.name}
    body = None if payload.method == "GET" else request_of(payload)
    answer = server.call(payload.method, url, body, headers)
    assert (answer.status, answer.body) == (payload.status, payload.body), payload.name
    return answer.headers["cf-aig-log-id"]


@pytest.mark.timeout(600)  # some 300 requests, on a machine that may be busy
def test_the_log_of_each_says_the_same(corpus_server: Server) -> None:
    gateway = corpus_server.make_gateway("corpus")
    sent = {
        send(corpus_server, gateway, payload): payload
        for payload in ALL
        if payload.wire and not payload.cut and payload.provider != "custom"
    }
    logs = {log["id"]: log for log in all_logs(corpus_server, gateway, len(sent))}
    assert logs.keys() == sent.keys()
    for identifier, payload in sent.items():
        log = logs[identifier]
        where = (payload.name, log["cost_reason"])
        fine = "success" if payload.status < 400 else "upstream_error"
        assert log["outcome"] == ("stream_cut" if payload.fails else fine), where
        if log["usage_estimated"]:
            assert payload.fails, where
            continue
        assert log["tokens_in"] == payload.usage.get("tokens_in"), where
        assert log["tokens_out"] == payload.usage.get("tokens_out"), where
        assert log["response_model"] == payload.answered_by, where
        parts = log["usage_metadata"] or {}
        for shown_as, name in (
            ("input_cached_tokens", "cached_tokens_in"),
            ("input_cache_creation_tokens", "cache_write_tokens"),
            ("output_reasoning_tokens", "reasoning_tokens"),
            ("input_audio_tokens", "audio_tokens_in"),
            ("output_audio_tokens", "audio_tokens_out"),
        ):
            assert parts.get(shown_as) == payload.usage.get(name), where
        if payload.time != NOON:
            continue
        if payload.cost is None:
            assert log["cost"] is None, where
            assert payload.unknown in log["cost_reason"], where
        else:
            assert log["cost_exact"] is not None, where
            assert Decimal(log["cost_exact"]) == Decimal(payload.cost), where
            assert log["priced_by"] == (payload.priced_by or version()), where
    total = sum((Decimal(log["cost_exact"]) for log in logs.values() if log["cost_exact"] is not None), Decimal(0))
    assert total > 0


def all_logs(server: Server, gateway: str, count: int) -> list[dict[str, Any]]:
    server.wait_for_logs(gateway, min(count, 50), timeout=120)
    found: list[dict[str, Any]] = []
    for page in range(1, count // 50 + 2):
        found += server.logs(gateway, f"&page={page}")
    return found
