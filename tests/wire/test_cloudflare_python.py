"""The official `cloudflare` Python SDK, with only `base_url` changed: every operation, page and error class."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import cloudflare
import httpx
import pytest
from cloudflare import AsyncCloudflare, Cloudflare

from support.own_account import EMAIL, finished, make_token, some_traffic
from support.server import GATEWAY_REQUIRED, Server
from support.upstream import WORDS

LAST_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


class Wire:
    """A client and the query strings that it sent."""

    def __init__(self, server: Server) -> None:
        self.sent: list[httpx.Request] = []
        http = httpx.Client(event_hooks={"request": [self.sent.append]}, timeout=60)
        self.client = Cloudflare(api_token=server.token, base_url=server.base_url, http_client=http, max_retries=0)
        self.account = server.account_id

    def last_query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.sent[-1].url.query.decode(), keep_blank_values=True)


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    made = Wire(server)
    with made.client:
        yield made


@pytest.fixture(scope="module")
def traffic(server: Server) -> tuple[str, list[str]]:
    """A gateway with logs that tests only read."""
    gateway = server.make_gateway("python-sdk-reads")
    return gateway, some_traffic(server, gateway)


Connect = Callable[..., Cloudflare]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Makes clients with other credentials; closes them at the end."""
    with ExitStack() as stack:

        def make(**credentials: str) -> Cloudflare:
            return stack.enter_context(Cloudflare(**credentials, base_url=server.base_url, max_retries=0))

        yield make


# --- gateways ---------------------------------------------------------------------------------------------


def test_gateways(wire: Wire, server: Server) -> None:
    gateways = wire.client.ai_gateway
    made = gateways.create(
        account_id=wire.account, id="python-crud", authentication=True, log_management=20_000, **GATEWAY_REQUIRED
    )
    assert (made.id, made.authentication, made.log_management, made.cache_ttl) == ("python-crud", True, 20_000, 0)
    assert made.created_at.tzinfo is not None
    assert gateways.get("python-crud", account_id=wire.account) == cloudflare_equal(made)
    updated = gateways.update("python-crud", account_id=wire.account, **{**GATEWAY_REQUIRED, "collect_logs": False})
    assert (updated.collect_logs, updated.authentication, updated.log_management) == (False, False, 10_000_000)
    assert updated.created_at == made.created_at
    url = gateways.urls.get("openai", account_id=wire.account, gateway_id="python-crud")
    assert url == f"{server.url}/v1/{wire.account}/python-crud/openai"
    universal = gateways.urls.get("universal", account_id=wire.account, gateway_id="python-crud")
    assert universal == f"{server.url}/v1/{wire.account}/python-crud/"
    assert gateways.delete("python-crud", account_id=wire.account).id == "python-crud"
    with pytest.raises(cloudflare.NotFoundError):
        gateways.get("python-crud", account_id=wire.account)


def cloudflare_equal(expected: Any) -> Any:
    """Equal to a model of another class of the SDK with the same content."""

    class Same:
        def __eq__(self, other: object) -> bool:
            return other.to_dict() == expected.to_dict()

        __hash__ = None

    return Same()


def test_the_pager_ends(wire: Wire) -> None:
    names = {f"python-page-{index}" for index in range(7)}
    for name in names:
        wire.client.ai_gateway.create(account_id=wire.account, id=name, **GATEWAY_REQUIRED)
    before = len(wire.sent)
    listed = [
        item.id for item in wire.client.ai_gateway.list(account_id=wire.account, search="ON-PAGE-", per_page=3)
    ]
    assert sorted(listed) == sorted(names)
    assert len(listed) == 7
    assert len(wire.sent) - before == 4, "three pages, and the empty one that ends it"


# --- logs -------------------------------------------------------------------------------------------------


