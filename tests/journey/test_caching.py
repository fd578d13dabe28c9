"""The cache through real servers: what is given again, to whom, and that one call serves all who wait for it."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.keeping_upstream import KeepingUpstream
from support.server import GATEWAY_REQUIRED, Answer, Server, running_server
from support.upstream import WORDS, running_upstream

_numbers = count(1)
TTL = {"cf-aig-cache-ttl": "600"}


@pytest.fixture(scope="module")
def origin() -> Iterator[KeepingUpstream]:
    with running_upstream(KeepingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, origin: KeepingUpstream) -> Iterator[Server]:
    """One process."""
    with running_server(tmp_path_factory.mktemp("alone"), origin.url) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, origin: KeepingUpstream) -> Iterator[Server]:
    """Two processes."""
    with running_server(tmp_path_factory.mktemp("pair"), origin.url, workers=2) as running:
        yield running


@pytest.fixture
def caching(alone: Server) -> str:
    """A gateway that caches."""
    return a_gateway(alone, cache_ttl=600)


def a_gateway(server: Server, **settings: Any) -> str:
    return server.make_gateway(f"gateway-{next(_numbers)}", **settings)


def a_model(kind: str) -> str:
    """A model of that behaviour that nobody else asks for."""
    return f"{kind}:{next(_numbers)}"


def status(answer: Answer) -> str | None:
    return answer.headers.get("cf-aig-cache-status")


def logs_of(server: Server, gateway: str, wanted: int) -> list[dict[str, Any]]:
    """All the gateway's logs, oldest first, once there are so many."""
    deadline = time.monotonic() + 20
    while len(logs := server.logs(gateway)) < wanted:
        assert time.monotonic() < deadline, logs
        time.sleep(0.05)
    assert len(logs) == wanted
    return logs[::-1]


# What is given again


@pytest.mark.parametrize("kind", ["numbered", "chunked", "compressed"])
def test_the_same_request_is_answered_from_the_cache(
    alone: Server, caching: str, origin: KeepingUpstream, kind: str
) -> None:
    model = a_model(kind)
    first, second, third = (
        alone.chat(caching, model, headers={"accept-encoding": "gzip", "x-noise": str(at)}) for at in range(3)
    )
    assert (status(first), status(second), status(third)) == ("MISS", "HIT", "HIT")
    assert first.status == second.status == 200
    assert first.body == second.body == third.body
    assert first.headers.get("content-encoding") == second.headers.get("content-encoding")
    assert second.headers["content-type"] == "application/json"
    assert second.headers["content-length"] == str(len(first.body))
    assert len(origin.asked(model)) == 1


def test_a_hit_is_logged_with_no_cost_and_what_it_saved(alone: Server, caching: str) -> None:
    for _ in range(2):
        alone.chat(caching, "gpt-4o-mini", headers={"cf-aig-metadata": '{"a": 1}'})
    miss, hit = logs_of(alone, caching, 2)
    assert (miss["outcome"], miss["cached"], miss["cost_exact"], miss["cost_saved"]) == (
        "success",
        False,
        "0.0000087",
        None,
    )
    assert (hit["outcome"], hit["cached"], hit["success"], hit["status_code"]) == ("cached", True, True, 200)
    assert (hit["cost"], hit["cost_exact"], hit["cost_reason"], hit["cost_saved"]) == (0, "0", None, "0.0000087")
    assert (hit["provider"], hit["model"], hit["path"]) == ("openai", "gpt-4o-mini", "v1/chat/completions")
    assert (hit["tokens_in"], hit["tokens_out"], hit["attempts"]) == (0, 0, [])
    assert (hit["metadata"], hit["response_size"]) == ({"a": 1}, miss["response_size"])
    assert alone.manage("GET", f"/gateways/{caching}/logs?cached=true")[0]["id"] == hit["id"]


def test_an_unknown_price_saves_an_unknown_amount(alone: Server, caching: str) -> None:
    model = a_model("numbered")
    for _ in range(2):
        alone.chat(caching, model)
    hit = logs_of(alone, caching, 2)[1]
    assert (hit["cost"], hit["cost_saved"]) == (0, None)


