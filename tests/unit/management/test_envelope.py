"""Every answer, good or bad, is Cloudflare's envelope."""

from __future__ import annotations

import logging

import pytest
from msgspec import structs
from starlette.testclient import TestClient

from gaugeway.core.model import Scope
from gaugeway.management import create_app
from support.control_plane import REQUIRED, ControlPlane, error, errors


def test_success(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/gateways")
    assert answer.json() == {
        "success": True,
        "errors": [],
        "messages": [],
        "result": [],
        "result_info": {"count": 0, "page": 1, "per_page": 20, "total_count": 0, "total_pages": 0},
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/client/v4",
        "/client/v4/",
        "/client/v4/zones",
        "/client/v4/user",
        "/",
        "/redoc",
    ],
)
def test_unknown_path(plane: ControlPlane, path: str) -> None:
    answer = plane.client.get(path)
    code, _, message = error(answer, 404)
    assert (code, message) == (7003, f"Could not route to {path}, perhaps your object identifier is invalid?")


@pytest.mark.parametrize(
    "path", ["", "/", "/gateways/", "/gateways/main/logs/", "/gateways/main/nothing", "/datasets"]
)
def test_unknown_path_of_an_account(plane: ControlPlane, path: str) -> None:
    plane.make_gateway()
    assert error(plane.call("GET", path), 404)[0] == 7003


def test_an_endless_path_is_not_repeated(plane: ControlPlane) -> None:
    assert len(error(plane.call("GET", "/" + "x" * 5000), 404)[2]) < 400


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/gateways/main"), ("PUT", "/gateways"), ("POST", "/gateways/main/logs")]
)
def test_unsupported_method(plane: ControlPlane, method: str, path: str) -> None:
    code, _, message = error(plane.call(method, path), 405)
    assert (code, message) == (10405, f"{method} is not supported here")


@pytest.mark.parametrize(
    "body", [b"{", b"{'a': 1}", b"[" * 100_000, b"\xff\xfe", b"\x80", b"{}}", b"1" * 5000, b'{"id": "\n"}']
)
def test_malformed_json(plane: ControlPlane, body: bytes) -> None:
    code, path, message = error(plane.call("POST", "/gateways", content=body))
    assert (code, path) == (7001, ["body"])
    assert "Malformed JSON" in message or "Expected object" in message


@pytest.mark.parametrize(
    ("body", "kind"), [(b"[]", "array"), (b"null", "null"), (b'"x"', "string"), (b"7", "number")]
)
def test_json_that_is_no_object(plane: ControlPlane, body: bytes, kind: str) -> None:
    answer = plane.call("POST", "/gateways", content=body)
    assert error(answer) == (7001, ["body"], f"Expected object, received {kind}")


def test_no_body(plane: ControlPlane) -> None:
    assert error(plane.call("POST", "/gateways")) == (7001, ["body"], "Required")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "nonsense", "application/xml"])
def test_the_content_type_does_not_matter(plane: ControlPlane, kind: str) -> None:
    body = b'{"id":"g","cache_invalidate_on_update":true,"cache_ttl":0,"collect_logs":true,'
    body += b'"rate_limiting_interval":0,"rate_limiting_limit":0}'
    answer = plane.call("POST", "/gateways", content=body, headers={"content-type": kind})
    assert answer.json()["result"]["id"] == "g"


def test_a_body_of_a_megabyte_is_read_and_a_larger_one_is_not(plane: ControlPlane) -> None:
    largest = b'{"x":"' + b"y" * (1024 * 1024 - 8) + b'"}'
    assert len(largest) == 1024 * 1024
    assert plane.call("POST", "/gateways", content=largest).status_code == 400
    assert error(plane.call("POST", "/gateways", content=largest + b" "), 413)[0] == 10413
    chunks = iter([b" " * 600_000, b" " * 600_000])
    assert error(plane.call("POST", "/gateways", content=chunks), 413)[0] == 10413


def test_text_that_utf8_cannot_hold(plane: ControlPlane) -> None:
    half = b'{"id":"g\\ud800","cache_invalidate_on_update":"\\udfff","cache_ttl":0,"collect_logs":true,"\\udcff":1}'
    message = "The text holds half of a surrogate pair, which is no character"
    assert error(plane.call("POST", "/gateways", content=half)) == (7001, ["body"], message)
    value = b'{"id":"g\\ud800"}'
    assert errors(plane.call("POST", "/gateways", content=value))[-1] == {
        "code": 7001,
        "message": message,
        "path": ["body", "id"],
    }


def test_several_findings_come_together_but_not_without_end(plane: ControlPlane) -> None:
    found = errors(plane.call("POST", "/gateways", {str(index): 1 for index in range(1000)}))
    assert len(found) == 20


def test_the_unforeseen_is_500_without_its_reason_and_with_a_traceback_for_the_operator(
    plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def get(self, scope: Scope) -> None:
            raise RuntimeError(f"a secret of {scope.gateway_id}")

    client = TestClient(create_app(structs.replace(plane.parts, gateways=Broken())))
    with caplog.at_level(logging.ERROR, "gaugeway.management"):
        answer = client.get(
            plane.prefix + "/gateways/a%0Ab", headers={"authorization": f"Bearer {plane.text_of('writer')}"}
        )
    assert error(answer, 500) == (10500, [], "Internal server error")
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.exc_info is not None
    assert "a\\nb" in record.getMessage()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1000000000000", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("page=1.5", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("per_page=1e3", "per_page"),
        ("per_pag=1", "per_pag"),
    ],
)
def test_absurd_paging(plane: ControlPlane, query: str, name: str) -> None:
    plane.make_gateway()
    for path in ("/gateways", "/gateways/main/datasets", "/gateways/main/evaluations", "/custom-providers"):
        code, where, _ = error(plane.call("GET", f"{path}?{query}"))
        assert (code, where) == (7001, ["query", name])


def test_past_the_end_is_an_empty_page(plane: ControlPlane) -> None:
    plane.make_gateway()
    for page in (2, 1_000_000_000):
        answer = plane.get("/gateways", page=page, per_page=100)
        assert answer["result"] == []
        assert answer["result_info"] == {
            "count": 0,
            "page": page,
            "per_page": 100,
            "total_count": 1,
            "total_pages": 1,
        }


def test_an_operation_without_query_parameters_refuses_them(plane: ControlPlane) -> None:
    plane.make_gateway()
    answer = plane.call("DELETE", "/gateways/main?dry_run=true")
    assert error(answer)[:2] == (7001, ["query", "dry_run"])
    assert plane.call("GET", "/gateways/main").status_code == 200


def test_no_browser_of_another_site_is_answered_specially(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/gateways", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = plane.client.options(plane.prefix + "/gateways", headers={"origin": "https://evil.example"})
    assert preflight.status_code == 400


def test_the_description_is_served_and_loads_nothing_from_elsewhere(plane: ControlPlane) -> None:
    description = plane.client.get("/openapi.json").json()
    create = description["paths"]["/client/v4/accounts/{account_id}/ai-gateway/gateways"]["post"]
    assert "requestBody" in create
    assert set(create["responses"]) >= {"200", "4XX"}
    assert "422" not in create["responses"]
    assert set(REQUIRED) <= set(description["components"]["schemas"]["NewGateway"]["required"])
