"""docs/headers.md names every header that the data plane reads, and those that it sends; and each is as it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Gateway
from gaugeway.proxy.exchange import Compat, Exchange, Options, Reply
from gaugeway.proxy.headers import for_downstream, sort_request
from gaugeway.proxy.relay import with_own_headers
from gaugeway.proxy.universal import OF_THE_FIRST_STEP, OF_THE_REQUEST
from gaugeway.proxy.wishes import LEGACY, READERS

PAGE = (Path(__file__).parents[2] / "docs" / "headers.md").read_text()
REQUESTS, ANSWERS = PAGE.split("## Answers")


def listed(part: str) -> dict[str, str]:
    """Header → the rest of its row; a row may be about two."""
    rows = re.findall(r"^\| (`cf-[^|]+) \|(.*)$", part, re.MULTILINE)
    return {name: rest for names, rest in rows for name in re.findall(r"`(cf-[a-z-]+)`", names)}


def test_every_header_that_is_read_has_its_row_and_no_other() -> None:
    assert sorted(listed(REQUESTS)) == sorted(name.decode() for name in READERS)
    assert {name.decode() for name in LEGACY & READERS.keys()} <= listed(REQUESTS).keys()


def test_what_a_step_may_not_say_is_marked() -> None:
    marks = {name: row.strip("| ").rpartition("| ")[2] for name, row in listed(REQUESTS).items()}
    assert set(marks.values()) == {"yes", "no", "the first"}
    assert {name for name, mark in marks.items() if mark == "no"} == {name.decode() for name in OF_THE_REQUEST}
    first = {name for name, mark in marks.items() if mark == "the first"}
    assert first == {name.decode() for name in OF_THE_FIRST_STEP}


def test_every_header_that_is_sent_has_its_row() -> None:
    nobody: Any = None
    exchange = Exchange(
        connection=nobody,
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
    sent = with_own_headers(exchange, Reply(status=200, headers=[], body=b""))
    own = {name.decode() for name, _ in sent if name.startswith(b"cf-")}
    assert own == listed(ANSWERS).keys()


def test_what_is_said_to_be_refused_is_refused() -> None:
    said = re.search(r"^Refused, (.*)$", REQUESTS, re.MULTILINE)
    assert said is not None
    names = re.findall(r"`(cf-aig-[a-z-]+)`", said.group(1).partition("Of Cloudflare's answers")[0])
    assert len(names) == 6
    for name in names:
        with pytest.raises(GatewayError, match=name):
            sort_request([(name.encode(), b"x")])


CONTRACT_REQUESTS = (
    *("authorization", "backoff", "byok-alias", "cache-key", "cache-ttl", "collect-log", "collect-log-payload"),
    *("custom-cost", "event-id", "gateway-id", "max-attempts", "metadata", "no-wholesale", "otel-parent-span-id"),
    *("otel-trace-id", "request-timeout", "retry-delay", "skip-cache", "zdr", "session-id", "turn-id"),
    *("no-session-affinity", "allowed-models", "allowed-providers"),
)
"""Cloudflare's request headers (contract 4.1), behind `cf-aig-`."""

CONTRACT_ANSWERS = (
    *("cache-status", "log-id", "event-id", "request-id", "step", "model", "provider", "dlp", "run-id"),
    *("routed-model", "routing-reason", "routing-decision-id"),
)
"""Those of its answers (contract 4.2)."""

WORDED: dict[str, tuple[list[str], list[str]]] = {
    "`Bearer <token>`, or the token": (["Bearer gw_x", "gw_x"], []),
    "JSON object": (['{"a": 1}'], ["[]", "{", "5", "[" * 10_000]),
    "a stored key's alias": (["default", "a.b-c_d"], ["", "two words", "x" * 65]),
    "a gateway's id": (["default"], ["", "\x7f"]),
}
"""Good and bad values of those that the page says in words."""


