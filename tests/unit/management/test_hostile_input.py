"""Whatever is sent, the answer is the envelope and never a 500; what is half sent is not done."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import StoreFull, StoreUnusable
from gaugeway.management import create_app
from gaugeway.management.log_query import LogList
from support.control_plane import REQUIRED, ControlPlane, Installation, error

FUZZ = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.text(st.characters(categories=["Cs"]), min_size=1, max_size=2),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)
FILTER: dict[str, Any] = {"key": "model", "operator": "eq", "value": ["x"]}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/gateways"): {
        "id": "main",
        **REQUIRED,
        "otel": None,
        "dlp": None,
        "guardrails": None,
        "stripe": None,
    },
    ("PUT", "/gateways/main"): {**REQUIRED, "log_management": 10_000, "spend_limits": None},
    ("POST", "/gateways/main/datasets"): {"name": "n", "enable": True, "filters": [FILTER]},
    ("PUT", "/gateways/main/datasets/DATASET"): {"name": "n", "enable": True, "filters": [FILTER]},
    ("POST", "/gateways/main/datasets/DATASET/snapshots"): {
        "name": "n",
        "sample": {"size": 1, "by": "model"},
        "split": {"part": "a", "shares": {"a": 1, "b": 1}},
        "redact": [{"kind": "email"}, {"pattern": "x", "replacement": "y"}],
    },
    ("POST", "/gateways/main/datasets/DATASET/snapshots/SNAPSHOT/items"): {
        "items": [{"content": {"model": "m", "metadata": {"a": 1}, "request": "{}"}, "expected": "e"}]
    },
    ("POST", "/gateways/main/evaluations"): {
        "name": "n",
        "dataset_ids": ["DATASET"],
        "evaluation_type_ids": ["cost"],
    },
    ("POST", "/evaluation-types"): {"name": "n", "evaluator_id": "contains", "parameters": {}, "description": "d"},
    ("PATCH", "/gateways/main/logs/LOG"): {"feedback": 1, "score": 1, "metadata": {"a": 1}},
    ("POST", "/custom-providers"): {"name": "n", "slug": "s", "base_url": "https://a.example", "headers": "{}"},
    ("PATCH", "/custom-providers/PROVIDER"): {"position": 1, "base_url": "https://a.example", "link": "x"},
}


class Filled:
    """An account with one of everything, and the ids that stand in the paths above."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        plane.make_gateway()
        dataset = plane.make("/gateways/main/datasets", {"name": "set", "enable": True, "filters": []})
        asked = {"name": "open", "import_format": "plain"}
        snapshot = plane.make(f"/gateways/main/datasets/{dataset['id']}/snapshots", asked)
        body = {"name": "p", "slug": "p", "base_url": "https://a.example"}
        provider = plane.make("/custom-providers", body)
        self.ids = {
            "DATASET": dataset["id"],
            "SNAPSHOT": snapshot["id"],
            "PROVIDER": provider["id"],
            "LOG": plane.log(),
        }

    def path(self, path: str) -> str:
        for name, identifier in self.ids.items():
            path = path.replace(name, identifier)
        return path


@pytest.fixture(scope="module")
def filled(installed: Installation) -> Filled:
    return Filled(ControlPlane(installed))


def is_an_envelope(answer: Any) -> bool:
    shown = answer.json()
    if answer.status_code == 200:
        return shown["success"] is True
    codes = [one["code"] for one in shown["errors"]]
    return answer.status_code < 500 and shown["success"] is False and bool(codes)


@FUZZ
@given(st.sampled_from(list(BODIES)), st.data())
def test_any_value_in_any_field(filled: Filled, operation: tuple[str, str], data: st.DataObject) -> None:
    method, path = operation
    plain = BODIES[operation]
    field = data.draw(st.sampled_from(sorted(plain)))
    body = json.dumps({**plain, field: data.draw(JSON)}).replace("DATASET", filled.ids["DATASET"])
    assert is_an_envelope(filled.plane.call(method, filled.path(path), content=body))


