"""Listing and deleting logs: every filter, order and page."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core import ids
from gaugeway.core.model import Logged, LogRecord, Outcome, Usage
from gaugeway.core.ports import Extremes, Retention
from gaugeway.core.query import KEYS, ORDERS, Kind
from gaugeway.management.log_query import LogList, where_of
from support.control_plane import A_FULL_LOG, NOW, ControlPlane, error
from support.filter_oracle import select

LOGS = "/gateways/main/logs"


@pytest.fixture
def logs(plane: ControlPlane) -> list[str]:
    """Ids of ten logs, oldest first: one a second, each unlike the others."""
    plane.make_gateway()
    made: list[str] = []
    for index in range(10):
        made.append(
            plane.log(
                at=NOW + index * 1000,
                provider="openai" if index % 2 else "anthropic",
                model=f"model-{index % 3}",
                outcome=Outcome.SUCCESS if index < 8 else Outcome.UPSTREAM_ERROR,
                duration=index * 100,
                cost=None if index == 0 else Decimal(index) / 1000,
                usage=Usage(tokens_in=index, tokens_out=index * 2) if index else Usage(),
                feedback=(None, 1, -1)[index % 3],
                metadata={"user": f"user {index}", "n": index},
                event_id=f"event-{index}" if index % 2 else None,
                request_content_type="application/json",
                response_content_type="text/event-stream" if index == 3 else "application/json",
                model_type="chat" if index < 5 else None,
            )
        )
    return made


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["result"]]


def test_what_was_logged_a_moment_ago_is_listed_newest_first(plane: ControlPlane, logs: list[str]) -> None:
    assert plane.sink.waiting
    answer = plane.get(LOGS)
    assert ids_of(answer) == logs[::-1]
    assert answer["messages"] == []
    assert answer["result_info"] == {"count": 10, "page": 1, "per_page": 20, "total_count": 10, "total_pages": 1}


def test_an_answer_that_may_lack_the_newest_logs_says_so(plane: ControlPlane, logs: list[str]) -> None:
    plane.sink.stuck = True
    answer = plane.get(LOGS)
    assert ids_of(answer) == []
    (message,) = answer["messages"]
    assert "newest logs may be missing" in message["message"]
    plane.sink.stuck = False
    plane.sink.waiting.clear()


def test_a_full_gateway_says_what_it_left_out(plane: ControlPlane) -> None:
    plane.make_gateway(log_management=10_000, log_management_strategy="STOP_INSERTING")
    batch = [
        Logged(
            LogRecord(
                account_id=plane.account_id,
                gateway_id="main",
                id=plane.installation.make_id(),
                provider="openai",
                outcome=Outcome.SUCCESS,
                duration=1,
            )
        )
        for _ in range(3)
    ]
    plane.stores.logs.append(batch, lambda _scope: Retention(1, "STOP_INSERTING"))
    answer = plane.get(LOGS)
    assert len(answer["result"]) == 1
    assert [message["message"].split()[0] for message in answer["messages"]] == ["2"]
    assert "STOP_INSERTING" in answer["messages"][0]["message"]


def test_pages(plane: ControlPlane, logs: list[str]) -> None:
    for page, expected in ((1, logs[:5:-1]), (2, logs[5:1:-1]), (3, logs[1::-1]), (4, [])):
        answer = plane.get(LOGS, page=page, per_page=4)
        assert ids_of(answer) == expected
        assert answer["result_info"] == {
            "count": len(expected),
            "page": page,
            "per_page": 4,
            "total_count": 10,
            "total_pages": 3,
        }
    assert ids_of(plane.get(LOGS, page=1_000_000_000, per_page=50)) == []


@pytest.mark.parametrize("query", ["per_page=51", "per_page=0", "page=0", "page=1000000001", "count=fast"])
def test_bad_pages(plane: ControlPlane, query: str) -> None:
    plane.make_gateway()
    name = query.partition("=")[0]
    assert error(plane.call("GET", f"{LOGS}?{query}"))[:2] == (7001, ["query", name])


@pytest.mark.parametrize("order_by", ORDERS)
def test_every_order(plane: ControlPlane, logs: list[str], order_by: str) -> None:
    rising = plane.get(LOGS, order_by=order_by, order_by_direction="asc")["result"]
    falling = plane.get(LOGS, order_by=order_by, order_by_direction="desc")["result"]
    for shown, sign in ((rising, 1), (falling, -1)):
        known = [item[order_by] for item in shown if item[order_by] is not None]
        assert known == [item[order_by] for item in shown[: len(known)]], "unknown ones come last"
        assert known == (sorted(known) if sign == 1 else sorted(known, reverse=True))
    assert {item["id"] for item in rising} == {item["id"] for item in falling} == set(logs)


def test_the_deprecated_direction(plane: ControlPlane, logs: list[str]) -> None:
    assert ids_of(plane.get(LOGS, direction="asc")) == logs
    assert ids_of(plane.get(LOGS, direction="asc", order_by_direction="asc")) == logs
    answer = plane.call("GET", f"{LOGS}?direction=asc&order_by_direction=desc")
    assert error(answer)[:2] == (7001, ["query", "direction"])


@pytest.mark.parametrize("query", ["order_by=path", "order_by_direction=up", "direction=DESC"])
def test_bad_orders(plane: ControlPlane, query: str) -> None:
    plane.make_gateway()
    code, path, message = error(plane.call("GET", f"{LOGS}?{query}"))
    assert (code, path) == (7001, ["query", query.partition("=")[0]])
    assert message.startswith("Invalid enum value. Expected '")


SIMPLE: list[tuple[dict[str, Any], Callable[[int], bool]]] = [
    ({"provider": "openai"}, lambda i: i % 2 == 1),
    ({"model": "model-1"}, lambda i: i % 3 == 1),
    ({"model_type": "chat"}, lambda i: i < 5),
    ({"success": "false"}, lambda i: i >= 8),
    ({"success": "true", "provider": "openai"}, lambda i: i < 8 and i % 2 == 1),
    ({"cached": "false"}, lambda i: True),
    ({"cached": "true"}, lambda i: False),
    ({"feedback": 1}, lambda i: i % 3 == 1),
    ({"feedback": -1}, lambda i: i % 3 == 2),
    ({"feedback": 0}, lambda i: i % 3 == 0),
    ({"request_content_type": "application/json"}, lambda i: True),
    ({"response_content_type": "text/event-stream"}, lambda i: i == 3),
    ({"min_cost": 0.005}, lambda i: i >= 5),
    ({"max_cost": 0.005}, lambda i: 1 <= i <= 5),
    ({"min_cost": 0.005, "max_cost": "5e-3"}, lambda i: i == 5),
    ({"min_cost": 0.0050000000001}, lambda i: i >= 6),
    ({"min_cost": 0}, lambda i: i >= 1),
    ({"min_duration": 300, "max_duration": 500}, lambda i: 3 <= i <= 5),
    ({"min_duration": 300.5}, lambda i: i >= 4),
    ({"max_duration": 299.5}, lambda i: i <= 2),
    ({"min_tokens_in": 3, "max_tokens_in": 3}, lambda i: i == 3),
    ({"min_tokens_out": 7, "max_tokens_out": 9}, lambda i: i == 4),
    ({"min_total_tokens": 9, "max_total_tokens": 12}, lambda i: i in (3, 4)),
    ({"start_date": "2026-11-18T11:06:43Z"}, lambda i: i >= 3),
    ({"end_date": "2026-11-18T11:06:43.000Z"}, lambda i: i <= 3),
    ({"start_date": "2026-11-18T12:06:41+01:00", "end_date": "2026-11-18T11:06:42"}, lambda i: i in (1, 2)),
    ({"start_date": "2026-11-19"}, lambda i: False),
    ({"search": "USER 7"}, lambda i: i == 7),
    ({"search": "%"}, lambda i: False),
]


@pytest.mark.parametrize(("query", "meant"), SIMPLE, ids=[json.dumps(query) for query, _ in SIMPLE])
def test_every_simple_parameter(
    plane: ControlPlane, logs: list[str], query: dict[str, Any], meant: Callable[[int], bool]
) -> None:
    answer = plane.get(LOGS, **query)
    assert ids_of(answer) == [logs[index] for index in reversed(range(10)) if meant(index)]
    assert answer["result_info"]["total_count"] == len(answer["result"])


def test_all_the_documented_parameters_are_known() -> None:
    amounts = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
    documented = {f"{end}_{amount}" for end in ("min", "max") for amount in amounts} | {
        *("cached", "direction", "end_date", "feedback", "filters", "meta_info", "model", "model_type"),
        *("order_by", "order_by_direction", "page", "per_page", "provider", "request_content_type"),
        *("response_content_type", "search", "start_date", "success"),
    }
    known = {field.alias or name for name, field in LogList.model_fields.items()}
    assert known - documented == {"count", "filters.key", "filters.operator", "filters.value"}
    assert documented <= known


@pytest.mark.parametrize(
    "query",
    [
        "success=maybe",
        "feedback=2",
        "feedback=0.5",
        "min_cost=cheap",
        "min_cost=-1",
        "max_cost=inf",
        "max_cost=nan",
        "max_tokens_in=1e999",
        "min_duration=1e16",
        "start_date=yesterday",
        "end_date=",
        "meta_info=perhaps",
        "providr=openai",
        "filter=[]",
        "filters%5B0%5D%5Bkey%5D=model",
        "search=" + "x" * 1001,
    ],
)
def test_bad_parameters(plane: ControlPlane, query: str) -> None:
    plane.make_gateway()
    code, path, _ = error(plane.call("GET", f"{LOGS}?{query}"))
    assert (code, path[0]) == (7001, "query")
    assert path[1] == query.partition("=")[0].replace("%5B", "[").replace("%5D", "]")


def test_filters_and_simple_parameters_hold_together(plane: ControlPlane, logs: list[str]) -> None:
    filters = json.dumps(
        [
            {"key": "cost", "operator": "gt", "value": [0.002]},
            {"key": "model", "operator": "neq", "value": ["model-0"]},
        ]
    )
    answer = plane.get(LOGS, filters=filters, provider="openai", order_by="duration", order_by_direction="asc")
    assert ids_of(answer) == [logs[5], logs[7]]


def _example(kind: Kind) -> Any:
    examples: dict[Kind, Any] = {
        Kind.TEXT: "x",
        Kind.NUMBER: 1,
        Kind.MONEY: 0.5,
        Kind.FLAG: True,
        Kind.TIME: "2026-01-01",
        Kind.ID: "01890000-0000-7000-8000-000000000000",
        Kind.FEEDBACK: 1,
        Kind.BODY: "x",
    }
    return examples[kind]


@pytest.mark.parametrize("key", KEYS)
def test_every_filter_key_is_accepted(plane: ControlPlane, key: str) -> None:
    plane.make_gateway()
    operator = "contains" if KEYS[key] is Kind.BODY else "eq"
    document = json.dumps([{"key": key, "operator": operator, "value": [_example(KEYS[key])]}])
    assert plane.get(LOGS, filters=document)["result"] == []
    assert plane.call("DELETE", LOGS, params={"filters": document}).json() == {"success": True}


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"key": "colour", "operator": "eq", "value": ["x"]}, [0, "key"]),
        ({"key": "model", "operator": "is", "value": ["x"]}, [0, "operator"]),
        ({"key": "model", "operator": "lt", "value": ["x"]}, [0, "operator"]),
        ({"key": "cost", "operator": "contains", "value": [1]}, [0, "operator"]),
        ({"key": "cost", "operator": "gt", "value": [1, 2]}, [0, "value"]),
        ({"key": "cost", "operator": "eq", "value": []}, [0, "value"]),
        ({"key": "cost", "operator": "eq", "value": [1, "x"]}, [0, "value", 1]),
        ({"key": "created_at", "operator": "gt", "value": ["noon"]}, [0, "value", 0]),
    ],
)
def test_bad_filters_change_nothing(plane: ControlPlane, logs: list[str], item: Any, path: list[Any]) -> None:
    for method in ("GET", "DELETE"):
        answer = plane.call(method, LOGS, params={"filters": json.dumps([item])})
        assert error(answer)[:2] == (7001, ["query", "filters", *path])
    assert len(plane.get(LOGS)["result"]) == 10


def test_every_encoding_of_filters_reaches_the_store(plane: ControlPlane, logs: list[str]) -> None:
    for query in (
        'filters=[{"key":"provider","operator":"eq","value":["openai"]},{"key":"cost","operator":"gt","value":[0.006]}]',
        "filters.key=provider&filters.operator=eq&filters.value=openai&filters.key=cost&filters.operator=gt&filters.value=0.006",
        "filters.key=provider&filters.key=cost&filters.operator=eq&filters.operator=gt&filters.value=openai&filters.value=0.006",
    ):
        assert ids_of(plane.call("GET", f"{LOGS}?{query}").json()) == [logs[9], logs[7]]


# --- event ids --------------------------------------------------------------------------------------------


def _by_event(plane: ControlPlane, operator: str, *values: Any) -> list[str]:
    return ids_of(plane.get(LOGS, filters=json.dumps([{"key": "event_id", "operator": operator, "value": values}])))


def test_a_log_is_found_by_the_event_id_that_it_shows(plane: ControlPlane, logs: list[str]) -> None:
    shown = {item["id"]: item["event_id"] for item in plane.get(LOGS)["result"]}
    for index, identifier in enumerate(logs):
        expected = f"event-{index}" if index % 2 else identifier
        assert shown[identifier] == expected
        assert _by_event(plane, "eq", expected) == [identifier]
        assert _by_event(plane, "neq", expected) == [other for other in reversed(logs) if other != identifier]
    assert _by_event(plane, "eq", "event-3", logs[4], "nothing") == [logs[4], logs[3]]
    assert _by_event(plane, "eq", logs[3]) == [], "log 3 has another event id"
    assert _by_event(plane, "neq", "event-3", logs[4]) == [one for one in reversed(logs) if one not in logs[3:5]]
    assert _by_event(plane, "eq", None) == logs[8::-2], "null: the client sent none"


def test_event_ids_may_be_asked_for_many_times(plane: ControlPlane, logs: list[str]) -> None:
    one = {"key": "event_id", "operator": "neq", "value": ["event-1"]}
    assert len(plane.get(LOGS, filters=json.dumps([one] * 50))["result"]) == 9


def test_event_ids_in_groups_mean_what_is_shown_too(plane: ControlPlane, logs: list[str]) -> None:
    either = {"key": "event_id", "operator": "eq", "value": ["event-3", logs[4]]}
    group = {"any_of": [either, {"key": "response_content_type", "operator": "eq", "value": ["text/event-stream"]}]}
    assert ids_of(plane.get(LOGS, filters=json.dumps([group]))) == [logs[4], logs[3]]
    others = [one for one in reversed(logs) if one not in logs[3:5]]
    assert ids_of(plane.get(LOGS, filters=json.dumps([{"none_of": [either]}]))) == others


EVENT = st.one_of(st.none(), st.sampled_from(["a", "b"]))
OWN = [bytes([1, 2, 3, 4, 5, 6, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number]) for number in range(3)]
WANTED = st.sampled_from(["a", "b", "c", *map(ids.to_text, OWN)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(EVENT, min_size=3, max_size=3),
    st.lists(
        st.tuples(st.sampled_from(["eq", "neq"]), st.lists(WANTED, min_size=1, max_size=3)), min_size=1, max_size=3
    ),
)
def test_event_id_filters_against_what_is_shown(
    events: list[str | None], filters: list[tuple[str, list[str]]]
) -> None:
    records = [
        LogRecord(
            account_id="a",
            gateway_id="g",
            id=own,
            provider="p",
            outcome=Outcome.SUCCESS,
            duration=1,
            event_id=event,
        )
        for own, event in zip(OWN, events, strict=True)
    ]
    document = json.dumps([{"key": "event_id", "operator": op, "value": values} for op, values in filters])
    found = select(records, where_of([("filters", document)]))
    assert found == [
        record
        for record in records
        if all(
            ((record.event_id or ids.to_text(record.id)) in values) == (operator == "eq")
            for operator, values in filters
        )
    ]


# --- figures ----------------------------------------------------------------------------------------------


def test_meta_info_adds_the_extremes_of_what_was_selected(plane: ControlPlane, logs: list[str]) -> None:
    info = plane.get(LOGS, meta_info="true", per_page=1, success="true")["result_info"]
    assert info == {
        "count": 1,
        "page": 1,
        "per_page": 1,
        "total_count": 8,
        "total_pages": 8,
        "min_cost": 0.001,
        "max_cost": 0.007,
        "min_duration": 0,
        "max_duration": 700,
        "min_tokens_in": 1,
        "max_tokens_in": 7,
        "min_tokens_out": 2,
        "max_tokens_out": 14,
        "min_total_tokens": 3,
        "max_total_tokens": 21,
    }
    empty = plane.get(LOGS, meta_info="true", provider="nobody")["result_info"]
    assert empty["min_cost"] is None
    assert empty["total_count"] == 0


def test_figures_that_take_long_to_find_are_null_and_said_to_be(plane: ControlPlane, logs: list[str]) -> None:
    store = plane.stores.logs

    class Slow:
        page, count, refused = store.page, store.count, store.refused

        def extremes(self, scope: Any, where: Any, *, budget_ms: int | None = None) -> Extremes | None:
            return None if budget_ms is not None else store.extremes(scope, where)

    with plane.installation.with_parts(logs=Slow()) as client:
        token = {"authorization": f"Bearer {plane.text_of('reader')}"}

        def ask(**params: str) -> dict[str, Any]:
            return client.get(plane.prefix + LOGS, headers=token, params=params).json()

        quick, exact, without = ask(meta_info="true"), ask(meta_info="true", count="exact"), ask()
    assert (quick["result_info"]["min_cost"], quick["result_info"]["max_duration"]) == (None, None)
    assert quick["result_info"]["total_count"] == 10
    assert len(quick["result"]) == 10
    (message,) = quick["messages"]
    assert "count=exact insists" in message["message"]
    assert (exact["result_info"]["max_duration"], exact["messages"]) == (900, [])
    assert without["messages"] == []


def test_an_unknown_count_is_null_unless_insisted_on(plane: ControlPlane, logs: list[str]) -> None:
    store = plane.stores.logs

    class Slow:
        page, extremes, refused = store.page, store.extremes, store.refused

        def count(self, scope: Any, where: Any, *, budget_ms: int | None = None) -> int | None:
            return None if budget_ms is not None else store.count(scope, where)

    with plane.installation.with_parts(logs=Slow()) as client:
        headers = {"authorization": f"Bearer {plane.text_of('reader')}"}
        quick = client.get(f"{plane.prefix}{LOGS}?page=2&per_page=4", headers=headers).json()
        exact = client.get(f"{plane.prefix}{LOGS}?page=2&per_page=4&count=exact", headers=headers).json()
    assert (quick["result_info"]["total_count"], quick["result_info"]["total_pages"]) == (None, None)
    assert (exact["result_info"]["total_count"], exact["result_info"]["total_pages"]) == (10, 3)
    assert ids_of(quick) == ids_of(exact) == logs[5:1:-1]


# --- deletion ---------------------------------------------------------------------------------------------


def test_delete_by_filter(plane: ControlPlane, logs: list[str]) -> None:
    document = json.dumps([{"key": "success", "operator": "eq", "value": [False]}])
    answer = plane.call("DELETE", LOGS, params={"filters": document})
    assert answer.json() == {"success": True}
    assert ids_of(plane.get(LOGS)) == logs[7::-1]


def test_delete_takes_the_first_of_the_order(plane: ControlPlane, logs: list[str]) -> None:
    assert plane.call("DELETE", LOGS, params={"limit": 2}).status_code == 200
    assert ids_of(plane.get(LOGS)) == logs[:1:-1], "the oldest go first"
    query = {"limit": 3, "order_by": "cost", "order_by_direction": "desc"}
    assert plane.call("DELETE", LOGS, params=query).status_code == 200
    assert ids_of(plane.get(LOGS)) == logs[6:1:-1]


def test_delete_everything_includes_what_was_logged_a_moment_ago(plane: ControlPlane, logs: list[str]) -> None:
    assert plane.sink.waiting
    assert plane.call("DELETE", LOGS).status_code == 200
    assert plane.get(LOGS)["result"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=10001", "limit=x", "order_by=path", "filter=[]", "provider=openai", "search=x"]
)
def test_a_deletion_that_is_not_understood_deletes_nothing(
    plane: ControlPlane, logs: list[str], query: str
) -> None:
    code, path, _ = error(plane.call("DELETE", f"{LOGS}?{query}"))
    assert (code, path) == (7001, ["query", query.partition("=")[0]])
    assert len(plane.get(LOGS)["result"]) == 10


@pytest.mark.parametrize("body", [b'{"filters":[]}', b"[]", b"{", b"null"])
def test_a_deletion_with_a_body_deletes_nothing(plane: ControlPlane, logs: list[str], body: bytes) -> None:
    assert error(plane.call("DELETE", LOGS, content=body))[:2] == (7001, ["body"])
    assert len(plane.get(LOGS)["result"]) == 10


def test_a_deletion_waits_for_logs_on_their_way_or_refuses(plane: ControlPlane, logs: list[str]) -> None:
    plane.sink.stuck = True
    assert error(plane.call("DELETE", LOGS), 503)[0] == 10503
    plane.sink.stuck = False
    assert len(plane.get(LOGS)["result"]) == 10


def test_a_deletion_goes_on_where_there_is_no_room_for_logs_on_their_way_and_says_so(
    plane: ControlPlane, logs: list[str]
) -> None:
    plane.get(LOGS)
    late = plane.log()
    plane.sink.stuck = plane.sink.full = True
    answer = plane.call("DELETE", LOGS)
    assert answer.status_code == 200
    (message,) = answer.json()["messages"]
    assert message["code"] == 10503
    assert "this deletion has not seen them" in message["message"]
    plane.sink.stuck = plane.sink.full = False
    assert [log["id"] for log in plane.get(LOGS)["result"]] == [late]
    assert plane.call("DELETE", LOGS).json() == {"success": True}


def test_a_gateway_outlives_logs_for_which_there_is_no_room_even_then(plane: ControlPlane, logs: list[str]) -> None:
    """They would come into a later gateway of the same id."""
    plane.get(LOGS)
    plane.sink.stuck = plane.sink.full = True
    assert error(plane.call("DELETE", "/gateways/main"), 503)[0] == 10503
    plane.sink.stuck = plane.sink.full = False
    assert plane.get(LOGS)["result"] == []
    assert plane.call("DELETE", "/gateways/main").status_code == 200


def test_deleting_a_gateway_deletes_its_logs(plane: ControlPlane, logs: list[str]) -> None:
    plane.get(LOGS)
    late = plane.log()
    assert plane.call("DELETE", "/gateways/main").status_code == 200
    assert error(plane.call("GET", LOGS), 404)[0] == 7002
    plane.make_gateway()
    assert plane.get(LOGS)["result"] == []
    assert error(plane.call("GET", f"{LOGS}/{late}"), 404)[0] == 7002


def test_one_gateways_logs_are_not_anothers(plane: ControlPlane, logs: list[str]) -> None:
    plane.make_gateway("other")
    assert plane.get("/gateways/other/logs")["result"] == []
    for method, tail in (("GET", ""), ("PATCH", ""), ("GET", "/request"), ("GET", "/response")):
        body = {} if method == "PATCH" else None
        assert error(plane.call(method, f"/gateways/other/logs/{logs[0]}{tail}", body), 404)[0] == 7002
    plane.call("DELETE", "/gateways/other/logs")
    assert len(plane.get(LOGS)["result"]) == 10


def test_a_listed_log(plane: ControlPlane) -> None:
    plane.make_gateway()
    identifier = plane.log(at=NOW + 123, **A_FULL_LOG)
    (shown,) = plane.get(LOGS)["result"]
    assert shown == {
        "id": identifier,
        "created_at": "2026-11-18T11:06:40.123Z",
        "provider": "openai",
        "model": "gpt-5",
        "model_type": "chat",
        "path": "v1/chat/completions",
        "method": "POST",
        "duration": 100,
        "request_type": "Universal",
        "request_content_type": "application/json",
        "response_content_type": "application/json",
        "status_code": 200,
        "success": True,
        "outcome": "success",
        "error": None,
        "cached": False,
        "tokens_in": 10,
        "tokens_out": 5,
        "usage_metadata": {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "output_reasoning_tokens": 2,
            "input_cached_tokens": 3,
        },
        "usage_estimated": False,
        "response_model": "gpt-5-2026-01-01",
        "cost": 0.000123456789,
        "cost_exact": "0.000123456789",
        "cost_reason": None,
        "cost_is_minimum": False,
        "priced_by": None,
        "byok": False,
        "byok_alias": None,
        "cost_saved": None,
        "custom_cost": True,
        "metadata": {"user": "ann", "n": 1, "beta": True},
        "step": 1,
        "event_id": "my-event",
        "user_agent": "curl/8",
        "authentication": True,
        "feedback": 1,
        "score": 80.0,
        "first_byte_ms": 40,
        "timings": {"total": 100, "latency": 40},
        "request_size": 11,
        "response_size": 12,
        "attempts": [
            {
                "provider": "openai",
                "step": 0,
                "status_code": 500,
                "duration": 7,
                "error": "broken",
                "may_be_billed": False,
                "counted": None,
                "cost_exact": None,
                "usage_metadata": None,
            }
        ],
        "dynamic_route": {"name": "my-route", "version_id": "v1", "path": ["start", "m"]},
        "bodies_lost": False,
    }


def test_what_is_not_known_is_null_and_never_zero(plane: ControlPlane) -> None:
    plane.make_gateway()
    plane.log(outcome=Outcome.CLIENT_GONE, status_code=None, cost_reason="no price is known for this model")
    (shown,) = plane.get(LOGS)["result"]
    unknown = (
        "cost",
        "cost_exact",
        "tokens_in",
        "tokens_out",
        "usage_metadata",
        "status_code",
        "feedback",
        "score",
    )
    assert {shown[name] for name in unknown} == {None}
    assert shown["cost_reason"] == "no price is known for this model"
    assert (shown["success"], shown["outcome"]) == (False, "client_gone")