def test_logs_over_several_pages(wire: Wire, traffic: tuple[str, list[str]]) -> None:
    gateway, logs = traffic
    pager = wire.client.ai_gateway.logs.list(gateway, account_id=wire.account, per_page=4)
    assert [item.id for item in pager] == logs[::-1]
    first = wire.client.ai_gateway.logs.list(gateway, account_id=wire.account, per_page=4, meta_info=True)
    assert first.result_info is not None
    info = first.result_info.to_dict()
    assert (info["count"], info["per_page"], info["total_count"], info["total_pages"]) == (4, 4, 6, 2)
    assert (info["min_cost"], info["max_cost"]) == (0, 0.005)


def test_a_log(wire: Wire, traffic: tuple[str, list[str]]) -> None:
    gateway, logs = traffic
    log = wire.client.ai_gateway.logs.get(logs[2], account_id=wire.account, gateway_id=gateway)
    assert (log.id, log.provider, log.model, log.success, log.cached) == (logs[2], "openai", "ok-2", True, False)
    assert (log.tokens_in, log.tokens_out, log.cost, log.custom_cost) == (20, 10, 0.002, True)
    assert (log.status_code, log.step) == (200, 0)
    assert log.path == "v1/chat/completions"
    assert log.metadata == {"user": "user-0", "n": 2}
    assert log.request_head is not None
    assert "Say hello." in log.request_head
    assert log.request_head_complete is True
    extra = log.model_extra
    assert (extra["event_id"], extra["cost_exact"], extra["outcome"]) == ("event-2", "0.002", "success")


def test_bodies(wire: Wire, traffic: tuple[str, list[str]]) -> None:
    gateway, logs = traffic
    request: Any = wire.client.ai_gateway.logs.request(logs[2], account_id=wire.account, gateway_id=gateway)
    assert request["model"] == "ok-2"
    response: Any = wire.client.ai_gateway.logs.response(logs[2], account_id=wire.account, gateway_id=gateway)
    assert response["choices"][0]["message"]["content"] == "".join(WORDS)


SIMPLE: list[tuple[dict[str, Any], list[int]]] = [
    ({"success": False}, [5]),
    ({"model": "ok-3"}, [3]),
    ({"provider": "openai", "success": True, "min_cost": 0.003}, [4, 3]),
    ({"max_cost": 0.001}, [1, 0]),
    ({"search": "user-1"}, [5, 3, 1]),
    ({"order_by": "model", "order_by_direction": "asc", "max_cost": 0.002}, [0, 1, 2]),
    ({"direction": "asc", "max_total_tokens": 30, "min_tokens_in": 20}, [0, 1, 2, 3, 4]),
    (
        {"start_date": LAST_YEAR, "end_date": "2099-01-01T00:00:00Z", "cached": False, "feedback": 0},
        [5, 4, 3, 2, 1, 0],
    ),
    ({"end_date": LAST_YEAR}, []),
    ({"request_content_type": "application/json", "model_type": "chat", "success": False}, [5]),
]


@pytest.mark.parametrize(("query", "expected"), SIMPLE)
def test_simple_parameters(
    wire: Wire, traffic: tuple[str, list[str]], query: dict[str, Any], expected: list[int]
) -> None:
    gateway, logs = traffic
    listed = wire.client.ai_gateway.logs.list(gateway, account_id=wire.account, **query)
    assert [item.id for item in listed] == [logs[index] for index in expected]