@FUZZ
@given(st.sampled_from(list(BODIES)), JSON)
def test_any_json_as_a_body(filled: Filled, operation: tuple[str, str], body: Any) -> None:
    method, path = operation
    assert is_an_envelope(filled.plane.call(method, filled.path(path), content=json.dumps(body)))


@FUZZ
@given(st.sampled_from(list(BODIES)), st.binary(max_size=40))
def test_any_bytes_as_a_body(filled: Filled, operation: tuple[str, str], body: bytes) -> None:
    method, path = operation
    assert is_an_envelope(filled.plane.call(method, filled.path(path), content=body))


PARAMETERS = sorted(
    {field.alias or name for name, field in LogList.model_fields.items()} | {"name", "enable", "limit"}
)
VALUES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["1", "true", "-1", "1e308", "nan", "2026-01-01", "0001-01-01", "asc", "cost", "[]", "[{}]"]),
    st.integers().map(str),
    JSON.map(json.dumps),
    st.lists(st.fixed_dictionaries({"key": st.just("cost"), "operator": st.just("gt"), "value": JSON})).map(
        json.dumps
    ),
)


@settings(FUZZ, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=4), st.sampled_from(["logs", "datasets"]))
def test_any_query(filled: Filled, query: list[tuple[str, str]], resource: str) -> None:
    text = urlencode(query, errors="surrogatepass")
    assert is_an_envelope(filled.plane.call("GET", f"/gateways/main/{resource}?{text}"))


@FUZZ
@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_any_path(filled: Filled, parts: list[str]) -> None:
    path = "/gateways/main/" + "/".join(parts).encode("utf-8", "replace").decode()
    url = filled.plane.prefix + "".join(f"%{byte:02x}" for byte in path.encode())
    answer = filled.plane.client.get(url, headers={"authorization": f"Bearer {filled.plane.text_of('reader')}"})
    assert is_an_envelope(answer)


# --- requests that break off, stores that cannot write -----------------------------------------------------


async def test_half_a_body_is_not_done(plane: ControlPlane) -> None:
    """The half that came would be valid: `{}` clears nothing, but a whole gateway could be replaced by defaults."""
    whole = json.dumps({"id": "half", **REQUIRED}).encode()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": whole, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": plane.prefix + "/gateways",
        "raw_path": (plane.prefix + "/gateways").encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {plane.text_of('writer')}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await create_app(plane.parts)(scope, receive, send)
    assert sent == []
    assert plane.get("/gateways")["result"] == []


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (StoreFull("/data/state.db: no room left"), 507, 10507),
        (StoreUnusable("/data/state.db: not a database"), 503, 10503),
    ],
)
def test_trouble_with_the_store_is_told_without_its_files(
    plane: ControlPlane, caplog: pytest.LogCaptureFixture, problem: Exception, status: int, code: int
) -> None:
    class Broken:
        def create(self, gateway: object) -> None:
            raise problem

    with plane.installation.with_parts(gateways=Broken()) as client:
        headers = {"authorization": f"Bearer {plane.text_of('writer')}"}
        answer = client.post(plane.prefix + "/gateways", json={"id": "main", **REQUIRED}, headers=headers)
    found, _, message = error(answer, status)
    assert found == code
    assert "nothing was changed" in message
    assert "state.db" not in answer.text
    assert "state.db" in caplog.text


@pytest.mark.parametrize(("method", "name"), [("GET", "success"), ("GET", "page"), ("DELETE", "limit")])
def test_a_parameter_given_twice_is_refused_as_one_value_would_not_count(
    filled: Filled, method: str, name: str
) -> None:
    answer = filled.plane.call(method, f"/gateways/main/logs?{name}=1&{name}=0")
    code, path, _ = error(answer)
    assert (code, path) == (7001, ["query", name])