def values_of(name: str, row: str) -> tuple[list[str], list[str]]:
    """What the page says is taken, and what by that is not."""
    said = row.split(" | ", maxsplit=1)[0].strip()
    if name == "cf-aig-custom-cost":
        taken = ['{"per_token_in": 0.1, "per_token_out": "0.2"}', '{"total_cost": 1}']
        return taken, ["{}", "[]", '{"total": 1}', '{"total_cost": -1}', '{"total_cost": 1, "per_token_in": 1}']
    if numbers := re.fullmatch(r"(\d+)–(\d+)", said):
        low, high = int(numbers[1]), int(numbers[2])
        return [str(low), str(high)], [str(low - 1), str(high + 1), "x", "", f"{low}.5", "1" * 40]
    if lengths := re.fullmatch(r"(\d+)–(\d+) (?:printable characters|characters|bytes)", said):
        assert lengths[1] == "1"
        return ["x", "x" * int(lengths[2])], ["", "x" * (int(lengths[2]) + 1)]
    if re.fullmatch(r"`\w+`(?:, `\w+`)*", said):
        words = re.findall(r"\w+", said)
        return words, ["", "nonsense", f"{words[0]} {words[0]}"]
    return WORDED[said]


@pytest.mark.parametrize("name", listed(REQUESTS))
def test_a_header_is_taken_and_refused_as_its_row_says(name: str) -> None:
    """What is taken is noted, unless it asks for what holds anyway; what is refused is named."""
    taken, refused = values_of(name, listed(REQUESTS)[name])
    for value in taken:
        options = sort_request([(name.encode(), value.encode())]).options
        holds_anyway = (name, value) in {
            ("cf-aig-zdr", "false"),
            ("cf-aig-no-wholesale", "false"),
            ("cf-aig-collect-log-payload", "true"),
        }
        assert (options == Options()) is holds_anyway, value
    for value in refused:
        with pytest.raises(GatewayError, match=f"Header {name}: ") as caught:
            sort_request([(name.encode(), value.encode())])
        assert (caught.value.status, caught.value.code) == (400, 7001)
    with pytest.raises(GatewayError, match=f"Header {name}: is given twice"):
        sort_request([(name.encode(), taken[0].encode())] * 2)


def test_all_that_is_noted_is_acted_upon() -> None:
    """Each of `Options` is read somewhere behind the file that notes it."""
    source = Path(__file__).parents[2] / "src" / "gaugeway" / "proxy"
    read = {
        node.attr
        for path in source.rglob("*.py")
        if path.name != "wishes.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    assert set(Options.__struct_fields__) <= read


@pytest.mark.parametrize(
    "name", [f"cf-aig-{name}" for name in CONTRACT_REQUESTS] + ["cf-cache-ttl", "cf-skip-cache"]
)
def test_the_page_says_of_each_of_cloudflares_what_becomes_of_it(name: str) -> None:
    is_refused = f"`{name}`" in REQUESTS.split("Refused, as")[1]
    assert (name in listed(REQUESTS)) is not is_refused


@pytest.mark.parametrize("name", ["cf-aig-", "cf-aig-unheard-of", "cf-aig-cache_ttl", "cf-aig-metadatas"])
def test_no_unknown_one_passes(name: str) -> None:
    with pytest.raises(GatewayError, match=f"Header {name}: is not available in this version; leave it out"):
        sort_request([(b"accept", b"*/*"), (name.encode(), b"x")])


@pytest.mark.parametrize("name", [f"cf-aig-{name}" for name in CONTRACT_ANSWERS])
def test_the_page_says_of_each_of_cloudflares_answers_whether_it_is_there(name: str) -> None:
    """And that of whatever stands behind the gateway never comes through as the gateway's own."""
    said = REQUESTS.split("Of Cloudflare's answers")[1]
    is_missing = f"`{name}`" in said or "-rout" in name  # which the page calls `cf-aig-routed-model` with its like
    assert (name in listed(ANSWERS)) is not is_missing
    assert for_downstream([(name.encode(), b"of an upstream"), (b"x-kept", b"1")]) == [(b"x-kept", b"1")]