def test_filters_as_this_sdk_sends_them(wire: Wire, traffic: tuple[str, list[str]]) -> None:
    gateway, logs = traffic
    logs_of = wire.client.ai_gateway.logs

    def listed(*filters: Any, **more: Any) -> list[str]:
        return [item.id for item in logs_of.list(gateway, account_id=wire.account, filters=filters, **more)]

    one = {"key": "model", "operator": "eq", "value": ["ok-1", "ok-4"]}
    assert listed(one) == [logs[4], logs[1]]
    several = [
        {"key": "success", "operator": "eq", "value": [True]},
        {"key": "cost", "operator": "gt", "value": [0.001]},
        {"key": "metadata.value", "operator": "eq", "value": ["user-0"]},
    ]
    assert listed(*several) == [logs[4], logs[2]]
    names = [name for name, _ in wire.last_query() if name.startswith("filters")]
    assert names == ["filters.key"] * 3 + ["filters.operator"] * 3 + ["filters.value"] * 3
    with pytest.raises(cloudflare.BadRequestError, match="cannot be told which value belongs to which filter"):
        listed(one, *several)
    as_json = (
        '[{"key":"model","operator":"eq","value":["ok-1","ok-4"]},{"key":"cost","operator":"gt","value":[0.001]}]'
    )
    found = logs_of.list(gateway, account_id=wire.account, extra_query={"filters": as_json})
    assert [item.id for item in found] == [logs[4]]
    assert listed({"key": "event_id", "operator": "eq", "value": ["event-3"]}) == [logs[3]]
    assert listed({"key": "id", "operator": "eq", "value": [logs[0]]}) == [logs[0]]


def test_feedback(wire: Wire, server: Server, gateway: str) -> None:
    logs = some_traffic(server, gateway)
    edit = wire.client.ai_gateway.logs.edit
    for index, body in enumerate(
        ({"feedback": 1}, {"feedback": -1, "score": 12.5}, {"metadata": {"team": "blue"}})
    ):
        assert edit(logs[index], account_id=wire.account, gateway_id=gateway, **body) == {}
    thumbs = wire.client.ai_gateway.logs.list(gateway, account_id=wire.account, feedback=1)
    assert [item.id for item in thumbs] == [logs[0]]
    shown = wire.client.ai_gateway.logs.get(logs[1], account_id=wire.account, gateway_id=gateway).model_extra
    assert (shown["feedback"], shown["score"]) == (-1, 12.5)
    assert edit(logs[1], account_id=wire.account, gateway_id=gateway, feedback=None) == {}
    shown = wire.client.ai_gateway.logs.get(logs[1], account_id=wire.account, gateway_id=gateway).model_extra
    assert (shown["feedback"], shown["score"]) == (None, 12.5)
    with pytest.raises(cloudflare.BadRequestError):
        edit(logs[1], account_id=wire.account, gateway_id=gateway, feedback=0.5)


def test_deleting_logs(wire: Wire, server: Server, gateway: str) -> None:
    logs = some_traffic(server, gateway)
    delete = wire.client.ai_gateway.logs.delete
    failed = [{"key": "success", "operator": "eq", "value": [False]}]
    assert delete(gateway, account_id=wire.account, filters=failed).success is True
    assert delete(gateway, account_id=wire.account, limit=2).success is True
    remaining = wire.client.ai_gateway.logs.list(gateway, account_id=wire.account)
    assert [item.id for item in remaining] == logs[4:1:-1]
    dearest = {"order_by": "cost", "order_by_direction": "desc", "limit": 1}
    assert delete(gateway, account_id=wire.account, **dearest).success is True
    assert delete(gateway, account_id=wire.account).success is True
    assert list(wire.client.ai_gateway.logs.list(gateway, account_id=wire.account)) == []
    for read in (wire.client.ai_gateway.logs.get, wire.client.ai_gateway.logs.request):
        with pytest.raises(cloudflare.NotFoundError):
            read(logs[2], account_id=wire.account, gateway_id=gateway)


# --- datasets and evaluations -----------------------------------------------------------------------------