def test_a_hit_has_the_bodies_of_the_exchange(alone: Server, caching: str) -> None:
    model = a_model("compressed")
    alone.chat(caching, model, headers={"accept-encoding": "gzip"})
    alone.chat(caching, model)
    hit = logs_of(alone, caching, 2)[1]
    detail = alone.manage("GET", f"/gateways/{caching}/logs/{hit['id']}")
    assert model in detail["request_head"]
    assert "answer-1" in detail["response_head"]


def test_a_client_that_reads_no_gzip_is_given_plain_bytes(alone: Server, caching: str) -> None:
    model = a_model("compressed")
    packed = alone.chat(caching, model, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    for refuses in ({"accept-encoding": "identity"}, {"accept-encoding": "deflate, gzip;q=0"}):
        plain = alone.chat(caching, model, headers=refuses)
        assert status(plain) == "HIT"
        assert "content-encoding" not in plain.headers
        assert plain.body == gzip.decompress(packed.body)
    again = alone.chat(caching, model, headers={"accept-encoding": "deflate, gzip;q=0.5"})
    assert (status(again), again.headers["content-encoding"], again.body) == ("HIT", "gzip", packed.body)


def test_no_cookie_and_no_other_word_of_one_exchange_is_given_again(alone: Server, caching: str) -> None:
    model = a_model("cookie")
    first, second = alone.chat(caching, model), alone.chat(caching, model)
    assert first.headers["set-cookie"]
    assert (status(first), status(second)) == ("MISS", "HIT")  # and not the provider's own word for it
    assert not {"set-cookie", "x-request-id", "x-upstream"} & set(second.headers)
    assert second.headers["cf-aig-log-id"] != first.headers["cf-aig-log-id"]


# What is not


@pytest.mark.parametrize(
    "kind", ["error-500", "error-429", "error-404", "created", "disguised", "until-close", "cut-json"]
)
def test_only_good_whole_answers_are_kept(alone: Server, caching: str, origin: KeepingUpstream, kind: str) -> None:
    model = kind if kind.startswith("error-") else a_model(kind)
    before = len(origin.asked(model))
    for _ in range(2):
        try:
            assert status(alone.chat(caching, model)) == "MISS"
        except (http.client.IncompleteRead, ConnectionError):
            assert kind == "cut-json"
    assert len(origin.asked(model)) == before + 2


def test_an_answer_over_the_limit_passes_and_is_not_kept(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    for size, kept in ((25 * 1024 * 1024, True), (25 * 1024 * 1024 + 1, False)):
        model = f"sized:{size}"
        answers = [alone.chat(caching, model) for _ in range(2)]
        assert [len(answer.body) for answer in answers] == [size, size]
        assert [status(answer) for answer in answers] == ["MISS", "HIT" if kept else "MISS"]
        assert len(origin.asked(model)) == 1 + (not kept)


def test_streams_are_kept_and_replayed_only_where_the_request_says_so(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("ok")
    for _ in range(2):
        assert status(alone.chat(caching, model, stream=True)) is None
    assert len(origin.asked(model)) == 2
    wish = {"cf-aig-cache-streams": "true"}
    usage = {"include_usage": True}
    answers = [alone.chat(caching, model, headers=wish, stream=True, stream_options=usage) for _ in range(3)]
    assert [status(answer) for answer in answers] == ["MISS", "HIT", "HIT"]
    assert {answer.headers["content-type"] for answer in answers} == {"text/event-stream"}
    assert len({answer.body for answer in answers}) == 1
    assert answers[2].body.endswith(b"data: [DONE]\n\n")
    assert len(origin.asked(model)) == 3
    assert status(alone.chat(caching, model, stream=True, stream_options=usage)) is None
    broken = a_model("cut-stream")
    assert [status(alone.chat(caching, broken, headers=wish, stream=True)) for _ in range(2)] == ["MISS", "MISS"]


def test_a_stream_that_came_unasked_is_not_kept(alone: Server, caching: str) -> None:
    model = a_model("cut-stream")
    assert [status(alone.chat(caching, model)) for _ in range(2)] == ["MISS", "MISS"]


def test_a_gateway_that_does_not_cache_says_nothing_of_it(alone: Server, origin: KeepingUpstream) -> None:
    gateway, model = a_gateway(alone), a_model("numbered")
    assert [status(alone.chat(gateway, model)) for _ in range(2)] == [None, None]
    assert len(origin.asked(model)) == 2


# What a request says


@pytest.mark.parametrize("name", ["cf-aig-cache-ttl", "cf-cache-ttl"])
def test_a_request_can_ask_to_be_cached(alone: Server, name: str) -> None:
    gateway, model = a_gateway(alone), a_model("numbered")
    wish = {name: "60"}
    assert [status(alone.chat(gateway, model, headers=wish)) for _ in range(2)] == ["MISS", "HIT"]
    assert status(alone.chat(gateway, model)) is None


@pytest.mark.parametrize("name", ["cf-aig-skip-cache", "cf-skip-cache"])
def test_skipping_neither_reads_nor_writes(alone: Server, caching: str, origin: KeepingUpstream, name: str) -> None:
    model = a_model("numbered")
    skipped = alone.chat(caching, model, headers={name: "true", **TTL})
    assert (status(skipped), skipped.json["id"]) == (None, "answer-1")
    kept = alone.chat(caching, model, headers={name: "false"})
    assert (status(kept), kept.json["id"]) == ("MISS", "answer-2")
    assert alone.chat(caching, model, headers={name: "true"}).json["id"] == "answer-3"
    assert alone.chat(caching, model).json["id"] == "answer-2"
    assert len(origin.asked(model)) == 3


def test_an_answer_lives_as_long_as_the_gateway_says(alone: Server) -> None:
    gateway, model = a_gateway(alone, cache_ttl=1), a_model("numbered")
    began = time.monotonic()
    assert status(alone.chat(gateway, model)) == "MISS"
    answers = [alone.chat(gateway, model)]
    while status(answers[-1]) == "HIT":
        assert time.monotonic() - began < 30
        time.sleep(0.1)
        answers.append(alone.chat(gateway, model))
    assert time.monotonic() - began >= 1
    assert answers[-1].json["id"] == "answer-2"


@pytest.mark.parametrize("value", ["59", "2592001", "0", "soon", "-60"])
@pytest.mark.parametrize("name", ["cf-aig-cache-ttl", "cf-cache-ttl"])
def test_a_time_out_of_bounds_is_refused_by_name(alone: Server, caching: str, name: str, value: str) -> None:
    answer = alone.chat(caching, headers={name: value})
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 7001)
    assert name in answer.json["message"]
    assert "60 to 2592000" in answer.json["message"]


def test_a_key_of_its_own_stands_for_the_whole_request_but_not_for_the_user(
    alone: Server, origin: KeepingUpstream
) -> None:
    gateway = a_gateway(alone)
    models = [a_model("numbered") for _ in range(2)]
    mine = {"cf-aig-cache-key": "greeting"}
    first = alone.chat(gateway, models[0], headers=mine)
    second = alone.chat(gateway, models[1], headers=mine)
    assert (status(first), status(second)) == ("MISS", "HIT")
    assert second.body == first.body
    other_user = alone.chat(gateway, models[1], headers={**mine, "authorization": "Bearer sk-other"})
    assert (status(other_user), other_user.json["model"]) == ("MISS", models[1])
    other_gateway = alone.chat(a_gateway(alone), models[1], headers=mine)
    assert status(other_gateway) == "MISS"
    assert status(alone.chat(gateway, models[0])) is None


def test_answers_are_for_those_with_the_same_key_at_the_provider(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("numbered")
    users: list[dict[str, str]] = [
        {},
        {"authorization": "Bearer sk-other"},
        {"authorization": "", "x-api-key": "sk-other"},
        {"x-company-token": "t"},
    ]
    seen = [alone.chat(caching, model, headers=user) for user in users]
    assert [status(answer) for answer in seen] == ["MISS"] * len(users)
    assert [status(alone.chat(caching, model, headers=user)) for user in users] == ["HIT"] * len(users)
    run = {"cf-aig-authorization": f"Bearer {alone.token}"}  # a gateway's own token is no key at the provider
    assert status(alone.chat(caching, model, headers=run)) == "HIT"
    assert len(origin.asked(model)) == len(users)


def test_a_locked_gateway_gives_no_cached_answer_to_strangers(alone: Server) -> None:
    gateway, model = a_gateway(alone, cache_ttl=600, authentication=True), a_model("numbered")
    run = {"cf-aig-authorization": f"Bearer {alone.token}"}
    assert [status(alone.chat(gateway, model, headers=run)) for _ in range(2)] == ["MISS", "HIT"]
    stranger = alone.chat(gateway, model)
    assert (stranger.status, status(stranger)) == (401, None)


def test_gets_are_cached_only_where_they_ask_for_it(alone: Server, caching: str, origin: KeepingUpstream) -> None:
    url = f"{alone.gateway_url(caching)}/openai/v1/files?n={next(_numbers)}"
    before = len(origin.seen)
    assert status(alone.call("GET", url, headers={})) is None
    assert [status(alone.call("GET", url, headers=TTL)) for _ in range(2)] == ["MISS", "HIT"]
    assert status(alone.call("DELETE", url, headers=TTL)) is None
    assert len(origin.seen) == before + 3


# Many at once


def at_once(server: Server, gateway: str, model: str, number: int) -> list[Future[Answer]]:
    pool = ThreadPoolExecutor(number)
    waiting = [pool.submit(server.chat, gateway, model) for _ in range(number)]
    pool.shutdown(wait=False)
    return waiting


def hold_on(server: Server, gateway: str, body: bytes) -> socket.socket:
    """A client that asks and does not read."""
    raw = socket.create_connection(("127.0.0.1", server.port), 60)
    path = urlsplit(server.gateway_url(gateway)).path + "/openai/v1/chat/completions"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer sk-the-providers-own-key\r\ncontent-length: {len(body)}\r\n\r\n"
    raw.sendall(head.encode() + body)
    return raw


def chat_body(model: str) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "Say hello."}]}).encode()


