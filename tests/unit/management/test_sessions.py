"""A browser signs in with a token and gets a cookie; what the cookie may do, and when it ends."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest

from gaugeway.core.model import Permission
from gaugeway.management.sessions import LIFETIME_MS, SESSIONS_PER_TOKEN
from support.control_plane import NOW, REQUIRED, ControlPlane, error

SESSION = "/client/v4/user/session"


class Visitor:
    """A browser's side: the cookie it was given, and what the page read of the session."""

    def __init__(self, plane: ControlPlane, token: str = "writer") -> None:
        self._plane = plane
        self.answer = plane.call("POST", SESSION, token=token)
        assert self.answer.status_code == 200, self.answer.text
        self.session = self.answer.json()["result"]
        self.cookie = SimpleCookie(self.answer.headers.get_list("set-cookie")[0])["gaugeway_session"]

    def call(self, method: str, path: str, body: Any = None, *, csrf: str | None = "own", **headers: str) -> Any:
        """A request with the cookie alone."""
        url = path if path.startswith("/client") else self._plane.prefix + path
        sent = {"cookie": f"gaugeway_session={self.cookie.value}"}
        if csrf is not None:
            sent["x-gaugeway-csrf"] = self.session["csrf"] if csrf == "own" else csrf
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._plane.client.cookies.clear()
        return self._plane.client.request(method, url, json=body, headers=sent | named)