def test_datasets(wire: Wire, gateway: str) -> None:
    datasets = wire.client.ai_gateway.datasets
    place = {"account_id": wire.account, "gateway_id": gateway}
    filters = [
        {"key": "provider", "operator": "eq", "value": ["openai", "anthropic"]},
        {"key": "created_at", "operator": "gt", "value": ["2026-01-01T00:00:00Z"]},
        {"key": "success", "operator": "eq", "value": [True]},
    ]
    made = [
        datasets.create(gateway, account_id=wire.account, name=f"set {index}", enable=index > 0, filters=filters)
        for index in range(3)
    ]
    assert [item.to_dict() for item in made[0].filters] == filters
    assert datasets.get(made[0].id, **place) == cloudflare_equal(made[0])
    listed = datasets.list(gateway, account_id=wire.account, per_page=2)
    assert [item.id for item in listed] == [item.id for item in reversed(made)]
    enabled = datasets.list(gateway, account_id=wire.account, enable=True, search="SET 1")
    assert [item.id for item in enabled] == [made[1].id]
    changed = datasets.update(made[0].id, **place, name="changed", enable=True, filters=[])
    assert (changed.name, changed.enable, changed.filters) == ("changed", True, [])
    assert [item.id for item in datasets.list(gateway, account_id=wire.account, name="changed")] == [made[0].id]
    assert datasets.delete(made[0].id, **place).id == made[0].id
    with pytest.raises(cloudflare.NotFoundError):
        datasets.get(made[0].id, **place)


def test_groups_and_text_in_bodies_pass_through_the_sdk(
    wire: Wire, server: Server, traffic: tuple[str, list[str]]
) -> None:
    gateway, logs = traffic
    datasets = wire.client.ai_gateway.datasets
    groups: list[Any] = [
        {"any_of": [{"key": "success", "operator": "eq", "value": [False]}, body_has("request_body", '"OK-2"')]},
        {"none_of": [body_has("response_body", "nowhere")]},
    ]
    made = datasets.create(gateway, account_id=wire.account, name="groups", enable=True, filters=groups)
    assert [item.to_dict() for item in made.filters] == groups
    place = {"account_id": wire.account, "gateway_id": gateway}
    plain = [{"key": "success", "operator": "eq", "value": [True]}]
    datasets.update(made.id, **place, name="groups", enable=True, filters=plain)
    more = {"filters": groups}
    changed = datasets.update(made.id, **place, name="groups", enable=True, filters=plain, extra_body=more)
    assert [item.to_dict() for item in datasets.get(made.id, **place).filters] == groups
    assert changed == cloudflare_equal(datasets.get(made.id, **place))
    found = wire.client.ai_gateway.logs.list(
        gateway, account_id=wire.account, extra_query={"filters": json.dumps(groups)}
    )
    everything = {item.id: item for item in wire.client.ai_gateway.logs.list(gateway, account_id=wire.account)}
    expected = [one for one in logs[::-1] if not everything[one].success or everything[one].model == "ok-2"]
    assert [item.id for item in found] == expected
    assert 0 < len(expected) < len(logs)
    evaluation = wire.client.ai_gateway.evaluations.create(
        gateway, account_id=wire.account, name="groups", dataset_ids=[made.id], evaluation_type_ids=["speed"]
    )
    finished(server, gateway, evaluation.id)
    done = wire.client.ai_gateway.evaluations.get(evaluation.id, **place)
    assert done.total_logs == len(expected)
    assert [item.to_dict() for item in done.datasets[0].filters] == groups
    with pytest.raises(cloudflare.BadRequestError) as refused:
        datasets.create(
            gateway, account_id=wire.account, name="wrong", enable=True, filters=[{"any_of": [{"key": "model"}]}]
        )
    assert refused.value.body["errors"][0]["path"] == ["body", "filters", 0, "any_of", 0, "operator"]


def body_has(key: str, text: str) -> dict[str, Any]:
    return {"key": key, "operator": "contains", "value": [text]}


NEED_PARAMETERS = {
    *("regex", "json_schema", "embedding_similarity", "python"),
    *(f"judge_{name}" for name in ("rubric", "criteria", "factuality", "label", "pairwise")),
    *(f"panel_{name}" for name in ("rubric", "criteria", "factuality", "label")),
}