def wait_for_asked(origin: KeepingUpstream, model: str, wanted: int) -> None:
    deadline = time.monotonic() + 20
    while len(origin.asked(model)) < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_hundred_identical_requests_at_once_make_one_call(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("held")
    waiting = at_once(alone, caching, model, 100)
    wait_for_asked(origin, model, 1)
    origin.release(model)
    answers = [one.result(60) for one in waiting]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert Counter(map(status, answers)) == {"MISS": 1, "HIT": 99}
    assert len(origin.asked(model)) == 1
    logs = f"/client/v4/accounts/{alone.account_id}/ai-gateway/gateways/{caching}/logs?per_page=1&count=exact"
    counts = [
        alone.call("GET", logs + cached).json["result_info"]["total_count"] for cached in ("", "&cached=true")
    ]
    assert counts == [100, 99]


def test_when_the_one_who_asks_hangs_up_the_next_in_line_asks(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("held")
    leader = hold_on(alone, caching, chat_body(model))
    wait_for_asked(origin, model, 1)
    waiting = at_once(alone, caching, model, 10)
    time.sleep(0.3)  # most of them follow by now; the test holds whether or not they do
    leader.close()
    assert origin.asked(model)[0].abandoned.wait(20)
    wait_for_asked(origin, model, 2)
    origin.release(model)
    answers = [one.result(60) for one in waiting]
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(200, "answer-2")}
    assert len(origin.asked(model)) == 2
    outcomes = Counter(log["outcome"] for log in logs_of(alone, caching, 11))
    assert outcomes == {"client_gone": 1, "success": 1, "cached": 9}


def test_followers_that_hang_up_take_nobody_along(alone: Server, caching: str, origin: KeepingUpstream) -> None:
    model = a_model("held")
    leader = at_once(alone, caching, model, 1)[0]
    wait_for_asked(origin, model, 1)
    leaving = [hold_on(alone, caching, chat_body(model)) for _ in range(5)]
    staying = at_once(alone, caching, model, 5)
    time.sleep(0.2)
    for follower in leaving:
        follower.close()
    origin.release(model)
    answers = [one.result(60) for one in (leader, *staying)]
    assert {(answer.status, answer.json["id"]) for answer in answers} == {(200, "answer-1")}
    outcomes = Counter(log["outcome"] for log in logs_of(alone, caching, 11))
    assert outcomes["success"] == 1
    assert outcomes["cached"] >= 5
    assert set(outcomes) <= {"success", "cached", "client_gone"}


def test_when_the_one_who_asks_gets_an_error_the_others_ask_for_themselves_at_once(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("held-error")
    waiting = at_once(alone, caching, model, 10)
    wait_for_asked(origin, model, 1)
    origin.release(model)
    answers = [one.result(60) for one in waiting]
    assert {answer.status for answer in answers} == {500}
    assert {status(answer) for answer in answers} == {"MISS"}
    assert len(origin.asked(model)) == 10


def test_a_leader_that_reads_slowly_holds_nobody_up_for_long(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    """It reads nothing at all of an answer larger than every buffer between."""
    model = "sized:24000000"
    slow = hold_on(alone, caching, chat_body(model))
    wait_for_asked(origin, model, 1)
    answer = alone.chat(caching, model)
    assert (answer.status, len(answer.body), status(answer)) == (200, 24_000_000, "MISS")
    slow.close()


def test_a_follower_waits_for_an_answer_that_has_begun(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("slow-body")
    waiting = at_once(alone, caching, model, 5)
    wait_for_asked(origin, model, 1)
    origin.release(model)
    assert {one.result(60).json["id"] for one in waiting} == {"answer-1"}
    assert len(origin.asked(model)) == 1


# Several processes, changes, crashes


def test_processes_share_what_is_kept(pair: Server, origin: KeepingUpstream) -> None:
    gateway, model = a_gateway(pair, cache_ttl=600), a_model("numbered")
    first = pair.chat(gateway, model)
    answers = [pair.chat(gateway, model) for _ in range(20)]  # each on a connection, so on a process, of its own
    assert {status(answer) for answer in answers} == {"HIT"}
    assert {answer.body for answer in answers} == {first.body}
    assert len(origin.asked(model)) == 1


def test_a_hundred_identical_requests_to_two_processes_make_one_call(pair: Server, origin: KeepingUpstream) -> None:
    gateway, model = a_gateway(pair, cache_ttl=600), a_model("held")
    waiting = at_once(pair, gateway, model, 100)
    wait_for_asked(origin, model, 1)
    origin.release(model)
    answers = [one.result(60) for one in waiting]
    assert {answer.status for answer in answers} == {200}
    assert Counter(map(status, answers)) == {"MISS": 1, "HIT": 99}
    assert len(origin.asked(model)) == 1


def test_what_fails_in_one_process_is_asked_for_at_once_in_the_other(pair: Server, origin: KeepingUpstream) -> None:
    gateway, model = a_gateway(pair, cache_ttl=600), a_model("held-error")
    waiting = at_once(pair, gateway, model, 20)
    wait_for_asked(origin, model, 1)
    origin.release(model)
    answers = [one.result(60) for one in waiting]
    assert {answer.status for answer in answers} == {500}
    assert {status(answer) for answer in answers} == {"MISS"}
    assert len(origin.asked(model)) == 20


def test_when_the_process_that_asks_is_killed_the_other_one_asks(tmp_path: Path, origin: KeepingUpstream) -> None:
    with running_server(tmp_path, origin.url, workers=2) as server:
        gateway, model = a_gateway(server, cache_ttl=600), a_model("held")
        waiting = at_once(server, gateway, model, 20)
        wait_for_asked(origin, model, 1)
        time.sleep(0.3)  # both have some of them by now; the test holds whether or not they do
        os.kill(leading_process(server), signal.SIGKILL)
        last = at_once(server, gateway, model, 1)[0]
        wait_for_asked(origin, model, 2)
        origin.release(model)
        assert last.result(60).status == 200
        for one in waiting:
            assert isinstance(one.exception(60), OSError | http.client.HTTPException | None)
    assert len(origin.asked(model)) == 2


def leading_process(server: Server) -> int:
    """Who has a lock on the file of flights."""
    inode = (server.data / "flights").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, _, _, process, place, *_ = line.split()
        if kind == "POSIX" and place.rpartition(":")[2] == str(inode):
            return int(process)
    raise AssertionError("no process has the lead")


def put(server: Server, gateway: str, **settings: Any) -> None:
    server.manage("PUT", f"/gateways/{gateway}", {**GATEWAY_REQUIRED, "cache_ttl": 600, **settings})


def test_a_change_empties_the_cache_where_the_gateway_says_so(pair: Server) -> None:
    gateway, other, model = a_gateway(pair, cache_ttl=600), a_gateway(pair, cache_ttl=600), a_model("numbered")
    assert [status(pair.chat(gateway, model)) for _ in range(2)] == ["MISS", "HIT"]
    put(pair, gateway)
    assert status(pair.chat(gateway, model)) == "HIT"
    pair.chat(other, model)
    put(pair, gateway, cache_invalidate_on_update=True)
    assert [status(pair.chat(gateway, model)) for _ in range(2)] == ["MISS", "HIT"]
    put(pair, gateway)
    assert status(pair.chat(gateway, model)) == "MISS"
    assert status(pair.chat(other, model)) == "HIT"


def test_an_answer_on_its_way_during_the_change_is_not_kept(alone: Server, origin: KeepingUpstream) -> None:
    gateway = a_gateway(alone, cache_ttl=600, cache_invalidate_on_update=True)
    model = a_model("held")
    early = at_once(alone, gateway, model, 1)[0]
    wait_for_asked(origin, model, 1)
    put(alone, gateway, cache_invalidate_on_update=True)
    late = at_once(alone, gateway, model, 1)[0]
    wait_for_asked(origin, model, 2)  # who comes after the change does not wait for who came before
    origin.release(model)
    assert (early.result(60).json["id"], late.result(60).json["id"]) == ("answer-1", "answer-2")
    again = alone.chat(gateway, model)
    assert (status(again), again.json["id"]) == ("HIT", "answer-2")


def test_a_gateway_of_the_same_name_begins_with_an_empty_cache(alone: Server) -> None:
    gateway, model = a_gateway(alone, cache_ttl=600), a_model("numbered")
    assert [status(alone.chat(gateway, model)) for _ in range(2)] == ["MISS", "HIT"]
    alone.manage("DELETE", f"/gateways/{gateway}")
    alone.make_gateway(gateway, cache_ttl=600)
    assert status(alone.chat(gateway, model)) == "MISS"


def test_what_is_kept_outlives_kill_9(tmp_path: Path, origin: KeepingUpstream) -> None:
    with running_server(tmp_path, origin.url, workers=2) as server:
        gateway, model = server.make_gateway(cache_ttl=600), a_model("numbered")
        first = server.chat(gateway, model)
        waiting = at_once(server, gateway, a_model("held"), 3)
        server.kill()
        assert all(one.exception(60) is not None for one in waiting)
        server.start()
        again = server.chat(gateway, model)
        assert (status(again), again.body) == ("HIT", first.body)
        assert again.json["choices"][0]["message"]["content"] == "".join(WORDS)


# The other endpoints


def test_only_the_first_step_of_a_universal_request_is_cached(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    def step(model: str) -> dict[str, Any]:
        headers = {"authorization": "Bearer sk-the-providers-own-key", "content-type": "application/json"}
        query = {"model": model, "messages": [{"role": "user", "content": "Say hello."}]}
        return {"provider": "openai", "endpoint": "v1/chat/completions", "headers": headers, "query": query}

    def ask(*models: str) -> Answer:
        return alone.call("POST", alone.gateway_url(caching), [step(model) for model in models], headers={})

    good, better = a_model("numbered"), a_model("numbered")
    fallen = [ask("error-500", good) for _ in range(2)]
    assert [(status(one), one.headers["cf-aig-step"]) for one in fallen] == [("MISS", "1")] * 2
    assert [one.json["id"] for one in fallen] == ["answer-1", "answer-2"]
    firsts = [ask(better, good) for _ in range(2)]
    assert [(status(one), one.headers["cf-aig-step"]) for one in firsts] == [("MISS", "0"), ("HIT", "0")]
    assert len(origin.asked(better)) == 1


def test_the_compatible_endpoint_is_cached_apart_from_the_native_one(
    alone: Server, caching: str, origin: KeepingUpstream
) -> None:
    model = a_model("numbered")
    url = f"{alone.gateway_url(caching)}/compat/chat/completions"
    sent = {"authorization": "Bearer sk-the-providers-own-key"}
    body = {"model": f"openai/{model}", "messages": [{"role": "user", "content": "Say hello."}]}
    answers = [alone.call("POST", url, body, sent) for _ in range(2)]
    assert [status(answer) for answer in answers] == ["MISS", "HIT"]
    assert {answer.headers["cf-aig-model"] for answer in answers} == {model}
    assert answers[0].body == answers[1].body
    assert status(alone.chat(caching, model)) == "MISS"
    keyed = {**sent, "cf-aig-cache-key": "k"}
    assert status(alone.call("POST", url, body, keyed)) == "MISS"
    assert status(alone.chat(caching, model, headers={"cf-aig-cache-key": "k"})) == "MISS"