def test_signing_in_gives_a_cookie_that_only_the_management_api_sees(plane: ControlPlane) -> None:
    visitor = Visitor(plane)
    assert (visitor.cookie["httponly"], visitor.cookie["samesite"]) == (True, "strict")
    assert visitor.cookie["max-age"] == str(LIFETIME_MS // 1000)
    cookies = visitor.answer.headers.get_list("set-cookie")
    paths = {part.strip() for cookie in cookies for part in cookie.split(";") if "Path=" in part}
    account = f"/client/v4/accounts/{plane.account_id}/ai-gateway"
    assert (len(cookies), paths) == (2, {"Path=/client/v4/user", f"Path={account}"})
    assert visitor.cookie["secure"] == ""  # the server is reached by plain http
    assert visitor.session["account_id"] == plane.account_id
    assert visitor.session["permissions"] == [Permission.WRITE]
    assert visitor.cookie.value not in visitor.answer.text
    assert visitor.call("GET", SESSION).json()["result"] == visitor.session


def test_the_cookie_is_secure_where_the_server_is_reached_by_https(plane: ControlPlane) -> None:
    with plane.installation.with_parts(public_url=lambda _request: "https://gaugeway.example") as client:
        answer = client.post(SESSION, headers={"authorization": f"Bearer {plane.text_of('writer')}"})
    assert SimpleCookie(answer.headers.get_list("set-cookie")[0])["gaugeway_session"]["secure"] is True


def test_only_the_hash_of_the_cookie_is_kept(plane: ControlPlane) -> None:
    text = Visitor(plane).cookie.value.encode()
    folder = plane.installation.folder
    kept = b"".join(path.read_bytes() for path in folder.glob("state.db*"))
    assert b"sessions" in kept
    assert text not in kept


def test_a_session_may_do_what_its_token_may(plane: ControlPlane) -> None:
    writer, reader, runner = (Visitor(plane, name) for name in ("writer", "reader", "runner"))
    body = {"id": "made-by-session", **REQUIRED}
    assert error(reader.call("POST", "/gateways", body), 403)[0] == 10000
    assert error(runner.call("GET", "/gateways"), 403)[0] == 10000
    assert writer.call("POST", "/gateways", body).status_code == 200
    assert reader.call("GET", "/gateways/made-by-session").status_code == 200
    other = f"/client/v4/accounts/{plane.other_account_id}/ai-gateway/gateways"
    assert error(writer.call("GET", other), 403)[0] == 10000


@pytest.mark.parametrize("csrf", [None, "", "wrong", "0" * 64])
def test_a_change_without_the_sessions_csrf_text_is_refused(plane: ControlPlane, csrf: str | None) -> None:
    visitor, other = Visitor(plane), Visitor(plane)
    for method, path in (("POST", "/gateways"), ("PUT", "/gateways/x"), ("DELETE", SESSION), ("PATCH", "/x")):
        assert error(visitor.call(method, path, {}, csrf=csrf), 403)[0] == 10000
        assert error(visitor.call(method, path, {}, csrf=other.session["csrf"]), 403)[0] == 10000
    assert visitor.call("GET", SESSION, csrf=csrf).status_code == 200  # it did not sign out


def test_credentials_in_headers_count_and_not_the_cookie_beside_them(plane: ControlPlane) -> None:
    visitor = Visitor(plane)
    bad = visitor.call("GET", "/gateways", authorization="Bearer wrong-" + "x" * 40)
    assert error(bad, 401)[0] == 10000
    mine = visitor.call(
        "POST",
        "/gateways",
        {"id": "by-token", **REQUIRED},
        csrf=None,
        authorization=f"Bearer {plane.text_of('writer')}",
    )
    assert mine.status_code == 200


def test_a_session_cannot_make_sessions_and_a_token_has_none(plane: ControlPlane) -> None:
    visitor = Visitor(plane)
    assert error(visitor.call("POST", SESSION), 400)[0] == 9106
    assert error(plane.call("GET", SESSION), 400)[0] == 9106
    assert error(plane.call("DELETE", SESSION), 400)[0] == 9106
    assert error(plane.call("POST", SESSION, token="unknown"), 401)[0] == 10000


def test_signing_out_ends_it(plane: ControlPlane) -> None:
    visitor, other = Visitor(plane), Visitor(plane)
    gone = visitor.call("DELETE", SESSION)
    assert gone.status_code == 200
    assert SimpleCookie(gone.headers.get_list("set-cookie")[0])["gaugeway_session"]["max-age"] == "0"
    assert error(visitor.call("GET", SESSION), 400)[0] == 9106
    assert other.call("GET", SESSION).status_code == 200


def test_revoking_the_token_ends_its_sessions_at_once(plane: ControlPlane) -> None:
    token = plane.add_token("short", (Permission.READ,))
    visitor, other = Visitor(plane, "short"), Visitor(plane)
    assert visitor.call("GET", "/gateways").status_code == 200
    plane.stores.tokens.revoke(plane.account_id, token.id)
    assert error(visitor.call("GET", "/gateways"), 400)[0] == 9106
    assert other.call("GET", "/gateways").status_code == 200


def test_it_ends_by_itself(plane: ControlPlane) -> None:
    visitor = Visitor(plane)
    plane.clock.now = NOW + LIFETIME_MS - 1
    assert visitor.call("GET", SESSION).status_code == 200
    plane.clock.now = NOW + LIFETIME_MS
    assert error(visitor.call("GET", SESSION), 400)[0] == 9106


def test_it_ends_with_a_token_that_expires_before(plane: ControlPlane) -> None:
    plane.add_token("hour", (Permission.READ,), expires_at=NOW + 3_600_000)
    visitor = Visitor(plane, "hour")
    assert visitor.cookie["max-age"] == "3600"
    plane.clock.now = NOW + 3_600_000
    assert error(visitor.call("GET", SESSION), 400)[0] == 9106


def test_a_token_has_a_bounded_number_of_sessions(plane: ControlPlane) -> None:
    first = Visitor(plane)
    later = [Visitor(plane) for _ in range(SESSIONS_PER_TOKEN - 1)]
    assert first.call("GET", SESSION).status_code == 200
    Visitor(plane)
    assert error(first.call("GET", SESSION), 400)[0] == 9106
    assert later[0].call("GET", SESSION).status_code == 200


@pytest.mark.parametrize(
    "cookie", ["gaugeway_session=", "gaugeway_session=x", "gaugeway_session=" + "x" * 5000, "a; b=;;="]
)
def test_odd_cookies_are_nobodys(plane: ControlPlane, cookie: str) -> None:
    answer = plane.client.get(plane.prefix + "/gateways", headers={"cookie": cookie})
    assert error(answer, 400)[0] == 9106


def test_of_two_session_cookies_neither_is_believed(plane: ControlPlane) -> None:
    visitor = Visitor(plane)
    both = f"gaugeway_session=planted; gaugeway_session={visitor.cookie.value}"
    answer = plane.client.get(plane.prefix + "/gateways", headers={"cookie": both})
    assert error(answer, 400)[0] == 9106