def test_evaluation_types(wire: Wire) -> None:
    listed = list(wire.client.ai_gateway.evaluation_types.list(account_id=wire.account, per_page=5))
    assert {"cost", "speed", "human_feedback"} <= {item.id for item in listed}
    assert all(not item.mandatory and item.description and item.type for item in listed)
    assert {item.id for item in listed if not item.enable} <= NEED_PARAMETERS
    by_name = wire.client.ai_gateway.evaluation_types.list(
        account_id=wire.account, order_by="name", order_by_direction="asc"
    )
    assert [item.name for item in by_name] == sorted(item.name for item in listed)


def test_evaluations(wire: Wire, server: Server, traffic: tuple[str, list[str]]) -> None:
    gateway, _ = traffic
    evaluations = wire.client.ai_gateway.evaluations
    filters = [{"key": "success", "operator": "eq", "value": [True]}]
    dataset = wire.client.ai_gateway.datasets.create(
        gateway, account_id=wire.account, name="evaluated", enable=True, filters=filters
    )
    made = evaluations.create(
        gateway,
        account_id=wire.account,
        name="first",
        dataset_ids=[dataset.id],
        evaluation_type_ids=["cost", "speed", "human_feedback"],
    )
    assert [item.evaluation_type_id for item in made.results] == ["cost", "speed", "human_feedback"]
    assert made.datasets[0].account_tag == made.datasets[0].account_id == wire.account
    finished(server, gateway, made.id)
    done = evaluations.get(made.id, account_id=wire.account, gateway_id=gateway)
    assert (done.processed, done.total_logs) == (True, 5)
    cost, speed, feedback = done.results
    assert (cost.result, cost.total_logs, cost.status) == ("0.002", 5, 2)
    assert float(speed.result) >= 0
    shown = cost.to_dict()
    assert {"low", "high", "interval_level", "interval_method", "interval_note"} <= shown.keys()
    assert float(str(shown["low"])) < 0.002 < float(str(shown["high"]))
    assert (shown["interval_level"], shown["interval_method"], shown["interval_note"]) == (0.95, "t", None)
    assert (shown["unit"], shown["direction"]) == ("USD", "lower")
    assert feedback.to_dict()["low"] is None
    assert feedback.to_dict()["interval_note"] == "there is no value"
    assert (feedback.result, feedback.total_logs, feedback.status) == ("", 0, 3)
    listed = evaluations.list(gateway, account_id=wire.account, processed=True, name="first", search="FIR")
    assert [item.id for item in listed] == [made.id]
    assert evaluations.delete(made.id, account_id=wire.account, gateway_id=gateway).id == made.id
    with pytest.raises(cloudflare.NotFoundError):
        evaluations.get(made.id, account_id=wire.account, gateway_id=gateway)


def test_evaluations_of_what_the_answers_say(wire: Wire, server: Server, traffic: tuple[str, list[str]]) -> None:
    gateway, _ = traffic
    dataset = wire.client.ai_gateway.datasets.create(
        gateway, account_id=wire.account, name="all answers", enable=True, filters=[]
    )
    types = f"/accounts/{wire.account}/ai-gateway/evaluation-types"
    custom = wire.client.post(
        types,
        body={"name": "asks", "evaluator_id": "regex", "parameters": {"pattern": r"\?$"}},
        cast_to=dict[str, Any],
    )["result"]
    made = wire.client.ai_gateway.evaluations.create(
        gateway,
        account_id=wire.account,
        name="texts",
        dataset_ids=[dataset.id],
        evaluation_type_ids=["length", custom["id"], "exact_match", "cost"],
    )
    finished(server, gateway, made.id)
    done = wire.client.ai_gateway.evaluations.get(made.id, account_id=wire.account, gateway_id=gateway)
    length, asks, exact, cost = done.results
    assert (length.result, length.total_logs, length.status) == (str(len("".join(WORDS))), 5, 2)
    assert (asks.evaluation_type_id, asks.result, asks.total_logs) == (custom["id"], "100", 5)
    assert (exact.result, exact.total_logs, exact.status) == ("", 0, 3)
    assert cost.total_logs == 6
    items = wire.client.get(
        f"/accounts/{wire.account}/ai-gateway/gateways/{gateway}/evaluations/{made.id}/items?status=skipped",
        cast_to=dict[str, Any],
    )["result"]
    assert [item["evaluation_type_id"] for item in items] == ["length", custom["id"], *["exact_match"] * 6]
    assert "ended with upstream_error" in items[0]["note"]
    assert wire.client.delete(f"{types}/{custom['id']}", cast_to=dict[str, Any])["success"]


