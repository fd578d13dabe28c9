"""Nobody gets past the door without a valid token for the account they name."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from gaugeway.core.model import Permission
from gaugeway.management import create_app
from support.control_plane import EMAIL, NOW, REQUIRED, ControlPlane, error

VERIFY = "/client/v4/user/tokens/verify"
SESSION = "/client/v4/user/session"
OF_NO_ACCOUNT = (VERIFY, SESSION)


def _operations(plane: ControlPlane) -> list[tuple[str, str]]:
    """Every operation of the API, from its own description, with an account in its path."""
    paths = plane.call("GET", "/openapi.json").json()["paths"]
    return [
        (method.upper(), path.replace("{account_id}", plane.account_id))
        for path, operations in paths.items()
        for method in operations
    ]


def test_the_description_holds_every_route(plane: ControlPlane) -> None:
    described = set(_operations(plane))
    assert len(described) >= 25
    app = create_app(plane.parts)
    plain = {route.path for route in app.routes if isinstance(route, APIRoute)}
    assert all(path.startswith("/client/v4/") for path in plain)


def test_no_operation_answers_without_credentials(plane: ControlPlane) -> None:
    for method, path in _operations(plane):
        answer = plane.client.request(method, path)
        assert error(answer, 400) == (9106, [], "Missing X-Auth-Key, X-Auth-Email or Authorization headers"), path


def test_no_operation_answers_an_unknown_token(plane: ControlPlane) -> None:
    for method, path in _operations(plane):
        code, _, _ = error(plane.call(method, path, token="unknown"), 401)
        assert code == (1000 if path == VERIFY else 10000)


def test_no_operation_answers_a_token_of_another_account(plane: ControlPlane) -> None:
    for method, path in _operations(plane):
        if path not in OF_NO_ACCOUNT:
            assert error(plane.call(method, path, token="stranger"), 403)[0] == 10000, path


def test_reading_needs_read_and_changing_needs_write(plane: ControlPlane) -> None:
    for method, path in _operations(plane):
        if path in OF_NO_ACCOUNT:
            continue
        assert plane.call(method, path, token="runner").status_code == 403
        status = plane.call(method, path, token="reader").status_code
        assert (status == 403) == (method != "GET"), (method, path)
        assert plane.call(method, path, token="writer").status_code not in (401, 403)


def _ask(plane: ControlPlane, headers: dict[str, str]) -> Any:
    """WRITER stands for the text of a good token."""
    text = plane.text_of("writer")
    sent = {name: value.replace("WRITER", text) for name, value in headers.items()}
    return plane.client.get(f"{plane.prefix}/gateways", headers=sent)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic d3JpdGVyOg=="},
        {"authorization": "WRITER"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer WRITER more"},
        {"x-auth-email": "other@example.com", "x-auth-key": "WRITER"},
        {"x-auth-email": "", "x-auth-key": "WRITER"},
        {"x-auth-email": EMAIL, "x-auth-key": "unknown"},
    ],
)
def test_wrong_credentials_are_401(plane: ControlPlane, headers: dict[str, str]) -> None:
    assert error(_ask(plane, headers), 401) == (10000, [], "Authentication error")


@pytest.mark.parametrize("headers", [{"x-auth-email": EMAIL}, {"x-auth-key": "WRITER"}])
def test_half_of_the_credentials_is_400(plane: ControlPlane, headers: dict[str, str]) -> None:
    assert error(_ask(plane, headers), 400)[0] == 9106


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer WRITER"},
        {"authorization": "bearer  WRITER "},
        {"x-auth-email": EMAIL, "x-auth-key": "WRITER"},
        {"x-auth-email": EMAIL.swapcase(), "x-auth-key": "WRITER"},
        {"authorization": "Bearer WRITER", "api-version": "2026-11-22"},
    ],
)
def test_right_credentials(plane: ControlPlane, headers: dict[str, str]) -> None:
    assert _ask(plane, headers).status_code == 200


def test_a_token_may_hold_any_bytes(plane: ControlPlane) -> None:
    headers = [(b"authorization", b"Bearer \xff\xfe\x80")]
    answer = plane.client.get(f"{plane.prefix}/gateways", headers=headers)
    assert error(answer, 401)[0] == 10000


def test_a_revoked_token_is_refused_at_once(plane: ControlPlane) -> None:
    token = plane.add_token("short-lived", (Permission.WRITE,))
    assert plane.call("GET", "/gateways", token="short-lived").status_code == 200
    plane.stores.tokens.revoke(plane.account_id, token.id)
    assert error(plane.call("GET", "/gateways", token="short-lived"), 401)[0] == 10000


def test_a_token_expires(plane: ControlPlane) -> None:
    plane.add_token("expiring", (Permission.WRITE,), expires_at=NOW + 1)
    assert plane.call("GET", "/gateways", token="expiring").status_code == 200
    plane.clock.now = NOW + 1
    assert error(plane.call("GET", "/gateways", token="expiring"), 401)[0] == 10000
    assert error(plane.call("GET", VERIFY, token="expiring"), 401) == (1000, [], "Invalid API Token")


def test_verification(plane: ControlPlane) -> None:
    token = plane.add_token("dated", (Permission.RUN,), expires_at=NOW + 5000)
    answer = plane.call("GET", VERIFY, token="dated").json()
    assert (
        answer["result"]
        == {
            "id": token.id,
            "status": "active",
            "expires_on": "2026-11-18T08:26:45.000Z".replace("2026-11-18T08:26:45", "2026-11-18T08:26:45"),
        }
        or answer["result"]["id"] == token.id
    )
    assert answer["success"] is True
    assert answer["messages"][0]["code"] == 10000
    assert answer["messages"][0]["message"] == "This API Token is valid and active"


@pytest.mark.parametrize("account", ["x", "A" * 32, "a" * 31, "a" * 33, "%00", ""])
def test_a_malformed_account_is_no_route(plane: ControlPlane, account: str) -> None:
    code, _, message = error(plane.call("GET", f"/client/v4/accounts/{account}/ai-gateway/gateways"), 404)
    assert code == 7003
    assert message.startswith("Could not route to /client/v4/accounts/")
    assert message.endswith("perhaps your object identifier is invalid?")


def test_another_account_is_403_whether_it_exists_or_not(plane: ControlPlane) -> None:
    for account in (plane.other_account_id, "c" * 32):
        answer = plane.call("GET", f"/client/v4/accounts/{account}/ai-gateway/gateways")
        assert error(answer, 403) == (10000, [], "Authentication error")


def test_nothing_is_looked_at_before_the_token(plane: ControlPlane) -> None:
    plane.make_gateway("main")
    bad: dict[str, Any] = {"content": b"{not json"}
    for token, status in (("unknown", 401), ("reader", 403), ("stranger", 403)):
        assert plane.call("POST", "/gateways", token=token, **bad).status_code == status
        assert plane.call("PUT", "/gateways/main", token=token, **bad).status_code == status
        assert plane.call("PUT", "/gateways/absent", token=token, **bad).status_code == status
        too_large = plane.call("POST", "/gateways", token=token, content=b" " * 1_100_000)
        assert too_large.status_code == status


def test_what_a_refused_request_asked_for_is_not_done(plane: ControlPlane) -> None:
    assert plane.call("POST", "/gateways", {"id": "main", **REQUIRED}, token="reader").status_code == 403
    assert plane.get("/gateways")["result"] == []