# --- dynamic routes ---------------------------------------------------------------------------------------


def test_routes(wire: Wire, gateway: str) -> None:
    routes, place = wire.client.ai_gateway.dynamic_routing, {"account_id": wire.account, "gateway_id": gateway}

    def elements(name: str) -> Any:
        leads = {"element_id": "end"}
        properties = {"provider": "openai", "model": name, "timeout": 5000, "retries": 0}
        outputs = {"success": leads, "fallback": leads}
        return [
            {"id": "start", "type": "start", "outputs": {"next": {"element_id": "m"}}},
            {"id": "m", "type": "model", "properties": properties, "outputs": outputs},
            {"id": "end", "type": "end", "outputs": {}},
        ]

    def plain(shown: Any) -> Any:
        return [element.to_dict(use_api_names=False) for element in shown.elements]

    made = routes.create(gateway, account_id=wire.account, name="first", elements=elements("one"))
    assert (made.name, made.gateway_id, made.version.active) == ("first", gateway, "true")
    assert made.deployment.version_id == made.version.version_id
    assert [element.type for element in made.elements] == ["start", "model", "end"]
    assert plain(routes.get(made.id, **place)) == elements("one")
    listed = routes.list(gateway, account_id=wire.account, page=1, per_page=5)
    assert (listed.success, [route.id for route in listed.data.routes]) == (True, [made.id])
    assert listed.data.routes[0].created_at.tzinfo is not None

    version = routes.create_version(made.id, **place, elements=elements("two"))
    assert version.id == made.id
    newest, first = routes.list_versions(made.id, **place).data.versions
    assert (newest.active, first.active, first.version_id) == ("false", "true", made.version.version_id)
    kept = routes.get_version(newest.version_id, **place, id=made.id)
    assert (kept.version_id, kept.active, plain(kept)) == (newest.version_id, "false", elements("two"))

    assert plain(routes.create_deployment(made.id, **place, version_id=newest.version_id)) == elements("two")
    routes.create_deployment(made.id, **place, version_id=first.version_id)
    deployments = routes.list_deployments(made.id, **place).data.deployments
    assert [each.version_id for each in deployments] == [first.version_id, newest.version_id, first.version_id]
    assert plain(routes.get(made.id, **place)) == elements("one")

    renamed = routes.update(made.id, **place, name="second")
    assert (renamed.success, renamed.route.name, renamed.route.account_tag) == (True, "second", wire.account)
    assert routes.delete(made.id, **place).name == "second"
    with pytest.raises(cloudflare.NotFoundError):
        routes.get(made.id, **place)


# --- custom providers, tokens -----------------------------------------------------------------------------


def test_custom_providers(wire: Wire, server: Server, gateway: str) -> None:
    providers = wire.client.ai_gateway.custom_providers
    made = providers.create(
        account_id=wire.account,
        name="Python SDK",
        slug="python-sdk",
        base_url="https://ai.example.com/v1",
        enable=True,
        position=7,
        headers='{"x-team": "blue"}',
    )
    assert (made.slug, made.enable, made.beta, made.position, made.headers) == (
        "python-sdk",
        True,
        False,
        7,
        '{"x-team": "blue"}',
    )
    assert made.logo is not None
    assert made.logo.startswith("data:image/svg+xml;base64,")
    assert providers.get(made.id, account_id=wire.account) == cloudflare_equal(made)
    listed = providers.list(account_id=wire.account, search="PYTHON-S", enable=True, beta=False, per_page=1)
    assert [item.id for item in listed] == [made.id]
    url = wire.client.ai_gateway.urls.get("custom-python-sdk", account_id=wire.account, gateway_id=gateway)
    assert url is not None
    assert url.endswith("/custom-python-sdk")
    with pytest.raises(cloudflare.ConflictError) as conflict:
        providers.create(account_id=wire.account, name="x", slug="python-sdk", base_url="https://x.example")
    assert conflict.value.errors[0].code == 1003
    assert providers.delete(made.id, account_id=wire.account).id == made.id
    with pytest.raises(cloudflare.NotFoundError) as missing:
        providers.get(made.id, account_id=wire.account)
    assert missing.value.errors[0].code == 1004


def test_token_verification(wire: Wire) -> None:
    verified = wire.client.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"
    assert len(verified.id) == 32


# --- who may do what, and how errors arrive ---------------------------------------------------------------


def test_errors_by_class(wire: Wire, connect: Connect, gateway: str) -> None:
    with pytest.raises(cloudflare.BadRequestError) as bad:
        wire.client.ai_gateway.create(account_id=wire.account, id=gateway, **GATEWAY_REQUIRED)
    assert bad.value.status_code == 400
    assert [one.code for one in bad.value.errors] == [7001]
    assert bad.value.body["errors"][0]["path"] == ["body", "id"]
    with pytest.raises(cloudflare.BadRequestError):
        wire.client.ai_gateway.logs.list(gateway, account_id=wire.account, per_page=51)
    with pytest.raises(cloudflare.AuthenticationError) as unknown:
        connect(api_token="not-a-token").ai_gateway.get(gateway, account_id=wire.account)
    assert [one.code for one in unknown.value.errors] == [10000]
    with pytest.raises(cloudflare.AuthenticationError) as invalid:
        connect(api_token="not-a-token").user.tokens.verify()
    assert [one.code for one in invalid.value.errors] == [1000]
    with pytest.raises(cloudflare.PermissionDeniedError):
        wire.client.ai_gateway.get(gateway, account_id="0" * 32)
    with pytest.raises(cloudflare.NotFoundError) as no_route:
        wire.client.ai_gateway.get(gateway, account_id="not-an-account")
    assert [one.code for one in no_route.value.errors] == [7003]


def test_permissions(server: Server, connect: Connect, gateway: str) -> None:
    reader = connect(api_token=make_token(server, "read"))
    assert reader.ai_gateway.get(gateway, account_id=server.account_id).id == gateway
    with pytest.raises(cloudflare.PermissionDeniedError):
        reader.ai_gateway.delete(gateway, account_id=server.account_id)
    writer = connect(api_token=make_token(server, "write"))
    assert writer.ai_gateway.get(gateway, account_id=server.account_id).id == gateway
    runner = connect(api_token=make_token(server, "run"))
    with pytest.raises(cloudflare.PermissionDeniedError):
        runner.ai_gateway.get(gateway, account_id=server.account_id)
    assert writer.ai_gateway.delete(gateway, account_id=server.account_id).id == gateway


def test_email_and_key(server: Server, connect: Connect, gateway: str) -> None:
    token = make_token(server, "read")
    client = connect(api_email=EMAIL, api_key=token)
    assert client.ai_gateway.get(gateway, account_id=server.account_id).id == gateway
    stranger = connect(api_email="other@localhost", api_key=token)
    with pytest.raises(cloudflare.AuthenticationError):
        stranger.ai_gateway.get(gateway, account_id=server.account_id)


async def test_async(server: Server, traffic: tuple[str, list[str]]) -> None:
    gateway, logs = traffic
    async with AsyncCloudflare(api_token=server.token, base_url=server.base_url, max_retries=0) as client:
        pager = client.ai_gateway.logs.list(gateway, account_id=server.account_id, per_page=2)
        assert [item.id async for item in pager] == logs[::-1]
